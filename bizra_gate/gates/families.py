"""All checks of one gate on its evidence, each on its own or together as a family by Holm's method."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bizra_gate.model import Check, CheckReport, Gate, OpenedEvidence
from bizra_gate.model.metric import percentile_of

from .admit import Exhibit, Merge, admitted
from .baseline import Compare
from .judge import Context, rule, served
from .metrics import AGAINST, MetricFacts, facts_of
from .rulings import Ruling, report_of, worst

DECIDED = ("pass", "fail")


@dataclass(frozen=True, slots=True)
class Courtroom:
    """What the judge is given besides gates and evidence; all of it computed in other rooms."""

    now: datetime
    references: Mapping[tuple[str, str], OpenedEvidence] = field(default_factory=dict)
    """(gate name, path in the gate file) → an artifact that limits refer to, audited by that gate's own policy."""
    baselines: Mapping[tuple[str, str], Sequence[OpenedEvidence]] = field(default_factory=dict)
    """(gate name, check id) → the opened baseline; several for a window of history."""
    compare: Compare | None = None
    merge: Merge | None = None


def check_reports(gate: Gate, exhibits: Sequence[Exhibit], room: Courtroom) -> tuple[CheckReport, ...]:
    """The outcome of every check of `gate`, in the order of the file."""

    def ruled(check: Check, confidence: float) -> Ruling:
        return _ruled(gate, check, exhibits, room, confidence)

    family = [check for check in gate.checks if gate.family == "holm" and not is_exact(gate, check)]
    together = holm(family, ruled)
    return tuple(report_of(check, together.get(check.id) or ruled(check, check.confidence)) for check in gate.checks)


def _ruled(gate: Gate, check: Check, exhibits: Sequence[Exhibit], room: Courtroom, confidence: float) -> Ruling:
    exhibit = next((one for one in exhibits if check.evidence in (None, one.spec.name)), None)
    if exhibit is None or not exhibit.pieces:
        return Ruling("missing", f"{check.id} reads the evidence {check.evidence}, which the gate does not have.")
    own = {piece.file: piece for one in exhibits for piece in one.pieces}
    asked = wanted_references(gate) if room.references else ()
    named = ((path, room.references.get((gate.name, path))) for path in asked)
    others = {path: admitted(exhibit.spec, piece, room.now) for path, piece in named if piece is not None}
    earlier = [admitted(exhibit.spec, piece, room.now) for piece in room.baselines.get((gate.name, check.id), ())]
    context = Context(others | own, earlier, room.compare)
    pieces = exhibit.judged
    if exhibit.spec.aggregate == "merge" and len(pieces) > 1:
        return _merged(check, exhibit, pieces, context, room.merge, confidence)
    return _worst_of(check, pieces, context, confidence)


def _worst_of(check: Check, pieces: Sequence[OpenedEvidence], context: Context, confidence: float) -> Ruling:
    """The worst outcome over all pieces, of equal ones the worst figure; with several the reason says whose it is."""
    if len(pieces) == 1:
        return rule(check, pieces[0], _beside(context, pieces[0]), confidence)
    rulings = {piece.file: rule(check, piece, _beside(context, piece), confidence) for piece in pieces}
    facts = facts_of(check.metric, pieces[0].kind)
    decisive = worst(sorted(rulings.values(), key=lambda ruling: _goodness(ruling, facts)))
    file = next(file for file, ruling in rulings.items() if ruling is decisive)
    return replace(decisive, reason=f"Worst of {len(pieces)}, {file}: {decisive.reason}")


def _beside(context: Context, piece: OpenedEvidence) -> Context:
    """Of several artifacts, each is compared with what it was itself, not with what its neighbours were."""
    own = [one for one in context.earlier if one.stands_for in (None, piece.file)]
    return context if len(own) == len(context.earlier) else replace(context, earlier=own)


def _goodness(ruling: Ruling, facts: MetricFacts | None) -> float:
    """Grows with how good the figure of a ruling is; the same for all where neither direction is better."""
    estimate = ruling.metric.estimate if ruling.metric is not None else None
    if estimate is None or facts is None or math.isnan(estimate):
        return -math.inf
    return {"lower": -estimate, "higher": estimate, "neither": 0.0}[facts.better]


