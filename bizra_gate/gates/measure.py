"""``[measure]``: how `bench` makes the evidence, read into a `Plan`."""

from __future__ import annotations

import re
from dataclasses import replace

from bizra_gate import units
from bizra_gate.model import ClosedLoop, CommandOptions, HttpRequest, Load, OpenLoop, Plan, Stage, Warmup

from .paths import path_fault
from .reader import Table, plain, shown, text_fault

DAY_NS = 86_400 * units.NS_PER_S
LONGEST_NS = 100 * DAY_NS
"""Any longer and nanoseconds would not fit the safe integers of a JSON file (2⁵³ − 1 ns = 104 d)."""
LONGEST_TIMEOUT_NS = 3600 * units.NS_PER_S
"""The histograms end at one hour."""
DEFAULT_DURATION_NS = 120 * units.NS_PER_S
DEFAULT_WARMUP_NS = 30 * units.NS_PER_S
DEFAULT_IN_FLIGHT = 1024
RUNS_AGAINST = 5
"""Runs of each side where two are measured in turn and nobody says how many: one process has no spread."""

SCHEMES = ("http://", "https://", "py:", "cmd:")
_METHOD = re.compile(r"^[A-Z]{1,20}\Z")
_HEADER = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_FIELD = re.compile(r"^[a-z][a-z_-]*\(.*\)\Z")
_STAGE = re.compile(r"^\s*([^@,]+?)\s*@\s*([^@,]+?)\s*\Z")


def read_plan(table: Table, name: str) -> Plan:
    """The plan that ``[measure]`` asks for; problems go to the table's collector."""
    target = _target(table, "target", required=True)
    against = _against(table, target)
    load = _load(table)
    plan = Plan(
        target=target or "",
        load=load,
        warmup=_warmup(table),
        duration_ns=_duration(table, load),
        runs=table.whole("runs", 1 if against is None else RUNS_AGAINST, 1, 1000),
        workers=table.whole("workers", 1, 1, 1024),
        timeout_ns=table.duration_ns("timeout", 10 * units.NS_PER_S, low_ns=1_000_000, high_ns=LONGEST_TIMEOUT_NS),
        name=name or None,
        seed=table.whole("seed", 1, 0, 2**53 - 1),
        gc=table.choice("gc", ("on", "off", "freeze"), "on"),
        http=_http(table, target),
        command=_command(table, target),
        sources=read_sources(table, "sources"),
        against=against,
    )
    plan = _bound_to_data(plan)
    if isinstance(load, OpenLoop) and load.stages and plan.warmup.until_steady:
        expected = "a warm-up of fixed length: the stages begin when it ends"
        table.problems.add(table.at("warmup.until_steady"), "true", expected)
    if isinstance(load, ClosedLoop) and load.concurrency < plan.workers:
        expected = f"at most {load.concurrency}: each worker needs at least one of the concurrent users"
        table.problems.add(table.at("workers"), str(plan.workers), expected)
    table.done()
    return plan


def _bound_to_data(plan: Plan) -> Plan:
    """The rows that fill the requests are part of what is measured, so evidence is bound to them."""
    data = plan.http.data if plan.http is not None else None
    return plan if data is None or data in plan.sources else replace(plan, sources=(*plan.sources, data))


def _target(table: Table, key: str, *, required: bool) -> str | None:
    what = 'what to measure: "http://…", "https://…", "py:module:attr", "py:path.py:attr" or "cmd:…"'
    text = table.required_text(key, why=what) if required else table.optional_text(key)
    if not text:
        return None
    if not text.startswith(SCHEMES):
        table.refuse(key, what)
    elif text.startswith("py:") and not re.fullmatch(r"py:[^:]+:[A-Za-z_][\w.]*", text):
        table.refuse(key, '"py:module:attr" or "py:path.py:attr"')
    elif text.removeprefix(next(s for s in SCHEMES if text.startswith(s))).strip() == "":
        table.refuse(key, what)
    return text


def _against(table: Table, target: str | None) -> str | None:
    """A second target; a git revision only of a file, which git can have at another revision."""
    text = table.data.get("against")
    if not isinstance(text, str) or not re.fullmatch(r"git:[^\s-]\S*", text):
        return _target(table, "against", required=False)
    if target is not None and not re.fullmatch(r"py:.+\.py:[^:]+", target):
        table.refuse("against", "a target: git can have another revision of py:path.py:attr only")
    return table.optional_text("against")


