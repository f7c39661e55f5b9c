"""What each way of being faster brought on this machine: before and after, from the records of its own runs. Pure.

A lever that was not measured has no gain; nothing is taken from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
_FULL, _SHORT = "float32", "int8"


@dataclass(frozen=True, slots=True)
class Gain:
    """One lever: how many times faster, what was compared, and when (the record's time)."""

    lever: str
    gain: float
    before: str
    after: str
    at: str

    def to_payload(self) -> dict[str, Any]:
        """A JSON-ready row."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def gains(benches: Sequence[Record], targets: Sequence[Record], probes: Sequence[Record]) -> list[Gain]:
    """The gains that the records prove, each lever from its newest record; records come newest first."""
    found: dict[str, Gain] = {}
    for source, records in ((_of_bench, benches), (_of_targets, targets), (_of_probes, probes)):
        for record in records:
            for gain in source(record):
                found.setdefault(gain.lever, gain)
    return sorted(found.values(), key=lambda gain: -gain.gain)


def _of_bench(record: Record) -> Iterator[Gain]:
    rows = list(record["result"]["rows"])
    at = str(record["at"])
    by_name = {(row["platform"], _last_word(row["options"])): row for row in rows}
    pairs = (
        ("low_precision", by_name.get(("CTranslate2", _FULL)), by_name.get(("CTranslate2", _SHORT))),
        ("quantisation", by_name.get(("llama.cpp", "F16")), by_name.get(("llama.cpp", "Q4_0"))),
    )
    for lever, before, after in pairs:
        if before and after:
            yield _between(lever, before, after, at)
    if len({row["platform"] for row in rows}) > 1:
        ordered = sorted(rows, key=lambda row: float(row["avg_tok_s"]))
        yield _between("engine", ordered[0], ordered[-1], at)


def _of_targets(record: Record) -> Iterator[Gain]:
    values = {target["name"]: target["value"] for target in record["result"]["targets"]}
    at = str(record["at"])
    if values.get("lookup_extractive"):
        yield Gain("prompt_lookup", values["lookup_extractive"], "greedy", "with prompt lookup", at)
    if values.get("ttft_followup"):
        yield Gain("prefix_reuse", 1 / values["ttft_followup"], "first question", "follow-up's first token", at)


def _of_probes(record: Record) -> Iterator[Gain]:
    for engine in record["result"]["engines"]:
        for probe in engine["probes"]:
            gain = probe["evidence"].get("gain")
            if probe["capability"] == "batching" and gain:
                name = str(engine["engine"])
                yield Gain("batching", float(gain), f"{name}, one by one", f"{name}, in one call", str(record["at"]))


def _between(lever: str, before: Mapping[str, Any], after: Mapping[str, Any], at: str) -> Gain:
    return Gain(lever, float(after["avg_tok_s"]) / float(before["avg_tok_s"]), _called(before), _called(after), at)


def _called(row: Mapping[str, Any]) -> str:
    return f"{row['platform']} {row['options']}".strip()


def _last_word(options: object) -> str:
    return str(options).rsplit(" ", 1)[-1]
