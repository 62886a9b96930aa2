"""Quirks of the tool that measured."""

from __future__ import annotations

from ..model import Measurement, Policy
from .rule import Answer, NotApplicable, note

CODE = "source.traps"


def traps(measurement: Measurement, policy: Policy) -> Answer:
    """What is known to be odd about a tool, and was corrected for or must be borne in mind; told, not judged.

    *Formula.* Caveats of the importer whose code begins with `source.`.
    *Tolerance.* None needed: a note changes no verdict.
    *Source.* The tools' own sources and issue trackers, as each importer's docstring cites them.
    *Example.* wrk fills in samples.

    >>> from bizra_gate.model import Caveat, Source
    >>> wrk = Measurement(Source("wrk"), caveats=(Caveat("source.backfill", "wrk adds samples that nobody sent"),))
    >>> [f.message for f in traps(wrk, Policy())]
    ['wrk adds samples that nobody sent']

    *Violator.* k6's old summary, whose thresholds say true when they failed.
    *Neighbour.* Our own record.
    """
    if not measurement.source.foreign:
        return NotApplicable("it is our own record")
    told = [caveat for caveat in measurement.caveats if caveat.code.startswith("source.")]
    return [note(CODE, _named(measurement.source.tool, caveat.message), caveat.code) for caveat in told]


def _named(tool: str, message: str) -> str:
    """`message` with the tool's name, where it does not begin with it."""
    return message if message.casefold().startswith(tool.casefold()) else f"{tool}: {message}"
