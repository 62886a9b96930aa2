"""From what was typed to the measurements that `bench` makes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import against, opening, repository
from ..errors import UsageError
from ..evidence.benchmark import GIT
from ..gates.measure import RUNS_AGAINST, mean_rate, parse_stages
from ..model import ClosedLoop, CommandOptions, Gate, HttpRequest, Load, OpenLoop, Plan, Warmup
from ..model.plan import Arrivals, Collector, Stage, public_target
from ..targets.command import variants
from ..units import NS_PER_S, UnitError, format_time
from . import target_options, values

SCHEMES = ("http://", "https://", "py:", "cmd:")
PROFILES = {
    "smoke": (2 * NS_PER_S, 10 * NS_PER_S),
    "standard": (30 * NS_PER_S, 120 * NS_PER_S),
    "soak": (60 * NS_PER_S, 3600 * NS_PER_S),
}
"""Warm-up and duration; only standard and soak satisfy the default policy."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of `bench` as values; None where an option was not given."""

    duration_ns: int | None = None
    warmup_ns: int | None = None
    until_steady_ns: int | None = None
    runs: int | None = None
    workers: int | None = None
    rate_per_s: float | None = None
    concurrency: int | None = None
    arrivals: str | None = None
    stages: str | None = None
    think_ns: int | None = None
    timeout_ns: int | None = None
    profile: str | None = None
    against: str | None = None
    method: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    expect_status: tuple[int, ...] = ()
    expect_body: str | None = None
    prepare: str | None = None
    shell: bool = False
    name: str | None = None
    gc: str | None = None
    seed: int | None = None
    max_in_flight: int | None = None
    data: Path | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    follow_redirects: bool = False
    new_connections: bool = False
    insecure: bool = False
    expect_exit: tuple[int, ...] = ()
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """One measurement to make and where its artifact goes."""

    title: str
    plan: Plan
    root: Path
    artifact: Path
    gate: Gate | None = None


def jobs(what: list[str], asked: Asked, artifact: Path | None) -> list[Job]:
    """One job per gate with a ``[measure]``, or one for a target."""
    what = [_with_lower_scheme(text) for text in what]
    targets = [text for text in what if text.startswith(SCHEMES)]
    if not targets:
        return _gate_jobs(what, asked, artifact)
    if len(what) > 1:
        raise UsageError(
            f"one TARGET at a time: got {', '.join(map(public_target, what))}",
            hint="write a gate file for each, see init",
        )
    return _target_jobs(targets[0], asked, artifact)


def _with_lower_scheme(text: str) -> str:
    """``HTTP://host/`` is ``http://host/`` (RFC 3986 §3.1)."""
    scheme, colon, rest = text.partition(":")
    return f"{scheme.lower()}:{rest}" if colon and f"{scheme}:{rest}".lower().startswith(SCHEMES) else text


def in_turn(jobs: list[Job]) -> list[list[Job]]:
    """Jobs that are measured together, run by run; where each has one run there is nothing to take turns with."""
    several = len(jobs) > 1 and any(job.plan.runs > 1 for job in jobs)
    return [jobs] if several else [[job] for job in jobs]


def _gate_jobs(what: list[str], asked: Asked, artifact: Path | None) -> list[Job]:
    paths = [Path(text) for text in what]
    for text, path in zip(what, paths, strict=True):
        if not path.exists():
            scheme = "a target starts with http://, https://, py: or cmd:"
            raise UsageError(
                f"{text}: neither a file nor a target", hint=f"{scheme}; or a gate: {opening.where_gates_are(path)}"
            )
    measured = [gate for gate in opening.read_gates(paths) if gate.plan is not None]
    if artifact is not None and len(measured) != 1:
        raise UsageError(f"--artifact names one file, but {len(measured)} gates are to be measured")
    return [_gate_job(gate, asked, artifact) for gate in measured]


def _gate_job(gate: Gate, asked: Asked, artifact: Path | None) -> Job:
    assert gate.plan is not None
    if any(len(several) > 1 for several in asked.parameters.values()):
        raise UsageError(f"--param: {gate.name} is one gate with one artifact; give each parameter one value")
    root = opening.root_of(Path(gate.file))
    place = artifact or root / gate.evidence[0].artifacts[0]
    return Job(gate.name, overridden(gate.plan, asked), root, place, gate)


def _target_jobs(target: str, asked: Asked, artifact: Path | None) -> list[Job]:
    """One job, or with parameters one for each of their combinations."""
    name = asked.name or values.name_of(target)
    warmup_ns, duration_ns = PROFILES["standard"]
    plan = Plan(
        target=target,
        load=ClosedLoop(),
        warmup=Warmup(warmup_ns),
        duration_ns=duration_ns,
        name=name,
        http=HttpRequest() if target.startswith(("http://", "https://")) else None,
        command=CommandOptions() if target.startswith("cmd:") else None,
        sources=_own_source(target),
    )
    root = repository.top(Path.cwd()) or Path.cwd()
    plans = variants(overridden(plan, asked))
    if artifact is not None and len(plans) > 1:
        raise UsageError(f"--artifact names one file, but the parameters make {len(plans)} measurements")
    files = [artifact or Path("artifacts") / f"{values.file_name(one.name or name)}.json" for one in plans]
    if len(set(files)) < len(files):
        raise UsageError("two values of a parameter make the same file name", hint="write them so that letters differ")
    return [Job(one.name or name, one, root, file) for one, file in zip(plans, files, strict=True)]


