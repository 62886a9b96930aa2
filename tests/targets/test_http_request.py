"""What is sent: URLs, templates, data rows; and what counts as a good answer."""

from __future__ import annotations

import pickle

import pytest
from http_peer import always, peer

from bizra_gate.errors import DefinitionError, UsageError
from bizra_gate.model import HttpRequest
from bizra_gate.targets.http import HttpTarget
from bizra_gate.targets.http.endpoint import parse
from bizra_gate.targets.http.expect import Expectation, body_check
from bizra_gate.targets.http.feeds import parse as rows_of
from bizra_gate.targets.http.template import Template


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("http://example.org", "example.org", "/"),
        ("http://example.org:80/a?b=c#d", "example.org", "/a?b=c"),
        ("https://example.org:8443/", "example.org:8443", "/"),
        ("http://[::1]:8080/x", "[::1]:8080", "/x"),
        ("HTTP://EXAMPLE.org/Path", "example.org", "/Path"),
    ],
)
def test_a_url_is_taken_apart(url: str, authority: str, path: str) -> None:
    endpoint = parse(url)
    assert (endpoint.authority, endpoint.path) == (authority, path)


@pytest.mark.parametrize(
    "url", ["ftp://x/", "http://", "http:///path", "http://x:0/", "http://x:99999/", "http://x/a b", "http://x/ä", "x", "http://[::1/"]
)  # fmt: skip
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        parse(url)


def test_credentials_of_a_url_are_sent_and_never_written_down() -> None:
    target = HttpTarget("http://ann:s%3Acret@127.0.0.1:1/x")
    assert "cret" not in str(target.identity())
    template = Template(parse(target.spec), HttpRequest(), (), 1)
    assert b"\r\nAuthorization: Basic YW5uOnM6Y3JldA==\r\n" in template.render(0)
    assert b"Host: 127.0.0.1:1\r\n" in template.render(0)


def test_the_server_is_asked_for_its_name_where_the_load_will_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through no proxy, after no redirect, with the fields of the path filled in."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    answer = b"HTTP/1.1 302 Found\r\nServer: peer/1\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    with peer(always(answer)) as server:
        target = HttpTarget(server.url + "{id}", HttpRequest(data="rows.csv"), rows_of("id\n7\n", "rows.csv"))
        assert target.identity()["server"] == "peer/1"
        assert [request.split(b"\r\n")[0] for request in server.requests] == [b"HEAD /7 HTTP/1.1"]


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "http://h:81/b"),
        ("c?d", "http://h:81/a/c?d"),
        ("//other/x", "http://other/x"),
        ("https://h:81/", "https://h:81/"),
    ],
)
def test_a_location_leads_relative_to_where_it_was_given(location: str, url: str) -> None:
    assert parse("http://h:81/a/b").redirected(location).url == url


def test_credentials_stay_with_their_server() -> None:
    endpoint = parse("http://ann:x@h/")
    assert endpoint.redirected("/b").credentials == "ann:x"
    assert endpoint.redirected("http://other/b").credentials is None


def wire(request: HttpRequest, rows: str = "", url: str = "http://h/", index: int = 0) -> bytes:
    data = rows_of(rows, "rows.csv") if rows else ()
    return Template(parse(url), request, data, 1).render(index)


def test_a_plain_request_is_made_once() -> None:
    template = Template(parse("http://h/"), HttpRequest(), (), 1)
    assert template.static == b"GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: bizra-gate\r\nAccept: */*\r\n\r\n"


def test_given_headers_take_the_place_of_our_own() -> None:
    sent = wire(HttpRequest(headers=(("host", "other"), ("X-A", "1"), ("X-A", "2"))))
    assert b"Host: h" not in sent
    assert b"host: other\r\nX-A: 1\r\nX-A: 2\r\n" in sent


def test_a_body_brings_its_length_in_bytes() -> None:
    assert wire(HttpRequest(method="PUT", body="naïve")).endswith(b"\r\nContent-Length: 6\r\n\r\nna\xc3\xafve")
    assert b"Content-Length: 0\r\n" in wire(HttpRequest(method="post"))


def test_fields_fill_path_headers_and_body() -> None:
    request = HttpRequest(
        method="POST", headers=(("X-User", "{user}"),), body='{"id": {id}, "n": {n}}', fields={"n": "uniform(5, 5)"}
    )
    sent = wire(request, "user,id\nann b/c,1\nbob,2\n", "http://h/u/{user}")
    assert sent.startswith(b"POST /u/ann%20b%2Fc HTTP/1.1\r\n")
    assert b"\r\nX-User: ann b/c\r\n" in sent
    assert sent.endswith(b'\r\nContent-Length: 18\r\n\r\n{"id": 1, "n": 5}'.replace(b"18", b"17"))
    assert b"/u/bob " in wire(request, "user,id\nann,1\nbob,2\n", "http://h/u/{user}", index=3)


def test_braces_are_plain_text_where_there_are_no_fields() -> None:
    assert wire(HttpRequest(method="POST", body="{user}")).endswith(b"{user}")


def test_every_mistake_of_a_request_is_told_at_once() -> None:
    request = HttpRequest(
        method="BAD METHOD",
        headers=(("X Y", "1"), ("Content-Length", "9"), ("X-Z", "a\r\nEvil: 1"), ("X-Q", "{nobody}"), ("X-L\n", "1")),
        body="{neither}",
    )
    with pytest.raises(DefinitionError) as caught:
        wire(request, "user\nann\n")
    assert len(caught.value.problems) == 7


