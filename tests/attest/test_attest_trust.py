"""Whose signature counts: known keys, right roles, in their time, and enough different ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from attest_keys import ALICE, BENCHMARK, BOB, CAROL, NOW, keyring, small_statement, trusted

from bizra_gate.attest import Keyring, Revocation, check, open_artifact, open_sealed, read, render, seal
from bizra_gate.errors import UntrustedError
from bizra_gate.model import Trust

_DAY = timedelta(days=1)
_MADE = datetime(2026, 11, 21, 10, tzinfo=UTC)
_SEALED = read(seal(small_statement(), [ALICE]))
_BOTH = read(seal(small_statement(), [ALICE, BOB]))


def _codes(trust: Trust) -> list[str]:
    return [reason.code for reason in trust.reasons]


def test_a_trusted_signature_gives_no_reasons_and_names_its_owner() -> None:
    trust = check(_SEALED, keyring(trusted(ALICE, owner="ci@acme")), NOW, role="benchmark")
    assert trust.ok
    assert trust.reasons == ()
    assert trust.signed_by == (ALICE.public.fingerprint,)
    assert trust.owners == {ALICE.public.fingerprint: "ci@acme"}


def test_an_unknown_key_and_an_empty_keyring_are_never_trusted() -> None:
    for keys in (keyring(trusted(BOB)), Keyring(1)):
        trust = check(_SEALED, keys, NOW, role="benchmark")
        assert _codes(trust) == ["signature.unknown"]
        assert not trust.ok


def test_an_unknown_cosigner_changes_nothing() -> None:
    trust = check(_BOTH, keyring(trusted(ALICE)), NOW, role="benchmark")
    assert trust.ok
    assert trust.signed_by == (ALICE.public.fingerprint,)


def test_a_wrong_signature_by_a_known_key_refuses_the_file_whatever_others_say() -> None:
    document = json.loads(seal(small_statement(), [ALICE, BOB]))
    for index in (0, 1):
        changed = json.loads(json.dumps(document))
        changed["signatures"][index]["sig"] = document["signatures"][1 - index]["sig"]
        trust = check(read(render(changed)), keyring(trusted(ALICE), trusted(BOB)), NOW, role="benchmark", threshold=1)
        assert _codes(trust) == ["signature.invalid"]
        assert trust.signed_by == ()


def test_a_key_id_is_only_a_hint() -> None:
    """Bob signs, the file says it was Alice: the key that is named must verify, so it is refused."""
    document = json.loads(seal(small_statement(), [BOB]))
    document["signatures"][0]["keyid"] = ALICE.public.fingerprint
    trust = check(read(render(document)), keyring(trusted(ALICE), trusted(BOB)), NOW, role="benchmark")
    assert _codes(trust) == ["signature.invalid"]


def test_a_threshold_counts_different_keys() -> None:
    keys = keyring(trusted(ALICE), trusted(BOB), trusted(CAROL))
    assert check(_BOTH, keys, NOW, role="benchmark", threshold=2).ok
    assert _codes(check(_SEALED, keys, NOW, role="benchmark", threshold=2)) == ["signature.threshold"]
    assert _codes(check(_BOTH, keys, NOW, role="benchmark", threshold=3)) == ["signature.threshold"]


def test_a_threshold_of_nothing_still_asks_for_one() -> None:
    assert _codes(check(_SEALED, keyring(trusted(BOB)), NOW, threshold=0)) == ["signature.unknown"]
    assert not check(_SEALED, keyring(trusted(ALICE, "tests")), NOW, role="benchmark", threshold=0).ok
    assert not check(_SEALED, keyring(trusted(ALICE, "tests")), NOW, role="benchmark", threshold=-1).ok


def test_the_higher_threshold_of_gate_and_keyring_counts() -> None:
    strict = keyring(trusted(ALICE), trusted(BOB), thresholds={"benchmark": 2})
    assert not check(_SEALED, strict, NOW, role="benchmark", threshold=1).ok
    assert check(_BOTH, strict, NOW, role="benchmark", threshold=1).ok


@pytest.mark.parametrize(
    ("roles", "asked", "ok"),
    [
        (("benchmark",), "benchmark", True),
        (("benchmark",), None, True),
        (("*",), "benchmark", True),
        (("*",), None, True),
        (("tests",), "benchmark", False),
        (("tests",), "tests", False),  # the predicate is a benchmark's, whatever the gate calls it
        (("benchmark",), "tests", False),
        (("benchmark", "tests"), "tests", True),
        (("tests",), None, False),
    ],
)
def test_a_key_signs_only_what_its_roles_allow(roles: tuple[str, ...], asked: str | None, ok: bool) -> None:
    trust = check(_SEALED, keyring(trusted(ALICE, *roles)), NOW, role=asked)
    assert trust.ok == ok
    assert ok or _codes(trust) == ["key.role", "signature.threshold"]


def test_a_predicate_type_that_nobody_knows_needs_a_key_with_every_role_or_a_gate_that_names_one() -> None:
    foreign = read(seal(small_statement(kind="https://example.com/other"), [ALICE]))
    assert not check(foreign, keyring(trusted(ALICE, "benchmark")), NOW).ok
    assert check(foreign, keyring(trusted(ALICE, "*")), NOW).ok
    assert check(foreign, keyring(trusted(ALICE, "attestation")), NOW, role="attestation").ok


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"not_before": _MADE}, None),
        ({"not_before": _MADE + _DAY / 24}, "key.not_yet_valid"),
        ({"not_after": _MADE}, None),
        ({"not_after": _MADE - _DAY / 24}, "key.expired"),
        ({"not_after": NOW - _DAY / 24}, None),  # made in time; the key has ended since
        ({"revoked": Revocation(_MADE + _DAY, "superseded")}, None),
        ({"revoked": Revocation(_MADE, "superseded")}, None),
        ({"revoked": Revocation(_MADE - _DAY, "superseded")}, "key.revoked"),
        ({"revoked": Revocation(_MADE - _DAY, "compromised")}, "key.revoked"),
        ({"revoked": Revocation(_MADE + _DAY, "compromised")}, "key.revoked"),
    ],
)
def test_a_key_counts_only_in_its_time(facts: dict[str, object], code: str | None) -> None:
    trust = check(_SEALED, keyring(trusted(ALICE, **facts)), NOW, role="benchmark")
    assert trust.ok == (code is None)
    assert _codes(trust) == ([] if code is None else [code, "signature.threshold"])


def test_a_statement_without_a_time_is_judged_by_now() -> None:
    timeless = read(seal(small_statement(None), [ALICE]))
    assert check(timeless, keyring(trusted(ALICE, not_after=NOW + _DAY)), NOW).ok
    assert _codes(check(timeless, keyring(trusted(ALICE, not_after=NOW - _DAY)), NOW))[0] == "key.expired"


def test_a_claim_from_the_future_does_not_make_a_future_key_valid() -> None:
    early = read(seal(small_statement("2030-01-01T00:00:00Z"), [ALICE]))
    trust = check(early, keyring(trusted(ALICE, not_before=NOW + _DAY)), NOW)
    assert _codes(trust)[0] == "key.not_yet_valid"


def test_a_time_that_cannot_be_read_is_not_trusted() -> None:
    assert _codes(check(read(seal(small_statement("yesterday"), [ALICE])), keyring(), NOW)) == ["malformed"]


def test_an_expired_keyring_trusts_nobody() -> None:
    assert check(_SEALED, keyring(trusted(ALICE), expires=NOW + _DAY), NOW).ok
    assert _codes(check(_SEALED, keyring(trusted(ALICE), expires=NOW), NOW)) == ["keyring.expired"]


def test_one_unfit_signer_does_not_spoil_enough_fit_ones() -> None:
    keys = keyring(trusted(ALICE), trusted(BOB, revoked=Revocation(_MADE - _DAY, "compromised")))
    trust = check(_BOTH, keys, NOW, role="benchmark")
    assert trust.ok
    assert trust.signed_by == (ALICE.public.fingerprint,)


def test_opening_raises_with_the_first_reason() -> None:
    with pytest.raises(UntrustedError, match="which is not in the keyring") as refusal:
        open_artifact(seal(small_statement(), [BOB]), keyring(), NOW, name="artifacts/x.json")
    assert refusal.value.code == "signature.unknown"
    assert refusal.value.message.startswith("artifacts/x.json: ")


def test_only_what_was_trusted_can_be_opened() -> None:
    trust = check(_SEALED, keyring(), NOW, role="benchmark")
    assert open_sealed(_SEALED, trust).statement["predicateType"] == BENCHMARK
    with pytest.raises(UntrustedError):
        open_sealed(_SEALED, check(_SEALED, keyring(trusted(BOB)), NOW))


def test_each_opening_hands_out_its_own_copy() -> None:
    one = open_artifact(seal(small_statement(), [ALICE]), keyring(), NOW)
    one.statement["predicate"]["value"] = 0
    assert open_artifact(seal(small_statement(), [ALICE]), keyring(), NOW).statement["predicate"]["value"] == 1.5
