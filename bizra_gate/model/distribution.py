"""Recorded values, counted in bins."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import mul
from typing import TYPE_CHECKING, Any, ClassVar, Protocol


class Columns(Protocol):
    """The columns of a distribution in another form, such as arrays; every answer is the one that tuples give."""

    def column(self, name: str) -> tuple[int, ...]:
        """`low`, `high` or `count` in full."""

    def bins(self) -> int:
        """How many bins there are."""

    def same(self, other: Any) -> bool:
        """Whether `other`, of this kind, holds the same numbers."""

    def cumulative(self) -> Sequence[int]:
        """Values up to and including each bin."""

    def edges(self, index: int) -> tuple[int, int]:
        """Lowest and highest value of the bin at `index`, from the end below zero."""

    def held(self, index: int) -> int:
        """Values in the bin at `index`."""

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Lowest and highest value of every bin in order."""

    def sums(self) -> tuple[int, int] | None:
        """Σ c·low and Σ c·high, exactly; None where tuples have to be asked."""

    def powers(self) -> tuple[int, int]:
        """Σ c·(low + high) and Σ c·(low + high)², exactly."""

    def edges_at(self, ranks: Sequence[int]) -> list[tuple[int, int]]:
        """Lowest and highest value of each bin that holds the value of one of these 1-based ranks."""


@dataclass(frozen=True)
class Distribution:
    """Counts of recorded values in ascending, disjoint bins; exact samples are bins of width zero.

    `low`/`high` are the inclusive edges of each bin in ns, `count` its values (all > 0). `minimum`, `maximum` and
    `total_ns` (the sum of all values) are exact where the recorder kept them beside the bins.
    """

    low: tuple[int, ...]
    high: tuple[int, ...]
    count: tuple[int, ...]
    minimum: int | None = None
    maximum: int | None = None
    total_ns: int | None = None
    columns: ClassVar[Columns | None] = None
    """What `in_columns` was given; None where the tuples came first."""

    @classmethod
    def of(cls, values: Iterable[int]) -> Distribution:
        """The exact distribution of `values` (ns)."""
        ordered = sorted(values)
        counts: dict[int, int] = {}
        for value in ordered:
            counts[value] = counts.get(value, 0) + 1
        keys = tuple(counts)
        edges = (ordered[0], ordered[-1]) if ordered else (None, None)
        return cls(keys, keys, tuple(counts.values()), edges[0], edges[1], sum(ordered))

    def __eq__(self, other: object) -> bool:
        """As tuples of all members are equal; those that differ in a single number are told apart by it."""
        if not isinstance(other, Distribution):
            return NotImplemented
        if self is other:
            return True
        if (self.bins, self.minimum, self.maximum, self.total_ns) != (
            other.bins, other.minimum, other.maximum, other.total_ns,
        ):  # fmt: skip
            return False
        if self.columns is not None and other.columns is not None:
            return self.columns.same(other.columns)
        return (self.low, self.high, self.count) == (other.low, other.high, other.count)

    @classmethod
    def in_columns(
        cls, columns: Columns, minimum: int | None = None, maximum: int | None = None, total_ns: int | None = None
    ) -> Distribution:
        """The distribution of `columns`, whose tuples are not made before somebody asks for them.

        Thousands of bins are read of every artifact, and most questions need a few of them.
        """
        made = cls.__new__(cls)
        vars(made).update(columns=columns, minimum=minimum, maximum=maximum, total_ns=total_ns)
        return made

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            columns = self.columns
            if columns is None or name not in ("low", "high", "count"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            found = vars(self)[name] = columns.column(name)
            return found

    @cached_property
    def cumulative(self) -> Sequence[int]:
        """Values up to and including each bin."""
        return tuple(accumulate(self.count)) if self.columns is None else self.columns.cumulative()

    @cached_property
    def n(self) -> int:
        return self.cumulative[-1] if self.bins else 0

    @property
    def bins(self) -> int:
        """How many bins hold something."""
        return len(self.count) if self.columns is None else self.columns.bins()

    def edges(self, index: int) -> tuple[int, int]:
        """Lowest and highest value of the bin at `index`, from the end below zero."""
        return (self.low[index], self.high[index]) if self.columns is None else self.columns.edges(index)

    def held(self, index: int) -> int:
        """Values in the bin at `index`, from the end below zero."""
        return self.count[index] if self.columns is None else self.columns.held(index)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Lowest and highest value of every bin in order; cheap for those who stop early."""
        return zip(self.low, self.high, strict=True) if self.columns is None else self.columns.pairs()

    @property
    def edge_sums(self) -> tuple[int, int]:
        """What all values add up to if each lies at the lower edge of its bin, and if each lies at the upper one."""
        known = self.columns.sums() if self.columns is not None else None
        return known or (sum(map(mul, self.low, self.count)), sum(map(mul, self.high, self.count)))

    @cached_property
    def mean(self) -> float | None:
        """Mean in ns: exact where the sum was kept, else from the middles of the bins; None when empty."""
        if not self.n:
            return None
        if self.total_ns is not None:
            return self.total_ns / self.n
        pairs = zip(self.low, self.high, self.count, strict=True)
        return math.fsum((a + b) / 2 * c for a, b, c in pairs) / self.n

    @cached_property
    def variance(self) -> float | None:
        """Variance around the mean in ns², from the middles of the bins; None when empty.

        With m = low + high (twice the middle), S₁ = Σ c·m, S₂ = Σ c·m² and T twice the sum of all values:
        Σ c·(m/2 − T/2n)²/n = (n·S₂ − 2·T·S₁ + T²) / 4n². In whole numbers nothing cancels.
        """
        n = self.n
        if not n:
            return None
        first, second = self._powers()
        total = first if self.total_ns is None else 2 * self.total_ns
        return (n * second - 2 * total * first + total * total) / (4 * n * n)

    def _powers(self) -> tuple[int, int]:
        if self.columns is not None:
            return self.columns.powers()
        first = second = 0
        for low, high, count in zip(self.low, self.high, self.count, strict=True):
            twice = low + high
            first += count * twice
            second += count * twice * twice
        return first, second

    def bin_of_rank(self, rank: int) -> int:
        """Index of the bin that holds the value of 1-based `rank`, 1 ≤ rank ≤ n."""
        return bisect_left(self.cumulative, rank)

    def edges_at(self, ranks: Sequence[int]) -> list[tuple[int, int]]:
        """Lowest and highest value of each bin that holds the value of one of these 1-based ranks, all 1 ≤ rank ≤ n."""
        if self.columns is not None:
            return self.columns.edges_at(ranks)
        return [self.edges(self.bin_of_rank(rank)) for rank in ranks]

    def quantile(self, q: float) -> int | None:
        """The value at ceil rank ⌈q·n⌉ (nearest rank), as the upper edge of its bin, kept within [min, max]."""
        if not self.n:
            return None
        return self.within(self.edges(self.bin_of_rank(self.rank(q)))[1])

    def within(self, value: int) -> int:
        """`value` kept within the exact minimum and maximum, as far as they are known."""
        if self.maximum is not None and value > self.maximum:
            value = self.maximum
        return self.minimum if self.minimum is not None and value < self.minimum else value

    def rank(self, q: float) -> int:
        """Ceil rank of quantile `q` in [0, 1]; the tiny slack keeps 0.9 · 10 at 9 in spite of binary fractions."""
        exact = q * self.n
        return min(self.n, max(1, math.ceil(exact - 1e-9 * max(1.0, exact))))
