"""How often the statistical rules cry wolf, and how often they see one: nominal against observed, from simulation.

    python benchmarks/false_alarms.py                 the table of docs/statistics.md (about three minutes of one core)
    python benchmarks/false_alarms.py --rounds 300    a quick look

Every series is simulated from a seed, so the table comes out the same on every machine. Ends with exit code 1 when a
rule with a nominal 5 % is observed outside 2 % to 6 %.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bizra_gate.model import Distribution
from bizra_gate.stats.changepoints import pelt
from bizra_gate.stats.compare import Comparison, compare_processes
from bizra_gate.stats.fold import HdrCounts
from bizra_gate.stats.history import change_points
from bizra_gate.stats.modes import modes
from bizra_gate.stats.quantiles import quantile_interval
from bizra_gate.stats.series import batch_means_interval, effective_n_of
from bizra_gate.stats.steady import Steady, steady_state

NOMINAL = 0.05
ALLOWED = (0.02, 0.06)
CORRELATIONS = (0.0, 0.3, 0.6)
SPREAD_MEDIAN, SPREAD_SIGMA = 0.0189, 0.958
"""Log-normal of the standard deviation between processes: the range of ten is 6 % in the median, 22 % at p90."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what was simulated, and the share of rounds in which each thing happened."""

    label: str
    shares: tuple[float, ...]
    nominal: float | None = None
    """What the first share should be."""


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def markdown(self) -> str:
        lines = [
            f"### {self.title}",
            "",
            "| | " + " | ".join(self.columns) + " |",
            "|---|" + "---:|" * len(self.columns),
        ]
        lines += [f"| {row.label} | " + " | ".join(f"{share:.1%}" for share in row.shares) + " |" for row in self.rows]
        return "\n".join(lines) + "\n"

    def out_of_bounds(self) -> list[str]:
        """Rules with a nominal 5 % that were observed outside 2 % to 6 %."""
        low, high = ALLOWED
        return [
            f"{self.title}: {row.label}: {row.shares[0]:.1%}"
            for row in self.rows
            if row.nominal == NOMINAL and not low <= row.shares[0] <= high
        ]


# ── series ───────────────────────────────────────────────────────────────────────────────────────────────────────


def autoregressive(generator: random.Random, n: int, rho: float) -> list[float]:
    """AR(1) with mean 0 and variance 1, stationary from the first value on."""
    value, series, step = generator.gauss(0, 1), [], math.sqrt(1 - rho * rho)
    for _ in range(n):
        value = rho * value + step * generator.gauss(0, 1)
        series.append(value)
    return series


def shaped(
    generator: random.Random, n: int, rho: float, cv: float, shape: Callable[[float], float] = lambda x: 1.0
) -> list[float]:
    """A level `shape(t)`, t from 0 to 1, times 1 plus noise with coefficient of variation `cv`."""
    noise = autoregressive(generator, n, rho)
    return [max(1e-9, (1 + cv * value) * shape(i / n)) for i, value in enumerate(noise)]


SHAPES: dict[str, Callable[[float], float]] = {
    "level shift of 10 % at half time": lambda t: 1.1 if t >= 0.5 else 1,
    "drift of 10 %": lambda t: 1 + 0.1 * t,
    "growth to twice the level": lambda t: 1 + t,
    "a fifth of the run 20 % higher": lambda t: 1.2 if 0.4 <= t < 0.6 else 1,
    "first eighth 50 % higher": lambda t: 1.5 if t < 0.125 else 1,
}
HONEST: dict[str, Callable[[float], float]] = {
    "nothing but noise": lambda t: 1.0,
    "a stall of 3 s, thirty times the level": lambda t: 30.0 if 0.5 <= t < 0.525 else 1.0,
    "a pause every 10 s, 1.5 times the level": lambda t: 1.5 if round(t * 120) % 10 == 9 else 1.0,
    "level shift of 2 %": lambda t: 1.02 if t >= 0.5 else 1.0,
    "level shift of exactly 5 %": lambda t: 1.05 if t >= 0.5 else 1.0,
    "drift of exactly 5 %": lambda t: 1 + 0.05 * t,
}


def wanders(found: Steady) -> bool:
    return found.wander is not None and found.critical is not None and found.wander > found.critical


