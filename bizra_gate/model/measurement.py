"""What was measured, by us or by another tool, in one noun that every audit rule reads.

An importer fills in what its tool said and leaves the rest ``None``: ``None`` means *not measured*, ``0`` means
*measured, and zero*. Times are nanoseconds; offsets count from the start of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .distribution import Distribution
from .plan import Plan
from .quick import quick

Loop = Literal["closed", "open", "paced-closed", "batch"]
"""closed: each user waits for its answer · open: sends do not wait · paced-closed: a rate is asked for, but a slow
answer holds back the next send · batch: a micro-benchmark that repeats one operation in one thread."""

LatencyOrigin = Literal["intended", "send", "after-acquire"]
"""From when a latency counts: the intended start, the actual send, or after a connection was had."""

PercentileMethod = Literal[
    "ceil-rank", "nearest-rank", "linear", "hdr", "tdigest", "ddsketch", "buckets", "tail-mean", "unknown"
]


@quick
@dataclass(frozen=True, slots=True)
class Figure:
    """A number as its tool gave it, in base units, and the width of its last printed digit.

    `resolution` is the quantum of the source in the same unit: the printed ``1.39 ms`` has value 1_390_000 and
    resolution 10_000. The true value lies within half a resolution. 0 means exact.
    """

    value: float
    resolution: float = 0.0

    @property
    def low(self) -> float:
        return self.value - self.resolution / 2

    @property
    def high(self) -> float:
        return self.value + self.resolution / 2


@quick
@dataclass(frozen=True, slots=True)
class Latency:
    """One latency distribution as recorded (histogram) or as printed (figures), and how it came about."""

    histogram: Distribution | None = None
    count: int | None = None
    """Values recorded in it, where that was said; for a histogram of ours it equals ``histogram.n``."""
    minimum: Figure | None = None
    mean: Figure | None = None
    maximum: Figure | None = None
    stdev: Figure | None = None
    percentiles: tuple[tuple[float, Figure], ...] = ()
    """(p, figure) with p in (0, 100), ascending."""
    percentile_method: PercentileMethod = "unknown"
    origin: LatencyOrigin | None = None
    quantum_ns: float | None = None
    """The finest step that the source's clock or file can show."""
    bin_ratio: float | None = None
    """Widest relative bin of the source's histogram (0.001 for HDR with three digits)."""
    batch: int = 1
    """Operations per recorded value; above 1 each value is a batch mean and says nothing of single operations."""
    includes_errors: bool | None = None
    window_ns: Figure | None = None
    """Length of the stretch that the histogram covers, where it differs from the measurement's `duration_ns`."""
    dropped: int | None = None
    """Values known to be lost: above the trackable maximum, past a cap, slower than a timeout."""
    cap: int | None = None
    """Most values that the source keeps (hey and ghz: 1,000,000)."""
    corrected: bool = False
    """The tool back-filled samples that nobody sent (wrk's and autocannon's correction)."""


