"""Python targets: plain and asynchronous callables, classes, threads; timed one by one or in batches."""

from .target import PythonTarget

__all__ = ["PythonTarget"]
