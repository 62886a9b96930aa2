"""``bench``: measure gates or a target, and write one signed artifact for each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import values
from ..app import command


@command("bench")
def bench(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[GATE.toml … | TARGET]",
            help="Gate files or folders (default: gates/), or one target: http://…, https://…, py:module:attr, "
            "py:path.py:attr, cmd:COMMAND LINE.",
            show_default=False,
        ),
    ] = None,
    duration: Annotated[str | None, typer.Option(help="Counted phase, e.g. 120s.")] = None,
    warmup: Annotated[str | None, typer.Option(help="Run but not counted, e.g. 30s.")] = None,
    until_steady: Annotated[
        str | None, typer.Option("--until-steady", help="Warm up on until the series is steady, at most this long.")
    ] = None,
    runs: Annotated[int | None, typer.Option(min=1, help="Fresh processes, one after the other.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Load-generating processes.")] = None,
    rate: Annotated[str | None, typer.Option(help="Open loop at this rate, e.g. 1000/s or 5k/s.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Closed loop with this many users.")] = None,
    arrivals: Annotated[str | None, typer.Option(help="Open loop: constant or poisson.")] = None,
    stages: Annotated[str | None, typer.Option(help="Open loop in stages: '10s@1k/s, 60s@1k/s..5k/s'.")] = None,
    think: Annotated[str | None, typer.Option(help="Closed loop: pause of a user between operations.")] = None,
    timeout: Annotated[str | None, typer.Option(help="Give up on an operation after this long.")] = None,
    profile: Annotated[str | None, typer.Option(help="smoke (2s + 10s), standard (30s + 120s) or soak.")] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="REF | TARGET",
            help="Measure in turn (A B B A …) with a second target, or with the same file in another git revision.",
        ),
    ] = None,
    method: Annotated[str | None, typer.Option(help="HTTP method.")] = None,
    header: Annotated[list[str] | None, typer.Option(help="HTTP header 'Name: value'; repeatable.")] = None,
    body: Annotated[str | None, typer.Option(help="HTTP body, or @FILE.")] = None,
    expect_status: Annotated[str | None, typer.Option(help="Status codes that count as success.")] = None,
    expect_body: Annotated[str | None, typer.Option(help="Substring, /regex/ or $.json.path == value.")] = None,
    prepare: Annotated[str | None, typer.Option(help="cmd: a command run before each execution.")] = None,
    shell: Annotated[bool, typer.Option("--shell", help="cmd: run through the shell.")] = False,
    name: Annotated[str | None, typer.Option(help="Name of the measurement.")] = None,
    artifact: Annotated[Path | None, typer.Option(help="Where the artifact goes.", show_default=False)] = None,
    key: Annotated[Path | None, typer.Option(help="Private key file.", show_default=False)] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
) -> None:
    """Measure and write one signed artifact per gate (or for TARGET)."""
    from ... import keystore
    from ...errors import UsageError
    from .. import planning

    asked = planning.Asked(
        duration_ns=values.duration_ns("--duration", duration),
        warmup_ns=values.duration_ns("--warmup", warmup),
        until_steady_ns=values.duration_ns("--until-steady", until_steady),
        runs=runs,
        workers=workers,
        rate_per_s=values.rate_per_s("--rate", rate),
        concurrency=concurrency,
        arrivals=arrivals,
        stages=stages,
        think_ns=values.duration_ns("--think", think),
        timeout_ns=values.duration_ns("--timeout", timeout),
        profile=profile,
        against=against,
        method=method,
        headers=tuple(values.header(text) for text in header or ()),
        body=body,
        expect_status=values.statuses(expect_status),
        expect_body=expect_body,
        prepare=prepare,
        shell=shell,
        name=name,
    )
    jobs = planning.jobs(what or ["gates"], asked, artifact)
    if not jobs:
        raise UsageError("no gate here says how it is measured ([measure]); name a TARGET, see --help")
    signer = keystore.load(key)
    for job in jobs:
        _run(job, signer, quiet=quiet, no_color=no_color)


def _run(job: object, signer: object, *, quiet: bool, no_color: bool) -> None:
    from ... import pipeline
    from ...attest.keys import PrivateKey
    from .. import planning, progress, summary

    assert isinstance(job, planning.Job)
    assert isinstance(signer, PrivateKey)
    with progress.shown(job.plan, job.title, quiet=quiet, no_color=no_color) as watch:
        made = pipeline.bench(
            job.plan, root=job.root, artifact=job.artifact, signer=signer, gate=job.gate, progress=watch
        )
    if not quiet:
        summary.printed(made, job, no_color=no_color)
