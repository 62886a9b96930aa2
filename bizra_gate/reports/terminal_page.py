"""A page for a terminal, built with rich: plain text of a given width, with or without colour, UTF-8 or ASCII.

Only text that went through `neutral` gets onto a page, so that data cannot bring its own escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from . import neutral
from .wording import SYMBOLS, tone

Part = str | tuple[str, str]
"""Words, or words with a style name of `STYLES`."""

STYLES = {
    "good": "bold green",
    "bad": "bold red",
    "unsure": "bold yellow",
    "note": "bold cyan",
    "dim": "dim",
    "strong": "bold",
    "": "",
}
INDENT = 2
TIE = "\ue000"
"""A blank at which no line breaks. `neutral` shows it as an escape where data has it, so none comes from there."""
_TIED = re.compile(r"(?<=[<>=]) (?=[\d<>=])|(?<=\d) (?=(?:%|[numµ]?s|min|[hd]|[kMG]i?B|B|more)(?![\w/]))")
"""Blanks within ``<= 1.5 ms`` and ``(+3 more)``."""
_TRAILING = re.compile(r"[ \t]+((?:\x1b\[[0-9;]*m)*)$", re.MULTILINE)


class Page:
    """Collects lines; `text()` is the finished page."""

    def __init__(self, width: int = 80, color: bool = False, unicode: bool = True) -> None:
        self.width = max(40, width)
        self.unicode = unicode
        self._out = StringIO()
        self._console = Console(
            file=self._out,
            width=self.width,
            height=25,  # of no use to a page that is collected; rich would ask all three streams before every line
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def clean(self, words: object) -> str:
        """`words` on one line, safe, and in ASCII where the terminal needs that."""
        safe = neutral.line(words)
        return safe if self.unicode else neutral.ascii_only(safe)

    def words(self, *parts: Part) -> Text:
        """One styled text; the blanks between parts are the caller's."""
        text = Text(overflow="fold")
        for part in parts:
            said, style = (part, "") if isinstance(part, str) else part
            lead = " " if said.startswith(" ") else ""
            tail = " " if said.endswith(" ") and said.strip() else ""
            text.append(lead + _TIED.sub(TIE, self.clean(said)) + tail, STYLES[style])
        return text

    def verdict(self, word: str, said: str = "") -> Text:
        """Symbol and word of a verdict, in its tone."""
        return self.words((f"{SYMBOLS[word]} {said or word}", tone(word)))

    def blank(self) -> None:
        self._console.print()

    def rule(self, title: Text) -> None:
        """A heading with a line to the margin."""
        dash = "─" if self.unicode else "-"
        rest = self.width - cell_len(title.plain) - 4
        self._console.print(Text.assemble(f"{dash * 2} ", title, f" {dash * max(0, rest)}"), overflow="fold")

    def say(self, *parts: Part, indent: int = 0, hang: int = 0) -> None:
        """A paragraph, wrapped; lines after the first are indented by `hang` more."""
        self.put(self.words(*parts), indent, hang)

    def put(self, text: Text, indent: int = 0, hang: int = 0) -> None:
        """A styled paragraph, wrapped at the page's width."""
        room = max(20, self.width - indent - hang)
        first, rest = self._first(text, max(20, self.width - indent))
        self._console.print(Text(" " * indent) + first, overflow="fold", no_wrap=True)
        if rest.plain:
            for wrapped in rest.wrap(self._console, room, overflow="fold"):
                wrapped.rstrip()
                self._console.print(Text(" " * (indent + hang)) + wrapped, overflow="fold", no_wrap=True)

    def _first(self, text: Text, room: int) -> tuple[Text, Text]:
        lines = text.wrap(self._console, room, overflow="fold")
        first = lines[0] if len(lines) else Text()
        kept = len(first.plain)
        first.rstrip()
        rest = text[kept:] if kept < len(text.plain) else Text()
        while rest.plain.startswith(" "):
            rest = rest[1:]
        return first, rest

    def item(self, lead: Text, body: Text, indent: int, room: int) -> None:
        """`lead` in a column of `room` cells, `body` wrapped beside it."""
        gap = max(1, room - cell_len(lead.plain))
        self.put(Text.assemble(lead, " " * gap, body, overflow="fold"), indent, room)

    def table(self, rows: Iterable[Sequence[Text]], widths: Sequence[int], right: frozenset[int], indent: int) -> None:
        """Rows without lines, columns of the given widths; longer words go on below within their column."""
        for row in rows:
            cells = [
                self._cell(cell, width, at in right) for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            for at in range(max(len(lines) for lines in cells)):
                parts = [lines[at] if at < len(lines) else Text() for lines in cells]
                for part, width in zip(parts, widths, strict=True):
                    part.append(" " * (width + 2 - cell_len(part.plain)))
                self._console.print(Text.assemble(" " * indent, *parts), no_wrap=True, overflow="ignore", crop=False)

    def _cell(self, cell: Text, width: int, right: bool) -> list[Text]:
        """The lines of a cell, each at most `width` wide; on the right, blanks stand before it."""
        wide = cell_len(cell.plain) > width
        if any(cell_len(word) > width for word in cell.plain.split()):
            cell = _untied(cell)
        lines = list(cell.wrap(self._console, width, overflow="fold")) if wide else [cell.copy()]
        for line in lines:
            line.rstrip()
        return [Text(" " * (width - cell_len(line.plain))) + line if right else line for line in lines]

    def raw(self, lines: Iterable[str], indent: int = 0) -> None:
        """Drawn lines (plots), blanks and all."""
        for line in lines:
            safe = line if self.unicode else neutral.ascii_only(line)
            self._console.print(Text(" " * indent + safe), no_wrap=True, overflow="crop", crop=True)

    def text(self) -> str:
        """The page, without blanks at line ends and with nothing in it that a runner would obey."""
        page = _TRAILING.sub(r"\1", self._out.getvalue().replace(TIE, " "))
        return neutral.commands(page).rstrip("\n") + "\n"


def _untied(text: Text) -> Text:
    """`text` that may break at every blank again, for a column too narrow for what is tied."""
    return Text(text.plain.replace(TIE, " "), text.style, overflow=text.overflow, spans=list(text.spans))


def longest_word(rows: Sequence[Sequence[Text]], at: int, most: int) -> int:
    """Cells of the longest word in column `at`, at most `most`: as narrow as it gets without breaking a word."""
    return min(most, max((cell_len(word) for row in rows for word in row[at].plain.split()), default=0))


WORD = 8
"""A word that is longer than the least width of its column by more than this is broken in two."""


def fit(rows: Sequence[Sequence[Text]], room: int, shrink: Sequence[tuple[int, int]]) -> list[int]:
    """Natural column widths, then the `shrink` columns (index, least width) narrowed in turn until `room` suffices: to
    their longest word first, unless it is a path or the like, then further; as a last resort the widest column.

    Two blanks stand between columns.
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(cell_len(cell.plain) for cell in column) for column in columns]
    words = [max((cell_len(word) for cell in column for word in cell.plain.split()), default=0) for column in columns]
    whole = [(at, words[at] if least < words[at] <= least + WORD else least) for at, least in shrink]
    for at, least in (*whole, *shrink):
        excess = sum(widths) + 2 * (len(widths) - 1) - room
        if excess > 0:
            widths[at] = max(min(widths[at], least), widths[at] - excess)
    for _ in range(sum(widths) + 2 * (len(widths) - 1) - room):
        widest = max(range(len(widths)), key=widths.__getitem__)
        widths[widest] = max(1, widths[widest] - 1)
    return widths
