"""Decisions in fake time: what the conductor does when, with a transport that only takes notes."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from http_peer import MS, OK, Notes

from bizra_gate.errors import TargetError
from bizra_gate.load.clock import FakeClock
from bizra_gate.load.pacer import ConstantRate
from bizra_gate.model import ClosedLoop, HttpRequest, Load, OpenLoop, Plan, Warmup, WorkerTask
from bizra_gate.targets import overload
from bizra_gate.targets.http.channel import Channel
from bizra_gate.targets.http.conductor import TICK_NS, Conductor
from bizra_gate.targets.http.endpoint import parse
from bizra_gate.targets.http.expect import Expectation
from bizra_gate.targets.http.ledger import Ledger
from bizra_gate.targets.http.schedule import MAX_BURST, MAX_OPENING, NEVER_NS, backoff_ns
from bizra_gate.targets.http.template import Template

URL = "http://h/"


@dataclass
class Wires:
    """A transport that does what the test says."""

    sent: list[Channel] = field(default_factory=list)
    opening: list[Channel] = field(default_factory=list)
    closed: int = 0
    refuse: str | None = None

    def open(self, channel: Channel) -> str | None:
        if self.refuse is None:
            self.opening.append(channel)
        return self.refuse

    def transmit(self, channel: Channel, wire: bytes) -> str | None:
        self.sent.append(channel)
        return None

    def close(self, channel: Channel) -> None:
        self.closed += 1


class Stage:
    """A conductor on a fake clock."""

    def __init__(self, load: Load, *, request: HttpRequest | None = None, timeout_ns: int = 1000 * MS) -> None:
        request = request or HttpRequest()
        self.clock = FakeClock()
        self.notes = Notes(stop_at_ns=100 * MS, fold_at_ns=NEVER_NS)
        self.wires = Wires()
        plan = Plan(URL, load, Warmup(0), 100 * MS, timeout_ns=timeout_ns, http=request)
        pacer = ConstantRate(load.rate_per_s) if isinstance(load, OpenLoop) else None
        task = WorkerTask(plan, 0, load, 0, pacer=pacer)
        template = Template(parse(URL), request, (), 1)
        self.conductor = Conductor(template, Expectation(request), task, self.notes, self.clock, self.wires)

    def at(self, ms: float) -> int:
        """Move to `ms`, take a turn, and return when to come back at the latest."""
        self.clock.sleep_until(round(ms * MS))
        wake = self.conductor.turn(self.clock.now_ns())
        return min(wake, self.conductor.due_ns)

    def connect(self) -> None:
        for channel in self.wires.opening:
            self.conductor.opened(channel)
        self.wires.opening.clear()

    def answer(self, channel: Channel) -> None:
        self.conductor.received(channel, OK, self.clock.now_ns())


def test_a_user_who_was_refused_waits_longer_each_time_and_tries_again() -> None:
    assert [backoff_ns(n) // MS for n in range(8)] == [0, 0, 5, 10, 20, 40, 80, 160]
    assert backoff_ns(1000) == 500 * MS


def test_users_who_are_refused_do_not_spin() -> None:
    stage = Stage(ClosedLoop(1))
    stage.wires.refuse = "refused"
    assert stage.at(0) == 5 * MS
    assert stage.notes.errors == {"refused": 2}
    assert stage.at(4) == 5 * MS
    assert stage.notes.errors == {"refused": 2}
    stage.at(5)
    assert stage.conductor.due_ns == 15 * MS
    assert stage.notes.errors == {"refused": 3}


def test_a_timeout_falls_exactly_when_it_is_due_and_not_before() -> None:
    stage = Stage(ClosedLoop(1), timeout_ns=30 * MS)
    stage.at(0)
    stage.connect()
    for ms in (10, 20, 29.999):
        stage.at(ms)
        assert not stage.notes.failures
    stage.at(30)
    assert stage.notes.failures == [("timeout", 0, 30 * MS, None)]
    assert stage.wires.closed == 1


def test_the_next_look_at_timeouts_is_due_with_the_oldest_request() -> None:
    stage = Stage(ClosedLoop(1), timeout_ns=8 * MS)
    stage.at(0)
    stage.connect()
    stage.clock.sleep_until(5 * MS)
    stage.answer(stage.wires.sent[-1])
    assert stage.at(8) == min(TICK_NS, 13 * MS)
    stage.at(10)
    assert stage.at(12.5) == 13 * MS
    stage.at(13)
    assert stage.notes.failures == [("timeout", 5 * MS, 13 * MS, None)]


def test_an_arrival_keeps_its_intended_start_however_late_it_is_sent() -> None:
    stage = Stage(OpenLoop(100, max_in_flight=1))
    stage.at(0)
    stage.connect()
    stage.at(25)
    assert len(stage.wires.sent) == 1
    assert stage.conductor.due_ns == NEVER_NS, "a queued arrival depends on an answer, not on time"
    stage.answer(stage.wires.sent[-1])
    stage.at(26)
    stage.answer(stage.wires.sent[-1])
    assert list(stage.notes.intended_ns) == [0, 10 * MS]
    assert list(stage.notes.start_ns) == [0, 26 * MS]


def test_a_free_connection_is_used_before_a_new_one_is_opened() -> None:
    stage = Stage(OpenLoop(100))
    stage.at(0)
    stage.connect()
    stage.answer(stage.wires.sent[-1])
    stage.at(10)
    assert len(stage.conductor.channels) == 1
    stage.at(20)
    assert len(stage.conductor.channels) == 2


def test_connections_are_not_opened_faster_than_a_listen_queue_can_take() -> None:
    stage = Stage(OpenLoop(100_000, max_in_flight=10_000))
    for _ in range(20):
        stage.at(50)
    assert len(stage.wires.opening) == MAX_OPENING
    stage.connect()
    assert len(stage.wires.sent) == MAX_OPENING
    stage.at(50)
    assert len(stage.wires.opening) == MAX_BURST


def test_connections_ahead_of_the_load_are_opened_a_few_at_a_time() -> None:
    stage = Stage(ClosedLoop(3 * MAX_OPENING))
    stage.conductor.prepare(3 * MAX_OPENING)
    for _ in range(3):
        assert len(stage.wires.opening) == MAX_OPENING
        waiting, stage.wires.opening = stage.wires.opening, []
        for channel in waiting:
            stage.conductor.opened(channel)
    assert not stage.wires.opening
    stage.at(0)
    assert len(stage.wires.sent) == 3 * MAX_OPENING


def test_a_turn_does_not_starve_the_answers() -> None:
    stage = Stage(OpenLoop(100_000, max_in_flight=10_000))
    assert stage.at(50) == 50 * MS
    assert len(stage.wires.opening) == MAX_BURST


def test_the_load_is_over_when_the_last_answer_is_in() -> None:
    stage = Stage(ClosedLoop(2))
    stage.at(0)
    stage.connect()
    stage.at(100)
    assert not stage.conductor.finished
    for channel in list(stage.wires.sent):
        stage.answer(channel)
    stage.at(101)
    assert stage.conductor.finished
    assert len(stage.wires.sent) == 2, "nothing is sent after the end"


def test_the_drain_is_given_up_after_the_timeout() -> None:
    stage = Stage(OpenLoop(100, max_in_flight=2), timeout_ns=60 * MS)
    stage.at(0)
    stage.connect()
    stage.at(90)
    stage.at(100)
    stage.at(160)
    assert stage.conductor.finished
    assert stage.notes.errors.total() == 10
    assert stage.notes.errors["unsent"] + stage.notes.errors["timeout"] == 10


def test_what_the_last_turn_began_has_not_ended_before_it_started() -> None:
    stage = Stage(OpenLoop(100, max_in_flight=1), timeout_ns=60 * MS)
    stage.clock.tick_ns = 5
    stage.at(160)
    assert stage.conductor.finished
    assert [end - start for kind, start, end, _ in stage.notes.failures if kind == "timeout"] == [0]


def test_a_known_answer_is_still_judged_when_it_comes_with_more() -> None:
    stage = Stage(ClosedLoop(1))
    stage.at(0)
    stage.connect()
    stage.answer(stage.wires.sent[-1])
    stage.conductor.received(stage.wires.sent[-1], OK + OK, stage.clock.now_ns())
    assert stage.notes.errors == {"protocol": 1}


def test_the_rest_of_an_answer_that_looks_like_a_known_one_is_not_taken_for_it() -> None:
    """A body that holds a complete response, cut so that the second piece equals one that was seen before."""
    stage = Stage(ClosedLoop(1))
    stage.at(0)
    stage.connect()
    channel = stage.wires.sent[-1]
    stage.answer(channel)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * len(OK))
    for piece in (head, OK, OK):
        assert len(stage.notes.end_ns) == 1
        stage.conductor.received(channel, piece, stage.clock.now_ns())
    assert len(stage.notes.end_ns) == 2
    assert not stage.notes.errors


def test_answers_that_nobody_asked_for_close_an_idle_connection() -> None:
    stage = Stage(ClosedLoop(1, think_ns=50 * MS))
    stage.at(0)
    stage.connect()
    channel = stage.wires.sent[-1]
    stage.answer(channel)
    stage.answer(channel)
    assert stage.wires.closed == 1
    assert len(stage.notes.end_ns) == 1
    assert not stage.notes.errors


@pytest.mark.parametrize("load", [ClosedLoop(1, think_ns=10 * MS), OpenLoop(100, max_in_flight=1)])
def test_an_idle_connection_that_the_server_drops_is_opened_again_without_an_error(load: Load) -> None:
    stage = Stage(load)
    stage.at(0)
    stage.connect()
    channel = stage.wires.sent[-1]
    stage.answer(channel)
    stage.conductor.hung_up(channel, stage.clock.now_ns())
    stage.at(10)
    assert stage.wires.opening == [channel]
    stage.connect()
    stage.answer(channel)
    assert not stage.notes.errors
    assert len(stage.notes.end_ns) == 2


def test_a_connection_that_is_dropped_under_a_request_is_an_error_and_not_sent_again() -> None:
    stage = Stage(ClosedLoop(1))
    stage.at(0)
    stage.connect()
    stage.answer(stage.wires.sent[-1])
    stage.conductor.hung_up(stage.wires.sent[-1], stage.clock.now_ns())
    assert stage.notes.errors == {"closed": 1}


def test_an_operation_that_starts_after_a_boundary_does_not_count_before_it() -> None:
    """The generator is stopped for a while between its look at the clock and the start of a request."""
    stage = Stage(ClosedLoop(1))
    stage.notes.fold_at_ns = 5 * MS
    stage.conductor.turn(0)
    stage.connect()
    stage.clock.advance(20 * MS)
    stage.answer(stage.wires.sent[-1])
    stage.at(30)
    assert [(boundary, integral) for boundary, _, integral, _ in stage.notes.folds] == [
        (5 * MS, 5 * MS),
        (25 * MS, 25 * MS),
    ]
    ledger = Ledger(Notes(stop_at_ns=1000, fold_at_ns=5), 0, open_loop=False)
    ledger.began(20)
    assert ledger.recorder.folds == [(5, 20, 0, 0)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("events", [[(3, 10), (5, 6), (6, 30)], [(0, 1)], [(7, 7), (7, 39)]])
def test_the_integral_in_flight_is_the_area_under_the_count(events: list[tuple[int, int]]) -> None:
    notes = Notes(stop_at_ns=1000, fold_at_ns=20)
    ledger = Ledger(notes, 0, open_loop=False)
    steps = sorted([(start, 1) for start, _ in events] + [(end, -1) for _, end in events])
    for boundary in (20, 40):
        for when, change in steps:
            if boundary - 20 <= when < boundary:
                (ledger.began if change > 0 else ledger.ended)(when)
        ledger.fold(boundary)
    areas = [sum(max(0, min(end, at) - start) for start, end in events) for at in (20, 40)]
    assert [integral for *_, integral, _ in notes.folds] == areas


def test_answers_between_two_losses_end_the_pause_that_losses_in_a_row_bring() -> None:
    """A server that drops every connection after a few answers, most of which the engine takes without a word."""
    stage = Stage(ClosedLoop(1))
    stage.at(0)
    for drops in range(1, 6):
        stage.connect()
        channel = stage.wires.sent[-1]
        stage.clock.advance(MS)
        channel.start = stage.clock.now_ns()  # as the hot path leaves it after an answer that it knew
        stage.conductor.hung_up(channel, stage.clock.now_ns())
        assert stage.notes.errors == {"closed": drops}
        assert stage.wires.opening == [channel]


@pytest.mark.parametrize(
    ("request_", "answer", "kind", "said"),
    [
        (HttpRequest(), b"SSH-2.0-OpenSSH\r\n", "protocol", "b'SSH-2.0-OpenSSH\\r\\n'"),
        (HttpRequest(expect_body="yes"), OK, "bad_body", "a body that was not expected (got b"),
        (HttpRequest(expect_status=(204,)), OK, "bad_status", "a status that was not expected (200)"),
    ],
)
def test_a_refused_answer_is_told_with_what_was_wrong_with_it(
    request_: HttpRequest, answer: bytes, kind: str, said: str
) -> None:
    stage = Stage(ClosedLoop(1), request=request_)
    stage.at(0)
    stage.connect()
    stage.conductor.received(stage.wires.sent[-1], answer, stage.clock.now_ns())
    assert stage.notes.errors == {kind: 1}
    assert said in stage.conductor.facts()["error_examples"][kind]


def test_statuses_and_redirects_that_have_no_figure_of_their_own_are_caveats() -> None:
    stage = Stage(ClosedLoop(1), request=HttpRequest(follow_redirects=True))
    stage.at(0)
    stage.connect()
    channel = stage.wires.sent[-1]
    for head in (b"302 Found\r\nLocation: /x", b"503 No", b"503 No"):
        stage.conductor.received(channel, b"HTTP/1.1 " + head + b"\r\nContent-Length: 0\r\n\r\n", stage.clock.now_ns())
    caveats = dict(stage.conductor.facts()["caveats"])
    assert "503" in caveats["http.statuses"]
    assert "all of its requests" in caveats["http.redirects"]


def test_a_rate_that_is_hopelessly_missed_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "MOST_UNSENT", 5)
    stage = Stage(OpenLoop(100, max_in_flight=1), timeout_ns=20 * MS)
    stage.at(0)
    with pytest.raises(TargetError, match="more than 5 operations were due and never sent"):
        stage.at(1000)
