"""Gates: parse, select, judge, evaluate, grade, baseline, waiver.

Pure. It sees only evidence that was already opened, decoded, recomputed and audited; it knows no file, no key and no
histogram library. What other rooms compute (comparisons, merged metrics) is handed in as functions.
"""

from .admit import distrusted
from .changes import diff, loosening_first
from .evaluate import evaluate
from .families import confidences, wanted_baselines, wanted_metrics, wanted_percentiles, wanted_references
from .judge import Context, judge
from .limits import LimitFault, parse_limit
from .measure import mean_rate, parse_stages
from .metrics import KINDS, MetricFacts, facts_of, names_of
from .parse import check_set, parse
from .plans import plan_digest, plan_document, plan_from_document
from .waivers import Waiver, parse_waiver

__all__ = [
    "KINDS",
    "Context",
    "LimitFault",
    "MetricFacts",
    "Waiver",
    "check_set",
    "confidences",
    "diff",
    "distrusted",
    "evaluate",
    "facts_of",
    "judge",
    "loosening_first",
    "mean_rate",
    "names_of",
    "parse",
    "parse_limit",
    "parse_stages",
    "parse_waiver",
    "plan_digest",
    "plan_document",
    "plan_from_document",
    "wanted_baselines",
    "wanted_metrics",
    "wanted_percentiles",
    "wanted_references",
]
