"""Whole columns by numpy, and loops that were made quicker: the same as the plain definition, to the last bit."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import math
import pickle
import random
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stats_builders import MS, S, closed_measurement, hdr

from bizra_gate import load
from bizra_gate.audit import coherence_columns, coherence_rows, coherence_summary, examine, lattice
from bizra_gate.errors import UntrustedError
from bizra_gate.evidence import codec
from bizra_gate.load import FakeClock
from bizra_gate.model import (
    Distribution,
    Environment,
    Intervals,
    Measurement,
    OpenLoop,
    Plan,
    Policy,
    Printed,
    Warmup,
)
from bizra_gate.stats import arrays, modes, series
from bizra_gate.stats import shape as shapes
from bizra_gate.stats.dependence import Dependence, Rows, _twice_above
from bizra_gate.stats.histogram import decode, encode, with_exact
from bizra_gate.stats.layout import COARSE, DEFAULT, Layout
from bizra_gate.stats.summary import summarize
from bizra_gate.targets.fake import Answer, FakeTarget

LAYOUTS = (DEFAULT, COARSE, Layout(1_000, 10**11, 4), Layout(1, 2**62, 1))


@contextmanager
def by_columns() -> Iterator[None]:
    """What is read within is read as `verify` reads it by the dozen."""
    arrays.load()
    try:
        yield
    finally:
        arrays._numpy = None


def both(text: str) -> tuple[object, object]:
    """What the loops and what the columns read from `text`: a distribution, or the sentence of the refusal."""

    def said() -> object:
        try:
            return decode(text)
        except UntrustedError as error:
            return error.message

    plain = said()
    with by_columns():
        return plain, said()


def wrapped(stream: bytes, layout: Layout = DEFAULT) -> str:
    head = struct.pack(">IIIIQQd", 0x1C849313, len(stream), 0, layout.digits, layout.lowest, layout.highest, 1.0)
    packed = zlib.compress(head + stream)
    return base64.b64encode(struct.pack(">II", 0x1C849314, len(packed)) + packed).decode()


@st.composite
def histograms(draw: st.DrawFn, fewest: int = 1) -> Distribution:
    """One or two heaps of hundreds of values, some on a grid, in our bins with exact extremes and sum."""
    dice = random.Random(draw(st.integers(0, 2**32)))
    n, spread = draw(st.integers(fewest, 800)), draw(st.floats(0.01, 2.5))
    grid, far = draw(st.sampled_from([1, 1, 1, 1_000, MS])), draw(st.sampled_from([1.0, 1.0, 30.0]))
    values = [dice.lognormvariate(14, spread) * (far if dice.random() < 0.4 else 1.0) for _ in range(n)]
    return hdr(min(DEFAULT.highest, max(1, round(value / grid)) * grid) for value in values)


def read(histogram: Distribution) -> Distribution:
    """`histogram` after the way through a file."""
    return with_exact(decode(encode(histogram)), histogram.minimum, histogram.maximum, histogram.total_ns)


@given(st.binary(max_size=400).map(lambda head: head + bytes(range(2, 90))), st.sampled_from(LAYOUTS))
@settings(max_examples=300, deadline=None)
def test_any_stream_of_counts_is_read_or_refused_alike(stream: bytes, layout: Layout) -> None:
    plain, quick = both(wrapped(stream, layout))
    assert quick == plain


@given(st.lists(st.integers(0, 2**33), min_size=70, max_size=200), st.sampled_from(LAYOUTS))
@settings(max_examples=200, deadline=None)
def test_any_counts_are_read_alike_however_large(counts: list[int], layout: Layout) -> None:
    edges = [layout.edges(index) for index in range(len(counts))]
    kept = [(low, high, count) for (low, high), count in zip(edges, counts, strict=True) if count]
    columns = zip(*kept, strict=True) if kept else ((), (), ())
    plain, quick = both(encode(Distribution(*columns), layout))  # type: ignore[arg-type]
    assert isinstance(plain, Distribution)
    assert quick == plain
    assert {type(item) for item in (*quick.low, *quick.high, *quick.count)} <= {int}  # type: ignore[attr-defined]


@pytest.mark.parametrize("last", [b"\x80", b"\x82\x80", b"\x80\x00", b"\xff" * 9, b"\xff" * 8 + b"\x01"])
def test_a_number_that_is_idle_cut_off_or_long_is_left_to_the_loop(last: bytes) -> None:
    plain, quick = both(wrapped(b"\x02" * 90 + last))
    assert quick == plain


@given(histograms())
@settings(max_examples=150, deadline=None)
def test_sums_modes_and_steps_of_a_histogram_are_the_same(histogram: Distribution) -> None:
    plain = read(histogram)
    exact = Distribution.of(histogram.low)
    assert (lattice.step_ns(exact), lattice.digits(exact)) == _lattice_by_definition(exact)
    with by_columns():
        quick = read(histogram)
        assert (quick, tuple(quick.cumulative), quick.n) == (plain, plain.cumulative, plain.n)
        assert (quick.edge_sums, list(quick.pairs())) == (plain.edge_sums, list(plain.pairs()))
        assert (quick.mean, quick.variance) == (plain.mean, plain.variance)
        ranks = [1 + plain.n * part // 7 for part in range(7)] + [plain.n]
        held_there = [plain.edges(plain.bin_of_rank(rank)) for rank in ranks]
        assert quick.edges_at(ranks) == plain.edges_at(ranks) == held_there
        assert modes.modes(quick) == modes.modes(plain)
        assert (lattice.step_ns(quick), lattice.digits(quick)) == _lattice_by_definition(plain)
    assert (lattice.step_ns(plain), lattice.digits(plain)) == _lattice_by_definition(plain)


def _lattice_by_definition(histogram: Distribution) -> tuple[int, int | None]:
    """The widest step and the fewest digits that chance does not explain, each asked of all bins that tell of it."""

    def is_no_chance(bins: list[tuple[int, int, int]]) -> bool:
        chance = lattice._log_chance(bins)
        return chance is not None and chance < lattice._LOG_CHANCE

    pairs = list(histogram.pairs())
    asked = zip(lattice.STEPS_NS, lattice._narrower(histogram, lattice.STEPS_NS), strict=True)
    steps = [step for step, stop in asked if is_no_chance([(low, high, step) for low, high in pairs[:stop]])]
    rounded = [n for n in (1, 2) if is_no_chance([(low, high, lattice._place(high, n)) for low, high in pairs])]
    return steps[-1] if steps else 1, rounded[0] if rounded else None


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_a_measurement_that_was_read_is_summarised_and_audited_alike(seed: int) -> None:
    document = codec.encode(closed_measurement(seed))

    def judged() -> tuple[object, object]:
        measurement = codec.decode(Measurement, document, "measurement")
        return summarize(measurement, 0.95, (33.3, 99.5)), examine(measurement, Policy())

    plain = judged()
    with by_columns():
        assert judged() == plain


# ── loops that were made quicker, beside what they compute ───────────────────────────────────────────────────────

_SERIES = st.lists(st.floats(1e-3, 1e9), min_size=8, max_size=130)


@given(_SERIES, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_batches_of_one_are_the_entries_that_hold_something(values: list[float], dice: random.Random) -> None:
    weights = [float(dice.randrange(0, 50)) for _ in values]
    rows = [(math.fsum([w * y]) / math.fsum([w]), math.fsum([w])) for w, y in zip(weights, values, strict=True) if w]
    assert series._batched(values, weights, 1) == ([mean for mean, _ in rows], [w for _, w in rows])


@given(_SERIES)
@settings(max_examples=100, deadline=None)
def test_the_correlation_of_neighbours_is_that_of_its_formula(values: list[float]) -> None:
    mean = math.fsum(values) / len(values)
    products = math.fsum((a - mean) * (b - mean) for a, b in itertools.pairwise(values))
    squares = math.fsum((a - mean) * (a - mean) for a in values)
    rounded = len(values) * 2.3e-16 * abs(mean)
    if squares <= len(values) * rounded**2 / 4:
        assert series.lag1(values) == 0
    elif squares > 4 * len(values) * rounded**2:
        assert series.lag1(values) == pytest.approx(products / squares, abs=8 * rounded / math.sqrt(squares))


@given(
    st.lists(st.tuples(st.integers(0, 10**10), st.integers(0, 10**6)), min_size=1, max_size=50), st.integers(0, 10**10)
)
@settings(max_examples=100, deadline=None)
def test_the_shares_above_a_threshold_are_those_of_log_normals(rows: list[tuple[int, int]], threshold: int) -> None:
    place = math.log(max(threshold, 0.5))

    def share(p50: int, p99: int) -> float:
        centre, tail = math.log(max(p50, 0.5)), math.log(max(p99, 0.5))
        spread = (tail - centre) / 2.3263478740408408
        return math.erfc((place - centre) / spread / math.sqrt(2)) if spread else 2.0 if place < centre else 0.0

    values = [(low, low + more * (dice % 3)) for dice, (low, more) in enumerate(rows)]
    columns = [tuple(column) for column in zip(*values, strict=True)]
    series = Dependence(Rows((1.0,) * len(rows), (1.0,) * len(rows), *columns), Distribution.of([1]))
    above = _twice_above(series._log_normals, place)
    assert above == pytest.approx([share(*row) for row in values], abs=1e-6)


@given(_SERIES.filter(lambda values: len(values) >= 10))
@settings(max_examples=100, deadline=None)
def test_the_largest_contrast_is_looked_for_in_every_stretch(values: list[float]) -> None:
    shape = shapes.Shape(values, values)
    least = math.ceil(shapes.LASTING * shape.n)
    sums = [0.0, *itertools.accumulate(values)]
    sizes = range(least, min(2 * least, shape.n + 1))
    means = [(b - a) / size for size in sizes for a, b in zip(sums, sums[size:], strict=False)]
    start, stop = shape._stretch()
    inside, outside = shape.level(start, stop), shape._level_without(start, stop)
    pairs = ((min(means), max(means)), (inside, outside), shape._ends_of_line())
    assert shape.most() == max(abs(shapes._contrast(a, b, 0.0, 1.0).difference) for a, b in pairs)


def _valleys_by_definition(smooth: Sequence[float], counts: Sequence[float], least: float) -> list[object]:
    found: list[object] = []
    for place, height in enumerate(smooth):
        peak = min(max(smooth[: place + 1]), max(smooth[place:]))
        before = smooth[place - 1] if place else math.inf
        after = smooth[place + 1] if place + 1 < len(smooth) else math.inf
        deep = height < before and height <= after and peak > 0 and height <= modes.DEPTH * peak
        heavy = min(math.fsum(counts[:place]), math.fsum(counts[place:])) >= least
        if deep and heavy and peak - height > modes._Z * math.sqrt(0.375 * (peak + height)):
            found.append((height / peak, place, peak))
    return found


@given(st.lists(st.integers(0, 400), min_size=1, max_size=120), st.integers(0, 200))
@settings(max_examples=150, deadline=None)
def test_valleys_are_the_places_that_their_definition_names(counts: list[int], least: int) -> None:
    held = [float(count) for count in counts]
    smooth = modes._smoothed(held)
    assert list(modes._valleys(smooth, held, float(least))) == _valleys_by_definition(smooth, held, float(least))


def _by_definition(histogram: Distribution) -> tuple[Fraction, Fraction]:
    """Mean and variance in fractions."""
    bins = list(zip(histogram.low, histogram.high, histogram.count, strict=True))
    mean = Fraction(histogram.total_ns or 0, histogram.n)
    return mean, sum(((Fraction(a + b, 2) - mean) ** 2 * c for a, b, c in bins), Fraction(0)) / histogram.n


@given(histograms())
@settings(max_examples=60, deadline=None)
def test_the_variance_is_that_of_its_definition_to_the_last_bit(histogram: Distribution) -> None:
    assert (histogram.mean, histogram.variance) == tuple(map(float, _by_definition(histogram)))


def test_beyond_a_second_squares_are_added_up_exactly_too() -> None:
    histogram = hdr([*range(S // 2, 4 * S, 7 * MS), *range(3600 * S, 3700 * S, S)])
    with by_columns():
        quick = read(histogram)
        assert arrays.columns_of(quick) is not None
        assert quick.variance == float(_by_definition(histogram)[1])


def test_columns_are_pickled_copied_and_compared_without_their_tuples() -> None:
    with by_columns():
        quick, same = read(hdr(range(S, 2 * S, 3 * MS))), read(hdr(range(S, 2 * S, 3 * MS)))
        other = read(hdr(range(S, 2 * S + 3 * MS, 3 * MS)))
        shifted = read(hdr(range(S, 2 * S, 3 * MS)).__class__.of([S] * 333 + [2 * S]))
    assert quick == same
    assert quick not in (other, shifted, "a distribution")
    assert not {"low", "high", "count"} & set(vars(quick))
    copied = pickle.loads(pickle.dumps(quick))
    assert (copied, hash(copied)) == (quick, hash(quick))
    with pytest.raises(AttributeError, match="'Distribution' object has no attribute 'lows'"):
        _ = quick.lows  # type: ignore[attr-defined]


# ── rows of a series, all at once ────────────────────────────────────────────────────────────────────────────────


@cache
def _recorded(seed: int, batch: int = 1) -> tuple[Intervals, Distribution]:
    """What our recorder writes of twenty seconds in fake time: every p50 and p99 of a row is an edge of its bin.

    As if each value had been the mean of `batch` operations.
    """
    dice = random.Random(seed)
    target = FakeTarget(lambda index: Answer(round(dice.lognormvariate(14, 0.5))), servers=64)
    plan = Plan("fake:script", OpenLoop(150.0), Warmup(2 * S), 20 * S)
    run = load.run(plan, target, FakeClock(), Environment(cpu_count=2)).runs[0]
    assert run.intervals is not None
    assert run.response is not None
    assert run.response.histogram is not None
    columns = {name: tuple(batch * n for n in getattr(run.intervals, name)) for name in ("count", "total_ns")}
    return dataclasses.replace(run.intervals, **columns), run.response.histogram


@cache
def _both_ways(seed: int, batch: int) -> tuple[Distribution, Distribution]:
    """The histogram of `_recorded` as it is read in tuples and in columns."""
    _, whole = _recorded(seed, batch)
    with by_columns():
        return whole, read(whole)


@given(
    st.integers(0, 2**32),
    st.sampled_from(["count", "total_ns", "maximum_ns", "p50_ns", "p99_ns"]),
    st.one_of(st.sampled_from([0, 1, -1, 2**62, 2**70]), st.integers(-(10**7), 10**7)),
    st.sampled_from([1, 1, 1, 2, 8]),
)
@settings(max_examples=250, deadline=None)
def test_rows_fit_at_once_only_where_each_of_them_does(seed: int, name: str, by: int, batch: int) -> None:
    dice = random.Random(seed)
    honest, _ = _recorded(seed % 7, batch)
    column = list(getattr(honest, name))
    place = dice.randrange(len(column))
    column[place] = by if abs(by) >= 2**62 else max(0, column[place] + by)
    series = dataclasses.replace(honest, **{name: tuple(column)})  # type: ignore[arg-type]
    for kept, held in (_both_ways(seed % 7, batch), (None, None)):
        wrong = list(coherence_rows.of_rows("", series, batch, kept))
        alone = list(coherence_rows.of_rows("", series, batch, None))
        with by_columns():
            fits = coherence_columns.fit(series, batch, held)
            beside = coherence_columns.fit(honest, batch, held, series)
            assert list(coherence_rows.of_rows("", series, batch, held)) == wrong
        assert not (fits and wrong)
        assert not (beside and alone)
        assert fits or wrong or abs(by) >= 2**62
        assert beside or alone or abs(by) >= 2**62


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("seed", range(4))
def test_the_rows_of_an_honest_run_fit_at_once(seed: int, batch: int) -> None:
    intervals, whole = _recorded(seed, batch)
    with by_columns():
        assert coherence_columns.fit(intervals, batch, read(whole))
        assert coherence_columns.fit(intervals, batch, None)
        assert coherence_columns.fit(intervals, batch, read(whole), intervals)
        assert coherence_columns.fit(None, batch, None, intervals)


@given(st.lists(st.one_of(st.integers(0, 5_000), st.integers(0, 2**53 - 1)), min_size=1), st.integers(1, 10**7))
@settings(max_examples=300)
def test_bins_and_ranks_of_rows_are_those_of_one_row(values: list[int], n: int) -> None:
    with by_columns():
        np = arrays.loaded()
        assert np is not None
        low, high = coherence_columns._bins(np, np.array(values))
        ranks = coherence_columns._ranks(np, np.array([n])).ravel().tolist()
    assert list(zip(low.tolist(), high.tolist(), strict=True)) == list(map(coherence_rows._bin_of, values))
    row = coherence_rows._Row.of(n, 0, 0, 0, 0)
    assert ranks == [row.first, row.last - row.first, n - row.last]


# ── what a file prints, all at once ──────────────────────────────────────────────────────────────────────────────


@example(10.59375, 10.0, 0.0)
@given(
    st.floats(-1e290, 1e290) | st.floats(0.9, 11.0).map(lambda value: round(value, 5)),
    st.integers(-3, 3).map(lambda exponent: 10.0**exponent),
    st.floats(-1.2, 1.2),
)
@settings(max_examples=500)
def test_figures_are_alike_at_once_only_where_each_of_them_is(derived: float, power: float, units: float) -> None:
    derived *= power
    rounded = float(f"{derived:.6g}")
    moved = rounded + units * 10.0 ** (math.floor(math.log10(abs(derived) or 1.0)) - 5)
    with by_columns():
        for stated in (rounded, moved):
            same = coherence_summary._same(stated, derived)
            assert same or not coherence_columns.alike([1.0, stated], [1.0, derived], 6)
        assert coherence_columns.alike([rounded], [derived], 6) or abs(derived) < 1e-289
        assert not coherence_columns.alike([1.0, math.nan], [1.0, derived], 6)


_CHANGES: dict[str, st.SearchStrategy[object]] = {
    "metric": st.sampled_from(["latency.p50", "operations", "nothing"]),
    "value": st.floats(0, 1e10),
    "unit": st.sampled_from(["ns", "1/s", "1"]),
    "n": st.none() | st.integers(0, 10**6),
    "confidence": st.none() | st.sampled_from([0.9, 0.95]),
    "interval": st.none() | st.tuples(st.none() | st.floats(0, 1e10), st.none() | st.floats(0, 1e10)),
}


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_summary_agrees_at_once_only_where_each_of_its_figures_does(data: st.DataObject) -> None:
    rows = _summary_as_printed()
    place, name = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.sampled_from(sorted(_CHANGES)))
    changed = dataclasses.replace(rows[place], **{name: data.draw(_CHANGES[name])})  # type: ignore[arg-type]
    told = dataclasses.replace(_measured(), printed=(*rows[:place], changed, *rows[place + 1 :]))
    wrong = list(coherence_summary._of_printed(told))
    with by_columns():
        agrees = coherence_summary._agree(told.printed, summarize(told))
        assert list(coherence_summary._of_printed(told)) == wrong
        assert coherence_summary._agree(rows, summarize(told))
    assert not (agrees and wrong)


@cache
def _measured() -> Measurement:
    return closed_measurement(3)


@cache
def _summary_as_printed() -> tuple[Printed, ...]:
    """Every figure of `_measured` as our files print it: to six digits."""

    def six(value: float | None) -> float | None:
        return None if value is None else float(f"{value:.6g}")

    return tuple(
        Printed(
            name,
            float(f"{metric.estimate:.6g}"),
            metric.unit,
            None if metric.interval is None else (six(metric.interval[0]), six(metric.interval[1])),
            metric.n,
            metric.confidence,
        )
        for name, metric in summarize(_measured()).items()
    )


def test_a_copy_with_other_extremes_keeps_its_columns_and_is_equal_to_one_without() -> None:
    histogram = hdr(range(S, 2 * S, 3 * MS))
    with by_columns():
        quick = read(histogram)
        assert arrays.columns_of(quick) is not None
    assert arrays.columns_of(dataclasses.replace(quick, total_ns=None)) is None
    assert quick == histogram
