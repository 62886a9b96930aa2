"""The command table, and the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from typing import Annotated, ParamSpec

import typer

from ..errors import BizraGateError
from ..version import __version__
from . import help_page, output

P = ParamSpec("P")

EXIT_CODES = """Exit codes: 0 SHIP or done · 1 NO-SHIP (a check failed) · 2 usage, or a definition that cannot be read ·
3 UNDER AUDIT (impossible numbers) · 4 UNTRUSTED (signature, key, binding, freshness) · 5 INCONCLUSIVE (missing or too
little evidence) · 6 the target could not be driven · 130 interrupted"""

app = typer.Typer(
    name="bizra-gate",
    help="Benchmarks that can be believed: measured honestly, signed, and judged by gates in CI.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"bizra-gate {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Holds the options that belong to no command."""


def guarded(function: Callable[P, int | None]) -> Callable[P, None]:
    """`function` with its return value as the exit code (None: 0) and its errors as sentences."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        raise typer.Exit(_guarded(lambda: function(*args, **kwargs)))

    return run


def command(name: str) -> Callable[[Callable[P, int | None]], Callable[P, None]]:
    """Register a guarded command."""

    def register(function: Callable[P, int | None]) -> Callable[P, None]:
        run = guarded(function)
        app.command(name)(run)
        return run

    return register


def _guarded(action: Callable[[], int | None]) -> int:
    """The exit code of `action`; every error that people can meet is printed as text, never as a traceback."""
    try:
        return action() or 0
    except BizraGateError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        complain("interrupted; nothing was written")
        return 130
    except OSError as error:
        return _unwritable(error)
    except Exception as error:
        if os.environ.get("BIZRA_GATE_DEBUG"):
            raise
        complain(
            f"internal error: {type(error).__name__}: {error}",
            "this is a fault of bizra-gate; please report it with the output of the same command under "
            "BIZRA_GATE_DEBUG=1",
        )
        return 2


def _unwritable(error: OSError) -> int:
    """Exit code for output that could not be written: never 0, because what it would have said is unknown."""
    if isinstance(error, BrokenPipeError):  # the reader went away (`| head`); there is nobody left to tell
        output.forget()
        return 2
    if os.environ.get("BIZRA_GATE_DEBUG"):
        raise error
    complain(
        f"{error.filename or 'standard output'}: {error.strerror or error}", "make room, or write to another place"
    )
    return 2


def complain(message: str, hint: str = "") -> None:
    """An error on standard error."""
    text = f"bizra-gate: {message}" + (f"\n  {hint}" if hint else "")
    with contextlib.suppress(OSError):  # nor can it be said that nothing can be said
        output.say(text, err=True)


def main() -> None:
    """Entry point of the console script."""
    output.adapt()
    from .commands import register

    register(sys.argv[1] if len(sys.argv) > 1 else "")
    help_page.prepare(sys.argv[1:])
    try:
        app()
    except OSError as error:  # help, which no command prints
        sys.exit(_unwritable(error))
