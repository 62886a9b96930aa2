"""What is under test, imported and set up: the operation and the hooks that it came with.

A hook is an attribute of the target: of a class's instance, or one set on a function.

- ``setup(context)`` is called once per worker, before anything is timed; it may be asynchronous if the operation is.
- ``arguments`` is a list, tuple or other iterable of per-operation arguments, or a callable that takes the context
  and returns one. A tuple is unpacked. What runs out starts again.
- ``validate(result) -> bool`` is asked about a sample of the results.
- ``close()`` is called when the worker is done.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any

from ...errors import TargetError
from .target import PythonTarget

Hook = Callable[..., Any]


@dataclass(frozen=True)
class Context:
    """What a target may know of the worker that it runs in."""

    worker: int
    workers: int
    run: int
    seed: int
    """Of the plan; the same in every worker."""

    @cached_property
    def random(self) -> random.Random:
        """This worker's own generator: the same numbers in every measurement, others in every worker and run."""
        return random.Random(f"{self.seed}/{self.run}/{self.worker}")


@dataclass
class Operation:
    """The callable and its hooks. `call` takes no argument, or what `arguments` yields."""

    call: Callable[..., Any]
    is_async: bool
    arguments: Callable[[Context], Iterator[tuple[Any, ...]]] | None = None
    validate: Callable[[Any], object] | None = None
    setup: Hook | None = None
    close: Hook | None = None
    is_object: bool = False
    """An instance with ``__call__`` rather than a function."""
    owner: Any = field(default=None, repr=False)


def load(target: PythonTarget) -> Operation:
    """Import and instantiate. Raises `TargetError` with a sentence for whatever does not work."""
    for folder in reversed(target.search):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    found: Any = _module(target)
    for name in target.attribute.split("."):
        if not hasattr(found, name):
            known = [n for n in dir(found) if not n.startswith("_") and callable(getattr(found, n, None))][:12]
            raise TargetError(
                f"{target.spec}: there is no {name!r}", hint=f"callables there: {', '.join(known) or 'none'}"
            )
        found = getattr(found, name)
    return of(found, target.spec)


def _module(target: PythonTarget) -> ModuleType:
    try:
        if target.path is None:
            return importlib.import_module(target.module)
        spec = importlib.util.spec_from_file_location(target.module, target.path)
        if spec is None or spec.loader is None:
            raise TargetError(f"{target.path} cannot be imported: it is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[target.module] = module
        spec.loader.exec_module(module)
        return module
    except TargetError:
        raise
    except (Exception, SystemExit) as error:
        place = target.path or target.module
        raise TargetError(
            f"{place} cannot be imported: {type(error).__name__}: {error}",
            hint="import it by hand with the same interpreter to see the whole story",
        ) from error


def of(found: Any, spec: str) -> Operation:
    """The operation in `found`: a function, an instance, or a class to instantiate."""
    if inspect.isclass(found):
        if "__call__" not in _names(found):
            raise TargetError(f"{spec} is a class without __call__", hint="its __call__ is the operation")
        try:
            found = found()
        except Exception as error:
            raise TargetError(f"{spec} cannot be instantiated: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise TargetError(f"{spec} is a {type(found).__name__}, not a callable")
    is_object = not inspect.isroutine(found)
    call = found.__call__ if is_object else found
    operation = Operation(
        call=found,
        is_async=inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(call),
        arguments=_arguments(getattr(found, "arguments", None), spec),
        validate=_hook(found, "validate", spec),
        setup=_hook(found, "setup", spec),
        close=_hook(found, "close", spec),
        is_object=is_object,
        owner=found,
    )
    _check_signature(operation, spec)
    return operation


def _names(found: type) -> set[str]:
    return {name for base in found.__mro__ if base is not object for name in vars(base)}


def _hook(found: Any, name: str, spec: str) -> Hook | None:
    hook = getattr(found, name, None)
    if hook is not None and not callable(hook):
        raise TargetError(f"{spec}: its {name} is a {type(hook).__name__}, not a callable")
    return hook


def _arguments(given: Any, spec: str) -> Callable[[Context], Iterator[tuple[Any, ...]]] | None:
    if given is None:
        return None
    if not callable(given) and not isinstance(given, Iterable):
        raise TargetError(f"{spec}: its arguments are a {type(given).__name__}, neither iterable nor callable")
    if not callable(given) and isinstance(given, Iterator):
        given = list(given)

    def tuples(context: Context) -> Iterator[tuple[Any, ...]]:
        """Round and round; each item as the tuple that the operation is called with."""
        while True:
            empty = True
            for item in given(context) if callable(given) else given:
                empty = False
                yield item if isinstance(item, tuple) else (item,)
            if empty:
                raise TargetError(f"{spec}: its arguments are empty")

    return tuples


def _check_signature(operation: Operation, spec: str) -> None:
    """Without `arguments` nothing may be required."""
    try:
        parameters = inspect.signature(operation.call).parameters.values()
    except (TypeError, ValueError):
        return
    free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    required = [p.name for p in parameters if p.default is inspect.Parameter.empty and p.kind not in free]
    if required and operation.arguments is None:
        raise TargetError(
            f"{spec} cannot be called without {', '.join(required)}",
            hint="give it an attribute `arguments` (an iterable, or a callable that takes a context and returns one), "
            "or name a callable without required parameters",
        )