def read_sources(table: Table, key: str) -> tuple[str, ...]:
    """Files and patterns that the source manifest covers, each inside the repository."""
    paths = table.texts(key)
    for i, path in enumerate(paths):
        fault = path_fault(path, patterns=True)
        if fault is not None:
            table.problems.add(f"{table.at(key)}[{i}]", shown(path), fault)
    return paths


# ── load ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _load(table: Table) -> Load:
    inner = table.table("load")
    if inner is None:
        return ClosedLoop()
    loop = inner.choice("loop", ("closed", "open"), "")
    if not inner.has("loop"):
        inner.problems.add(inner.at("loop"), "nothing", '"closed" or "open"')
    closed, opened = _closed(inner), _open(inner, wanted=loop == "open")
    foreign = ("rate", "arrivals", "max_in_flight", "seed", "stages") if loop == "closed" else ("concurrency", "think")
    for key in foreign if loop else ():
        if inner.has(key):
            hint = "max_in_flight caps what is open at once." if key == "concurrency" else ""
            inner.refuse(key, f"no {key} in a{'n open' if loop == 'open' else ' closed'} loop", hint)
    inner.done()
    return opened if loop == "open" else closed


def _closed(inner: Table) -> ClosedLoop:
    think_ns = inner.duration_ns("think", 0, high_ns=DAY_NS)
    return ClosedLoop(inner.whole("concurrency", 1, 1, 1_000_000), think_ns)


def _open(inner: Table, *, wanted: bool) -> OpenLoop:
    rate = inner.quantity("rate", units.parse_rate_per_s, 0.0, "5k/s", "/s")
    stages = _stages(inner)
    if wanted and not inner.has("rate") and not inner.has("stages"):
        inner.problems.add(inner.at("rate"), "nothing", 'a rate such as "5k/s", or stages')
    if inner.has("rate") and inner.has("stages"):
        inner.refuse("rate", "either a rate or stages, not both")
    return OpenLoop(
        rate_per_s=mean_rate(stages) if stages else rate,
        arrivals=inner.choice("arrivals", ("constant", "poisson"), "constant"),
        stages=stages,
        max_in_flight=inner.whole("max_in_flight", DEFAULT_IN_FLIGHT, 1, 1_000_000),
        seed=inner.whole("seed", 1, 0, 2**53 - 1),
    )


def _stages(inner: Table) -> tuple[Stage, ...]:
    text = inner.optional_text("stages")
    if text is None:
        return ()
    try:
        return parse_stages(text)
    except units.UnitError as error:
        inner.refuse("stages", f'stages like "10s@1k/s, 60s@1k/s..5k/s": {error}')
        return ()


def parse_stages(text: str) -> tuple[Stage, ...]:
    """``10s@1k/s, 60s@1k/s..5k/s`` → a constant stage and a linear ramp; raises `units.UnitError`."""
    stages = tuple(_stage(part) for part in text.split(","))
    if sum(stage.duration_ns for stage in stages) > LONGEST_NS:
        raise units.UnitError(f"all stages together last longer than {units.format_time(LONGEST_NS)}")
    return stages


def _stage(part: str) -> Stage:
    match = _STAGE.match(part)
    if match is None:
        raise units.UnitError(f"{plain(part.strip())!r} is not DURATION@RATE or DURATION@RATE..RATE")
    try:
        duration_ns = units.parse_duration_ns(match[1])
        low, _, high = match[2].partition("..")
        from_per_s = units.parse_rate_per_s(low)
        to_per_s = units.parse_rate_per_s(high) if high else from_per_s
    except ArithmeticError:
        raise units.UnitError(f"{plain(part.strip())!r} is out of range") from None
    if duration_ns == 0:
        raise units.UnitError(f"{plain(part.strip())!r} lasts no time")
    return Stage(duration_ns, from_per_s, to_per_s)


def mean_rate(stages: tuple[Stage, ...]) -> float:
    """Operations per second over all `stages`: the area under the ramps divided by their time."""
    area = sum(stage.duration_ns * (stage.from_per_s + stage.to_per_s) / 2 for stage in stages)
    return area / sum(stage.duration_ns for stage in stages)


# ── phases ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _duration(table: Table, load: Load) -> int:
    staged = sum(stage.duration_ns for stage in load.stages) if isinstance(load, OpenLoop) else 0
    asked = table.duration_ns("duration", staged or DEFAULT_DURATION_NS, low_ns=1_000_000, high_ns=LONGEST_NS)
    if staged and asked != staged:
        table.refuse("duration", f"no duration, or {units.format_time(staged)}: the stages last that long")
    return asked


