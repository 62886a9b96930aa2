"""Writes the cases of this folder, with keys that are made for the occasion and thrown away.

    python tests/conformance/generate.py

Everything is made anew: files, keyrings, `index.json`. No private key is kept, so a case cannot be added to an old set;
the whole set is made again. What every case shows is one line in `index.json`; `README.md` says how to use it.
"""

from __future__ import annotations

import base64
import copy
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bizra_gate.attest import (
    PAYLOAD_TYPE,
    Keyring,
    PrivateKey,
    Revocation,
    Signature,
    TrustedKey,
    canonical,
    cosign,
    export_dsse,
    format_instant,
    pae,
    parse,
    read,
    render,
    render_keyring,
    seal,
    statement,
    subject,
)
from bizra_gate.attest.checkpoint import cosign_checkpoint, prove, sign_checkpoint
from bizra_gate.attest.envelope import write
from bizra_gate.attest.ledger import Ledger, append, entry_for, withdraw

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
FINISHED = "2026-11-22T07:00:00Z"
KIND = "https://bizra.dev/attestation/benchmark/v1"
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the group that Ed25519 signs in."""

ALICE, BOB, CAROL, STRANGER = (PrivateKey.generate() for _ in range(4))
Json = dict[str, Any]


class Cases:
    """Files and their lines in the index."""

    def __init__(self) -> None:
        self.index: list[Json] = []

    def add(self, name: str, data: bytes | str, why: str, *, code: str | None = None, kind: str = "artifact",
            **facts: object) -> None:  # fmt: skip
        """A case that must open (without `code`) or be refused with `code`."""
        file = f"{'pass' if code is None else 'fail'}/{name}"
        path = HERE / file
        path.parent.mkdir(exist_ok=True)
        assert not path.exists(), file
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        said: Json = {"file": file, "kind": kind, "code": code, "why": why}
        if kind in ("artifact", "dsse", "ledger", "proof"):
            said["keyring"] = facts.pop("ring", "plain")
            said["role"] = facts.pop("role", "benchmark")
        self.index.append(said | facts)


def plain(**predicate: Any) -> Json:
    facts = {"finished_at": FINISHED, "metric": "latency.p99", "value": 1.5, **predicate}
    return statement([subject("source", {"sha256": "ab" * 32})], KIND, {k: v for k, v in facts.items() if v != ...})


def trusted(key: PrivateKey, owner: str, *roles: str, **facts: Any) -> TrustedKey:
    return TrustedKey(key.public, owner, roles or ("benchmark", "checkpoint"), **facts)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def keyrings() -> dict[str, Keyring]:
    alice, bob = trusted(ALICE, "alice@example.com"), trusted(BOB, "bob@example.com")
    earlier, later = at("2026-11-22T06:00:00Z"), at("2026-11-22T07:30:00Z")
    return {
        "plain": Keyring(1, (alice, bob)),
        "two": Keyring(1, (alice, bob), thresholds={"benchmark": 2}),
        "expired": Keyring(1, (alice, bob), expires=NOW),
        "every-role": Keyring(1, (trusted(ALICE, "alice@example.com", "*"),)),
        "waivers-only": Keyring(1, (trusted(ALICE, "alice@example.com", "waiver"),)),
        "compromised": Keyring(1, (trusted(ALICE, "a", revoked=Revocation(later, "compromised")), bob)),
        "superseded-before": Keyring(1, (trusted(ALICE, "a", revoked=Revocation(earlier, "superseded")), bob)),
        "superseded-after": Keyring(1, (trusted(ALICE, "a", revoked=Revocation(later, "superseded")), bob)),
        "not-yet": Keyring(1, (trusted(ALICE, "a", not_before=later),)),
        "over-before": Keyring(1, (trusted(ALICE, "a", not_after=earlier),)),
        "over-after": Keyring(1, (trusted(ALICE, "a", not_after=later),)),
        "nobody": Keyring(1),
    }


# ── how a file is written ────────────────────────────────────────────────────────────────────────────────────────


def forms(cases: Cases, good: bytes) -> None:
    """The same content in other bytes: what a person reviewed is not what was signed."""
    document = json.loads(good)
    compact = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    indented = json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"
    value = b'"value": 1.5'
    made = {
        "empty": (b"", "no bytes at all"),
        "byte-order-mark": (b"\xef\xbb\xbf" + good, "a byte order mark before the document"),
        "utf-16": (good.decode().encode("utf-16"), "UTF-16 is not UTF-8"),
        "not-utf-8": (good.replace(b"latency.p99", b"latency\xff99"), "a byte that no UTF-8 holds"),
        "overlong-utf-8": (good.replace(b"latency.p99", b"latency\xc0\xae99"), "a dot in two bytes: overlong UTF-8"),
        "cut-off": (good[: len(good) // 2], "the second half is missing"),
        "two-documents": (good + good, "a second document after the first"),
        "trailing-byte": (good + b"\0", "a byte after the document"),
        "no-final-newline": (good[:-1], "the one rendering ends in a line break"),
        "two-final-newlines": (good + b"\n", "the one rendering ends in one line break"),
        "carriage-returns": (good.replace(b"\n", b"\r\n"), "line ends of Windows"),
        "tabs": (good.replace(b"  ", b"\t"), "indented with tabs"),
        "compact": (compact, "canonical JSON is what is signed, not what is stored"),
        "escaped-characters": (indented, "é written as an escape: same content, other bytes"),
        "keys-not-in-order": (render_unsorted(document), "members in another order"),
        "escaped-slash": (good.replace(b"https://in-toto", b"https:\\/\\/in-toto"), "a slash written as an escape"),
        "exponent": (good.replace(value, b'"value": 15e-1'), "1.5 written as 15e-1"),
        "trailing-zero": (good.replace(value, b'"value": 1.50'), "1.5 written as 1.50"),
        "leading-zero": (good.replace(value, b'"value": 01.5'), "JSON has no leading zeros"),
        "plus-sign": (good.replace(value, b'"value": +1.5'), "JSON has no plus sign"),
        "minus-zero": (good.replace(value, b'"value": -0'), "zero has one spelling"),
        "not-a-number": (good.replace(value, b'"value": NaN'), "NaN is not JSON"),
        "infinity": (good.replace(value, b'"value": Infinity'), "Infinity is not JSON"),
        "number-too-large": (good.replace(value, b'"value": 1e999'), "read back as infinity"),
        "unsafe-integer": (good.replace(value, b'"value": 9007199254740992'), "2^53 is not exact in every reader"),
        "integral-float": (good.replace(value, b'"value": 1e20'), "signs as 100000000000000000000 and never verifies"),
        "half-a-surrogate-pair": (good.replace(b"latency.p99", b"\\ud800"), "no character, and no UTF-8"),
        "control-character": (good.replace(b"latency.p99", b"latency\n99"), "a line break inside a string"),
        "duplicate-key": (good.replace(value, value + b',\n      "value": 0.1'), "two values for one name"),
        "duplicate-key-by-escape": (
            good.replace(value, value + b',\n      "v\\u0061lue": 0.1'), "two values for one name, one of it escaped"),
        "comment": (good.replace(b"{\n", b"{\n  // reviewed\n", 1), "JSON has no comments"),
        "trailing-comma": (good.replace(b"\n}\n", b",\n}\n"), "JSON has no trailing commas"),
        "single-quotes": (good.replace(b'"', b"'"), "JSON has no single quotes"),
        "an-array": (b"[]\n", "an artifact is an object"),
        "deep": (b"[" * 20_000 + b"]" * 20_000, "nested deeper than 32 levels: refused before any recursive reader"),
    }  # fmt: skip
    for name, (data, why) in made.items():
        assert data != good, name
        cases.add(f"form-{name}.json", data, why, code="malformed")


def render_unsorted(document: Json) -> bytes:
    return json.dumps(dict(reversed(document.items())), indent=2, ensure_ascii=False).encode() + b"\n"


def shapes(cases: Cases, good: bytes) -> None:
    """Well written, and not an artifact: the shape is closed."""
    sig = json.loads(good)["signatures"][0]["sig"]
    raw = base64.b64decode(sig)
    url_safe = base64.urlsafe_b64encode(b"\xfb\xff" * 32).decode()
    stray = sig[:-3] + chr(ord(sig[-3]) + 1) + "=="

    def signatures(*entries: object) -> Callable[[Json], object]:
        return lambda d: d.update(signatures=list(entries))

    def first(**members: object) -> Callable[[Json], object]:
        return lambda d: d["signatures"][0].update(members)

    def said(**members: object) -> Callable[[Json], object]:
        return lambda d: d["statement"].update(members)

    entry = json.loads(good)["signatures"][0]
    changes: dict[str, tuple[Callable[[Json], object], str]] = {
        "unknown-member": (lambda d: d.update(verdict="SHIP"), "a member that nobody signed"),
        "missing-format": (lambda d: d.pop("format"), "a member is missing"),
        "other-format": (lambda d: d.update(format="bizra-gate/artifact/v2"), "a version that nobody defined"),
        "other-payload-type": (
            lambda d: d.update(payloadType="application/json"),
            "the type is part of what is signed",
        ),
        "no-signatures": (signatures(), "signed by nobody"),
        "signatures-no-list": (lambda d: d.update(signatures=entry), "signatures is a list"),
        "seventeen-signatures": (signatures(*[entry] * 17), "at most sixteen are looked at"),
        "same-key-twice": (signatures(entry, entry), "one key counts once"),
        "signature-with-certificate": (first(cert="MIIB"), "an unknown member beside a signature"),
        "signature-without-key-id": (lambda d: d["signatures"][0].pop("keyid"), "keyid and sig, both"),
        "key-id-no-fingerprint": (first(keyid="alice"), "a key id is an OpenSSH fingerprint"),
        "key-id-no-text": (first(keyid=7), "a key id is text"),
        "signature-short": (first(sig=base64.b64encode(raw[:-1]).decode()), "63 bytes"),
        "signature-long": (first(sig=base64.b64encode(raw + b"\0").decode()), "65 bytes"),
        "signature-url-safe": (first(sig=url_safe), "standard base64, not the URL-safe one"),
        "signature-unpadded": (first(sig=sig.rstrip("=")), "base64 with its padding"),
        "signature-stray-bits": (first(sig=stray), "bits that the last characters should not have"),
        "signature-spaced": (first(sig=sig[:40] + "\n" + sig[40:]), "base64 without line breaks"),
        "statement-no-object": (lambda d: d.update(statement=[d["statement"]]), "a statement is an object"),
        "statement-other-type": (said(_type="https://in-toto.io/Statement/v0.1"), "in-toto Statement v1 and no other"),
        "statement-unknown-member": (said(note="x"), "a statement has four members"),
        "statement-predicate-no-object": (said(predicate=[1]), "a predicate is an object"),
        "statement-predicate-type-no-uri": (said(predicateType="benchmark"), "a predicate type is a URI"),
        "subject-none": (said(subject=[]), "a statement about nothing"),
        "subject-without-digest": (said(subject=[{"name": "source"}]), "a subject without a digest binds nothing"),
        "subject-digest-capitals": (said(subject=[subject("s", {"sha256": "AB" * 32})]), "lowercase hexadecimal"),
        "subject-digest-short": (said(subject=[subject("s", {"sha256": "ab" * 31})]), "64 digits"),
    }
    for name, (change, why) in changes.items():
        document = copy.deepcopy(json.loads(good))
        change(document)
        cases.add(f"shape-{name}.json", render(document), why, code="malformed")
    both = json.loads(cosign(read(good), BOB))
    both["signatures"].reverse()
    cases.add("shape-signatures-out-of-order.json", render(both), "signatures ascend by key id", code="malformed")


# ── signatures and keys ──────────────────────────────────────────────────────────────────────────────────────────


def forged(body: bytes, *signatures: tuple[PrivateKey, bytes]) -> bytes:
    """A file of right form whose signatures are what somebody made of them."""
    return write(body, [Signature(key.public.fingerprint, sig) for key, sig in signatures])


def signatures(cases: Cases) -> None:
    document, other = plain(note="naïve"), plain(value=0.1)
    body, message = canonical(document), pae(PAYLOAD_TYPE, canonical(document))
    right = ALICE.sign(message)
    raised = int.from_bytes(right[32:], "little") + ORDER
    in_characters = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(body.decode())} ".encode() + body
    flipped = bytes([right[0] ^ 1]) + right[1:]
    made = {
        "changed-content": (canonical(other), right, "the content was changed after it was signed"),
        "flipped-bit": (body, flipped, "one bit of the signature is another"),
        "zeros": (body, bytes(64), "64 zeros"),
        "by-another-key": (body, BOB.sign(message), "Bob's signature under Alice's key id"),
        "without-encoding": (body, ALICE.sign(body), "made over the content, not over its PAE"),
        "over-the-readable-file": (body, ALICE.sign(pae(PAYLOAD_TYPE, render(document))), "made over the rendering"),
        "length-in-characters": (body, ALICE.sign(in_characters), "PAE with lengths in characters"),
        "another-payload-type": (body, ALICE.sign(pae("application/json", body)), "made for another payload type"),
        "second-form": (body, right[:32] + raised.to_bytes(32, "little"), "S + L: the malleable twin of a signature"),
        "small-commitment": (body, (1).to_bytes(32, "little") + bytes(32), "a commitment of small order, scalar 0"),
    }
    for name, (content, sig, why) in made.items():
        cases.add(f"signature-{name}.json", forged(content, (ALICE, sig)), why, code="signature.invalid")
    mixed = forged(body, (ALICE, right), (BOB, flipped))
    cases.add("signature-one-of-two-wrong.json", mixed, "a wrong signature by a known key refuses the file",
              code="signature.invalid")  # fmt: skip
    cases.add("signature-by-a-stranger.json", seal(document, [STRANGER]), "a key that no keyring knows",
              code="signature.unknown")  # fmt: skip
    cases.add("signature-nobody-trusted.json", seal(document, [ALICE]), "an empty keyring trusts nobody",
              code="signature.unknown", ring="nobody")  # fmt: skip
    unknown = cosign(read(seal(document, [ALICE])), STRANGER)
    cases.add("threshold-one-of-two.json", seal(document, [ALICE]), "one signature where two are asked for",
              code="signature.threshold", ring="two")  # fmt: skip
    cases.add("threshold-a-stranger-does-not-count.json", unknown, "one known key and one unknown is one",
              code="signature.threshold", ring="two")  # fmt: skip
    cases.add("threshold-of-the-gate.json", seal(document, [ALICE]), "the gate asks for two",
              code="signature.threshold", threshold=2)  # fmt: skip
    cases.add("one-signature.json", seal(document, [ALICE]), "one signature by a key that may")
    cases.add("two-signatures.json", seal(document, [ALICE, BOB]), "two where two are asked for", ring="two")
    cases.add("a-stranger-cosigned.json", unknown, "a signature by an unknown key changes nothing")


def keys(cases: Cases) -> None:
    good = seal(plain(), [ALICE])
    refused = {
        "role": ("waivers-only", "key.role", "the key may sign waivers, not benchmarks"),
        "compromised": ("compromised", "key.revoked", "nothing counts that a compromised key ever signed"),
        "superseded": ("superseded-before", "key.revoked", "the key was out of use when the work ended"),
        "not-yet-valid": ("not-yet", "key.not_yet_valid", "the key's time began after the work ended"),
        "expired": ("over-before", "key.expired", "the key's time was over when the work ended"),
    }
    for name, (ring, code, why) in refused.items():
        cases.add(f"key-{name}.json", good, why, code=code, ring=ring)
    cases.add("keyring-expired.json", good, "a keyring that has expired trusts nobody", code="keyring.expired",
              ring="expired")  # fmt: skip
    ahead = seal(plain(finished_at="2027-01-01T00:00:00Z"), [ALICE])
    cases.add("key-claim-from-the-future.json", ahead, "a claimed future does not make a key valid now",
              code="key.not_yet_valid", ring="not-yet", now="2026-11-22T07:00:00Z")  # fmt: skip
    cases.add("time-unreadable.json", seal(plain(finished_at="yesterday"), [ALICE]), "a time that is no instant",
              code="malformed")  # fmt: skip
    strange = statement(plain()["subject"], "https://example.com/other/v1", {})
    cases.add("kind-unknown.json", seal(strange, [ALICE]), "a kind of evidence that no role names needs a key for all",
              code="key.role", role=None)  # fmt: skip
    cases.add("kind-unknown.json", seal(strange, [ALICE]), "a key for everything may sign it", ring="every-role",
              role=None)  # fmt: skip
    cases.add("key-superseded-later.json", good, "signed before the key went out of use", ring="superseded-after")
    cases.add("key-expired-later.json", good, "signed within the key's time", ring="over-after")
    cases.add("time-silent.json", seal(plain(finished_at=...), [ALICE]), "silent about its time: judged by now")
    revoked = cosign(read(seal(plain(), [ALICE])), BOB)
    cases.add("key-one-of-two-compromised.json", revoked, "enough others signed", ring="compromised")


def contents(cases: Cases) -> None:
    """What the canonical form and the rendering make of difficult content."""
    nested: Any = 1
    for _ in range(29):  # and file, statement, predicate: 32
        nested = [nested]
    made = {
        "numbers": ({"a": [0, -1, 0.1, 1e-7, 1e-6, 5e-324, 1.7976931348623157e308, 1e21, 1e23, 333333333.3333333,
                           2**53 - 1, -(2**53) + 1, 1e-300]}, "numbers as ECMAScript spells them"),
        "characters": ({"a": "é e\u0301 ß 中 \U0001f600 \u200f \u2028 \x7f \\ \" / \b\f\n\r\t\x00"},
                       "nothing is normalised; only what must be is escaped"),
        "key-order": ({"\U0001f600": 1, "\ufb33": 2, "\u20ac": 3, "1": 4, "\r": 5, "": 6}, "keys by UTF-16 code units"),
        "empty-containers": ({"a": {}, "b": [], "c": [[], {}]}, "empty containers"),
        "long-array": ({"a": list(range(1000, 1200)), "b": ["x" * 150, "y"]}, "arrays are filled to 100 columns"),
        "depth-32": ({"a": nested}, "32 levels are read"),
    }  # fmt: skip
    for name, (facts, why) in made.items():
        cases.add(f"content-{name}.json", seal(plain(**facts), [ALICE]), why)


# ── other files ──────────────────────────────────────────────────────────────────────────────────────────────────


def envelopes(cases: Cases) -> None:
    good = export_dsse(read(seal(plain(note="~~~???"), [ALICE])))
    envelope = json.loads(good)
    sig = envelope["signatures"][0]["sig"]

    def other(**members: object) -> bytes:
        return json.dumps({**envelope, **members}).encode()

    def safe(text: str) -> str:
        return text.replace("+", "-").replace("/", "_")

    body = base64.b64decode(envelope["payload"])
    spaced = base64.b64encode(json.dumps(json.loads(body)).encode()).decode()
    changed = base64.b64encode(body.replace(b"1.5", b"0.1")).decode()
    cases.add("dsse.json", good, "a DSSE envelope", kind="dsse")
    cases.add("dsse-without-key-id.json", other(signatures=[{"sig": sig}]), "the key is found by trying",
              kind="dsse")  # fmt: skip
    both_safe = other(payload=safe(envelope["payload"]), signatures=[{"keyid": "", "sig": safe(sig)}])
    cases.add("dsse-url-safe.json", both_safe, "readers of DSSE take both alphabets", kind="dsse")
    refused = {
        "changed-payload": (other(payload=changed), "signature.invalid", "another payload under the signature"),
        "not-canonical": (other(payload=spaced), "malformed", "a payload that is no canonical JSON"),
        "other-payload-type": (other(payloadType="text/plain"), "malformed", "another payload type"),
        "no-signatures": (other(signatures=[]), "malformed", "signed by nobody"),
        "no-base64": (other(payload="%%%"), "malformed", "a payload that is no base64"),
    }
    for name, (data, code, why) in refused.items():
        cases.add(f"dsse-{name}.json", data, why, code=code, kind="dsse")


def ledgers(cases: Cases) -> None:
    entries = [entry_for(read(seal(plain(value=n + 0.5), [ALICE])), f"artifacts/{n}.json", NOW) for n in range(5)]
    ledger = append(Ledger(), entries[:4], NOW)
    ledger = withdraw(append(ledger, entries[4:], NOW), "artifacts/1.json", "measured the wrong server", NOW)
    origin = "example.com/evidence"
    head = sign_checkpoint(ledger, origin, ALICE)
    witnessed = cosign_checkpoint(head, ledger, "witness.example.com", BOB, NOW)
    text = ledger.render()

    def both(lines: str, checkpoint: str) -> str:
        return json.dumps({"checkpoint": checkpoint, "entries": lines}, indent=2, ensure_ascii=False) + "\n"

    swapped = "".join([*text.splitlines(keepends=True)[1::-1], *text.splitlines(keepends=True)[2:]])
    cases.add("ledger.json", both(text, head), "six lines and their signed head", kind="ledger")
    cases.add("ledger-cosigned.json", both(text, witnessed), "a cosigner where one is asked for", kind="ledger",
              cosigners=1)  # fmt: skip
    refused = {
        "changed-line": (
            both(text.replace(FINISHED, "2026-11-22T07:00:01Z", 1), head),
            "ledger.root",
            "a line changed",
        ),
        "swapped-lines": (both(swapped, head), "ledger.root", "two lines swapped"),
        "missing-line": (both(text[: text.rindex("\n", 0, -1) + 1], head), "ledger.size", "the tombstone left out"),
        "cut-off": (both(text[:-1], head), "malformed", "the last line has no line break"),
        "unspelled": (
            both(text.replace("artifacts/0", "artifacts/%30"), head),
            "malformed",
            "a path spelled otherwise",
        ),
        "path-outside": (both(text.replace("artifacts/0", "../0"), head), "malformed", "a path that leaves"),
        "by-a-stranger": (both(text, sign_checkpoint(ledger, origin, STRANGER)), "ledger.signature", "no known key"),
        "root-in-other-base64": (both(text, head.replace("=\n\n", "\n\n")), "malformed", "base64 without its padding"),
    }
    for name, (data, code, why) in refused.items():
        cases.add(f"ledger-{name}.json", data, why, code=code, kind="ledger")
    cases.add("ledger-no-cosigner.json", both(text, head), "a cosigner is asked for and none is there",
              code="ledger.signature", kind="ledger", cosigners=1)  # fmt: skip
    line = entries[2].line()
    proof = prove(ledger, head, 2)
    cases.add("proof.txt", proof, "line 2 is in the log", kind="proof", line=line)
    refused_proofs = {
        "of-another-line": (proof, entries[3].line(), "the proof of line 2 shown for line 3"),
        "other-index": (proof.replace("index 2", "index 3"), line, "the index is another"),
        "missing-hash": ("\n".join(p for i, p in enumerate(proof.split("\n")) if i != 2), line, "one hash left out"),
    }
    for name, (data, shown, why) in refused_proofs.items():
        cases.add(f"proof-{name}.txt", data, why, code="ledger.proof", kind="proof", line=shown)


def bad_keyrings(cases: Cases) -> None:
    good = render_keyring(keyrings()["plain"])
    small = base64.b64encode(b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + (1).to_bytes(32, "little")).decode()
    not_reduced = base64.b64encode(
        b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + (2**255 - 19 + 4).to_bytes(32, "little")
    ).decode()
    public = ALICE.public.openssh().split()[1]
    made = {
        "small-order-key": (good.replace(public, small), "under such a key anybody can sign"),
        "key-not-reduced": (good.replace(public, not_reduced), "a second spelling of a point"),
        "key-twice": (good + good[good.index("[[keys]]") :], "a key stands there once, with all its roles"),
        "unknown-member": (good + "\n[policy]\nlax = true\n", "a member that nobody defined"),
        "unknown-role": (good.replace('"benchmark"', '"benchmarks"', 1), "a role that does not exist"),
        "no-owner": (good.replace('owner = "alice@example.com"\n', ""), "nobody answers for the key"),
        "version-0": (good.replace("version = 1", "version = 0"), "versions begin at 1"),
        "threshold-0": (good + "\n[roles.benchmark]\nthreshold = 0\n", "a threshold of nobody"),
        "local-time": (good.replace("version = 1", "version = 1\nexpires = 2027-01-01T00:00:00"), "no zone"),
        "no-toml": (good + "]", "not TOML"),
    }
    for name, (data, why) in made.items():
        assert data != good, name
        cases.add(f"keyring-{name}.toml", data, why, code="definition", kind="keyring")
    cases.add("keyring.toml", good, "a keyring", kind="keyring")


def main() -> None:
    for name in ("pass", "fail", "keyrings", "keys"):
        shutil.rmtree(HERE / name, ignore_errors=True)
        (HERE / name).mkdir()
    for name, ring in keyrings().items():
        (HERE / "keyrings" / f"{name}.toml").write_text(render_keyring(ring))
    for name, key in {"alice": ALICE, "bob": BOB, "stranger": STRANGER}.items():
        (HERE / "keys" / f"{name}.pub.pem").write_text(key.public.pem())
    cases, good = Cases(), seal(plain(note="naïve"), [ALICE])
    forms(cases, good)
    shapes(cases, good)
    for write_cases in (signatures, keys, contents, envelopes, ledgers, bad_keyrings):
        write_cases(cases)
    index = {"now": format_instant(NOW), "cases": cases.index}
    assert parse(json.dumps(index).encode()) == index
    (HERE / "index.json").write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n")
    refused = sum(one["code"] is not None for one in cases.index)
    print(f"{len(cases.index)} cases: {refused} to be refused, {len(cases.index) - refused} to be opened")


if __name__ == "__main__":
    main()
