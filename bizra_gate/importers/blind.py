"""What the audit's rules cannot see in another tool's output, in sentences for its page."""

from __future__ import annotations

SERIES = "no time series: drift, growth and a change in the middle of the run go unseen (method.steady)"
WARMUP = "nothing is said of a warm-up (method.warmup)"
GENERATOR = "the generator's own CPU use and scheduling lag are not recorded (generator.saturated, generator.lag)"
ENVIRONMENT = "the machine is not described: steal, throttling and competing load go unseen (environment.noise)"
CLOCK = "the clock is not described beyond its unit (clock.overhead, coherence.time against a second clock)"
TAIL = "no distribution, only a few figures of it: modes and other percentiles go unseen (distribution.modes)"
RATE = "whether a rate was asked for is not said: state it with --target-rate (method.rate)"
CONNECTIONS = (
    "the number of connections is not said: state it with --connections (littles_law.excess, littles_law.deficit)"
)
INTENDED = (
    "no intended start times: what a stall kept from being sent is not in the latencies (method.coordinated_omission)"
)
THINK = "whether users paused between requests, or were paced, is not said (littles_law.deficit)"

LOAD = (WARMUP, GENERATOR, ENVIRONMENT, CLOCK)
"""What no load generator read here tells."""
