"""Live progress of a measurement: one redrawn block on a terminal, a plain line every ten seconds elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from ..model import Load, OpenLoop, Plan
from ..model.plan import public_target
from ..units import NS_PER_S, format_quantity, format_rate, format_time
from . import output

if TYPE_CHECKING:
    from ..load import Snapshot

PLAIN_EVERY_NS = 10 * NS_PER_S
Watch = Callable[["Snapshot"], None]


Titled = tuple[str, Plan]


@contextmanager
def shown(work: Sequence[Titled], *, quiet: bool, no_color: bool) -> Iterator[Watch | None]:
    """A callback for `load.run_many` that keeps the person informed on standard error; `work` is measured in turn."""
    if quiet:
        yield None
    elif sys.stderr.isatty() and not output.dumb():
        with _live(work, no_color) as watch:
            yield watch
    else:
        for title, plan in work:
            typer.echo(f"{title}: {public_target(plan.target)}, {asked(plan)}", err=True)
        yield _plain(work)


def _plan_of(work: Sequence[Titled], snapshot: Snapshot) -> Plan:
    """The plan that a snapshot belongs to; a second target is measured by its first one's."""
    named = [plan for _, plan in work if plan.name == snapshot.name]
    second = [plan for _, plan in work if plan.against == snapshot.name]
    either = [plan for _, plan in work if plan.against is not None]
    return next(iter([*named, *second, *either]), work[0][1])


def asked(plan: Plan) -> str:
    """The plan in one line."""
    warmup = format_time(plan.warmup.at_least_ns)
    runs = f", {plan.runs} runs" if plan.runs > 1 else ""
    if plan.against is not None:
        runs += f" in turn with {public_target(plan.against)}"
    return f"{load_text(plan.load)}, {warmup} warm-up, {format_time(plan.duration_ns)} counted{runs}"


def load_text(load: Load) -> str:
    """``open loop, 2,000/s, constant arrivals`` or ``closed loop of 64``."""
    if isinstance(load, OpenLoop):
        shape = f"{len(load.stages)} stages around " if load.stages else ""
        return f"open loop, {shape}{format_rate(load.rate_per_s)}, {load.arrivals} arrivals"
    think = f", {format_time(load.think_ns)} think time" if load.think_ns else ""
    return f"closed loop of {load.concurrency}{think}"


def line(snapshot: Snapshot) -> str:
    """One second of a run as text."""
    parts = [
        f"{snapshot.phase:<8}",
        f"{snapshot.elapsed_ns / NS_PER_S:3.0f} s",
        f"{format_rate(snapshot.rate_per_s):>9}",
        f"p50 {format_quantity(snapshot.p50_ns, 'ns'):>8}",
        f"p99 {format_quantity(snapshot.p99_ns, 'ns'):>8}",
        f"errors {snapshot.errors:,}",
        f"in flight {snapshot.in_flight:,.0f}",
    ]
    return "  ".join(parts)


def _plain(work: Sequence[Titled]) -> Watch:
    last: list[tuple[str, int, str, int]] = []

    def watch(snapshot: Snapshot) -> None:
        slot = (snapshot.name, snapshot.run, snapshot.phase, int(snapshot.elapsed_ns // PLAIN_EVERY_NS))
        if last and last[-1] == slot:
            return
        last[:] = [slot]
        which = _which(_plan_of(work, snapshot), snapshot, several=len(work) > 1)
        typer.echo((f"{which}  " if which else "") + line(snapshot), err=True)

    return watch


def _which(plan: Plan, snapshot: Snapshot, *, several: bool) -> str:
    """``run 2/5``, and of what where several take turns."""
    run = f"run {snapshot.run + 1}/{snapshot.runs}" if snapshot.runs > 1 else ""
    return f"{run} {public_target(snapshot.name)}".strip() if several or plan.against is not None else run


@contextmanager
def _live(work: Sequence[Titled], no_color: bool) -> Iterator[Watch]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True, no_color=no_color)
    for title, plan in work:
        console.print(Text.assemble((title, "bold"), f"  {public_target(plan.target)}\n", (asked(plan), "dim")))
    with Live(Text("starting …", style="dim"), console=console, refresh_per_second=4, transient=True) as live:

        def watch(snapshot: Snapshot) -> None:
            plan = _plan_of(work, snapshot)
            live.update(_block(plan, snapshot, console.width, several=len(work) > 1))

        yield watch


def _block(plan: Plan, snapshot: Snapshot, width: int, *, several: bool):  # type: ignore[no-untyped-def]
    """Phase and time as a bar, then the figures; narrow terminals get two short lines instead of one cut one."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    total = plan.warmup.at_least_ns if snapshot.phase == "warm-up" else plan.duration_ns
    bar = Table.grid(padding=(0, 1))
    style = "yellow" if snapshot.phase == "warm-up" else "green"
    bar.add_row(
        Text(f"{snapshot.phase:<9}", style=style),
        ProgressBar(total=total, completed=min(total, snapshot.elapsed_ns), width=max(10, min(40, width - 45))),
        Text(f"{snapshot.elapsed_ns / NS_PER_S:.0f}/{total / NS_PER_S:.0f} s"),
        Text(_which(plan, snapshot, several=several), style="dim"),
    )
    errors = Text(f"{snapshot.errors:,}", style="red" if snapshot.errors else "")
    figures = Text.assemble(
        (format_rate(snapshot.rate_per_s), "bold"),
        "  p50 ",
        (format_quantity(snapshot.p50_ns, "ns"), "bold"),
        "  p99 ",
        (format_quantity(snapshot.p99_ns, "ns"), "bold"),
        "  errors ",
        errors,
        f"  in flight {snapshot.in_flight:,.0f}",
    )
    return Group(bar, figures)
