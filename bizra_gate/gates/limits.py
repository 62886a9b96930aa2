"""The language of limits: ``<= 1.5 ms``, ``in [10 ms, 20 ms]``, ``== 1``, ``<= 1.05 x FILE#latency.mean``.

A limit is refused where it cannot mean what its author meant: a bare number for a time, a unit of another
dimension, a direction against the metric's own, or a bound that everything or nothing meets.
"""

from __future__ import annotations

import math
import re
from typing import cast

from bizra_gate import units
from bizra_gate.model import Limit, Reference
from bizra_gate.model.gate import Operator

from .metrics import MetricFacts, facts_of, nearest
from .paths import path_fault

_COMPARISON = re.compile(r"^\s*(<=|>=|==|<(?!=)|>(?!=))\s*(\S.*?)\s*\Z", re.DOTALL)
_RANGE = re.compile(r"^\s*in\s*\[([^\[\],]*),([^\[\],]*)\]\s*\Z")
_REFERENCE = re.compile(r"^(\S+(?:\s*%)?)\s*[x×*]\s+(?:([^#\s]+)#)?(\S+)\Z")
LONGEST = 300
"""Longest limit in characters, the path of another artifact included."""
SMALLEST = 1e-300
"""A bound nearer to 0 than this was not meant, and is 0 after the next multiplication."""
_SLIPS = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">=", "=": "=="}
_SUFFIX = {"ns": " ms", "1/s": "/s", "B": " MiB", "ratio": " %", "1": ""}
_UPPER, _LOWER = ("<=", "<"), (">=", ">")


