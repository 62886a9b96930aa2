"""The two lines of the house, spelled out; the only place that wires packages together.

`bench` measures and never judges, `verify` judges and never measures; a file in git lies between them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from . import baselines, docket, gates, opening, pooling, repository, store
from .attest import add_key, envelope, keyring, parse_instant
from .attest.digest import manifest_sha256
from .attest.envelope import is_artifact
from .attest.keys import PrivateKey
from .attest.statement import statement
from .audit import examine
from .docket import Docket
from .errors import FormatError, UsageError
from .evidence import benchmark as benchmarks
from .evidence.benchmark import Benchmark, GateReference, Origin, Tool
from .gates.baseline import Comparison
from .model import Gate, Measurement, Metric, OpenedEvidence, Plan, Policy, Report, Target
from .model.metric import Better
from .model.plan import public_target
from .openers import Openers
from .stats import summary
from .version import __version__

if TYPE_CHECKING:
    from .load import Snapshot
    from .reports.inputs import AuditedMeasurement

IGNORED_WHEN_DIRTY = ("artifacts", "ledger", "gates/keyring.toml")
"""Changes here do not make a measured tree dirty: evidence is committed after the code that it measures."""


@dataclass(frozen=True, slots=True)
class Order:
    """One measurement to make: paths in the plan are relative to `root`; the artifact is written to `artifact`."""

    plan: Plan
    root: Path
    artifact: Path
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class Benched:
    """What `bench` made."""

    artifact: Path
    benchmark: Benchmark
    metrics: Mapping[str, Metric]
    signed_by: str
    size: int


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` found, and the measurements behind it by artifact, for plots."""

    report: Report
    measurements: Mapping[str, Measurement]


# ── bench ────────────────────────────────────────────────────────────────────────────────────────────────────────


def bench(
    plan: Plan,
    *,
    root: Path,
    artifact: Path,
    signer: PrivateKey,
    gate: Gate | None = None,
    progress: Callable[[Snapshot], None] | None = None,
) -> Benched:
    """Measure `plan`, in turn with its second target where it has one, and write one signed artifact.

    Nothing is written unless the whole measurement was made.
    """
    return bench_together([Order(plan, root, artifact, gate)], signer=signer, progress=progress)[0]


def bench_together(
    orders: Sequence[Order], *, signer: PrivateKey, progress: Callable[[Snapshot], None] | None = None
) -> list[Benched]:
    """Measure all `orders` in turn (A B B A …), each with its second target, and write one signed artifact for each.

    Nothing is written unless every measurement was made.
    """
    from . import against, load, probe, targets
    from .load.clock import MonotonicClock

    for order in orders:
        store.check_writable(order.artifact)
    clock = MonotonicClock()
    with ExitStack() as stack:
        pairs: list[tuple[Plan, Target]] = []
        stated: list[tuple[Origin, dict[str, str], bool]] = []
        for order in orders:
            target = targets.resolve(order.plan.target, plan=order.plan, root=order.root)
            subject = {"target": public_target(order.plan.target), **target.identity()}
            pairs.append((order.plan, target))
            rival = stack.enter_context(against.rival(order.plan, order.root))
            if rival is not None:
                pairs.append((rival.plan, rival.target))
                subject |= rival.subject
            stated.append((origin_of(order.root, order.plan), subject, rival is not None))
        found = iter(load.run_many(pairs, clock, probe.environment(), progress=progress))
        measured = [(next(found), next(found) if has_rival else None) for _, _, has_rival in stated]
    return [
        seal(
            measurement,
            subject=subject,
            origin=origin,
            signer=signer,
            artifact=order.artifact,
            finished_at=measurement.finished_at or clock.wall(),
            gate=order.gate,
            against=other,
        )
        for order, (origin, subject, _), (measurement, other) in zip(orders, stated, measured, strict=True)
    ]


