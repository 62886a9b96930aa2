"""From gate files and artifacts to what the judge may see: signature, strict decode, binding, recompute, audit.

One artifact is opened by one pure call (`open_one`), so that `openers` can open a thousand of them on every core.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

from . import binding, gates, store
from .attest import envelope, keyring, trust
from .attest.instant import parse_instant
from .audit import examine_all
from .errors import DefinitionError, MissingError, Problem, UntrustedError, UsageError
from .evidence import benchmark as benchmarks
from .evidence.benchmark import Benchmark
from .model import Audit, EvidenceSpec, Gate, Measurement, OpenedEvidence, Policy, Reason, Trust
from .model.quick import quick
from .model.report import WORST_AUDIT
from .stats import recent

KEYRING = "keyring.toml"
DEFAULT = 0.95
"""The confidence of intervals that nobody asked otherwise."""
TOGETHER = 2**19
"""Bytes of files after which no further one is held at the same time; in memory they are dozens of times larger."""
NAMED = 8
"""So many gates are named where one was not found."""


RingOf = Callable[[Path], keyring.Keyring | None]
"""Repository root → the keyring that is trusted there, None where nobody is."""


@quick
@dataclass(frozen=True, slots=True)
class Task:
    """One artifact to open, with everything that decides how it is seen."""

    gate: Gate
    spec: EvidenceSpec
    file: str
    root: Path
    keyring: keyring.Keyring | None
    now: str
    keep_measurement: bool = False
    bound: bool = True
    """Whether it has to be about the files here and now; an earlier measurement that is compared with is not."""


@quick
@dataclass(frozen=True, slots=True)
class Result:
    """One artifact opened."""

    gate: str
    evidence: OpenedEvidence
    measurement: Measurement | None = None


# ── finding things ───────────────────────────────────────────────────────────────────────────────────────────────


def root_of(gate_file: Path) -> Path:
    """What paths in a gate file are relative to: the folder that holds ``gates/``, else the file's own folder."""
    return _root_above(os.path.join(os.getcwd(), os.path.dirname(gate_file)))


@lru_cache(maxsize=256)
def _root_above(folder: str) -> Path:
    here = Path(folder)
    return next((place.parent for place in (here, *here.parents) if place.name == "gates"), here)


def gate_files(paths: Sequence[Path]) -> list[Path]:
    """The gate files that `paths` (files or folders) name; the keyring is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob("*.toml"), key=lambda file: file.parts)
            found += [file for file in inside if file.name != KEYRING and "waivers" not in file.parts]
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(f"{path}: no such gate file or folder", hint=where_gates_are(path))
    return list(dict.fromkeys(found))


def where_gates_are(path: Path) -> str:
    """What to do about a `path` that does not exist: its neighbours, the ``gates/`` further up, or how to make one."""
    beside = {file.stem: shown(file) for file in sorted(path.parent.glob("*.toml")) if file.name != KEYRING}
    if path.parent.name and beside:
        near = difflib.get_close_matches(path.stem, beside, n=1)
        listed = ", ".join(list(beside.values())[:NAMED]) + (", …" if len(beside) > NAMED else "")
        return f"Did you mean {beside[near[0]]}?" if near else f"there are {listed}"
    for parent in Path.cwd().parents:
        if any((parent / "gates").glob("*.toml")):
            return f"this is not the root of the repository; its gates are in {shown(parent / 'gates')}"
    return "make a first gate with: bizra-gate init"


def shown(path: Path) -> str:
    """`path` as reports name it: from where the command runs, so that it can be pasted into the next command."""
    if not path.anchor and ".." not in path.parts:
        return path.as_posix()
    return Path(os.path.relpath(path)).as_posix()


def read_gates(paths: Iterable[Path], meet: Callable[[Gate], None] | None = None) -> list[Gate]:
    """Parse every gate file; all mistakes of all files are raised in one `DefinitionError`.

    `meet` is told of each gate as soon as it is read, as long as there is no mistake in any.
    """
    parsed: list[Gate] = []
    problems: list[Problem] = []
    for path in gate_files(list(paths)):
        try:
            text, sha256 = store.read_definition(path)
            parsed.append(gates.parse(text, shown(path), sha256))
        except DefinitionError as error:
            problems += error.problems
        else:
            if meet is not None and not problems:
                meet(parsed[-1])
    try:
        gates.check_set(parsed)
    except DefinitionError as error:
        problems += error.problems
    if problems:
        raise DefinitionError(problems)
    return parsed


def read_keyring(path: Path) -> keyring.Keyring | None:
    """The keyring, or None where there is none; a keyring that cannot be read is a `DefinitionError`.

    Read anew every time: in a process that lives on, a key that was revoked meanwhile must not go on counting.
    """
    return _parsed_keyring(store.read_definition(path)[0], shown(path)) if path.exists() else None


def ring_of(root: Path) -> keyring.Keyring | None:
    """The keyring that lies in the repository at `root`."""
    return read_keyring(root / "gates" / KEYRING)


@lru_cache(maxsize=64)
def _parsed_keyring(text: str, file: str) -> keyring.Keyring:
    return keyring.parse_keyring(text, file)


def tasks(judged: Sequence[Gate], *, now: str, ring: RingOf, keep_measurements: bool = False) -> Iterator[Task]:
    """One task per artifact of every gate; `ring` finds the keyring that a gate's repository trusts."""
    for gate in judged:
        root = root_of(Path(gate.file))
        yield from tasks_of(gate, root, ring(root), now=now, keep_measurements=keep_measurements)


