"""TLS: verified, with the name of the host, unless told otherwise."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
from http_certificate import server_context
from http_peer import OK, always, drive, peer

from bizra_gate.errors import TargetError
from bizra_gate.model import ClosedLoop, HttpRequest
from bizra_gate.targets.http.driver import EngineName

pytestmark = pytest.mark.parametrize("engine", ["epoll", "asyncio"])
LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000


@pytest.mark.parametrize("answer", [OK, LARGE], ids=["small", "large"])
def test_a_trusted_certificate_is_verified_and_the_host_is_named(
    engine: EngineName, answer: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = server_context(tmp_path, "localhost")
    names: list[str | None] = []
    context.sni_callback = lambda sock, name, ctx: names.append(name)  # type: ignore[assignment, func-returns-value]
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with peer(always(answer), context) as server:
        run = drive(server.url.replace("127.0.0.1", "localhost"), ClosedLoop(2), engine=engine)
        assert run.notes.errors == {}
        assert run.notes.outcomes["200"] == len(server.requests) > 2
        assert run.facts["connections"]["opened"] == 2
        assert set(names) == {"localhost"}


def test_an_unknown_certificate_is_refused_before_the_load(engine: EngineName, tmp_path: Path) -> None:
    context, _ = server_context(tmp_path, "localhost")
    with (
        peer(always(OK), context) as server,
        pytest.raises(TargetError, match="the TLS handshake or record layer failed") as caught,
    ):
        drive(server.url, engine=engine)
    assert "verif" in str(caught.value)
    assert "--insecure" in caught.value.hint


def test_a_certificate_of_another_host_is_refused(
    engine: EngineName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = server_context(tmp_path, "example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with peer(always(OK), context) as server, pytest.raises(TargetError, match="TLS"):
        drive(server.url.replace("127.0.0.1", "localhost"), engine=engine)


def test_verification_can_be_switched_off_by_the_plan(engine: EngineName, tmp_path: Path) -> None:
    context, _ = server_context(tmp_path, "example.org")
    with peer(always(OK), context) as server:
        run = drive(server.url, engine=engine, request=HttpRequest(verify_tls=False))
        assert run.notes.errors == {}
        assert run.notes.outcomes["200"] > 2


def test_a_server_without_tls_is_told_apart_from_one_that_is_down(engine: EngineName) -> None:
    def answer_in_plain_text(listener: socket.socket) -> None:
        accepted, _ = listener.accept()
        with accepted:
            accepted.recv(65536)
            accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer_in_plain_text, args=(listener,), daemon=True).start()
        with pytest.raises(TargetError, match="the TLS handshake or record layer failed") as caught:
            drive(f"https://127.0.0.1:{listener.getsockname()[1]}/", engine=engine)
        assert f"http://127.0.0.1:{listener.getsockname()[1]}/" in caught.value.hint


def test_a_handshake_that_fails_under_load_is_counted(engine: EngineName, tmp_path: Path) -> None:
    """After three requests the server demands a certificate from the client, who has none."""
    context, trusted = server_context(tmp_path, "localhost")

    def answer(number: int, request: bytes) -> bytes:
        if number == 2:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(trusted)
        return OK

    with peer(answer, context) as server:
        request = HttpRequest(verify_tls=False, new_connections=True)
        run = drive(server.url, ClosedLoop(1), engine=engine, request=request, enough=6)
        assert run.notes.outcomes["200"] == 3
        assert set(run.notes.errors) <= {"tls", "reset", "closed"}
        assert run.notes.errors.total() > 0
