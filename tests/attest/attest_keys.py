"""Keys, keyrings and statements for tests: all derived from fixed seeds, so that every run signs the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bizra_gate.attest import Keyring, PrivateKey, Statement, TrustedKey, statement, subject

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
BENCHMARK = "https://bizra.dev/attestation/benchmark/v1"

ALICE = PrivateKey(bytes(range(32)))
BOB = PrivateKey(bytes(range(32, 64)))
CAROL = PrivateKey(bytes(range(64, 96)))
# RFC 8032 section 7.1, test 1
RFC_8032 = PrivateKey(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))


def trusted(key: PrivateKey, *roles: str, **facts: Any) -> TrustedKey:
    return TrustedKey(key.public, facts.pop("owner", "ci"), roles or ("benchmark",), **facts)


def keyring(*keys: TrustedKey, **facts: Any) -> Keyring:
    return Keyring(1, keys or (trusted(ALICE),), **facts)


def small_statement(
    finished_at: str | None = "2026-11-21T10:00:00Z", kind: str = BENCHMARK, **predicate: Any
) -> Statement:
    facts = {"metric": "latency.p99", "value": 1.5, **predicate}
    if finished_at is not None:
        facts["finished_at"] = finished_at
    return statement([subject("source", {"sha256": "ab" * 32})], kind, facts)