def share(rounds: int, once: Callable[[], bool]) -> float:
    return sum(once() for _ in range(rounds)) / rounds


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────


def steady_nominal(generator: random.Random, rounds: int) -> Table:
    rows = []
    for n in (30, 60, 120, 600):
        for rho in CORRELATIONS:
            found = [steady_state(shaped(generator, n, rho, 0.3)) for _ in range(rounds)]
            rows.append(
                Row(
                    f"{n} points, ρ {rho:g}",
                    (sum(map(wanders, found)) / rounds, sum(f.verdict != "steady" for f in found) / rounds),
                    NOMINAL,
                )
            )
    title = "Steady state, false alarms: AR(1) noise of 30 %, nothing else"
    return Table(title, ("wanders (nominal 5 %)", "not steady (at most that)"), tuple(rows))


def steady_honest(generator: random.Random, rounds: int) -> Table:
    title = "Steady state, false alarms: honest series of 120 s, share not steady"
    return _verdicts(title, HONEST, generator, rounds, 120)


def steady_power(generator: random.Random, rounds: int) -> Table:
    return _verdicts("Steady state, power: series of 120 s that are not, share found", SHAPES, generator, rounds, 120)


def steady_power_of_short_ones(generator: random.Random, rounds: int) -> Table:
    return _verdicts("Steady state, power: series of 30 s that are not, share found", SHAPES, generator, rounds, 30)


def _verdicts(
    title: str, shapes: dict[str, Callable[[float], float]], generator: random.Random, rounds: int, n: int
) -> Table:
    cases = [(rho, cv) for rho in (0.0, 0.6) for cv in (0.02, 0.05, 0.1)]
    rows = []
    for label, shape in shapes.items():
        shares = tuple(share(rounds, partial(_unsteady, generator, n, rho, cv, shape)) for rho, cv in cases)
        rows.append(Row(label, shares))
    return Table(title, tuple(f"ρ {rho:g}, noise {cv:.0%}" for rho, cv in cases), tuple(rows))


def _unsteady(generator: random.Random, n: int, rho: float, cv: float, shape: Callable[[float], float]) -> bool:
    return steady_state(shaped(generator, n, rho, cv, shape)).verdict != "steady"


def change_point_alarms(generator: random.Random, rounds: int) -> Table:
    rows = []
    for n in (10, 20, 50):
        for name, sigma in (("spread 2 %", 0.02), ("spread 50 %, log-normal", 0.5)):
            observed = share(rounds, partial(_changed, generator, n, sigma))
            rows.append(Row(f"history, {n} artifacts, {name}", (observed,), NOMINAL))
    for rho in CORRELATIONS:
        observed = share(rounds, partial(_segmented, generator, rho))
        rows.append(Row(f"PELT, penalty 15·log n, 120 points, ρ {rho:g} (no nominal level)", (observed,)))
    return Table("Change points where there are none", ("found",), tuple(rows))


def _changed(generator: random.Random, n: int, sigma: float) -> bool:
    return bool(change_points([generator.lognormvariate(0, sigma) for _ in range(n)]))


def _segmented(generator: random.Random, rho: float) -> bool:
    return bool(pelt(autoregressive(generator, 120, rho)))


def change_point_power(generator: random.Random, rounds: int) -> Table:
    def near(change: float) -> bool:
        values = [generator.lognormvariate(0, 0.02) * (change if i >= 12 else 1) for i in range(20)]
        return any(abs(shift.index - 12) <= 1 for shift in change_points(values))

    rows = [
        Row(
            f"history, 12 + 8 artifacts, spread 2 %, change of {change - 1:.0%}",
            (share(rounds, partial(near, change)),),
        )
        for change in (1.02, 1.05, 1.1)
    ]
    return Table("Change points where there is one (place right to one artifact)", ("found",), tuple(rows))


def compared(generator: random.Random, processes: int, change: float, margin: float) -> Comparison:
    """Two sets of processes whose true ratio is `change`; their spread is drawn anew, as programs differ in it."""
    spread = SPREAD_MEDIAN * math.exp(SPREAD_SIGMA * generator.gauss(0, 1))
    base = [math.exp(generator.gauss(0, spread)) for _ in range(processes)]
    head = [change * math.exp(generator.gauss(0, spread)) for _ in range(processes)]
    return compare_processes(base, head, "lower", margin)


