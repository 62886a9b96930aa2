"""What makes a page of help quick: typer loads beside it all that rich can do with Markdown and tracebacks.

Neither is on any page here (there is no Markdown in help, and `app` prints no traceback), and both together are a third
of the time that help takes.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from types import ModuleType

UNUSED = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
"""Module → the name that typer takes from it."""


def prepare(arguments: Sequence[str]) -> None:
    """Load what draws help, where the command line asks for it, without `UNUSED`: empty classes stand in for those.

    Whoever imports these modules afterwards gets the real ones. A typer that takes more of them loads all it wants.
    """
    if arguments and not {"-h", "--help"} & set(arguments):
        return
    stand_ins = {name: _stand_in(name, noun) for name, noun in UNUSED.items() if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        with contextlib.suppress(ImportError):
            import typer.rich_utils  # noqa: F401
    finally:
        for name in stand_ins:
            del sys.modules[name]


def _stand_in(name: str, noun: str) -> ModuleType:
    module = ModuleType(name)
    setattr(module, noun, type(noun, (), {}))
    return module
