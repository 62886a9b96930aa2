"""What can be gated, by kind of evidence: names, units, directions, and whether a figure is a plain fact.

One registry for every kind. A metric that is *exact* was counted or observed as a whole (110 tests passed, the
slowest of all operations): it needs no interval. Every other metric stands for more than was looked at, and
without an interval it cannot pass.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from bizra_gate.model.metric import Better, MetricKind, benchmark_metric_names, percentile_of
from bizra_gate.model.metric import kind_of as benchmark_kind_of


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """What the name of a metric says before anything is measured."""

    name: str
    unit: str
    better: Better
    exact: bool


@dataclass(frozen=True, slots=True)
class Family:
    """Metrics whose middle part the evidence names itself, such as ``ratio.json_valid``."""

    prefix: str
    unit: str
    better: Better
    exact: bool
    suffix: str = ""

    @property
    def shape(self) -> str:
        return f"{self.prefix}<name>{self.suffix}"

    def holds(self, name: str) -> bool:
        middle = name.removeprefix(self.prefix).removesuffix(self.suffix)
        return name == f"{self.prefix}{middle}{self.suffix}" and _NAME.match(middle) is not None


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    """One kind of evidence: what its `n` counts, and its metrics."""

    counted: str
    fixed: Mapping[str, MetricFacts] = field(default_factory=dict)
    families: tuple[Family, ...] = ()


_PRINTABLE = re.compile(r"[!-~]+")
_NAME = re.compile(r"^[A-Za-z0-9_](?:[A-Za-z0-9_./-]{0,98}[A-Za-z0-9_])?\Z")


def _exact(unit: str, better: Better, *names: str) -> dict[str, MetricFacts]:
    return {name: MetricFacts(name, unit, better, exact=True) for name in names}


KINDS: dict[str, EvidenceKind] = {
    "benchmark": EvidenceKind("operations"),
    "ratio": EvidenceKind("cases", families=(Family("ratio.", "ratio", "neither", exact=False),)),
    "determinism": EvidenceKind(
        "runs",
        _exact("ratio", "higher", "determinism.agreement")
        | _exact("1", "lower", "determinism.distinct")
        | _exact("1", "higher", "determinism.runs", "determinism.hosts"),
    ),
    "attestation": EvidenceKind(
        "signatures",
        _exact("1", "higher", "attestation.valid", "attestation.signatures", "attestation.signers"),
    ),
    "tests": EvidenceKind(
        "tests",
        _exact("1", "higher", "tests.passed", "tests.total")
        | _exact("1", "lower", "tests.failed", "tests.errors", "tests.skipped")
        | _exact("ratio", "higher", "tests.pass_ratio")
        | _exact("ns", "lower", "tests.duration"),
    ),
    "coverage": EvidenceKind(
        "lines",
        _exact("ratio", "higher", "coverage.line", "coverage.branch", "coverage.function")
        | _exact("1", "higher", "coverage.lines"),
    ),
    "scan": EvidenceKind(
        "rules",
        _exact(
            "1",
            "lower",
            *(f"findings.{level}" for level in ("critical", "high", "medium", "low")),
            *(f"findings.{level}" for level in ("error", "warning", "note", "total", "suppressed")),
        )
        | _exact("1", "higher", "scan.rules"),
    ),
    "sbom": EvidenceKind(
        "components",
        _exact("1", "higher", "sbom.present", "sbom.components")
        | _exact("1", "lower", "sbom.unlicensed", "sbom.unpinned")
        | _exact("ratio", "higher", "sbom.licensed", "sbom.pinned", "sbom.hashed"),
    ),
    "timeline": EvidenceKind(
        "events",
        _exact("ratio", "higher", "timeline.availability")
        | _exact("1", "higher", "timeline.complete", "timeline.events"),
        (
            Family("timeline.", "1", "neither", exact=True, suffix=".count"),
            Family("timeline.", "ns", "neither", exact=True),
        ),
    ),
}
"""Kind of evidence → what can be gated in it. A new kind is one entry here and one file in `evidence/`."""

_BENCHMARK_FACTS = ("operations", "memory.peak", "concurrency.mean", "rate.achieved")
_EXTREMES = (".min", ".max")
AGAINST = "against."
"""Prefix of the metrics of a second target that was measured in turn with the first (``bench --against``)."""


@lru_cache(maxsize=512)
def facts_of(name: str, kind: str) -> MetricFacts | None:
    """What metric `name` of evidence of `kind` is, or None where it has no such metric."""
    if not _PRINTABLE.fullmatch(name):
        return None
    if kind == "benchmark":
        return _benchmark_facts(name)
    known = KINDS.get(kind)
    if known is None:
        return None
    if name in known.fixed:
        return known.fixed[name]
    family = next((family for family in known.families if family.holds(name)), None)
    return MetricFacts(name, family.unit, family.better, family.exact) if family else None


def _benchmark_facts(name: str) -> MetricFacts | None:
    bare = name.removeprefix(AGAINST)
    known: MetricKind | None = benchmark_kind_of(bare)
    if known is None or not _is_canonical(bare):
        return None
    exact = bare in _BENCHMARK_FACTS or bare.endswith(_EXTREMES)
    return MetricFacts(name, known.unit, known.better, exact)


def _is_canonical(name: str) -> bool:
    """One spelling for one percentile: ``p99.9``, not ``p99.90``, so that the name is found in the evidence."""
    percentile = percentile_of(name.partition(".")[2])
    return percentile is None or name.endswith(f".p{percentile:g}")


def names_of(kind: str) -> tuple[str, ...]:
    """Every name that a person can write for `kind`, open ones as ``ratio.<name>``; for messages."""
    if kind == "benchmark":
        return (*benchmark_metric_names(), "outcome.<label>.ratio")
    known = KINDS[kind]
    return (*known.fixed, *(family.shape for family in known.families))


def nearest(name: str, kind: str) -> str:
    """A hint for a metric that `kind` does not have: another kind that has it, or the nearest name."""
    other = next((k for k in KINDS if k != kind and facts_of(name, k) is not None), None)
    if other is not None:
        return f'{name} is a metric of kind = "{other}", and this evidence is of kind = "{kind}"'
    whole = f"latency.{name}"  # as people say: p99
    if facts_of(whole, kind) is not None:
        return f'Did you mean "{whole}"?'
    near = difflib.get_close_matches(name[:200], names_of(kind), n=1, cutoff=0.5)
    return f'Did you mean "{near[0]}"?' if near else ""


def counted(kind: str) -> str:
    """What `n` counts in evidence of `kind`: operations, cases, tests …"""
    return KINDS[kind].counted if kind in KINDS else "values"
