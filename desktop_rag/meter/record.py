"""The meter's record of one answer, saved with it: where the time went, how fast, in how much memory.

A plain mapping of numbers and names, without a word of the question or the answer. What was not
measured is None.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STAGES = ("load", "scrub", "search", "rerank", "prefill", "decode")
# The library's steps that together are the search.
SEARCHING = frozenset({"search", "encode", "dense", "lexical", "bm25", "fuse", "passages"})
VERSION = 1
# Where a record comes from: an answer to a question, or a row of the benchmark.
ANSWER, BENCHMARK = "answer", "benchmark"


@dataclass(frozen=True, slots=True)
class MeterRecord:
    """One answer. Speeds in tokens a second, `stages` in milliseconds, `memory_mb` in MiB, sizes in bytes.

    `family` tells models of the same weights in other quantisations, `passages` how many were read,
    `kv_type`, `threads`, `gpu_layers` and `lookup` how it was loaded, `source` what was measured.
    """

    engine: str = ""
    model: str = ""
    family: str = ""
    options: str = ""
    device: str = "cpu"
    threads: int | None = None
    layers: int | None = None
    gpu_layers: int | None = None
    kv_type: str | None = None
    lookup: bool | None = None
    passages: int | None = None
    context: int | None = None
    context_used: int | None = None
    prompt_tokens: int | None = None
    reused_tokens: int | None = None
    generated_tokens: int | None = None
    prefill_tps: float | None = None
    decode_tps: float | None = None
    ttft_s: float | None = None
    drafted: int = 0
    accepted: int = 0
    roofline_fraction: float | None = None
    read_bytes: int | None = None
    kv_token_bytes: int | None = None
    joules: float | None = None
    stages: Mapping[str, float] = field(default_factory=dict)
    memory_mb: Mapping[str, float] = field(default_factory=dict)
    source: str = ANSWER

    @property
    def mean_context(self) -> float:
        """Tokens in the context half-way through the answer: what a decoded token reads back on average."""
        return (self.prompt_tokens or 0) + (self.generated_tokens or 0) / 2

    def to_json(self) -> dict[str, Any]:
        """A plain mapping; `from_json` reads it back."""
        return {**dataclasses.asdict(self), "version": VERSION}


_FIELDS = {item.name for item in dataclasses.fields(MeterRecord)}


def from_json(row: Mapping[str, Any]) -> MeterRecord:
    """A record from its mapping; unknown keys are ignored."""
    return MeterRecord(**{name: value for name, value in row.items() if name in _FIELDS})


def record_of(done: Mapping[str, Any], loaded: Mapping[str, Any] | None = None) -> MeterRecord:
    """The record of an answer from its `done` event and what the chat process said about the `loaded` model."""
    usage = dict(done.get("usage") or {})
    about = {**dict(loaded or {}), **{key: done[key] for key in ("engine", "model", "device") if done.get(key)}}
    coverage = dict(done.get("coverage") or {})
    memory = {name: float(size) for name, size in dict(done.get("memory_mb") or {}).items() if size is not None}
    values = {name: value for name, value in {**about, **usage}.items() if name in _FIELDS and value is not None}
    values |= {
        "stages": stages_of(done),
        "memory_mb": memory,
        "passages": coverage.get("passages_read", usage.get("passages")),
    }
    return MeterRecord(**values)


def stages_of(done: Mapping[str, Any]) -> dict[str, float]:
    """Milliseconds by stage, in order; the steps of searching are summed up, what took nothing is left out."""
    found = {**dict(done.get("timings_ms") or {}), **dict((done.get("usage") or {}).get("stages") or {})}
    sums = dict.fromkeys(STAGES, 0.0)
    for name, value in found.items():
        stage = "search" if name in SEARCHING else name
        if stage in sums and value is not None:
            sums[stage] += float(value)
    return {name: round(value, 1) for name, value in sums.items() if value > 0}