def tasks_of(
    gate: Gate, root: Path, ring: keyring.Keyring | None, *, now: str, keep_measurements: bool = False
) -> Iterator[Task]:
    """One task per artifact of `gate`, which lies in the repository at `root`, where `ring` is trusted."""
    for spec in gate.evidence:
        for file in spec.artifacts:
            yield Task(gate, spec, file, root, ring, now, keep_measurements)


# ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────


def open_one(task: Task) -> Result:
    """Signature first, then the parse of those same bytes, then binding, recomputation and audit.

    Never raises for what an artifact holds: whatever is wrong becomes the reason why it is not believed.
    """
    return open_all([task])[0]


def open_all(tasks: Sequence[Task]) -> list[Result]:
    """As `open_one` for each of `tasks`, step by step for all that are small enough to be held at the same time.

    A processor repeats a step more quickly than it takes all steps in turn, over and over.
    """
    return _opened([_Opening(task) for task in tasks])


def open_bytes(task: Task, data: bytes) -> Result:
    """As `open_one`, for bytes that come from elsewhere, such as a git revision."""
    return _opened([_Opening(task, data)])[0]


class _Opening:
    """One artifact on its way: every step leaves what the next one needs, or the result."""

    sha256: str | None = None
    result: Result | None = None

    def __init__(self, task: Task, data: bytes | None = None) -> None:
        self.task, self.data = task, data

    def read(self) -> None:
        task = self.task
        try:
            if self.data is None:
                self.data = store.read(store.inside(task.root, task.file, f"{task.gate.file}: evidence"))
        except MissingError:
            self.result = Result(task.gate.name, _missing(task))
        except (UntrustedError, UsageError) as error:
            self._refuse(Reason("path", error.message.replace(str(task.root / task.file), task.file)))

    def unseal(self) -> None:
        assert self.data is not None
        sealed = envelope.read(self.data, self.task.file)
        self.data, self.sha256 = None, sealed.sha256
        self.trust = _signatures(self.task, sealed)
        if self.trust.ok:
            self.opened = trust.open_sealed(sealed, self.trust)
        else:
            self._refuse(*self.trust.reasons, signed_by=self.trust.signed_by)

    def decode(self) -> None:
        document = self.opened.statement
        if document["predicateType"] != benchmarks.PREDICATE_TYPE:
            raise UntrustedError(f"predicate type {document['predicateType']!r} is no benchmark", code="kind")
        self.benchmark = benchmarks.decode(document["predicate"], document["subject"])
        del self.opened

    def attempt(self, step: Callable[[_Opening], None]) -> None:
        """Take `step`; what it refuses is the result."""
        try:
            step(self)
        except UntrustedError as error:
            message = f"{error.message}; {error.hint}" if error.hint else error.message
            self._refuse(Reason(error.code, message))

    def _refuse(self, *reasons: Reason, signed_by: tuple[str, ...] = ()) -> None:
        self.result = Result(self.task.gate.name, _untrusted(self.task, self.sha256, *reasons, signed_by=signed_by))

    def conclude(self, audit: Audit) -> None:
        task, benchmark, verdict = self.task, self.benchmark, self.trust
        reasons = tuple(_binding(task, benchmark))
        measurement, wanted = benchmark.measurement, gates.wanted_percentiles(task.gate)
        evidence = OpenedEvidence(
            file=task.file,
            sha256=self.sha256,
            kind=task.spec.kind,
            trust=Trust(not reasons, (*verdict.reasons, *reasons), verdict.signed_by, verdict.owners),
            audit=audit,
            metrics=benchmark.metrics(DEFAULT, wanted),
            metrics_at={
                level: benchmark.metrics(level, wanted) for level in gates.confidences(task.gate) if level != DEFAULT
            },
            signed_by=verdict.signed_by,
            measured_by=_measured_by(measurement),
            finished_at=benchmark.finished_at,
            run_id=benchmark.run_id,
            made_for=benchmark.gate.name if benchmark.gate is not None else None,
            environment_key=binding.environment_key(benchmark),
            environment=binding.environment_facts(benchmark),
        )
        self.result = Result(task.gate.name, evidence, measurement if task.keep_measurement else None)


