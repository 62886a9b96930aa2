"""The operation behind `gates/regex.toml`: every word of this repository's licence, found by `re`."""

import re
from pathlib import Path


class WordsOfTheLicence:
    """Reads the licence once; each call finds all of its words, as a text index would."""

    def __init__(self) -> None:
        self.text = (Path(__file__).parents[2] / "LICENSE").read_text(encoding="utf-8")
        self.word = re.compile(r"[A-Za-z][A-Za-z'-]*")

    def __call__(self) -> list[str]:
        return self.word.findall(self.text)

    def validate(self, result: list[str]) -> bool:
        return len(result) > 1500 and result[:2] == ["Apache", "License"]