def _merged(
    check: Check,
    exhibit: Exhibit,
    pieces: Sequence[OpenedEvidence],
    context: Context,
    merge: Merge | None,
    confidence: float,
) -> Ruling:
    if len(exhibit.usable) < len(pieces) or not exhibit.complete:
        return _worst_of(check, pieces, context, confidence)
    if merge is None:
        return Ruling("inconclusive", f"{len(pieces)} artifacts are to be merged, and nothing here can merge them.")
    ruling = rule(check, merge(pieces), context, confidence)
    return replace(ruling, reason=f"Merged from {len(pieces)} artifacts: {ruling.reason}")


# ── Holm ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def holm(checks: Sequence[Check], ruled: Callable[[Check, float], Ruling]) -> dict[str, Ruling]:
    """Holm's step-down method with intervals instead of p values.

    With m checks undecided, all are read at confidence 1 − α/m. What an interval decides at that confidence is
    decided, and the rest are read again at 1 − α/(what is left), until nothing more is decided. The chance that any
    decision of the family is wrong is then at most α (Holm 1979, Scandinavian Journal of Statistics 6, 65–70).
    Returns the ruling of each check by its id.
    """
    rulings: dict[str, Ruling] = {}
    left = list(checks)
    while left:
        rulings |= {check.id: ruled(check, stepped(check.confidence, len(left))) for check in left}
        still = [check for check in left if rulings[check.id].verdict not in DECIDED]
        if len(still) == len(left):
            break
        left = still
    return rulings


def stepped(confidence: float, checks: int) -> float:
    """The confidence of each of `checks` undecided checks, so that all together keep `confidence`."""
    return confidence if checks == 1 else 1 - (1 - confidence) / checks


def confidences(gate: Gate) -> tuple[float, ...]:
    """Every confidence at which this gate's checks read their evidence, ascending; intervals are wanted at each."""
    spread = [check for check in gate.checks if not is_exact(gate, check)]
    sizes = range(1, len(spread) + 1) if gate.family == "holm" else (1,)
    return tuple(sorted({stepped(check.confidence, size) for check in spread for size in sizes}))


@dataclass(frozen=True, slots=True)
class WantedBaseline:
    """A baseline that a check needs: the artifacts of its evidence, as they stand at `ref`."""

    check: str
    ref: str
    artifacts: tuple[str, ...]


def wanted_baselines(gate: Gate) -> tuple[WantedBaseline, ...]:
    """What has to be opened for `evaluate(..., baselines=…)`, keyed there by (gate name, check id)."""
    return tuple(
        WantedBaseline(check.id, check.baseline.ref, spec.artifacts)
        for check in gate.checks
        if check.baseline is not None and check.baseline.ref != "against"
        for spec in gate.evidence
        if check.evidence in (None, spec.name)
    )


def wanted_references(gate: Gate) -> tuple[str, ...]:
    """Artifacts that limits of this gate refer to and that are not its own evidence."""
    own = {path for spec in gate.evidence for path in spec.artifacts}
    limits = (limit for check in gate.checks for limit in (check.limit, check.warn) if limit is not None)
    named = (limit.reference.artifact for limit in limits if limit.reference is not None)
    return tuple(sorted({path for path in named if path is not None and path not in own}))


def wanted_percentiles(gate: Gate) -> tuple[float, ...]:
    """Percentiles (0 < p < 100) that the gate's checks and limits speak of, for those who compute them."""
    limits = (limit for check in gate.checks for limit in (check.limit, check.warn) if limit is not None)
    names = [check.metric for check in gate.checks]
    names += [limit.reference.metric for limit in limits if limit.reference is not None]
    found = (percentile_of(name.removeprefix(AGAINST).partition(".")[2]) for name in names)
    return tuple(sorted({p for p in found if p is not None}))


def wanted_metrics(gate: Gate) -> frozenset[str]:
    """Every metric that judging `gate` may look at, in its evidence and in what that is compared with."""
    limits = (limit for check in gate.checks for limit in (check.limit, check.warn) if limit is not None)
    read = [name for check in gate.checks for name in (check.metric, served(check.metric), f"{AGAINST}{check.metric}")]
    return frozenset([*read, *(limit.reference.metric for limit in limits if limit.reference is not None)])


def is_exact(gate: Gate, check: Check) -> bool:
    """Whether the check's metric is a plain fact that needs no interval."""
    kind = next((spec.kind for spec in gate.evidence if check.evidence in (None, spec.name)), "benchmark")
    facts = facts_of(check.metric, kind)
    return facts is not None and facts.exact
