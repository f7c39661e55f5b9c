"""The words and numbers of the Benchmark screen. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from desktop_rag.gui import words

CAPABILITIES = {
    "streaming": "Words appear as they are written",
    "seed": "Same seed, same answer",
    "prefix_reuse": "Known beginnings are not read again",
    "grammar": "Answers follow a JSON schema",
    "cancel_in_prefill": "Stops while it reads",
    "concurrency": "Several questions at once",
    "several_clients": "Several questions at once",
    "batching": "Many prompts in one call",
    "adapters": "LoRA adapters",
    "precision": "Fewer bits for weights or context",
    "quantisation": "Fewer bits for the weights",
    "several_devices": "Several devices",
    "devices": "Several devices",
    "metrics": "Counters for monitoring",
}
SIGNS = {True: ("✓", "ok", "yes"), False: ("✗", "muted", "no"), None: ("–", "muted", "could not be tried")}


def decimal(value: float | None, digits: int = 1) -> str:
    """A number, or "—" where none was measured."""
    return "—" if value is None else f"{value:.{digits}f}"


def seconds(value: float | None) -> str:
    """A time with its unit, or "—"."""
    return "—" if value is None else f"{value:.2f} s"


def percent(value: float | None) -> str:
    """A share in per cent, or "—"."""
    return "—" if value is None else f"{100 * value:.0f} %"


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The numbers of a row in the order of `COLUMNS`."""
    return (
        decimal(row.get("avg_tok_s")),
        decimal(row.get("std_tok_s")),
        seconds(row.get("avg_time_s")),
        decimal(row.get("avg_output_tokens")),
        str(row.get("n") or "—"),
        seconds(row.get("ttft_s")),
        words.memory(row.get("peak_rss_mb")),
        percent(row.get("roofline_fraction")),
    )


COLUMNS = (
    ("avg tok/s", "Mean of the prompts' own speeds, reading included"),
    ("std", "Standard deviation of the prompts' speeds"),
    ("avg time", "Time a prompt took"),
    ("avg tokens", "Tokens written, counted again from the text"),
    ("n", "Prompts measured, without the first to warm up"),
    ("first", "Time to the first token"),
    ("peak", "The most memory its process had"),
    ("of limit", "Share of what the memory of this machine allows"),
)


def when(stamp: object) -> str:
    """An ISO moment for people: "22 November, 14:05"."""
    try:
        moment = datetime.fromisoformat(str(stamp)).astimezone()
    except ValueError:
        return "Earlier"
    return f"{moment.day} {moment:%B, %H:%M}"


def record_name(record: Mapping[str, Any]) -> str:
    """An earlier run in a list."""
    rows = (record.get("result") or {}).get("rows") or []
    return f"{when(record.get('at'))} · {words.plural(len(rows), 'row')}"


def evidence(probe: Mapping[str, Any]) -> str:
    """What a tick was earned by, for its tooltip."""
    lines = [f"{key.replace('_', ' ')}: {_short(value)}" for key, value in (probe.get("evidence") or {}).items()]
    return "\n".join(lines) or "No evidence was kept."


def capability(name: str) -> str:
    """A capability in words."""
    return CAPABILITIES.get(name, name.replace("_", " ").capitalize())


def exported(report: Mapping[str, Any]) -> str:
    """A report as JSON text."""
    return json.dumps(report, ensure_ascii=False, indent=1)


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return words.file_name(text if len(text) <= 160 else f"{text[:160]}…")
