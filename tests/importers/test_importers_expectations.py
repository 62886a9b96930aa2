"""Each fixture against its expectation file, and the written ones against the simulation that they came from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from importer_cases import FIXTURES, cases, simulated, stream

from bizra_gate import importers
from bizra_gate.audit import examine
from bizra_gate.errors import FormatError
from bizra_gate.importers import Stated
from bizra_gate.model import Measurement, Policy

LISTED = [pytest.param(tool, case, id=f"{tool}/{case['file']}") for tool, case in cases()]


def read(tool: str, file: str, stated: Stated | None = None) -> list[Measurement]:
    return importers.read(stream((FIXTURES / tool / file).read_bytes(), file), None, stated)


def stated_in(case: dict[str, Any]) -> Stated:
    said = case.get("stated", {})
    rate = said.get("target_rate")
    return Stated(
        connections=said.get("connections"),
        target_rate_per_s=None if rate is None else float(rate.removesuffix("/s")),
    )


@pytest.mark.parametrize(("tool", "case"), LISTED)
def test_a_fixture_is_read_as_its_expectation_says(tool: str, case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(FormatError) as caught:
            read(tool, case["file"])
        assert case["error"] in str(caught.value)
        return
    found = read(tool, case["file"], stated_in(case))
    assert len(found) == len(case["measurements"])
    for measurement, expected in zip(found, case["measurements"], strict=True):
        assert facts(measurement, expected) == expected


def facts(measurement: Measurement, expected: dict[str, Any]) -> dict[str, Any]:
    """What `measurement` says of the things that the expectation names, at the expectation's precision."""
    latency = measurement.latency
    mean = None
    if latency is not None:
        mean = latency.mean.value if latency.mean else (latency.histogram.mean if latency.histogram else None)
    highest = latency.percentiles[-1] if latency and latency.percentiles else None
    held = latency.histogram.n if latency and latency.histogram else (latency.count if latency else None)
    found = {
        "format": measurement.source.format,
        "name": measurement.name,
        "loop": measurement.loop,
        "concurrency": measurement.concurrency,
        "operations": measurement.operations,
        "duration_s": round(measurement.duration_ns.value / 1e9, 4) if measurement.duration_ns else None,
        "mean_ms": None if mean is None else round(mean / 1e6, 4),
        "highest": [round(highest[0], 6), round(highest[1].value / 1e6, 4)] if highest else None,
        "recorded": held,
        "errors": measurement.errors,
        "caveats": [caveat.code for caveat in measurement.caveats],
    }
    return {key: value for key, value in found.items() if key in expected or value not in (None, [])}


def exact(measurement: Measurement) -> tuple[int, int]:
    """(values, their sum in ns) of the histogram."""
    assert measurement.latency is not None
    held = measurement.latency.histogram
    assert held is not None
    assert held.total_ns is not None
    return held.n, held.total_ns


def test_points_of_k6_keep_every_request_to_the_nanosecond() -> None:
    requests = simulated().closed(4, 2, 40, seed=1)
    sums = len(requests), sum(request.latency for request in requests)
    assert exact(read("k6", "closed-c4.json.gz")[0]) == sums
    assert exact(read("k6", "closed-c4.csv")[0]) == sums


def test_three_summaries_of_k6_say_the_same() -> None:
    requests = simulated().closed(4, 2, 40, seed=1)
    p95 = simulated().linear([request.latency / 1e6 for request in requests], 95)
    for file in ("closed-c4.handle-summary.json", "closed-c4.machine.json"):
        measurement = read("k6", file)[0]
        assert measurement.operations == len(requests)
        assert measurement.latency is not None
        assert dict(measurement.latency.percentiles)[95.0].value == pytest.approx(p95 * 1e6)
        assert measurement.duration_ns is not None
        assert measurement.duration_ns.value == pytest.approx(simulated().span(requests))


@pytest.mark.parametrize("file", ["open-100.ndjson", "open-100.csv"])
def test_rows_of_vegeta_keep_every_request(file: str) -> None:
    requests = simulated().opened(100, 4, 9, seed=3)
    assert exact(read("vegeta", file)[0]) == (len(requests), sum(request.latency for request in requests))


