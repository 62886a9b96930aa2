"""The shell of an HTML report and its small parts: one file, no script, nothing fetched, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..version import __version__
from .neutral import markup
from .wording import EXTRA, SYMBOLS, tone

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

_CSS = """
:root { color-scheme: light dark; --paper: #fff; --card: #f6f7f9; --ink: #1b1f24; --soft: #57606a; --edge: #d0d7de;
  --good: #0a6b2d; --bad: #b3161b; --unsure: #7a4f00; --note: #0b5394;
  --plot-ink: #1b1f24; --plot-grid: #c3cad2; --plot-first: #0b63a5; --plot-second: #c2410c; --plot-limit: #b3161b;
  --plot-shade: #aab4be; }
@media (prefers-color-scheme: dark) { :root { --paper: #101418; --card: #181d23; --ink: #e6e9ee; --soft: #a3adb8;
  --edge: #323a44; --good: #6fdc8c; --bad: #ff9b9b; --unsure: #f2c14e; --note: #8ec5ff;
  --plot-ink: #e6e9ee; --plot-grid: #414b57; --plot-first: #6cb6ff; --plot-second: #ffa657; --plot-limit: #ff9b9b;
  --plot-shade: #5b6672; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 70rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 0 0 .5rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; } p { margin: .3rem 0; }
header, article { border: 1px solid var(--edge); border-left: .5rem solid var(--tone, var(--edge));
  border-radius: .4rem; background: var(--card); padding: 1rem; margin: 0 0 1rem; }
.good { --tone: var(--good); } .bad { --tone: var(--bad); }
.unsure { --tone: var(--unsure); } .note { --tone: var(--note); }
.word { color: var(--tone); font-weight: 700; } td .word, .k { white-space: nowrap; }
.soft { color: var(--soft); font-size: .9rem; } code { font: .88em/1.4 ui-monospace, monospace; }
blockquote { margin: .3rem 0 .6rem; padding-left: .7rem; border-left: .2rem solid var(--edge); font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; }
th, td { text-align: left; vertical-align: top; overflow-wrap: break-word; padding: .35rem .6rem .35rem 0;
  border-top: 1px solid var(--edge); }
th { color: var(--soft); font-weight: 600; border-top: 0; }
td.n, th.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
ul { margin: .3rem 0; padding-left: 1.2rem; } li { margin: .25rem 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: .8rem; }
@supports (grid-template-rows: subgrid) { .plots figure { display: grid; grid-template-rows: subgrid; grid-row: span 3;
  gap: 0; align-content: start; } }
figure { margin: 0; min-width: 0; padding: .5rem; background: var(--paper); border: 1px solid var(--edge);
  border-radius: .4rem; }
figcaption { font-size: .88rem; margin-bottom: .4rem; } svg { display: block; width: 100%; height: auto; }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--soft); padding: .2rem 0; }
summary:focus-visible { outline: .15rem solid var(--note); }
nav ul { list-style: none; padding: 0; } a { color: var(--note); }
footer { color: var(--soft); font-size: .85rem; }
@media (max-width: 40rem) { body { padding: .4rem; } header, article { padding: .6rem; border-left-width: .35rem; }
  table.cards, table.cards tbody, table.cards tr, table.cards td { display: block; }
  table.cards thead { display: none; } table.cards tr { border-top: 1px solid var(--edge); padding: .4rem 0; }
  table.cards td { border: 0; padding: .1rem 0; }
  table.cards td.n { text-align: left; }
  table.cards td::before { content: attr(data-label) " "; color: var(--soft); font-size: .85rem; }
  table.cards td:first-child::before, table.cards td:empty { content: none; display: none; } }
@media print { details > *:not(summary) { display: block; } article { break-inside: avoid; } }
""".strip()


def page(title: str, tone: str, head: Iterable[str], body: Iterable[str]) -> str:
    """A whole document. `title` is data; `head` and `body` are finished elements."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{markup(title, 200)}</title>",
            f"<style>{_CSS}</style>",
            "</head>",
            "<body>",
            f'<header class="{tone}">',
            *head,
            "</header>",
            "<main>",
            *body,
            "</main>",
            f"<footer>Written by bizra-gate {__version__}.</footer>",
            "</body>",
            "</html>",
            "",
        ]
    )


def word(verdict: str, said: str = "") -> str:
    """A verdict's symbol and word in its colour."""
    return marked(tone(verdict), SYMBOLS[verdict], said or verdict)


def marked(css: str, symbol: str, said: str) -> str:
    """Symbol and words in the colour of a tone."""
    return f'<span class="{css}"><span class="word">{symbol} {markup(said)}</span></span>'


def code(said: object) -> str:
    return f"<code>{markup(said)}</code>"


def para(said: object, css: str = "") -> str:
    return f'<p class="{css}">{markup(said)}</p>' if css else f"<p>{markup(said)}</p>"


def items(elements: Iterable[str]) -> list[str]:
    """A list of finished elements; nothing for none."""
    inside = [f"<li>{element}</li>" for element in elements]
    return ["<ul>", *inside, "</ul>"] if inside else []


def folded(summary: str, inside: Sequence[str]) -> list[str]:
    """`inside` behind a summary, which is data; nothing for nothing."""
    return [f"<details><summary>{markup(summary)}</summary>", *inside, "</details>"] if inside else []


def table(
    caption: str, names: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int] = frozenset()
) -> list[str]:
    """A table of finished cells that becomes a stack of cards on a phone."""
    head = "".join(
        f'<th scope="col"{_n(at, numbers)} role="columnheader">{markup(name)}</th>' for at, name in enumerate(names)
    )
    lines = [
        f'<table class="cards" role="table" aria-label="{markup(caption)}">',
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>',
        '<tbody role="rowgroup">',
    ]
    for row in rows:
        cells = (
            f'<td role="cell"{_n(at, numbers)} data-label="{markup(name)}">{cell}</td>'
            for at, (name, cell) in enumerate(zip(names, row, strict=True))
        )
        lines.append(f'<tr role="row">{"".join(cells)}</tr>')
    return [*lines, "</tbody>", "</table>"]


def short(said: object) -> str:
    """A cell that stays on one line if it is short enough for a phone."""
    text = markup(said)
    return f'<span class="k">{text}</span>' if len(text) <= 34 else text


def _n(at: int, numbers: frozenset[int]) -> str:
    return ' class="n"' if at in numbers else ""


def missing_extra() -> str:
    """What to install where there are tables and no plots."""
    return para(f"Plots are left out: they need matplotlib. Install it with: {EXTRA}", "soft")