def seal(
    measurement: Measurement,
    *,
    subject: Mapping[str, str],
    origin: Origin,
    signer: PrivateKey,
    artifact: Path,
    finished_at: str,
    gate: Gate | None = None,
    against: Measurement | None = None,
) -> Benched:
    """State, sign and store one measurement, with that of the second target where there is one."""
    import uuid

    benchmark = Benchmark(
        run_id=uuid.uuid4().hex,
        finished_at=finished_at,
        tool=Tool("bizra-gate", __version__),
        measurement=measurement,
        subject=subject,
        source=origin,
        gate=_reference(gate) if gate is not None else None,
        against=against,
    )
    descriptor, predicate = benchmarks.state(benchmark)
    document = statement([descriptor], benchmarks.PREDICATE_TYPE, predicate)
    data = envelope.seal(document, [signer])
    store.write(artifact, data)
    return Benched(artifact, benchmark, benchmark.metrics(), signer.public.fingerprint, len(data))


def _reference(gate: Gate) -> GateReference:
    """The gate by its place in its repository, not by where the command ran."""
    path = Path(gate.file).absolute()
    return GateReference(gate.name, path.relative_to(opening.root_of(path)).as_posix(), gate.plan_digest or "")


def origin_of(root: Path, plan: Plan | None) -> Origin:
    """The tree at `root` now: commit, dirtiness, and the manifest over the plan's sources."""
    commit = repository.head(root, ignore=IGNORED_WHEN_DIRTY)
    entries = store.manifest(root, plan.sources) if plan is not None and plan.sources else []
    return Origin(
        commit=commit.commit if commit else None,
        tree=commit.tree if commit else None,
        dirty=commit.dirty if commit else None,
        manifest_sha256=manifest_sha256(entries) if entries else None,
        files=tuple(name for _, _, name in entries),
    )


# ── verify ───────────────────────────────────────────────────────────────────────────────────────────────────────


