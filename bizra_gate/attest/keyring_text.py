"""Writing the keyring: a whole file, or one more key without touching what people wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime

from bizra_gate.attest.instant import format_instant
from bizra_gate.attest.keyring import FILE, Keyring, Revocation, TrustedKey, parse_keyring
from bizra_gate.attest.keys import PublicKey
from bizra_gate.errors import DefinitionError, Problem

_HEADER = """\
# Whose signatures count, for which kinds of evidence, and when.
# The version rises with every change. `bizra-gate trust` adds a key.
"""
_VERSION = re.compile(r"^(version[ \t]*=[ \t]*)([0-9]+)", re.MULTILINE)


def render_keyring(keyring: Keyring) -> str:
    """The whole file, from nothing: reads back as an equal keyring."""
    lines = [f"{_HEADER}version = {keyring.version}"]
    if keyring.expires:
        lines.append(f"expires = {_text(format_instant(keyring.expires))}")
    blocks = ["\n".join(lines) + "\n", *(_block(key) for key in keyring.keys)]
    blocks += [f"[roles.{role}]\nthreshold = {count}\n" for role, count in keyring.thresholds.items()]
    return "\n".join(blocks)


def add_key(
    text: str,
    public: PublicKey,
    *,
    owner: str,
    roles: Sequence[str],
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    file: str = FILE,
) -> str:
    """`text` with one more key at its end and its version raised by one; comments and layout stay as they are.

    An empty `text` becomes a keyring of version 1. Raises `DefinitionError` where the text cannot be read, already
    holds the key, or would not read back as exactly that.
    """
    key = TrustedKey(public, owner, tuple(roles), not_before, not_after)
    if not text.strip():
        return _read_back(render_keyring(Keyring(1, (key,))), Keyring(1, (key,)), file)
    old = parse_keyring(text, file)
    if public.fingerprint in old.by_fingerprint():
        problem = Problem(f"{file}: keys", f"{public.fingerprint} again", "a new key", "It is in the keyring already.")
        raise DefinitionError([problem])
    new = Keyring(old.version + 1, (*old.keys, key), old.expires, old.thresholds)
    raised = _VERSION.sub(lambda match: f"{match[1]}{new.version}", text, count=1)
    return _read_back(f"{raised.rstrip()}\n\n{_block(key)}", new, file)


def _read_back(text: str, expected: Keyring, file: str) -> str:
    if parse_keyring(text, file) != expected:
        hint = f"Add this key by hand, and raise the version:\n{_block(expected.keys[-1])}"
        raise DefinitionError([Problem(file, "a layout that cannot be extended safely", "plain [[keys]] tables", hint)])
    return text


def _block(key: TrustedKey) -> str:
    lines = [
        "[[keys]]",
        f"# {key.fingerprint}",
        f"public = {_text(key.public.openssh())}",
        f"owner = {_text(key.owner)}",
        f"roles = [{', '.join(_text(role) for role in key.roles)}]",
    ]
    if key.not_before:
        lines.append(f"not_before = {_text(format_instant(key.not_before))}")
    if key.not_after:
        lines.append(f"not_after = {_text(format_instant(key.not_after))}")
    if key.revoked:
        lines.append(f"revoked = {_revocation(key.revoked)}")
    return "\n".join(lines) + "\n"


def _revocation(revoked: Revocation) -> str:
    return f"{{ at = {_text(format_instant(revoked.at))}, reason = {_text(revoked.reason)} }}"


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are a subset of TOML's, save that TOML also escapes DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
