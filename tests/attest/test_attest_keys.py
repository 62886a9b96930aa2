"""Keys: the vectors of RFC 8032, the known attacks, and text forms that other tools read and write."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from attest_keys import ALICE, BOB, RFC_8032
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.attest.dsse import PAYLOAD_TYPE, pae
from bizra_gate.attest.keys import Argon2id, PrivateKey, PublicKey, is_fingerprint, unwrap_pem, wrap_pem
from bizra_gate.errors import KeyFileError

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_CHEAP = Argon2id(passes=1, memory_bytes=2**13)

# RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature
_VECTORS = [
    ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
]  # fmt: skip


@pytest.mark.parametrize(("seed", "public", "message", "signature"), _VECTORS)
def test_the_vectors_of_rfc_8032_hold(seed: str, public: str, message: str, signature: str) -> None:
    key = PrivateKey(bytes.fromhex(seed))
    assert key.public.raw.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert key.public.verify(bytes.fromhex(message), bytes.fromhex(signature))
    assert not key.public.verify(bytes.fromhex(message) + b"\0", bytes.fromhex(signature))


def test_a_dsse_signature_is_the_one_that_was_computed_elsewhere() -> None:
    message = pae("http://example.com/HelloWorld", b"hello world")
    expected = "4DHX3Zn4qpBKvEj7maE8O9u9bjXEnPLLnyXVUJ2PXJR8DSLcL3QDpFvfJOj3pB/SPHsl6Jg4boxsMb6KvuYABw=="
    assert base64.b64encode(RFC_8032.sign(message)).decode() == expected
    body = (
        b'{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://example.com/x/v1","subject":[{"digest":'
        b'{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"name":"empty"}]}'
    )
    expected = "bYOYlmGbsjwfAHqTAN1DHpFLHsd/G+DinDkhWv1AfWv+BTRN4xLk5ooevZNUosFcXIjzft8u9NZpPOCUiQkwAw=="
    assert len(body) == 202
    assert base64.b64encode(RFC_8032.sign(pae(PAYLOAD_TYPE, body))).decode() == expected


Point = tuple[int, int, int]
"""x, y and z of the point (x/z, y/z), so that adding divides by nothing."""


def _sum(one: Point, other: Point) -> Point:
    (x1, y1, z1), (x2, y2, z2) = one, other
    z, x, y = z1 * z2 % _P, x1 * x2 % _P, y1 * y2 % _P
    square, product = z * z % _P, _D * x * y % _P
    crossed = (x1 + y1) * (x2 + y2) - x - y
    less, more = square - product, square + product
    return z * less * crossed % _P, z * more * (x + y) % _P, less * more % _P


def _times(count: int, point: Point) -> Point:
    total = (0, 1, 1)
    while count:
        total = _sum(total, point) if count & 1 else total
        point, count = _sum(point, point), count >> 1
    return total


@cache
def _small_order_points() -> frozenset[tuple[int, int]]:
    """The torsion subgroup, by multiplying arbitrary points of the curve by the prime order L."""
    found: set[tuple[int, int]] = set()
    y = 2
    while len(found) < 8:
        x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
        x = pow(x_squared, (_P + 3) // 8, _P)
        x = x if x * x % _P == x_squared else x * pow(2, (_P - 1) // 4, _P) % _P
        if x * x % _P == x_squared:
            for start in ((x, y, 1), (-x % _P, y, 1)):
                many = _times(_L, start)
                inverse = pow(many[2], -1, _P)
                found.add((many[0] * inverse % _P, many[1] * inverse % _P))
        y += 1
    return frozenset(found)


def _small_order_encodings() -> list[bytes]:
    """Canonical ones, ones with the other sign of x, and ones with y + p where that fits 255 bits."""
    ys = {y for _, y in _small_order_points()}
    spelled = [y + extra for y in ys for extra in (0, _P) if y + extra < 2**255]
    return sorted({(y | sign << 255).to_bytes(32, "little") for y in spelled for sign in (0, 1)})


@pytest.mark.parametrize("raw", _small_order_encodings(), ids=lambda raw: raw.hex()[:8])
def test_a_small_order_key_is_refused_however_it_is_spelled(raw: bytes) -> None:
    with pytest.raises(KeyFileError, match="small-order"):
        PublicKey(raw)


def test_all_fourteen_spellings_of_the_eight_small_points_were_tried() -> None:
    assert len(_small_order_points()) == 8
    assert len(_small_order_encodings()) == 14


def test_bytes_that_are_no_point_or_not_reduced_are_refused() -> None:
    with pytest.raises(KeyFileError, match="not a point"):
        PublicKey((_P + 3).to_bytes(32, "little"))
    with pytest.raises(KeyFileError, match="not a point"):
        PublicKey((2).to_bytes(32, "little"))
    with pytest.raises(KeyFileError, match="32 bytes"):
        PublicKey(b"\x01" * 31)


def test_a_signature_has_only_one_form() -> None:
    signature = ALICE.sign(b"m")
    scalar = int.from_bytes(signature[32:], "little")
    malleable = [scalar + turns * _L for turns in range(1, 16) if scalar + turns * _L < 2**256]
    assert len(malleable) >= 14
    for other in malleable:
        assert not ALICE.public.verify(b"m", signature[:32] + other.to_bytes(32, "little"))


@pytest.mark.parametrize("point", _small_order_encodings(), ids=lambda raw: raw.hex()[:8])
def test_a_signature_whose_commitment_has_small_order_is_refused(point: bytes) -> None:
    for scalar in (0, 1, _L, _L - 1):
        assert not ALICE.public.verify(b"m", point + scalar.to_bytes(32, "little"))


@pytest.mark.parametrize("length", [0, 1, 63, 65, 128])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    assert not ALICE.public.verify(b"m", bytes(length))


def test_every_flipped_bit_of_a_signature_is_refused() -> None:
    signature = int.from_bytes(ALICE.sign(b"m"), "big")
    assert not any(ALICE.public.verify(b"m", (signature ^ 1 << bit).to_bytes(64, "big")) for bit in range(512))


@settings(max_examples=50)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=64))
def test_every_text_form_of_a_key_reads_back_as_the_same_key(seed: bytes, message: bytes) -> None:
    key = PrivateKey(seed)
    assert PrivateKey.from_pem(key.pem()) == key
    assert PublicKey.parse(key.public.pem()) == PublicKey.parse(key.public.openssh("a comment")) == key.public
    assert key.public.verify(message, key.sign(message))
    assert is_fingerprint(key.public.fingerprint)


def test_the_fingerprint_is_that_of_the_openssh_blob() -> None:
    blob = base64.b64decode(RFC_8032.public.openssh().split()[1])
    expected = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    assert RFC_8032.public.fingerprint == f"SHA256:{expected}"
    assert blob[:15] == b"\0\0\0\x0bssh-ed25519"


def test_two_generated_keys_differ_and_neither_shows_its_seed() -> None:
    one, other = PrivateKey.generate(), PrivateKey.generate()
    assert one != other
    assert one.seed.hex() not in repr(one)
    assert repr(one.seed) not in repr(one)


def test_an_encrypted_key_opens_with_its_passphrase_only() -> None:
    text = ALICE.encrypted_pem("correct höőrse", _CHEAP)
    assert "BIZRA-GATE ENCRYPTED PRIVATE KEY" in text
    assert PrivateKey.from_pem(text, "correct höőrse") == ALICE
    with pytest.raises(KeyFileError, match="wrong passphrase"):
        PrivateKey.from_pem(text, "correct horse")
    with pytest.raises(KeyFileError, match="is encrypted"):
        PrivateKey.from_pem(text)
    assert ALICE.encrypted_pem("x", _CHEAP) != ALICE.encrypted_pem("x", _CHEAP)


def test_an_empty_passphrase_is_refused_rather_than_pretended() -> None:
    with pytest.raises(KeyFileError, match="empty passphrase"):
        ALICE.encrypted_pem("", _CHEAP)


def test_every_flipped_bit_of_an_encrypted_key_is_refused() -> None:
    label, body = unwrap_pem(ALICE.encrypted_pem("p", _CHEAP))
    for bit in range(len(body) * 8):
        changed = (int.from_bytes(body, "big") ^ 1 << bit).to_bytes(len(body), "big")
        passes, memory = int.from_bytes(changed[4:8], "big"), int.from_bytes(changed[8:16], "big")
        if 1 <= passes <= 16 and 2**13 < memory <= 2**30:
            continue  # a larger but permitted cost: nothing to learn, and slow
        with pytest.raises(KeyFileError):
            PrivateKey.from_pem(wrap_pem(label, changed), "p")


@pytest.mark.parametrize("cost", [(0, 2**16), (17, 2**16), (1, 2**12), (1, 2**31)])
def test_a_cost_that_protects_nothing_or_exhausts_the_machine_is_refused(cost: tuple[int, int]) -> None:
    with pytest.raises(KeyFileError, match="Argon2id"):
        Argon2id(*cost)


_PRIVATE_PEM = ALICE.pem()
_PUBLIC_PEM = ALICE.public.pem()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        _PUBLIC_PEM,
        _PRIVATE_PEM + _PRIVATE_PEM,
        _PRIVATE_PEM.replace("PRIVATE KEY", "EC PRIVATE KEY"),
        _PRIVATE_PEM.replace("-----END PRIVATE KEY-----", ""),
        _PRIVATE_PEM.replace("-----END PRIVATE", "-----END OTHER"),
        wrap_pem("PRIVATE KEY", unwrap_pem(_PRIVATE_PEM)[1] + b"\0"),
        wrap_pem("PRIVATE KEY", unwrap_pem(_PRIVATE_PEM)[1][:-1]),
        wrap_pem("PRIVATE KEY", b"\x30\x81" + unwrap_pem(_PRIVATE_PEM)[1][1:]),
        wrap_pem("PRIVATE KEY", unwrap_pem(_PRIVATE_PEM)[1].replace(b"\x2b\x65\x70", b"\x2b\x65\x6e")),
        wrap_pem("BIZRA-GATE ENCRYPTED PRIVATE KEY", b"BGK2" + bytes(100)),
        _PRIVATE_PEM.replace("M", "!", 1),
        "A" * 100_000,
    ],
)
def test_what_is_not_an_ed25519_private_key_is_refused(text: str) -> None:
    with pytest.raises(KeyFileError):
        PrivateKey.from_pem(text, "p")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ== me",
        ALICE.public.openssh()[:-4],
        ALICE.public.openssh() + "A",
        ALICE.public.openssh().replace("AAAAC3", "AAAAD3"),
        ALICE.public.openssh() + "\n" + BOB.public.openssh(),
        "command=x " + ALICE.public.openssh(),
        _PRIVATE_PEM,
        wrap_pem("PUBLIC KEY", unwrap_pem(_PUBLIC_PEM)[1] + b"\0"),
        wrap_pem("PUBLIC KEY", unwrap_pem(_PUBLIC_PEM)[1].replace(b"\x2b\x65\x70", b"\x2b\x65\x71")),
    ],
)
def test_what_is_not_an_ed25519_public_key_is_refused(text: str) -> None:
    with pytest.raises(KeyFileError):
        PublicKey.parse(text)


def test_base64_with_stray_bits_is_not_a_second_spelling_of_a_key() -> None:
    body = "".join(_PUBLIC_PEM.split("\n")[1:-2])
    assert body.endswith("=")
    changed = body[:-2] + chr(ord(body[-2]) + 1) + "="
    assert base64.b64decode(changed) == base64.b64decode(body)
    with pytest.raises(KeyFileError, match="stray bits"):
        PublicKey.parse(_PUBLIC_PEM.replace(body, changed))


def test_a_key_with_carriage_returns_still_reads() -> None:
    assert PrivateKey.from_pem(_PRIVATE_PEM.replace("\n", "\r\n")) == ALICE


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed here")
    return path


def _run(*argv: str | Path) -> str:
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_openssl_derives_the_same_public_key_and_accepts_our_signature(tmp_path: Path) -> None:
    openssl = _tool("openssl")
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_text(ALICE.pem())
    _run(openssl, "pkey", "-in", private, "-pubout", "-out", public)
    assert public.read_text() == ALICE.public.pem()
    (tmp_path / "message").write_bytes(b"hello")
    (tmp_path / "signature").write_bytes(ALICE.sign(b"hello"))
    _run(openssl, "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", tmp_path / "message", "-sigfile",
         tmp_path / "signature")  # fmt: skip
    _run(
        openssl,
        "pkeyutl",
        "-sign",
        "-inkey",
        private,
        "-rawin",
        "-in",
        tmp_path / "message",
        "-out",
        tmp_path / "theirs",
    )
    assert (tmp_path / "theirs").read_bytes() == ALICE.sign(b"hello")


def test_a_key_that_openssl_made_is_read(tmp_path: Path) -> None:
    openssl = _tool("openssl")
    _run(openssl, "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "key.pem")
    key = PrivateKey.from_pem((tmp_path / "key.pem").read_text())
    assert key.pem() == (tmp_path / "key.pem").read_text()


@pytest.mark.parametrize("algorithm", [("x25519",), ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), ("ed448",)])
def test_a_key_of_another_algorithm_that_openssl_made_is_refused(algorithm: tuple[str, ...], tmp_path: Path) -> None:
    openssl = _tool("openssl")
    name, *options = algorithm
    _run(openssl, "genpkey", "-algorithm", name, *options, "-out", tmp_path / "key.pem")
    with pytest.raises(KeyFileError, match="not an Ed25519 private key"):
        PrivateKey.from_pem((tmp_path / "key.pem").read_text())


def test_ssh_keygen_prints_the_same_fingerprint(tmp_path: Path) -> None:
    ssh_keygen = _tool("ssh-keygen")
    (tmp_path / "key.pub").write_text(ALICE.public.openssh("alice") + "\n")
    assert _run(ssh_keygen, "-lf", tmp_path / "key.pub").split()[1] == ALICE.public.fingerprint
