"""What every HTTP engine does, whatever it is made of. No test compares two timings: only counts, classes, order."""

from __future__ import annotations

import socket
import threading
from itertools import pairwise

import pytest
from http_peer import CLOSE, MS, OK, RESET, Driven, Peer, always, drive, peer

from bizra_gate.errors import TargetError
from bizra_gate.load.pacer import ConstantRate
from bizra_gate.model import ClosedLoop, HttpRequest, OpenLoop
from bizra_gate.targets.http.driver import EngineName

pytestmark = pytest.mark.parametrize("engine", ["epoll", "asyncio"])


def everything_is_accounted_for(run: Driven) -> None:
    """Starts and ends match, and the integral of the number in flight is what the stamps add up to."""
    notes = run.notes
    assert len(notes.start_ns) == len(notes.end_ns) == len(notes.label)
    assert notes.folds[-1][3] == 0
    assert notes.folds[-1][2] == notes.residence_ns


def test_every_answer_of_a_closed_loop_is_recorded_once(engine: EngineName) -> None:
    with peer(always(OK)) as server:
        run = drive(server.url, ClosedLoop(3), engine=engine)
        everything_is_accounted_for(run)
        assert run.notes.errors == {}
        assert run.notes.outcomes == {"200": len(server.requests)}
        assert run.facts["in_flight_max"] == 3
        assert run.facts["connections"]["opened"] == 3
        assert run.facts["bytes_in"] == len(OK) * len(server.requests)
        assert run.facts["bytes_out"] == sum(map(len, server.requests))
        assert not run.notes.intended_ns


def test_a_user_waits_for_an_answer_before_the_next_request(engine: EngineName) -> None:
    with peer(always(OK)) as server:
        notes = drive(server.url, ClosedLoop(1), engine=engine).notes
        assert len(notes.start_ns) > 1
        assert all(later >= end for end, later in zip(notes.end_ns, notes.start_ns[1:], strict=False))


def test_a_user_thinks_at_least_as_long_as_told(engine: EngineName) -> None:
    with peer(always(OK)) as server:
        notes = drive(server.url, ClosedLoop(1, think_ns=4 * MS), engine=engine).notes
        assert len(notes.start_ns) > 1
        assert all(later >= end + 4 * MS for end, later in zip(notes.end_ns, notes.start_ns[1:], strict=False))


def test_nothing_is_started_outside_the_load(engine: EngineName) -> None:
    with peer(always(OK)) as server:
        run = drive(server.url, engine=engine)
        assert all(run.origin_ns <= start < run.notes.stop_at_ns for start in run.notes.start_ns)


def test_every_arrival_of_an_open_loop_is_recorded_from_its_intended_start(engine: EngineName) -> None:
    with peer(always(OK)) as server:
        run = drive(server.url, OpenLoop(500), engine=engine, duration_ns=100 * MS)
        everything_is_accounted_for(run)
        due = [run.origin_ns + ConstantRate(500).arrival_ns(index) for index in range(50)]
        assert sorted(run.notes.intended_ns) == due
        pairs = zip(run.notes.intended_ns, run.notes.start_ns, strict=True)
        assert all(start >= intended for intended, start in pairs)


def test_workers_share_the_arrivals(engine: EngineName) -> None:
    with peer(always(OK)) as server:
        runs = [
            drive(server.url, OpenLoop(500), engine=engine, duration_ns=60 * MS, worker=w, workers=2) for w in (0, 1)
        ]
        offsets = [intended - run.origin_ns for run in runs for intended in run.notes.intended_ns]
        assert sorted(offsets) == [ConstantRate(500).arrival_ns(index) for index in range(30)]


def silent_at_first(release: threading.Event) -> Peer:
    def answer(number: int, request: bytes) -> bytes:
        release.wait(20)
        return OK

    return Peer(answer)


def test_an_open_loop_does_not_wait_for_a_server_that_stands_still(engine: EngineName) -> None:
    release = threading.Event()
    server = silent_at_first(release)
    run = drive(
        server.url,
        OpenLoop(500),
        engine=engine,
        duration_ns=60 * MS,
        on_fold=lambda folds: release.set() if folds == 9 else None,
    )
    server.stop()
    everything_is_accounted_for(run)
    assert run.notes.outcomes == {"200": 30}
    assert run.facts["in_flight_max"] > 8
    assert run.facts["connections"]["peak"] >= run.facts["in_flight_max"]