def _own_source(target: str) -> tuple[str, ...]:
    """``py:path/to/file.py:attr`` is bound to that file, if it lies in the repository."""
    if not target.startswith("py:") or not target.rpartition(":")[0].endswith(".py"):
        return ()
    file = Path(target.removeprefix("py:").rpartition(":")[0])
    root = repository.top(Path.cwd()) or Path.cwd()
    try:
        return (file.absolute().resolve().relative_to(root.resolve()).as_posix(),)
    except ValueError:
        return ()


def overridden(plan: Plan, asked: Asked) -> Plan:
    """`plan` with everything that was asked differently on the command line."""
    load = _load(plan.load, asked)
    whole = dataclasses.replace(
        plan,
        load=load,
        warmup=_warmup(plan.warmup, asked),
        duration_ns=_duration(plan, load, asked),
        runs=_runs(plan, asked),
        workers=_first(asked.workers, plan.workers),
        timeout_ns=_first(asked.timeout_ns, plan.timeout_ns),
        name=asked.name or plan.name,
        against=_against(asked.against) or plan.against,
        http=target_options.http(plan, asked),
        command=target_options.command(plan, asked),
        gc=_gc(asked.gc) or plan.gc,
        seed=_first(asked.seed, plan.seed),
    )
    whole = dataclasses.replace(whole, sources=target_options.sources(whole))
    against.check(whole)
    return whole


def _gc(text: str | None) -> Collector | None:
    if text not in (None, "on", "off", "freeze"):
        raise UsageError(f"--gc: got {text!r}, expected on, off or freeze")
    return text  # type: ignore[return-value]


def _against(text: str | None) -> str | None:
    """A target as it is; anything else is a git revision."""
    return text if text is None or text.startswith((*SCHEMES, GIT)) else f"{GIT}{text}"


def _runs(plan: Plan, asked: Asked) -> int:
    """One process has no spread, so two that are compared are measured five times each where nobody says otherwise."""
    compared = asked.against is not None and plan.runs == 1
    return _first(asked.runs, RUNS_AGAINST if compared else plan.runs)


def _duration(plan: Plan, load: Load, asked: Asked) -> int:
    """Stages last as long as they say; everything else as long as was asked."""
    staged = sum(stage.duration_ns for stage in load.stages) if isinstance(load, OpenLoop) else 0
    if staged and asked.duration_ns not in (None, staged):
        raise UsageError(f"--duration: the stages last {format_time(staged)}; leave it out")
    return staged or _first(asked.duration_ns, _profile(asked)[1], plan.duration_ns)


def _first(*choices: int | None) -> int:
    return next(choice for choice in choices if choice is not None)


def _profile(asked: Asked) -> tuple[int | None, int | None]:
    if asked.profile is None:
        return None, None
    if asked.profile not in PROFILES:
        raise UsageError(f"--profile: got {asked.profile!r}, expected {', '.join(PROFILES)}")
    return PROFILES[asked.profile]


def _warmup(warmup: Warmup, asked: Asked) -> Warmup:
    at_least = _first(asked.warmup_ns, _profile(asked)[0], warmup.at_least_ns)
    if asked.until_steady_ns is None:
        return dataclasses.replace(warmup, at_least_ns=at_least)
    if asked.until_steady_ns < at_least:
        raise UsageError("--until-steady: the most that warm-up may last is shorter than --warmup")
    return Warmup(at_least, until_steady=True, at_most_ns=asked.until_steady_ns)


def _load(load: Load, asked: Asked) -> Load:
    opened = asked.rate_per_s is not None or asked.stages is not None
    if opened and (asked.concurrency is not None or asked.think_ns is not None):
        raise UsageError("--rate and --stages are an open loop, --concurrency and --think a closed one: choose one")
    of_open = {"--arrivals": asked.arrivals, "--max-in-flight": asked.max_in_flight}
    stays_open = isinstance(load, OpenLoop) and asked.concurrency is None and asked.think_ns is None
    if opened or (stays_open and (asked.seed is not None or any(value is not None for value in of_open.values()))):
        return _open(load, asked)
    for option, value in of_open.items():
        if value is not None:
            raise UsageError(f"{option} belongs to an open loop: give --rate as well")
    if asked.concurrency is None and asked.think_ns is None:
        return load
    before = load if isinstance(load, ClosedLoop) else ClosedLoop()
    return ClosedLoop(_first(asked.concurrency, before.concurrency), _first(asked.think_ns, before.think_ns))


def _open(load: Load, asked: Asked) -> OpenLoop:
    before = load if isinstance(load, OpenLoop) else OpenLoop(rate_per_s=0.0)
    if asked.stages is not None and asked.rate_per_s is not None:
        raise UsageError("either --rate or --stages, not both")
    stages = _stages(asked.stages) if asked.stages is not None else ()
    rate = asked.rate_per_s or (mean_rate(stages) if stages else before.rate_per_s)
    return dataclasses.replace(
        before,
        rate_per_s=rate,
        arrivals=_arrivals(asked.arrivals) or before.arrivals,
        stages=() if asked.rate_per_s is not None else stages or before.stages,
        max_in_flight=_first(asked.max_in_flight, before.max_in_flight),
        seed=_first(asked.seed, before.seed),
    )


def _arrivals(text: str | None) -> Arrivals | None:
    if text not in (None, "constant", "poisson"):
        raise UsageError(f"--arrivals: got {text!r}, expected constant or poisson")
    return text  # type: ignore[return-value]


def _stages(text: str) -> tuple[Stage, ...]:
    try:
        return parse_stages(text)
    except UnitError as error:
        raise UsageError(f"--stages: {error}") from error
