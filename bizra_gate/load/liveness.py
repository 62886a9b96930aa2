"""Is anybody there? A target that cannot be reached, or that died on the way, ends the run with a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import TargetError
from ..units import format_time
from .series import Point
from .window import Window

NEVER_ANSWERED_NS = 3_000_000_000
"""So long a load in which everything fails and nothing ever succeeded is given up."""
GONE_NS = 10_000_000_000
"""So long a stretch of nothing but connection errors, after it worked, is a target that died."""
CONNECTION_ERRORS = frozenset({"refused", "reset", "closed", "unreachable", "dns", "tls"})

BY_KIND = {
    "bad_status": "if that is the right answer: --expect-status, or expect_status of http in the gate",
    "bad_body": "if that is the right answer: --expect-body, or expect_body of http in the gate",
    "timeout": "if it may take so long: --timeout, or timeout in the gate",
}
BY_HAND = "make one by hand to see why, then measure again"


def next_step(kind: str) -> str:
    """What to do where every operation ended in an error of this class."""
    if kind.startswith("exit "):
        return "a pipe, a redirection or a variable needs --shell; if that status is right: --expect-exit"
    return BY_KIND.get(kind, BY_HAND)


def looks_like(kind: str, examples: Mapping[str, str]) -> str:
    """``: connection refused``, from one message per class of error; empty where there is none for `kind`."""
    example = examples.get(kind)
    return f": {example}" if example else ""


class Liveness:
    """Follows the intervals; raises `TargetError` as soon as going on makes no sense."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._answered = False
        self._silent_since_ns: int | None = None
        self._failures = 0
        self._kinds: dict[str, int] = {}
        self._examples: Mapping[str, str] = {}

    def moved(self, window: Window) -> None:
        """The window opens elsewhere by now."""
        self._window = window

    def see(self, point: Point, kinds: Mapping[str, int], examples: Mapping[str, str]) -> None:
        """`kinds` are the errors by class so far, `examples` one message for each."""
        self._examples = examples
        news = {kind: count - self._kinds.get(kind, 0) for kind, count in kinds.items()}
        self._kinds = dict(kinds)
        if point.count > news.get("timeout", 0):  # the time of a timeout is recorded, and nobody answered
            self._answered, self._silent_since_ns, self._failures = True, None, 0
            return
        fresh = {kind for kind, count in news.items() if count > 0}
        if not fresh or (self._answered and not fresh <= CONNECTION_ERRORS):
            return
        if self._silent_since_ns is None:
            self._silent_since_ns = point.start_ns
        self._failures += sum(news.values())
        silent = self._window.next_edge(point.start_ns) - self._silent_since_ns
        if silent >= (GONE_NS if self._answered else NEVER_ANSWERED_NS):
            raise self._gone()

    def check_end(self) -> None:
        """At the end of the run a silence of a fifth of the window, or two seconds of it, is a death as well."""
        if self._silent_since_ns is None or not self._answered:
            return  # a run in which nothing ever succeeded is told with its reasons when it is put together
        silent = self._window.closes_ns - max(self._silent_since_ns, self._window.opens_ns)
        if silent >= min(2_000_000_000, (self._window.closes_ns - self._window.opens_ns) // 5):
            raise self._gone()

    def _gone(self) -> TargetError:
        worst = max(self._kinds, key=lambda kind: self._kinds[kind])
        said = looks_like(worst, self._examples)
        after = format_time((self._silent_since_ns or self._window.origin_ns) - self._window.origin_ns)
        if not self._answered:
            return TargetError(
                f"no operation succeeded: {self._failures:,} failed, most of them with {worst!r}{said}",
                hint=next_step(worst),
            )
        return TargetError(
            f"the target stopped answering {after} into the load: {self._failures:,} operations in a row failed "
            f"with {worst!r}{said}",
            hint="nothing was recorded; look at the target's own log",
        )
