"""The second target of `bench --against`: another target, or the same file as it was at a git revision."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import repository, targets
from .errors import UsageError
from .evidence.benchmark import AGAINST, GIT, against_plan
from .model import Plan, Target
from .model.plan import public_target
from .targets.python import PythonTarget

ENGINES = {"http": "http", "https": "http", "py": "py", "cmd": "cmd"}
"""Scheme → what drives it; only what is driven alike can be compared."""


@dataclass(frozen=True, slots=True)
class Rival:
    """What is measured in turn with the target: how, what, and who it says that it is."""

    plan: Plan
    target: Target
    subject: Mapping[str, str]


@contextmanager
def rival(plan: Plan, root: Path) -> Iterator[Rival | None]:
    """The second target of `plan`, None where it has none; what it needs on disk is there while the context lasts.

    Raises `UsageError` where the two cannot be compared or the revision does not hold the file.
    """
    if plan.against is None:
        yield None
    elif plan.against.startswith(GIT):
        with tempfile.TemporaryDirectory(prefix="bizra-gate-") as folder:
            yield _earlier(plan, root, plan.against.removeprefix(GIT), Path(folder).resolve() / "tree")
    else:
        check(plan)
        yield _other(plan, root)


def check(plan: Plan) -> None:
    """Raises `UsageError` where the second target of `plan` is no match for the first."""
    if plan.against is None:
        return
    if plan.against.startswith(GIT):
        if not _is_file(plan.target):
            raise UsageError(
                f"against {plan.against}: {plan.target} has no file that git could have at another revision",
                hint="a revision goes with py:path/to/file.py:attr; for anything else start both and name the other",
            )
        return
    engines = [ENGINES.get(target.partition(":")[0]) for target in (plan.target, plan.against)]
    if engines[0] != engines[1]:
        raise UsageError(f"{plan.against} is not measured as {plan.target} is, so the two cannot be compared")


def _is_file(target: str) -> bool:
    return target.startswith("py:") and target.rpartition(":")[0].endswith(".py")


def _other(plan: Plan, root: Path) -> Rival:
    mine = _plan(plan)
    target = targets.resolve(mine.target, plan=mine, root=root)
    return Rival(mine, target, _subject(mine.target, target.identity()))


def _earlier(plan: Plan, root: Path, revision: str, tree: Path) -> Rival:
    """The same file in the whole tree of `revision`, so that what it imports is as old as it is."""
    check(plan)
    whole = repository.top(root)
    if whole is None:
        raise UsageError(f"against {plan.against}: {root} is not in a git work tree")
    here = targets.resolve(plan.target, plan=plan, root=root)
    assert isinstance(here, PythonTarget)
    there = _moved(here, whole.resolve(), tree)
    commit = repository.resolve(root, revision)
    repository.export(root, commit, tree)
    if there.path is None or not Path(there.path).is_file():
        raise UsageError(f"against {plan.against}: that revision has no {plan.target}")
    said = {**there.identity(), "revision": revision, "commit": commit}
    return Rival(_plan(plan), there, _subject(plan.target, said))


def _moved(target: PythonTarget, whole: Path, tree: Path) -> PythonTarget:
    """`target` with every folder of the repository replaced by the one in `tree`: nothing new is imported by the old.

    A package below ``src/`` that is installed from the work tree is found in the old one first.
    """
    if target.path is None or not Path(target.path).is_relative_to(whole):
        raise UsageError(f"{target.spec}: the file lies outside of the repository {whole}")

    def moved(path: str) -> str:
        inside = Path(path).resolve()
        return str(tree / inside.relative_to(whole)) if inside.is_relative_to(whole) else path

    search = dict.fromkeys([*map(moved, target.search), str(tree), str(tree / "src")])
    return dataclasses.replace(target, path=moved(target.path), search=tuple(search))


def _plan(plan: Plan) -> Plan:
    """Named after what it is compared with, so that nobody takes it for the first."""
    return dataclasses.replace(against_plan(plan), name=public_target(plan.against or ""))


def _subject(target: str, identity: Mapping[str, str]) -> dict[str, str]:
    """What the statement says of it, apart from what it says of the first target."""
    return {f"{AGAINST}{name}": value for name, value in {"target": public_target(target), **identity}.items()}
