"""Gates: parse, select, judge, evaluate, grade, baseline, waiver.

Pure. It sees only evidence that was already opened, decoded, recomputed and audited; it knows no file, no key and no
histogram library. What other rooms compute (comparisons, merged metrics) is handed in as functions.
"""

from .metrics import KINDS, MetricFacts, facts_of, names_of
from .parse import check_set, parse
from .plans import plan_digest, plan_document, plan_from_document

__all__ = [
    "KINDS",
    "MetricFacts",
    "check_set",
    "facts_of",
    "names_of",
    "parse",
    "plan_digest",
    "plan_document",
    "plan_from_document",
]
