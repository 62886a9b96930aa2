"""The judge is not in the dock: with ``--base`` a branch loosens nothing by changing its own gates."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from seal_builders import House, Run, gate_text, judged, reasons, told

from bizra_gate.attest import PrivateKey


def loosen_the_limit(house: House) -> None:
    house.gate("<= 100 ms")


def drop_to_should(house: House) -> None:
    text = gate_text("<= 1 ms") + 'severity = "should"\n'
    house.write("gates/checkout.toml", text)


def delete_the_gate(house: House) -> None:
    (house.root / "gates" / "checkout.toml").unlink()


def break_the_gate(house: House) -> None:
    house.write("gates/checkout.toml", "this is no TOML")


@pytest.mark.parametrize("loosen", [loosen_the_limit, drop_to_should, delete_the_gate, break_the_gate])
def test_a_loosened_gate_decides_nothing_and_is_told(house: House, cli: Run, loosen: Callable[[House], None]) -> None:
    house.gate("<= 1 ms")
    house.commit()
    loosen(house)
    code, report = judged(cli, "--base", "HEAD")
    assert (code, report["verdict"]) == (1, "NO-SHIP")
    page = told(cli, "--base", "HEAD")
    assert "Judged by the gates, the keyring and the waivers of HEAD. What the head changes" in page
    assert "gates/checkout.toml" in page.partition("decides nothing here")[2].partition("###")[0]


def test_the_loosened_limit_is_listed_before_and_after(house: House, cli: Run) -> None:
    house.gate("<= 1 ms")
    house.commit()
    house.gate("<= 100 ms")
    assert "is loosened: <= 1 ms → <= 100 ms" in told(cli, "--base", "HEAD").replace("&lt;", "<")
    assert judged(cli)[0] == 0


def test_a_key_that_the_branch_trusts_itself_does_not_count(house: House, cli: Run) -> None:
    house.commit()
    stranger = PrivateKey.generate()
    house.seal(key=stranger)
    house.trust(stranger)
    assert judged(cli)[0] == 0
    code, report = judged(cli, "--base", "HEAD")
    assert (code, report["verdict"]) == (4, "UNTRUSTED")
    page = told(cli, "--base", "HEAD")
    assert f"**loosens** gates/keyring.toml: key {stranger.public.fingerprint} is added" in page
    assert f"**tightens** gates/keyring.toml: key {house.key.public.fingerprint} is removed" in page


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lambda house: house.trust(house.key, version=4), ["keyring.rolled_back"]),
        (lambda house: house.trust(house.key, PrivateKey.generate(), version=5), ["keyring.rolled_back"]),
        (lambda house: (house.root / "gates" / "keyring.toml").unlink(), ["keyring.rolled_back"]),
        (lambda house: house.write("gates/keyring.toml", "version = six"), ["keyring.unreadable"]),
        (lambda house: house.trust(house.key, PrivateKey.generate(), version=6), []),
        (lambda house: house.write("gates/keyring.toml", (house.root / "gates/keyring.toml").read_text() + "\n"), []),
    ],
    ids=["lower", "same with another key", "gone", "unreadable", "higher", "only laid out anew"],
)
def test_the_version_of_the_keyring_only_rises(
    house: House, cli: Run, change: Callable[[House], object], codes: list[str]
) -> None:
    house.trust(house.key, version=5)
    house.commit()
    change(house)
    code, report = judged(cli, "--base", "HEAD")
    assert (code, reasons(report)) == (4 if codes else 0, codes)


def test_a_keyring_from_outside_decides_beside_a_base_and_one_from_inside_never(
    house: House, cli: Run, tmp_path: Path
) -> None:
    house.commit()
    stranger = PrivateKey.generate()
    house.seal(key=stranger)
    ring = house.trust(stranger, version=2)
    code, _, err = cli("verify", "--base", "HEAD", "--keyring", ring)
    assert (code, "lies in the repository" in err) == (2, True)
    outside = Path(shutil.copy(ring, tmp_path / "ring.toml"))
    assert judged(cli, "--base", "HEAD", "--keyring", outside)[0] == 0
    outside.unlink()
    for base in ((), ("--base", "HEAD")):
        code, _, err = cli("verify", *base, "--keyring", outside)
        assert (code, "no such file" in err) == (2, True)


def test_every_change_is_in_the_report_with_both_sides_and_what_loosens_first(house: House, cli: Run) -> None:
    house.gate("<= 1 ms", evidence='max_age = "30d"')
    house.commit()
    house.gate("<= 100 ms", evidence='max_age = "20d"')
    house.trust(house.key, PrivateKey.generate(), version=2, roles=("benchmark",))
    changes = judged(cli, "--base", "HEAD")[1]["changes"]
    assert [change["loosens"] for change in changes] == [True, True, None, False, False]
    assert [(change["where"], change["before"], change["after"]) for change in changes[:1]] == [
        ("check p99: pass", "<= 1 ms", "<= 100 ms")
    ]
    assert [change["kind"] for change in changes] == ["loosened", "added", "changed", "tightened", "tightened"]
    out = cli("verify", "--now", "2026-11-22T08:00:00Z", "--format", "terminal", "--base", "HEAD")[1]
    assert "The head makes 5 changes in what judges: 2 loosen, 2 tighten, 1 of unknown" in out
    assert out.index("! loosens   gates/checkout.toml: check p99: pass") < out.index("  tightens  ")


def test_a_gate_that_cannot_be_read_hides_no_change_of_another(house: House, cli: Run) -> None:
    house.gate("<= 1 ms")
    house.gate("<= 1 ms", name="basket")
    house.commit()
    house.gate("<= 100 ms")
    house.write("gates/basket.toml", "this is no TOML")
    report = judged(cli, "--base", "HEAD")[1]
    assert [(change["file"], change["kind"]) for change in report["changes"]] == [("gates/checkout.toml", "loosened")]
    assert any("gates/basket.toml" in note for note in report["notes"])


def test_a_keyring_laid_out_anew_is_told_as_that(house: House, cli: Run) -> None:
    house.commit()
    ring = house.root / "gates" / "keyring.toml"
    ring.write_text(f"# whose signatures count\n{ring.read_text()}")
    report = judged(cli, "--base", "HEAD")[1]
    assert report["changes"] == []
    assert any("only laid out anew" in note for note in report["notes"])


def test_a_file_that_is_no_waiver_is_told_as_that(house: House, cli: Run) -> None:
    house.commit()
    house.write("gates/waivers/x.json", "{}")
    (change,) = judged(cli, "--base", "HEAD")[1]["changes"]
    assert change["message"].startswith("gates/waivers/x.json is added: a file that is no waiver")


def test_a_base_without_a_keyring_trusts_nobody(house: House, cli: Run) -> None:
    ring = (house.root / "gates" / "keyring.toml").read_bytes()
    (house.root / "gates" / "keyring.toml").unlink()
    house.commit()
    house.write("gates/keyring.toml", ring)
    assert judged(cli, "--base", "HEAD")[0] == 4


def test_a_waiver_of_the_branch_holds_once_it_is_in_the_base(house: House, cli: Run) -> None:
    house.gate("<= 1 ms")
    house.commit()
    waive = ("waive", "gates/checkout.toml", "p99", "--reason", "a new disk comes", "--ticket", "OPS-1", "--approver",
             "Ada", "--expires", "7d", "--now", "2026-11-22T07:30:00Z", "--key", house.key_file)  # fmt: skip
    assert cli(*waive)[0] == 0
    assert judged(cli, "--base", "HEAD")[0] == 1
    (change,) = judged(cli, "--base", "HEAD")[1]["changes"]
    assert (change["kind"], change["loosens"], change["gate"]) == ("added", True, "checkout")
    assert change["after"].startswith("p99 of checkout until 2026-11-29T07:30:00Z (OPS-1, Ada): a new disk comes")
    assert "it holds once it is in the base" in told(cli, "--base", "HEAD")
    house.commit()
    assert judged(cli, "--base", "HEAD")[0] == 0
    (house.root / "gates" / "waivers" / "checkout-p99.json").unlink()
    assert judged(cli, "--base", "HEAD")[0] == 0
    page = told(cli, "--base", "HEAD")
    assert "**tightens** gates/waivers/checkout-p99.json is removed: p99 of checkout until 2026-11-29" in page
    assert "it holds until that is in the base" in page


def test_an_unchanged_branch_is_judged_as_without_a_base(house: House, cli: Run) -> None:
    house.commit()
    assert judged(cli, "--base", "HEAD")[0] == 0
    assert "The head changes none of them." in told(cli, "--base", "HEAD")


@pytest.mark.parametrize("revision", ["no-such-branch", "--output=/tmp/x", "HEAD~99"])
def test_a_revision_that_git_does_not_know_judges_nothing(house: House, cli: Run, revision: str) -> None:
    house.commit()
    code, _, err = cli("verify", f"--base={revision}")
    assert code == 2
    assert "revision" in err


def test_a_base_needs_a_repository(house: House, cli: Run) -> None:
    assert cli("verify", "--base", "HEAD")[0] == 2


def test_a_base_whose_gates_cannot_be_read_is_a_sentence(house: House, cli: Run) -> None:
    house.write("gates/checkout.toml", b"\xff\xfe")
    house.commit()
    code, _, err = cli("verify", "--base", "HEAD")
    assert code == 2
    assert "checkout.toml" in err


def test_a_base_whose_keyring_cannot_be_read_is_a_sentence(house: House, cli: Run) -> None:
    house.write("gates/keyring.toml", b"\xff\xfe")
    house.commit()
    assert cli("verify", "--base", "HEAD")[0] == 2


def test_a_gate_that_only_the_head_has_is_told_as_new_with_the_way_to_judge_it(house: House, cli: Run) -> None:
    house.commit()
    house.gate(name="basket")
    code, report = judged(cli, "gates/basket.toml", "--base", "HEAD")
    assert (code, report["gates"]) == (5, [])
    assert "the gate basket is new in the head, and the base has none to judge by" in report["grade_reason"]
    (note,) = (note for note in report["notes"] if "is new in the head" in note)
    assert note.startswith("gates/basket.toml is new in the head: HEAD has no gate basket, so it is not judged here")
    assert note.endswith("bizra-gate verify gates/basket.toml")
    code, report = judged(cli, "--base", "HEAD")
    assert (code, [gate["name"] for gate in report["gates"]], note in report["notes"]) == (0, ["checkout"], True)
    house.write("gates/checkout.toml", gate_text() + '[[check]]\nmetric = "latency.p50"\npass = "<= 1 s"\n')
    assert sum("is new in the head" in told for told in judged(cli, "--base", "HEAD")[1]["notes"]) == 1
