"""A validly signed file may still be hostile: every field is neutralised, and nothing is followed or exhausted."""

from __future__ import annotations

import base64
import json
import re
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from seal_builders import NOW, House, Run, gate_text, judged, reasons

from bizra_gate.attest import render, seal

FORMATS = ("terminal", "json", "markdown", "html", "junit", "sarif", "github")
ATTACK = (
    "\x1b]0;owned\x07\x1b[31mRED\x1b[0m<script>alert(1)</script> @everyone \u202eevil\n::error::owned\r]]><b/>|x|`y`"
)


def first_run(predicate: dict[str, Any]) -> dict[str, Any]:
    run: dict[str, Any] = predicate["measurement"]["runs"][0]
    return run


def poison(tree: Any) -> None:
    """Put the attack into every text that the evidence may choose freely."""
    tree["subject"] |= {ATTACK: ATTACK}
    tree["tool"]["name"] = tree["tool"]["version"] = ATTACK
    tree["run_id"] = ATTACK
    measurement = tree["measurement"]
    measurement |= {"name": ATTACK, "blind": [ATTACK], "stated": {ATTACK: ATTACK}}
    measurement["caveats"] = [{"code": ATTACK, "message": ATTACK}]
    measurement["source"] |= {"tool": ATTACK, "version": ATTACK, "file": ATTACK, "foreign": True}
    measurement["environment"] |= {"cpu_model": ATTACK, "packages": {ATTACK: ATTACK}, "governor": ATTACK}
    for run in measurement["runs"]:
        run["errors"] = {ATTACK: 1}
        run["outcomes"] = {ATTACK: 4028}
    tree["summary"].append({"metric": ATTACK, "unit": ATTACK, "confidence": 0.95, "estimate": 1})


@pytest.fixture
def poisoned(house: House) -> House:
    document = house.statement()
    poison(document["predicate"])
    # the subject descriptor is derived from what the predicate says of itself
    from bizra_gate.evidence import benchmark as benchmarks

    document["subject"] = [benchmarks._descriptor(benchmarks.decode(document["predicate"]))]
    house.write("artifacts/checkout.json", seal(document, [house.key]))
    text = gate_text(evidence='environment = { governor = "performance" }').replace(
        '"Checkout is quick"', json.dumps(ATTACK.replace("\x1b", "").replace("\x07", "").replace("\n", " ")
                                          .replace("\r", " ").replace("\u202e", ""))
    )  # fmt: skip
    house.write("gates/checkout.toml", text)
    return house


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_text_in_every_field_is_neutralised_in_every_format(poisoned: House, cli: Run, name: str) -> None:
    code, out, err = cli("verify", "--now", "2026-11-22T08:00:00Z", "--format", name)
    assert code in (3, 4), err
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", out + err)
    assert "\n::error::owned" not in out
    if name == "json":
        assert json.loads(out)["gates"][0]["evidence"][0]["trust"]["ok"] is False
    elif name == "junit":
        ElementTree.fromstring(out)
        assert "<script>" not in out
    elif name in ("html", "markdown"):
        assert "<script>alert" not in out
        assert "<b/>" not in out
    if name != "json":
        assert "\u202e" not in out
    if name == "markdown":  # an annotation is plain text and calls nobody
        assert " @everyone" not in out


@pytest.mark.parametrize("command", [("show",), ("audit",), ("compare", "artifacts/checkout.json")])
def test_other_commands_show_hostile_text_harmlessly_too(poisoned: House, cli: Run, command: tuple[str, ...]) -> None:
    _, out, err = cli(*command, "artifacts/checkout.json")
    assert out + err
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", out + err)
    assert "\n::error::owned" not in out


def test_a_hostile_line_of_a_ledger_is_told_harmlessly(house: House, cli: Run) -> None:
    """Whoever may write the file may write it: no key is needed for that."""
    assert cli("ledger", "append", "--key", house.key_file, "--now", NOW)[0] == 0
    names = ("%C2%9B2J%E2%80%AEgnp", "%7F%E2%80%A8::error::owned", "%0A")
    for name in names:
        line = f"{NOW} x:y artifacts/{name} sha256:{'a' * 64} sha256:{'b' * 64}\n"
        entries = house.root / "ledger" / "entries"
        before = entries.read_text()
        entries.write_text(before + line)
        code, out, err = cli("ledger", "verify", "--now", NOW)
        assert (code, out != "") == (4, True)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e]", out + err)
        entries.write_text(before)


