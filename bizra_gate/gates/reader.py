"""Read a TOML table key by key, collecting every problem instead of stopping at the first.

A `Table` remembers which keys were asked for. What is left over at the end is unknown, and the nearest key that
was asked for is what the person probably meant.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from bizra_gate import units
from bizra_gate.errors import Problem

T = TypeVar("T")
S = TypeVar("S", bound=str)

MAX_TEXT = 2_000
"""Longest text that any key takes, in characters; a claim is a sentence, not a book."""


class Problems:
    """Every problem of one document, in the order in which it was found."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.items: list[Problem] = []

    def add(self, path: str, got: str, expected: str, hint: str = "") -> None:
        self.items.append(Problem(f"{self.file}: {path}" if path else self.file, got, expected, hint))


class Table:
    """One table of a document. A getter that finds a mistake notes it and returns its default."""

    def __init__(self, data: Mapping[str, object], path: str, problems: Problems) -> None:
        self.data = data
        self.path = path
        self.problems = problems
        self.asked: list[str] = []

    def at(self, key: str) -> str:
        """The path of `key` as a person would look for it: ``check[2].pass``, the first being 0."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        return key in self.data

    def refuse(self, key: str, expected: str, hint: str = "") -> None:
        got = shown(self.data[key]) if key in self.data else "nothing"
        self.problems.add(self.at(key), got, expected, hint)

    def take(self, key: str) -> object | None:
        """The raw value, or None where the key is absent (TOML has no null)."""
        self.asked.append(key)
        return self.data.get(key)

    def optional_text(self, key: str, *, longest: int = MAX_TEXT) -> str | None:
        value = self.take(key)
        if value is None:
            return None
        fault = text_fault(value, longest)
        if fault is not None:
            self.refuse(key, fault)
            return None
        return str(value)

    def required_text(self, key: str, *, why: str, longest: int = MAX_TEXT) -> str:
        """The text, or ``""`` after a problem was noted; `why` says what the key is for."""
        if key not in self.data:
            self.asked.append(key)
            self.problems.add(self.at(key), "nothing", why)
            return ""
        return self.optional_text(key, longest=longest) or ""

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.refuse(key, "true or false")
        return default

    def optional_whole(self, key: str, low: int, high: int) -> int | None:
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.refuse(key, f"a whole number from {low:,} to {high:,}")
            return None
        return value

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        value = self.optional_whole(key, low, high)
        return default if value is None else value

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            self.refuse(key, f"a number from {low:g} to {high:g}")  # NaN fails both comparisons
            return default
        return float(value)

    def choice(self, key: str, choices: Sequence[S], default: S) -> S:
        value = self.take(key)
        if value is None:
            return default
        for known in choices:
            if value == known:
                return known
        self.refuse(key, "one of " + ", ".join(f'"{known}"' for known in choices), did_you_mean(value, choices))
        return default

    def quantity(self, key: str, read: Callable[[str], T], default: T, example: str, suffix: str) -> T:
        """A text with a unit, read by one of the parsers of `units`; a bare number is refused.

        `suffix` is the unit that a bare number most likely lacks.
        """
        value = self.take(key)
        if value is None:
            return default
        try:
            if isinstance(value, str):
                return read(value)
        except (units.UnitError, ArithmeticError):
            pass
        bare = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*", str(value)) if _is_scalar(value) else None
        hint = f'Write "{bare[1]}{suffix}".' if bare and len(bare[1]) < 20 else ""
        self.refuse(key, f'a quantity with its unit, like "{example}"', hint)
        return default

    def duration_ns(self, key: str, default: int, *, low_ns: int = 0, high_ns: int) -> int:
        value = self.optional_duration_ns(key, low_ns=low_ns, high_ns=high_ns)
        return default if value is None else value

    def optional_duration_ns(self, key: str, *, low_ns: int = 0, high_ns: int, suffix: str = "s") -> int | None:
        value = self.quantity(key, units.parse_duration_ns, None, f"30{suffix}", suffix)
        if value is None or low_ns <= value <= high_ns:
            return value
        low, high = units.format_time(low_ns), units.format_time(high_ns)
        self.refuse(key, f"a duration from {low} to {high}")
        return None

    def ratio(self, key: str, default: float, low: float, high: float) -> float:
        """``"5 %"`` or a fraction such as 0.05, within [low, high]; a bare 5 could be either and is refused."""
        value = self.take(key)
        if value is None:
            return default
        fraction = _fraction(value)
        if fraction is not None and low <= fraction <= high:
            return fraction
        bare = isinstance(value, (int, float)) and not isinstance(value, bool) and 100 * low <= value <= 100 * high
        hint = f'Write "{value} %".' if bare else ""
        self.refuse(key, f"a ratio from {units.format_quantity(low, 'ratio')} to {100 * high:.15g} %", hint)
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; one text alone is a list of one."""
        value = self.take(key)
        if value is None:
            return ()
        values = value if isinstance(value, list) else [value]
        faults = [fault for fault in (text_fault(item, MAX_TEXT) for item in values) if fault]
        if faults:
            self.refuse(key, f"a list in which each item is {faults[0]}")
            return ()
        return tuple(str(item) for item in values)

    def mapping(self, key: str) -> dict[str, str]:
        """A table of texts."""
        value = self.take(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(key, "a table of texts")
            return {}
        bad = [name for name, item in value.items() if text_fault(item, MAX_TEXT)]
        for name in bad:
            self.problems.add(f"{self.at(key)}.{plain(name)}", shown(value[name]), "a text")
        return {name: str(item) for name, item in value.items() if name not in bad}

    def table(self, key: str) -> Table | None:
        value = self.take(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.refuse(key, "a table", f"Write [{self.at(key)}].")
            return None
        return Table(value, self.at(key), self.problems)

    def tables(self, key: str) -> list[Table]:
        """An array of tables (``[[key]]``); paths count from 0."""
        value = self.take(key)
        if value is None:
            return []
        items = value if isinstance(value, list) else [value]
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in items):
            self.refuse(key, f"tables, each under [[{key}]]")
            return []
        return [Table(item, f"{self.at(key)}[{i}]", self.problems) for i, item in enumerate(items)]

    def done(self) -> None:
        """Refuse every key that nobody asked for."""
        for key in self.data:
            if key not in self.asked:
                hint = did_you_mean(key, self.asked)
                self.problems.add(self.at(plain(key)), "an unknown key", "one of " + ", ".join(self.asked), hint)


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _fraction(value: object) -> float | None:
    """A text such as ``5 %`` or ``0.05``, or a number below 1, as a fraction; None where it is neither."""
    if isinstance(value, str):
        try:
            return units.parse_ratio(value)
        except (units.UnitError, ArithmeticError):
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        return None
    return float(value)


def text_fault(value: object, longest: int) -> str | None:
    """What is wrong with `value` as a text, as the sentence's "expected"; None where it is one."""
    if not isinstance(value, str):
        return "a text"
    if not value.strip():
        return "a text that is not empty"
    if len(value) > longest:
        return f"a text of at most {longest:,} characters"
    if has_control(value, but="\n\t"):
        return "a text without control characters"
    return None


JOINERS = "\u200c\u200d"
"""Format characters that scripts and emoji need inside words."""


def is_control(char: str) -> bool:
    """Characters that move cursors, break lines, turn text around, or cannot be written."""
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in JOINERS


def has_control(text: str, *, but: str = "") -> bool:
    """Whether any character of `text` is a control, those in `but` aside; what prints (`str.isprintable`) is none."""
    return not text.isprintable() and any(is_control(char) and char not in but for char in text)


def plain(text: str, longest: int = 80) -> str:
    """`text` made safe for a terminal, and cut to `longest` characters."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(f"\\u{{{ord(char):04x}}}" if is_control(char) else char for char in cut)


def shown(value: object) -> str:
    """A TOML value as it would be written in the file, shortened."""
    if isinstance(value, str):
        return f'"{plain(value)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    return _number_shown(value) if isinstance(value, int) else plain(str(value))


def _number_shown(value: int) -> str:
    return str(value) if abs(value) < 10**40 else "an enormous number"


def did_you_mean(got: object, known: Iterable[str]) -> str:
    """``Did you mean "max_age"?`` for the nearest of `known`, or nothing where none is near."""
    if not isinstance(got, str):
        return ""
    near = difflib.get_close_matches(got[:200], list(known), n=1, cutoff=0.6)
    return f'Did you mean "{near[0]}"?' if near else ""
