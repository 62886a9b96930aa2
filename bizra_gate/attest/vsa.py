"""Statements that other tools understand: SLSA Verification Summary v1 for a verdict, in-toto test result v0.1."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bizra_gate.attest.instant import format_instant
from bizra_gate.attest.statement import TEST_RESULT_TYPE, VSA_TYPE, Statement, statement
from bizra_gate.errors import UntrustedError

SLSA_VERSION = "1.2"
_LEVEL = re.compile(r"[A-Z0-9][A-Z0-9_.+-]*")


@dataclass(frozen=True, slots=True)
class Verifier:
    """Who judged: a URI that names the verifier as run, and the versions of its components."""

    id: str
    version: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reference:
    """A document by place and SHA-256 (hexadecimal)."""

    uri: str
    sha256: str

    def descriptor(self) -> dict[str, Any]:
        return {"digest": {"sha256": self.sha256}, "uri": self.uri}


def verification_summary(
    subjects: Sequence[Mapping[str, Any]],
    *,
    verifier: Verifier,
    at: datetime,
    resource_uri: str,
    policy: Reference,
    inputs: Sequence[Reference],
    passed: bool,
    levels: Sequence[str],
) -> Statement:
    """A SLSA VSA v1: `verifier` judged `subjects` by `policy` from the attestations `inputs`.

    `levels` are names of what was reached, such as ``BIZRA_SHIP``; those that begin with ``SLSA_`` belong to SLSA and
    are refused. A summary that did not pass has the one level ``FAILED``.
    """
    wrong = [level for level in levels if not _LEVEL.fullmatch(level) or level.startswith("SLSA_")]
    if wrong:
        raise UntrustedError(f"levels {wrong}: expected names in capitals that do not begin with SLSA_")
    if levels and not passed:
        raise UntrustedError(f"a verdict that did not pass reaches no level, got {list(levels)}")
    predicate = {
        "inputAttestations": [one.descriptor() for one in inputs],
        "policy": policy.descriptor(),
        "resourceUri": resource_uri,
        "slsaVersion": SLSA_VERSION,
        "timeVerified": format_instant(at),
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": list(levels) if passed else ["FAILED"],
        "verifier": {"id": verifier.id, "version": dict(verifier.version)},
    }
    return statement(subjects, VSA_TYPE, predicate)


def result_of_tests(
    subjects: Sequence[Mapping[str, Any]],
    *,
    configuration: Sequence[Reference],
    passed: Sequence[str] = (),
    warned: Sequence[str] = (),
    failed: Sequence[str] = (),
    url: str | None = None,
) -> Statement:
    """An in-toto test result v0.1; the result follows from the lists, and no tests at all is FAILED."""
    result: Literal["PASSED", "WARNED", "FAILED"] = "PASSED"
    if failed or not (passed or warned):
        result = "FAILED"
    elif warned:
        result = "WARNED"
    predicate: dict[str, Any] = {
        "configuration": [one.descriptor() for one in configuration],
        "failedTests": list(failed),
        "passedTests": list(passed),
        "result": result,
        "warnedTests": list(warned),
    }
    if url is not None:
        predicate["url"] = url
    return statement(subjects, TEST_RESULT_TYPE, predicate)
