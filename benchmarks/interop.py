"""Whose programs believe our signatures, and whose we believe: the table of `docs/interop.md`.

    python benchmarks/interop.py

Signs a statement, hands it to every peer in the form that ``bizra-gate export`` gives, hands a changed one too, and
the other way round. The sigstore libraries need Node: ``npm install @sigstore/verify @sigstore/sign`` and NODE_PATH.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests" / "attest"))

from attest_keys import ALICE, NOW, keyring, small_statement, trusted
from attest_peers import PEERS, Peer

from bizra_gate.attest import canonical, check, import_dsse, read, seal
from bizra_gate.attest.envelope import write

STATEMENT = small_statement(note="naïve 😀")
OTHER = canonical({**STATEMENT, "predicate": {}})
OURS = seal(STATEMENT, [ALICE])


def believed_by(peer: Peer) -> bool:
    """Ours is believed, and the same signature over something else is not."""
    forged = write(OTHER, read(OURS).signatures)
    with tempfile.TemporaryDirectory() as folder:
        right = peer.verify(ALICE.public.pem(), OURS, Path(folder))
        return right and not peer.verify(ALICE.public.pem(), forged, Path(folder))


def believes(peer: Peer) -> bool:
    """Theirs is believed, and the same signature over something else is not."""
    with tempfile.TemporaryDirectory() as folder:
        envelope = peer.sign(ALICE.pem(), canonical(STATEMENT), Path(folder))
    ring = keyring(trusted(ALICE))
    right = check(read(import_dsse(json.dumps(envelope).encode(), [ALICE.public])), ring, NOW).ok
    envelope["payload"] = base64.b64encode(OTHER).decode()
    envelope["signatures"][0]["keyid"] = ALICE.public.fingerprint
    return right and not check(read(import_dsse(json.dumps(envelope).encode())), ring, NOW).ok


def main() -> int:
    print("| peer | version | form | ours, verified by them | theirs, verified by us |\n|---|---|---|---|---|")
    failed = 0
    for peer in PEERS.values():
        if missing := peer.missing():
            print(f"| {peer.name} | — | `{peer.form}` | not tried: {missing} | not tried |")
            continue
        cells = ["yes" if one else "NO" for one in (believed_by(peer), believes(peer))]
        failed += "NO" in cells
        print(f"| {peer.name} | {peer.version()} | `{peer.form}` | {' | '.join(cells)} |")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
