"""A valid signature is not enough: fresh, from this code, by this plan, on this kind of machine, and used once."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from seal_builders import House, Run, judged, reasons, told

from bizra_gate.attest import PrivateKey, manifest_sha256, seal
from bizra_gate.evidence import benchmark as benchmarks
from bizra_gate.evidence.benchmark import Origin
from bizra_gate.store import manifest

MEASURE = """\
[measure]
target = "py:json:dumps"
load = { loop = "closed", concurrency = 2 }
warmup = "1s"
duration = "10s"
"""


def origin(house: House, *patterns: str) -> Origin:
    """What `bench` records of the named sources."""
    entries = manifest(house.root, patterns)
    return Origin(manifest_sha256=manifest_sha256(entries), files=tuple(name for _, _, name in entries))


def test_evidence_that_is_bound_in_every_way_ships(house: House, cli: Run) -> None:
    house.write("src/app.py", "print(1)\n")
    house.gate(measure=MEASURE, evidence='max_age = "2h"\nsources = ["src/*.py"]\nenvironment = { cpu_model = "te*" }')
    house.seal(measurement=house.planned(), origin=origin(house, "src/*.py"))
    code, report = judged(cli)
    assert (code, report["verdict"], reasons(report)) == (0, "SHIP", [])


def stale(house: House) -> None:
    house.gate(evidence='max_age = "59m"')


def future(house: House) -> None:
    house.seal(finished="2026-11-22T08:06:00Z")


def undated(house: House) -> None:
    house.bend(lambda predicate: predicate.update(finished_at="yesterday"))


def shorter_plan(house: House) -> None:
    house.gate(measure=MEASURE)
    house.seal(measurement=house.planned(duration_ns=5_000_000_000))


def no_plan(house: House) -> None:
    house.gate(measure=MEASURE)
    house.bend(lambda predicate: predicate.pop("plan"))


def changed_source(house: House) -> None:
    house.write("src/app.py", "print(1)\n")
    house.gate(evidence='sources = ["src/*.py"]')
    house.seal(origin=origin(house, "src/*.py"))
    house.write("src/app.py", "print(2)\n")


def further_source(house: House) -> None:
    house.write("src/app.py", "print(1)\n")
    house.gate(evidence='sources = ["src/*.py"]')
    house.seal(origin=origin(house, "src/*.py"))
    house.write("src/other.py", "print(2)\n")


def executable_source(house: House) -> None:
    path = house.write("src/app.py", "print(1)\n")
    house.gate(evidence='sources = ["src/*.py"]')
    house.seal(origin=origin(house, "src/*.py"))
    path.chmod(0o755)


def no_source(house: House) -> None:
    house.write("src/app.py", "print(1)\n")
    house.gate(evidence='sources = ["src/*.py"]')


def dirty(house: House) -> None:
    house.seal(origin=Origin("a" * 40, "b" * 40, dirty=True))


def other_machine(house: House) -> None:
    house.gate(evidence='environment = { cpu_model = "Xeon*" }')


def subject_that_poses_as_a_machine(house: House) -> None:
    house.gate(evidence='environment = { cpu_model = "Xeon*" }')
    document = house.statement()
    document["predicate"]["subject"]["cpu_model"] = "Xeon Platinum"
    benchmark = benchmarks.decode(document["predicate"])
    document["subject"] = [benchmarks.state(benchmark)[0]]
    house.write("artifacts/checkout.json", seal(document, [house.key]))


def unrecorded_machine(house: House) -> None:
    house.gate(evidence='environment = { governor = "performance" }')


def same_run_in_two_gates(house: House) -> None:
    house.gate(name="basket")
    shutil.copy(house.artifact, house.root / "artifacts" / "basket.json")


REFERENCE = {"name": "basket", "file": "gates/basket.toml", "plan_digest": "0" * 64}


def made_for_a_gate_that_is_not_judged(house: House) -> None:
    house.bend(lambda predicate: predicate.update(gate=REFERENCE))


def about_a_second_subject(house: House) -> None:
    document = house.statement()
    document["subject"].append({"name": "another", "digest": {"sha256": "0" * 64}})
    house.write("artifacts/checkout.json", seal(document, [house.key]))


def signed_by_a_stranger(house: House) -> None:
    house.seal(key=PrivateKey.generate())


def two_signers_asked(house: House) -> None:
    house.gate(evidence='signers = { role = "benchmark", threshold = 2 }')


def key_for_something_else(house: House) -> None:
    house.trust(house.key, roles=("waiver",))


def keyring_expired(house: House) -> None:
    from datetime import UTC, datetime

    house.trust(house.key, expires=datetime(2026, 11, 22, 8, tzinfo=UTC))


def no_keyring(house: House) -> None:
    (house.root / "gates" / "keyring.toml").unlink()


def about_another_subject(house: House) -> None:
    house.bend(lambda predicate: predicate["subject"].update(target="fake:other"))


def of_another_kind(house: House) -> None:
    house.gate(evidence='kind = "ratio"')


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (stale, "freshness.stale"),
        (future, "freshness.future"),
        (undated, "malformed"),
        (shorter_plan, "binding.plan"),
        (no_plan, "binding.plan"),
        (changed_source, "binding.sources"),
        (further_source, "binding.sources"),
        (executable_source, "binding.sources"),
        (no_source, "binding.sources"),
        (dirty, "binding.dirty"),
        (other_machine, "binding.environment"),
        (subject_that_poses_as_a_machine, "binding.environment"),
        (unrecorded_machine, "binding.environment"),
        (same_run_in_two_gates, "binding.run_reused"),
        (made_for_a_gate_that_is_not_judged, "binding.gate"),
        (signed_by_a_stranger, "signature.unknown"),
        (two_signers_asked, "signature.threshold"),
        (key_for_something_else, "key.role"),
        (keyring_expired, "keyring.expired"),
        (no_keyring, "keyring.missing"),
        (about_another_subject, "malformed"),
        (about_a_second_subject, "malformed"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_evidence_that_is_loose_in_one_way_is_untrusted_with_its_reason(
    house: House, cli: Run, spoil: Callable[[House], None], code: str
) -> None:
    spoil(house)
    exit_code, report = judged(cli)
    assert (exit_code, report["verdict"], report["grade"]) == (4, "UNTRUSTED", None)
    assert code in reasons(report)
    assert report["gates"][0]["checks"][0]["verdict"] == "untrusted"


@pytest.mark.parametrize(
    ("finished", "trusted"),
    [("2026-11-22T06:00:00Z", True), ("2026-11-22T05:59:59Z", False), ("2026-11-22T08:05:00Z", True),
     ("2026-11-22T08:05:01Z", False), ("2026-11-22T09:00:00+02:00", True)],
)  # fmt: skip
def test_the_edges_of_freshness_are_where_they_are_said_to_be(
    house: House, cli: Run, finished: str, trusted: bool
) -> None:
    house.gate(evidence='max_age = "2h"')
    house.seal(finished=finished)
    assert (judged(cli)[0] == 0) == trusted


def test_a_plan_that_differs_is_told_in_words(house: House, cli: Run) -> None:
    shorter_plan(house)
    _, report = judged(cli)
    (reason,) = report["gates"][0]["evidence"][0]["trust"]["reasons"]
    assert "duration is 5 s, the gate asks 10 s" in reason["message"]


def test_a_shared_run_that_the_gates_declare_is_used_twice(house: House, cli: Run) -> None:
    same_run_in_two_gates(house)
    house.gate(name="basket", evidence='same_run_as = ["checkout"]')
    assert judged(cli)[0] == 0


def test_evidence_of_another_gate_serves_where_this_one_or_that_one_says_so(house: House, cli: Run) -> None:
    house.bend(lambda predicate: predicate.update(gate=REFERENCE))
    house.gate(evidence='same_run_as = ["basket"]')
    assert judged(cli)[0] == 0
    house.gate()
    house.gate(name="basket", evidence='same_run_as = ["checkout"]')
    house.seal(name="basket")
    assert judged(cli)[0] == 0


def test_a_dirty_tree_counts_where_the_gate_says_so_and_the_report_tells(house: House, cli: Run) -> None:
    dirty(house)
    house.gate(evidence="allow_dirty = true")
    assert judged(cli)[0] == 0
    assert "allow_dirty" in told(cli)


def test_a_summary_that_differs_from_the_counts_is_under_audit(house: House, cli: Run) -> None:
    def flatter(predicate: dict) -> None:
        row = next(row for row in predicate["summary"] if row["metric"] == "latency.p99")
        row["estimate"] //= 2

    house.bend(flatter)
    code, report = judged(cli)
    findings = report["gates"][0]["evidence"][0]["audit"]["findings"]
    assert (code, report["verdict"]) == (3, "UNDER AUDIT")
    assert "coherence.summary" in {finding["code"] for finding in findings}
