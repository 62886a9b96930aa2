"""Two measurements compared on the values of their processes: better, worse, the same, or nobody can tell.

Welch's t on logarithms of process values. Values inside one process are not independent of each other: pooled over
processes, Student's t calls 39 % of identical programs different, and Mann–Whitney 55 %; over process means Welch's t
says so of 3 % (331 public benchmarks). A regression gate asks for non-inferiority: it passes when the one-sided 95 %
bound of the ratio is within the margin, and fails when the two-sided 95 % interval lies beyond it. What is neither
is undecided, and then it is told how many more processes would decide it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..model.metric import Better
from .student import t_cdf, t_quantile

Verdict = Literal["better", "worse", "same", "undecided"]
Regression = Literal["pass", "fail", "inconclusive"]

TYPICAL_SPREAD = 0.02
"""Standard deviation between processes, relative, where it cannot be had: the median of 331 public benchmarks."""
MOST_RUNS = 1000
"""Beyond this many more runs nobody wants to hear a number."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Head against base. `ratio` is head / base; `low` and `high` are its two-sided interval, None where there is none.

    `verdict` sets the interval against the margin: ``same`` lies within it (two one-sided tests), ``better`` and
    ``worse`` lie beyond it. `regression` answers a gate: not worse than the margin, worse, or can't tell.
    """

    verdict: Verdict
    ratio: float | None
    low: float | None
    high: float | None
    regression: Regression
    needed_runs: int | None
    """More runs of each side that would probably decide; 0 when decided, None when no number in reach would."""
    message: str
    p_value: float | None = None
    """Of no difference at all, two-sided; for families see `holm`."""
    confidence: float = 0.95
    margin: float = 0.0
    base_runs: int = 0
    head_runs: int = 0
    regression_runs: int | None = 0
    """As `needed_runs`, for `regression` alone: it asks about the bad edge of the margin only, so it takes fewer."""


@dataclass(frozen=True, slots=True)
class _Difference:
    """Mean difference of logarithms with its standard error and degrees of freedom."""

    mean: float
    error: float
    df: float
    slack: float = 0.0

    def bound(self, level: float, sign: int) -> float:
        """Mean plus or minus t at `level`, and the slack."""
        return self.mean + sign * (self.slack + (t_quantile(level, self.df) * self.error if self.error else 0.0))

    @property
    def p_value(self) -> float:
        apart = max(0.0, abs(self.mean) - self.slack)
        if self.error == 0:
            return 1.0 if apart == 0 else 0.0
        return 2 * t_cdf(-apart / self.error, self.df)


@dataclass(frozen=True, slots=True)
class _Sample:
    """A difference of logarithms as it would be seen again: how many more processes would decide, if it stayed."""

    mean: float
    spread: float
    """Standard deviation between the processes of one side, or between the ratios of pairs."""
    size: int
    """Processes of the smaller side."""
    paired: bool
    slack: float = 0.0

    def decides(self, margin: float, confidence: float) -> int | None:
        """Fewest more processes of each side whose interval clears the nearest edge of the margin."""
        low, high = math.log1p(-margin), math.log1p(margin)
        level = confidence if low < self.mean < high else (1 + confidence) / 2
        return self._clears(min(abs(self.mean - low), abs(self.mean - high)), level)

    def decides_regression(self, better: Better, margin: float, confidence: float) -> int | None:
        """Fewest more processes of each side that tell whether the change is worse than the margin."""
        if better == "neither":
            return self.decides(margin, confidence)
        beyond = self.mean - math.log1p(margin) if better == "lower" else math.log1p(-margin) - self.mean
        return self._clears(abs(beyond), confidence if beyond < 0 else (1 + confidence) / 2)

    def _clears(self, distance: float, level: float) -> int | None:
        distance -= self.slack
        if self.spread == 0:
            return 0 if distance > 0 and self.size >= 2 else None

        def clears(more: int) -> bool:
            runs = self.size + more
            df, parts = (runs - 1, 1) if self.paired else (2 * runs - 2, 2)
            return t_quantile(level, df) * self.spread * math.sqrt(parts / runs) < distance

        few = 0 if self.size < 2 else 1
        return bisect_left(range(MOST_RUNS), True, lo=few, key=clears) if clears(MOST_RUNS) else None


def compare_processes(
    base: Sequence[float],
    head: Sequence[float],
    better: Better,
    margin: float,
    confidence: float = 0.95,
    *,
    paired: bool = False,
    slack: float = 0.0,
) -> Comparison:
    """Compare one value per process of `base` with those of `head`.

    `margin` (0 ≤ margin < 1) is the relative change that does not matter: a ratio within 1 ± margin. A metric that
    is better ``neither`` way is worse in both. `paired` takes values of one index as measured in turn (A B B A …).
    `slack` (≥ 0) is how far the logarithm of the ratio may be off whatever the number of processes: a last digit.
    Fewer than two values on a side, or one that is not above zero, leave it undecided. Raises ValueError on a margin
    out of range, values that are not finite, or pairs that do not match.
    """
    _require(base, head, margin, paired)
    if not base or not head:
        return _undecided(base, head, margin, confidence, None, "a side without any process")
    if min(*base, *head) <= 0:
        return _undecided(base, head, margin, confidence, None, "a value of zero or below has no ratio")
    ratio = math.exp(_mean_log(head) - _mean_log(base))
    difference = _paired(base, head, slack) if paired else _welch(base, head, slack)
    if difference is None:
        typical = _Sample(math.log(ratio), TYPICAL_SPREAD, 2, paired)
        text = f"a single process on a side has no spread; a typical one of {TYPICAL_SPREAD * 100:.0f} % is assumed"
        needed = typical.decides(margin, confidence), typical.decides_regression(better, margin, confidence)
        return _undecided(base, head, margin, confidence, ratio, text, *needed)
    return _judge(base, head, difference, better, margin, confidence, paired)


def center(values: Sequence[float], confidence: float) -> tuple[float, float, float]:
    """Geometric mean of process values above zero with its t interval on logarithms: one side of a comparison."""
    mean = _mean_log(values)
    half = t_quantile((1 + confidence) / 2, len(values) - 1) * math.sqrt(_variance_log(values) / len(values))
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p values in the given order: compare each with the error rate of the whole family.

    Raises ValueError on a p value outside 0 … 1.
    """
    if any(not 0 <= p <= 1 for p in p_values):
        raise ValueError(f"p values lie within 0 and 1, got {list(p_values)}")
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def _judge(
    base: Sequence[float],
    head: Sequence[float],
    difference: _Difference,
    better: Better,
    margin: float,
    confidence: float,
    paired: bool,
) -> Comparison:
    two_sided = (1 + confidence) / 2
    low, high = (math.exp(difference.bound(two_sided, sign)) for sign in (-1, 1))
    one_low, one_high = (math.exp(difference.bound(confidence, sign)) for sign in (-1, 1))
    verdict, regression = _verdicts((low, high), (one_low, one_high), better, margin)
    size = min(len(base), len(head))
    spread = difference.error * math.sqrt(size if paired else size / 2)
    sample = _Sample(difference.mean, spread, size, paired, difference.slack)
    needed = sample.decides(margin, confidence) if verdict == "undecided" else 0
    for_gate = sample.decides_regression(better, margin, confidence) if regression == "inconclusive" else 0
    message = _message(verdict, margin, needed)
    return Comparison(
        verdict, math.exp(difference.mean), low, high, regression, needed, message,
        difference.p_value, confidence, margin, len(base), len(head), for_gate,
    )  # fmt: skip


