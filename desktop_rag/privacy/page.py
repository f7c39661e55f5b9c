"""Pages a person can keep: one HTML file without scripts or anything from elsewhere, made to be printed. Pure.

Qt's rich text shows them too, so their style is what both understand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
@page { margin: 18mm }
body { font-family: "Segoe UI", "Helvetica Neue", Arial, sans-serif; font-size: 10.5pt; line-height: 1.45;
  color: #1a1f29; background: #ffffff; max-width: 190mm; margin: 24px auto; padding: 0 16px }
h1 { font-size: 19pt; font-weight: 600; margin: 0 0 4px 0 }
h2 { font-size: 12.5pt; font-weight: 600; margin: 22px 0 6px 0; page-break-after: avoid }
p { margin: 4px 0 8px 0 }
p.muted, td.muted { color: #566072 }
p.good { color: #1b7a3d; font-weight: 600; font-size: 12pt }
p.bad { color: #b3261e; font-weight: 600; font-size: 12pt }
table { border-collapse: collapse; width: 100%; margin: 6px 0 10px 0 }
th { text-align: left; font-weight: 600; border-bottom: 1px solid #566072; padding: 3px 10px 3px 0 }
td { border-bottom: 1px solid #dde1e7; padding: 3px 10px 3px 0; vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
td.weak { text-align: right; font-variant-numeric: tabular-nums; color: #b3261e; font-weight: 600 }
tr { page-break-inside: avoid }
li { margin: 2px 0 }
"""


def page(title: str, subtitle: str, parts: Iterable[str]) -> str:
    """The whole file; `parts` are HTML, made by the functions below."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f'<p class="muted">{escape(subtitle)}</p>\n' + "\n".join(parts) + "\n</body></html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A heading with what is under it."""
    return "\n".join([f"<h2>{escape(title)}</h2>", *parts])


def text(words: str, kind: str = "") -> str:
    """A paragraph; `kind`: "good", "bad" or "muted"."""
    return f'<p class="{kind}">{escape(words)}</p>' if kind else f"<p>{escape(words)}</p>"


def points(lines: Iterable[str]) -> str:
    """A list."""
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


Cell = str | tuple[str, str]
"""Its text, or (text, "number" | "weak" | "muted")."""


def table(heads: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> str:
    """A table; without heads, a list of facts."""
    body = "".join(_row("td", row) for row in rows)
    return f"<table>{'<thead>' + _row('th', heads) + '</thead>' if heads else ''}<tbody>\n{body}</tbody></table>"


def _row(tag: str, cells: Sequence[Cell]) -> str:
    return f"<tr>{''.join(_cell(tag, cell) for cell in cells)}</tr>\n"


def _cell(tag: str, cell: Cell) -> str:
    words, kind = (cell, "") if isinstance(cell, str) else cell
    # Qt's rich text knows no alignment by style sheet in a cell.
    mark = f' class="{kind}"' + (' align="right"' if kind in ("number", "weak") else "") if kind else ""
    return f"<{tag}{mark}>{escape(words)}</{tag}>"
