"""What a keyring trusts more than another, and what less."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from attest_keys import ALICE, BOB, trusted

from bizra_gate.attest import Keyring, Revocation, TrustedKey
from bizra_gate.attest.keyring_changes import differences

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
KEY = replace(trusted(ALICE), roles=("benchmark", "ratio"))


def ring(*keys: object, **facts: object) -> Keyring:
    return Keyring(1, keys, **facts)  # type: ignore[arg-type]


def revoked(reason: str, at: datetime = LATE) -> TrustedKey:
    return replace(KEY, revoked=Revocation(at, reason))


@pytest.mark.parametrize(
    ("laxer", "stricter", "where"),
    [
        (ring(KEY, trusted(BOB)), ring(KEY), "key "),
        (ring(KEY), None, "key "),
        (ring(replace(KEY, roles=("*",))), ring(KEY), "roles"),
        (ring(KEY), ring(replace(KEY, roles=("ratio",))), "roles"),
        (ring(KEY), ring(replace(KEY, not_after=LATE)), "not_after"),
        (ring(replace(KEY, not_after=LATE)), ring(replace(KEY, not_after=EARLY)), "not_after"),
        (ring(KEY), ring(replace(KEY, not_before=EARLY)), "not_before"),
        (ring(replace(KEY, not_before=EARLY)), ring(replace(KEY, not_before=LATE)), "not_before"),
        (ring(KEY), ring(revoked("superseded")), "revoked"),
        (ring(revoked("superseded")), ring(revoked("compromised")), "revoked"),
        (ring(revoked("superseded")), ring(revoked("superseded", EARLY)), "revoked"),
        (ring(KEY), ring(KEY, expires=LATE), "expires"),
        (ring(KEY, expires=LATE), ring(KEY, expires=EARLY), "expires"),
        (ring(KEY), ring(KEY, thresholds={"benchmark": 2}), "roles.benchmark.threshold"),
    ],
)  # fmt: skip
def test_each_change_has_its_direction_and_the_opposite_change_the_opposite(
    laxer: Keyring, stricter: Keyring | None, where: str
) -> None:
    (loose,) = differences(stricter, laxer)
    (tight,) = differences(laxer, stricter)
    assert (loose.loosens, tight.loosens) == (True, False)
    assert where in loose.where
    assert (loose.before, loose.after) == (tight.after, tight.before)


def test_another_owner_or_version_has_no_direction() -> None:
    changed = replace(ring(replace(KEY, owner="somebody else")), version=2)
    found = list(differences(ring(KEY), changed))
    assert [(change.kind, change.loosens) for change in found] == [("changed", None), ("changed", None)]


def test_a_role_in_the_place_of_another_loosens() -> None:
    (change,) = differences(ring(replace(KEY, roles=("ratio",))), ring(replace(KEY, roles=("waiver",))))
    assert (change.before, change.after, change.loosens) == ("ratio", "waiver", True)


def test_equal_keyrings_do_not_differ() -> None:
    assert list(differences(ring(KEY), ring(KEY))) == []
    assert list(differences(None, None)) == []