@quick
@dataclass(frozen=True, slots=True)
class Intervals:
    """Per-interval columns, each as long as `start_ns`; intervals tile the counted window, the drain comes last.

    `count` are successful operations of the counted population that ended in the interval.
    """

    length_ns: int
    start_ns: tuple[int, ...]
    """Offset of each interval from the start of the counted window."""
    count: tuple[int, ...]
    errors: tuple[int, ...] = ()
    total_ns: tuple[int, ...] = ()
    """Sum of the latencies of `count` (response time in an open loop, service time in a closed one)."""
    maximum_ns: tuple[int, ...] = ()
    p50_ns: tuple[int, ...] = ()
    p99_ns: tuple[int, ...] = ()
    in_flight_ns: tuple[int, ...] = ()
    """Integral of the number in flight over each interval, operation-nanoseconds, kept apart from the latencies."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """The number in flight, integrated by the driver at every event and never derived from a latency.

    With N operations that started in the window and residence sum R: ``integral = R + carried_in − carried_out``.
    """

    window_ns: int
    integral_ns: int
    carried_in_count: int = 0
    """Operations that started before the window and ended in it (they count for throughput, not for latency)."""
    carried_in_ns: int = 0
    """Residence inside the window of operations that had started before it."""
    carried_out_ns: int = 0
    """Residence after the window of operations that had started in it."""
    maximum: int | None = None
    unfinished: int = 0
    """Operations that never ended, not even as a timeout, when the drain was given up."""


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """The clock that stamped the latencies, as found on the spot."""

    name: str | None = None
    resolution_ns: float | None = None
    """Smallest positive step seen between two readings."""
    overhead_ns: float | None = None
    """Median cost of one reading."""
    wall_drift_ns: int | None = None
    """Wall-clock duration minus monotonic duration of the run."""
    steps: int | None = None
    """Times that the wall clock was seen to jump."""


@dataclass(frozen=True, slots=True)
class Controls:
    """Negative controls of an in-process run, ns per operation; None where a control was not run."""

    operation_ns: float | None = None
    """Median cost of the operation through the same path."""
    empty_ns: float | None = None
    """Median cost of an empty callable of the same signature through the same path."""
    empty_spread_ns: float | None = None
    """Half the central 95 % range of the empty control."""
    twice_ns: float | None = None
    """Median cost of one turn that performs the operation twice."""
    result_type: str | None = None
    unconsumed: str | None = None
    """What was returned and never consumed: coroutine, generator, async_generator, awaitable, iterator."""
    leftover_threads: int | None = None
    leftover_processes: int | None = None
    validated: int | None = None
    rejected: int | None = None
    """Results that the target's own validator refused, of `validated`."""
    distinct_results: int | None = None


@dataclass(frozen=True, slots=True)
class Generator:
    """How the load generator itself fared."""

    workers: int | None = None
    cpu_fraction: tuple[float, ...] = ()
    """CPU time ÷ wall time of each worker over the counted window."""
    lag: Latency | None = None
    """How late the generator was for what it meant to do (open loop: send lag; closed: event-loop lag)."""
    gc_pause_ns: int | None = None
    gc_collections: int | None = None
    steal_fraction: float | None = None
    other_cpu_fraction: float | None = None
    """CPU used by neither generator nor target, as a share of all cores."""
    major_faults: int | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """The machine and software under which a measurement was made. Free of names of hosts and people."""

    cpu_model: str | None = None
    cpu_count: int | None = None
    cpu_hz: float | None = None
    memory_bytes: int | None = None
    system: str | None = None
    kernel: str | None = None
    architecture: str | None = None
    python: str | None = None
    implementation: str | None = None
    virtualization: str | None = None
    governor: str | None = None
    turbo: bool | None = None
    smt: bool | None = None
    aslr: bool | None = None
    container: bool | None = None
    cpu_quota: float | None = None
    load_average: float | None = None
    debug_build: bool | None = None
    tool_version: str | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)

    @property
    def unoptimised_python(self) -> bool:
        """Recorded as built without profile-guided optimisation, which costs an interpreter a third of its speed."""
        return self.flags.get("enable_optimizations") == "false"


@dataclass(frozen=True, slots=True)
class Caveat:
    """A fact that limits the reading; goes with the measurement as data."""

    code: str
    message: str


@quick
@dataclass(frozen=True, slots=True)
class Run:
    """One process (or fork, or repetition in a fresh process) of a measurement."""

    index: int
    duration_ns: int | None = None
    warmup_ns: int | None = None
    operations: int | None = None
    """Operations that ended successfully in the counted window."""
    response: Latency | None = None
    service: Latency | None = None
    delay: Latency | None = None
    failed: Latency | None = None
    """Time of operations that ended in an error, timeouts excepted: those stand in `response` and `service`."""
    errors: Mapping[str, int] | None = None
    outcomes: Mapping[str, int] | None = None
    intervals: Intervals | None = None
    warmup_intervals: Intervals | None = None
    in_flight: InFlight | None = None
    generator: Generator | None = None
    controls: Controls | None = None
    clock: ClockFacts | None = None
    cpu_ns: int | None = None
    """CPU time of what is under test over the counted window: Python and command targets, servers on this machine."""
    peak_memory_bytes: int | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    values: tuple[float, ...] = ()
    """Per-value results (ns per operation) where the tool keeps values, not operations (pyperf, JMH, …)."""
    warmup_until: str | None = None
    """Why warm-up ended: ``asked`` or ``steady`` or ``limit``."""
    started_at: str | None = None
    seed: int | None = None
    connections: Mapping[str, int] | None = None
    """Connections opened, closed, peak."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who measured."""

    tool: str
    version: str | None = None
    format: str | None = None
    file: str | None = None
    foreign: bool = True


