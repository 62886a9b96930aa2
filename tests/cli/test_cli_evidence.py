"""What a gate asks of its evidence reaches the evidence: percentiles, confidences, several artifacts as one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest
from cli_builders import NOW, Repository, measured

from bizra_gate import opening, pipeline, pooling
from bizra_gate.audit import examine
from bizra_gate.model import Audit, Gate, Metric, OpenedEvidence, Source, Trust
from bizra_gate.model.metric import Better
from bizra_gate.stats import latencies, merge, summary

Run = Callable[..., tuple[int, str, str]]


def checks(cli: Run) -> tuple[int, list[dict]]:
    code, out, err = cli("verify", "--now", NOW, "--format", "json")
    assert out, err
    return code, json.loads(out)["gates"][0]["checks"]


@pytest.mark.parametrize("metric", ["latency.p97", "service.p42.5", "latency.p99.25"])
@pytest.mark.parametrize("confidence", ["0.95", "0.999"])
def test_any_percentile_can_be_gated_at_any_confidence(
    repository: Repository, cli: Run, metric: str, confidence: str
) -> None:
    gate = repository.measured_gate('pass = "<= 1 s"').plan
    assert gate is not None
    repository.seal(measured(gate))
    file = repository.root / "gates" / "checkout.toml"
    file.write_text(file.read_text().replace("latency.mean", metric) + f"confidence = {confidence}\n")
    code, (check,) = checks(cli)
    assert (code, check["verdict"]) == (0, "pass"), check["reason"]
    assert check["confidence"] == float(confidence)
    assert check["interval"][0] < check["estimate"] < check["interval"][1]


MERGED = """\
name = "checkout"
claim = "Checkout is quick"
[evidence]
artifacts = ["artifacts/a.json", "artifacts/b.json", "artifacts/c.json"]
aggregate = "merge"
[policy]
min_duration = "12s"
min_warmup = "2s"
[[check]]
id = "sure"
metric = "latency.p97"
pass = "<= 100 ms"
confidence = 0.999
[[check]]
metric = "latency.max"
pass = "<= {most} ms"
[[check]]
metric = "error_rate"
pass = "<= 1 %"
"""


def three(repository: Repository, *factors: float) -> None:
    plan = repository.measured_gate('pass = "<= 1 s"').plan
    assert plan is not None
    for name, factor in zip("abc", factors, strict=True):
        repository.seal(measured(plan, factor), name)


def test_merged_evidence_is_read_at_the_confidence_that_is_asked(repository: Repository, cli: Run) -> None:
    three(repository, 1.0, 1.01, 1.02)
    (repository.root / "gates" / "checkout.toml").write_text(MERGED.format(most=100))
    code, found = checks(cli)
    assert (code, [check["verdict"] for check in found]) == (0, ["pass"] * 3), [check["reason"] for check in found]
    assert found[0]["confidence"] == 0.999


def test_the_slowest_operation_of_all_artifacts_is_the_slowest_of_the_merged(repository: Repository, cli: Run) -> None:
    three(repository, 1.0, 1.01, 2.0)
    (repository.root / "gates" / "checkout.toml").write_text(MERGED.format(most=25))
    code, found = checks(cli)
    assert (code, found[1]["verdict"]) == (1, "fail")
    assert 29e6 < found[1]["estimate"] < 31e6


# ── pooling, figure by figure ────────────────────────────────────────────────────────────────────────────────────


def piece(*metrics: Metric, level: float | None = None) -> OpenedEvidence:
    known = {metric.name: metric for metric in metrics}
    at = {} if level is None else {level: known}
    return OpenedEvidence("a", "0", "benchmark", Trust(True), Audit("VALID"), known, metrics_at=at)


def figure(
    name: str, estimate: float, low: float | None, high: float | None, *, unit: str = "ns", n: int = 100
) -> Metric:
    better: Better = "lower"
    interval = None if low is None and high is None else (low, high)
    return Metric(name, unit, better, estimate, interval, 0.95, n, None, (estimate,))


def pooled(*metrics: Metric) -> Metric | None:
    return pooling.merged([piece(metric) for metric in metrics]).metrics.get(metrics[0].name)


def test_extremes_stay_extremes_and_counts_are_added() -> None:
    for name, expected in (("latency.max", 9.0), ("latency.min", 1.0), ("memory.peak", 9.0), ("operations", 10.0)):
        found = pooled(figure(name, 1.0, None, None), figure(name, 9.0, None, None))
        assert found is not None
        assert (found.estimate, found.interval) == (expected, None)


def test_no_error_in_two_artifacts_is_still_no_proof_of_none() -> None:
    found = pooled(*(figure("error_rate", 0.0, 0.0, 0.03, unit="ratio") for _ in range(2)))
    assert found is not None
    assert (found.estimate, found.interval) == (0.0, (0.0, 0.03))


def test_shares_are_pooled_by_what_they_were_counted_from() -> None:
    found = pooled(
        figure("error_rate", 0.5, 0.4, 0.6, unit="ratio", n=100),
        figure("error_rate", 0.0, 0.0, 0.01, unit="ratio", n=900),
    )
    assert found is not None
    assert found.estimate == pytest.approx(0.05)
    assert found.interval is not None
    assert found.interval[1] is not None
    assert found.interval[1] >= 0.6


def test_processes_that_happen_to_agree_are_no_surer_than_their_samples() -> None:
    found = pooled(figure("latency.mean", 10.0, 6.0, 14.0), figure("latency.mean", 10.0, 6.0, 14.0))
    assert found is not None
    assert found.interval == pytest.approx((10 - 4 / 2**0.5, 10 + 4 / 2**0.5))


def test_runs_that_a_tool_printed_alike_are_no_surer_than_its_last_digit() -> None:
    coarse = dataclasses.replace(figure("latency.p99", 31.0, None, None), resolution=1.0, effective_n=40.0)
    found = pooled(coarse, coarse, coarse)
    assert found is not None
    assert (found.interval, found.resolution) == (pytest.approx((30.5, 31.5)), 1.0)
    assert (found.n, found.effective_n) == (300, 120.0)


def test_a_side_that_one_leaves_open_is_open() -> None:
    found = pooled(figure("latency.p99", 10.0, 9.0, None), figure("latency.p99", 10.0, 9.0, 12.0))
    assert found is not None
    assert found.interval is not None
    assert found.interval[1] is None


def test_what_is_not_in_every_piece_is_in_none() -> None:
    assert pooling.merged([piece(figure("latency.mean", 1.0, 1.0, 1.0)), piece()]).metrics == {}


def test_a_figure_without_values_of_processes_is_left_out() -> None:
    bare = Metric("throughput", "1/s", "higher", 1.0, (1.0, 1.0), 0.95, 10)
    assert pooled(bare, bare) is None


def test_only_confidences_that_all_pieces_have_are_kept() -> None:
    one, other = figure("latency.mean", 1.0, 0.9, 1.1), figure("latency.mean", 1.1, 1.0, 1.2)
    assert set(pooling.merged([piece(one, level=0.99), piece(other, level=0.99)]).metrics_at) == {0.99}
    assert pooling.merged([piece(one, level=0.99), piece(other)]).metrics_at == {}


def test_gate_files_leave_out_keyring_and_waivers(repository: Repository) -> None:
    gate: Gate = repository.measured_gate('pass = "<= 1 s"')
    (repository.root / "gates" / "waivers").mkdir()
    (repository.root / "gates" / "waivers" / "x.toml").write_text("")
    assert [path.name for path in opening.gate_files([repository.root / "gates"])] == ["checkout.toml"]
    assert gate.name == "checkout"


def test_a_record_without_runs_reads_back_as_it_was_written(repository: Repository) -> None:
    """Its headline is one of its latencies: the same object when it is written, an equal one when it is read."""
    plan = repository.measured_gate('pass = "<= 1 s"').plan
    assert plan is not None
    one = measured(plan)
    foreign = dataclasses.replace(one, runs=(), plan=None, source=Source("another", foreign=True))
    assert foreign.latency is foreign.service
    artifact = repository.seal(foreign)
    read = pipeline.decode_artifact(artifact.read_bytes(), "x").measurement
    assert read.latency is not read.service
    said = examine(read, opening.read_gates([repository.root / "gates"])[0].policy)
    assert "coherence.summary" in said.clean


def test_a_summary_that_was_just_made_is_the_summary(repository: Repository) -> None:
    """Two confidences, two percentiles and two measurements in turn: none of them is taken for another."""
    plan = repository.measured_gate('pass = "<= 1 s"').plan
    assert plan is not None
    one, other = measured(plan), measured(plan, 2.0)
    wanted = [(one, 0.95, ()), (one, 0.99, ()), (other, 0.95, ()), (one, 0.95, (97.0,)), (one, 0.95, ())]
    first = [summary.summarize(*asked) for asked in wanted]
    again = [summary._summarized(merge.from_runs(m), c, (*latencies.PERCENTILES, *p)) for m, c, p in wanted]
    assert [{name: found[name] for name in sorted(found)} for found in first] == [
        {name: found[name] for name in sorted(found)} for found in again
    ]
    first[-1].clear()
    assert summary.summarize(one)
