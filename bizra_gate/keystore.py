"""Where private keys lie, and the checks before one is used.

A private key is never written into a repository: it lies in the user's configuration folder, or comes from the
environment in CI.
"""

from __future__ import annotations

import getpass
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from . import repository, store
from .attest.keys import ENCRYPTED_LABEL, PrivateKey, PublicKey
from .errors import KeyFileError, UsageError

VARIABLE = "BIZRA_GATE_KEY"
PASSPHRASE_VARIABLE = "BIZRA_GATE_PASSPHRASE"
NAME = "signing.key"


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """``$XDG_CONFIG_HOME/bizra-gate/signing.key``, by default below ``~/.config``."""
    base = environ.get("XDG_CONFIG_HOME") or ""
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".config"
    return root / "bizra-gate" / NAME


def create(path: Path, passphrase: str | None = None, *, force: bool = False) -> PublicKey:
    """Generate a key pair: the private key with mode 0600 at `path`, the public one beside it in both text forms.

    An existing key is kept unless `force`: what it signed could never be signed again.
    """
    if path.exists() and not force:
        raise UsageError(f"{path} exists already and is kept", hint="choose another place with --out, or see --help")
    _refuse_in_work_tree(path)
    key = PrivateKey.generate()
    text = key.pem() if passphrase is None else key.encrypted_pem(passphrase)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    store.write(path, text.encode(), mode=0o600, exclusive=not force)
    for file, content in public_files(path, key.public).items():
        store.write(file, content.encode())
    return key.public


def public_files(path: Path, public: PublicKey) -> dict[Path, str]:
    """SPKI PEM (OpenSSL, cosign) and the OpenSSH line (ssh-keygen) that lie beside the private key."""
    return {path.with_suffix(".pub.pem"): public.pem(), path.with_suffix(".pub"): public.openssh("bizra-gate") + "\n"}


def load(option: Path | None, environ: Mapping[str, str] = os.environ) -> PrivateKey:
    """The key to sign with: ``--key``, else ``BIZRA_GATE_KEY`` (PEM text or a path), else the default place.

    The passphrase of an encrypted key comes from ``BIZRA_GATE_PASSPHRASE``, else from whoever sits at the terminal.
    Raises `KeyFileError` that says exactly what to run where there is none.
    """
    passphrase = environ.get(PASSPHRASE_VARIABLE)
    if option is not None:
        return _from_file(option, passphrase)
    said = environ.get(VARIABLE, "")
    if "-----BEGIN" in said:
        return _from_pem(said.replace("\\n", "\n"), passphrase, VARIABLE)
    if said:
        return _from_variable(Path(said), passphrase)
    path = default_path(environ)
    if not path.exists():
        raise KeyFileError(
            "no signing key: evidence is signed when it is made, so a key comes first",
            hint="run: bizra-gate keygen && bizra-gate trust\n  in CI, put the private key's PEM text into the secret "
            f"{VARIABLE}, or name a file with --key",
        )
    return _from_file(path, passphrase)


def _from_variable(path: Path, passphrase: str | None) -> PrivateKey:
    if not path.exists():
        hint = f"put the PEM text of the private key into {VARIABLE}, with its line breaks, or the path of its file"
        raise KeyFileError(f"{VARIABLE}: neither the text of a private key nor the path of a file", hint=hint)
    return _from_file(path, passphrase)


def _from_file(path: Path, passphrase: str | None) -> PrivateKey:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}", hint="make one with: bizra-gate keygen") from error
    if sys.platform != "win32" and stat.S_IMODE(mode) & 0o077:
        raise KeyFileError(
            f"{path}: mode {stat.S_IMODE(mode):04o} lets others read this private key; expected 0600",
            hint=f"run: chmod 600 {path}",
        )
    _refuse_in_work_tree(path)
    text = store.read(path, limit=64 * 1024).decode("utf-8", errors="replace")
    return _from_pem(text, passphrase, str(path))


def _from_pem(text: str, passphrase: str | None, where: str) -> PrivateKey:
    if ENCRYPTED_LABEL in text and not passphrase and sys.stdin is not None and sys.stdin.isatty():
        passphrase = getpass.getpass(f"Passphrase of {where}: ")
    try:
        return PrivateKey.from_pem(text, passphrase)
    except KeyFileError as error:
        raise KeyFileError(f"{where}: {error.message}", hint=error.hint) from error


def _refuse_in_work_tree(path: Path) -> None:
    """A key in a work tree is one `git add` away from everybody; a link from there to a key elsewhere is not."""
    place = path.resolve()
    top = repository.top(next(parent for parent in place.parents if parent.is_dir()))
    if top is not None and not repository.ignored(place):
        line, file = place.relative_to(top.resolve()).as_posix(), os.path.relpath(top / ".gitignore")
        raise KeyFileError(
            f"{path}: a private key inside the git work tree {top.name!r}",
            hint=f"move it out, or add it to .gitignore first: echo '/{line}' >> {file}",
        )


def read_public(path: Path) -> PublicKey:
    """A public key from a PEM or OpenSSH file; a private key file is refused with the right file named."""
    text = store.read(path, limit=64 * 1024).decode("utf-8", errors="replace")
    if "PRIVATE KEY" in text:
        raise KeyFileError(f"{path}: a private key; trust takes the public one", hint=f"try {path.with_suffix('.pub')}")
    try:
        return PublicKey.parse(text)
    except KeyFileError as error:
        raise KeyFileError(f"{path}: {error.message}", hint=error.hint) from error
