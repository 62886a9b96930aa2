"""What all tests share: how they are dealt out, and collections of garbage that leave pytest's own objects alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

COSTLIEST = (
    "the audit's corpus", "test_stats_false_alarms", "test_cli_baselines", "test_load_workers", "test_cli_against",
    "test_stats_steady", "test_load_run", "test_stats_arrays", "test_importers_damage", "test_reports_html",
    "test_reports_neutral", "scipy",
)  # fmt: skip
"""Groups that are dealt out first, so that no worker is left alone with one at the end."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file goes to one worker, which then makes its fixtures and loads its modules alone; and who deals out six
    thousand single tests looks through all of them after each."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    rank = {group: place for place, group in enumerate(COSTLIEST)}
    items.sort(key=lambda item: rank.get(_group(item), len(rank)))


def _group(item: pytest.Item) -> str:
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark is not None else ""


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