def _warmup(table: Table) -> Warmup:
    if not isinstance(table.data.get("warmup"), dict):
        return Warmup(table.duration_ns("warmup", DEFAULT_WARMUP_NS, high_ns=LONGEST_NS))
    inner = table.table("warmup")
    assert inner is not None
    at_least = inner.duration_ns("at_least", DEFAULT_WARMUP_NS, high_ns=LONGEST_NS)
    until_steady = inner.flag("until_steady", default=False)
    at_most = inner.optional_duration_ns("at_most", high_ns=LONGEST_NS)
    if until_steady and at_most is None and not inner.has("at_most"):
        expected = "a limit: a target that never becomes steady would warm up for ever"
        inner.problems.add(inner.at("at_most"), "nothing", expected, 'Write "300s".')
    if at_most is not None and at_most < at_least:
        inner.refuse("at_most", f"at least {units.format_time(at_least)}, which is at_least")
    if at_most is not None and not until_steady:
        inner.refuse("at_most", "no at_most without until_steady = true")
    inner.done()
    return Warmup(at_least, until_steady, at_most)


# ── target options ───────────────────────────────────────────────────────────────────────────────────────────────


def _http(table: Table, target: str | None) -> HttpRequest | None:
    inner = table.table("http")
    is_http = target is not None and target.startswith(("http://", "https://"))
    if inner is None:
        return None
    if target is not None and not is_http:
        table.refuse("http", "no http options for a target that is not http:// or https://")
    request = HttpRequest(
        method=_method(inner),
        headers=_headers(inner),
        body=_body(inner),
        expect_status=_codes(inner, "expect_status", 100, 599),
        expect_body=inner.optional_text("expect_body"),
        follow_redirects=inner.flag("follow_redirects", default=False),
        new_connections=inner.flag("new_connections", default=False),
        verify_tls=inner.flag("verify_tls", default=True),
        data=_data(inner),
        fields=_fields(inner),
    )
    inner.done()
    return request


def _method(inner: Table) -> str:
    method = inner.optional_text("method") or "GET"
    if not _METHOD.match(method):
        inner.refuse("method", "an HTTP method such as GET or POST, in capitals")
    return method


def _headers(inner: Table) -> tuple[tuple[str, str], ...]:
    headers = inner.mapping("headers")
    for name, value in headers.items():
        where = f"{inner.at('headers')}.{plain(name)}"
        if not _HEADER.match(name):
            inner.problems.add(where, shown(name), "the name of an HTTP header")
        if "\n" in value:
            inner.problems.add(where, shown(value), "one line")
    return tuple(headers.items())


def _body(inner: Table) -> str | None:
    """A body may be empty and may be long; control characters other than line ends and tabs are refused."""
    value = inner.take("body")
    if value is None or value == "":
        return None if value is None else ""
    fault = text_fault(value, 1_000_000)
    if fault is not None and not (isinstance(value, str) and not value.strip()):
        inner.refuse("body", fault)
        return None
    return str(value)


def _codes(inner: Table, key: str, low: int, high: int) -> tuple[int, ...]:
    value = inner.take(key)
    values = value if isinstance(value, list) else [] if value is None else [value]
    for item in values:
        if isinstance(item, bool) or not isinstance(item, int) or not low <= item <= high:
            inner.refuse(key, f"a number from {low} to {high}, or a list of them")
            return ()
    return tuple(values)


def _data(inner: Table) -> str | None:
    path = inner.optional_text("data")
    fault = path_fault(path) if path is not None else None
    if fault is not None:
        inner.refuse("data", fault)
    return path


def _fields(inner: Table) -> dict[str, str]:
    fields = inner.mapping("fields")
    for name, text in fields.items():
        if not _FIELD.match(text):
            where = f"{inner.at('fields')}.{plain(name)}"
            inner.problems.add(where, shown(text), 'a distribution such as "zipf(1.1, 1000)" or "uniform(0, 1)"')
    return fields


def _command(table: Table, target: str | None) -> CommandOptions | None:
    inner = table.table("command")
    is_command = target is not None and target.startswith("cmd:")
    if inner is None:
        return None
    if target is not None and not is_command:
        table.refuse("command", "no command options for a target that is not cmd:")
    options = CommandOptions(
        shell=inner.flag("shell", default=False),
        prepare=inner.optional_text("prepare"),
        expect_exit=_codes(inner, "expect_exit", 0, 255) or (0,),
        parameters=_parameters(inner),
    )
    inner.done()
    return options


def _parameters(inner: Table) -> dict[str, tuple[str, ...]]:
    table = inner.table("parameters")
    if table is None:
        return {}
    return {name: table.texts(name) for name in table.data}
