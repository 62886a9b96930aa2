"""argv → values → pipeline → text and exit code. One file per command; what a command needs is imported in it."""

from __future__ import annotations

import gc
import signal
import sys

__all__ = ["main"]


def main() -> None:
    """Entry point of the console script. An interrupt ends in a sentence and 130, however early it comes; a request
    to end (SIGTERM) and a terminal that was closed (SIGHUP) are interrupts as well, so that everything is tidied up."""
    try:
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)
        from .app import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("bizra-gate: interrupted; nothing was written\n")
        raise SystemExit(130) from None
    finally:
        gc.freeze()  # the process ends here, and would look through all that it has for cycles before it goes
