"""Further signatures on an artifact that exists: one's own, or those of an envelope that was signed elsewhere.

A gate or the keyring may ask for several signers. Nothing that is signed is changed here, and whether a signature
counts is the keyring's business when `verify` asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from . import store
from .attest import envelope, exchange
from .attest.envelope import Sealed, Signature
from .attest.keyring import Keyring
from .attest.keys import PrivateKey
from .errors import UntrustedError


def add(path: Path, signer: PrivateKey, ring: Keyring | None) -> Sealed:
    """Sign the statement of the artifact at `path` too; raises `UntrustedError` where `signer` has done so already."""
    sealed = _sound(path, ring)
    return _written(path, envelope.cosign(sealed, signer))


def take(path: Path, envelope_path: Path, ring: Keyring | None) -> Sealed:
    """Add the signatures of a DSSE envelope to the artifact at `path`, which is made where there is none.

    A signature without a fingerprint is given that of the key in `ring` that made it. Raises `UntrustedError` where
    the envelope is about another statement.
    """
    brought = _brought(envelope_path, ring)
    if not path.exists():
        return _written(path, envelope.write(brought.body, brought.signatures))
    sealed = _sound(path, ring)
    if brought.body != sealed.body:
        raise UntrustedError(f"{envelope_path}: about another statement than {path}; nothing was written")
    return _written(path, envelope.write(sealed.body, _merged(sealed, brought.signatures)))


def _brought(path: Path, ring: Keyring | None) -> Sealed:
    known = [key.public for key in ring.keys] if ring is not None else []
    try:
        data = exchange.import_dsse(store.read_named(path), known)
    except UntrustedError as error:
        raise UntrustedError(f"{path}: {error.message}", code=error.code, hint=error.hint) from error
    return _refuse_wrong(envelope.read(data, str(path)), ring)


def _merged(sealed: Sealed, brought: Iterable[Signature]) -> list[Signature]:
    """Those of `sealed`, and of `brought` the ones by other keys."""
    by_key = {one.keyid: one for one in (*brought, *sealed.signatures)}
    return list(by_key.values())


def _sound(path: Path, ring: Keyring | None) -> Sealed:
    return _refuse_wrong(envelope.read(store.read_named(path), str(path)), ring)


def _refuse_wrong(sealed: Sealed, ring: Keyring | None) -> Sealed:
    """Whoever signs beside a wrong signature by a known key signs a file that nobody will believe."""
    known = ring.by_fingerprint() if ring is not None else {}
    for one in sealed.signatures:
        if one.keyid in known and not known[one.keyid].public.verify(sealed.signed_bytes, one.sig):
            message = f"{sealed.name}: the signature by {one.keyid} does not fit the content; nothing was written"
            raise UntrustedError(message, code="signature.invalid")
    return sealed


def _written(path: Path, data: bytes) -> Sealed:
    store.write(path, data)
    return envelope.read(data, str(path))
