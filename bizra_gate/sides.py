"""One measurement of one side of a comparison, and several runs of it read as one.

Tools that measure one process and end (wrk2, ab, k6, …) say nothing of the next: several of their outputs, one run
each, are the processes of one measurement.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from . import pooling
from .model import Audit, Measurement, Metric
from .model.report import WORST_AUDIT

_RUN_NUMBER = re.compile(r"(?i)(?:^|[-_. ]+)(?:(?:run|rep|take|try|round)[-_. ]*)?\d+$")
"""The end of a file's name that numbers the runs of one measurement: ``login-2``, ``login.run3``, ``7``."""
NUMBERED = "runs"
"""What runs are called whose files bear nothing but a number."""


@dataclass(frozen=True, slots=True)
class Side:
    """One measurement of one side, opened and audited."""

    name: str
    metrics: Mapping[str, Metric]
    audit: Audit
    environment: Mapping[str, str] = field(default_factory=dict)
    """What has to be equal for two measurements to be compared, of that what is known."""
    run: str | None = None
    """What tells this run from every other: its id in an artifact of ours, else the digest of the file."""
    foreign: bool = False
    """Measured by another tool."""
    target: str | None = None
    """What was measured, where the file says it."""
    setup: Mapping[str, str] = field(default_factory=dict)
    """The load that was asked for, of that what is known: runs with another one are another measurement."""
    group: str | None = None
    """Several runs of one measurement bear the same; None where it stands for itself."""
    runs: tuple[str, ...] = ()
    """`run` of each run that it was read from."""
    signed: bool = False
    """It comes from an artifact."""
    untrusted: str | None = None
    """Why the signature is not trusted; None where it is, or nobody asked."""
    notes: tuple[str, ...] = ()

    @property
    def identities(self) -> frozenset[str]:
        """Of every run in it."""
        return frozenset(self.runs or ([self.run] if self.run is not None else []))


def group_of(measurement: Measurement, stem: str) -> str:
    """What several runs of one measurement have in common: the name that the tool gives it, else the file's.

    Tool and format belong to it: a report and a log of one run are not two runs.
    """
    name = measurement.name or _RUN_NUMBER.sub("", stem) or NUMBERED
    return "\0".join((name, measurement.source.tool, measurement.source.format or ""))


def setup_of(measurement: Measurement) -> dict[str, str]:
    """The load that was asked for, in words."""
    rate = measurement.rate_requested_per_s
    facts = {
        "loop": measurement.loop,
        "concurrency": measurement.concurrency,
        "threads": measurement.threads,
        "rate": None if rate is None else f"{rate.value:,.6g}/s",
    }
    return {name: str(value) for name, value in facts.items() if value is not None}


def together(sides: Sequence[Side]) -> list[Side]:
    """`sides` with the runs of one measurement as one side, in the order in which each comes first."""
    groups: dict[object, list[Side]] = {}
    for at, side in enumerate(sides):
        groups.setdefault(at if side.group is None else side.group, []).append(side)
    found = [side for members in groups.values() for side in _of_group(members)]
    names = Counter(side.name for side in found)
    return [side if names[side.name] == 1 or side.group is None else _told_apart(side) for side in found]


def _told_apart(side: Side) -> Side:
    """A side whose name another one bears: a report and a log of one run lie beside each other."""
    _, tool, form = (side.group or "").split("\0")
    return replace(side, name=f"{side.name} ({tool}, {form})")


def _of_group(members: Sequence[Side]) -> Iterator[Side]:
    alike = all(member.setup == members[0].setup for member in members)
    if not alike:
        yield from members
        return
    distinct = list({member.run or member.name: member for member in reversed(members)}.values())[::-1]
    again = len(members) - len(distinct)
    notes = (f"{again} of {len(members)} files hold a run that another one holds: it is counted once",) if again else ()
    if len(distinct) == 1:
        yield replace(distinct[0], notes=(*distinct[0].notes, *notes))
        return
    worst = min((member.audit for member in distinct), key=lambda audit: WORST_AUDIT.index(audit.verdict))
    untrusted = next((member.untrusted for member in distinct if member.untrusted is not None), None)
    yield replace(
        distinct[0],
        name=(distinct[0].group or distinct[0].name).partition("\0")[0],
        metrics=pooling.together([_of_runs(member.metrics.values()) for member in distinct]),
        audit=worst,
        runs=tuple(member.run for member in distinct if member.run is not None),
        untrusted=untrusted,
        notes=(*(note for member in distinct for note in member.notes), *notes),
    )


def _of_runs(metrics: Iterable[Metric]) -> dict[str, Metric]:
    """`metrics` of a run, each with a value of its processes: that of a single process is its estimate."""
    return {
        metric.name: metric
        if metric.process_values or metric.estimate is None
        else replace(metric, process_values=(metric.estimate,))
        for metric in metrics
    }