# ── paths ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path", ["../secret.json", "/etc/passwd", "a/../../b.json", "C:\\x.json", "~/x.json", "*.json"]
)
def test_a_gate_cannot_name_evidence_outside_the_repository(house: House, cli: Run, path: str) -> None:
    house.write("gates/checkout.toml", gate_text().replace("artifacts/checkout.json", path.replace("\\", "\\\\")))
    code, _, err = cli("verify")
    assert code == 2
    assert "artifact" in err


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_that_leaves_the_repository_is_not_followed(house: House, cli: Run, what: str) -> None:
    outside = house.root.parent / "outside"
    outside.mkdir()
    (outside / "checkout.json").write_bytes(house.artifact.read_bytes())
    house.artifact.unlink()
    if what == "file":
        house.artifact.symlink_to(outside / "checkout.json")
    else:
        house.artifact.parent.rmdir()
        house.artifact.parent.symlink_to(outside)
    code, report = judged(cli)
    assert (code, reasons(report)) == (4, ["path"])


def test_sources_that_lead_outside_are_refused(house: House, cli: Run) -> None:
    (house.root.parent / "secret.txt").write_text("x")
    house.write("src/a.py", "1")
    (house.root / "src" / "link.py").symlink_to(house.root.parent / "secret.txt")
    house.gate(evidence='sources = ["src/*.py"]')
    assert judged(cli)[0] == 4
    house.gate(evidence='sources = ["../*.txt"]')
    assert cli("verify")[0] == 2


def test_evidence_that_is_a_folder_or_a_pipe_is_no_artifact(house: House, cli: Run) -> None:
    import os

    house.artifact.unlink()
    house.artifact.mkdir()
    assert judged(cli)[0] == 4
    house.artifact.rmdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(house.artifact)
        started = time.monotonic()
        assert judged(cli)[0] == 4
        assert time.monotonic() - started < 30


# ── sizes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def hdr(payload: bytes, *, cookie: int = 0x1C849314, length: int | None = None) -> str:
    body = zlib.compress(payload, 9)
    return base64.b64encode(struct.pack(">II", cookie, len(body) if length is None else length) + body).decode()


def inner(stream: bytes) -> bytes:
    return struct.pack(">IIIIQQd", 0x1C849313, len(stream), 0, 3, 1, 3_600_000_000_000, 1.0) + stream


HISTOGRAMS: dict[str, Callable[[], str]] = {
    "a bomb": lambda: hdr(inner(b"\x00" * 200_000_000)[:100_000_000]),
    "a bomb of ones": lambda: hdr(inner(b"\x02" * 30_000_000)),
    "another cookie": lambda: hdr(inner(b"\x02"), cookie=0x1C849301),
    "cut off": lambda: hdr(inner(b"\x02" * 50))[:40] + "==",
    "a wrong length": lambda: hdr(inner(b"\x02"), length=7),
    "bytes left over": lambda: hdr(inner(b"\x02")[:-1] + b"\x80"),
    "a count beyond 63 bits": lambda: hdr(inner(b"\xfe" + b"\xff" * 8)),
    "counts that overflow together": lambda: hdr(inner((b"\xfe" + b"\xff" * 7 + b"\x7f") * 3)),
    "a run past the end": lambda: hdr(inner(b"\xff\xff\xff\xff\x7f\x02")),
    "no base64": lambda: "%%%%",
    "nothing": lambda: "",
}


@pytest.mark.parametrize("what", HISTOGRAMS)
def test_a_hostile_histogram_is_refused_quickly_and_without_much_memory(house: House, cli: Run, what: str) -> None:
    house.bend(lambda predicate: first_run(predicate)["service"]["histogram"].update(hdr=HISTOGRAMS[what]()))
    started = time.monotonic()
    code, report = judged(cli)
    assert (code, reasons(report)) == (4, ["malformed"])
    assert time.monotonic() - started < 20


def long_series(predicate: dict[str, Any]) -> None:
    first_run(predicate)["intervals"] = {"length_ns": 1, "start_ns": list(range(100_000)), "count": [0] * 100_000}


