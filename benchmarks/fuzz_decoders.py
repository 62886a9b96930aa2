"""Everything that reads bytes from elsewhere, each with originals to damage and a judgement of what came of it."""

from __future__ import annotations

import base64
import copy
import io
import json
import random
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.extend(str(Path(__file__).parent.parent / "tests" / room) for room in ("attest", "cli", "importers"))

from attest_keys import ALICE, keyring, small_statement, trusted
from attest_mutations import bit_flips, byte_mutations, structural_mutations, tree_mutations
from cli_builders import honest_measurement
from importer_cases import FIXTURES, cases

from bizra_gate import gates, importers, opening, starter
from bizra_gate.attest import (
    Keyring,
    PrivateKey,
    PublicKey,
    export_dsse,
    import_dsse,
    open_artifact,
    parse,
    parse_keyring,
    read,
    render_keyring,
    seal,
    statement,
)  # fmt: skip
from bizra_gate.attest.checkpoint import check_ledger, check_proof, prove, sign_checkpoint
from bizra_gate.attest.keys import Argon2id
from bizra_gate.attest.ledger import Ledger, append, entry_for, parse_ledger
from bizra_gate.attest.note import parse_checkpoint, parse_note
from bizra_gate.audit import examine
from bizra_gate.errors import BizraGateError, UntrustedError, UsageError
from bizra_gate.evidence import benchmark as benchmarks
from bizra_gate.evidence.benchmark import Benchmark, Origin, Tool
from bizra_gate.model import Measurement, Policy, Trust
from bizra_gate.opening import Task
from bizra_gate.reports import REPORTERS, github
from bizra_gate.stats import histogram, summary

ERRORS = (BizraGateError,)
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
NOW_TEXT = "2026-11-23T04:00:00Z"
RING = keyring(trusted(ALICE, "*"))
GATE = """\
name = "fuzzed"
claim = "Nothing that is signed can crash the judge"
[evidence]
artifact = "artifacts/fuzzed.json"
[policy]
min_duration = "1s"
min_warmup = "0s"
note = "only short measurements are damaged"
[[check]]
metric = "throughput"
pass = ">= 1/s"
[[check]]
metric = "latency.p99"
pass = "<= 100 ms"
warn = "<= 200 ms"
[[check]]
metric = "error_rate"
pass = "<= 1 %"
severity = "should"
"""
HOSTILE_TEXT = (
    "\x1b[2J\x1b]0;owned\x07", "<script>alert(1)</script>", "@everyone", "::error::owned", "a\nb\r\nc", "\u202egnp.exe",
    "../../../etc/passwd", "", "x" * 5000, "]]><a/>", "{{7*7}}", "| a | b |", "\U000e0041", "%s%n", "NaN", "1e999",
)  # fmt: skip
HOSTILE_INTEGERS = (0, 1, -1, 2**31, 2**53 - 1, -(2**53) + 1, 10**15)
HOSTILE_FLOATS = (0, 0.5, -0.5, 1e308, -1e308, 5e-324, 1e-9, 1e15 + 0.5)
FORBIDDEN = {
    "any": ("\x1b[2J", "\x07", "\n::error::owned"),
    "terminal": ("\u202e",),
    "markdown": ("<script>", "\u202e", "@everyone"),
    "github": ("\u202e",),
    "html": ("<script>alert", "\u202e"),
    "junit": ("<script>", "]]><a"),
}
"""Format → what a field may never do to whoever reads the page."""

Mutator = Callable[..., Iterator[tuple[str, Any]]]


