"""Text from elsewhere, made harmless for one format at a time.

Every name, claim, message and path that a report prints may come from a hostile file inside a valid signature. Each
function takes such text and returns it fit for one place, on a single line. What was hidden is shown, not dropped: a
terminal escape becomes the four characters ``\\x1b``, a right-to-left override becomes ``\\u202e``, so that a reader
sees that somebody tried.

Continuous integration reads reports too: a GitHub runner obeys a line that begins with ``::`` and anything after
``##[``, in whatever a job prints, so those are broken in every format.
"""

from __future__ import annotations

import re
import unicodedata

LIMIT = 2_000
"""Most characters of one field; a claim of a megabyte is cut with a sentence that says so."""

_MAX_MARKS = 6
"""Most combining marks in a row that are kept; no living script needs more."""
_MARKS = frozenset(("Mn", "Me"))

_ASCII = {
    "µ": "u", "μ": "u", "—": "-", "–": "-", "−": "-", "·": "-", "…": "...", "×": "x", "÷": "/", "≤": "<=", "≥": ">=",
    "≈": "~", "≠": "!=", "∞": "inf", "λ": "lambda", "Σ": "sum", "√": "sqrt", "±": "+/-", "→": "->", "∫": "integral",
    "✓": "+", "✗": "x", "“": '"', "”": '"', "‘": "'", "’": "'", "⌈": "ceil(", "⌉": ")", "•": "*", "│": "|", "─": "-",
    "┼": "+", "└": "+", "░": ".", "█": "#", "○": "o", "\u00a0": " ", "\u202f": " ",
}  # fmt: skip
_MARKDOWN = re.compile(r"([\\`*_\[\]#~$^])")
_BLOCK_START = re.compile(r"^(?:(\d{1,9})([.)])(?=\s|$)|([-+=:]))")
"""What begins a list, a rule or a heading where the text begins a line."""
_AUTOLINK = re.compile(r"(?i)www(?=\.)|:(?=:|//|[a-z+-][\w+-]*:)|(?<=gh)-(?=\d)")
"""What GitHub turns into a link or a picture after rendering: www., scheme://, GH-1, :emoji:; and ``::``."""
_COMMAND_AT_START = re.compile(r"(?m)^((?:\x1b\[[0-9;]*m|[^\S\n])*)::")
_TICKS = re.compile(r"`+")


def line(text: object, limit: int = LIMIT) -> str:
    """`text` on one line, without control, format, surrogate, private or unassigned characters, at most `limit` long.

    White space of any kind becomes one space; the rest of Unicode's category C becomes a visible escape.
    """
    raw = str(text)
    cut = len(raw) - limit
    if cut > 0:
        raw = f"{raw[:limit]} … ({cut:,} more characters)"
    if raw.isprintable() and (raw.isascii() or _MARKS.isdisjoint(map(unicodedata.category, raw))):
        return " ".join(raw.split())
    return " ".join("".join(_visible(raw)).split())


def _visible(raw: str) -> list[str]:
    out: list[str] = []
    marks = 0
    for char in raw:
        kind = unicodedata.category(char)
        marks = marks + 1 if kind in _MARKS else 0
        if char.isspace() and char not in "\x1c\x1d\x1e\x1f\x85":
            out.append(" ")
        elif kind[0] == "C":
            out.append(_escape(char))
        elif marks <= _MAX_MARKS:
            out.append(char)
    return out


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def plain(text: str) -> str:
    """`text` with its lines and columns for a terminal or a job's log: what does not print is shown as an escape."""
    return commands("".join(char if char == "\n" or char.isprintable() else _escape(char) for char in text))


def ascii_only(text: str) -> str:
    """`text` for a terminal that is not UTF-8: near spellings where there are some, escapes for the rest."""
    near = "".join(_ASCII.get(char, char) for char in text)
    return near.encode("ascii", "backslashreplace").decode("ascii")


def commands(page: str) -> str:
    """A whole printed page with nothing left in it that a GitHub runner would obey; no line changes its width.

    A command is a line that begins with ``::`` after blanks (and colours), or ``##[`` anywhere.
    """
    return _COMMAND_AT_START.sub(r"\1:.", page).replace("##[", "##(")


def markdown(text: object, limit: int = LIMIT) -> str:
    """`text` as plain words in GitHub Markdown: no markup, HTML, table cell, mention, issue reference or link.

    Mentions and bare links are found after rendering, where a backslash no longer shows; a zero-width space parts
    them instead.
    """
    escaped = line(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    parted = _AUTOLINK.sub(lambda found: found[0] + "\0", escaped)
    slashed = _MARKDOWN.sub(r"\\\1", parted).replace("|", "&#124;")
    slashed = _BLOCK_START.sub(lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", slashed)
    return slashed.replace("@", "@\0").replace("\\#", "\\#\0").replace("\0", "&#8203;")


def code(text: object, limit: int = LIMIT) -> str:
    """`text` as a Markdown code span that it cannot leave, also inside a table."""
    plain = line(text, limit).replace("##[", "##(")
    if "|" in plain:
        return f"<code>{markdown(plain, limit * 2)}</code>"
    longest = max((len(run) for run in _TICKS.findall(plain)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def markup(text: object, limit: int = LIMIT) -> str:
    """`text` for HTML and XML, in an element or in a quoted attribute."""
    import html  # which knows thousands of names of characters; only two formats need any

    return html.escape(line(text, limit), quote=True).replace("##[", "##&#91;")


def annotation(text: object, limit: int = LIMIT) -> str:
    """`text` as the message of a GitHub workflow command: one line, ``%`` escaped."""
    return line(text, limit).replace("%", "%25").replace("##[", "##(")


def annotation_property(text: object, limit: int = LIMIT) -> str:
    """`text` as a property (``file``, ``title``) of a GitHub workflow command."""
    return annotation(text, limit).replace(":", "%3A").replace(",", "%2C")


def sarif_message(text: object, limit: int = LIMIT) -> str:
    """`text` as a SARIF plain-text message: no embedded link (§3.11.6) and no placeholder (§3.11.5)."""
    plain = line(text, limit).replace("{", "{{").replace("}", "}}")
    return re.sub(r"([\\\[\]])", r"\\\1", plain)


def json_text(document: str) -> str:
    """A rendered JSON document with every character that could steer a terminal or a runner spelled as an escape.

    Its meaning is unchanged, but for lone surrogates, which JSON cannot carry: they become U+FFFD.
    """
    if not document.replace("\n", "").isprintable():
        document = "".join(char if char.isprintable() or char == "\n" else _json_escape(char) for char in document)
    return document.replace("##[", "##\\u005b")


def _json_escape(char: str) -> str:
    if unicodedata.category(char) == "Cs":
        return "\ufffd"
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