def test_arrivals_beyond_the_cap_queue_and_are_not_forgotten(engine: EngineName) -> None:
    release = threading.Event()
    server = silent_at_first(release)
    run = drive(
        server.url,
        OpenLoop(500, max_in_flight=2),
        engine=engine,
        duration_ns=60 * MS,
        on_fold=lambda folds: release.set() if folds == 9 else None,
    )
    server.stop()
    everything_is_accounted_for(run)
    assert run.notes.outcomes == {"200": 30}
    assert run.facts["in_flight_max"] == run.facts["connections"]["peak"] == 2
    waited = [start - intended for start, intended in zip(run.notes.start_ns, run.notes.intended_ns, strict=True)]
    assert max(waited) > 0
    in_order = sorted(zip(run.notes.start_ns, run.notes.intended_ns, strict=True))
    assert [intended for _, intended in in_order] == sorted(run.notes.intended_ns)


def test_what_could_not_be_sent_before_the_drain_was_given_up_is_an_error(engine: EngineName) -> None:
    with peer(always(None)) as server:
        run = drive(server.url, OpenLoop(500, max_in_flight=1), engine=engine, duration_ns=60 * MS, timeout_ns=30 * MS)
        everything_is_accounted_for(run)
        assert run.notes.errors["timeout"] >= 2
        assert run.notes.errors["unsent"] == run.facts["unsent"] > 0
        assert run.notes.errors.total() == 30
        assert sorted(intended for *_, intended in run.notes.failures if intended) == [
            run.origin_ns + ConstantRate(500).arrival_ns(index) for index in range(30)
        ]


def test_a_timeout_is_counted_with_the_time_that_was_waited(engine: EngineName) -> None:
    with peer(always(None)) as server:
        run = drive(server.url, ClosedLoop(2), engine=engine, timeout_ns=20 * MS)
        everything_is_accounted_for(run)
        assert set(run.notes.errors) == {"timeout"}
        assert all(end - start >= 20 * MS for _, start, end, _ in run.notes.failures)
        assert run.facts["unfinished"] == 0


def test_an_answer_that_stops_half_way_is_a_timeout(engine: EngineName) -> None:
    with peer(always(OK[:-1])) as server:
        run = drive(server.url, ClosedLoop(1), engine=engine, timeout_ns=20 * MS, enough=2)
        assert set(run.notes.errors) == {"timeout"}


