"""The last answers, by the identity of what was asked about.

The nouns never change, and whoever opens an artifact asks a dozen times about the very same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, TypeVar

_Found = TypeVar("_Found")

MANY = 64
"""Answers of one kind that are kept where several artifacts are opened together."""


class Recent(Generic[_Found]):
    """The last `kept` answers; what they are about lives on until others have taken their place."""

    every: ClassVar[list[Recent[Any]]] = []
    fewest: ClassVar[int] = 0

    def __init__(self, kept: int = 4) -> None:
        self._kept = kept
        self._known: dict[tuple[Hashable, ...], tuple[tuple[object, ...], _Found]] = {}
        self.every.append(self)

    def answer(self, about: tuple[object, ...], asked: Hashable, make: Callable[[], _Found]) -> _Found:
        """What `make` gives, made once for these very objects and an equal question."""
        known = self._known.get((*map(id, about), asked))
        if known is not None:
            return known[1]
        found = make()
        self.note(about, asked, found)
        return found

    def note(self, about: tuple[object, ...], asked: Hashable, found: _Found) -> None:
        """Answer so from now on. As long as the answer is kept its objects are, and no other has their identity."""
        while len(self._known) >= max(self._kept, self.fewest):
            del self._known[next(iter(self._known))]
        self._known[(*map(id, about), asked)] = about, found

    def forget(self) -> None:
        """Let go of every answer, and of what they are about."""
        self._known.clear()


@contextmanager
def of_many() -> Iterator[None]:
    """Within it enough answers are kept to look at several artifacts in turn, and none of them afterwards."""
    before, Recent.fewest = Recent.fewest, MANY
    try:
        yield
    finally:
        Recent.fewest = before
        for recent in Recent.every:
            recent.forget()