@dataclass(frozen=True)
class Decoder:
    """Something that reads: `feed` returns ``read`` or ``accepted``, or raises."""

    name: str
    originals: tuple[Any, ...]
    feed: Callable[[Any], str]
    mutate: Mutator = byte_mutations
    exit_code: int | None = None
    """What a refusal must end the command with, where only one code is right."""

    def flips(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        return bit_flips(data)


def small_artifact() -> tuple[Decoder, bytes]:
    """A decoder of artifacts, and a small one."""
    data = seal(small_statement(), [ALICE])
    return _artifacts((data,), RING)[0], data


def decoders() -> list[Decoder]:
    """Every decoder, on originals made here."""
    benchmark = made(honest_measurement(seconds=3, warmup=1))
    file = sealed(benchmark)
    return [
        *_signed((file, seal(small_statement(), [ALICE])), RING),
        *_opened([benchmark_document(benchmark)]),
        *_log(file),
        *_definitions(),
        *_histograms(benchmark.measurement),
        *_keys(),
        *_foreign(),
    ]


def artifact_decoders(paths: list[Path], ring: Path) -> list[Decoder]:
    """The decoders of signed files, on real artifacts."""
    files = tuple(path.read_bytes() for path in paths)
    documents = [read(data).unverified_statement() for data in files]
    return [*_signed(files, parse_keyring(ring.read_text())), *_opened(documents)]


def made(measurement: Measurement) -> Benchmark:
    """`measurement` as evidence with every member that there is."""
    return Benchmark(
        run_id="0123456789abcdef",
        finished_at="2026-11-22T07:00:00Z",
        tool=Tool("bizra-gate", "0"),
        measurement=measurement,
        subject={"target": "fake:script"},
        source=Origin("a" * 40, "b" * 40, False),
    )


def benchmark_document(benchmark: Benchmark) -> dict[str, Any]:
    descriptor, predicate = benchmarks.state(benchmark)
    return statement([descriptor], benchmarks.PREDICATE_TYPE, predicate)


def sealed(benchmark: Benchmark) -> bytes:
    return seal(benchmark_document(benchmark), [ALICE])


# ── signed files: nothing that was changed may be believed ───────────────────────────────────────────────────────


def _signed(files: tuple[bytes, ...], ring: Keyring) -> list[Decoder]:
    return [*_artifacts(files, ring), _dsse(files, ring)]


def _artifacts(files: tuple[bytes, ...], ring: Keyring) -> list[Decoder]:
    """Their bytes damaged, and their structure changed and laid out again: none may open."""

    def feed(data: bytes) -> str:
        open_artifact(data, ring, NOW)
        return "accepted"

    return [
        Decoder("artifact bytes", files, feed, byte_mutations, exit_code=4),
        Decoder("artifact structure", files, feed, structural_mutations, exit_code=4),
    ]


def _dsse(files: tuple[bytes, ...], ring: Keyring) -> Decoder:
    """What an envelope may lose is what no signature covers: key ids, unknown members, the spelling of base64."""
    bodies = {read(data).body for data in files}
    keys = [key.public for key in ring.keys]

    def feed(data: bytes) -> str:
        imported = import_dsse(data, keys)
        open_artifact(imported, ring, NOW)
        return "read" if read(imported).body in bodies else "accepted"

    return Decoder("dsse import", tuple(export_dsse(read(data)) for data in files), feed, exit_code=4)


# ── inside a valid signature: anything may stand there, nothing may crash or reach the terminal ─────────────────


def _opened(documents: list[dict[str, Any]]) -> list[Decoder]:
    return [
        Decoder("evidence", tuple(one["predicate"] for one in documents), _decode_evidence, hostile_trees),
        Decoder("signed by us, judged, reported", tuple(documents), _judge, hostile_predicates),
    ]


def _decode_evidence(predicate: Any) -> str:
    benchmark = benchmarks.decode(predicate)
    benchmark.metrics()
    examine(benchmark.measurement, Policy())
    return "read"


def _judge(document: dict[str, Any]) -> str:
    """The whole way of ``verify``, in memory, in every format."""
    try:
        data = seal(document, [ALICE])
    except UntrustedError as error:
        raise UntrustedError(f"not signed at all: {error.message}") from error
    gate = gates.parse(GATE, "gates/fuzzed.toml", "0" * 64)
    task = Task(gate, gate.evidence[0], gate.evidence[0].artifacts[0], Path("/nowhere"), RING, NOW_TEXT)
    report = gates.evaluate([gate], {gate.name: [opening.open_bytes(task, data).evidence]}, NOW_TEXT)
    pages = {name: REPORTERS[name](report) for name in REPORTERS}
    pages["markdown"] += github.step_summary(report)
    for name, page in pages.items():
        for mark in FORBIDDEN["any"] + FORBIDDEN.get(name, ()):
            if mark in page:
                at = page.index(mark)
                raise AssertionError(f"{name} hands on what a field says: {page[max(0, at - 60) : at + 40]!r}")
    trust = report.gates[0].evidence[0].trust
    if not trust.ok:
        raise UntrustedError(trust.reasons[0].message, code=trust.reasons[0].code)
    return "read"


def hostile_predicates(document: dict[str, Any], *, seed: int, count: int) -> Iterator[tuple[str, Any]]:
    for what, predicate in hostile_trees(document["predicate"], seed=seed, count=count):
        yield what, {**document, "predicate": predicate}


def hostile_trees(document: Any, *, seed: int, count: int) -> Iterator[tuple[str, Any]]:
    """Half broken shapes, half well-shaped lies: each a value of the right type at the edge of what it can be."""
    dice = random.Random(seed)
    broken = tree_mutations(document, seed=seed, count=count)
    for _ in range(count):
        if dice.random() < 0.3:
            yield next(broken)
            continue
        tree = copy.deepcopy(document)
        for _ in range(dice.randint(1, 4)):
            _lie(tree, dice)
        yield "lie", tree


def _lie(tree: Any, dice: random.Random) -> None:
    places = list(_places(tree))
    node, key = dice.choice(places)
    value = node[key]
    if isinstance(value, bool):
        node[key] = not value
    elif isinstance(value, int):
        node[key] = dice.choice([*HOSTILE_INTEGERS, value * 1000, value // 1000, value + 1])
    elif isinstance(value, float):
        node[key] = dice.choice([*HOSTILE_FLOATS, value * 1000, value / 1000])
    elif isinstance(value, str):
        node[key] = dice.choice(HOSTILE_TEXT)
    elif isinstance(value, list) and value:
        node[key] = dice.choice([[], value[:1], value[::-1], value * 2, [value[0]] * 500])
    elif isinstance(value, dict) and value:
        value.pop(dice.choice(sorted(value)))


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of everything in `tree`; arrays of scalars count as few places, else they are all one hits."""
    items = tree.items() if isinstance(tree, dict) else list(enumerate(tree))[:3]
    for key, value in items:
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


# ── the ledger ───────────────────────────────────────────────────────────────────────────────────────────────────


def _log(file: bytes) -> list[Decoder]:
    entries = [entry_for(read(file), f"artifacts/{name}.json", NOW) for name in "abcde"]
    ledger = append(Ledger(), entries, NOW)
    ledger = append(ledger, [replace(entries[1], file_sha256="c" * 64)], NOW)
    head = sign_checkpoint(ledger, "example.com/evidence", ALICE)
    proof = prove(ledger, head, 2)
    same = parse_checkpoint(parse_note(head))

    def feed_entries(data: bytes) -> str:
        return _believed(check_ledger(parse_ledger(_text(data)), head, RING, NOW), "accepted")

    def feed_head(data: bytes) -> str:
        trust = check_ledger(ledger, _text(data), RING, NOW)
        return _believed(
            trust, "read" if trust.ok and parse_checkpoint(parse_note(_text(data))) == same else "accepted"
        )

    def feed_proof(data: bytes) -> str:
        trust = check_proof(entries[2], _text(data), RING, NOW)
        unchanged = trust.ok and data.partition(b"\n\n")[0] == proof.encode().partition(b"\n\n")[0]
        return _believed(trust, "read" if unchanged and same.text().encode() in data else "accepted")

    return [
        Decoder("ledger entries", (ledger.render().encode(),), feed_entries),
        Decoder("ledger checkpoint", (head.encode(),), feed_head),
        Decoder("inclusion proof", (proof.encode(),), feed_proof),
    ]


def _believed(trust: Trust, outcome: str) -> str:
    if not trust.ok:
        raise UntrustedError("; ".join(reason.message for reason in trust.reasons), code=trust.reasons[0].code)
    return outcome


def _text(data: bytes) -> str:
    """As the ledger is read from disk."""
    return data.decode("utf-8", errors="surrogateescape")


# ── definitions, keys, histograms ────────────────────────────────────────────────────────────────────────────────


def _definitions() -> list[Decoder]:
    def text(data: bytes) -> str:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"byte {error.start} is not UTF-8") from error

    def feed_keyring(data: bytes) -> str:
        parse_keyring(text(data))
        return "read"

    def feed_gate(data: bytes) -> str:
        gates.parse(text(data), "gates/fuzzed.toml", "0" * 64)
        return "read"

    def feed_waiver(predicate: Any) -> str:
        if not isinstance(predicate, dict):
            raise UsageError("not an object")
        gates.parse_waiver(predicate, "w.json", Trust(True))
        return "read"

    def feed_json(data: bytes) -> str:
        parse(data)
        return "read"

    ring = render_keyring(keyring(trusted(ALICE, "benchmark", not_before=NOW), thresholds={"benchmark": 2}))
    waiver = {
        "gate": "checkout", "check": "p99", "gate_digest": "a" * 64, "reason": "r", "ticket": "T-1", "approver": "a",
        "not_before": "2026-11-22T04:00:00Z", "expires": "2026-11-29T04:00:00Z",
    }  # fmt: skip
    return [
        Decoder("keyring", (ring.encode(),), feed_keyring),
        Decoder("gate file", (starter.GATE.encode(), GATE.encode()), feed_gate),
        Decoder("waiver", (waiver,), feed_waiver, hostile_trees),
        Decoder("strict JSON", (json.dumps({"a": [1, 2.5e-7, "é\\u00e9", None], "b": {"c": {}}}).encode(),), feed_json),
    ]


def _keys() -> list[Decoder]:
    def feed(data: bytes) -> str:
        text = data.decode("utf-8", errors="replace")
        if "PRIVATE" in text:
            PrivateKey.from_pem(text, "passphrase")
        else:
            PublicKey.parse(text)
        return "read"

    cheap = Argon2id(1, 2**13)
    texts = (ALICE.pem(), ALICE.public.pem(), ALICE.public.openssh("c"))
    locked = ALICE.encrypted_pem("passphrase", cheap)
    return [
        Decoder("key files", tuple(text.encode() for text in texts), feed),
        Decoder("encrypted key", (locked.encode(),), feed, _without_costly),
    ]


def _without_costly(original: bytes, *, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Damage beyond the cost parameters, which a person chose for their own key and may ask for a gigabyte."""
    head = original.index(b"\n") + 1 + 16
    for what, tail in byte_mutations(original[head:], seed=seed, count=count):
        yield what, original[:head] + tail


def _histograms(measurement: Measurement) -> list[Decoder]:
    def feed(data: bytes) -> str:
        histogram.decode(data.decode("utf-8", errors="replace"))
        return "read"

    texts = tuple(
        histogram.encode(one).encode() for one in _distributions(measurement) if one.n and histogram.is_hdr(one)
    )
    return [Decoder("histogram text", texts, feed), Decoder("histogram counts", texts, feed, _inner_mutations)]


def _distributions(measurement: Measurement) -> Iterator[Any]:
    for latency in (measurement.service, measurement.response, measurement.latency):
        if latency is not None and latency.histogram is not None:
            yield latency.histogram


def _inner_mutations(original: bytes, *, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Damage what is compressed, and wrap it again with lengths that fit, so that the counts themselves are read."""
    packed = base64.b64decode(original)
    payload = zlib.decompress(packed[8:])
    for what, inner in byte_mutations(payload[8:], seed=seed, count=count):
        head = payload[:4] + struct.pack(">I", max(0, len(inner) - 32))
        body = zlib.compress(head + inner)
        yield what, base64.b64encode(packed[:4] + struct.pack(">I", len(body)) + body)


# ── other tools' files ───────────────────────────────────────────────────────────────────────────────────────────


def _foreign() -> list[Decoder]:
    """One decoder for each importer, with its fixtures; what is read is summarised and audited as well."""
    by_tool: dict[str, list[bytes]] = {}
    for tool, case in cases():
        data = (FIXTURES / tool / case["file"]).read_bytes()
        if len(data) < 200_000:
            by_tool.setdefault(tool, []).append(data)
    return [_importer(tool, tuple(files)) for tool, files in sorted(by_tool.items()) if tool in importers.IMPORTERS]


def _importer(tool: str, files: tuple[bytes, ...]) -> Decoder:
    def feed(data: bytes) -> str:
        for one in importers.read(importers.Stream(io.BytesIO(data), "run.txt"), tool, importers.Stated()):
            summary.summarize(one)
            examine(one, Policy())
        return "read"

    return Decoder(f"import {tool}", files, feed)
