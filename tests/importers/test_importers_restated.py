"""A figure that a tool prints twice, changed in one of the two places, contradicts the other."""

from __future__ import annotations

import re

import pytest
from importer_cases import FIXTURES, stream

from bizra_gate import importers
from bizra_gate.audit import examine
from bizra_gate.model import Policy

CHANGES = {
    "wrk2, mean of the table of threads": ("wrk2/paced-200-c2.txt", r"Latency +2\.99ms", "Latency 1.99ms"),
    "wrk2, deviation of the table": ("wrk2/paced-200-c2.txt", r"142\.57us", "14.25us"),
    "wrk2, maximum of the table": ("wrk2/paced-200-c2.txt", r"3\.43ms +68", "9.43ms 68"),
    "wrk2, last percentile": ("wrk2/paced-200-c2.txt", r"100\.000% +3\.43ms", "100.000% 9.43ms"),
    "wrk, requests of a thread above their maximum": ("wrk/closed-c6.txt", r"Req/Sec +482\.13", "Req/Sec 4821.3"),
    "h2load, requests of a client": ("h2load/closed-c6.txt", r"(req/s +: +\S+ +\S+ +)\S+", r"\g<1>99999.9"),
    "h2load, parts of the traffic": ("h2load/closed-c6.txt", r"\((\d+)\) headers", r"(\g<1>0) headers"),
    "autocannon, mean beside the average": ("autocannon/closed-c8.json", r'"mean":(\d)', r'"mean":9\1'),
    "autocannon, a class of status codes": ("autocannon/closed-c8.json", r'"2xx":(\d+)', r'"2xx":\g<1>0'),
}


def accused(text: str, name: str) -> bool:
    (found,) = importers.read(stream(text.encode(), name))
    return any(finding.code == "coherence.summary" for finding in examine(found, Policy()).findings)


@pytest.mark.parametrize(("file", "old", "new"), CHANGES.values(), ids=CHANGES)
def test_a_figure_that_is_printed_twice_is_changed_in_one_place(file: str, old: str, new: str) -> None:
    text = (FIXTURES / file).read_text()
    changed, times = re.subn(old, new, text, count=1)
    assert times == 1
    assert not accused(text, file)
    assert accused(changed, file)
