"""The instrument proves itself: clock, histogram, recorder and HTTP engine against truths that are arithmetic.

Every live scenario goes the way of a real measurement (worker process, engine, recorder, folds, assembly) against a
server in its own process. They are mostly idle, so they run at the same time.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from queue import SimpleQueue

from . import load
from .errors import BizraGateError, Interrupted, UsageError
from .load.clock import FakeClock, MonotonicClock, measure_clock
from .load.pacer import pacer_for
from .model import ClosedLoop, Distribution, Environment, Load, Measurement, OpenLoop, Plan, Warmup
from .stats.fold import HdrCounts
from .targets.fake import Answer, FakeTarget
from .targets.http import HttpTarget, truth
from .targets.http.distributions import uniform_at
from .targets.http.embedded import serve
from .targets.http.truth import Scenario
from .units import format_quantity

Progress = Callable[[str], None]

TOLERANCE = 0.02
"""Largest relative error; the truths are exact for the arrivals and service times used, so no interval widens it."""
MAX_RESOLUTION_NS = 1_000
BUSY_NS = 1_000_000
"""A generator whose own p99 lag is above this ran on a busy machine; said where something is off."""
OWN_LAG = "own lag, p99"
_S, _MS = truth.S, truth.MS


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity beside its truth. `error` is relative, or absolute where the truth is 0."""

    scenario: str
    quantity: str
    unit: str
    truth: float | None
    measured: float | None
    error: float | None
    tolerance: float
    ok: bool
    forgetful: float | None = None
    """What a generator that forgets intended times would have said."""
    closed_form: float | None = None
    """The limit that the formula gives; for a queue, of an infinitely long run."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class SelftestReport:
    rows: tuple[Row, ...]
    duration_ns: int

    @property
    def ok(self) -> bool:
        """Whether every quantity was within its tolerance; a report without rows proves nothing."""
        return bool(self.rows) and all(row.ok for row in self.rows)


def run_selftest(progress: Progress | None = None) -> SelftestReport:
    """Everything, in under 90 s. A scenario that could not be measured is a row that is not ok."""
    say = progress or _silent
    clock = MonotonicClock()
    began = clock.now_ns()
    scenarios = truth.scenarios()
    say(f"{len(scenarios)} servers whose truth is known are measured at the same time, about 50 s")
    rows = [*clock_rows(), *histogram_rows(), *pause_rows()]
    rows += live_rows(scenarios, say)
    return SelftestReport(tuple(rows), clock.now_ns() - began)


def _silent(text: str) -> None:
    """Nobody listens."""


def compared(
    scenario: str,
    quantity: str,
    unit: str,
    true: float,
    measured: float | None,
    *,
    tolerance: float = TOLERANCE,
    forgetful: float | None = None,
    closed_form: float | None = None,
    note: str = "",
) -> Row:
    """A row; what was not measured is not ok."""
    if measured is None:
        return Row(scenario, quantity, unit, true, None, None, tolerance, False, forgetful, closed_form, note)
    error = (measured - true) / true if true else measured
    ok = abs(error) <= tolerance
    return Row(scenario, quantity, unit, true, measured, error, tolerance, ok, forgetful, closed_form, note)


# What needs no server.


def clock_rows() -> list[Row]:
    """The clock's own step and cost: a latency below ten steps could not be told from noise."""
    facts = measure_clock()
    found = (("resolution", facts.resolution_ns), ("cost of a reading", facts.overhead_ns))
    return [
        Row(
            "clock", quantity, "ns", None, value, None, MAX_RESOLUTION_NS,
            value is not None and 0 < value <= MAX_RESOLUTION_NS, note=f"at most {MAX_RESOLUTION_NS} ns",
        )
        for quantity, value in found
    ]  # fmt: skip


def histogram_rows(values: int = 100_000) -> list[Row]:
    """Folded counts against PyPI's hdrhistogram, bin by bin, from nanoseconds to an hour."""
    from array import array

    from hdrh.histogram import HdrHistogram

    column = array("q", (round(10 ** (12.55 * uniform_at(3, index))) for index in range(values)))
    ours, theirs = HdrCounts(), HdrHistogram(1, 3_600 * _S, 3)
    ours.add(column)
    for value in column:
        theirs.record_value(value)
    found = ours.distribution()
    expected = {item.value_iterated_to: item.count_at_value_iterated_to for item in theirs.get_recorded_iterator()}
    differing = len(set(expected.items()) ^ set(zip(found.high, found.count, strict=True)))
    return [compared("histogram", "bins unlike hdrhistogram's", "1", 0, differing, tolerance=0)]


