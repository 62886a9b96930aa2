"""The same signature in other programs' hands, and theirs in ours; `docs/interop.md` shows the matrix."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from attest_keys import ALICE, BOB, NOW, keyring, small_statement, trusted
from attest_peers import PEERS, Peer

from bizra_gate.attest import canonical, check, import_dsse, open_artifact, read, seal
from bizra_gate.attest.envelope import Signature, write

STATEMENT = small_statement(note="naïve 😀")
OURS = seal(STATEMENT, [ALICE])
DOC = Path(__file__).parents[2] / "docs" / "interop.md"


@pytest.fixture(params=PEERS)
def peer(request: pytest.FixtureRequest) -> Peer:
    chosen = PEERS[request.param]
    if missing := chosen.missing():
        pytest.skip(missing)
    return chosen


def test_a_peer_believes_what_we_signed_and_nothing_else(peer: Peer, tmp_path: Path) -> None:
    right = read(OURS).signatures[0]
    flipped = Signature(right.keyid, bytes([right.sig[0] ^ 1]) + right.sig[1:])
    forged = write(canonical({**STATEMENT, "predicate": {}}), [right])
    assert peer.verify(ALICE.public.pem(), OURS, tmp_path)
    assert not peer.verify(ALICE.public.pem(), forged, tmp_path)
    assert not peer.verify(ALICE.public.pem(), write(canonical(STATEMENT), [flipped]), tmp_path)
    assert not peer.verify(BOB.public.pem(), OURS, tmp_path)


def test_we_believe_what_a_peer_signed_and_nothing_else(peer: Peer, tmp_path: Path) -> None:
    envelope = peer.sign(ALICE.pem(), canonical(STATEMENT), tmp_path)
    imported = import_dsse(json.dumps(envelope).encode(), [BOB.public, ALICE.public])
    assert imported == OURS
    assert open_artifact(imported, keyring(trusted(ALICE)), NOW).statement == STATEMENT
    envelope["payload"] = base64.b64encode(canonical({**STATEMENT, "predicate": {}})).decode()
    envelope["signatures"][0]["keyid"] = ALICE.public.fingerprint
    changed = read(import_dsse(json.dumps(envelope).encode()))
    assert [one.code for one in check(changed, keyring(trusted(ALICE)), NOW).reasons] == ["signature.invalid"]


def test_the_page_shows_every_peer_in_both_directions() -> None:
    rows = re.findall(r"^\| (.+?) \| (\S+) \| `(\S+)` \| (\S+) \| (\S+) \|$", DOC.read_text(), re.MULTILINE)
    assert [(name, form) for name, _, form, _, _ in rows] == [(one.name, one.form) for one in PEERS.values()]
    assert {cell for row in rows for cell in row[3:]} == {"yes"}