def test_a_refused_connection_is_told_with_host_and_port(engine: EngineName) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(TargetError, match=f"127.0.0.1:{port} cannot be driven: nobody listened") as caught:
        drive(f"http://127.0.0.1:{port}/", engine=engine)
    assert caught.value.exit_code == 6


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b", "x" * 80])
def test_a_name_that_cannot_be_resolved_is_told(engine: EngineName, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def offline(name: str, *rest: object, **more: object) -> object:
        if name == "nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    with pytest.raises(TargetError, match="the name could not be resolved") as caught:
        drive(f"http://{host}/", engine=engine)
    assert host in caught.value.message


def test_a_server_that_dies_is_counted_and_the_load_goes_on(engine: EngineName) -> None:
    def answer(number: int, request: bytes) -> bytes:
        if number == 4:
            server.stop()
        return OK

    server = Peer(answer)
    run = drive(server.url, ClosedLoop(2), engine=engine)
    everything_is_accounted_for(run)
    assert run.notes.outcomes["200"] >= 3
    assert run.notes.errors["refused"] > 0
    assert set(run.notes.errors) <= {"refused", "reset", "closed"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ([CLOSE], "closed"),
        ([OK[:-1], CLOSE], "closed"),
        ([OK[:20], CLOSE], "closed"),
        ([OK[:-1], RESET], "reset"),
        ([OK + OK], "protocol"),
        ([b"220 mail.example.org ESMTP\r\n"], "protocol"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], "protocol"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"], "protocol"),
        ([b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"], "bad_status"),
        ([b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"], "bad_status"),
    ],
)
def test_an_error_has_its_class(engine: EngineName, answer: list[bytes], kind: str) -> None:
    with peer(always(answer)) as server:
        run = drive(server.url, ClosedLoop(2), engine=engine)
        everything_is_accounted_for(run)
        assert set(run.notes.errors) == {kind}
        assert not run.notes.outcomes


def test_a_status_that_was_not_expected_is_kept_by_number(engine: EngineName) -> None:
    with peer(always(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")) as server:
        run = drive(server.url, engine=engine)
        assert run.facts["error_statuses"] == {"404": run.notes.errors["bad_status"]}


def test_an_expected_status_is_a_success_and_another_is_not(engine: EngineName) -> None:
    answers = [OK, b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"]
    with peer(lambda number, request: answers[number % 2]) as server:
        run = drive(server.url, ClosedLoop(1), engine=engine, request=HttpRequest(expect_status=(404,)))
        assert set(run.notes.outcomes) == {"404"}
        assert set(run.notes.errors) == {"bad_status"}


def test_outcomes_are_labelled_one_by_one_when_they_alternate(engine: EngineName) -> None:
    answers = [OK, OK.replace(b"200 OK", b"201 Created"), OK]
    with peer(lambda number, request: answers[number % 3]) as server:
        run = drive(server.url, ClosedLoop(1), engine=engine)
        everything_is_accounted_for(run)
        said = [run.notes.labels[number] for number in run.notes.label]
        assert said == [("200", "201", "200")[number % 3] for number in range(len(server.requests))]


@pytest.mark.parametrize(
    ("expectation", "good", "bad"),
    [
        ("ready", b"we are ready!", b"we are not"),
        ("/^v[0-9]+$/", b"v17", b"v17beta"),
        ("$.status == ok", b'{"status": "ok"}', b'{"status": "bad"}'),
        ("$.items[1].n == 2", b'{"items": [{"n": 1}, {"n": 2}]}', b'{"items": [{"n": 1}]}'),
    ],
)
def test_a_body_that_was_not_expected_is_an_error(
    engine: EngineName, expectation: str, good: bytes, bad: bytes
) -> None:
    """Both bodies under the same head and of one length, so that nothing but looking at them tells."""
    size = max(len(good), len(bad))
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body.ljust(size) for body in (good, bad)]
    if expectation.startswith("/"):
        answers = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body for body in (good, bad)]
    with peer(lambda number, request: answers[number % 2]) as server:
        run = drive(server.url, ClosedLoop(1), engine=engine, request=HttpRequest(expect_body=expectation))
        assert set(run.notes.errors) == {"bad_body"}
        assert abs(run.notes.outcomes["200"] - run.notes.errors["bad_body"]) <= 1


def test_bodies_that_differ_under_one_head_are_all_successes(engine: EngineName) -> None:
    def answer(number: int, request: bytes) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n%09d" % number

    with peer(answer) as server:
        run = drive(server.url, engine=engine)
        everything_is_accounted_for(run)
        assert run.notes.outcomes == {"200": len(server.requests)}


LARGE = b"x" * 300_000


@pytest.mark.parametrize(
    "answer",
    [
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"2;x=y\r\nok\r\n", b"0\r\nTrailer: t\r\n\r\n"],
        [OK[position : position + 1] for position in range(len(OK))],
        [b"HTTP/1.1 100 Continue\r\n\r\n", OK],
        [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK],
        [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE],
        [b"HTTP/1.1 204 No Content\r\n\r\n"],
        [b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n\r\nuntil the end", CLOSE],
        [b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", CLOSE],
        [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", CLOSE],
    ],
    ids=["chunked", "chunks", "bytewise", "continue", "hints", "large", "204", "304", "eof", "1.0", "close"],
)
def test_every_framing_of_an_answer_is_understood(engine: EngineName, answer: list[bytes]) -> None:
    with peer(always(answer)) as server:
        run = drive(server.url, engine=engine)
        everything_is_accounted_for(run)
        assert run.notes.errors == {}
        assert run.notes.outcomes.total() == len(server.requests) > 2


def test_an_answer_to_head_has_no_body(engine: EngineName) -> None:
    with peer(always(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as server:
        run = drive(server.url, engine=engine, request=HttpRequest(method="HEAD"))
        assert run.notes.errors == {}
        assert run.notes.outcomes["200"] == len(server.requests) > 2
        assert run.facts["connections"]["opened"] == 2


def test_a_server_that_announces_its_close_costs_a_connection_and_no_error(engine: EngineName) -> None:
    with peer(always([OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), CLOSE])) as server:
        run = drive(server.url, ClosedLoop(1), engine=engine)
        assert run.notes.errors == {}
        assert run.notes.outcomes.total() <= run.facts["connections"]["opened"] <= run.notes.outcomes.total() + 1


def test_a_new_connection_for_every_request_when_asked(engine: EngineName) -> None:
    with peer(always(OK)) as server:
        run = drive(server.url, engine=engine, request=HttpRequest(new_connections=True))
        everything_is_accounted_for(run)
        assert run.notes.errors == {}
        assert run.facts["connections"]["opened"] == run.notes.outcomes["200"] > 2
        assert all(b"\r\nConnection: close\r\n" in request for request in server.requests)


def test_rows_fill_the_template_in_turn_and_workers_share_them(engine: EngineName) -> None:
    rows = tuple({"user": name} for name in ("ann", "bob", "cem", "dee"))
    with peer(always(OK)) as server:
        drive(f"{server.url}u/{{user}}", ClosedLoop(1), engine=engine, rows=rows, worker=1, workers=2)
        asked = [request.split(b" ")[1] for request in server.requests]
        assert asked == [(b"/u/bob", b"/u/dee")[number % 2] for number in range(len(asked))]


def test_a_large_body_is_sent_whole(engine: EngineName) -> None:
    body = "0123456789" * 400_000
    with peer(always(OK)) as server:
        run = drive(server.url, ClosedLoop(1), engine=engine, request=HttpRequest(method="POST", body=body))
        assert run.notes.errors == {}
        assert all(request.endswith(b"\r\n\r\n" + body.encode()) for request in server.requests)


def redirecting(status: int) -> list[bytes]:
    return [b"HTTP/1.1 %d Moved\r\nLocation: /there?x=1\r\nContent-Length: 0\r\n\r\n" % status]


def test_a_redirect_is_an_answer_like_any_other_unless_asked(engine: EngineName) -> None:
    with peer(always(redirecting(302))) as server:
        run = drive(server.url, engine=engine)
        assert run.notes.outcomes == {"302": len(server.requests)}


@pytest.mark.parametrize(("status", "method"), [(301, b"GET"), (303, b"GET"), (307, b"POST"), (308, b"POST")])
def test_a_redirect_is_followed_when_asked(engine: EngineName, status: int, method: bytes) -> None:
    def answer(number: int, request: bytes) -> list[bytes]:
        return [OK] if b" /there?x=1 " in request else redirecting(status)

    request = HttpRequest(method="POST", body="b", follow_redirects=True)
    with peer(answer) as server:
        run = drive(server.url, ClosedLoop(1), engine=engine, request=request)
        everything_is_accounted_for(run)
        followed = server.requests[1]
        assert followed.startswith(method + b" /there?x=1 ")
        assert followed.endswith(b"b" if method == b"POST" else b"\r\n\r\n")
        assert run.notes.outcomes == {"200": len(server.requests) // 2}
        assert run.facts["redirects"] == run.notes.outcomes["200"]


def test_a_redirect_elsewhere_leaves_secrets_behind_and_comes_back(engine: EngineName) -> None:
    with peer(always(OK)) as elsewhere:
        away = b"HTTP/1.1 302 Go\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % elsewhere.url.encode()
        with peer(always(away)) as server:
            request = HttpRequest(headers=(("Authorization", "Bearer s3cret"),), follow_redirects=True)
            run = drive(server.url, ClosedLoop(1), engine=engine, request=request)
            assert run.notes.errors == {}
            assert run.notes.outcomes["200"] == len(elsewhere.requests) > 1
            assert all(b"s3cret" in asked for asked in server.requests)
            assert not any(b"s3cret" in asked for asked in elsewhere.requests)
            assert all(f"Host: 127.0.0.1:{elsewhere.port}".encode() in asked for asked in elsewhere.requests)


def test_redirects_in_a_circle_are_an_error(engine: EngineName) -> None:
    with peer(always(redirecting(302))) as server:
        run = drive(server.url, ClosedLoop(1), engine=engine, request=HttpRequest(follow_redirects=True))
        assert set(run.notes.errors) == {"bad_status"}


def test_folds_come_before_the_event_that_shows_the_time(engine: EngineName) -> None:
    with peer(always(OK)) as server:
        run = drive(server.url, ClosedLoop(4), engine=engine)
        boundaries = [boundary for boundary, *_ in run.notes.folds]
        assert boundaries == sorted(boundaries)
        assert all(earlier[2] <= later[2] for earlier, later in pairwise(run.notes.folds))
        for boundary, reading, integral, in_flight in run.notes.folds[:-1]:
            assert reading >= boundary
            assert in_flight <= 4
            assert integral <= 4 * (boundary - run.origin_ns)
