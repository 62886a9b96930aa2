"""Streams, printed figures, documents, stamps and samples: the parts that importers are made of."""

from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from importer_cases import stream

from bizra_gate.errors import FormatError
from bizra_gate.importers import document, failure, hdr_table, instants, printed
from bizra_gate.importers import stream as stream_module
from bizra_gate.importers.cut import cut_caveats
from bizra_gate.importers.samples import EXACT_VALUES, Counts, Samples
from bizra_gate.importers.stream import Stream
from bizra_gate.model import Figure, Measurement, Source


class Dripping(io.RawIOBase):
    """A pipe that hands out a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__()
        self._data = io.BytesIO(data)
        self._step = step

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._data.read(min(self._step, len(buffer)))
        buffer[: len(data)] = data
        return len(data)


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"")), max_size=30),
       st.integers(1, 9), st.binary(max_size=5).map(lambda rest: rest.replace(b"\n", b"")))  # fmt: skip
def test_lines_are_whole_and_the_rest_is_kept_apart(lines: list[bytes], step: int, rest: bytes) -> None:
    data = b"".join(line + b"\n" for line in lines) + rest
    if data[:1] in (b"\x1f", b"P", b"(", b"B", b"\xfd", b"S", b"\xff", b"\xfe", b"\xef"):
        return
    found = Stream(Dripping(data, step), "x")
    assert list(found.lines()) == lines
    assert found.unfinished == rest


@pytest.mark.parametrize("size", [1, 7, 64, 4096])
def test_blocks_end_where_lines_end(size: int) -> None:
    data = b"".join(b"line %d\n" % number for number in range(30_000))
    blocks = list(stream(data).blocks(size))
    assert b"".join(blocks) == data
    assert all(block.endswith(b"\n") for block in blocks)


def test_a_line_beyond_all_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "MAX_LINE_BYTES", 100_000)
    with pytest.raises(FormatError, match="a line is longer than"):
        list(stream(b"x" * 300_000).lines())


def test_a_document_beyond_all_measure_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "MAX_DOCUMENT_BYTES", 100_000)
    bomb = gzip.compress(b"[" + b"0," * 5_000_000 + b"0]")
    with pytest.raises(FormatError, match="in one document"):
        stream(bomb).document()


def test_progress_counts_the_bytes_of_the_file_not_those_it_unpacks_to() -> None:
    seen: list[int] = []
    packed = gzip.compress(b"line\n" * 200_000)
    for _ in stream(packed, progress=seen.append).lines():
        pass
    assert seen == sorted(seen)
    assert seen[-1] == len(packed)


@pytest.mark.parametrize(
    ("magic", "what"), [(b"PK\x03\x04rest", "zip"), (b"\x28\xb5\x2f\xfdxx", "zstd"), (b"SQLite format 3\0", "SQLite")]
)
def test_other_containers_are_named_and_refused(magic: bytes, what: str) -> None:
    with pytest.raises(FormatError, match=what):
        stream(magic)


def test_a_last_line_without_an_end_is_told() -> None:
    source = stream(b"one\ntwo\nthr")
    assert list(source.lines()) == [b"one", b"two"]
    (caveat,) = cut_caveats(source)
    assert caveat.code == "source.cut"
    assert "'thr'" in caveat.message


def test_a_file_beside_is_asked_for_by_name() -> None:
    source = stream(b"x", beside=lambda name: name.encode())
    assert source.beside is not None
    assert source.beside("estimates.json") == b"estimates.json"


# figures


@pytest.mark.parametrize(
    ("text", "value", "resolution"),
    [("92.00us", 92_000, 10), ("1.39ms", 1_390_000, 10_000), ("1.00s", 1e9, 1e7), ("27us", 27_000, 1_000),
     ("1.50m", 90e9, 0.6e9), ("0.85h", 3060e9, 36e9), ("12µs", 12_000, 1_000), ("7ns", 7, 1)],
)  # fmt: skip
def test_a_printed_duration_keeps_the_width_of_its_last_digit(text: str, value: float, resolution: float) -> None:
    found = printed.duration(text, "x")
    assert found.value == pytest.approx(value)
    assert found.resolution == pytest.approx(resolution)


@pytest.mark.parametrize(
    ("text", "value"), [("5.007s", 5.007e9), ("1m2.5s", 62.5e9), ("12.69ms", 12.69e6), ("1h0m0s", 3600e9)]
)
def test_durations_of_go_are_sums_of_their_parts(text: str, value: float) -> None:
    assert printed.go_duration(text, "x").value == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "ms", "1.2.3ms", "1,39ms", "1 000ms", "0x10", "1e9999s", "inf", "nan", "1" * 500])
def test_what_is_no_number_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(FormatError, match=r"file\.txt: Latency: got"):
        printed.duration(text, "file.txt: Latency")


def test_a_decimal_comma_is_refused_with_the_way_out() -> None:
    with pytest.raises(FormatError, match="LC_ALL=C"):
        printed.duration("1,39ms", "file.txt")


@given(st.lists(st.tuples(st.floats(-10, 110), st.just(Figure(1.0))), max_size=20))
def test_a_ladder_of_percentiles_ascends_without_doubles(pairs: list[tuple[float, Figure]]) -> None:
    ranks = [p for p, _ in printed.ladder(pairs)]
    assert ranks == sorted(set(ranks))
    assert all(0 < p < 100 for p in ranks)


# documents


def test_a_value_of_the_wrong_kind_names_file_path_and_kind() -> None:
    node = document.parse(b'{"a": {"b": ["x"]}}', "run.json")
    with pytest.raises(FormatError, match=r'run\.json: a\.b\[0\]: got "x"; expected a number'):
        next(node["a"]["b"].elements()).number()


@pytest.mark.parametrize(("text", "count"), [("12", 12), ("12.0", 12), ('"12"', 12), ("null", None), ("0", 0)])
def test_counts_are_read_as_tools_write_them(text: str, count: int | None) -> None:
    assert document.parse(f'{{"n": {text}}}'.encode(), "x")["n"].count() == count


@pytest.mark.parametrize("text", ["-1", "1.5", '"x"', "true", "1e30", "[]", '"1e3"', "9007199254740993"])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        document.parse(f'{{"n": {text}}}'.encode(), "x")["n"].count()


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "null", "1e999"])
def test_a_number_that_is_not_finite_counts_as_not_said(text: str) -> None:
    assert document.parse(f'{{"n": {text}}}'.encode(), "x")["n"].number() is None


def test_a_document_that_says_two_things_under_one_key_is_refused() -> None:
    with pytest.raises(FormatError, match="'p99' stands twice"):
        document.parse(b'{"p99": 1, "p99": 2}', "x")


@pytest.mark.parametrize("data", [b'{"a": 1', b'{"a": "x', b"[1, 2", b'{"a":'])
def test_a_cut_document_is_called_cut(data: bytes) -> None:
    with pytest.raises(FormatError, match="ends in the middle of its JSON"):
        document.parse(data, "x")


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(FormatError, match="not readable as JSON"):
        document.parse(b"[" * 100_000, "x")


def test_documents_that_follow_one_another_are_read_one_by_one() -> None:
    assert [node["n"].count() for node in document.parse_several(b'{"n":1}\n{"n":2}{"n":3}', "x")] == [1, 2, 3]


# stamps


@pytest.mark.parametrize(
    ("text", "ns"),
    [("1970-01-01T00:00:01Z", 10**9), ("1970-01-01T00:00:00.000000001Z", 1), ("1970-01-01T02:00:00.5+02:00", 5 * 10**8),
     ("1970-01-01 00:00:01.25", 1_250_000_000)],
)  # fmt: skip
def test_stamps_keep_nine_digits_and_their_zone(text: str, ns: int) -> None:
    assert instants.rfc3339_ns(text, "x") == ns


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-11-22T25:00:00Z", "2026-11-22"])
def test_what_is_no_stamp_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        instants.rfc3339_ns(text, "x")


# samples


@settings(max_examples=50)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=200))
def test_values_are_kept_exactly_while_they_are_few(values: list[int]) -> None:
    counts = Counts()
    for value in values:
        counts.add(value)
    found = counts.distribution()
    assert (found.n, found.total_ns, found.minimum, found.maximum) == (
        len(values),
        sum(values),
        min(values),
        max(values),
    )
    assert found.low == found.high == tuple(sorted(set(values)))


def test_many_values_are_binned_within_one_part_in_eight_thousand() -> None:
    counts = Counts()
    values = [1_000_000 + 37 * number for number in range(EXACT_VALUES + 1000)]
    for value in values:
        counts.add(value)
    found = counts.distribution()
    assert counts.binned
    assert len(found.low) < EXACT_VALUES / 5
    assert (found.n, found.total_ns, found.minimum, found.maximum) == (len(values), sum(values), values[0], values[-1])
    for q in (0.5, 0.9, 0.99, 0.999):
        exact = values[found.rank(q) - 1]
        assert exact <= (found.quantile(q) or 0) <= exact * (1 + 2**-13)
    assert all(high < low for high, low in zip(found.high, found.low[1:], strict=False))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 20 * 10**9), st.integers(1, 10**9), st.booleans()), min_size=1, max_size=80))
def test_rows_add_up_in_counts_series_and_window(rows: list[tuple[int, int, bool]]) -> None:
    samples = Samples()
    for start, latency, failed in rows:
        samples.add(start, latency, "503" if failed else "200", failed=failed)
    found = samples.fill(Measurement(Source("x")), quantum_ns=1.0, origin="send")
    good = [latency for _, latency, failed in rows if not failed]
    assert found.operations == len(rows)
    assert sum((found.errors or {}).values()) + sum((found.outcomes or {}).values()) == len(rows)
    assert found.intervals is not None
    assert sum(found.intervals.count) == len(good)
    assert sum(found.intervals.total_ns) == sum(good)
    assert found.duration_ns is not None
    assert found.duration_ns.value == max(s + w for s, w, _ in rows) - min(s for s, _, _ in rows)


def test_a_percentile_table_becomes_bins_between_its_rows() -> None:
    found = hdr_table.distribution([(60_000, 2), (90_000, 10), (90_000, 11), (400_000, 12)], 1_000, "x")
    assert found.low == (60_000, 61_000, 91_000)
    assert found.high == (60_000, 90_000, 400_000)
    assert found.count == (2, 9, 1)


@pytest.mark.parametrize("rows", [[(2.0, 5), (1.0, 6)], [(1.0, 5), (2.0, 4)]])
def test_a_percentile_table_that_goes_down_is_refused(rows: list[tuple[float, int]]) -> None:
    with pytest.raises(FormatError, match="goes down"):
        hdr_table.distribution(rows, 1, "x")


@pytest.mark.parametrize(
    ("message", "kind"),
    [("dial tcp 127.0.0.1:80: connect: connection refused", "refused"), ("context deadline exceeded", "timeout"),
     ("read: connection reset by peer", "reset"), ("lookup x: no such host", "dns"), ("weird", "error")],
)  # fmt: skip
def test_messages_fall_into_classes(message: str, kind: str) -> None:
    assert failure.classify(message) == kind