def _opened(openings: Sequence[_Opening]) -> list[Result]:
    for together in _held_together(openings):
        with recent.of_many():
            _take_steps(together)
    return [one.result for one in openings if one.result is not None]


def _held_together(openings: Sequence[_Opening]) -> Iterator[list[_Opening]]:
    """Neighbours that were read, until their files are as large as `TOGETHER` in all."""
    held: list[_Opening] = []
    size = 0
    for one in openings:
        one.read()
        held.append(one)
        size += len(one.data or b"")
        if size >= TOGETHER:
            yield held
            held, size = [], 0
    yield held


def _take_steps(openings: Sequence[_Opening]) -> None:
    for step in (_Opening.unseal, _Opening.decode):
        for one in openings:
            if one.result is None:
                one.attempt(step)
    left = [one for one in openings if one.result is None]
    for one, audit in zip(left, audits_of([(one.benchmark, one.task.gate.policy) for one in left]), strict=True):
        one.conclude(audit)


def _signatures(task: Task, sealed: envelope.Sealed) -> Trust:
    if task.keyring is None:
        return Trust(
            False, (Reason("keyring.missing", "no gates/keyring.toml: nobody is trusted; run bizra-gate trust"),)
        )
    signers = task.spec.signers
    return trust.check(sealed, task.keyring, _moment(task.now), role=signers.role, threshold=signers.threshold)


@cache
def _moment(text: str) -> datetime:
    return parse_instant(text)


def audit_of(benchmark: Benchmark, policy: Policy) -> Audit:
    """The audit of an artifact: of both halves where two targets were measured in turn, since they are compared."""
    return audits_of([(benchmark, policy)])[0]


def audits_of(cases: Sequence[tuple[Benchmark, Policy]]) -> list[Audit]:
    """As `audit_of` for each of `cases`."""
    halves = [(half, policy) for one, policy in cases for half in (one.measurement, one.against) if half is not None]
    found = iter(examine_all(halves))
    return [next(found) if one.against is None else _of_both(next(found), next(found)) for one, _ in cases]


def _of_both(first: Audit, second: Audit) -> Audit:
    """The worse verdict, and every finding; those of the second target say so."""
    findings = (
        *first.findings,
        *(dataclasses.replace(one, message=f"The second target: {one.message}") for one in second.findings),
    )
    told = {one.code for one in findings}
    skipped = {code: why for code, why in {**second.not_applicable, **first.not_applicable}.items() if code not in told}
    return Audit(
        min(first.verdict, second.verdict, key=WORST_AUDIT.index),
        findings,
        tuple(code for code in first.clean if code not in told and code not in skipped),
        skipped,
    )


def _binding(task: Task, benchmark: Benchmark) -> Iterator[Reason]:
    gate, spec = task.gate, task.spec
    yield from binding.freshness(benchmark.finished_at, _moment(task.now), spec.max_age_ns)
    yield from binding.plan(gate, benchmark)
    if not task.bound:
        return
    yield from binding.sources(task.root, gate, spec, benchmark)
    yield from binding.clean_tree(spec, benchmark)
    yield from binding.environment(spec, benchmark)


def _measured_by(measurement: Measurement) -> str | None:
    source = measurement.source
    if not source.foreign:
        return None
    return f"{source.tool} {source.version or ''}".strip() + ", not by bizra-gate"


def _missing(task: Task) -> OpenedEvidence:
    hint = f"bizra-gate bench {task.gate.file}" if task.gate.plan is not None else "commit the artifact"
    reason = Reason("missing", f"{task.file} does not exist: {hint}")
    return OpenedEvidence(task.file, None, task.spec.kind, Trust(False, (reason,)), None, {}, missing=True)


def _untrusted(task: Task, sha256: str | None, *reasons: Reason, signed_by: tuple[str, ...] = ()) -> OpenedEvidence:
    return OpenedEvidence(
        task.file, sha256, task.spec.kind, Trust(False, reasons, signed_by), None, {}, signed_by=signed_by
    )
