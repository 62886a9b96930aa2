"""Vectors that others published, and what became of each; `docs/interop.md` lists them all.

Sources: RFC 8032 section 7.1; RFC 8785 section 3.2; the cases of Chalkias, Garillot and Nikolaenko, "Taming the many
EdDSAs" (SSR 2020), as listed in their `ed25519-speccheck`; the reference tree of Certificate Transparency (RFC 6962,
RFC 9162); the examples of C2SP signed-note and tlog-cosignature and of Go's `sumdb/note`.
"""

from __future__ import annotations

import base64

import pytest
from attest_keys import NOW

from bizra_gate.attest import canonical, parse
from bizra_gate.attest.keys import PrivateKey, PublicKey
from bizra_gate.attest.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from bizra_gate.attest.note import (
    Checkpoint,
    is_by,
    key_id,
    parse_checkpoint,
    parse_note,
    sign_note,
    verifier_key,
    verify_signature,
)
from bizra_gate.errors import KeyFileError


def test_rfc_8032_sha_abc() -> None:
    key = PrivateKey(bytes.fromhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"))
    message = bytes.fromhex(
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    )
    assert key.public.raw.hex() == "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"
    assert key.sign(message).hex() == (
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
    )


# ── Taming the many EdDSAs ───────────────────────────────────────────────────────────────────────────────────────

_SMALL = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
_MIXED = "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
_OTHER_MIXED = "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"
_PLAIN = "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623"
_SPECCHECK = {
    "small key, small commitment, scalar 0": (
        _SMALL,
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a" + "00" * 32,
    ),
    "small key, mixed commitment": (
        _SMALL,
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
        "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
    ),
    "mixed key, small commitment": (
        _MIXED,
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
        "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
    ),
    "mixed key and commitment, holds with and without the cofactor": (
        _OTHER_MIXED,
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
        "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
    ),
    "mixed key and commitment, holds with the cofactor only": (
        _OTHER_MIXED,
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
        "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
    ),
    "mixed key, holds with the cofactor multiplied in beforehand": (
        _OTHER_MIXED,
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
        "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
    ),
    "scalar above L": (
        _PLAIN,
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
        "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
    ),
    "scalar far above L": (
        _PLAIN,
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
        "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
    ),
    "mixed key, commitment not reduced, hashed as it stands": (
        _MIXED,
        "fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
        "454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607",
    ),
    "mixed key, commitment not reduced, hashed after reduction": (
        _MIXED,
        "84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
        "084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09",
    ),
}


@pytest.mark.parametrize("name", _SPECCHECK)
def test_a_signature_that_libraries_disagree_about_is_refused(name: str) -> None:
    public, message, signature = (bytes.fromhex(part) for part in _SPECCHECK[name])
    try:
        key = PublicKey(public)
    except KeyFileError:
        return
    assert public.hex() == _PLAIN
    assert not key.verify(message, signature)


def test_a_key_with_a_small_part_is_refused_when_it_is_read() -> None:
    for raw in (_SMALL, _MIXED, _OTHER_MIXED):
        with pytest.raises(KeyFileError):
            PublicKey(bytes.fromhex(raw))


# ── RFC 8785 ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_sample_of_rfc_8785_section_3_2() -> None:
    sample = rb"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"""
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical(parse(sample)) == expected.encode()


def test_the_sample_of_rfc_8785_section_3_2_3() -> None:
    sample = (
        r'{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",'
        r'"\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}'
    )
    values = ["Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
              "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh"]  # fmt: skip
    document = parse(canonical(parse(sample.encode())))
    assert isinstance(document, dict)
    assert list(document.values()) == values


# ── RFC 6962: the tree that every Certificate Transparency implementation is tested with ─────────────────────────

_INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
_LEAVES = [leaf_hash(bytes.fromhex(one)) for one in _INPUTS]
_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_roots_of_the_reference_tree() -> None:
    assert [root(_LEAVES[:size]).hex() for size in range(1, 9)] == _ROOTS


def test_the_proofs_of_the_reference_tree() -> None:
    path = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [one.hex() for one in inclusion_proof(_LEAVES, 0)] == path
    assert verify_inclusion(_LEAVES[0], 0, 8, [bytes.fromhex(one) for one in path], bytes.fromhex(_ROOTS[7]))
    path = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [one.hex() for one in consistency_proof(_LEAVES, 6)] == path
    hashes = [bytes.fromhex(one) for one in path]
    assert verify_consistency(6, 8, hashes, bytes.fromhex(_ROOTS[5]), bytes.fromhex(_ROOTS[7]))
    assert not verify_consistency(5, 8, hashes, bytes.fromhex(_ROOTS[4]), bytes.fromhex(_ROOTS[7]))


# ── signed notes ─────────────────────────────────────────────────────────────────────────────────────────────────

_NOTES = {
    "C2SP signed-note": (
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZ"
        "XsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
    ),
    "Go sumdb/note": (
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
    ),
}


@pytest.mark.parametrize("name", _NOTES)
def test_a_published_note_opens_with_its_published_key(name: str) -> None:
    vkey, text = _NOTES[name]
    owner, identifier, material = vkey.split("+", 2)
    public = PublicKey(base64.b64decode(material)[1:])
    assert verifier_key(owner, public) == vkey
    assert key_id(owner, public).hex() == identifier
    note = parse_note(text)
    assert note.render() == text
    assert is_by(note.signatures[0], public, 0x01)
    assert verify_signature(note, note.signatures[0], public)
    assert not verify_signature(parse_note(text.replace("e", "f", 1)), note.signatures[0], public)


def test_the_note_that_go_signs_is_signed_alike() -> None:
    secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    key = PrivateKey(base64.b64decode(secret.split("+", 4)[4])[1:])
    text = _NOTES["Go sumdb/note"][1]
    assert sign_note(text.rpartition("\n\n")[0] + "\n", "PeterNeumann", key).render() == text


def test_the_checkpoint_and_the_cosignature_of_c2sp_are_read_as_what_they_say() -> None:
    text = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE"
        "+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0"
        "xUe+mbIUBkBIfZ+qnA==\n"
    )
    note = parse_note(text)
    assert note.render() == text
    expected = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert parse_checkpoint(note) == Checkpoint("example.com/behind-the-sofa", 20852163, expected)
    witness = note.signatures[1]
    assert (witness.key_id.hex(), len(witness.sig)) == ("8d66cf3f", 72)
    assert int.from_bytes(witness.sig[:8], "big") == 1679315147 < NOW.timestamp()
