"""The commands as functions of the package."""

from __future__ import annotations

import importlib
from pathlib import Path

import bizra_gate

WRK = Path(__file__).parent.parent / "importers" / "fixtures" / "wrk" / "closed-c6.txt"


def test_audit_stays_callable_once_the_room_of_that_name_was_imported() -> None:
    room = importlib.import_module("bizra_gate.audit")
    assert room.examine
    for _ in range(2):
        (found,) = bizra_gate.audit(WRK, min_duration="1s", min_warmup="0s")
        assert found.audit.verdict == "VALID"


def test_what_is_stated_from_python_is_marked_as_on_the_command_line() -> None:
    (found,) = bizra_gate.audit(WRK, target_duration="30s", min_duration="1s", min_warmup="0s")
    assert found.measurement.stated == {"target_duration": "30 s"}
