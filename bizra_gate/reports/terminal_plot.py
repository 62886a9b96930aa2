"""Curves drawn with characters: braille dots (two by four in a cell), or asterisks where there is only ASCII."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Braille bit by column and row within a cell, as Unicode numbers the dots."""
_BLANK = 0x2800


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale: where `low` and `high` lie, whether it is logarithmic, and which values are named."""

    low: float
    high: float
    log: bool = False
    ticks: tuple[tuple[float, str], ...] = field(default=())

    def place(self, value: float) -> float:
        """Position in [0, 1]; values outside are put on the edge."""
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, max(value, self._least())))
        return 0.5 if high <= low else min(1.0, max(0.0, (at - low) / (high - low)))

    def _least(self) -> float:
        return self.low if self.log else -math.inf


def value_axis(values: Sequence[float], log: bool, name: Callable[[float], str]) -> Axis:
    """An axis for `values`: from zero when linear, from the least positive value when logarithmic."""
    positive = [value for value in values if value > 0]
    high = max(positive, default=1.0)
    low = min(positive, default=1.0) if log else 0.0
    if log and high / low < 1.05:
        low, high = low / 1.5, high * 1.5
    middle = math.sqrt(low * high) if log else (low + high) / 2
    return Axis(low, high, log, tuple((value, name(value)) for value in (low, middle, high)))


def chart(
    points: Sequence[tuple[float, float]], x: Axis, y: Axis, width: int, height: int, unicode: bool = True
) -> list[str]:
    """`points` joined by lines, in `height` rows, `width` cells in all with the names of the ticks."""
    margin = max((len(name) for _, name in y.ticks), default=0)
    room = max(10, width - margin - 2)
    cells = _braille(points, x, y, room, height) if unicode else _stars(points, x, y, room, height)
    names = {height - 1 - round(y.place(value) * (height - 1)): name for value, name in y.ticks}
    bar, corner, dash = ("│", "└", "─") if unicode else ("|", "+", "-")
    rows = [f"{names.get(row, ''):>{margin}} {bar}{cells[row]}".rstrip() for row in range(height)]
    return [*rows, f"{'':>{margin}} {corner}{dash * room}", f"{'':>{margin}}  {_x_names(x, room)}".rstrip()]


def _x_names(x: Axis, room: int) -> str:
    line = [" "] * room
    taken = -2
    for value, name in x.ticks:
        start = min(room - len(name), max(0, round(x.place(value) * (room - 1)) - len(name) // 2))
        if start > taken + 1:
            line[start : start + len(name)] = name
            taken = start + len(name) - 1
    return "".join(line)


def _path(points: Sequence[tuple[float, float]], x: Axis, y: Axis, wide: int, high: int) -> set[tuple[int, int]]:
    """The dots of a polyline on a grid of `wide` by `high`, row 0 on top."""
    placed = [(round(x.place(a) * (wide - 1)), round((1 - y.place(b)) * (high - 1))) for a, b in points]
    dots = set(placed)
    for (x0, y0), (x1, y1) in pairwise(placed):
        steps = max(abs(x1 - x0), abs(y1 - y0))
        dots.update((round(x0 + (x1 - x0) * k / steps), round(y0 + (y1 - y0) * k / steps)) for k in range(1, steps))
    return dots


def _braille(points: Sequence[tuple[float, float]], x: Axis, y: Axis, room: int, height: int) -> list[str]:
    grid = [[_BLANK] * room for _ in range(height)]
    for column, row in _path(points, x, y, room * 2, height * 4):
        grid[row // 4][column // 2] |= _DOTS[column % 2][row % 4]
    return ["".join(" " if cell == _BLANK else chr(cell) for cell in row) for row in grid]


def _stars(points: Sequence[tuple[float, float]], x: Axis, y: Axis, room: int, height: int) -> list[str]:
    dots = _path(points, x, y, room, height)
    return ["".join("*" if (column, row) in dots else " " for column in range(room)) for row in range(height)]
