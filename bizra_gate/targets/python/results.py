"""What the operations returned, looked at on a sample: type, outcome, validity, and whether anybody consumed it."""

from __future__ import annotations

import inspect
import io
from array import array
from collections.abc import Callable
from typing import Any

from ...model import Recorder

LONGEST_LABEL = 32
"""A returned string up to this long is an outcome; a longer one is a result."""
MOST_LABELS = 100
UNLABELLED = "(none)"
OTHER = "(other)"
MOST_DISTINCT = 1000
MOST_VALIDATED = 10_000
_LAZY_MODULES = ("builtins", "itertools")


def unconsumed(result: Any) -> str | None:
    """What kind of work `result` still holds: a coroutine never awaited, a generator or iterator never run."""
    if inspect.iscoroutine(result):
        return "coroutine"
    if inspect.isasyncgen(result):
        return "async_generator"
    if inspect.isgenerator(result):
        return "generator"
    if inspect.isawaitable(result):
        return "awaitable"
    lazy = hasattr(type(result), "__next__") and type(result).__module__ in _LAZY_MODULES
    return "iterator" if lazy and not isinstance(result, io.IOBase) else None


class Sample:
    """The results that were looked at. Costs the loop nothing but the occasional look, outside every stamp."""

    def __init__(self, validate: Callable[[Any], object] | None) -> None:
        self._validate = validate
        self.result_type: str | None = None
        self.unconsumed: str | None = None
        self.validated = 0
        self.rejected = 0
        self._distinct: set[int] = set()

    def look(self, result: Any) -> None:
        """One result, whole and still fresh."""
        self.result_type = type(result).__name__
        self.unconsumed = self.unconsumed or unconsumed(result)
        if len(self._distinct) < MOST_DISTINCT:
            self._distinct.add(_print_of(result))
        if self._validate is not None and self.validated < MOST_VALIDATED:
            self.validated += 1
            self.rejected += not self._is_valid(result)

    def _is_valid(self, result: Any) -> bool:
        """A validator that raises has refused."""
        assert self._validate is not None
        try:
            return bool(self._validate(result))
        except Exception:
            return False

    @property
    def distinct(self) -> int:
        return len(self._distinct)

    @property
    def was_validated(self) -> bool:
        return self._validate is not None


def _print_of(result: Any) -> int:
    """A number that equal results share; identity where a result cannot be hashed or shown."""
    try:
        return hash(result)
    except TypeError:
        pass
    try:
        return hash(repr(result)[:4096])
    except Exception:
        return id(result)


class Labels:
    """Outcomes counted from returned short strings, in the recorder's column or by the batch."""

    def __init__(self, recorder: Recorder) -> None:
        self._column: array[int] = recorder.label
        self._start: array[int] = recorder.start_ns
        self._recorder = recorder
        self._ids: dict[str, int] = {}

    def add(self, result: Any) -> None:
        """The outcome of the operation just appended; those before it without one are labelled as such."""
        missing = len(self._start) - len(self._column) - 1
        if missing > 0:
            self._column.extend([self._id(UNLABELLED)] * missing)
        number = self._ids.get(result) if result.__class__ is str else None
        self._column.append(self._id(label_of(result)) if number is None else number)

    def settle(self) -> None:
        """Label what is left over, so that the column is as long as the others."""
        missing = len(self._start) - len(self._column)
        if missing > 0:
            self._column.extend([self._id(UNLABELLED)] * missing)

    def _id(self, label: str) -> int:
        number = self._ids.get(label)
        if number is None:
            if len(self._ids) >= MOST_LABELS and label != OTHER:
                return self._id(OTHER)
            number = self._ids[label] = self._recorder.label_id(label)
        return number


def is_label(result: Any) -> bool:
    return result.__class__ is str and len(result) <= LONGEST_LABEL


def label_of(result: Any) -> str:
    return result if is_label(result) else UNLABELLED
