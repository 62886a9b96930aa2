"""``bench``: measure gates or a target, and write one signed artifact for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import values
from ..app import command

if TYPE_CHECKING:
    from ...attest.keys import PrivateKey
    from ...pipeline import Benched
    from ..planning import Job


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
    max_in_flight: Annotated[
        int | None, typer.Option(min=1, help="Open loop: connections or tasks at once; beyond it arrivals queue.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of everything random: arrivals, fields, context.")] = None,
    think: Annotated[str | None, typer.Option(help="Closed loop: pause of a user between operations.")] = None,
    timeout: Annotated[str | None, typer.Option(help="Give up on an operation after this long, 1ms to 1h.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="smoke (2s + 10s), standard (30s + 120s), soak (60s + 1h).")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="REF | TARGET",
            help="Measure in turn (A B B A …) with a second target, or with the same file in another git revision.",
        ),
    ] = None,
    method: Annotated[str | None, typer.Option(help="HTTP method (default: GET).")] = None,
    header: Annotated[list[str] | None, typer.Option(help="HTTP header 'Name: value'; repeatable.")] = None,
    body: Annotated[str | None, typer.Option(help="HTTP body, or @FILE; POST unless --method says otherwise.")] = None,
    expect_status: Annotated[str | None, typer.Option(help="Status codes that count as success.")] = None,
    expect_body: Annotated[str | None, typer.Option(help="Substring, /regex/ or $.json.path == value.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="HTTP: CSV or JSON Lines; its columns fill {name} in path, headers, body.", show_default=False
        ),
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(help="HTTP: {name} drawn from a distribution, e.g. 'id=zipf(1.1, 1000)'; repeatable."),
    ] = None,
    follow_redirects: Annotated[
        bool, typer.Option("--follow-redirects", help="HTTP: follow redirects, up to 10.")
    ] = False,
    new_connections: Annotated[
        bool, typer.Option("--new-connections", help="HTTP: a new connection for each request.")
    ] = False,
    insecure: Annotated[bool, typer.Option("--insecure", help="https: accept any certificate.")] = False,
    prepare: Annotated[str | None, typer.Option(help="cmd: a command run before each execution, untimed.")] = None,
    expect_exit: Annotated[str | None, typer.Option(help="cmd: exit statuses that are a success, e.g. 0,1.")] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(help="cmd: 'n=1,2,4' fills {n}; one artifact for each value, in turn; repeatable."),
    ] = None,
    shell: Annotated[bool, typer.Option("--shell", help="cmd: run through the shell.")] = False,
    gc: Annotated[str | None, typer.Option(help="py: the garbage collector: on, off or freeze.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the measurement.")] = None,
    artifact: Annotated[Path | None, typer.Option(help="Where the artifact goes.", show_default=False)] = None,
    key: Annotated[Path | None, typer.Option(help="Private key file.", show_default=False)] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
) -> None:
    """Measure and write one signed artifact per gate (or for TARGET)."""
    from ... import keystore
    from ...errors import UsageError
    from ...gates.measure import LONGEST_NS, LONGEST_TIMEOUT_NS
    from .. import planning

    asked = planning.Asked(
        duration_ns=values.within("--duration", values.duration_ns("--duration", duration), 1_000_000, LONGEST_NS),
        warmup_ns=values.within("--warmup", values.duration_ns("--warmup", warmup), 0, LONGEST_NS),
        until_steady_ns=values.duration_ns("--until-steady", until_steady),
        runs=runs,
        workers=workers,
        rate_per_s=values.rate_per_s("--rate", rate),
        concurrency=concurrency,
        arrivals=arrivals,
        stages=stages,
        think_ns=values.duration_ns("--think", think),
        timeout_ns=values.within("--timeout", values.duration_ns("--timeout", timeout), 1_000_000, LONGEST_TIMEOUT_NS),
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
        gc=gc,
        seed=seed,
        max_in_flight=max_in_flight,
        data=data,
        fields=values.named("--field", field, "id=zipf(1.1, 1000)"),
        follow_redirects=follow_redirects,
        new_connections=new_connections,
        insecure=insecure,
        expect_exit=values.exits(expect_exit),
        parameters={
            key: tuple(part.strip() for part in text.split(","))
            for key, text in values.named("--param", param, "n=1,2,4").items()
        },
    )
    jobs = planning.jobs(what or ["gates"], asked, artifact)
    if not jobs:
        raise UsageError("no gate here says how it is measured ([measure]); name a TARGET, see --help")
    signer = keystore.load(key)
    made = [one for group in planning.in_turn(jobs) for one in _run(group, signer, quiet=quiet, no_color=no_color)]
    if asked.parameters and not quiet:
        from .. import summary

        summary.ranked(made, jobs)


def _run(jobs: list[Job], signer: PrivateKey, *, quiet: bool, no_color: bool) -> list[Benched]:
    """Measure `jobs` in turn; their artifacts are written when all of them are made."""
    from ... import pipeline
    from .. import progress, summary

    orders = [pipeline.Order(job.plan, job.root, job.artifact, job.gate) for job in jobs]
    with progress.shown([(job.title, job.plan) for job in jobs], quiet=quiet, no_color=no_color) as watch:
        made = pipeline.bench_together(orders, signer=signer, progress=watch)
    if not quiet:
        for one, job in zip(made, jobs, strict=True):
            summary.printed(one, job)
    return made