def verify(
    paths: Sequence[Path],
    *,
    now: str,
    keyring_path: Path | None = None,
    base: str | None = None,
    ledger: bool = False,
    keep_measurements: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Verified:
    """Open, recompute, audit and judge the evidence of every gate below `paths` (files or folders).

    With `base` the gates, the keyring and the waivers are those of that git revision; what the head does to them is
    told in the report's changes.
    """
    with Openers() as openers:

        def open_for(gate: Gate, root: Path, ring: keyring.Keyring | None) -> None:
            openers.offer(opening.tasks_of(gate, root, ring, now=now, keep_measurements=keep_measurements))

        if base is None:
            docketed = docket.here(paths, keyring_path, open_for)
        else:
            docketed = docket.at_base(paths, base, keyring_path)
            for gate in docketed.gates:
                root = opening.root_of(Path(gate.file))
                open_for(gate, root, docketed.ring(root))
        results = openers.results(progress)
    judged = docketed.gates
    evidence: dict[str, list[OpenedEvidence]] = {gate.name: [] for gate in judged}
    listed = _listed(docketed, now, base) if ledger else lambda gate, piece: piece
    for result in results:
        piece = gates.distrusted(result.evidence, docketed.faults)
        evidence[result.gate].append(listed(result.gate, piece))
    report = gates.evaluate(
        judged,
        evidence,
        now,
        waivers=docketed.waivers(now),
        references=baselines.references(judged, now, docketed.ring),
        baselines=baselines.opened(judged, now, docketed.ring),
        compare=_compare,
        merge=pooling.merged,
        notes=docketed.notes,
        changes=docketed.changes,
    )
    return Verified(report, {r.evidence.file: r.measurement for r in results if r.measurement is not None})


def _compare(
    base: Sequence[float],
    head: Sequence[float],
    better: Better,
    margin: float,
    confidence: float = 0.95,
    *,
    paired: bool = False,
    slack: float = 0.0,
) -> Comparison:
    """Loaded when a check has a baseline, and not before."""
    from .stats.compare import compare_processes

    return compare_processes(base, head, better, margin, confidence, paired=paired, slack=slack)


def _listed(docketed: Docket, now: str, base: str | None) -> Callable[[str, OpenedEvidence], OpenedEvidence]:
    """Evidence as ``--ledger`` sees it: only what a sound ledger of its repository lists is trusted."""
    from . import ledgers

    moment = parse_instant(now)
    roots = {gate.name: opening.root_of(Path(gate.file)) for gate in docketed.gates}
    faults = {root: ledgers.check(root, docketed.ring(root), moment, base=base) for root in set(roots.values())}
    states = {root: None if faults[root] else ledgers.read(root) for root in faults}
    return lambda gate, piece: ledgers.included(piece, faults[roots[gate]], states[roots[gate]])


# ── audit ────────────────────────────────────────────────────────────────────────────────────────────────────────


def audit_measurement(measurement: Measurement, policy: Policy, file: str) -> AuditedMeasurement:
    """One measurement before the audit, with the metrics that it gives."""
    from .reports.inputs import AuditedMeasurement

    metrics = summary.summarize(measurement)
    return AuditedMeasurement(file, measurement, examine(measurement, policy), metrics)


def decode_artifact(data: bytes, file: str) -> Benchmark:
    """The benchmark in an artifact of right form, whoever signed it: for looking at it, never for a verdict."""
    sealed = envelope.read(data, file)
    document = sealed.unverified_statement()
    return benchmarks.decode(document["predicate"], document["subject"])


def import_measurement(
    measurement: Measurement, file: Path, *, root: Path, artifact: Path, signer: PrivateKey
) -> Benched:
    """Sign what another tool measured; the file that it wrote is the subject, by digest.

    Raises `FormatError` where a kept value is NaN or infinite: `audit` shows it, but no record can hold it.
    """
    from .load.clock import MonotonicClock

    if not all(math.isfinite(value) for run in measurement.runs for value in run.values):
        raise FormatError(
            f"{file}: holds a value that is not a finite number; nothing was signed",
            hint="bizra-gate audit says which; such a measurement is INVALID",
        )
    source = dataclasses.replace(measurement.source, file=_within(root, file))
    measurement = dataclasses.replace(measurement, source=source)
    subject = {
        "target": measurement.name or file.name,
        "file": file.name,
        "file_sha256": store.digest(file) if file.is_file() else "",
        "measured_by": f"{source.tool} {source.version or ''}".strip(),
    }
    return seal(
        measurement,
        subject=subject,
        origin=origin_of(root, None),
        signer=signer,
        artifact=artifact,
        finished_at=measurement.finished_at or MonotonicClock().wall(),
    )


def _within(root: Path, file: Path) -> str:
    """`file` as seen from `root`, or its bare name: what folders the importer's machine has is nobody's business."""
    whole, base = file.resolve(), root.resolve()
    return whole.relative_to(base).as_posix() if whole.is_relative_to(base) else file.name


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def trust(
    public_path: Path,
    keyring_path: Path,
    *,
    owner: str | None = None,
    roles: tuple[str, ...] = ("*",),
    not_before: str | None = None,
    not_after: str | None = None,
) -> keyring.TrustedKey:
    """Add the public key in `public_path` to the keyring file, which is made where there is none."""
    from . import keystore

    if not public_path.exists():
        raise UsageError(f"{public_path}: no such public key", hint="make a key pair first: bizra-gate keygen")
    public = keystore.read_public(public_path)
    start, end = _instant(not_before), _instant(not_after)
    with store.locked(keyring_path.parent):
        before = store.read_definition(keyring_path)[0] if keyring_path.exists() else ""
        text = add_key(
            before,
            public,
            owner=owner or _owner(),
            roles=roles,
            not_before=start,
            not_after=end,
            file=str(keyring_path),
        )
        parsed = keyring.parse_keyring(text, str(keyring_path))
        store.write(keyring_path, text.encode())
    return next(key for key in parsed.keys if key.public == public)


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _owner() -> str:
    """Who git says is working here; a keyring without owners helps nobody."""
    said = repository.user(Path.cwd())
    return said or "unnamed"


def with_overrides(plan: Plan, **changes: object) -> Plan:
    """`plan` with what the command line asks differently."""
    return dataclasses.replace(plan, **{name: value for name, value in changes.items() if value is not None})  # type: ignore[arg-type]


__all__ = [
    "Benched",
    "Order",
    "Verified",
    "audit_measurement",
    "bench",
    "bench_together",
    "decode_artifact",
    "gates",
    "is_artifact",
    "origin_of",
    "seal",
    "trust",
    "verify",
    "with_overrides",
]
