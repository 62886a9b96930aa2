"""A measurement in the forms that other people's tools and dashboards read.

Each format is one module with ``render(measurement, metrics) -> str``, a pure function, and one line in `EXPORTERS`.
What a form cannot hold (the signature, exact extremes, the environment) stays behind; nothing is made up to fill it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from ..model import Measurement, Metric

Exporter = Callable[[Measurement, Mapping[str, Metric]], str]

__all__ = ["EXPORTERS", "Exporter"]


def _lazily(module: str, function: str = "render") -> Exporter:
    """The exporter in `module`, imported when it is used."""

    def export(measurement: Measurement, metrics: Mapping[str, Metric]) -> str:
        rendered: str = getattr(import_module(f"{__name__}.{module}"), function)(measurement, metrics)
        return rendered

    return export


EXPORTERS: dict[str, Exporter] = {
    "bencher": _lazily("bencher"),
    "csv": _lazily("table"),
    "github-action-benchmark": _lazily("github_action_benchmark"),
    "github-action-benchmark-bigger": _lazily("github_action_benchmark", "render_bigger"),
    "hlog": _lazily("hdr_log"),
    "openmetrics": _lazily("openmetrics"),
    "percentiles": _lazily("percentiles"),
    "pyperf": _lazily("pyperf"),
}
"""What the user types after ``--to`` → the exporter."""
