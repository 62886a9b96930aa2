"""Vectorised folding gives the counts of PyPI's hdrhistogram, and loses nothing without saying so."""

from __future__ import annotations

from array import array

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.model import Distribution
from bizra_gate.stats.fold import HIGHEST_NS, LENGTH, HdrCounts, indexes
from bizra_gate.stats.histogram import decode, encode, is_hdr
from bizra_gate.stats.layout import DEFAULT

NS = st.integers(0, HIGHEST_NS)
EDGES = [v for k in range(42) for v in (2**k - 1, 2**k, 2**k + 1) if v <= HIGHEST_NS] + [0, HIGHEST_NS]


def folded(values: list[int]) -> HdrCounts:
    counts = HdrCounts()
    counts.add(np.array(values, dtype=np.int64))
    return counts


def test_every_edge_has_the_index_of_the_integer_arithmetic() -> None:
    assert indexes(np.array(EDGES)).tolist() == [DEFAULT.index(value) for value in EDGES]


def test_counts_are_identical_to_those_of_hdrhistogram() -> None:
    generator = np.random.default_rng(17)
    values = np.concatenate(
        [generator.lognormal(mu, 1.5, 4000).astype(np.int64) for mu in (3, 7, 14, 20, 26)] + [np.array(EDGES)]
    )
    values = values[values <= HIGHEST_NS]
    oracle = HdrHistogram(1, HIGHEST_NS, 3)
    for value in values.tolist():
        assert oracle.record_value(value)
    counts = HdrCounts()
    counts.add(values)
    expected = [oracle.get_count_at_index(index) for index in range(LENGTH)]
    assert counts.counts.tolist() == expected


@given(st.lists(NS, max_size=300))
@settings(max_examples=60, deadline=None)
def test_minimum_maximum_sum_and_n_are_exact(values: list[int]) -> None:
    counts = folded(values)
    distribution = counts.distribution()
    assert (counts.n, counts.total_ns) == (len(values), sum(values)) == (distribution.n, distribution.total_ns)
    assert (counts.minimum, counts.maximum) == ((min(values), max(values)) if values else (None, None))
    assert is_hdr(distribution)
    assert decode(encode(distribution)).count == distribution.count


@given(st.lists(NS, min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]))
@settings(max_examples=60, deadline=None)
def test_a_quantile_is_the_ceil_rank_value_to_three_digits(values: list[int], q: float) -> None:
    exact, rough = Distribution.of(values).quantile(q), folded(values).distribution().quantile(q)
    assert exact is not None
    assert rough is not None
    assert exact <= rough <= exact * (1 + 1e-3) + 1


def test_a_column_of_the_recorder_is_read_in_place_and_can_grow_again_afterwards() -> None:
    column = array("q", range(1000))
    counts = HdrCounts()
    counts.add(column)
    column.extend(range(1000))
    counts.add(array("q"))
    assert counts.n == 1000
    assert counts.counts.tolist() == folded(list(range(1000))).counts.tolist()


def test_values_that_do_not_fit_are_counted_apart_and_never_silently_dropped() -> None:
    counts = folded([5, HIGHEST_NS, HIGHEST_NS + 1, 2 * HIGHEST_NS])
    assert (counts.n, counts.dropped, counts.maximum) == (2, 2, HIGHEST_NS)
    only = folded([HIGHEST_NS + 1])
    assert (only.n, only.dropped, only.maximum) == (0, 1, None)
    counts.merge(only)
    assert (counts.n, counts.dropped) == (2, 3)


def test_a_duration_below_zero_is_refused_and_nothing_is_folded() -> None:
    counts = HdrCounts()
    with pytest.raises(ValueError, match="backwards"):
        counts.add(np.array([5, -1], dtype=np.int64))
    assert counts.n == 0


def test_other_element_types_are_refused() -> None:
    with pytest.raises(TypeError, match="int64"):
        HdrCounts().add(np.array([1.5]))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="typecode 'q'"):
        HdrCounts().add(array("i", [1]))


@given(st.lists(st.lists(NS, max_size=60), max_size=5))
@settings(max_examples=40, deadline=None)
def test_merged_shards_equal_one_histogram_of_everything(shards: list[list[int]]) -> None:
    merged = HdrCounts()
    for shard in shards:
        merged.merge(folded(shard))
    whole = folded([value for shard in shards for value in shard])
    assert merged.counts.tolist() == whole.counts.tolist()
    assert merged.distribution() == whole.distribution()


def test_arrays_longer_than_a_chunk_are_folded_whole() -> None:
    values = np.arange(100_001, dtype=np.int64) * 37
    counts = HdrCounts()
    counts.add(values)
    assert (counts.n, counts.total_ns, counts.maximum) == (100_001, int(values.sum()), 3_700_000)
