"""The same report with every text in it replaced, and what the outputs of two such reports must share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

from hypothesis import strategies as st
from markdown_it import MarkdownIt

_OURS = {"verdict", "severity", "unit", "better", "loop", "origin", "percentile_method", "grade", "method"}
"""Fields whose values this project chooses from a fixed list."""

ATTACKS = (
    "\x1b[2J\x1b[31mSHIP\x1b[0m", "\x1b]0;owned\x07", "\x9b31m", "\x07\x08\x08\x08", "\r✓ SHIP",
    "\u202egnp.exe", "\u2066x", "a\u200bb", "\ufeff", "\U000e0041", "\ud800", "\x00", "\x85next",
    "\u2028line", "<script>alert(1)</script>", "</td></tr></table><h1>SHIP</h1>", "<!-- ", "-->", "]]>",
    "&lt;b&gt;", "&#64;octocat", '" onload="x', "' onclick='x", "|", "\\|", "a | b", "`", "``", "```\nx",
    "\\", "**bold**", "_x_", "~~x~~", "![x](http://evil.example/a.png)", "[SHIP](javascript:alert(1))",
    "http://evil.example", "www.evil.example", "@octocat", "me@example.org", "#1", "GH-1", "org/repo#12",
    ":white_check_mark:", "$$x$$", "# heading", "- item", "1. item", "> quote", "---", "===", "+ x",
    "    code", "\n\n## SHIP\n", "</details>", "::error::owned", "::add-mask::a", "\n::stop-commands::x",
    "##[error]x", "##vso[task]x", "%0A::error::x", "file=a,title=b::", "a:b,c", "{0}", "{{", "[a](b)", "\\[",
    "\t\tx", "e" + "\u0301" * 40, "漢字" * 40, "x" * 5000, "👩\u200d👩\u200d👧",
)  # fmt: skip

texts = st.one_of(
    st.sampled_from(ATTACKS),
    st.lists(st.sampled_from(ATTACKS), min_size=2, max_size=4).map(" ".join),
    st.text(st.characters(), max_size=60),
    st.text(st.sampled_from("<>&\"'`|\\*_[](){}#@:$%\r\n\t\x1b\x9b\x00~!.-+= \u202e\u2028ax1"), max_size=40),
)


def with_text(subject: Any, text: str) -> Any:
    """`subject` with every free text in it, at any depth, replaced by `text`."""
    if isinstance(subject, str):
        return text
    if dataclasses.is_dataclass(subject) and not isinstance(subject, type):
        return dataclasses.replace(
            subject,
            **{
                field.name: with_text(getattr(subject, field.name), text)
                for field in dataclasses.fields(subject)
                if field.init and field.name not in _OURS
            },
        )
    if isinstance(subject, tuple):
        return tuple(with_text(one, text) for one in subject)
    if isinstance(subject, Mapping):
        return {with_text(key, text): with_text(value, text) for key, value in subject.items()}
    return subject


def framed(text: str) -> str:
    """Never blank, so that no sentence is left out for want of words."""
    return f"x{text}x"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "span":
            self.found.append((tag, tuple(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag != "span":
            self.found.append((f"/{tag}", ()))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", ()))


def html_structure(document: str) -> list[tuple[str, tuple[str, ...]]]:
    """Tags with the names of their attributes, but for spans, which may depend on a text's length."""
    parser = _Tags()
    parser.feed(document)
    parser.close()
    return parser.found


def xml_structure(document: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.tag, tuple(one.attrib)) for one in ElementTree.fromstring(document.encode("utf-8")).iter()]


def markdown_structure(document: str) -> list[str]:
    """Kinds of tokens, code and its tags set aside: `code` and <code> stand for each other."""
    kinds = []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(document):
        kinds.append(token.type)
        for child in token.children or ():
            if child.type == "html_inline" and child.content not in ("<code>", "</code>"):
                kinds.append(child.content)
            elif child.type not in ("text", "code_inline", "html_inline", "softbreak", "text_special"):
                kinds.append(child.type)
    return kinds


def markdown_words(document: str) -> str:
    """The text that a reader sees outside code, where GitHub looks for mentions and links."""
    words = []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(document):
        inside = 0
        for child in token.children or ():
            inside += {"<code>": 1, "</code>": -1}.get(child.content, 0) if child.type == "html_inline" else 0
            if child.type in ("text", "text_special") and not inside:
                words.append(child.content)
        words.append("\n")
    return "".join(words)
