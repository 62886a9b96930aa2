"""Where HdrHistogram puts a value: integer arithmetic only, because a float logarithm misplaces powers of two.

Counts of width ``2**unit`` up to ``2**sub_bits`` units, then half as many per power of two, each twice as wide as
those before: the relative width of a bin never exceeds ``10**-digits``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Layout:
    """An HDR layout: `lowest` value told from zero, `highest` trackable value, significant decimal `digits`.

    Raises ValueError where HdrHistogram would not accept the three.
    """

    lowest: int = 1
    highest: int = 3_600_000_000_000
    digits: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.digits <= 5:
            raise ValueError(f"1 to 5 significant digits, got {self.digits}")
        if self.lowest < 1 or not 2 * self.lowest <= self.highest < 2**63:
            raise ValueError(f"1 ≤ lowest, 2·lowest ≤ highest < 2**63, got {self.lowest} and {self.highest}")
        if self.unit + self.half_bits > 61:
            raise ValueError(f"a lowest value of {self.lowest} leaves no room for {self.digits} digits in 63 bits")

    @cached_property
    def unit(self) -> int:
        """log2 of the width of the narrowest bin."""
        return self.lowest.bit_length() - 1

    @cached_property
    def half_bits(self) -> int:
        """log2 of the number of bins per power of two."""
        return int(2 * 10**self.digits - 1).bit_length() - 1

    @cached_property
    def length(self) -> int:
        """Number of bins."""
        reach, rows = 2 << (self.half_bits + self.unit), 1
        while reach <= self.highest:
            reach <<= 1
            rows += 1
        return (rows + 1) << self.half_bits

    def index(self, value: int) -> int:
        """The bin of `value` ≥ 0."""
        row = max(0, value.bit_length() - 1 - self.half_bits - self.unit)
        return (row << self.half_bits) + (value >> (row + self.unit))

    def edges(self, index: int) -> tuple[int, int]:
        """Lowest and highest value of bin `index`."""
        row = max(0, (index >> self.half_bits) - 1)
        shift = row + self.unit
        low = (index - (row << self.half_bits)) << shift
        return low, low + (1 << shift) - 1


DEFAULT = Layout()
"""Ours: 1 ns to 1 h with three digits; 33,792 bins."""
COARSE = Layout(digits=2)
"""What describes the generator and not the target (delay, lag) is kept to two digits, in a third of the room."""