def test_a_field_that_a_row_lacks_is_told_with_the_row() -> None:
    rows = rows_of('{"id": 1}\n{"id": 2, "more": 3}\n{"more": 4}\n', "rows.jsonl")
    with pytest.raises(DefinitionError, match="row 3: got no 'id'"):
        Template(parse("http://h/{id}"), HttpRequest(data="rows.jsonl"), rows, 1)
    with pytest.raises(DefinitionError, match="row 1: got no 'more'"):
        Template(parse("http://h/{more}"), HttpRequest(data="rows.jsonl"), rows, 1)


def test_a_row_cannot_smuggle_in_a_header() -> None:
    rows = 'user\n"ann\r\nEvil: 1"\n'
    with pytest.raises(DefinitionError, match="line break"):
        wire(HttpRequest(headers=(("X-User", "{user}"),)), rows)
    assert b"/u/ann%0D%0AEvil%3A%201 " in wire(HttpRequest(), rows, "http://h/u/{user}")


def test_rows_come_from_csv_and_from_json_lines() -> None:
    assert rows_of('a,b\n1,"x, y"\n\n2,z\n', "r.csv") == ({"a": "1", "b": "x, y"}, {"a": "2", "b": "z"})
    assert rows_of("\ufeffa\n1\n", "r.csv") == ({"a": "1"},)
    assert rows_of('{"a": 1, "b": "x"}\n\n{"a": true, "b": null}\n', "r.jsonl") == (
        {"a": "1", "b": "x"},
        {"a": "true", "b": "null"},
    )


@pytest.mark.parametrize(
    ("text", "name", "problem"),
    [
        ("", "r.csv", "no rows"),
        ("a,b\n", "r.csv", "no rows"),
        ("a,b\n1\n", "r.csv", "line 2: got 1 values; expected 2"),
        ("a,a\n1,2\n", "r.csv", "column 'a' twice"),
        ("a,\n1,2\n", "r.csv", "without a name"),
        ('a\n"1\n', "r.csv", "line"),
        ("{}x\n", "r.jsonl", "line 1"),
        ("[1]\n", "r.ndjson", "a list"),
        ('{"a": {}}\n', "r.jsonl", "nested value in 'a'"),
        ("[" * 100_000, "r.jsonl", "line 1"),
    ],
)
def test_rows_that_cannot_be_read_are_refused_with_their_line(text: str, name: str, problem: str) -> None:
    with pytest.raises(DefinitionError, match=problem):
        rows_of(text, name)


def test_mistakes_show_before_a_process_is_started() -> None:
    with pytest.raises(UsageError, match="were not read"):
        HttpTarget("http://h/", HttpRequest(data="users.csv"))
    with pytest.raises(UsageError):
        HttpTarget("http://h/", HttpRequest(fields={"a": "zipf(0, 0)"}))
    with pytest.raises(UsageError):
        HttpTarget("http://h/", HttpRequest(expect_body="/(/"))
    with pytest.raises(UsageError, match="999"):
        HttpTarget("http://h/", HttpRequest(expect_status=(999,)))


def test_a_target_travels_to_another_process() -> None:
    target = HttpTarget("http://h/{a}", HttpRequest(fields={"b": "poisson(3)"}), ({"a": "1"},))
    assert pickle.loads(pickle.dumps(target)) == target


@pytest.mark.parametrize(
    ("status", "good"), [(199, False), (200, True), (302, True), (399, True), (400, False), (500, False)]
)
def test_any_2xx_or_3xx_is_good_unless_told(status: int, good: bool) -> None:
    assert (Expectation(HttpRequest()).judge(status, b"") is None) is good


@pytest.mark.parametrize(
    ("check", "body", "holds"),
    [
        ("ok", b"all ok.", True),
        ("ok", b"OK", False),
        ("/^a.c$/", b"abc", True),
        ("/^a.c$/", b"abcd", False),
        ("/", b"a/b", True),
        ("$.a == 1", b'{"a": 1}', True),
        ("$.a == 1", b'{"a": true}', False),
        ("$.a == 1", b'{"a": "1"}', False),
        ('$.a == "1"', b'{"a": "1"}', True),
        ("$.a == ready", b'{"a": "ready"}', True),
        ("$.a != 1", b'{"a": 2}', True),
        ("$.a != 1", b"{}", False),
        ("$.a.b[1]", b'{"a": {"b": [0, 0]}}', True),
        ("$.a.b[1]", b'{"a": {"b": [0]}}', False),
        ("$.a.b[1]", b'{"a": 3}', False),
        ("$.a", b'{"a": null}', False),
        ("$ == 3", b"3", True),
        ("$.a == 1", b"not json", False),
        ("$.a == 1", b"[" * 100_000, False),
        ("$5.00", b"costs $5.00", True),
    ],
)
def test_a_body_is_looked_at_as_told(check: str, body: bytes, holds: bool) -> None:
    assert body_check(check)(body) is holds


def test_an_expectation_that_always_holds_is_refused() -> None:
    with pytest.raises(UsageError, match="would hold for everything"):
        body_check("")


@pytest.mark.parametrize("check", ["$.a >= 1", "$.a = 1", "$[x]", "$.a =="])
def test_a_json_path_with_a_mistake_is_not_taken_for_a_substring(check: str) -> None:
    with pytest.raises(UsageError, match="begins like a JSON path"):
        body_check(check)
