"""Earlier measurements that a check compares with: a file, a git revision, the last that shipped, or a window.

Read with git, nothing is checked out. What cannot be had is a missing piece that says why, which is never a pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from . import gates, opening, repository, store
from .errors import BizraGateError
from .model import Gate, OpenedEvidence, Reason, Report, Trust
from .opening import RingOf, Task

LAST_SHIPPED = "last-shipped"
HISTORY = "history:"
GIT = "git:"


def opened(judged: Sequence[Gate], now: str, ring: RingOf) -> dict[tuple[str, str], list[OpenedEvidence]]:
    """(gate name, check id) → the opened baseline of every check that wants one."""
    found: dict[tuple[str, str], list[OpenedEvidence]] = {}
    for gate in judged:
        asked = gates.wanted_baselines(gate)
        by_artifact = {task.file: task for task in opening.tasks([gate] if asked else [], now=now, ring=ring)}
        for wanted in asked:
            pieces = [piece for file in wanted.artifacts for piece in _earlier_of(by_artifact[file], wanted.ref)]
            found[gate.name, wanted.check] = pieces
    return found


def _earlier_of(task: Task, ref: str) -> list[OpenedEvidence]:
    """What `ref` has of the task's artifact; where it has nothing, one piece that is missing and says why."""
    found = list(_at(task, ref)) or [_nothing(task, ref)]
    return [dataclasses.replace(piece, stands_for=task.file) for piece in found]


def _nothing(task: Task, ref: str) -> OpenedEvidence:
    trust = Trust(False, (Reason("missing", _why_nothing(task, ref)),))
    return OpenedEvidence(ref, None, task.spec.kind, trust, None, {}, missing=True)


def _why_nothing(task: Task, ref: str) -> str:
    """Why there is no baseline, and what would give one."""
    revision = ref.removeprefix(GIT)
    if repository.top(task.root) is None and (revision != ref or _looks_back(ref)):
        return "this is no git repository, or git is not installed"
    if revision != ref:
        return _not_in(task, revision)
    if not _looks_back(ref):
        return "there is no such file; measure it, or name another in baseline.ref"
    clone = ", and this clone holds only the newest commits (git fetch --unshallow)"
    clone = clone if repository.shallow(task.root) else ""
    newest = next(_earlier(task), None)
    if ref == LAST_SHIPPED and newest is not None:
        why = _not_shipped(dataclasses.replace(task, bound=False), *newest)
        return f"this gate says SHIP on no earlier version of {task.file}{clone}; the newest is {why}"
    return f"git has no earlier version of {task.file}{clone}; commit this measurement, and the next one has a baseline"


def _not_shipped(task: Task, commit: str, data: bytes) -> str:
    """``UNTRUSTED (git:0123456789ab): measured 41 d ago …``: why a version is not the last that shipped."""
    evidence, report = _judged_then(task, commit, data)
    place = f"git:{commit[:12]}"
    if report is None:
        return f"UNTRUSTED ({place}): {'; '.join(reason.message for reason in evidence.trust.reasons)}"
    check = next((one for one in report.gates[0].checks if one.verdict not in ("pass", "warn")), None)
    return f"{report.verdict} ({place})" + (f": {check.reason}" if check else "")


def _looks_back(ref: str) -> bool:
    return ref == LAST_SHIPPED or ref.startswith(HISTORY)


def _not_in(task: Task, revision: str) -> str:
    try:
        repository.resolve(task.root, revision)
    except BizraGateError as error:
        return error.message
    return f"{task.file} is not in {revision} yet; let a measurement reach it before a check asks for one"


def references(judged: Sequence[Gate], now: str, ring: RingOf) -> dict[tuple[str, str], OpenedEvidence]:
    """(gate name, path) → an artifact that limits refer to (``<= 1.05 x artifacts/bare.json#latency.mean``).

    Each gate has its own reading of it: one gate's lax policy must not let another's reference pass.
    """
    found: dict[tuple[str, str], OpenedEvidence] = {}
    for gate in judged:
        for path in gates.wanted_references(gate):
            first = next(opening.tasks([gate], now=now, ring=ring))
            task = dataclasses.replace(first, file=path, bound=False, gate=dataclasses.replace(gate, plan=None))
            found[gate.name, path] = opening.open_one(task).evidence
    return found