def _different(generator: random.Random, processes: int) -> bool:
    return compared(generator, processes, 1.0, 0.0).verdict in ("better", "worse")


def _passed(generator: random.Random, processes: int) -> bool:
    return compared(generator, processes, 1.05, 0.05).regression == "pass"


def comparison_alarms(generator: random.Random, rounds: int) -> Table:
    rows = []
    for processes in (3, 5, 10):
        observed = share(rounds, partial(_different, generator, processes))
        rows.append(Row(f"A/A, {processes} against {processes}: called different", (observed,), NOMINAL))
    for processes in (3, 5, 10):
        observed = share(rounds, partial(_passed, generator, processes))
        rows.append(Row(f"5 % worse, margin 5 %, {processes} against {processes}: passed", (observed,), NOMINAL))
    return Table(
        "Comparison on processes, errors (spread between ten processes 6 %, p90 22 %)", ("observed",), tuple(rows)
    )


def comparison_outcomes(generator: random.Random, rounds: int) -> Table:
    rows = []
    for change in (1.0, 1.02, 1.05, 1.1, 1.2):
        for processes in (2, 3, 5, 10):
            counts = Counter(compared(generator, processes, change, 0.05).regression for _ in range(rounds))
            shares = tuple(counts[outcome] / rounds for outcome in ("pass", "fail", "inconclusive"))
            rows.append(Row(f"truly {change - 1:+.0%}, {processes} against {processes}", shares))
    return Table(
        "Regression gate with a margin of 5 %: how often it can't tell", ("pass", "fail", "can't tell"), tuple(rows)
    )


def coverage(generator: random.Random, rounds: int) -> Table:
    """Intervals from within one run: 120 rows of 60 operations, log-normal, AR(1) from operation to operation."""
    rows = []
    for rho in (0.0, 0.3, 0.6, 0.9):
        hits = [0, 0, 0]
        for _ in range(rounds):
            for index, hit in enumerate(_covered(generator, rho)):
                hits[index] += hit
        rows.append(Row(f"ρ {rho:g} between operations", tuple(hit / rounds for hit in hits)))
    title = "Coverage of nominal 95 % intervals (one run, 7,200 operations)"
    return Table(title, ("mean, batch means", "p90, values taken as independent", "p90, effective n"), tuple(rows))


def _covered(generator: random.Random, rho: float) -> Iterator[bool]:
    """Whether the mean, p90 as if independent, and p90 with the effective n of the shares above it are covered."""
    sigma, size, rows = 0.5, 60, 120
    values = [math.exp(sigma * value) for value in autoregressive(generator, size * rows, rho)]
    parts = [values[i : i + size] for i in range(0, len(values), size)]
    found = batch_means_interval([math.fsum(part) / size for part in parts])
    yield found.low is not None and found.high is not None and found.low <= math.exp(sigma**2 / 2) <= found.high
    whole = Distribution.of(round(value * 1e6) for value in values)
    truth, threshold = math.exp(1.2815515655446004 * sigma) * 1e6, (whole.quantile(0.9) or 0) / 1e6
    above = [sum(value > threshold for value in part) / size for part in parts]
    effective = effective_n_of(0.09, above, [float(size)] * rows)
    for n in (None, effective):
        low, high = quantile_interval(whole, 0.9, n_effective=n)
        yield (low is None or low <= truth) and (high is None or truth <= high)


Sample = Callable[[np.random.Generator, int], NDArray[np.float64]]
MS = 1e6


def _ticked(values: NDArray[np.float64], r: np.random.Generator) -> NDArray[np.float64]:
    """`values` that a timer of 1 ms holds back: most of them soon after a tick, the rest until the next one."""
    return (np.floor(values / MS) + np.minimum(r.exponential(0.5, values.size), 0.999)) * MS


def _mixed(r: np.random.Generator, n: int, second: float, parts: tuple[Sample, Sample]) -> NDArray[np.float64]:
    return np.where(r.random(n) < second, parts[1](r, n), parts[0](r, n))


