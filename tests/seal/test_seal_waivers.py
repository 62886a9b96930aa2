"""Waivers by the command line: dated, bound to one version of one gate, capped, and only by those who may."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from seal_builders import House, Run, gate_text, judged, told

from bizra_gate.attest import PrivateKey, open_artifact, parse_instant, parse_keyring

START = "2026-11-22T07:30:00Z"


def waive(house: House, cli: Run, *, check: str = "p99", expires: str = "7d", key: Path | None = None,
          now: str = START) -> tuple[int, str, str]:  # fmt: skip
    return cli("waive", "gates/checkout.toml", check, "--reason", "the new disk comes on Monday", "--ticket", "OPS-1",
               "--approver", "Ada", "--expires", expires, "--now", now, "--key", key or house.key_file)  # fmt: skip


def check_of(report: dict[str, Any]) -> dict[str, Any]:
    return report["gates"][0]["checks"][0]


@pytest.fixture
def failing(house: House) -> House:
    house.gate("<= 1 ms")
    return house


PASSING = '[[check]]\nmetric = "latency.p50"\npass = "<= 100 ms"\nweight = 99\n'


def test_a_waived_check_is_shown_as_waived_and_caps_the_grade(failing: House, cli: Run) -> None:
    failing.write("gates/checkout.toml", gate_text("<= 1 ms") + PASSING)
    assert judged(cli)[0] == 1
    code, out, _ = waive(failing, cli)
    assert (code, "gates/waivers/checkout-p99.json" in out) == (0, True)
    code, report = judged(cli)
    assert (code, check_of(report)["verdict"], report["grade"]) == (0, "waived", "B")
    page = told(cli)
    assert "WAIVED" in page
    assert "Ada" in page
    assert "OPS-1" in page


def test_the_waiver_is_a_signed_artifact_about_the_gate_file(failing: House, cli: Run) -> None:
    waive(failing, cli)
    data = (failing.root / "gates" / "waivers" / "checkout-p99.json").read_bytes()
    ring = parse_keyring((failing.root / "gates" / "keyring.toml").read_text())
    statement = open_artifact(data, ring, parse_instant(START), role="waiver").statement
    assert statement["predicate"]["expires"] == "2026-11-29T07:30:00Z"
    assert statement["predicate"]["gate_digest"] == statement["subject"][0]["digest"]["sha256"]


@pytest.mark.parametrize("now", ["2026-11-22T07:29:59Z", "2026-11-29T07:30:00Z", "2027-01-01T00:00:00Z"])
def test_a_waiver_holds_from_its_beginning_until_it_expires(failing: House, cli: Run, now: str) -> None:
    waive(failing, cli)
    code, out, _ = cli("verify", "--now", now, "--format", "json")
    assert (code, check_of(json.loads(out))["verdict"]) == (1, "fail")


def test_a_gate_that_changed_needs_a_new_waiver(failing: House, cli: Run) -> None:
    waive(failing, cli)
    failing.gate("<= 2 ms")
    assert judged(cli)[0] == 1
    assert "has changed since it was given" in told(cli)


def test_a_waiver_by_a_key_that_may_not_waive_is_refused(failing: House, cli: Run) -> None:
    intern = PrivateKey.generate()
    path = failing.root.parent / "intern.key"
    path.write_text(intern.pem())
    path.chmod(0o600)
    waive(failing, cli, key=path)
    assert judged(cli)[0] == 1
    failing.trust(failing.key, intern, roles=("benchmark",))
    assert judged(cli)[0] == 1
    assert "may sign benchmark, not waiver" in told(cli)


def test_a_changed_waiver_is_refused_and_told(failing: House, cli: Run) -> None:
    waive(failing, cli)
    path = failing.root / "gates" / "waivers" / "checkout-p99.json"
    path.write_text(path.read_text().replace("2026-11-29", "2028-11-29"))
    assert judged(cli)[0] == 1
    assert "is refused" in told(cli)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00", b"[" * 10_000])
def test_a_waiver_that_cannot_be_read_excuses_nothing(failing: House, cli: Run, content: bytes) -> None:
    failing.write("gates/waivers/x.json", content)
    assert judged(cli)[0] == 1
    assert "x.json is refused" in told(cli)


def test_a_waiver_never_stands_in_for_evidence(failing: House, cli: Run) -> None:
    waive(failing, cli)
    failing.artifact.unlink()
    code, report = judged(cli)
    assert (code, check_of(report)["verdict"]) == (5, "missing")
    failing.seal(key=PrivateKey.generate())
    assert judged(cli)[0] == 4


@pytest.mark.parametrize("expires", ["15d", "14d1s", "2026-12-25T00:00:00Z", "0s", "2026-11-22T07:00:00Z", "soon", "7"])
def test_a_waiver_that_would_not_hold_is_not_written(failing: House, cli: Run, expires: str) -> None:
    code, _, err = waive(failing, cli, expires=expires)
    assert code == 2, err
    assert err
    assert not (failing.root / "gates" / "waivers").exists()


def test_the_longest_waiver_of_a_must_is_fourteen_days_and_of_a_should_ninety(failing: House, cli: Run) -> None:
    assert waive(failing, cli, expires="14d")[0] == 0
    failing.write("gates/checkout.toml", gate_text("<= 1 ms") + 'severity = "should"\n')
    assert waive(failing, cli, expires="90d")[0] == 0
    assert waive(failing, cli, expires="91d")[0] == 2


def test_a_check_that_does_not_exist_is_named_with_its_neighbours(failing: House, cli: Run) -> None:
    code, _, err = waive(failing, cli, check="p9")
    assert code == 2
    assert "Did you mean 'p99'?" in err


def test_a_waiver_is_renewed_in_its_place_and_overwrites_nothing_else(failing: House, cli: Run) -> None:
    waive(failing, cli, expires="1d")
    assert waive(failing, cli, expires="7d")[0] == 0
    kept = failing.write("gates/waivers/checkout-p99.json", b"something of yours")
    code, _, err = waive(failing, cli)
    assert (code, kept.read_bytes()) == (2, b"something of yours")
    assert "it is kept" in err


def test_hostile_words_in_a_waiver_reach_nobody(failing: House, cli: Run) -> None:
    cli("waive", "gates/checkout.toml", "p99", "--reason", "\x1b[2J<script>alert(1)</script> @everyone\n::error::x",
        "--ticket", "T", "--approver", "A", "--expires", "1d", "--now", START, "--key", failing.key_file)  # fmt: skip
    for name in ("terminal", "markdown", "html", "junit", "sarif", "github"):
        _, out, _ = cli("verify", "--now", "2026-11-22T08:00:00Z", "--format", name)
        assert "\x1b[2J" not in out
        assert "\n::error::x" not in out
        if name in ("markdown", "html", "junit"):
            assert "<script>alert" not in out


def test_a_waiver_of_a_gate_that_was_not_asked_for_is_not_told(failing: House, cli: Run) -> None:
    waive(failing, cli)
    failing.gate(name="basket")
    notes = judged(cli, "gates/basket.toml")[1]["notes"]
    assert not [note for note in notes if "aiver" in note]
    assert check_of(judged(cli, "gates/checkout.toml")[1])["verdict"] == "waived"
    failing.commit()
    notes = judged(cli, "gates/basket.toml", "--base", "HEAD")[1]["notes"]
    assert not [note for note in notes if "aiver " in note]


def test_a_waiver_of_a_gate_that_is_nowhere_is_told_where_all_are_judged(failing: House, cli: Run) -> None:
    waive(failing, cli)
    (failing.root / "gates" / "checkout.toml").unlink()
    failing.gate(name="basket")
    for everything in ((), ("gates",), (".",)):
        notes = judged(cli, *everything)[1]["notes"]
        assert "is for the gate checkout, which is not among those judged" in " ".join(notes)
