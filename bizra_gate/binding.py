"""What a valid signature does not say: that the evidence is fresh, and about this code, this plan, this machine.

Each function returns the reasons why evidence must not be believed here; none means that it holds.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from . import store
from .attest.digest import manifest_sha256
from .attest.instant import parse_instant
from .errors import UsageError
from .evidence.benchmark import Benchmark
from .gates import plan_digest, plan_document
from .model import Environment, EvidenceSpec, Gate, Reason
from .units import format_time

CLOCK_SKEW = timedelta(minutes=5)
"""How far in the future evidence may lie: clocks of two machines differ, a forged date differs by more."""


def freshness(finished_at: str, now: datetime, max_age_ns: int | None) -> Iterator[Reason]:
    """Not from the future, and not older than the gate allows."""
    try:
        finished = parse_instant(finished_at)
    except ValueError as error:
        yield Reason("freshness.unreadable", f"finished_at: {error}")
        return
    if finished > now + CLOCK_SKEW:
        yield Reason("freshness.future", f"measured at {finished_at}, which has not come yet")
    age = now - finished
    if max_age_ns is not None and age / timedelta(microseconds=1) * 1000 > max_age_ns:
        shown = format_time(age / timedelta(microseconds=1) * 1000)
        yield Reason(
            "freshness.stale", f"measured {shown} ago; the gate accepts {format_time(max_age_ns)}: measure again"
        )


def plan(gate: Gate, benchmark: Benchmark) -> Iterator[Reason]:
    """The evidence was made as the gate's ``[measure]`` asks, by the digest of both plans."""
    if gate.plan is None:
        return
    made = benchmark.measurement.plan
    if made is None:
        yield Reason("binding.plan", "made without a plan, but the gate says how it must be measured")
    elif plan_digest(made) != gate.plan_digest:
        differences = "; ".join(_differences(gate, benchmark)) or "see plan in the artifact"
        short = "measured by another plan than the gate's [measure]"
        yield Reason("binding.plan", f"{short}: {differences}", short)


def _differences(gate: Gate, benchmark: Benchmark) -> Iterator[str]:
    if gate.plan is None or benchmark.measurement.plan is None:
        return
    asked, made = _flat(plan_document(gate.plan)), _flat(plan_document(benchmark.measurement.plan))
    for name in sorted(set(asked) | set(made)):
        if asked.get(name) != made.get(name) and name != "name":
            yield f"{_label(name)} is {_shown(name, made.get(name))}, the gate asks {_shown(name, asked.get(name))}"


def _flat(document: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested members by dotted name."""
    flat: dict[str, object] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _label(name: str) -> str:
    return name.removesuffix("_ns").removesuffix("_per_s").replace("_", " ")


def _shown(name: str, value: object) -> str:
    """A member of a plan as a person would write it."""
    if value is None:
        return "not set"
    if name.endswith("_ns") and isinstance(value, int):
        return format_time(value)
    return f"{value}/s" if name.endswith("_per_s") else str(value)


def sources(root: Path, gate: Gate, spec: EvidenceSpec, benchmark: Benchmark) -> Iterator[Reason]:
    """The files that were measured are the files that are here."""
    patterns = spec.sources or (gate.plan.sources if gate.plan else ())
    if not patterns:
        return
    recorded = benchmark.source.manifest_sha256
    if recorded is None:
        yield Reason("binding.sources", f"bound to no source files, but the gate names {', '.join(patterns)}")
        return
    try:
        entries = store.manifest(root, patterns)
    except UsageError as error:
        yield Reason("binding.sources", error.message)
        return
    if manifest_sha256(entries) != recorded:
        here = tuple(name for _, _, name in entries)
        moved = sorted(set(here) ^ set(benchmark.source.files))
        detail = f"files differ: {', '.join(moved)}" if moved else f"one of {', '.join(here)} has changed"
        yield Reason("binding.sources", f"the measured source is not the source here ({detail}): measure again")


def clean_tree(spec: EvidenceSpec, benchmark: Benchmark) -> Iterator[Reason]:
    """Measured from what was committed."""
    if benchmark.source.dirty and not spec.allow_dirty:
        yield Reason(
            "binding.dirty",
            "measured with uncommitted changes in the tree: commit and measure again, or say allow_dirty = true",
        )


def environment(spec: EvidenceSpec, benchmark: Benchmark) -> Iterator[Reason]:
    """Measured where the gate wants it measured; patterns as in a shell."""
    facts = environment_facts(benchmark) if spec.environment else {}
    for name, wanted in spec.environment.items():
        got = facts.get(name)
        if got is None or not fnmatch.fnmatchcase(got, wanted):
            yield Reason("binding.environment", f"{name} was {got or 'not recorded'}; the gate asks for {wanted}")


def environment_facts(benchmark: Benchmark) -> dict[str, str]:
    """Scalar facts of the machine and of the subject by name, as text; no other fact takes the place of a machine's."""
    from .evidence import codec

    recorded = benchmark.measurement.environment
    facts = codec.encode(recorded) if recorded is not None else {}
    flat = {name: str(value) for name, value in facts.items() if not isinstance(value, dict | list)}
    nested: Mapping[str, str] = facts.get("packages", {}) | facts.get("flags", {})
    return dict(benchmark.subject) | dict(nested) | flat


def machine_of(recorded: Environment | None) -> dict[str, str]:
    """What must be equal for two measurements to be compared, of that what was recorded: processor, cores, system,
    architecture, Python x.y.

    A Python that was built without profile-guided optimisation is another one.
    """
    if recorded is None:
        return {}
    python = None if recorded.python is None else ".".join(recorded.python.split(".")[:2])
    if python is not None and recorded.unoptimised_python:
        python += " built without --enable-optimizations"
    facts = {
        "processor": recorded.cpu_model,
        "cores": recorded.cpu_count,
        "system": recorded.system,
        "architecture": recorded.architecture,
        "Python": python,
    }
    return {name: str(value) for name, value in facts.items() if value is not None}


def environment_key(benchmark: Benchmark) -> str:
    """`machine_of` in one line, with a question mark for what was not recorded."""
    known = machine_of(benchmark.measurement.environment)
    parts = [known.get(name, "?") for name in ("processor", "cores", "system", "architecture")]
    return " / ".join([*parts, f"Python {known['Python']}" if known.get("Python") else "?"])