def _at(task: Task, ref: str) -> Iterator[OpenedEvidence]:
    loose = dataclasses.replace(task, bound=False)
    if ref.startswith(GIT):
        yield from _revision(loose, ref.removeprefix(GIT))
    elif ref == LAST_SHIPPED:
        yield from _last_shipped(loose)
    elif ref.startswith(HISTORY):
        yield from _versions(loose, int(ref.removeprefix(HISTORY)))
    else:
        evidence = opening.open_one(dataclasses.replace(loose, file=ref)).evidence
        if not evidence.missing:
            yield evidence


def _revision(task: Task, revision: str) -> Iterator[OpenedEvidence]:
    try:
        data = repository.show(task.root, revision, task.file)
    except BizraGateError:
        return
    yield _named(task, f"{GIT}{revision}", data)


def _named(task: Task, origin: str, data: bytes) -> OpenedEvidence:
    evidence = opening.open_bytes(task, data).evidence
    return dataclasses.replace(evidence, file=f"{origin}:{task.file}")


def _earlier(task: Task) -> Iterator[tuple[str, bytes]]:
    """Versions other than the one in the work tree: a measurement is no baseline of its own."""
    try:
        current = store.read(store.inside(task.root, task.file, "baseline"))
    except BizraGateError:
        current = b""
    return ((commit, data) for commit, data in repository.versions(task.root, task.file) if data != current)


def _versions(task: Task, count: int) -> Iterator[OpenedEvidence]:
    for taken, (commit, data) in enumerate(_earlier(task)):
        if taken == count:
            return
        yield _named(task, f"{GIT}{commit[:12]}", data)


def _last_shipped(task: Task) -> Iterator[OpenedEvidence]:
    """The newest earlier version on which the gate, leaving its baselines aside, says SHIP at the time it was made."""
    for commit, data in _earlier(task):
        evidence, report = _judged_then(task, commit, data)
        if report is not None and report.verdict == "SHIP":
            yield evidence
            return


def _judged_then(task: Task, commit: str, data: bytes) -> tuple[OpenedEvidence, Report | None]:
    """A version, and what the gate said of it when it was made; nothing where it is not trusted now."""
    evidence = _named(task, f"{GIT}{commit[:12]}", data)
    if not evidence.trust.ok or evidence.finished_at is None:
        return evidence, None
    alone = _alone(task)
    here = dataclasses.replace(evidence, file=task.file)
    beside = {path: _beside(task, commit, path) for path in gates.wanted_references(alone)}
    references = {(alone.name, path): piece for path, piece in beside.items() if piece is not None}
    return evidence, gates.evaluate([alone], {alone.name: [here]}, evidence.finished_at, references=references)


def _alone(task: Task) -> Gate:
    """The gate as if the task's artifact were all of its evidence: the limits of the checks that read it."""
    gate, spec = task.gate, task.spec
    first = gate.evidence[0].name
    own = [check for check in gate.checks if (check.evidence or first) == spec.name]
    limited = [dataclasses.replace(check, baseline=None) for check in own if check.limit is not None]
    whole = dataclasses.replace(spec, artifacts=(task.file,), quorum=None, required=True)
    return dataclasses.replace(gate, checks=tuple(limited or own), evidence=(whole,))


def _beside(task: Task, commit: str, path: str) -> OpenedEvidence | None:
    """Another artifact, as it was in the same commit."""
    try:
        data = repository.show(task.root, commit, path)
    except BizraGateError:
        return None
    other = dataclasses.replace(task, file=path, gate=dataclasses.replace(task.gate, plan=None))
    return opening.open_bytes(other, data).evidence
