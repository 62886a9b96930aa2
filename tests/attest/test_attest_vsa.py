"""Statements in other people's vocabularies: SLSA verification summary, in-toto test result."""

from __future__ import annotations

import pytest
from attest_keys import ALICE, NOW, keyring, trusted

from bizra_gate.attest import check, open_artifact, read, seal, subject
from bizra_gate.attest.statement import claimed_instant, kind_of
from bizra_gate.attest.vsa import Reference, Verifier, result_of_tests, verification_summary
from bizra_gate.errors import UntrustedError

_SUBJECT = [subject("source", {"sha256": "cd" * 32})]
_POLICY = Reference("gates/release.toml", "ab" * 32)
_INPUTS = [Reference("artifacts/p99.json", "ef" * 32)]
_VERIFIER = Verifier("https://github.com/acme/app/.github/workflows/gate.yml@refs/heads/main", {"bizra-gate": "1.0.0"})


def _summary(passed: bool = True, levels: tuple[str, ...] = ("BIZRA_SHIP", "BIZRA_GRADE_A+")) -> dict:
    return verification_summary(
        _SUBJECT, verifier=_VERIFIER, at=NOW, resource_uri="git+https://github.com/acme/app@refs/heads/main",
        policy=_POLICY, inputs=_INPUTS, passed=passed, levels=levels,
    )  # fmt: skip


def test_a_verdict_becomes_a_verification_summary_with_every_required_field() -> None:
    summary = _summary()
    assert summary["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert summary["subject"] == _SUBJECT
    assert summary["predicate"] == {
        "verifier": {"id": _VERIFIER.id, "version": {"bizra-gate": "1.0.0"}},
        "timeVerified": "2026-11-22T04:00:00Z",
        "resourceUri": "git+https://github.com/acme/app@refs/heads/main",
        "policy": {"uri": "gates/release.toml", "digest": {"sha256": "ab" * 32}},
        "inputAttestations": [{"uri": "artifacts/p99.json", "digest": {"sha256": "ef" * 32}}],
        "verificationResult": "PASSED",
        "verifiedLevels": ["BIZRA_SHIP", "BIZRA_GRADE_A+"],
        "slsaVersion": "1.2",
    }
    assert claimed_instant(summary) == NOW


def test_a_summary_that_did_not_pass_has_the_one_level_failed() -> None:
    predicate = _summary(passed=False, levels=())["predicate"]
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("FAILED", ["FAILED"])
    with pytest.raises(UntrustedError, match="reaches no level"):
        _summary(passed=False)


@pytest.mark.parametrize("level", ["SLSA_BUILD_LEVEL_3", "ship", "", "BIZRA SHIP"])
def test_a_level_that_belongs_to_slsa_or_is_no_name_is_refused(level: str) -> None:
    with pytest.raises(UntrustedError, match="do not begin with SLSA_"):
        _summary(levels=(level,))


def test_a_summary_is_sealed_like_any_statement_and_needs_a_key_for_everything() -> None:
    sealed = seal(_summary(), [ALICE])
    assert open_artifact(sealed, keyring(trusted(ALICE, "*")), NOW).statement == _summary()
    assert not check(read(sealed), keyring(trusted(ALICE, "benchmark")), NOW).ok


@pytest.mark.parametrize(
    ("passed", "warned", "failed", "result"),
    [
        (["a"], [], [], "PASSED"),
        (["a"], ["b"], [], "WARNED"),
        ([], ["b"], [], "WARNED"),
        (["a"], ["b"], ["c"], "FAILED"),
        ([], [], [], "FAILED"),
    ],
)
def test_the_result_of_tests_follows_from_the_lists_and_no_tests_is_never_a_pass(
    passed: list[str], warned: list[str], failed: list[str], result: str
) -> None:
    made = result_of_tests(
        _SUBJECT, configuration=[_POLICY], passed=passed, warned=warned, failed=failed, url="https://x/1"
    )
    assert made["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert made["predicate"] == {
        "configuration": [{"uri": "gates/release.toml", "digest": {"sha256": "ab" * 32}}],
        "passedTests": passed,
        "warnedTests": warned,
        "failedTests": failed,
        "result": result,
        "url": "https://x/1",
    }
    assert kind_of(made["predicateType"]) == "tests"


def test_a_test_result_without_a_url_has_none() -> None:
    assert "url" not in result_of_tests(_SUBJECT, configuration=[], passed=["a"])["predicate"]