ONE_HILL: dict[str, Sample] = {
    "exponential": lambda r, n: r.exponential(20 * MS, n),
    "exponential, answered on a tick of a twentieth": lambda r, n: _ticked(r.exponential(20 * MS, n), r),
    "log-normal, σ 0.02": lambda r, n: r.lognormal(14, 0.02, n),
    "log-normal, σ 1": lambda r, n: r.lognormal(14, 1.0, n),
    "gamma, shape 3": lambda r, n: r.gamma(3, 2 * MS, n),
    "uniform, 1 to 3 ms": lambda r, n: r.uniform(1 * MS, 3 * MS, n),
    "Pareto, shape 1.5": lambda r, n: (1 + r.pareto(1.5, n)) * MS,
}
TWO_HILLS: dict[str, Sample] = {
    "half of all five times as long": lambda r, n: _mixed(
        r, n, 0.5, (lambda r, n: r.lognormal(14, 0.3, n), lambda r, n: r.lognormal(15.6, 0.3, n))
    ),
    "one in ten seven times as long": lambda r, n: _mixed(
        r, n, 0.1, (lambda r, n: r.lognormal(14, 0.2, n), lambda r, n: r.lognormal(16, 0.2, n))
    ),
    "halves at 10 and 14 ms, deviation 1 ms": lambda r, n: _mixed(
        r, n, 0.5, (lambda r, n: r.normal(10 * MS, MS, n), lambda r, n: r.normal(14 * MS, MS, n))
    ),
    "one in ten at 15 beside 10 ms, deviation 1 ms": lambda r, n: _mixed(
        r, n, 0.1, (lambda r, n: r.normal(10 * MS, MS, n), lambda r, n: r.normal(15 * MS, MS, n))
    ),
}
SIZES = (200, 2_000, 20_000)


def modes_alarms(generator: random.Random, rounds: int) -> Table:
    return _hills("Modes, false alarms: one hill, share in which several are told", ONE_HILL, generator, rounds)


def modes_power(generator: random.Random, rounds: int) -> Table:
    return _hills("Modes, power: two hills, share in which several are told", TWO_HILLS, generator, rounds)


def _hills(title: str, shapes: dict[str, Sample], generator: random.Random, rounds: int) -> Table:
    r = np.random.default_rng(generator.getrandbits(64))
    rows = [
        Row(label, tuple(share(rounds, partial(_several, r, sample, n)) for n in SIZES))
        for label, sample in shapes.items()
    ]
    return Table(title, tuple(f"{n:,} values" for n in SIZES), tuple(rows))


def _several(r: np.random.Generator, sample: Sample, n: int) -> bool:
    counts = HdrCounts()
    counts.add(np.maximum(1, sample(r, n)).astype(np.int64))
    return len(modes(counts.distribution())) > 1


TABLES: tuple[Callable[[random.Random, int], Table], ...] = (
    steady_nominal,
    steady_honest,
    steady_power,
    change_point_alarms,
    change_point_power,
    comparison_alarms,
    comparison_outcomes,
    coverage,
    modes_alarms,
    modes_power,
    steady_power_of_short_ones,
)
WEIGHT: dict[Callable[[random.Random, int], Table], float] = {
    steady_honest: 0.2,
    steady_power: 0.2,
    steady_power_of_short_ones: 0.2,
    change_point_power: 0.1,
    coverage: 0.1,
    comparison_outcomes: 0.5,
    modes_alarms: 0.025,
    modes_power: 0.025,
}
"""Rounds relative to those of the nominal rules: what is not held against 5 % needs fewer."""


def made(rounds: int, seed: int) -> Iterator[Table]:
    """Every table; each has its own generator, so that one more table changes none of the others."""
    for number, table in enumerate(TABLES):
        yield table(random.Random(seed * 1000 + number), max(20, round(rounds * WEIGHT.get(table, 1.0))))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4000, help="simulations per line (default 4000)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    print(f"Seed {options.seed}, {options.rounds} rounds a line for the rules with a nominal level.\n")
    wrong: list[str] = []
    for table in made(options.rounds, options.seed):
        print(table.markdown(), flush=True)
        wrong += table.out_of_bounds()
    for line in wrong:
        print(f"outside {ALLOWED[0]:.0%} … {ALLOWED[1]:.0%}: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
