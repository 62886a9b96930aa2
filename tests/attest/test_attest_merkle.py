"""Merkle trees: the definitions of RFC 6962 word for word, against every small tree there is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.attest.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

_LARGEST = 18
_LEAVES = [leaf_hash(str(number).encode()) for number in range(_LARGEST)]
_ROOTS = [root(_LEAVES[:size]) for size in range(_LARGEST + 1)]


def test_the_known_hashes_hold() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"


def _mth(leaves: Sequence[bytes]) -> bytes:
    """Section 2.1 as written: split at the largest power of two below n."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = max(2**exponent for exponent in range(20) if 2**exponent < len(leaves))
    return hashlib.sha256(b"\x01" + _mth(leaves[:k]) + _mth(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(_LARGEST + 1))
def test_the_root_is_the_one_of_the_definition(size: int) -> None:
    assert root(_LEAVES[:size]) == _mth(_LEAVES[:size])


def test_the_proofs_are_those_of_the_example_with_seven_leaves() -> None:
    """RFC 6962 section 2.1.3 draws this tree: hash = ((g h)=(a b)(c d)) (((e f) j))."""
    a, b, c, d, e, f, j = _LEAVES[:7]
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, m = node_hash(g, h), node_hash(i, j)
    assert root(_LEAVES[:7]) == node_hash(k, m)
    assert inclusion_proof(_LEAVES[:7], 0) == [b, h, m]
    assert inclusion_proof(_LEAVES[:7], 3) == [c, g, m]
    assert inclusion_proof(_LEAVES[:7], 4) == [f, j, k]
    assert inclusion_proof(_LEAVES[:7], 6) == [i, k]
    assert consistency_proof(_LEAVES[:7], 3) == [c, d, g, m]
    assert consistency_proof(_LEAVES[:7], 4) == [m]
    assert consistency_proof(_LEAVES[:7], 6) == [i, j, k]


@pytest.mark.parametrize("size", range(1, _LARGEST + 1))
def test_every_leaf_proves_its_own_place_and_no_other(size: int) -> None:
    leaves = _LEAVES[:size]
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        assert verify_inclusion(leaves[index], index, size, proof, _ROOTS[size])
        assert not any(verify_inclusion(leaves[index], o, size, proof, _ROOTS[size]) for o in range(size) if o != index)
        assert not verify_inclusion(leaf_hash(b"x"), index, size, proof, _ROOTS[size])
        assert not verify_inclusion(leaves[index], index, size, proof, _ROOTS[size - 1])
        assert not verify_inclusion(
            leaves[index], index, size, [*proof, proof[-1] if proof else _ROOTS[1]], _ROOTS[size]
        )
        if proof:
            assert not verify_inclusion(leaves[index], index, size, proof[:-1], _ROOTS[size])
            assert not verify_inclusion(leaves[index], index, size, [*proof[::-1], b"\0" * 32], _ROOTS[size])


@pytest.mark.parametrize("size", range(_LARGEST + 1))
def test_every_prefix_is_proved_consistent_and_nothing_else_is(size: int) -> None:
    for old in range(size + 1):
        proof = consistency_proof(_LEAVES[:size], old)
        assert verify_consistency(old, size, proof, _ROOTS[old], _ROOTS[size])
        if old:
            assert not verify_consistency(old, size, proof, leaf_hash(b"x"), _ROOTS[size])
            assert not verify_consistency(old, size, proof, _ROOTS[old], leaf_hash(b"x"))
        for broken in (proof[:-1], [*proof, _ROOTS[1]], [b"\0" * 32, *proof[1:]], proof[1:]):
            if broken != proof:
                assert not verify_consistency(old, size, broken, _ROOTS[old], _ROOTS[size])


def test_a_log_that_changed_an_old_leaf_has_no_proof() -> None:
    forged = [leaf_hash(b"forged"), *_LEAVES[1:]]
    for size in range(2, _LARGEST + 1):
        for old in range(1, size):
            proof = consistency_proof(forged[:size], old)
            assert not verify_consistency(old, size, proof, _ROOTS[old], root(forged[:size]))


def test_the_empty_tree_is_a_prefix_of_everything_and_of_nothing_else() -> None:
    assert verify_consistency(0, 5, [], EMPTY_ROOT, _ROOTS[5])
    assert verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    assert not verify_consistency(0, 5, [], _ROOTS[1], _ROOTS[5])
    assert not verify_consistency(0, 0, [], EMPTY_ROOT, _ROOTS[1])
    assert not verify_consistency(5, 4, [], _ROOTS[5], _ROOTS[4])
    assert not verify_inclusion(_LEAVES[0], 0, 0, [], EMPTY_ROOT)


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_a_leaf_outside_the_tree_has_no_proof(index: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(_LEAVES[:3], index)
    with pytest.raises(IndexError):
        consistency_proof(_LEAVES[:2], index)
    assert not verify_inclusion(_LEAVES[0], index, 3, inclusion_proof(_LEAVES[:3], 0), _ROOTS[3])


@settings(max_examples=150)
@given(
    st.integers(-2, 40),
    st.integers(-2, 40),
    st.lists(st.one_of(st.sampled_from(_LEAVES), st.binary(max_size=33)), max_size=6),
    st.sampled_from(_ROOTS),
    st.sampled_from(_ROOTS),
)
def test_no_arbitrary_proof_crashes_or_convinces(
    one: int, other: int, proof: list[bytes], old_root: bytes, new_root: bytes
) -> None:
    stranger = b"\x42" * 32
    assert not verify_inclusion(stranger, one, other, proof, new_root)
    if 0 < one < other:
        assert not verify_consistency(one, other, proof, stranger, new_root)
        assert not verify_consistency(one, other, proof, old_root, stranger)
