"""Fixtures of other tools and what is expected of them."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from bizra_gate import importers
from bizra_gate.importers import Stated, Stream
from bizra_gate.model import Figure, Latency, Measurement

FIXTURES = Path(__file__).parent / "fixtures"


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """(tool, case) of every expectation file."""
    for listing in sorted(FIXTURES.glob("*/expect.json")):
        for case in json.loads(listing.read_text()):
            yield listing.parent.name, case


def stream(data: bytes, name: str = "run.txt", **options: Any) -> Stream:
    return Stream(io.BytesIO(data), name, **options)


def figures(measurement: Measurement) -> list[Figure]:
    """Every figure of a measurement."""
    found = [
        measurement.rate_requested_per_s, measurement.rate_achieved_per_s, measurement.duration_requested_ns,
        measurement.duration_ns, measurement.warmup_ns,
    ]  # fmt: skip
    for latency in latencies(measurement):
        found += [latency.minimum, latency.mean, latency.maximum, latency.stdev, latency.window_ns]
        found += [figure for _, figure in latency.percentiles]
    return [figure for figure in found if figure is not None]


def latencies(measurement: Measurement) -> list[Latency]:
    held = (measurement.latency, measurement.service, measurement.response, measurement.delay, measurement.failed)
    return [latency for latency in held if latency is not None]


@cache
def simulated() -> ModuleType:
    """The simulation that the written fixtures were computed from."""
    spec = importlib.util.spec_from_file_location("importers_simulated", FIXTURES / "simulated.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["importers_simulated"] = module
    spec.loader.exec_module(module)
    return module


def read_one(data: str | bytes, tool: str | None = None, stated: Stated | None = None) -> Measurement:
    raw = data.encode() if isinstance(data, str) else data
    (found,) = importers.read(stream(raw), tool, stated)
    return found


def text(path: str) -> str:
    return (FIXTURES / path).read_text()


def document(path: str) -> Any:
    return json.loads(text(path))


def codes(measurement: Measurement) -> list[str]:
    return [caveat.code for caveat in measurement.caveats]
