"""What `history` hands to its renderers: one metric over the versions of one artifact, and where it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..model.metric import Better
from .wording import quantity

Direction = Literal["better", "worse", "changed"]


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One version of the artifact. `commit` is None for what is not committed yet."""

    commit: str | None
    finished_at: str | None
    estimate: float | None = None
    interval: tuple[float | None, float | None] | None = None
    n: int | None = None
    left_out: str | None = None
    """Why this version is no point of the series; None where it is one."""

    @property
    def version(self) -> str:
        """What a person calls it."""
        return "not committed" if self.commit is None else self.commit[:10]

    @property
    def day(self) -> str:
        return (self.finished_at or "an unknown day")[:10]


@dataclass(frozen=True, slots=True)
class TrendShift:
    """From `point` on the level is another one. `ratio` is after over before, None where before is zero."""

    point: TrendPoint
    before: float
    after: float
    ratio: float | None
    p_value: float
    direction: Direction


@dataclass(frozen=True, slots=True)
class Trend:
    """One metric of one artifact, oldest version first."""

    metric: str
    unit: str
    better: Better
    artifact: str
    points: tuple[TrendPoint, ...]
    shifts: tuple[TrendShift, ...] = ()

    @property
    def used(self) -> tuple[TrendPoint, ...]:
        """The points of the series."""
        return tuple(point for point in self.points if point.left_out is None)


@dataclass(frozen=True, slots=True)
class History:
    """Everything that `history` says of one gate. It is advice: nothing is judged."""

    gate: str
    file: str
    trends: tuple[Trend, ...]
    notes: tuple[str, ...] = ()


FEWEST = 6
"""Below this many points no change can be told from chance."""


def advice(trend: Trend) -> list[str]:
    """What the series tells, in sentences."""
    used = trend.used
    if len(used) < FEWEST:
        return [f"{_versions(len(used))} can be compared; at least {FEWEST} are needed to tell a change from chance."]
    if not trend.shifts:
        return [f"No lasting change over {_versions(len(used))}."]
    return [shift_words(trend, shift) for shift in trend.shifts]


def shift_words(trend: Trend, shift: TrendShift) -> str:
    """``worse since 3f2a… (2026-11-20): 1.2 ms before, 1.5 ms after, 1.25 times as much (p = 0.01)``."""
    before, after = quantity(shift.before, trend.unit), quantity(shift.after, trend.unit)
    times = "" if shift.ratio is None else f", {shift.ratio:.3g} times as much"
    since = f"since {shift.point.version} ({shift.point.day})"
    return f"{shift.direction} {since}: {before} before, {after} after{times} (p = {shift.p_value:.2g})"


def _versions(n: int) -> str:
    return "1 version" if n == 1 else f"{n} versions"
