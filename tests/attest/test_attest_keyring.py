"""The keyring: every mistake is told at once, and nothing is guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from attest_keys import ALICE, BOB, CAROL, NOW, keyring, trusted
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.attest import (
    Keyring,
    PrivateKey,
    Revocation,
    add_key,
    parse_keyring,
    render_keyring,
    succession_problems,
)
from bizra_gate.attest.keyring import ROLES
from bizra_gate.errors import DefinitionError

_TEXT = f"""
# who may sign
version = 3
expires = "2027-06-01T00:00:00Z"

[[keys]]
public = "{ALICE.public.openssh("alice@bench")}"   # the runner
owner = "ci-bench@acme"
roles = ["benchmark", "ratio"]
not_before = "2026-01-01T00:00:00Z"
not_after = 2027-01-01T00:00:00Z
revoked = {{ at = "2026-12-01T00:00:00+01:00", reason = "superseded" }}

[[keys]]
public = "{BOB.public.openssh()}"
owner = "perf team"
roles = ["*"]

[roles.waiver]
threshold = 2
"""


def test_a_keyring_is_read_as_it_was_written() -> None:
    keys = parse_keyring(_TEXT)
    assert (keys.version, keys.expires) == (3, datetime(2027, 6, 1, tzinfo=UTC))
    alice, bob = keys.keys
    assert (alice.public, alice.owner, alice.roles) == (ALICE.public, "ci-bench@acme", ("benchmark", "ratio"))
    assert (alice.not_before, alice.not_after) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert alice.revoked == Revocation(datetime(2026, 11, 30, 23, tzinfo=UTC), "superseded")
    assert (bob.roles, bob.not_before, bob.not_after, bob.revoked) == (("*",), None, None, None)
    assert keys.threshold(["waiver", "benchmark"]) == 2
    assert keys.threshold(["benchmark"]) == keys.threshold([]) == 1


def test_every_problem_is_told_at_once_with_its_place() -> None:
    text = f"""
    version = 0
    expire = "2027-01-01T00:00:00Z"
    [[keys]]
    public = "ssh-rsa AAAA"
    owner = ""
    roles = ["benchmarks"]
    not_before = 2027-01-01T00:00:00
    [[keys]]
    public = "{ALICE.public.openssh()}"
    roles = []
    owner = "x"
    not_before = "2027-01-01T00:00:00Z"
    not_after = "2026-01-01T00:00:00Z"
    revoked = {{ at = "yesterday", reason = "compromise" }}
    [[keys]]
    public = "{ALICE.public.openssh("again")}"
    owner = "y"
    roles = ["*"]
    [roles.waver]
    threshold = 1
    [roles.waiver]
    threshold = "2"
    """
    with pytest.raises(DefinitionError) as refusal:
        parse_keyring(text, "keys.toml")
    told = {problem.where: problem for problem in refusal.value.problems}
    assert set(told) == {
        f"keys.toml: {place}"
        for place in ("version", "expire", "keys[0].public", "keys[0].owner", "keys[0].roles[0]", "keys[0].not_before",
                      "keys[1].roles", "keys[1].not_after", "keys[1].revoked.at", "keys[1].revoked.reason",
                      "keys[2].public", "roles.waver", "roles.waiver.threshold")
    }  # fmt: skip
    assert told["keys.toml: expire"].hint == "Did you mean 'expires'?"
    assert told["keys.toml: keys[0].roles[0]"].hint == "Did you mean 'benchmark'?"
    assert told["keys.toml: keys[1].revoked.reason"].hint == "Did you mean 'compromised'?"
    assert told["keys.toml: roles.waver"].hint == "Did you mean 'waiver'?"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("version = ", "TOML document"),
        ("", "version: got nothing"),
        ("version = true", "version: got True"),
        ("version = 1.0", "version: got 1.0"),
        ("version = 1\nkeys = 3", "keys: got 3"),
        ("version = 1\nkeys = [3]", r"keys\[0\]: got 3"),
        ("version = 1\nroles = 3", "roles: got 3"),
        ("version = 1\n[roles]\nwaiver = 2", "roles.waiver: got 2"),
        ("version = 1\n[roles.waiver]\nthreshold = 0", "roles.waiver.threshold: got 0"),
        ("version = 1\n[roles.waiver]\nthreshold = 2\nof = 3", "roles.waiver.of: got the unknown key 'of'"),
        ("version = 1\n[[keys]]", r"keys\[0\].public: got nothing"),
        ("version = 1\n[[keys]]\nrevoked = true", r"keys\[0\].revoked: got True"),
        ("version = 1\nexpires = 2027-01-01", "expires: got datetime.date"),
        ('version = 1\nkeys = [{public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
         'AAAA", owner = "x", roles = ["*"]}]', "small-order"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_was_got(text: str, complaint: str) -> None:
    with pytest.raises(DefinitionError, match=complaint) as refusal:
        parse_keyring(text)
    assert refusal.value.exit_code == 2


_INSTANTS = st.none() | st.integers(0, 10**9).map(lambda seconds: datetime.fromtimestamp(1_600_000_000 + seconds, UTC))
_KEYS = st.builds(
    lambda seed, owner, roles, at, reason: trusted(
        PrivateKey(seed), *roles, owner=owner, not_before=at, revoked=Revocation(at, reason) if at else None
    ),
    st.binary(min_size=32, max_size=32),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip),
    st.lists(st.sampled_from(ROLES), min_size=1, unique=True),
    _INSTANTS,
    st.sampled_from(["compromised", "superseded"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_KEYS, max_size=3, unique_by=lambda key: key.public), st.integers(1, 99), _INSTANTS)
def test_a_rendered_keyring_reads_back_as_the_same_keyring(keys: list, version: int, expires: datetime | None) -> None:
    original = Keyring(version, tuple(keys), expires, {"waiver": 2})
    assert parse_keyring(render_keyring(original)) == original


def test_adding_a_key_keeps_comments_and_raises_the_version() -> None:
    text = add_key(_TEXT, CAROL.public, owner='the "night" shift', roles=["tests", "scan"], not_before=NOW)
    assert text.startswith(_TEXT.rstrip().replace("version = 3", "version = 4"))
    before, after = parse_keyring(_TEXT), parse_keyring(text)
    assert (after.version, after.keys[:2], after.thresholds) == (4, before.keys, before.thresholds)
    added = after.keys[2]
    assert (added.public, added.owner, added.roles, added.not_before) == (
        CAROL.public, 'the "night" shift', ("tests", "scan"), NOW)  # fmt: skip
    assert f"# {CAROL.public.fingerprint}" in text


def test_the_first_key_makes_a_keyring_of_version_1() -> None:
    keys = parse_keyring(add_key("", ALICE.public, owner="me", roles=["*"]))
    assert keys == Keyring(1, (trusted(ALICE, "*", owner="me"),))


def test_a_key_is_not_added_twice() -> None:
    with pytest.raises(DefinitionError, match="in the keyring already"):
        add_key(_TEXT, ALICE.public, owner="again", roles=["*"])


def test_a_key_is_not_added_to_text_that_cannot_be_extended_safely() -> None:
    text = 'version\t=\t0x3\nkeys = []\n'  # fmt: skip
    with pytest.raises(DefinitionError):
        add_key(text, ALICE.public, owner="me", roles=["*"])


@pytest.mark.parametrize("roles", [[], ["benchmarks"]])
def test_a_key_is_not_added_with_roles_that_do_not_exist(roles: list[str]) -> None:
    with pytest.raises(DefinitionError, match="roles"):
        add_key(_TEXT, CAROL.public, owner="me", roles=roles)


def test_a_keyring_is_never_rolled_back_nor_changed_silently() -> None:
    old = keyring(trusted(ALICE), expires=None)
    assert succession_problems(old, old) == ()
    assert succession_problems(old, replace(old, version=2, keys=(trusted(BOB),))) == ()
    (changed,) = succession_problems(old, replace(old, keys=(trusted(BOB),)))
    assert "contents differ" in changed.got
    (rolled,) = succession_problems(replace(old, version=5), old)
    assert rolled.got == "1 after 5"
    assert rolled.expected == "at least 6"


def test_without_a_named_role_only_a_key_with_every_role_may_sign() -> None:
    assert trusted(ALICE, "*").may_sign([])
    assert trusted(ALICE, "*").may_sign(["benchmark"])
    assert not trusted(ALICE, "benchmark").may_sign([])
    assert not trusted(ALICE, "benchmark").may_sign(["benchmark", "waiver"])
    assert trusted(ALICE, "benchmark", "waiver").may_sign(["benchmark", "waiver"])
