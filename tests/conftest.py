"""What all tests share: how they are dealt out, and collections of garbage that leave pytest's own objects alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

TOGETHER = {
    "tests/audit/test_audit_bugs.py": "the audit's corpus",
    "tests/audit/test_audit_corpus.py": "the audit's corpus",
    "tests/audit/test_audit_laws.py": "the audit's corpus",
    "tests/stats/test_stats_compare.py": "scipy.stats",
    "tests/stats/test_stats_quantiles.py": "scipy.stats",
    "tests/stats/test_stats_ratio.py": "scipy.stats",
    "tests/stats/test_stats_student.py": "scipy.stats",
}
"""Files that share what takes seconds to make or to load."""
COSTLIEST = (
    "the audit's corpus", "tests/stats/test_stats_false_alarms.py", "tests/attest/test_attest_rendered.py",
    "tests/cli/test_cli_baselines.py", "tests/load/test_load_workers.py", "tests/cli/test_cli_against.py",
    "tests/reports/test_reports_html.py", "tests/reports/test_reports_neutral.py",
    "tests/importers/test_importers_damage.py", "tests/stats/test_stats_arrays.py", "tests/stats/test_stats_steady.py",
    "tests/load/test_load_run.py", "scipy.stats",
)  # fmt: skip
"""What is dealt out first, so that no worker is left alone with it at the end."""


def _group(nodeid: str) -> str:
    file = nodeid.partition("::")[0]
    return TOGETHER.get(file, file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {group: place for place, group in enumerate(COSTLIEST)}
    items.sort(key=lambda item: rank.get(_group(item.nodeid), len(rank)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Whole files go to a worker, which then makes their fixtures and loads their modules alone. (With ``--dist
    loadgroup`` single tests would be dealt out: six thousand, all looked through after each; and xdist 3.8 with pytest
    9.2 knows no groups.)"""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Groups(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

        def _pending_of(self, workload: dict[str, dict[str, bool]]) -> int:
            """Tests to come; what is done is let go, or every test would be counted again after each."""
            for group in [group for group, tests in workload.items() if all(tests.values())]:
                del workload[group]
            return super()._pending_of(workload)

    return Groups(config, log)


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
