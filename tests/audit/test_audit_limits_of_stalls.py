"""Steady state, stalls and coordinated omission: each limit, at it and just beyond it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from asking import MS, OWN, POLICY, TOOL, S, found, http, observed, reason

from bizra_gate.audit import (
    omission,
    stalls,
    steady,
)
from bizra_gate.model import (
    ClosedLoop,
    Distribution,
    Figure,
    Intervals,
    Latency,
    Measurement,
    Policy,
    Run,
)


def test_steady_says_why_it_does_not_look() -> None:
    series = Intervals(S, (0, S), (9, 9), total_ns=(9, 9))
    assert "no time series" in reason(steady.steady(Measurement(OWN), POLICY))
    assert "too short" in reason(steady.steady(Measurement(OWN, intervals=series), POLICY))
    assert "does not ask" in reason(steady.steady(Measurement(OWN, intervals=series), Policy(require_steady=False)))


def test_every_run_must_be_steady() -> None:
    def run(index: int, growth: int) -> Run:
        totals = tuple(10 * (MS + growth * row + (row * 7919 % 13) * 900) for row in range(60))
        return Run(
            index,
            duration_ns=60 * S,
            intervals=Intervals(S, tuple(i * S for i in range(60)), (10,) * 60, total_ns=totals),
        )

    told = Measurement(OWN, runs=(run(0, 0), run(1, 20_000)))
    assert [finding.message[:6] for finding in found(steady.steady(told, POLICY))] == ["run 1:"]


def test_few_operations_per_row_are_taken_together() -> None:
    counts = tuple(i % 2 for i in range(200))
    series = Intervals(S, tuple(i * S for i in range(200)), counts, total_ns=tuple(n * 30 * MS for n in counts))
    assert found(steady.steady(Measurement(OWN, intervals=series), POLICY)) == []


def rows(counts: Iterable[int], longest: int = 0) -> Measurement:
    held = tuple(counts)
    tops = tuple(longest or S for _ in held)
    series = Intervals(S, tuple(i * S for i in range(len(held))), held, maximum_ns=tops)
    return Measurement(TOOL, intervals=series)


def test_a_spell_is_as_long_as_the_answers_that_are_missing() -> None:
    spells = stalls.spells(rows([100, 100, 0, 20, 100, 100, 60, 100]))
    assert spells is not None
    assert [round(spell.missing_ns / S, 2) for spell in spells] == [1.8, 0.4]


def test_a_series_without_a_spell_shows_its_worst_row() -> None:
    spells = stalls.spells(rows([100, 100, 90, 100]))
    assert spells is not None
    assert [round(spell.missing_ns / S, 2) for spell in spells] == [0.1]


def test_a_lull_in_which_nobody_waited_is_no_stall() -> None:
    spells = stalls.spells(rows([100, 100, 0, 100], longest=20 * MS))
    assert spells is not None
    assert not spells[0].is_stall
    assert stalls.spells(rows([100, 0])) is None


def frozen(share: float, users: int = 8, long_ones: int = 8, **fields: object) -> Measurement:
    """A closed loop of 100 s at 1 ms an answer in which `long_ones` answers took `share` of the time."""
    length = round(share * 100 * S)
    held = Distribution((MS, length), (MS, length), (200_000, long_ones), MS, length)
    latency = Latency(histogram=held, count=held.n, origin="send")
    base = Measurement(TOOL, loop="closed", concurrency=users, duration_ns=Figure(100 * S), latency=latency)
    return replace(base, **fields)  # type: ignore[arg-type]


def test_a_stall_beyond_one_per_cent_contradicts_the_p99() -> None:
    assert found(omission.omission(frozen(0.0099), POLICY)) == []
    assert observed(omission.omission(frozen(0.03), POLICY)) == ["p99 1 ms beside a stall of 3 s"]
    assert found(omission.omission(frozen(0.15), POLICY))[0].observed.startswith("p90")


def test_what_the_percentile_should_have_been_is_told() -> None:
    """f = 4 %, S = 4 s: p99 at 4 s · (1 − 1/4) = 3 s."""
    told = found(omission.omission(frozen(0.04), POLICY))[0]
    assert told.expected == "≥ 3 s"
    assert "nobody was served for 4 s (4 % of the run)" in told.message


def test_fewer_long_answers_than_half_the_connections_accuse_nobody() -> None:
    assert found(omission.omission(frozen(0.05, users=16, long_ones=7), POLICY)) == []
    assert found(omission.omission(frozen(0.05, users=16, long_ones=8), POLICY)) != []


def test_one_connection_that_waited_is_everybody() -> None:
    assert found(omission.omission(frozen(0.05, users=1, long_ones=1), POLICY)) != []


def test_an_intended_start_or_a_call_in_process_omits_nothing() -> None:
    base = frozen(0.05)
    assert base.latency is not None
    assert found(omission.omission(replace(base, latency=replace(base.latency, origin="intended")), POLICY)) == []
    local = replace(http(ClosedLoop(8)), target="py:app:call")
    assert "within one process" in reason(omission.omission(replace(base, plan=local), POLICY))
