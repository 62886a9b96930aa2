"""Embedded servers do what their script says. How fast is the selftest's business, not a test's."""

from __future__ import annotations

import os
import signal

import pytest
from http_peer import MS, drive

from bizra_gate.model import ClosedLoop, HttpRequest, OpenLoop
from bizra_gate.targets.http.embedded import serve
from bizra_gate.targets.http.script import Script


def test_a_server_says_hello_at_once() -> None:
    with serve(in_thread=True) as server:
        run = drive(server.url, ClosedLoop(4), request=HttpRequest(expect_body="hello, world"))
        assert run.notes.errors == {}
        assert run.notes.outcomes["200"] > 4


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("size", [0, 13, 2_000_000])
def test_bodies_of_any_size_and_framing(size: int, chunked: bool) -> None:
    script = Script(body_bytes=size, chunked=chunked)
    with serve(script, in_thread=True) as server:
        run = drive(server.url, ClosedLoop(2))
        assert run.notes.errors == {}
        assert run.facts["bytes_in"] >= run.notes.outcomes["200"] * script.body_bytes


def test_requests_with_bodies_are_cut_where_they_end() -> None:
    with serve(in_thread=True) as server:
        run = drive(server.url, ClosedLoop(2), request=HttpRequest(method="POST", body="GET / HTTP/1.1\r\n\r\n" * 9))
        assert run.notes.errors == {}
        assert run.notes.outcomes["200"] > 2


def test_errors_come_as_often_as_scripted() -> None:
    with serve(Script(fail_every=4, close_every=5), in_thread=True) as server:
        run = drive(server.url, ClosedLoop(1))
    said = run.notes.errors["bad_status"] + run.notes.errors["closed"] + run.notes.outcomes["200"]
    assert run.notes.errors["closed"] == said // 5
    assert run.notes.errors["bad_status"] == said // 4 - said // 20
    assert set(run.notes.errors) == {"bad_status", "closed"}


def test_a_service_takes_at_least_its_time_and_one_server_takes_one_at_a_time() -> None:
    with serve(Script(service_ns=5 * MS, servers=1), in_thread=True) as server:
        run = drive(server.url, ClosedLoop(3))
        assert run.notes.errors == {}
        assert max(run.notes.end_ns) - min(run.notes.start_ns) >= len(run.notes.end_ns) * 5 * MS


def test_the_last_byte_drips_in_late() -> None:
    with serve(Script(drip_every=2, drip_ns=10 * MS), in_thread=True) as server:
        run = drive(server.url, ClosedLoop(1))
        late = [end - start >= 10 * MS for start, end in zip(run.notes.start_ns, run.notes.end_ns, strict=True)]
        assert run.notes.errors == {}
        assert late[1::2] == [True] * len(late[1::2])


def test_a_frozen_server_answers_nothing_until_it_thaws() -> None:
    with serve(Script(frozen_ns=((0, 30 * MS),)), in_thread=True) as server:
        run = drive(server.url, OpenLoop(200), duration_ns=60 * MS)
        assert run.notes.outcomes == {"200": 12}
        assert all(end >= min(run.notes.start_ns) + 30 * MS for end in run.notes.end_ns)


def test_new_connections_are_closed_by_the_server_when_asked() -> None:
    with serve(Script(drip_every=3, drip_ns=MS), in_thread=True) as server:
        run = drive(server.url, request=HttpRequest(new_connections=True))
        assert run.notes.errors == {}


def test_a_server_of_its_own_process_ends_with_its_block() -> None:
    with serve() as server:
        run = drive(server.url)
        pid = server._worker.pid
        assert run.notes.outcomes["200"] > 0
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    server.stop()
