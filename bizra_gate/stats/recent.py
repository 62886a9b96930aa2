"""The last few answers, by the identity of what was asked about.

The nouns never change, and whoever opens an artifact asks a dozen times about the very same ones, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

_Found = TypeVar("_Found")


class Recent(Generic[_Found]):
    """Answers about the last `kept` nouns; what they are about lives on until others have taken their place."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._known: tuple[tuple[object, Any, _Found], ...] = ()

    def answer(self, about: object, asked: Any, make: Callable[[], _Found]) -> _Found:
        """What `make` gives, made once for this very object and an equal question."""
        for known, question, found in self._known:
            if known is about and question == asked:
                return found
        found = make()
        self._known = ((about, asked, found), *self._known)[: self._kept]
        return found