def pause_rows() -> list[Row]:
    """Ten thousand perfect answers, then a pause of 100 s, on a clock that is not real."""
    perfect, rate_per_s, pause_ns, service_ns = 10_000, 100, 100 * _S, 1 * _MS
    step = _S // rate_per_s
    target = FakeTarget(lambda index: Answer(service_ns), frozen_ns=((perfect * step, perfect * step + pause_ns),))
    duration = perfect * step + pause_ns
    plan = _plan("fake:script", OpenLoop(rate_per_s, max_in_flight=1 << 20), duration, 2 * pause_ns)
    measurement = load.run(plan, target, FakeClock(), Environment())
    waits = [pause_ns + service_ns - k * step for k in range(perfect)]
    true = truth.figures(Distribution.of([service_ns] * perfect + waits))
    forgetful = truth.figures(Distribution.of([service_ns] * (2 * perfect - 1) + [pause_ns + service_ns]))
    found = _responses(measurement)
    return [
        compared("pause", name, "ns", true[name], found.get(name), forgetful=forgetful[name], note="fake clock")
        for name in truth.QUANTITIES
    ]


# What is measured against a server.


def live_rows(scenarios: Iterable[Scenario], say: Progress) -> list[Row]:
    """Rows of every scenario, in their order, all measured at once. Raises `Interrupted` on Ctrl-C."""
    scenarios = tuple(scenarios)
    done: SimpleQueue[tuple[int, list[Row]]] = SimpleQueue()
    for index, scenario in enumerate(scenarios):
        # Daemons: nobody waits for them when the person has had enough, and what they started ends with this process.
        threading.Thread(target=_measure_into, args=(done, index, scenario), daemon=True).start()
    found: dict[int, list[Row]] = {}
    try:
        while len(found) < len(scenarios):
            index, rows = done.get()
            found[index] = rows
            say(f"{scenarios[index].name}: {'as true' if all(row.ok for row in rows) else 'OFF'}")
    except KeyboardInterrupt:
        raise Interrupted("interrupted: the selftest is incomplete") from None
    return [row for _, rows in sorted(found.items()) for row in rows]


def _measure_into(done: SimpleQueue[tuple[int, list[Row]]], index: int, scenario: Scenario) -> None:
    """Whatever happens, something is put into `done`."""
    try:
        rows = scenario_rows(scenario)
    except Exception as error:
        rows = [_not_measured(scenario, f"{type(error).__name__}: {error}")]
    done.put((index, rows))


def _not_measured(scenario: Scenario, why: str) -> Row:
    return Row(scenario.name, "measurement", "1", None, None, None, 0, False, note=why)


def scenario_rows(scenario: Scenario) -> list[Row]:
    """Measure one scenario and compare."""
    try:
        measurement = measure(scenario)
    except BizraGateError as error:
        return [_not_measured(scenario, str(error))]
    if isinstance(scenario.load, ClosedLoop):
        rows = closed_rows(scenario, scenario.load, measurement)
    else:
        rows = open_rows(scenario, scenario.load, measurement)
    return [*rows, lag_row(scenario, measurement)]


def lag_row(scenario: Scenario, measurement: Measurement) -> Row:
    """How late the generator was by itself: explains an error, and is no reason for one."""
    lag = measurement.generator.lag if measurement.generator else None
    p99 = lag.histogram.quantile(0.99) if lag and lag.histogram else None
    return Row(scenario.name, OWN_LAG, "ns", None, p99, None, 0, True, note="not judged")


def measure(scenario: Scenario) -> Measurement:
    """The scenario's server under its load, the way that `bench` measures."""
    with serve(scenario.script) as server:
        plan = _plan(server.url, scenario.load, scenario.duration_ns, scenario.timeout_ns)
        return load.run(plan, HttpTarget(server.url), MonotonicClock(), Environment())


