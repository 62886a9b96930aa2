"""A progress bar that appears only when something takes longer than a second, and only on a terminal; and what else
makes waiting short."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

APPEARS_AFTER_S = 1.0
SELDOM = 100_000
"""New containers before Python looks for cycles among them, where everything made is kept until the end anyway."""
Progress = Callable[[int, int], None]


@contextmanager
def bar(what: str, *, quiet: bool = False) -> Iterator[Progress | None]:
    """A callback (done, total) that draws on standard error; None where nobody would see it."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    import time

    started = time.monotonic()
    drawing: list[object] = []

    def progress(done: int, total: int) -> None:
        if not drawing and time.monotonic() - started > APPEARS_AFTER_S:
            drawing.append(_start(what, total))
        if drawing:
            drawing[0].update(0, completed=done, total=total)  # type: ignore[attr-defined]

    try:
        yield progress
    finally:
        if drawing:
            drawing[0].stop()  # type: ignore[attr-defined]


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Python looks through all objects for cycles again and again while a report grows, and finds none."""
    before = gc.get_threshold()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _start(what: str, total: int) -> object:
    from rich.console import Console
    from rich.progress import Progress as Bars

    bars = Bars(console=Console(stderr=True), transient=True)
    bars.add_task(what, total=total)
    bars.start()
    return bars
