"""The ledger: it only grows, its head is signed, and a proof needs nothing but itself."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from attest_keys import ALICE, BENCHMARK, BOB, CAROL, NOW, keyring, small_statement, trusted
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.attest import Keyring, PrivateKey, Revocation, read, seal
from bizra_gate.attest.checkpoint import (
    check_ledger,
    check_proof,
    cosign_checkpoint,
    growth_reasons,
    prove,
    sign_checkpoint,
)
from bizra_gate.attest.ledger import (
    Entry,
    Ledger,
    Tombstone,
    append,
    entry_for,
    extension_reasons,
    file_reasons,
    inclusion_reasons,
    parse_ledger,
    withdraw,
)
from bizra_gate.attest.note import (
    COSIGNATURE,
    Checkpoint,
    cosign_note,
    key_id,
    parse_checkpoint,
    parse_note,
    sign_note,
    verifier_key,
)
from bizra_gate.errors import UntrustedError
from bizra_gate.model import Trust

_ORIGIN = "example.com/acme/evidence"
_KEYS = keyring(trusted(ALICE, "checkpoint"), trusted(BOB, "checkpoint"), trusted(CAROL, "benchmark"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(name: str, content: str = "", day: int = 1) -> Entry:
    at = datetime(2026, 11, day, tzinfo=UTC)
    return Entry(at, BENCHMARK, f"artifacts/{name}.json", _digest(name + content), _digest("body" + name + content))


def _ledger(*names: str) -> Ledger:
    return append(Ledger(), [_entry(name) for name in names], NOW)


def _codes(trust: Trust) -> list[str]:
    return [reason.code for reason in trust.reasons]


_FIVE = _ledger("a", "b", "c", "d", "e")
_HEAD = sign_checkpoint(_FIVE, _ORIGIN, ALICE)


def test_an_artifact_is_listed_on_one_readable_line() -> None:
    sealed = read(seal(small_statement(), [ALICE]))
    entry = entry_for(sealed, "artifacts/my file.json", NOW)
    assert entry.line() == (
        f"2026-11-21T10:00:00Z {BENCHMARK} artifacts/my%20file.json "
        f"sha256:{sealed.sha256} sha256:{hashlib.sha256(sealed.body).hexdigest()}"
    )
    assert entry_for(read(seal(small_statement(None), [ALICE])), "x", NOW).at == NOW


def test_appending_keeps_every_earlier_byte() -> None:
    before = _ledger("a", "b")
    after = append(before, [_entry("c")], NOW)
    assert after.render().startswith(before.render())
    assert extension_reasons(before.render(), after.render()) == ()
    assert parse_ledger(after.render()) == after


def test_what_is_listed_already_is_not_listed_twice() -> None:
    assert append(_FIVE, [_entry("b"), _entry("b")], NOW) == _FIVE


def test_an_artifact_that_replaces_another_gives_it_a_tombstone() -> None:
    after = append(_FIVE, [_entry("b", "newer", day=9)], NOW)
    assert len(after.records) == 7
    assert after.records[5] == Tombstone(
        NOW, "artifacts/b.json", _digest("b"), "superseded by a newer artifact at the same path"
    )
    assert after.live["artifacts/b.json"] == _entry("b", "newer", day=9)
    assert parse_ledger(after.render()) == after


def test_a_withdrawn_artifact_is_no_longer_live_and_says_why() -> None:
    after = withdraw(_FIVE, "artifacts/b.json", "measured the wrong server", NOW)
    assert after.render().splitlines()[-1] == (
        f"2026-11-22T04:00:00Z tombstone artifacts/b.json sha256:{_digest('b')} measured the wrong server"
    )
    assert "artifacts/b.json" not in after.live
    assert [r.code for r in inclusion_reasons(after, "artifacts/b.json", _digest("b"))] == ["ledger.tombstone"]
    with pytest.raises(UntrustedError, match="no live artifact"):
        withdraw(after, "artifacts/b.json", "again", NOW)


def test_a_tombstone_takes_only_the_artifact_that_it_names() -> None:
    old, new = _entry("a"), _entry("a", "newer")
    ledger = Ledger((old, new, Tombstone(NOW, old.path, old.file_sha256, "the old one")))
    assert parse_ledger(ledger.render()).live == {old.path: new}


@pytest.mark.parametrize("reason", ["", "  \n", "\x1b[2Jx", "a\u202eb"])
def test_a_tombstone_without_a_reason_in_plain_words_is_refused(reason: str) -> None:
    with pytest.raises(UntrustedError, match="plain words"):
        withdraw(_FIVE, "artifacts/a.json", reason, NOW)


def test_inclusion_names_what_is_wrong() -> None:
    assert inclusion_reasons(_FIVE, "artifacts/a.json", _digest("a")) == ()
    (absent,) = inclusion_reasons(_FIVE, "artifacts/z.json", _digest("z"))
    (other,) = inclusion_reasons(_FIVE, "artifacts/a.json", _digest("z"))
    assert absent.message.endswith("nowhere")
    assert other.message.endswith(f"with another digest sha256:{_digest('a')}")


def test_a_listed_file_that_is_gone_or_different_is_noticed() -> None:
    digests = {f"artifacts/{name}.json": _digest(name) for name in "abcde"}
    assert file_reasons(_FIVE, digests) == ()
    del digests["artifacts/a.json"]
    digests["artifacts/b.json"] = _digest("x")
    assert [reason.code for reason in file_reasons(_FIVE, digests)] == ["ledger.missing", "ledger.changed"]
    assert (
        file_reasons(withdraw(_FIVE, "artifacts/a.json", "lost", NOW), {**digests, "artifacts/b.json": _digest("b")})
        == ()
    )


_LINE = _entry("a").line()


@pytest.mark.parametrize(
    "text",
    [
        _LINE,
        "\n",
        _LINE + "\n\n",
        _LINE + " \n",
        _LINE.replace(" ", "  ", 1) + "\n",
        _LINE.replace(" ", "\t", 1) + "\n",
        _LINE + "\r\n",
        _LINE.replace("Z ", "+00:00 ", 1) + "\n",
        _LINE.replace("T00:00:00Z", "T00:00:00.0Z") + "\n",
        _LINE.replace("2026-11-01", "2026-11-31") + "\n",
        _LINE.replace("artifacts/a", "artifacts/%61") + "\n",
        _LINE.replace("artifacts/a", "../a") + "\n",
        _LINE.replace("artifacts/a", "/etc/a") + "\n",
        _LINE.replace("artifacts/a", "a//a") + "\n",
        _LINE.replace("artifacts/a", "./a") + "\n",
        _LINE.replace("artifacts/a", "C:/a") + "\n",
        _LINE.replace("artifacts/a", "a%5Cb") + "\n",
        _LINE.replace("artifacts/a", "a%00b") + "\n",
        _LINE.replace("artifacts/a", "a%FFb") + "\n",
        _LINE.replace("artifacts/a", "é") + "\n",
        _LINE.replace(" sha256:", " sha512:", 1) + "\n",
        _LINE.replace(" sha256:", " ", 1) + "\n",
        _LINE.upper() + "\n",
        _LINE + " more\n",
        _LINE.rsplit(" ", 1)[0] + "\n",
        _LINE.replace(BENCHMARK, "tombstone") .rsplit(" ", 1)[0] + " gone\n",
        _LINE.replace(BENCHMARK, "é:x") + "\n",
        f"2026-11-01T00:00:00Z tombstone artifacts/a.json sha256:{_digest('a')} \x1b[2J\n",
        "\ud800\n",
    ],
)  # fmt: skip
def test_a_line_that_is_not_spelled_the_one_way_is_refused(text: str) -> None:
    with pytest.raises(UntrustedError, match="ledger/entries"):
        parse_ledger(text)


def test_a_refused_line_is_named() -> None:
    with pytest.raises(UntrustedError, match="ledger/entries: line 3: "):
        parse_ledger(_FIVE.render().replace("artifacts/c", "../c"))


@pytest.mark.parametrize("path", ["../x", "/x", "a/../b", "", "a\\b", "c:/x", "a//b", "a/", "a\nb"])
def test_a_path_that_leaves_the_repository_is_never_listed(path: str) -> None:
    with pytest.raises(UntrustedError, match="leaves the repository"):
        append(Ledger(), [replace(_entry("a"), path=path)], NOW)


_PATHS = st.from_regex(r"[a-zé %#?+~]{1,6}(/[^/\\\x00-\x1f\ud800-\udfff]{1,6}){0,2}", fullmatch=True).filter(
    lambda path: not {".", ".."} & set(path.split("/"))
)


@settings(max_examples=100)
@given(st.lists(st.tuples(_PATHS, st.integers(0, 3)), max_size=8))
def test_a_ledger_reads_back_as_what_was_written_and_only_grows(steps: list[tuple[str, int]]) -> None:
    ledger, expected = Ledger(), {}
    for path, version in steps:
        entry = replace(_entry("x", str(version)), path=path)
        grown = append(ledger, [entry], NOW)
        assert grown.render().startswith(ledger.render())
        assert growth_reasons(sign_checkpoint(ledger, _ORIGIN, ALICE), grown) == ()
        ledger, expected[path] = grown, entry
    assert parse_ledger(ledger.render()) == ledger
    assert ledger.live == expected


def test_a_rewritten_or_shortened_ledger_is_noticed_with_its_line() -> None:
    text = _FIVE.render()
    (changed,) = extension_reasons(text, text.replace("artifacts/b", "artifacts/B"))
    assert (changed.code, "line 2 " in changed.message) == ("ledger.rewritten", True)
    (shorter,) = extension_reasons(text, _ledger("a", "b").render())
    assert shorter.code == "ledger.rewritten"
    assert extension_reasons("", text) == extension_reasons(text, text) == ()


def test_a_checkpoint_is_a_signed_note_of_origin_size_and_root() -> None:
    lines = _HEAD.split("\n")
    assert lines[:4] == [_ORIGIN, "5", base64.b64encode(_FIVE.root).decode(), ""]
    name, blob = lines[4].removeprefix("— ").split(" ")
    raw = base64.b64decode(blob)
    assert name == _ORIGIN
    assert raw[:4] == hashlib.sha256(_ORIGIN.encode() + b"\n\x01" + ALICE.public.raw).digest()[:4]
    assert ALICE.public.verify("\n".join([*lines[:3], ""]).encode(), raw[4:])


def test_a_verifier_key_is_name_id_and_key() -> None:
    name, hint, key = verifier_key(_ORIGIN, ALICE.public).split("+", 2)
    assert (name, hint) == (_ORIGIN, key_id(_ORIGIN, ALICE.public).hex())
    assert base64.b64decode(key) == b"\x01" + ALICE.public.raw


def test_a_checkpoint_that_fits_the_ledger_is_trusted() -> None:
    trust = check_ledger(_FIVE, _HEAD, _KEYS, NOW, origin=_ORIGIN)
    assert trust.ok
    assert trust.signed_by == (ALICE.public.fingerprint,)


def test_a_ledger_with_any_line_changed_does_not_fit_its_checkpoint() -> None:
    for index in range(5):
        records = list(_FIVE.records)
        records[index] = _entry("forged")
        assert _codes(check_ledger(Ledger(tuple(records)), _HEAD, _KEYS, NOW)) == ["ledger.root"]
    assert _codes(check_ledger(_ledger("a", "b", "c", "d"), _HEAD, _KEYS, NOW)) == ["ledger.size"]
    assert _codes(check_ledger(_ledger("b", "a", "c", "d", "e"), _HEAD, _KEYS, NOW)) == ["ledger.root"]


def _forged(checkpoint: Checkpoint, name: str, key: PrivateKey) -> str:
    return sign_note(checkpoint.text(), name, key).render()


@pytest.mark.parametrize(
    ("head", "keys", "code"),
    [
        (sign_checkpoint(_FIVE, _ORIGIN, CAROL), _KEYS, "key.role"),
        (sign_checkpoint(_FIVE, _ORIGIN, PrivateKey(b"\x07" * 32)), _KEYS, "ledger.signature"),
        (sign_checkpoint(_FIVE, "example.com/other", ALICE), _KEYS, "ledger.origin"),
        (_forged(Checkpoint(_ORIGIN, 5, _FIVE.root), "example.com/other", ALICE), _KEYS, "ledger.signature"),
        (_HEAD, Keyring(1), "ledger.signature"),
        (_HEAD, replace(_KEYS, expires=NOW), "keyring.expired"),
        (_HEAD, keyring(trusted(ALICE, "checkpoint", revoked=Revocation(NOW, "compromised"))), "key.revoked"),
        (_HEAD, keyring(trusted(ALICE, "checkpoint"), thresholds={"checkpoint": 2}), "ledger.signature"),
    ],
)
def test_a_checkpoint_by_the_wrong_hand_is_not_trusted(head: str, keys: Keyring, code: str) -> None:
    trust = check_ledger(_FIVE, head, keys, NOW, origin=_ORIGIN)
    assert not trust.ok
    assert _codes(trust)[0] == code


def test_every_flipped_bit_of_a_checkpoint_is_refused() -> None:
    head = cosign_checkpoint(_HEAD, _FIVE, "witness.example", BOB, NOW).encode()
    accepted = []
    for bit in range(len(head) * 8):
        flipped = bytearray(head)
        flipped[bit // 8] ^= 1 << bit % 8
        text = flipped.decode("utf-8", "surrogateescape")
        if check_ledger(_FIVE, text, _KEYS, NOW, origin=_ORIGIN, cosigners=1).ok:
            accepted.append(bit)
    assert accepted == []


def test_a_cosigner_is_another_key_and_its_time_is_signed() -> None:
    both = cosign_checkpoint(_HEAD, _FIVE, "witness.example/w1", BOB, NOW)
    assert _codes(check_ledger(_FIVE, _HEAD, _KEYS, NOW, cosigners=1)) == ["ledger.signature"]
    trust = check_ledger(_FIVE, both, _KEYS, NOW, cosigners=1)
    assert trust.ok
    assert set(trust.signed_by) == {ALICE.public.fingerprint, BOB.public.fingerprint}
    line = parse_note(both).signatures[1]
    assert line.key_id == hashlib.sha256(b"witness.example/w1\n\x04" + BOB.public.raw).digest()[:4]
    stamp = int.from_bytes(line.sig[:8], "big")
    assert stamp == int(NOW.timestamp())
    message = f"cosignature/v1\ntime {stamp}\n" + "\n".join(_HEAD.split("\n")[:3]) + "\n"
    assert BOB.public.verify(message.encode(), line.sig[8:])


def test_a_time_that_no_clock_shows_is_no_cosignature() -> None:
    both = cosign_note(parse_note(_HEAD), "witness.example", BOB, 2**63).render()
    assert _codes(check_ledger(_FIVE, both, _KEYS, NOW)) == ["signature.invalid"]


def test_the_log_does_not_count_as_its_own_witness() -> None:
    alone = cosign_checkpoint(_HEAD, _FIVE, "witness.example", ALICE, NOW)
    assert _codes(check_ledger(_FIVE, alone, _KEYS, NOW, cosigners=1)) == ["ledger.signature"]
    assert check_ledger(_FIVE, alone, _KEYS, NOW).ok


def test_a_witness_without_the_log_is_not_enough() -> None:
    both = cosign_checkpoint(sign_checkpoint(_FIVE, _ORIGIN, CAROL), _FIVE, "witness.example", BOB, NOW)
    assert not check_ledger(_FIVE, both, _KEYS, NOW).ok


def test_a_cosignature_from_the_future_does_not_count() -> None:
    for ahead in (timedelta(minutes=6), timedelta(days=365 * 4000)):
        early = cosign_checkpoint(_HEAD, _FIVE, "witness.example", BOB, NOW + ahead)
        assert _codes(check_ledger(_FIVE, early, _KEYS, NOW, cosigners=1))[0] == "ledger.future"
    close = cosign_checkpoint(_HEAD, _FIVE, "witness.example", BOB, NOW + timedelta(minutes=4))
    assert check_ledger(_FIVE, close, _KEYS, NOW, cosigners=1).ok


def test_a_wrong_signature_by_a_known_key_refuses_the_checkpoint() -> None:
    note = parse_note(_HEAD)
    wrong = replace(
        note.signatures[0],
        name="witness.example",
        sig=bytes(72),
        key_id=key_id("witness.example", BOB.public, COSIGNATURE),
    )
    both = replace(note, signatures=(*note.signatures, wrong)).render()
    assert _codes(check_ledger(_FIVE, both, _KEYS, NOW)) == ["signature.invalid"]
    unknown = replace(wrong, key_id=b"\0\0\0\0")
    assert check_ledger(_FIVE, replace(note, signatures=(*note.signatures, unknown)).render(), _KEYS, NOW).ok


def test_nobody_cosigns_a_head_that_the_lines_do_not_give() -> None:
    with pytest.raises(UntrustedError, match="the ledger has 2"):
        cosign_checkpoint(_HEAD, _ledger("a", "b"), "witness.example", BOB, NOW)


def test_growth_is_proved_against_the_checkpoint_of_the_base() -> None:
    assert growth_reasons(_HEAD, append(_FIVE, [_entry("f"), _entry("g")], NOW)) == ()
    assert [r.code for r in growth_reasons(_HEAD, _ledger("a", "b"))] == ["ledger.rolled_back"]
    assert [r.code for r in growth_reasons(_HEAD, _ledger("x", "b", "c", "d", "e", "f"))] == ["ledger.rewritten"]
    assert [r.code for r in growth_reasons("nonsense", _FIVE)] == ["malformed"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
def test_every_line_has_a_proof_that_needs_neither_ledger_nor_network(size: int) -> None:
    ledger = _ledger(*(f"n{number}" for number in range(size)))
    head = sign_checkpoint(ledger, _ORIGIN, ALICE)
    for index, entry in enumerate(ledger.records):
        assert isinstance(entry, Entry)
        assert ledger.index_of(entry.file_sha256) == index
        proof = prove(ledger, head, index)
        assert proof.startswith(f"c2sp.org/tlog-proof@v1\nindex {index}\n")
        assert proof.endswith("\n\n" + head)
        assert check_proof(entry, proof, _KEYS, NOW, origin=_ORIGIN).ok
        assert _codes(check_proof(_entry("other"), proof, _KEYS, NOW)) == ["ledger.proof"]
        assert not check_proof(entry, proof, keyring(trusted(BOB, "checkpoint")), NOW).ok


def test_a_proof_demands_as_many_cosigners_as_a_ledger() -> None:
    both = cosign_checkpoint(_HEAD, _FIVE, "witness.example", BOB, NOW)
    entry = _entry("c")
    assert not check_proof(entry, prove(_FIVE, _HEAD, 2), _KEYS, NOW, cosigners=1).ok
    assert check_proof(entry, prove(_FIVE, both, 2), _KEYS, NOW, cosigners=1).ok


def test_every_flipped_bit_of_a_proof_is_refused() -> None:
    proof = prove(_FIVE, _HEAD, 2).encode()
    for bit in range(len(proof) * 8):
        flipped = bytearray(proof)
        flipped[bit // 8] ^= 1 << bit % 8
        text = flipped.decode("utf-8", "surrogateescape")
        assert not check_proof(_entry("c"), text, _KEYS, NOW, origin=_ORIGIN).ok


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "a\n",
        "a\n\n",
        "\n\n— x AAAAAAAA\n",
        "a\n\n— x\n",
        "a\n\n— x AAAA\n",
        "a\n\n— x y AAAAAAAA\n",
        "a\n\n- x AAAAAAAA\n",
        "a\n\n— x+y AAAAAAAA\n",
        "a\n\n— x AAAAAAAB=\n",
        "a\n\n— x AAAAAAAA",
        "a\r\n\n— x AAAAAAAA\n",
        "a\x00\n\n— x AAAAAAAA\n",
        "a\n\n— x AAAAAAAA\n" + "— x AAAAAAAA\n" * 64,
        "a" * 70_000 + "\n\n— x AAAAAAAA\n",
    ],
)
def test_what_is_not_a_note_is_refused(text: str) -> None:
    with pytest.raises(UntrustedError, match="malformed note"):
        parse_note(text)


@pytest.mark.parametrize(
    "body",
    ["a\n1\n", "a\n1\nAAAA\n", f"a\n01\n{'A' * 43}=\n", f"a\n-1\n{'A' * 43}=\n", f"a\n1\n{'A' * 43}=\nextension\n",
     f"\n1\n{'A' * 43}=\n", f"a\n1\n{'A' * 42}B=\n", f"a\n{'9' * 17}\n{'A' * 43}=\n", f"a\n1 \n{'A' * 43}=\n"],
)  # fmt: skip
def test_what_is_not_a_checkpoint_is_refused(body: str) -> None:
    with pytest.raises(UntrustedError, match="malformed note"):
        parse_checkpoint(parse_note(f"{body}\n— x AAAAAAAA\n"))


def test_the_text_of_a_note_may_hold_empty_lines() -> None:
    note = sign_note("one\n\ntwo\n", "example.com/x", ALICE)
    assert parse_note(note.render()) == note


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb"])
def test_a_key_name_with_spaces_or_plus_is_refused(name: str) -> None:
    with pytest.raises(UntrustedError, match="key name"):
        sign_note("text\n", name, ALICE)


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_any_text_is_a_note_that_renders_the_same_or_is_refused(text: str) -> None:
    for candidate in (text, f"{text}\n\n— x AAAAAAAA\n"):
        try:
            note = parse_note(candidate)
        except UntrustedError:
            continue
        assert note.render() == candidate
    with contextlib.suppress(UntrustedError):
        assert parse_ledger(text).render() == text
