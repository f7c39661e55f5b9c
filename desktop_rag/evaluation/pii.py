"""`eval pii`: how much of a labelled set's personal data is found, beside Presidio as it comes in the same run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from desktop_rag.errors import UsageError
from desktop_rag.evaluation.pii_score import Row, score
from desktop_rag.evaluation.team import Event, Team

_HINT = "Each line is an object with id, text, language and spans [{start, end, label}]."


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a labelled set. Raises UsageError("bad_request") where it is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("bad_request", "This file cannot be read.", _HINT) from error
    rows = [_row(line, number) for number, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise UsageError("bad_request", "There are no rows in this file.", _HINT)
    return rows


def _row(line: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
        length = len(row["text"])
        spans = [
            {**span, "start": int(span["start"]), "end": int(span["end"]), "label": str(span["label"])}
            for span in row["spans"]
        ]
        if not all(0 <= span["start"] < span["end"] <= length for span in spans):
            raise ValueError("a span lies outside its text")
        return {"id": row["id"], "text": str(row["text"]), "language": row.get("language") or "en", "spans": spans}
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError("bad_request", f"Line {number} is not a row of a labelled set.", _HINT) from error


def evaluate(team: Team, path: Path) -> Iterator[Event]:
    """Yield "progress" events, at last "done" with the figures and what was found in each row."""
    rows = read_rows(path)
    given = [{key: row[key] for key in ("id", "text", "language")} for row in rows]
    found: list[Event] = []
    with closing(team.fresh("pii")) as worker:
        for event in worker.stream("find", rows=given):
            if event["event"] == "row":
                found.append(event["row"])
                share, before = (100 * count // len(rows) for count in (len(found), len(found) - 1))
                if share > before:
                    text = f"looking for personal data {share} %"
                    yield {"event": "progress", "text": text, "fraction": len(found) / len(rows)}
            elif event["event"] == "progress":
                yield {key: event[key] for key in ("event", "text", "fraction")}
    yield {"event": "done", **result(rows, found)}


def result(rows: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of both finders, their speeds, and the spans of every row.

    `replaced` holds the same figures for what is replaced without anybody deciding.
    """
    pairs = list(zip(rows, found, strict=True))
    characters = sum(len(row["text"]) for row in rows)
    own = score(Row(row["spans"], seen["spans"]) for row, seen in pairs)
    replaced = score(Row(row["spans"], [s for s in seen["spans"] if s["replace"]]) for row, seen in pairs)
    return {
        **own,
        "replaced": {name: replaced[name] for name in ("overall", "direct", "quasi")},
        "stock": score(Row(row["spans"], seen["stock_spans"]) for row, seen in pairs),
        "chars_per_s": round(characters / sum(seen["seconds"] for seen in found)),
        "stock_chars_per_s": round(characters / sum(seen["stock_seconds"] for seen in found)),
        "rows": [{key: seen[key] for key in ("id", "spans", "stock_spans")} for seen in found],
    }


def table(done: Mapping[str, Any]) -> list[str]:
    """The figures as lines, ours beside stock Presidio's."""
    heads = f"{'recall':>7} {'F1':>6} {'F2':>6}"
    lines = [f"  {'':<34} {'precision':>9} {heads}   {'stock':>9} {heads}"]
    stock = done["stock"]
    lines += [f"  {name:<34} {_cells(done[name])}   {_cells(stock[name])}" for name in ("overall", "direct", "quasi")]
    lines.append(f"  {'replaced without a decision':<34} {_cells(done['replaced']['overall'])}")
    lines.append(f"  {'… of what is direct':<34} {_cells(done['replaced']['direct'])}")
    lines.append("by label, the class named right; last, the share found under any class, ours and stock")
    for label, row in done["labels"].items():
        other = stock["labels"][label]
        name = f"{label[:27]} ({row['spans']})"
        lines.append(f"  {name:<34} {_cells(row)}   {_cells(other)}   {row['found']:.2f} {other['found']:.2f}")
    ours, theirs = done["chars_per_s"], done["stock_chars_per_s"]
    lines.append(f"{ours:,} characters a second, stock {theirs:,}: {ours / max(1, theirs):.1f} times as fast")
    return lines


def _cells(row: Mapping[str, Any]) -> str:
    widths = {"precision": 9, "recall": 7, "f1": 6, "f2": 6}
    return " ".join(f"{'–' if row[key] is None else format(row[key], '.3f'):>{width}}" for key, width in widths.items())