def _verdicts(
    interval: tuple[float, float], bounds: tuple[float, float], better: Better, margin: float
) -> tuple[Verdict, Regression]:
    """The interval decides on better and worse, the one-sided bounds on the same and on non-inferiority."""
    floor, ceiling = 1 - margin, 1 + margin
    above, below = interval[0] > ceiling, interval[1] < floor
    not_above, not_below = bounds[1] <= ceiling, bounds[0] >= floor
    if better == "neither":
        worse, improved, harmless = above or below, False, not_above and not_below
    elif better == "lower":
        worse, improved, harmless = above, below, not_above
    else:
        worse, improved, harmless = below, above, not_below
    regression: Regression = "fail" if worse else "pass" if harmless else "inconclusive"
    if worse or improved:
        return ("worse" if worse else "better"), regression
    return ("same" if not_above and not_below else "undecided"), regression


def _welch(base: Sequence[float], head: Sequence[float], slack: float) -> _Difference | None:
    """Difference of mean logarithms with Welch–Satterthwaite's degrees of freedom."""
    if len(base) < 2 or len(head) < 2:
        return None
    a, b = _variance_log(base) / len(base), _variance_log(head) / len(head)
    mean = _mean_log(head) - _mean_log(base)
    if a + b == 0:
        return _Difference(mean, 0.0, 1.0, slack)
    df = (a + b) ** 2 / (a * a / (len(base) - 1) + b * b / (len(head) - 1))
    return _Difference(mean, math.sqrt(a + b), df, slack)


def _paired(base: Sequence[float], head: Sequence[float], slack: float) -> _Difference | None:
    """Mean of the logarithms of ratios pair by pair."""
    if len(base) < 2:
        return None
    ratios = [after / before for before, after in zip(base, head, strict=True)]
    error = math.sqrt(_variance_log(ratios) / len(ratios))
    return _Difference(_mean_log(ratios), error, len(ratios) - 1, slack)


def _mean_log(values: Sequence[float]) -> float:
    return math.fsum(math.log(value) for value in values) / len(values)


def _variance_log(values: Sequence[float]) -> float:
    mean = _mean_log(values)
    return math.fsum((math.log(value) - mean) ** 2 for value in values) / (len(values) - 1)


def _undecided(
    base: Sequence[float],
    head: Sequence[float],
    margin: float,
    confidence: float,
    ratio: float | None,
    why: str,
    needed: int | None = None,
    for_gate: int | None = None,
) -> Comparison:
    return Comparison(
        "undecided", ratio, None, None, "inconclusive", needed, why, None, confidence, margin, len(base), len(head),
        for_gate,
    )  # fmt: skip


def _message(verdict: Verdict, margin: float, needed: int | None) -> str:
    """How the interval lies to the margin; figures and the number of runs stand beside it in the `Comparison`."""
    edge = f"the margin of {margin * 100:.3g} %"
    if verdict == "same":
        return f"within {edge}"
    if verdict != "undecided":
        return f"{verdict} by more than {edge}"
    if needed is None:
        return f"too near {edge} for any number of runs in reach to decide"
    return f"the interval reaches over {edge}"


def _require(base: Sequence[float], head: Sequence[float], margin: float, paired: bool) -> None:
    if not 0 <= margin < 1:
        raise ValueError(f"a margin lies within 0 and 1, got {margin}")
    if not all(map(math.isfinite, [*base, *head])):
        raise ValueError("process values must be finite")
    if paired and len(base) != len(head):
        raise ValueError(f"pairs need as many values on both sides, got {len(base)} and {len(head)}")
