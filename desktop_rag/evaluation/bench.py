"""The benchmark's arithmetic and its table. Pure.

The speed of a platform is the mean of its prompts' own speeds, as in the table this one continues
(github.com/hamelsmu/llama-inference): every prompt counts the same, however long its answer was. All
tokens over all seconds is another number. The time of a prompt is that of its whole request, so
reading the prompt is in it; the time to the first token stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desktop_rag.evaluation.figures import mean, mean_of_known, spread

MIN_RUNS = 5
_COLUMNS = (
    "platform", "options", "device", "avg tok/s", "avg time (s)", "avg output tokens",
    "n", "std", "TTFT (s)", "peak RSS (MB)", "% of roofline",
)  # fmt: skip
_LEFT = 3
# `peak_rss_mb` holds MiB, as every key of that kind; people read decimal megabytes everywhere.
_MIB, _MB = 2**20, 1e6


@dataclass(frozen=True, slots=True)
class Run:
    """One prompt on one platform; times in seconds, as seen by whoever asked.

    `output_tokens` counts the tokens of `text` with the model's own tokenizer, so that it can be counted
    again; `generated_tokens` is what the engine says, which may differ by what a tokenizer joins anew.
    """

    text: str
    seconds: float
    output_tokens: int
    prompt_tokens: int | None = None
    ttft_s: float | None = None
    generated_tokens: int | None = None
    reused_tokens: int | None = None
    decode_tps: float | None = None
    prefill_tps: float | None = None
    roofline_fraction: float | None = None
    reason: str = ""

    @property
    def tok_s(self) -> float:
        """Output tokens a second of the whole request."""
        return self.output_tokens / self.seconds

    def to_payload(self) -> dict[str, Any]:
        """A JSON-ready row."""
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {"text": row.pop("text"), "tok_s": self.tok_s, **row}

    @classmethod
    def from_payload(cls, row: Mapping[str, Any]) -> Run:
        """Rebuild what `to_payload` gave; the speed is computed again, never believed."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__ if name in row})


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    """{n, avg_tok_s, std_tok_s, avg_time_s, avg_output_tokens, ttft_s, roofline_fraction}; ValueError without runs."""
    return {
        "n": len(runs),
        "avg_tok_s": mean([run.tok_s for run in runs]),
        "std_tok_s": spread([run.tok_s for run in runs]),
        "avg_time_s": mean([run.seconds for run in runs]),
        "avg_output_tokens": mean([run.output_tokens for run in runs]),
        "ttft_s": mean_of_known([run.ttft_s for run in runs]),
        "decode_tps": mean_of_known([run.decode_tps for run in runs]),
        "prefill_tps": mean_of_known([run.prefill_tps for run in runs]),
        "roofline_fraction": mean_of_known([run.roofline_fraction for run in runs]),
    }


def table(rows: Sequence[Mapping[str, Any]], skipped: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """The table as lines of text: one row a platform; a platform that could not run says why in one clause."""
    cells = [list(_COLUMNS), *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_COLUMNS))]
    lines = [
        " | ".join(
            text.ljust(width) if column < _LEFT else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    lines.insert(1, "-|-".join("-" * width for width in widths))
    return lines + [_left_out(note) for note in skipped]


def _cells(row: Mapping[str, Any]) -> list[str]:
    share, peak = row.get("roofline_fraction"), row.get("peak_rss_mb")
    return [
        str(row["platform"]),
        str(row["options"]),
        str(row["device"]),
        _number(row["avg_tok_s"], 1),
        _number(row["avg_time_s"], 2),
        _number(row["avg_output_tokens"], 1),
        str(row["n"]),
        _number(row["std_tok_s"], 1),
        _number(row.get("ttft_s"), 2),
        _number(None if peak is None else peak * _MIB / _MB, 0),
        _number(None if share is None else 100 * share, 0),
    ]


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _left_out(note: Mapping[str, Any]) -> str:
    error = note["error"]
    name = f"{note['platform']} | {note['options']}" if note.get("options") else str(note["platform"])
    return f"{name} | {error['message']} {error.get('hint') or ''}".rstrip()
