"""One check against one piece of evidence: three honest outcomes, and never green for nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from gates_builders import (
    FORGED,
    HEAD,
    INSUFFICIENT,
    INVALID,
    NOW,
    absent,
    check_gate,
    evidence,
    gate,
    metric,
    outcome,
    verdict,
)
from hypothesis import given
from hypothesis import strategies as st

from bizra_gate import gates
from bizra_gate.gates.spans import Span, span_of, weigh
from bizra_gate.model import Audit, CheckReport, Finding, Gate, Limit, OpenedEvidence

P99 = 'metric = "latency.p99"\npass = "<= 1.5 ms"'
BAND = f'{P99}\nwarn = "<= 2 ms"'


def p99(low: float | None, high: float | None, estimate: float = 1.2e6) -> OpenedEvidence:
    return evidence(metric(estimate=estimate, interval=(low, high)))


# ── three outcomes ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.0e6, 1.4e6, "pass"),
        (1.0e6, 1.5e6, "pass"),
        (1.0e6, 1.6e6, "inconclusive"),
        (1.2e6, 1.5e6 + 1, "inconclusive"),
        (1.2e6, None, "inconclusive"),
        (None, 1.4e6, "pass"),
        (None, 1.6e6, "inconclusive"),
        (None, None, "inconclusive"),
        (1.2e6, math.inf, "inconclusive"),
    ],
)
def test_the_unfavourable_end_decides_a_pass(low: float | None, high: float | None, expected: str) -> None:
    assert outcome(P99, p99(low, high))[0] == expected


@pytest.mark.parametrize(
    ("low", "high", "estimate", "expected"),
    [
        (1.51e6, 1.9e6, 1.7e6, "fail"),
        (1.5e6, 1.9e6, 1.7e6, "inconclusive"),
        (1.49e6, 1.9e6, 1.7e6, "inconclusive"),
        (1.51e6, None, 1.7e6, "fail"),
        (None, 1.9e6, 1.7e6, "inconclusive"),
    ],
)
def test_the_favourable_end_decides_a_failure(
    low: float | None, high: float | None, estimate: float, expected: str
) -> None:
    assert outcome(P99, p99(low, high, estimate))[0] == expected


def test_the_limit_itself_is_met_by_at_most_and_not_by_less_than() -> None:
    exactly = evidence(metric("latency.max", 1.5e6, None))
    assert outcome('metric = "latency.max"\npass = "<= 1.5 ms"', exactly)[0] == "pass"
    assert outcome('metric = "latency.max"\npass = "< 1.5 ms"', exactly)[0] == "fail"


def test_a_throughput_passes_by_its_lower_end() -> None:
    check = 'metric = "throughput"\npass = ">= 300k/s"'

    def rate(low: float, high: float) -> OpenedEvidence:
        return evidence(metric("throughput", (low + high) / 2, (low, high), unit="1/s", better="higher"))

    assert outcome(check, rate(301e3, 310e3))[0] == "pass"
    assert outcome(check, rate(299e3, 310e3))[0] == "inconclusive"
    assert outcome(check, rate(280e3, 299e3))[0] == "fail"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.0e6, 1.4e6, "pass"),
        (1.4e6, 1.6e6, "warn"),
        (1.6e6, 1.9e6, "warn"),
        (1.6e6, 2.1e6, "inconclusive"),
        (1.4e6, 2.1e6, "inconclusive"),
        (2.1e6, 2.4e6, "fail"),
        (1.4e6, None, "inconclusive"),
    ],
)
def test_between_pass_and_warn_lies_the_warning(low: float, high: float | None, expected: str) -> None:
    assert outcome(BAND, p99(low, high, (low + (high or low)) / 2))[0] == expected


def test_a_range_has_to_hold_the_whole_interval() -> None:
    check = 'metric = "latency.p99"\npass = "in [1 ms, 2 ms]"'
    assert outcome(check, p99(1.1e6, 1.9e6))[0] == "pass"
    assert outcome(check, p99(1.0e6, 2.0e6))[0] == "pass"
    assert outcome(check, p99(0.9e6, 1.9e6))[0] == "inconclusive"
    assert outcome(check, p99(1.1e6, 2.1e6))[0] == "inconclusive"
    assert outcome(check, p99(2.0e6, 2.1e6, 2.05e6))[0] == "inconclusive"
    assert outcome(check, p99(1.1e6, None))[0] == "inconclusive"
    assert outcome(check, p99(2.1e6, 2.2e6, 2.15e6))[0] == "fail"
    assert outcome(check, p99(0.1e6, 0.2e6, 0.15e6))[0] == "fail"


def test_a_count_is_judged_as_it_is() -> None:
    def tests(passed: float, n: int | None = 110) -> OpenedEvidence:
        one = metric("tests.passed", passed, None, unit="1", better="higher", n=n)
        return evidence(one, kind="tests")

    def judged(check: str, piece: OpenedEvidence) -> CheckReport:
        gate = check_gate(check, before='[evidence]\nkind = "tests"\n')
        return gates.judge(gate.checks[0], piece)

    at_least = 'metric = "tests.passed"\npass = ">= 110"'
    assert judged(at_least, tests(110)).verdict == "pass"
    assert judged(at_least, tests(109)).verdict == "fail"
    assert judged('metric = "tests.passed"\npass = "== 110"', tests(110)).verdict == "pass"
    assert judged('metric = "tests.passed"\npass = "== 110"', tests(111)).verdict == "fail"
    assert judged(at_least, tests(110, n=0)).verdict == "missing"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.0, 1.0, "meets"),
        (0.5, 1.0, "open"),
        (1.0, 1.5, "open"),
        (None, 1.0, "open"),
        (1.0, None, "open"),
        (0.5, 0.9, "violates"),
        (1.1, None, "violates"),
        (None, 0.9, "violates"),
    ],
)
def test_only_what_is_surely_one_equals_one(low: float | None, high: float | None, expected: str) -> None:
    assert weigh(Limit("==", 1.0, "1", ""), Span(low, high), Span.exact(1.0)) == expected


# ── what never passes ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_not_finite_never_passes(value: float) -> None:
    got, reason = outcome(P99, evidence(metric(estimate=value, interval=(1.0, 2.0))))
    assert got == "inconclusive"
    assert "no measurement" in reason


@pytest.mark.parametrize("interval", [(math.nan, 1.0e6), (1.0e6, math.nan), (1.3e6, 1.1e6)])
def test_an_interval_that_is_none_never_passes(interval: tuple[float, float]) -> None:
    assert outcome(P99, evidence(metric(interval=interval)))[0] == "inconclusive"


def test_a_percentile_without_an_interval_never_passes() -> None:
    got, reason = outcome(P99, evidence(metric(interval=None)))
    assert got == "inconclusive"
    assert "without an interval" in reason


def test_a_metric_that_was_not_measured_is_missing() -> None:
    assert outcome(P99, evidence(metric("latency.p50")))[0] == "missing"
    assert outcome(P99, evidence(metric(estimate=None, interval=None)))[0] == "missing"
    assert outcome(P99, evidence(metric(estimate=0.0, interval=(0.0, 0.0), n=0)))[0] == "missing"


def test_a_metric_in_another_unit_never_passes() -> None:
    got, reason = outcome(P99, evidence(metric(estimate=1.0, interval=(1.0, 1.0), unit="1/s")))
    assert got == "inconclusive"
    assert "'1/s'" in reason


def test_too_few_samples_are_inconclusive_however_fast() -> None:
    check = f"{P99}\nmin_samples = 200000"
    got, reason = outcome(check, evidence(metric(n=199_999)))
    assert got == "inconclusive"
    assert "200,000" in reason
    assert "199,999" in reason
    assert outcome(check, evidence(metric(n=200_000)))[0] == "pass"
    assert outcome(check, evidence(metric(n=None)))[0] == "inconclusive"


def test_evidence_that_cannot_be_believed_decides_before_its_figures() -> None:
    assert outcome(P99, absent())[0] == "missing"
    assert outcome(P99, evidence(trust=FORGED))[0] == "untrusted"
    assert outcome(P99, evidence(audit=INVALID))[0] == "refused"
    assert outcome(P99, evidence(audit=INSUFFICIENT))[0] == "inconclusive"
    assert outcome(P99, evidence(audit=None))[0] == "inconclusive"


def test_the_reason_says_what_the_evidence_lacks() -> None:
    assert "the signature does not fit the content" in outcome(P99, evidence(trust=FORGED))[1]
    assert "littles_law.excess" in outcome(P99, evidence(audit=INVALID))[1]
    assert "method.duration" in outcome(P99, evidence(audit=INSUFFICIENT))[1]


def test_figures_of_untrusted_evidence_are_not_repeated() -> None:
    check = check_gate(P99).checks[0]
    assert gates.judge(check, evidence(trust=FORGED)).estimate is None
    assert gates.judge(check, evidence(audit=INVALID)).estimate == 1_000_000.0


# ── confidence ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_interval_at_less_than_the_asked_confidence_is_inconclusive() -> None:
    got, reason = outcome(f"{P99}\nconfidence = 0.99", evidence(metric()))
    assert got == "inconclusive"
    assert "99 %" in reason
    assert "95 %" in reason


def test_a_wider_interval_than_asked_for_will_do() -> None:
    assert outcome(P99, evidence(metric(confidence=0.99)))[0] == "pass"


def test_the_narrowest_interval_that_is_confident_enough_is_read() -> None:
    check = check_gate(f"{P99}\nconfidence = 0.98").checks[0]
    piece = evidence(
        metric(interval=(0.9e6, 1.1e6)),
        metrics_at={
            0.98: {"latency.p99": metric(interval=(0.8e6, 1.3e6), confidence=0.98)},
            0.999: {"latency.p99": metric(interval=(0.5e6, 1.7e6), confidence=0.999)},
        },
    )
    report = gates.judge(check, piece)
    assert (report.verdict, report.interval, report.confidence) == ("pass", (0.8e6, 1.3e6), 0.98)
    assert gates.judge(check, piece, confidence=0.99).verdict == "inconclusive"


# ── relative limits ──────────────────────────────────────────────────────────────────────────────────────────────

OVERHEAD = 'metric = "latency.mean"\npass = "<= 1.05 x artifacts/bare.json#latency.mean"'


def mean(low: float, high: float, **changes: object) -> OpenedEvidence:
    return evidence(metric("latency.mean", (low + high) / 2, (low, high)), **changes)


def overhead(wrapped: OpenedEvidence, bare: OpenedEvidence | None) -> tuple[str, str]:
    references = {} if bare is None else {("checkout", "artifacts/bare.json"): bare}
    return outcome(OVERHEAD, wrapped, references=references)


def bare(low: float, high: float, **changes: object) -> OpenedEvidence:
    return mean(low, high, file="artifacts/bare.json", **changes)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (100e3, 104e3, "pass"),
        (100e3, 104.2e3, "inconclusive"),
        (106.0e3, 108e3, "inconclusive"),
        (107e3, 108e3, "fail"),
    ],
)
def test_a_relative_limit_counts_the_doubt_on_both_sides(low: float, high: float, expected: str) -> None:
    assert overhead(mean(low, high), bare(99.1e3, 101e3))[0] == expected


def test_a_relative_limit_shows_what_it_comes_to() -> None:
    assert "(which is 104 µs to 106 µs)" in overhead(mean(90e3, 91e3), bare(104e3 / 1.05, 106e3 / 1.05))[1]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (None, "missing"),
        (absent("artifacts/bare.json"), "missing"),
        (bare(99e3, 101e3, trust=FORGED), "untrusted"),
        (bare(99e3, 101e3, audit=INVALID), "refused"),
        (bare(99e3, 101e3, audit=INSUFFICIENT), "inconclusive"),
        (evidence(metric("latency.p50"), file="artifacts/bare.json"), "missing"),
        (evidence(metric("latency.mean", 1e5, None), file="artifacts/bare.json"), "inconclusive"),
        (evidence(metric("latency.mean", math.nan, (1.0, 2.0)), file="artifacts/bare.json"), "inconclusive"),
        (evidence(metric("latency.mean", 1e9, (1e9, 1e9), n=0), file="artifacts/bare.json"), "inconclusive"),
        (evidence(metric("latency.mean", 1e9, (1e9, 1e9), confidence=0.5), file="artifacts/bare.json"), "inconclusive"),
        (bare(1e9, 1e9, finished_at="2027-01-01T00:00:00Z"), "untrusted"),
        (bare(99e3, 101e3, environment_key="another machine"), "inconclusive"),
        (bare(99e3, 101e3, environment_key=None), "inconclusive"),
    ],
)
def test_a_reference_that_cannot_be_believed_never_lets_pass(reference: OpenedEvidence | None, expected: str) -> None:
    assert overhead(mean(90e3, 91e3), reference)[0] == expected


def test_a_limit_may_be_relative_to_another_metric_of_the_same_evidence() -> None:
    check = 'metric = "response.p50"\npass = "<= 1.2 x service.p50"'
    piece = evidence(metric("response.p50", 110.0, (105.0, 115.0)), metric("service.p50", 100.0, (97.0, 103.0)))
    assert outcome(check, piece)[0] == "pass"
    slow = evidence(metric("response.p50", 130.0, (125.0, 135.0)), metric("service.p50", 100.0, (97.0, 103.0)))
    assert outcome(check, slow)[0] == "fail"


# ── reasons ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reason_is_a_sentence_with_the_figures() -> None:
    piece = evidence(metric(estimate=1.1e6, interval=(1.09e6, 1.12e6), n=62_855_160))
    assert outcome(P99, piece)[1] == (
        "latency.p99 is 1.1 ms (95 % interval 1.09 ms to 1.12 ms, 62,855,160 operations): "
        "the whole interval meets <= 1.5 ms."
    )
    assert outcome(P99, p99(1.4e6, None, 1.45e6))[1].endswith(
        "(95 % interval from 1.4 ms, unbounded above, 100,000 operations): "
        "too few samples to say whether it meets <= 1.5 ms."
    )
    assert outcome(P99, p99(1.4e6, 1.6e6, 1.45e6))[1].endswith("the interval straddles <= 1.5 ms.")
    assert outcome(P99, p99(1.6e6, 1.8e6, 1.7e6))[1].endswith("the whole interval violates <= 1.5 ms.")


@pytest.mark.parametrize(
    ("effective", "says"),
    [
        (210.7, "too few samples (100,000 that hang together are worth 210) to say whether it meets <= 1.5 ms."),
        (100_000.0, "too few samples to say whether it meets <= 1.5 ms."),
        (None, "too few samples to say whether it meets <= 1.5 ms."),
    ],
)
def test_samples_that_hang_together_are_told_with_what_they_are_worth(effective: float | None, says: str) -> None:
    piece = evidence(replace(metric(estimate=1.45e6, interval=(1.4e6, None)), effective_n=effective))
    assert outcome(P99, piece)[1].endswith(says)


def test_a_report_holds_what_its_reader_needs() -> None:
    check = check_gate(f'{BAND}\ncontrols = ["soc2:CC7.2"]\nwhy = "because"\nowner = "me"\nweight = 3').checks[0]
    report = gates.judge(check, evidence())
    assert (report.id, report.metric, report.unit, report.limit, report.warn) == (
        "p99", "latency.p99", "ns", "<= 1.5 ms", "<= 2 ms",
    )  # fmt: skip
    assert (report.estimate, report.interval, report.n) == (1_000_000.0, (900_000.0, 1_100_000.0), 100_000)
    assert (report.controls, report.why, report.owner, report.weight) == (("soc2:CC7.2",), "because", "me", 3.0)


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────

values = st.floats(0, 1e12, allow_nan=False)
sides = st.none() | values
ranks = {"violates": 0, "open": 1, "meets": 2}


def at_most(bound: float) -> Limit:
    return Limit("<=", bound, "ns", "")


@given(values, sides, sides, values, values)
def test_a_laxer_limit_never_gives_a_worse_outcome(
    estimate: float, low: float | None, high: float | None, one: float, other: float
) -> None:
    span = span_of(estimate, (low, high))
    if span is None:
        return
    strict, lax = sorted((one, other))
    outcomes = [ranks[weigh(at_most(bound), span, Span.exact(bound))] for bound in (strict, lax)]
    assert outcomes[0] <= outcomes[1]


@given(values, values, values, values, values)
def test_a_wider_interval_never_decides_what_a_narrower_one_left_open(
    estimate: float, low: float, high: float, more: float, bound: float
) -> None:
    low, high = sorted((low, high))
    narrow, wide = span_of(estimate, (low, high)), span_of(estimate, (low - more, high + more))
    assert narrow is not None
    assert wide is not None
    outcomes = [weigh(at_most(bound), span, Span.exact(bound)) for span in (narrow, wide)]
    assert outcomes[1] in ("open", outcomes[0])


@given(values, values, values, values, values)
def test_more_doubt_about_the_reference_never_decides_more(
    low: float, high: float, base_low: float, base_high: float, more: float
) -> None:
    low, high = sorted((low, high))
    base_low, base_high = sorted((base_low, base_high))
    known = weigh(at_most(0), Span(low, high), Span(base_low, base_high))
    doubted = weigh(at_most(0), Span(low, high), Span(base_low - more, base_high + more))
    assert doubted in ("open", known)


@given(values, values, values)
def test_meeting_a_limit_and_meeting_its_opposite_exclude_each_other(low: float, high: float, bound: float) -> None:
    low, high = sorted((low, high))
    span, exact = Span(low, high), Span.exact(bound)
    below, above = (weigh(Limit(op, bound, "ns", ""), span, exact) for op in ("<=", ">"))  # type: ignore[arg-type]
    assert (below == "meets") == (above == "violates")
    assert (below == "violates") == (above == "meets")


@given(st.sampled_from(["<=", "<", ">=", ">", "=="]), values, sides, sides)
def test_an_unknown_bound_is_never_met_and_never_violated(
    operator: str, estimate: float, low: float | None, high: float | None
) -> None:
    span = span_of(estimate, (low, high)) or Span(None, None)
    limit = Limit(operator, None, "ns", "")  # type: ignore[arg-type]
    assert weigh(limit, span, Span.exact(math.nan)) == "open"
    assert weigh(limit, span, Span(None, None)) == "open"


@given(values, sides, sides, values, values)
def test_a_pass_always_has_its_whole_interval_within_the_limit(
    estimate: float, low: float | None, high: float | None, bound: float, warn: float
) -> None:
    check = check_gate(BAND).checks[0]
    report = gates.judge(check, evidence(metric(estimate=estimate, interval=(low, high))))
    if report.verdict == "pass":
        assert report.interval is not None
        assert report.interval[1] is not None
        assert max(report.interval[1], estimate) <= 1.5e6
    if report.verdict == "fail":
        assert report.interval is not None
        assert report.interval[0] is not None
        assert min(report.interval[0], estimate) > 2e6


# ── figures in the report ────────────────────────────────────────────────────────────────────────────────────────


def test_a_check_with_only_a_baseline_still_shows_what_was_measured() -> None:
    text = '[[check]]\nmetric = "latency.p99"\nbaseline = { ref = "artifacts/old.json", max_regression = "5 %" }\n'
    piece = evidence(metric(estimate=1.1e6, interval=(1.0e6, 1.2e6)))
    (report,) = verdict(gate(HEAD + text), piece).gates[0].checks
    assert (report.estimate, report.interval) == (1.1e6, (1.0e6, 1.2e6))


def test_of_several_artifacts_that_pass_the_slowest_is_shown() -> None:
    text = '[evidence]\nartifacts = ["artifacts/a.json", "artifacts/b.json"]\n[[check]]\nmetric = "latency.p99"\n'
    pieces = [
        evidence(metric(estimate=value, interval=(value, value)), file=f"artifacts/{name}.json")
        for name, value in (("a", 1e6), ("b", 1.4e6))
    ]
    (report,) = verdict(gate(f'{HEAD}{text}pass = "<= 2 ms"\n'), *pieces).gates[0].checks
    assert report.estimate == 1.4e6
    assert report.reason.startswith("Worst of 2, artifacts/b.json")


def test_the_policy_of_one_gate_does_not_reach_the_reference_of_another() -> None:
    def named(name: str) -> Gate:
        head = HEAD.replace("checkout", name)
        return gate(f"{head}[[check]]\n{OVERHEAD}\n", file=f"gates/{name}.toml")

    path = "artifacts/bare.json"
    judged = [named("strict"), named("lax")]
    pieces = [mean(90e3, 91e3, file=f"artifacts/{one.name}.json", run_id=one.name) for one in judged]
    opened = {one.name: [piece] for one, piece in zip(judged, pieces, strict=True)}
    seen = {("strict", path): bare(99e3, 101e3, audit=INSUFFICIENT), ("lax", path): bare(99e3, 101e3)}
    report = gates.evaluate(judged, opened, NOW, references=seen)
    assert [one.checks[0].verdict for one in report.gates] == ["inconclusive", "pass"]


# ── the generator's own lateness ─────────────────────────────────────────────────────────────────────────────────

LATE = Audit("VALID", (Finding("generator.lag", "note", "the generator was 2 ms late"),))


@pytest.mark.parametrize(
    ("check", "low", "high", "expected"),
    [
        ('pass = "<= 1.5 ms"', 1.0e6, 1.4e6, "pass"),
        ('pass = "<= 1.5 ms"', 1.6e6, 1.7e6, "inconclusive"),
        ('pass = "in [1 ms, 2 ms]"', 1.6e6, 1.7e6, "inconclusive"),
        ('pass = "in [1 ms, 2 ms]"', 3.0e6, 3.1e6, "inconclusive"),
    ],
)
def test_a_figure_that_holds_the_generators_lateness_may_be_too_high_and_never_too_low(
    check: str, low: float, high: float, expected: str
) -> None:
    late = evidence(metric(estimate=(low + high) / 2, interval=(low, high)), audit=LATE)
    got, reason = outcome(f'metric = "latency.p99"\n{check}', late)
    assert got == expected
    assert ("the generator was 2 ms late" in reason) is (expected == "inconclusive")


@pytest.mark.parametrize(("service", "expected"), [(1.4e6, "inconclusive"), (1.6e6, "fail")])
def test_what_fails_by_its_service_time_alone_fails_however_late_the_generator_was(
    service: float, expected: str
) -> None:
    own = metric("service.p99", service, (service - 1e4, service + 1e4))
    late = evidence(metric(estimate=1.8e6, interval=(1.7e6, 1.9e6)), own, audit=LATE)
    assert outcome(P99, late)[0] == expected


def test_a_median_is_not_touched_by_what_is_late_in_the_tail() -> None:
    late = evidence(metric("latency.p50", 1.8e6, (1.7e6, 1.9e6)), audit=LATE)
    assert outcome('metric = "latency.p50"\npass = "<= 1.5 ms"', late)[0] == "fail"


def test_a_service_time_holds_no_lateness_of_the_generator() -> None:
    late = evidence(metric("service.p99", 1.6e6, (1.5e6, 1.7e6)), audit=LATE)
    assert outcome('metric = "service.p99"\npass = "<= 1 ms"', late)[0] == "fail"


def test_what_is_compared_with_a_late_generator_passes_too_easily() -> None:
    late = evidence(metric(), audit=LATE, file="artifacts/other.json")
    check = 'metric = "latency.p99"\npass = "<= 2 x artifacts/other.json#latency.p99"'
    references = {("checkout", "artifacts/other.json"): late}
    assert outcome(check, evidence(metric()), references=references)[0] == "inconclusive"
