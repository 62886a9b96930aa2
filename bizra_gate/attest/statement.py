"""in-toto Statement v1: what a signature says, about what, in whose vocabulary.

Specification: in-toto attestation framework, spec/v1/statement.md and resource_descriptor.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bizra_gate.attest.instant import parse_instant
from bizra_gate.errors import UntrustedError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
VSA_TYPE = "https://slsa.dev/verification_summary/v1"

KINDS = (
    "benchmark",
    "ratio",
    "determinism",
    "attestation",
    "tests",
    "coverage",
    "scan",
    "sbom",
    "timeline",
    "waiver",
    "checkpoint",
)
"""Kinds of evidence that a key may be trusted with."""

Statement = dict[str, Any]

_MEMBERS = {"_type", "predicate", "predicateType", "subject"}
_DESCRIPTOR = {"annotations", "content", "digest", "downloadLocation", "mediaType", "name", "uri"}
_DIGEST_HEX = {"sha256": 64, "sha384": 96, "sha512": 128, "gitCommit": 40, "gitTree": 40, "gitBlob": 40}
_KIND_IN_TYPE = re.compile(r"/([a-z]+)/v[0-9]+(?:\.[0-9]+)*")
_CLAIMED_TIME = (("finished_at",), ("measurement", "finished_at"), ("timeVerified",))


def subject(name: str, digest: Mapping[str, str]) -> dict[str, Any]:
    """One resource descriptor, such as ``subject("source", {"sha256": "…"})``."""
    return {"digest": dict(digest), "name": name}


def statement(subjects: Sequence[Mapping[str, Any]], predicate_type: str, predicate: Mapping[str, Any]) -> Statement:
    """A Statement v1 about `subjects` (resource descriptors, at least one); raises `UntrustedError` if it is none."""
    return validate(
        {
            "_type": STATEMENT_TYPE,
            "predicate": dict(predicate),
            "predicateType": predicate_type,
            "subject": [dict(one) for one in subjects],
        }
    )


def validate(document: object) -> Statement:
    """`document` if it is a Statement v1 with exactly its four members; every problem is named in one error."""
    problems = list(_problems(document))
    if problems or not isinstance(document, dict):
        raise UntrustedError("not an in-toto Statement v1: " + "; ".join(problems), code="malformed")
    return document


def kind_of(predicate_type: str) -> str | None:
    """The kind of evidence that a predicate type speaks of (``…/benchmark/v1`` → ``benchmark``), None if unknown."""
    if predicate_type == TEST_RESULT_TYPE:
        return "tests"
    match = _KIND_IN_TYPE.search(predicate_type)
    return match[1] if match and match.end() == len(predicate_type) and match[1] in KINDS else None


def claimed_instant(verified: Statement) -> datetime | None:
    """When the work behind a statement ended, by its own account: ``finished_at`` in the predicate or its measurement.

    None where the statement is silent. Raises `UntrustedError` where what it says is not RFC 3339.
    """
    for path in _CLAIMED_TIME:
        value: object = verified["predicate"]
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            continue
        try:
            return parse_instant(value if isinstance(value, str) else repr(value))
        except ValueError as error:
            raise UntrustedError(f"statement.predicate.{'.'.join(path)}: {error}", code="malformed") from None
    return None


def _problems(document: object) -> Iterable[str]:
    if not isinstance(document, dict):
        yield f"got {type(document).__name__}, expected an object"
        return
    for name in sorted(_MEMBERS - document.keys()):
        yield f"member {name!r} is missing"
    for name in sorted(document.keys() - _MEMBERS):
        yield f"unknown member {name!r}"
    if document.get("_type", STATEMENT_TYPE) != STATEMENT_TYPE:
        yield f"_type is {document['_type']!r}, expected {STATEMENT_TYPE!r}"
    if not isinstance(document.get("predicate", {}), dict):
        yield "predicate is not an object"
    kind = document.get("predicateType", "https:")
    if not isinstance(kind, str) or ":" not in kind:
        yield f"predicateType {kind!r} is not a URI"
    yield from _subject_problems(document.get("subject", [{"digest": {"none": "0"}}]))


def _subject_problems(subjects: object) -> Iterable[str]:
    if not isinstance(subjects, list) or not subjects:
        yield "subject is not a list with at least one entry; a statement about nothing proves nothing"
        return
    for index, one in enumerate(subjects):
        where = f"subject[{index}]"
        if not isinstance(one, dict):
            yield f"{where} is not an object"
            continue
        for name in sorted(one.keys() - _DESCRIPTOR):
            yield f"{where}: unknown member {name!r}"
        if not isinstance(one.get("name", ""), str):
            yield f"{where}.name is not text"
        yield from _digest_problems(one.get("digest"), f"{where}.digest")


def _digest_problems(digest: object, where: str) -> Iterable[str]:
    if not isinstance(digest, dict) or not digest:
        yield f"{where} is missing or empty; a subject without a digest binds nothing"
        return
    for algorithm, value in digest.items():
        if not isinstance(value, str) or not value:
            yield f"{where}.{algorithm} is not text"
            continue
        length = _DIGEST_HEX.get(algorithm)
        if length and not re.fullmatch(rf"[0-9a-f]{{{length}}}", value):
            yield f"{where}.{algorithm}: got {value[:80]!r}, expected {length} lowercase hexadecimal digits"
