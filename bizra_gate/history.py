"""How the metrics of one gate went through the history of its artifacts. Advice: nothing here decides anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from . import opening, repository, store
from .errors import BizraGateError, MissingError, UsageError
from .gates.metrics import facts_of, nearest
from .model import Check, EvidenceSpec, Gate, OpenedEvidence
from .opening import RingOf, Task
from .reports.trend import Direction, History, Trend, TrendPoint, TrendShift
from .stats.history import Shift, change_points

LIMIT = 200
"""Versions that are looked at, the newest first."""
Version = tuple[str | None, OpenedEvidence]
"""Commit (None: the work tree) and the artifact as it was then, opened."""


def history(
    gate: Gate,
    *,
    now: str,
    ring: RingOf,
    metrics: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> History:
    """Every version of the artifacts of `gate`, opened as `verify` would, but for its age and for the sources of then.

    `metrics` are those of the gate's checks where none are named. Raises `UsageError` for a metric that no evidence of
    the gate has, `MissingError` where no version of any artifact is to be found.
    """
    first = next(opening.tasks([gate], now=now, ring=ring))
    if repository.top(first.root) is None:
        raise UsageError(f"{gate.file}: not in a git work tree, and history is what git keeps")
    trends: list[Trend] = []
    for task in opening.tasks([gate], now=now, ring=ring):
        wanted = _metrics(gate, task.spec, metrics)
        if wanted:
            trends += _trends(task, wanted, progress)
    if metrics and not trends:
        raise UsageError(_unknown(gate, metrics))
    if not any(trend.points for trend in trends):
        raise MissingError(f"{gate.file}: no version of its artifacts is committed", hint="commit one, and then more")
    notes = ["this clone is shallow: git fetch --unshallow gets the rest"] if repository.shallow(first.root) else []
    return History(gate.name, gate.file, tuple(trends), tuple(notes))


def _metrics(gate: Gate, spec: EvidenceSpec, asked: Sequence[str]) -> list[str]:
    """What to follow in the evidence of `spec`: what was asked for and can be in it, else what its checks look at."""
    if asked:
        return [name for name in dict.fromkeys(asked) if facts_of(name, spec.kind) is not None]
    first = gate.evidence[0].name
    return list(dict.fromkeys(check.metric for check in gate.checks if (check.evidence or first) == spec.name))


def _unknown(gate: Gate, asked: Sequence[str]) -> str:
    kind = gate.evidence[0].kind
    return f"--metric: {asked[0]!r} is no metric of {kind} evidence. {nearest(asked[0], kind)}".rstrip()


def _trends(task: Task, wanted: Sequence[str], progress: Callable[[int, int], None] | None) -> Iterator[Trend]:
    versions = list(_once(_versions(_loosened(task, wanted), progress)))
    machine = next((piece.environment_key for _, piece in reversed(versions) if _doubt(piece) is None), None)
    for name in wanted:
        facts = facts_of(name, task.spec.kind)
        assert facts is not None, "the gate was parsed, or the name was looked up"
        points = tuple(_point(commit, piece, name, machine) for commit, piece in versions)
        trend = Trend(name, facts.unit, facts.better, task.file, points)
        used = trend.used
        found = change_points([point.estimate or 0.0 for point in used])
        yield dataclasses.replace(trend, shifts=tuple(_shift(used[shift.index], shift, trend) for shift in found))


def _loosened(task: Task, wanted: Sequence[str]) -> Task:
    """As `verify` opens the artifact, but however old it is, and with the metrics that are wanted."""
    spec = dataclasses.replace(task.spec, max_age_ns=None)
    checks = tuple(Check(name, name, "", None) for name in wanted)
    return dataclasses.replace(task, spec=spec, gate=dataclasses.replace(task.gate, checks=checks), bound=False)


def _versions(task: Task, progress: Callable[[int, int], None] | None) -> Iterator[Version]:
    """Oldest first, and at the end what is not committed yet."""
    committed = list(repository.versions(task.root, task.file, LIMIT))[::-1]
    for done, (commit, data) in enumerate(committed, start=1):
        yield commit, opening.open_bytes(task, data).evidence
        if progress is not None:
            progress(done, len(committed))
    try:
        current = store.read(store.inside(task.root, task.file, "history"))
    except BizraGateError:
        return
    if not committed or current != committed[-1][1]:
        yield None, opening.open_bytes(task, current).evidence


def _once(versions: Iterator[Version]) -> Iterator[Version]:
    """A run that was committed again (laid out anew, moved back and forth) is no further measurement."""
    seen: set[str] = set()
    for commit, piece in versions:
        if piece.run_id is None or piece.run_id not in seen:
            yield commit, piece
        if piece.run_id is not None:
            seen.add(piece.run_id)


def _doubt(piece: OpenedEvidence) -> str | None:
    """Why a version cannot be believed; None where it can."""
    if not piece.trust.ok:
        return piece.trust.reasons[0].message if piece.trust.reasons else "not trusted"
    if piece.audit is None or piece.audit.verdict != "VALID":
        verdict = "not audited" if piece.audit is None else piece.audit.verdict
        grave = [one for one in piece.audit.findings if one.severity != "note"] if piece.audit else []
        return f"{verdict}: {grave[0].code}" if grave else verdict
    return None


def _point(commit: str | None, piece: OpenedEvidence, name: str, machine: str | None) -> TrendPoint:
    metric, doubt = piece.metrics.get(name), _doubt(piece)
    if doubt is None and (metric is None or metric.estimate is None):
        doubt = f"it has no {name}"
    if doubt is None and piece.environment_key != machine:
        doubt = f"measured on another machine ({piece.environment_key})"
    if doubt is not None or metric is None:
        return TrendPoint(commit, piece.finished_at, left_out=doubt)
    return TrendPoint(commit, piece.finished_at, metric.estimate, metric.interval, metric.n)


def _shift(point: TrendPoint, shift: Shift, trend: Trend) -> TrendShift:
    rose = shift.after > shift.before
    way: Direction = (
        "changed" if trend.better == "neither" else "better" if rose == (trend.better == "higher") else "worse"
    )
    return TrendShift(point, shift.before, shift.after, shift.ratio, shift.p_value, way)