class LimitFault(Exception):
    """Why a text is not a limit for its metric: what was expected, and what to write."""

    def __init__(self, expected: str, hint: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.hint = hint


def parse_limit(text: str, facts: MetricFacts, kind: str) -> Limit:
    """Read `text` as a limit on the metric that `facts` describe; `kind` is the kind of its evidence.

    Raises `LimitFault` with the expectation and the next step.
    """
    if len(text) > LONGEST:
        raise LimitFault(f"a limit of at most {LONGEST} characters")
    within = _RANGE.match(text)
    if within is not None:
        return _range(text, within[1], within[2], facts)
    match = _COMPARISON.match(text)
    if match is None:
        raise LimitFault("<=, <, >=, > or == with a quantity, or in [low, high]", _slip(text, facts))
    operator, rest = cast(Operator, match[1]), match[2]
    _direction(operator, facts)
    reference = _REFERENCE.match(rest)
    if reference is not None:
        return _relative(text, operator, reference, facts, kind)
    bound = _quantity(rest, facts, f"{operator} ")
    _meaningful(operator, bound, facts)
    return Limit(operator, bound, facts.unit, _tidy(text))


def _range(text: str, low_text: str, high_text: str, facts: MetricFacts) -> Limit:
    low, high = (_quantity(part, facts, "") for part in (low_text, high_text))
    if low >= high:
        hint = f'Write "in [{high_text.strip()}, {low_text.strip()}]".' if low > high else ""
        raise LimitFault("a range from a lower to a higher bound", hint)
    if high < 0 or (facts.unit == "ratio" and low > 1):
        raise LimitFault(f"a range that {facts.name} can be in")
    return Limit("in", low, facts.unit, _tidy(text), upper=high)


def _relative(text: str, operator: Operator, match: re.Match[str], facts: MetricFacts, kind: str) -> Limit:
    if operator == "==":
        raise LimitFault("<=, <, >= or > before a relative limit")
    factor, artifact, metric = _factor(match[1]), match[2], match[3]
    other = facts_of(metric, kind)
    if other is None:
        raise LimitFault(f'a metric of kind = "{kind}" after the x', _reference_hint(operator, match, facts, kind))
    if other.unit != facts.unit:
        what = f"{units.NOUNS[facts.unit]} after the x, as {facts.name} is"
        raise LimitFault(what, f"{metric} is {units.NOUNS[other.unit]}")
    if artifact is None and metric == facts.name:
        raise LimitFault(f"another metric than {facts.name} itself, or the same one of another artifact")
    fault = path_fault(artifact) if artifact is not None else None
    if fault is not None:
        raise LimitFault(f"before the #, {fault}")
    return Limit(operator, None, facts.unit, _tidy(text), reference=Reference(factor, metric, artifact))


def _reference_hint(operator: Operator, match: re.Match[str], facts: MetricFacts, kind: str) -> str:
    factor, artifact, metric = match[1], match[2], match[3]
    if artifact is None and "/" in metric and path_fault(metric) is None:
        return f'Write "{operator} {factor} x {metric}#{facts.name}".'
    return nearest(metric, kind)


def _factor(text: str) -> float:
    try:
        factor = units.parse_ratio(text)
    except (units.UnitError, ArithmeticError):
        raise LimitFault("a factor such as 1.05 before the x") from None
    if not 0 < factor < 1e6:
        raise LimitFault("a factor above 0 before the x")
    return factor


def _quantity(text: str, facts: MetricFacts, prefix: str) -> float:
    """The quantity in base units; an error says which unit this metric takes."""
    noun = f"{facts.name} is {units.NOUNS[facts.unit]}"
    try:
        value = units.parse(text, facts.unit)
    except (units.UnitError, ArithmeticError):
        raise LimitFault(f"a quantity that fits: {noun}", _with_unit(text, facts, prefix)) from None
    if abs(value) < SMALLEST and re.search(r"[1-9]", re.split("[eE]", text)[0]):
        raise LimitFault(f"a quantity that is not too small to tell from 0: {noun}")
    if facts.unit == "ratio" and abs(value) > 1 and "%" not in text:
        raise LimitFault(f"a fraction of at most 1, or per cent: {noun}", f'Write "{prefix}{text.strip()} %".')
    return value


def _with_unit(text: str, facts: MetricFacts, prefix: str) -> str:
    bare = re.fullmatch(r"\s*([+-]?[\d_.]+(?:[eE][+-]?\d+)?)\s*", text)
    wanted = f"{bare[1]}{_SUFFIX[facts.unit]}" if bare else units.EXAMPLES[facts.unit]
    return f'Write "{prefix}{wanted}".' if bare else f'Write it like "{prefix}{wanted}".'


def _direction(operator: Operator, facts: MetricFacts) -> None:
    if operator == "==":
        if not facts.exact:
            raise LimitFault(f"<=, >= or in [low, high]: {facts.name} has an interval, which no single value equals")
        return
    wrong = {"lower": _LOWER, "higher": _UPPER, "neither": ()}[facts.better]
    if operator in wrong:
        flipped = operator.translate(str.maketrans("<>", "><"))
        raise LimitFault(
            f"{flipped}: {facts.name} is better when {facts.better}, so {operator} would let every bad value pass"
        )


def _meaningful(operator: Operator, bound: float, facts: MetricFacts) -> None:
    """Refuse a bound that every value meets, and one that none can."""
    top = 1.0 if facts.unit == "ratio" else math.inf
    always = {"<=": bound >= top, "<": bound > top, ">=": bound <= 0, ">": bound < 0}.get(operator, False)
    never = {"<=": bound < 0, "<": bound <= 0, ">=": bound > top, ">": bound >= top}.get(
        operator, not 0 <= bound <= top
    )
    if always or never:
        which = "every value of" if always else "no value of"
        raise LimitFault(f"a limit that can tell good from bad: {which} {facts.name} meets this one")
    if facts.unit == "ratio" and not facts.exact and bound in (0.0, 1.0):
        near = "99.9 %" if bound else "0.1 %"
        raise LimitFault(
            "a bound that an interval can reach: no failure in n trials still leaves room for about 3/n of them",
            f'Write it like "{operator} {near}".',
        )


def _slip(text: str, facts: MetricFacts) -> str:
    """What was probably meant by a limit that does not begin with an operator."""
    stripped = text.strip()
    for slip, meant in _SLIPS.items():
        if stripped.startswith(slip):
            return f'Write "{meant} {stripped.removeprefix(slip).strip()}".'
    operator = ">=" if facts.better == "higher" else "<="
    try:
        units.parse(stripped, facts.unit)
    except (units.UnitError, ArithmeticError):
        return _with_unit(stripped, facts, f"{operator} ")
    return f'Write "{operator} {stripped}".'


def _tidy(text: str) -> str:
    return " ".join(text.split())


def laxness(limit: Limit, warn: Limit) -> str | None:
    """What keeps `warn` from being a band around `limit`, as an expectation; None where it is one."""
    if limit.operator == "==":
        return "no warn beside ==: a value is equal or it is not" if warn.operator == "==" else None
    if (limit.operator == "in") != (warn.operator == "in") or limit.operator[0] != warn.operator[0]:
        return f'the same operator as pass = "{limit.text}"'
    if limit.reference is not None or warn.reference is not None:
        return _relative_laxness(limit, warn)
    if _laxer(limit, warn):
        return None
    return f'a limit laxer than pass = "{limit.text}": between the two lies the warning band'


def _laxer(limit: Limit, warn: Limit) -> bool:
    assert limit.bound is not None
    assert warn.bound is not None
    if limit.operator == "in":
        assert limit.upper is not None
        assert warn.upper is not None
        return warn.bound <= limit.bound and warn.upper >= limit.upper and warn.text != limit.text
    return warn.bound > limit.bound if limit.operator in _UPPER else warn.bound < limit.bound


def _relative_laxness(limit: Limit, warn: Limit) -> str | None:
    """Two relative limits on the same reference can be compared by their factors; others only when judged."""
    one, other = limit.reference, warn.reference
    if one is None or other is None or (one.artifact, one.metric) != (other.artifact, other.metric):
        return None
    laxer = other.factor > one.factor if limit.operator in _UPPER else other.factor < one.factor
    return None if laxer else f'a factor laxer than in pass = "{limit.text}"'
