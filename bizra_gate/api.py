"""The verbs for Python code: `bizra_gate.bench`, `bizra_gate.verify`, `bizra_gate.audit`.

They do what the commands do and raise the same errors (`bizra_gate.errors`); quantities are text with units, as on the
command line.
"""

from __future__ import annotations

from pathlib import Path

from . import keystore, pipeline
from .cli import planning, reading, values
from .model import Report
from .pipeline import Benched
from .reports.inputs import AuditedMeasurement


def bench(
    target: str,
    *,
    rate: str | None = None,
    concurrency: int | None = None,
    warmup: str = "30s",
    duration: str = "120s",
    runs: int = 1,
    name: str | None = None,
    artifact: str | Path | None = None,
    key: str | Path | None = None,
) -> Benched:
    """Measure `target` and write one signed artifact.

    ``bench("py:json:dumps_of_mine", duration="120s")`` is a closed loop of one; ``rate="2k/s"`` makes it an open loop.
    Raises `TargetError` where the target cannot be driven and `KeyFileError` without a signing key.
    """
    asked = planning.Asked(
        rate_per_s=values.rate_per_s("rate", rate),
        concurrency=concurrency,
        warmup_ns=values.duration_ns("warmup", warmup),
        duration_ns=values.duration_ns("duration", duration),
        runs=runs,
        name=name,
    )
    job = planning.jobs([target], asked, None if artifact is None else Path(artifact))[0]
    signer = keystore.load(None if key is None else Path(key))
    return pipeline.bench(job.plan, root=job.root, artifact=job.artifact, signer=signer, gate=job.gate)


def verify(*paths: str | Path, now: str | None = None, keyring: str | Path | None = None) -> Report:
    """Judge the gates below `paths` (default: ``gates/``) as of `now` (RFC 3339; default: this moment).

    The report's `verdict` and `exit_code` are those of the command; nothing missing or unbelievable is ever ``SHIP``.
    """
    places = [Path(path) for path in paths] or [Path("gates")]
    return pipeline.verify(
        places, now=values.now_text(now), keyring_path=None if keyring is None else Path(keyring)
    ).report


def audit(
    file: str | Path,
    *,
    from_: str | None = None,
    connections: int | None = None,
    threads: int | None = None,
    target_rate: str | None = None,
    target_duration: str | None = None,
    min_duration: str | None = None,
    min_warmup: str | None = None,
    max_error_rate: str | None = None,
) -> tuple[AuditedMeasurement, ...]:
    """Audit every measurement in `file`: an artifact of ours, or another tool's output (recognised, or `from_`)."""
    policy = reading.policy(min_duration, min_warmup, max_error_rate)
    said = reading.stated(connections, threads, target_rate, target_duration)
    return tuple(reading.audited(Path(file), from_, said, policy))
