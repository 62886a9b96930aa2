"""Rows that fill request templates: CSV with a header line, or JSON Lines of flat objects. Text in, rows out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence

from ...errors import DefinitionError, Problem

Row = Mapping[str, str]

_MAX_PROBLEMS = 20


def parse(text: str, name: str) -> tuple[Row, ...]:
    """The rows of data file `name`; ``.jsonl`` and ``.ndjson`` are JSON Lines, everything else is CSV.

    Raises `DefinitionError` with every problem found: no rows, an uneven row, a value that is not a scalar.
    """
    rows, problems = _jsonl(text, name) if name.endswith((".jsonl", ".ndjson")) else _csv(text, name)
    if not rows and not problems:
        problems = [Problem(name, "no rows", "a header line and at least one row, or one JSON object a line")]
    if problems:
        raise DefinitionError(problems[:_MAX_PROBLEMS])
    return tuple(rows)


def _csv(text: str, name: str) -> tuple[list[Row], list[Problem]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        table = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        return [], [Problem(f"{name}: line {reader.line_num}", str(error), "CSV as in RFC 4180")]
    if not table:
        return [], []
    header = [column.strip() for column in table[0][1]]
    problems = _header_problems(header, name)
    problems += [
        Problem(f"{name}: line {line}", f"{len(row)} values", f"{len(header)}, as in the header line")
        for line, row in table[1:]
        if len(row) != len(header)
    ]
    return ([] if problems else [dict(zip(header, row, strict=True)) for _, row in table[1:]]), problems


def _header_problems(header: Sequence[str], name: str) -> list[Problem]:
    twice = sorted({column for column in header if header.count(column) > 1})
    problems = [Problem(f"{name}: line 1", f"column {column!r} twice", "each column once") for column in twice]
    if "" in header:
        problems.append(Problem(f"{name}: line 1", "a column without a name", "a name for every column"))
    return problems


def _jsonl(text: str, name: str) -> tuple[list[Row], list[Problem]]:
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(_flat(json.loads(line)))
        except (ValueError, RecursionError) as error:
            problems.append(Problem(f"{name}: line {number}", str(error), "one flat JSON object"))
    return rows, problems


def _flat(value: object) -> Row:
    if not isinstance(value, dict):
        raise ValueError(f"a {type(value).__name__}")
    nested = [key for key, item in value.items() if isinstance(item, dict | list)]
    if nested:
        raise ValueError(f"nested value in {nested[0]!r}")
    return {key: item if isinstance(item, str) else json.dumps(item) for key, item in value.items()}