def many_runs(predicate: dict[str, Any]) -> None:
    predicate["measurement"]["runs"] = [{"index": 0}] * 1001


def many_equal_runs(predicate: dict[str, Any]) -> None:
    predicate["measurement"]["runs"] *= 100


def ragged_columns(predicate: dict[str, Any]) -> None:
    first_run(predicate)["intervals"]["errors"] = [0]


def column_without_counts(predicate: dict[str, Any]) -> None:
    first_run(predicate)["intervals"]["count"] = []


def negative_count(predicate: dict[str, Any]) -> None:
    first_run(predicate)["operations"] = -1


def negative_error(predicate: dict[str, Any]) -> None:
    first_run(predicate)["errors"] = {"timeout": -5}


def interval_of_no_length(predicate: dict[str, Any]) -> None:
    first_run(predicate)["intervals"]["length_ns"] = 0


def batch_of_nothing(predicate: dict[str, Any]) -> None:
    first_run(predicate)["service"]["batch"] = 0


def percentile_beyond_all(predicate: dict[str, Any]) -> None:
    first_run(predicate)["service"]["percentiles"] = [[1e9, {"value": 1}]]


def unknown_member(predicate: dict[str, Any]) -> None:
    first_run(predicate)["__proto__"] = {"verdict": "SHIP"}


def wrong_type(predicate: dict[str, Any]) -> None:
    first_run(predicate)["operations"] = "4028"


def truth_for_number(predicate: dict[str, Any]) -> None:
    first_run(predicate)["operations"] = True


def vast_numbers(predicate: dict[str, Any]) -> None:
    for name in ("operations", "duration_ns", "warmup_ns"):
        first_run(predicate)[name] = 2**53 - 1


def vast_error_rate(predicate: dict[str, Any]) -> None:
    row = next(row for row in predicate["summary"] if row["metric"] == "error_rate")
    row["estimate"], row["interval"] = 1e308, [1e307, 1e308]


def nothing_measured(predicate: dict[str, Any]) -> None:
    predicate["measurement"]["runs"] = []


@pytest.mark.parametrize(
    ("bend", "codes"),
    [(long_series, {3, 4}), (many_runs, {4}), (many_equal_runs, {3, 4}), (ragged_columns, {4}),
     (column_without_counts, {4}), (negative_count, {4}), (negative_error, {4}), (interval_of_no_length, {4}),
     (batch_of_nothing, {4}), (percentile_beyond_all, {4}), (unknown_member, {4}), (wrong_type, {4}),
     (truth_for_number, {4}), (vast_numbers, {3}), (vast_error_rate, {3}), (nothing_measured, {3, 5})],
    ids=lambda value: value.__name__ if callable(value) else "",
)  # fmt: skip
def test_a_hostile_record_never_ships_and_never_crashes(
    house: House, cli: Run, bend: Callable[[dict[str, Any]], None], codes: set[int]
) -> None:
    house.bend(bend)
    started = time.monotonic()
    code, _ = judged(cli)
    assert code in codes
    assert time.monotonic() - started < 30


def test_nesting_and_size_are_bounded_before_anything_is_read(house: House, cli: Run) -> None:
    nested: Any = 1
    for _ in range(100):
        nested = [nested]
    text = render({"statement": 1}).decode().replace("1", json.dumps(nested))
    for data in (text.encode(), b'{"a":' * 100_000, b" " * (8 * 2**20 + 1)):
        house.artifact.write_bytes(data)
        code, report = judged(cli)
        assert (code, report["gates"][0]["evidence"][0]["trust"]["ok"]) == (4, False)


@pytest.mark.parametrize("name", ["gates/checkout.toml", "gates/keyring.toml"])
@pytest.mark.parametrize(
    "content", [b"\x00", b"\xff", b"a = " + b"[" * 50_000, b"x" * (2**20 + 1), b'name = "\\ud800"']
)
def test_a_definition_that_is_hostile_judges_nothing(house: House, cli: Run, name: str, content: bytes) -> None:
    house.write(name, content)
    code, out, err = cli("verify")
    assert (code, out) == (2, "")
    assert name.rsplit("/", 1)[1] in err