def open_rows(scenario: Scenario, offered: OpenLoop, measurement: Measurement) -> list[Row]:
    due = truth.arrivals(pacer_for(offered).arrival_ns, scenario.duration_ns)
    true = truth.figures(truth.true_responses(scenario.script, due))
    forgetful = truth.figures(truth.forgetful(scenario.script, due))
    found = _responses(measurement)
    rows = [compared(scenario.name, "requests", "1", len(due), measurement.operations, tolerance=0)]
    return rows + [
        compared(
            scenario.name,
            name,
            "ns",
            true[name],
            found.get(name),
            forgetful=forgetful[name],
            closed_form=scenario.closed_form.get(name),
            note=scenario.formula,
        )
        for name in scenario.judged
    ]


def closed_rows(scenario: Scenario, offered: ClosedLoop, measurement: Measurement) -> list[Row]:
    """Service times, and the number of users twice over: from λ·W, and as the engine integrated it."""
    service = measurement.service.histogram if measurement.service else None
    found = truth.figures(service) if service else {}
    true = float(scenario.script.service_ns)
    rows = [compared(scenario.name, name, "ns", true, found.get(name)) for name in scenario.judged]
    mean, operations = found.get("mean"), measurement.operations
    product = operations / scenario.duration_ns * mean if operations and mean else None
    inside = measurement.in_flight
    integrated = inside.integral_ns / inside.window_ns if inside else None
    users = float(offered.concurrency)
    return [
        *rows,
        compared(scenario.name, "λ·W", "1", users, product, note=scenario.formula),
        compared(scenario.name, "mean in flight", "1", users, integrated, note="integrated by the engine"),
    ]


def _plan(target: str, offered: Load, duration_ns: int, timeout_ns: int) -> Plan:
    from .model import HttpRequest

    http = HttpRequest() if target.startswith("http") else None
    return Plan(target, offered, Warmup(0), duration_ns, timeout_ns=timeout_ns, http=http)


def _responses(measurement: Measurement) -> dict[str, float]:
    latency = measurement.response
    return truth.figures(latency.histogram) if latency and latency.histogram else {}


# For people and for programs.


def render(report: SelftestReport, format_: str = "terminal") -> str:
    """The report as a table, or as JSON."""
    if format_ not in RENDERERS:
        raise UsageError(f"{format_!r} is not a format of selftest", hint=f"Known: {', '.join(sorted(RENDERERS))}.")
    return RENDERERS[format_](report)


def _json(report: SelftestReport) -> str:
    document = {
        "schema": "bizra-gate/selftest/v1",
        "ok": report.ok,
        "duration_ns": report.duration_ns,
        "rows": [asdict(row) for row in report.rows],
    }
    return json.dumps(document, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


_HEADINGS = ("scenario", "quantity", "truth", "measured", "error", "tolerance", "forgetful", "in the limit", "")


def _terminal(report: SelftestReport) -> str:
    table = [_HEADINGS, *(_cells(row) for row in report.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join([*(_line(cells, widths) for cells in table), "", *_legend(report)]) + "\n"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    """Names to the left, figures to the right."""
    padded = [
        cell.ljust(width) if place in (0, 1, len(widths) - 1) else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _legend(report: SelftestReport) -> list[str]:
    off = [f"{row.scenario} {row.quantity}" for row in report.rows if not row.ok]
    verdict = f"OFF: {', '.join(off)}" if off else "as true"
    lines = [
        "truth: exact for the arrivals and service times that were used. forgetful: what a generator says that waits",
        "for answers and counts from the send. in the limit: what the formula gives for an infinitely long run.",
        f"{len(report.rows)} quantities in {format_quantity(report.duration_ns, 'ns')}: {verdict}",
    ]
    late = max((row.measured or 0 for row in report.rows if row.quantity == OWN_LAG), default=0)
    if off and late > BUSY_NS:
        said = format_quantity(late, "ns")
        lines.append(f"This machine was busy: the generator itself was {said} late. Try it again.")
    return lines


def _cells(row: Row) -> tuple[str, ...]:
    error = "—" if row.error is None else f"{row.error:+.2%}" if row.truth else f"{row.error:g}"
    tolerance = row.note if row.truth is None else f"{row.tolerance:.0%}" if row.truth else f"{row.tolerance:g}"
    figures = (format_quantity(value, row.unit) for value in (row.forgetful, row.closed_form))
    return (
        row.scenario,
        row.quantity,
        format_quantity(row.truth, row.unit),
        format_quantity(row.measured, row.unit),
        error,
        tolerance,
        *figures,
        "ok" if row.ok else "OFF",
    )


RENDERERS: dict[str, Callable[[SelftestReport], str]] = {"json": _json, "terminal": _terminal}
