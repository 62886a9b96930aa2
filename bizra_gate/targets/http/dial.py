"""Addresses, sockets and TLS contexts, and the first connection that tells whether a target can be driven at all."""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import TargetError
from .endpoint import Endpoint
from .failures import CLASSES, DNS, REFUSED, TIMEOUT, TLS, classify

PROBE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Address:
    family: int
    sockaddr: Any


class Dialer:
    """Resolves once per server, and keeps one TLS context for all connections, so that sessions can be cheap."""

    def __init__(self, *, verify_tls: bool) -> None:
        self._addresses: dict[tuple[str, int], Address] = {}
        self._context: ssl.SSLContext | None = None
        self._verify_tls = verify_tls

    def address(self, endpoint: Endpoint) -> Address:
        """The address that connections go to. Raises OSError (gaierror) where the name has none."""
        key = (endpoint.host, endpoint.port)
        if key not in self._addresses:
            self._addresses[key] = candidates(endpoint)[0]
        return self._addresses[key]

    @property
    def context(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = tls_context(verify=self._verify_tls)
        return self._context

    def socket_for(self, endpoint: Endpoint) -> tuple[socket.socket, Any]:
        """A non-blocking socket that is not connected yet, and where to connect it."""
        address = self.address(endpoint)
        sock = socket.socket(address.family, socket.SOCK_STREAM)
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock, address.sockaddr

    def probe(self, endpoint: Endpoint, timeout_s: float = PROBE_TIMEOUT_S) -> None:
        """Connect once, with the TLS handshake, and remember the address that answered. Raises `TargetError`."""
        try:
            found = candidates(endpoint)
        except OSError as error:
            raise TargetError(f"{endpoint.host}: {CLASSES[DNS]} ({error})", hint="Check the host of the URL.") from None
        errors = []
        for address in found:
            try:
                self._try(endpoint, address, timeout_s)
            except OSError as error:
                errors.append(error)
            else:
                self._addresses[(endpoint.host, endpoint.port)] = address
                return
        raise _undriven(endpoint, errors)

    def _try(self, endpoint: Endpoint, address: Address, timeout_s: float) -> None:
        with socket.socket(address.family, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout_s)
            sock.connect(address.sockaddr)
            if endpoint.tls:
                with self.context.wrap_socket(sock, server_hostname=endpoint.host):
                    pass


def candidates(endpoint: Endpoint) -> list[Address]:
    """Every TCP address of the endpoint, in the resolver's order. Raises `socket.gaierror` where there is none."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    return [Address(family, sockaddr) for family, _, _, _, sockaddr in found]


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """A client context that speaks HTTP/1.1; `verify` off accepts any certificate, as told by the plan."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def raise_file_limit(wanted: int) -> int:
    """Lift the soft limit of open files towards `wanted` and return what it is now."""
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, target), hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _undriven(endpoint: Endpoint, errors: Sequence[OSError]) -> TargetError:
    error = errors[-1] if errors else OSError("no address")
    kind = classify(error)
    reason = CLASSES[TLS] + f" ({error})" if kind == TLS else CLASSES[kind]
    hints = {
        REFUSED: f"Start the server, or check the port: bizra-gate tried {endpoint.place}.",
        TIMEOUT: "Check that the host is up and that no firewall drops the packets.",
        TLS: _tls_hint(endpoint, error),
    }
    return TargetError(f"{endpoint.place} cannot be driven: {reason}", hint=hints.get(kind, ""))


def _tls_hint(endpoint: Endpoint, error: OSError) -> str:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"Does the port speak TLS at all? If not: http://{endpoint.authority}{endpoint.path}"
    return (
        "Trust its issuer (SSL_CERT_FILE=ca.pem bizra-gate …), use a name that the certificate is for, or accept any: "
        "--insecure, in a gate http.verify_tls = false."
    )
