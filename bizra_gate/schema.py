"""JSON Schema at the border: the published shapes of what is read and written."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from .errors import Problem

NAMES = ("gate", "keyring", "artifact", "report", "audit", "waiver")


@cache
def load(name: str) -> dict[str, Any]:
    """The schema `name`, from the wheel or, in a checkout, from ``schemas/``."""
    file = f"{name}.schema.json"
    packaged = resources.files("bizra_gate") / "schemas" / file
    source = packaged if packaged.is_file() else Path(__file__).parent.parent / "schemas" / file
    document: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return document


def problems(name: str, document: object, where: str) -> list[Problem]:
    """Every way in which `document` departs from schema `name`, each with its place."""
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(load(name)).iter_errors(document)
    return [
        Problem(f"{where}: {error.json_path}", _shorten(error.instance), error.message.splitlines()[0][:200])
        for error in sorted(errors, key=lambda error: error.json_path)
    ]


def _shorten(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