def test_the_spectrum_of_wrk2_holds_what_came_after_the_calibration() -> None:
    requests = simulated().opened(200, 14, 3, seed=4)
    counted = [request for request in requests if request.start >= 10_010_000_000]
    measurement = read("wrk2", "paced-200-c2.txt")[0]
    latency = measurement.latency
    assert latency is not None
    assert latency.histogram is not None
    assert latency.histogram.n == latency.count == len(counted)
    assert latency.window_ns is not None
    assert len(counted) / (latency.window_ns.value / 1e9) == pytest.approx(200, rel=0.001)
    assert measurement.operations == len(requests)


def test_errors_of_ghz_are_timed_apart() -> None:
    requests = simulated().closed(5, 2, 25, seed=9, errors=0.2)
    good = [request.latency for request in requests if request.ok]
    measurement = read("ghz", "errors-c5.json")[0]
    assert exact(measurement) == (len(good), sum(good))
    assert measurement.failed is not None
    assert measurement.failed.count == len(requests) - len(good)
    assert measurement.latency is not None
    assert measurement.latency.mean is not None
    assert measurement.latency.mean.value == pytest.approx(sum(good) / len(good))


@pytest.mark.parametrize("file", ["closed-c4.jtl", "closed-c4.xml.jtl"])
def test_both_forms_of_a_jtl_hold_the_same_samples(file: str) -> None:
    requests = simulated().closed(4, 2, 35, seed=15, errors=0.05)
    good = [request.latency // 10**6 * 10**6 for request in requests if request.ok]
    measurement = read("jmeter", file)[0]
    assert exact(measurement) == (len(good), sum(good))
    assert measurement.operations == len(requests)
    assert measurement.concurrency == 4


def test_the_buckets_of_fortio_tell_the_resolution_that_it_ran_with() -> None:
    measurement = read("fortio", "errors-c4.json")[0]
    assert measurement.latency is not None
    assert measurement.latency.quantum_ns == 100_000
    assert measurement.latency.bin_ratio is not None
    assert measurement.failed is not None


def test_a_warm_up_phase_of_hyperfoil_is_known_but_not_counted() -> None:
    (measurement,) = read("hyperfoil", "open-200.json")
    assert measurement.name == "main/get"
    assert measurement.warmup_ns is not None
    assert measurement.warmup_ns.value == 2e9


def test_littles_law_holds_in_every_closed_run_of_these() -> None:
    """λ·W of an honest closed loop lies within a few percent of its users."""
    for tool, case in cases():
        if not case["file"].startswith("closed-c") or case["file"] == "closed-c4.csv":
            continue
        for measurement in read(tool, case["file"], stated_in(case)):
            users, latency = measurement.concurrency, measurement.latency
            if users is None or latency is None or measurement.duration_ns is None or measurement.operations is None:
                continue
            mean = latency.mean.high if latency.mean else (latency.histogram.mean if latency.histogram else None)
            assert mean is not None
            slack = (latency.quantum_ns or 0.0) / 2
            product = measurement.operations / measurement.duration_ns.value * (mean + slack)
            assert product >= users * 0.95, (tool, case["file"], product)


HONEST = [
    (tool, case) for tool, case in cases() if "error" not in case and not case["file"].startswith(("errors", "refused"))
]


@pytest.mark.parametrize(("tool", "case"), [pytest.param(t, c, id=f"{t}/{c['file']}") for t, c in HONEST])
def test_an_honest_run_is_accused_of_nothing(tool: str, case: dict[str, Any]) -> None:
    """Only siege's 10 ms are too coarse for a server that answers in 12 ms."""
    policy = replace(Policy(), min_duration_ns=10**9, min_warmup_ns=0)
    for measurement in read(tool, case["file"], stated_in(case)):
        accused = {finding.code for finding in examine(measurement, policy).findings if finding.severity == "invalid"}
        assert accused == ({"clock.resolution"} if tool == "siege" else set())
