"""Where this installation came from, as a requirement that another machine can install (PEP 610)."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from . import repository
from .version import __version__

NAME = "bizra-gate"


def requirement(direct_url: str | None) -> str | None:
    """A requirement for ``pip install``, or None where only this machine has what was installed.

    `direct_url` is the text of the ``direct_url.json`` that installers leave, None where the package came from an
    index. A folder counts as the commit that is checked out in it, where its repository has an ``origin``. Names and
    passwords within an address are left out.
    """
    if direct_url is None:
        return f"{NAME}=={__version__}"
    try:
        said = json.loads(direct_url)
        url, vcs = str(said["url"]), said.get("vcs_info")
        commit = vcs["commit_id"] if vcs else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if commit:
        return f"{NAME} @ git+{_public(url)}@{commit}"
    if urlsplit(url).scheme == "file":
        return _checkout(Path(unquote(urlsplit(url).path)))
    return f"{NAME} @ {_public(url)}"


def of_this() -> str | None:
    """`requirement` of the installation that runs."""
    try:
        return requirement(metadata.distribution(NAME).read_text("direct_url.json"))
    except metadata.PackageNotFoundError:
        return None


def _checkout(folder: Path) -> str | None:
    remote, here = repository.remote(folder), repository.head(folder)
    if remote is None or here is None:
        return None
    user, colon, path = remote.partition(":")
    if colon and "://" not in remote and "/" not in user:  # git's short form, user@host:path
        remote = f"ssh://{user}/{path}"
    if urlsplit(remote).scheme not in ("https", "ssh"):
        return None
    return f"{NAME} @ git+{_public(remote)}@{here.commit}"


def _public(url: str) -> str:
    """`url` without a name and a password in it; that of ssh is a part of the address."""
    parts = urlsplit(url)
    if parts.scheme == "ssh":
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
