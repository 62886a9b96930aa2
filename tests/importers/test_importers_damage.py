"""Files that were cut, corrupted or mixed: a measurement or one clear error, never another exception."""

from __future__ import annotations

import gzip
import math
import random
import re

import pytest
from importer_cases import FIXTURES, cases, figures, stream

from bizra_gate import importers
from bizra_gate.errors import FormatError
from bizra_gate.model import Measurement

READABLE = [
    pytest.param(tool, case["file"], id=f"{tool}/{case['file']}") for tool, case in cases() if "error" not in case
]
CUTS = 12
HITS = 12


def raw(tool: str, file: str) -> bytes:
    data = (FIXTURES / tool / file).read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def attempt(tool: str, file: str, data: bytes) -> list[Measurement]:
    """What is read of `data`, or nothing where it is refused in the one way that is allowed."""
    try:
        found = importers.read(stream(data, file), tool)
    except FormatError as error:
        said = str(error)
    else:
        assert all(math.isfinite(figure.value) for measurement in found for figure in figures(measurement))
        return found
    assert said.startswith(file.split(".")[0][:4])
    assert len(said) < 400
    return []


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_a_cut_file_is_read_in_part_with_a_word_about_it_or_refused(tool: str, file: str) -> None:
    data = raw(tool, file)
    whole = importers.read(stream(data, file), tool)
    rng = random.Random(f"{tool}/{file}")
    for _ in range(CUTS):
        at = rng.randrange(1, len(data.rstrip()))
        for measurement in attempt(tool, file, data[:at]):
            ended_between_lines = data[:at].rstrip(b" \t\r").endswith(b"\n")
            told = any(caveat.code == "source.cut" for caveat in measurement.caveats)
            assert told or ended_between_lines or _complete_object(data[:at]), (at, data[max(0, at - 40) : at])
            assert (measurement.operations or 0) <= max(one.operations or 0 for one in whole)


def _complete_object(data: bytes) -> bool:
    return data.rstrip().endswith((b"}", b"]", b"/>", b"</testResults>"))


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_a_corrupted_file_never_ends_in_a_traceback(tool: str, file: str) -> None:
    data = raw(tool, file)
    rng = random.Random(f"{file}/{tool}")
    for _ in range(HITS):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 1, 4))):
            damaged[rng.randrange(len(damaged))] = rng.choice(b'09.,-"{}[]:\n\t \0\xff\x80eEnN')
        attempt(tool, file, bytes(damaged))
        begin = rng.randrange(len(data))
        end = min(len(data), begin + rng.randrange(1, 60))
        attempt(tool, file, data[:begin] + data[end:])
        attempt(tool, file, data[:end] + data[begin:])


_HUGE = (b"1" * 400, b"1e999", b"-1", b"NaN", b"null", b"true", b'"x"', b"[]", b"1,5", b"9" * 17, b"0")


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_a_number_of_any_size_or_kind_is_read_or_refused(tool: str, file: str) -> None:
    """Single numbers of the file are replaced by what a number should never be."""
    data = raw(tool, file)
    rng = random.Random(f"number {tool}/{file}")
    spots = _numbers(data)
    for _ in range(HITS):
        begin, end = rng.choice(spots)
        attempt(tool, file, data[:begin] + rng.choice(_HUGE) + data[end:])


def _numbers(data: bytes) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(rb"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", data)]


@pytest.mark.parametrize(("tool", "file"), READABLE)
def test_cut_gzip_is_told_or_refused(tool: str, file: str) -> None:
    packed = gzip.compress(raw(tool, file), mtime=0)
    for share in (0.3, 0.7, 0.95):
        for measurement in attempt(tool, file, packed[: int(len(packed) * share)]):
            assert any(caveat.code == "source.cut" for caveat in measurement.caveats)


def test_gzip_with_a_broken_body_is_refused_in_a_sentence() -> None:
    packed = bytearray(gzip.compress(raw("wrk", "closed-c6.txt"), mtime=0))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(FormatError, match=r"run\.txt: cannot be read"):
        importers.read(stream(bytes(packed)), "wrk")
