"""What is understood of each tool's files, which rules can look at them, and what they find.

    python benchmarks/import_table.py [ROOT] [--json | --write]

ROOT holds one folder per tool with an ``expect.json`` (default: the fixtures of the tests). Each file is audited under
the policy of its expectation, else with at least 1 s and no warm-up asked for. Prints two Markdown tables, one row a
file, and what is understood of each format; --write puts them into docs/importing.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from bizra_gate import units
from bizra_gate.audit import RULES, examine
from bizra_gate.errors import FormatError
from bizra_gate.importers import Stated, Stream, read
from bizra_gate.model import Audit, Latency, Measurement, Policy

PAGE = Path(__file__).parent.parent / "docs" / "importing.md"
START, END = "<!-- import_table -->\n", "<!-- /import_table -->\n"
FIXTURES = Path(__file__).parent.parent / "tests" / "importers" / "fixtures"
_UNTOLD = ("source", "blind", "caveats", "stated", "plan")
_WORST = ("VALID", "INSUFFICIENT", "INVALID")


@dataclass(frozen=True)
class Row:
    """One file of one tool."""

    tool: str
    file: str
    origin: str
    format: str
    fields: tuple[str, ...]
    rules: int
    verdict: str
    codes: tuple[str, ...]
    caveats: tuple[str, ...]


def rows(root: Path) -> Iterator[Row]:
    """A row for each case below `root`."""
    for listing in sorted(root.glob("*/expect.json")):
        for case in json.loads(listing.read_text()):
            yield _row(listing.parent, case)


def _row(folder: Path, case: dict[str, Any]) -> Row:
    origin = "tool ran" if case.get("origin") == "run here" else "written to the schema"
    path = folder / case["file"]
    try:
        with path.open("rb") as file:
            found = read(Stream(file, path.name, beside=_beside(folder)), case.get("from"), _stated(case))
    except FormatError as error:
        said = str(error).splitlines()[0].removeprefix(f"{path.name}: ").partition(";")[0]
        return Row(folder.name, case["file"], origin, f"refused: {said}", (), 0, "—", (), ())
    audits = [examine(measurement, _policy(case)) for measurement in found]
    worst = max(audits, key=lambda audit: _WORST.index(audit.verdict))
    return Row(
        tool=folder.name,
        file=case["file"],
        origin=origin,
        format=found[0].source.format or "",
        fields=_fields(found[0]),
        rules=len(RULES) - min(len(audit.not_applicable) for audit in audits),
        verdict=worst.verdict,
        codes=_codes(audits),
        caveats=tuple(sorted({caveat.code for measurement in found for caveat in measurement.caveats})),
    )


def _beside(folder: Path) -> Any:
    return lambda name: (folder / name).read_bytes() if (folder / name).is_file() else None


def _codes(audits: list[Audit]) -> tuple[str, ...]:
    return tuple(sorted({f.code for audit in audits for f in audit.findings if f.severity != "note"}))


def _stated(case: dict[str, Any]) -> Stated:
    said = case.get("stated", {})
    rate = said.get("target_rate")
    return Stated(
        connections=said.get("connections"),
        threads=said.get("threads"),
        target_rate_per_s=None if rate is None else units.parse_rate_per_s(rate),
    )


def _policy(case: dict[str, Any]) -> Policy:
    asked = {"min_duration": "1s", "min_warmup": "0s", "max_error_rate": "1 %"} | case.get("policy", {})
    return replace(
        Policy(),
        min_duration_ns=units.parse_duration_ns(asked["min_duration"]),
        min_warmup_ns=units.parse_duration_ns(asked["min_warmup"]),
        max_error_rate=units.parse_ratio(asked["max_error_rate"]),
    )


def _fields(measurement: Measurement) -> tuple[str, ...]:
    """Names of what the file told, those of its latency with a dot."""
    told = [name for name in _set(measurement) if name not in _UNTOLD and name != "latency"]
    latency = measurement.latency
    return tuple(told + ([f"latency.{name}" for name in _set(latency)] if latency is not None else []))


def _set(holder: Measurement | Latency) -> list[str]:
    empty: tuple[Any, ...] = (None, (), "unknown")
    return [
        f.name
        for f in fields(holder)
        if getattr(holder, f.name) not in empty and (f.name == "source" or getattr(holder, f.name) is not f.default)
    ]


def markdown(found: list[Row]) -> str:
    """The tables."""
    return f"{_judged(found)}\n\n{_understood(found)}\n"


def _judged(found: list[Row]) -> str:
    head = f"| tool | file | origin | format | fields | rules of {len(RULES)} | verdict | codes | corrected or told |"
    lines = [head, "|---|---|---|---|---|---|---|---|---|"]
    for row in found:
        cells = (
            row.tool, row.file, row.origin, row.format, str(len(row.fields)), str(row.rules), row.verdict,
            ", ".join(row.codes) or "—", ", ".join(row.caveats) or "—",
        )  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _understood(found: list[Row]) -> str:
    """Names of the fields that any file of a format told."""
    told: dict[tuple[str, str], dict[str, None]] = {}
    for row in found:
        if row.fields:
            told.setdefault((row.tool, row.format), {}).update(dict.fromkeys(row.fields))
    lines = ["| tool | format | understood |", "|---|---|---|"]
    lines += [f"| {tool} | {form} | {', '.join(names)} |" for (tool, form), names in told.items()]
    return "\n".join(lines)


def written(page: str, tables: str) -> str:
    """`page` with `tables` between the two marks."""
    before, _, rest = page.partition(START)
    return f"{before}{START}\n{tables}\n{END}{rest.partition(END)[2]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, nargs="?", default=FIXTURES)
    parser.add_argument("--json", action="store_true", help="every field by name, as JSON")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/importing.md")
    options = parser.parse_args()
    found = list(rows(options.root))
    if options.json:
        print(json.dumps([{f.name: getattr(row, f.name) for f in fields(row)} for row in found], indent=1))
    else:
        print(markdown(found))
    if options.write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), markdown(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
