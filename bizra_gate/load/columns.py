"""Operations as numpy columns, taken out of the plain arrays that a driver appends to."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 15
"""Operations looked at together: their columns stay in the second-level cache through every pass."""

Values = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Columns:
    """Operations as columns of one length; `due` is the intended start, or the start itself in a closed loop.

    `label` numbers the outcome of each success, or the class of each error.
    """

    start: Values
    end: Values
    due: Values
    label: Values | None = None

    def __len__(self) -> int:
        return len(self.start)

    def where(self, mask: Mask) -> Columns:
        if mask.all():
            return self
        label = None if self.label is None else self.label[mask]
        return Columns(self.start[mask], self.end[mask], self.due[mask], label)

    def labelled(self, number: int, *, other: bool = False) -> Columns:
        """Those with (or, with `other`, without) this label."""
        assert self.label is not None
        return self.where((self.label == number) != other)

    def within(self, left: int, right: int) -> Columns:
        """Those that ended in ``[left, right)``."""
        if not len(self) or (int(self.end.min()) >= left and int(self.end.max()) < right):
            return self
        return self.where((self.end >= left) & (self.end < right))

    def chunks(self) -> Iterator[Columns]:
        """The same operations, `CHUNK` at a time."""
        for low in range(0, len(self), CHUNK):
            part = slice(low, low + CHUNK)
            label = None if self.label is None else self.label[part]
            yield Columns(self.start[part], self.end[part], self.due[part], label)


def views(columns: Sequence[array[int]]) -> Columns:
    """`columns` (start, end, due, maybe label) in place; one array may stand for two of them.

    Nothing is copied, because fresh pages would cost more than all the arithmetic; the arrays cannot grow or shrink
    while a view of them lives.
    """
    return Columns(*(np.frombuffer(c, dtype=np.int64) if len(c) else np.zeros(0, dtype=np.int64) for c in columns))


def later_than(whole: Columns, edge: int) -> tuple[bytes, ...]:
    """What ended at or after `edge`, column by column, as a copy."""
    if not len(whole) or int(whole.end.max()) < edge:
        return ()
    later = whole.where(whole.end >= edge)
    parts = (later.start, later.end, later.due, later.label)
    return tuple(part.tobytes() for part in parts if part is not None)


def replace_with(columns: Sequence[array[int]], contents: Sequence[bytes]) -> None:
    """Empty `columns` and fill them anew."""
    for column in columns:
        del column[:]
    for column, content in zip(columns, contents, strict=False):
        if not column:
            column.frombytes(content)


class Names:
    """Numbers for names, in the order of their coming."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._ids: dict[str, int] = {}

    def id(self, name: str) -> int:
        found = self._ids.get(name)
        if found is None:
            found = self._ids[name] = len(self._names)
            self._names.append(name)
        return found

    def counted(self, numbers: Values | None) -> dict[str, int]:
        """How often each name occurs."""
        if numbers is None or not len(numbers):
            return {}
        counts = np.bincount(numbers).tolist()
        return {self._names[number]: count for number, count in enumerate(counts) if count}
