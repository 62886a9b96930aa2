"""Our verifier over the conformance cases: each opens or is refused for the reason that the index names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bizra_gate.attest import check, import_dsse, open_artifact, parse_instant, parse_keyring, read
from bizra_gate.attest.checkpoint import check_ledger, check_proof
from bizra_gate.attest.keyring import Keyring
from bizra_gate.attest.keys import PublicKey
from bizra_gate.attest.ledger import Entry, parse_ledger
from bizra_gate.errors import BizraGateError, DefinitionError, UntrustedError
from bizra_gate.model import Trust

HERE = Path(__file__).parent
INDEX = json.loads((HERE / "index.json").read_text())
CASES: list[dict[str, Any]] = INDEX["cases"]


def ring_of(case: dict[str, Any]) -> Keyring:
    return parse_keyring((HERE / "keyrings" / f"{case['keyring']}.toml").read_text())


def judged(case: dict[str, Any]) -> None:
    """Nothing where the case opens; raises what our verifier raises."""
    data = (HERE / case["file"]).read_bytes()
    now = parse_instant(case.get("now", INDEX["now"]))
    if case["kind"] == "keyring":
        parse_keyring(data.decode())
        return
    ring = ring_of(case)
    if case["kind"] == "ledger":
        parts = json.loads(data)
        ledger = parse_ledger(parts["entries"])
        require(check_ledger(ledger, parts["checkpoint"], ring, now, cosigners=case.get("cosigners", 0)))
    elif case["kind"] == "proof":
        entry = parse_ledger(case["line"] + "\n").records[0]
        assert isinstance(entry, Entry)
        require(check_proof(entry, data.decode(), ring, now))
    else:
        if case["kind"] == "dsse":
            data = import_dsse(data, [key.public for key in ring.keys])
        open_artifact(data, ring, now, role=case["role"], threshold=case.get("threshold", 1))


def require(trust: Trust) -> None:
    if not trust.ok:
        raise UntrustedError("; ".join(one.message for one in trust.reasons), code=trust.reasons[-1].code)


def outcome(case: dict[str, Any]) -> tuple[str | None, int, str]:
    """Code, exit code and sentence of a refusal."""
    try:
        judged(case)
    except DefinitionError as error:
        return "definition", error.exit_code, str(error)
    except BizraGateError as error:
        return getattr(error, "code", "?"), error.exit_code, str(error)
    return None, 0, ""


@pytest.mark.parametrize("case", CASES, ids=[case["file"] for case in CASES])
def test_a_case_opens_or_is_refused_for_its_reason(case: dict[str, Any]) -> None:
    code, exit_code, sentence = outcome(case)
    assert code == case["code"], sentence
    assert (code is None) == case["file"].startswith("pass/")
    assert exit_code == {None: 0, "definition": 2}.get(code, 4)
    assert code is None or len(sentence) > 20


def test_every_file_is_in_the_index_once_with_a_reason() -> None:
    files = sorted(f"{folder}/{path.name}" for folder in ("pass", "fail") for path in (HERE / folder).iterdir())
    assert sorted(case["file"] for case in CASES) == files
    assert all(case["why"] for case in CASES)
    assert sum(case["code"] is not None for case in CASES) >= 40
    assert sum(case["code"] is None for case in CASES) >= 10


def test_only_public_keys_lie_here() -> None:
    texts = [path.read_bytes() for path in HERE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert not [text for text in texts if b"PRIVATE" in text]
    for path in (HERE / "keys").iterdir():
        PublicKey.from_pem(path.read_text())


def test_what_opens_was_really_signed() -> None:
    """The signatures of the passing cases hold under the keys that lie here, and under no other."""
    alice = PublicKey.from_pem((HERE / "keys" / "alice.pub.pem").read_text())
    stranger = PublicKey.from_pem((HERE / "keys" / "stranger.pub.pem").read_text())
    sealed = read((HERE / "pass" / "one-signature.json").read_bytes())
    assert alice.verify(sealed.signed_bytes, sealed.signatures[0].sig)
    assert not stranger.verify(sealed.signed_bytes, sealed.signatures[0].sig)
    nobody = parse_keyring((HERE / "keyrings" / "nobody.toml").read_text())
    assert not check(sealed, nobody, parse_instant(INDEX["now"])).ok
