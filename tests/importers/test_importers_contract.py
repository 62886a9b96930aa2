"""What every importer keeps, whatever its tool."""

from __future__ import annotations

import ast
import gzip
import importlib.util
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from importer_cases import FIXTURES, cases, figures, latencies, stream

from bizra_gate import importers
from bizra_gate.errors import FormatError, UsageError
from bizra_gate.importers import IMPORTERS
from bizra_gate.model import Measurement

READABLE = [(tool, case["file"]) for tool, case in cases() if "measurements" in case]


def read(tool: str, file: str, data: bytes | None = None) -> list[Measurement]:
    raw = (FIXTURES / tool / file).read_bytes() if data is None else data
    return importers.read(stream(raw, file))


@pytest.mark.parametrize("tool", sorted(IMPORTERS))
def test_every_importer_has_a_fixture_with_an_expectation(tool: str) -> None:
    assert any(name == tool and "measurements" in case for name, case in cases())


@pytest.mark.parametrize("tool", sorted(IMPORTERS))
def test_every_importer_says_what_it_reads_and_lives_in_one_documented_file(tool: str) -> None:
    spec = importlib.util.find_spec(f"bizra_gate.importers.{IMPORTERS[tool].module}")
    assert spec is not None
    assert spec.origin is not None
    assert ast.get_docstring(ast.parse(Path(spec.origin).read_text()))
    assert IMPORTERS[tool].reads


@pytest.mark.parametrize("tool", sorted(IMPORTERS))
@pytest.mark.parametrize(
    "head", [b"", b"\n\n", b"hello\n", b"{}", b"[]", b'{"a": 1}', b"\0\1\2\3" * 40, b"<html></html>", b"a,b,c\n1,2,3\n"]
)
def test_no_importer_claims_what_no_tool_wrote(tool: str, head: bytes) -> None:
    assert not IMPORTERS[tool].sniff(head, "file.txt")


def test_every_fixture_is_in_its_expectation_file() -> None:
    listed = {(tool, case["file"]) for tool, case in cases()}
    lying = {(path.parent.name, path.name) for path in FIXTURES.glob("*/*") if path.name != "expect.json"}
    assert {pair for pair in lying if "__pycache__" not in pair[0]} == listed


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_exactly_one_importer_claims_a_file(tool: str, file: str) -> None:
    assert importers.sniff(stream((FIXTURES / tool / file).read_bytes(), file)) == tool


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_a_measurement_names_its_tool_and_what_the_rules_cannot_see(tool: str, file: str) -> None:
    for measurement in read(tool, file):
        assert measurement.source.tool == tool
        assert measurement.source.foreign
        assert measurement.source.file == file
        assert measurement.blind
        assert all(sentence == sentence.strip() for sentence in measurement.blind)
        assert all(caveat.code.startswith("source.") for caveat in measurement.caveats)


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_figures_are_finite_and_percentiles_ascend(tool: str, file: str) -> None:
    for measurement in read(tool, file):
        for figure in figures(measurement):
            assert math.isfinite(figure.value)
            assert math.isfinite(figure.resolution)
            assert figure.resolution >= 0
        for latency in latencies(measurement):
            ranks = [p for p, _ in latency.percentiles]
            assert ranks == sorted(set(ranks))
            assert all(0 < p < 100 for p in ranks)


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_bins_ascend_and_do_not_overlap(tool: str, file: str) -> None:
    for measurement in read(tool, file):
        for latency in latencies(measurement):
            held = latency.histogram
            if held is None:
                continue
            assert all(count > 0 for count in held.count)
            assert all(low <= high for low, high in zip(held.low, held.high, strict=True))
            assert all(high < low for high, low in zip(held.high, held.low[1:], strict=False))


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_a_series_adds_up_to_the_operations(tool: str, file: str) -> None:
    for measurement in read(tool, file):
        series = measurement.intervals
        if series is not None and measurement.operations is not None:
            assert sum(series.count) + sum(series.errors) == measurement.operations
            first = series.start_ns[0]
            assert -series.length_ns < first <= 0  # a second of the clock may have begun before the run did
            assert series.start_ns == tuple(first + index * series.length_ns for index in range(len(series.start_ns)))


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_a_gzipped_file_says_the_same(tool: str, file: str) -> None:
    raw = (FIXTURES / tool / file).read_bytes()
    packed = raw if raw.startswith(b"\x1f\x8b") else gzip.compress(raw, mtime=0)
    assert read(tool, file, packed) == read(tool, file)


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_line_ends_and_marks_of_windows_change_nothing(tool: str, file: str) -> None:
    raw = (FIXTURES / tool / file).read_bytes()
    if raw.startswith(b"\x1f\x8b"):
        raw = gzip.decompress(raw)
    windows = b"\xef\xbb\xbf" + raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert read(tool, file, windows) == read(tool, file)


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_what_a_windows_shell_redirects_as_utf_16_is_read(tool: str, file: str) -> None:
    raw = (FIXTURES / tool / file).read_bytes()
    if raw.startswith(b"\x1f\x8b"):
        raw = gzip.decompress(raw)
    assert read(tool, file, raw.decode().encode("utf-16")) == read(tool, file)


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_a_forced_format_reads_the_same_as_a_recognised_one(tool: str, file: str) -> None:
    raw = (FIXTURES / tool / file).read_bytes()
    assert importers.read(stream(raw, file), tool) == read(tool, file)


@pytest.mark.parametrize("tool", sorted(IMPORTERS))
def test_a_file_of_another_tool_is_refused_or_empty_never_a_crash(tool: str) -> None:
    for other, file in READABLE[:: max(1, len(READABLE) // 12)]:
        if other == tool or {other, tool} == {"wrk", "wrk2"}:
            continue
        raw = (FIXTURES / other / file).read_bytes()
        with pytest.raises(FormatError):
            importers.read(stream(raw, file), tool)


def test_two_tools_in_one_file_are_told_apart_by_name() -> None:
    both = b"".join((FIXTURES / path).read_bytes() for path in ("wrk/closed-c6.txt", "hey/closed-c6.txt"))
    with pytest.raises(FormatError, match=r"could come from hey or wrk; say which with --from hey"):
        importers.read(stream(both))


@pytest.mark.parametrize(("data", "said"), [(b"", "is empty"), (b" \n\n", "is empty"), (b"hello\n", "known here")])
def test_a_file_without_a_measurement_gets_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(FormatError, match=said) as caught:
        importers.read(stream(data))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_artifact_of_ours_is_told_from_what_no_tool_wrote() -> None:
    with pytest.raises(FormatError, match="is an artifact of bizra-gate, signed already") as caught:
        importers.read(stream(b'{\n  "format": "bizra-gate/artifact/v1",\n  "payl'))
    assert "bizra-gate verify" in str(caught.value.hint)


def test_an_unknown_format_is_a_usage_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no such format; known are ab, "):
        importers.read(stream(b"x"), "wkr")


def test_importing_the_package_loads_neither_importers_nor_numpy() -> None:
    program = (
        "import sys, bizra_gate.importers;"
        "loaded = [m for m in sys.modules if m.startswith('bizra_gate.importers.') or m in ('numpy', 'scipy')];"
        "print(sorted(loaded))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['bizra_gate.importers.stated', 'bizra_gate.importers.stream']"


def test_the_name_of_the_file_does_not_decide_what_it_is() -> None:
    raw = (FIXTURES / "wrk/closed-c6.txt").read_bytes()
    first, second = importers.read(stream(raw, "a.txt"))[0], importers.read(stream(raw, "k6.json"))[0]
    assert replace(first, source=second.source) == second
