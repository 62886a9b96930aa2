"""What all tests share: collections of garbage that do not look at pytest's own million objects again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Collecting the tests makes hundreds of thousands of objects and no garbage worth looking for; what exists
    afterwards stays until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _stays_frozen() -> Iterator[None]:
    """A driver freezes what exists before its load and thaws it afterwards; with the session's own objects thawed,
    every further full collection would take a third of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "unfreeze", lambda: None)
        yield