@quick
@dataclass(frozen=True, slots=True)
class Printed:
    """A summary figure that a file states about itself and that must follow from its counts."""

    metric: str
    value: float
    unit: str
    interval: tuple[float | None, float | None] | None = None
    n: int | None = None
    confidence: float | None = None
    """That of the interval."""


@dataclass(frozen=True, slots=True)
class Restated:
    """A figure of another tool's file that follows from other figures beside it: ab's ``Time per request`` is C·T/N."""

    what: str
    """As the tool calls it."""
    stated: Figure
    unit: str
    low: float
    high: float
    """What the other figures of the file allow, in the same base unit."""
    formula: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A distribution of another tool's file that is no metric here: rates by second, parts of a response time, sizes.

    Its figures, and the edges of its histogram, are in `unit` and not in ns.
    """

    name: str
    """As the tool calls it."""
    unit: str
    figures: Latency


@quick
@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything recorded of one measurement, or everything that another tool said of one."""

    source: Source
    name: str | None = None
    loop: Loop | None = None
    think_time: bool | None = None
    """Users pause between operations; a closed loop then has λ·W below C and that is right."""
    fresh_processes: bool = False
    """Every operation was a process of its own (hyperfine): each of its times is the value of a process."""
    concurrency: int | None = None
    """Connections, users or tasks at once (C): the most that can be in flight."""
    threads: int | None = None
    rate_requested_per_s: Figure | None = None
    rate_achieved_per_s: Figure | None = None
    """The rate as the tool states it."""
    duration_requested_ns: Figure | None = None
    duration_ns: Figure | None = None
    """Length of the counted window (T)."""
    warmup_ns: Figure | None = None
    operations: int | None = None
    """Completed operations over `duration_ns`, with errors where `operations_include_errors`."""
    operations_include_errors: bool = False
    sent: int | None = None
    errors: Mapping[str, int] | None = None
    outcomes: Mapping[str, int] | None = None
    """Counts by label (status code, returned string)."""
    outcomes_complete: bool = False
    """`outcomes` and `errors` together should add up to `operations`."""
    latency: Latency | None = None
    """The tool's headline latency: response time in an open loop, service time in a closed one."""
    service: Latency | None = None
    response: Latency | None = None
    delay: Latency | None = None
    failed: Latency | None = None
    intervals: Intervals | None = None
    in_flight: InFlight | None = None
    clock: ClockFacts | None = None
    controls: Controls | None = None
    generator: Generator | None = None
    environment: Environment | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    runs: tuple[Run, ...] = ()
    printed: tuple[Printed, ...] = ()
    restated: tuple[Restated, ...] = ()
    beside: tuple[Beside, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    blind: tuple[str, ...] = ()
    """Sentences on what the source does not tell, and the rules that therefore cannot look."""
    stated: Mapping[str, str] = field(default_factory=dict)
    """What a person stated on the command line, as typed."""
    plan: Plan | None = None
    started_at: str | None = None
    finished_at: str | None = None
    higher_is_better: bool | None = None
    """Direction of a foreign figure that is not a latency."""

    @property
    def process_each(self) -> bool:
        """Whether each operation counts for a process. Our own measurements have runs for that, whatever they say."""
        return self.fresh_processes and self.source.foreign and not self.runs
