"""The reading side without sockets: how the bytes are cut up must not matter."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.targets.http.coding import decoded
from bizra_gate.targets.http.exchange import Answer, Exchange, ProtocolError

RESPONSES = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello", True),
    (b"HTTP/1.1 200 A\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;q\r\nde\r\n0\r\n\r\n", 200, b"abcde", True),
    (b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", 204, b"", True),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\n!", 500, b"!", True),
    (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False),
]  # fmt: skip


@pytest.mark.parametrize(("data", "status", "body", "keep_alive"), RESPONSES)
@given(cuts=st.lists(st.integers(min_value=0, max_value=120), max_size=8))
@settings(max_examples=40, deadline=None)
def test_an_answer_is_the_same_however_it_arrives(
    data: bytes, status: int, body: bytes, keep_alive: bool, cuts: list[int]
) -> None:
    exchange = Exchange(keep_body=True)
    exchange.begin("GET")
    edges = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    pieces = [data[a:b] for a, b in pairwise(edges)]
    *before, last = [exchange.feed(piece) for piece in pieces]
    assert before == [None] * len(before)
    assert last is not None
    assert (last.status, last.body, last.keep_alive) == (status, body, keep_alive)
    assert last.repeatable is (keep_alive and len(pieces) == 1)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_bytes_break_the_reader(data: bytes) -> None:
    exchange = Exchange(keep_body=True)
    exchange.begin("GET")
    try:
        answer = exchange.feed(data) if data else None
    except ProtocolError:
        return
    assert answer is None or isinstance(answer, Answer)


def test_one_reader_serves_a_whole_connection() -> None:
    exchange = Exchange(keep_body=True)
    for data, status, body, _ in RESPONSES[:4] * 2:
        exchange.begin("GET")
        answer = exchange.feed(data)
        assert answer is not None
        assert (answer.status, answer.body) == (status, body)


def test_the_head_is_measured_only_where_a_length_is_stated() -> None:
    exchange = Exchange(keep_body=False)
    heads = []
    for data, *_ in RESPONSES[:3]:
        exchange.begin("GET")
        answer = exchange.feed(data)
        assert answer is not None
        heads.append(answer.head_bytes)
    assert heads == [RESPONSES[0][0].index(b"hello"), None, None]


def test_an_answer_to_head_ends_with_its_head() -> None:
    exchange = Exchange(keep_body=True)
    for _ in range(2):
        exchange.begin("HEAD")
        answer = exchange.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")
        assert answer is not None
        assert (answer.status, answer.body, answer.keep_alive, answer.head_bytes) == (200, b"", True, None)


def test_a_close_ends_only_an_answer_without_a_length() -> None:
    exchange = Exchange(keep_body=True)
    exchange.begin("GET")
    assert exchange.feed(b"HTTP/1.1 200 OK\r\n\r\nall of") is None
    assert exchange.feed(b" it") is None
    answer = exchange.end()
    assert answer is not None
    assert (answer.body, answer.keep_alive) == (b"all of it", False)
    for unfinished in (b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"):
        exchange.begin("GET")
        assert (exchange.feed(unfinished) if unfinished else None) is None
        assert exchange.end() is None


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 204 A\r\n\r\nHTTP/1.1 204 B\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"SSH-2.0-OpenSSH_9\r\n",
    ],
)
def test_what_is_not_one_answer_is_refused(data: bytes) -> None:
    exchange = Exchange(keep_body=True)
    exchange.begin("GET")
    with pytest.raises(ProtocolError):
        exchange.feed(data)
    exchange.reset()
    exchange.begin("GET")
    assert exchange.feed(RESPONSES[0][0]) is not None


def _in(coding: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("GZIP", gzip.compress(b"hello", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", zlib.compress(b"hello", wbits=-15)),
    ],
)
def test_a_coded_body_is_looked_at_without_its_coding(coding: str, body: bytes) -> None:
    answer = Exchange(keep_body=True).feed(_in(coding, body))
    assert answer is not None
    assert (answer.body, answer.coding) == (b"hello", "")


@pytest.mark.parametrize(("coding", "body"), [("br", b"\x0b\x02\x80hello\x03"), ("gzip", b"not gzip at all")])
def test_a_coding_that_cannot_be_undone_is_told(coding: str, body: bytes) -> None:
    answer = Exchange(keep_body=True).feed(_in(coding, body))
    assert answer is not None
    assert (answer.body, answer.coding) == (body, coding)


def test_a_coded_body_without_end_does_not_fill_the_memory() -> None:
    body = gzip.compress(b"x" * 1000)
    assert decoded(body, "gzip", 10) == b"x" * 10
