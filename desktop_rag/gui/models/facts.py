"""The words of the Models screen: sizes, speeds, progress, fits. Pure, so that they can be tested alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from desktop_rag.gui import words

QUANTISATIONS = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0")
KV_TYPES = {"f16": "16 bits", "q8_0": "8 bits", "q4_0": "4 bits"}

DOES = {
    "encoder": "Finds passages by their meaning.",
    "reranker": "Reads the best passages again, each together with the question, in “A closer look” and “Deep search”.",
    "pii": "Finds names in English texts, as a second opinion.",
}
"""What a model does that writes no answers."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a bar: its name, MiB, and the role of its colour with an opacity."""

    name: str
    megabytes: float
    role: str
    opacity: float


def parameters(number: float | None) -> str:
    """135_000_000 -> "135 M parameters", 1_540_000_000 -> "1.5 B parameters"."""
    if not number:
        return ""
    if number >= 999.5e6:
        return f"{number / 1e9:.1f} B parameters"
    return f"{round(number / 1e6 + 1e-9)} M parameters"


def summary(row: Mapping[str, Any]) -> str:
    """Quantisation, size, parameters, context and licence in one line."""
    context = row.get("context")
    unit = "characters" if row.get("kind") == "pii" else "tokens"
    parts = (
        str(row.get("quantisation") or ""),
        words.size(row.get("size")),
        parameters(row.get("parameters")),
        f"{words.count(int(context))} {unit}" if context else "",
        str(row.get("licence") or "licence not stated"),
    )
    return " · ".join(part for part in parts if part)


def tongues(row: Mapping[str, Any]) -> str:
    """For which languages a model is, where it is told."""
    held = list(row.get("languages") or ())
    return {"en": "For English.", "mul": "For many languages."}.get(str(held[0]), "") if len(held) == 1 else ""


def fit_words(fit: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """The sentence on whether a model fits, with the role of its colour and its icon."""
    if fit is None:
        return "Working out whether it fits…", "muted", "clock"
    if fit.get("error"):
        return str(fit["error"]), "muted", "info"
    sentence = str(fit.get("sentence") or "")
    if fit.get("fits"):
        return sentence or "It fits.", "ok", "circle-check"
    return sentence or "It does not fit into the memory of this computer.", "bad", "circle-alert"


def shares(fit: Mapping[str, Any] | None) -> list[Share]:
    """The parts of the "fits" bar, in its order: model, KV, other, used by other programs, free (MiB)."""
    if not fit or not fit.get("estimate_mb"):
        return []
    need, memory = fit["estimate_mb"], fit.get("memory_mb") or {}
    weights, kv = float(need.get("weights") or 0), float(need.get("kv") or 0)
    other = max(0.0, float(need.get("total") or 0) - weights - kv)
    total, free = float(memory.get("total") or 0), float(memory.get("free") or 0)
    used = max(0.0, total - free)
    return [
        Share("Model", weights, "accent", 1.0),
        Share("KV", kv, "accent", 0.55),
        Share("Other", other, "accent", 0.28),
        Share("In use by other programs", used, "muted", 0.3),
        Share("Free", max(0.0, total - used - weights - kv - other), "line", 0.0),
    ]


def missing_mb(fit: Mapping[str, Any] | None) -> float:
    """How much memory is missing, in MiB; 0 where it fits."""
    if not fit or not fit.get("estimate_mb"):
        return 0.0
    return max(0.0, float(fit["estimate_mb"].get("total") or 0) - float((fit.get("memory_mb") or {}).get("free") or 0))


def tokens_per_second(pair: Any) -> str:
    """[9.0, 12.4] -> "9–12 tok/s"."""
    if not pair:
        return "—"
    low, high = float(pair[0]), float(pair[1])
    if high < 10:
        return f"{low:.1f}–{high:.1f} tok/s"
    return f"{low:.0f}–{high:.0f} tok/s" if round(low) != round(high) else f"{low:.0f} tok/s"


def duration(seconds: float | None) -> str:
    """About how long: "8 s", "3 min", "1 h 20 min"."""
    if seconds is None or seconds < 0 or seconds != seconds:
        return ""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def received(event: Mapping[str, Any]) -> str:
    """The line of a running download: "312 MB of 986 MB · 12 MB/s · 54 s left"."""
    got, total, rate = event.get("received"), event.get("total"), event.get("rate")
    parts = [f"{words.size(got or 0)} of {words.size(total)}" if total else words.size(got or 0)]
    if rate:
        parts.append(f"{words.size(int(rate))}/s")
        if total and (left := duration((total - (got or 0)) / rate)):
            parts.append(f"{left} left")
    return " · ".join(parts)


def share(event: Mapping[str, Any]) -> float | None:
    """How much of a download has arrived, 0..1; None where nobody knows of how much."""
    total = event.get("total")
    return float(event["received"]) / float(total) if total else None


def unfinished_key(row: Mapping[str, Any]) -> str:
    """What a download that was not finished is known by on the page: as its card or its file is, else by its folder."""
    get = row.get("get") or {}
    return str(get.get("id") or (f"{get['repo']}:{get['file']}" if get.get("repo") else row["id"]))


def goes_along(row: Mapping[str, Any], others: list[dict[str, Any]]) -> str:
    """What deleting a model frees and leaves, in sentences."""
    if str(row.get("source") or "").startswith("adopted"):
        return "It only leaves this list. The file stays where the other application keeps it."
    made = [other for other in others if other.get("parent") == row.get("id")]
    text = f"{words.size(row.get('size')) or 'Its space'} on the disk become free."
    if made:
        names = ", ".join(f"“{other.get('name')}”" for other in made)
        text += f" What was made from it stays: {names}."
    return f"{text} Saved states of conversations with it go along. Answers it wrote stay."


def title(row: Mapping[str, Any]) -> str:
    """A model's name on one line."""
    return words.file_name(row.get("name") or row.get("id") or row.get("path"))


def key(row: Mapping[str, Any]) -> str:
    """What tells a model from every other: its id, or the path of one that has none."""
    return str(row.get("id") or row.get("path") or "")
