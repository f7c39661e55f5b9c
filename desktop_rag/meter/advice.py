"""“Why is it this fast?” and “Make it faster”: short texts from the numbers of a record, pure.

Every number in a text is one of the record's, the machine's or the shape's, or follows from them by
the roofline. A lever's gain is the ratio of two measured medians, or None where nothing was measured:
nobody is promised a speed-up that was not seen on this machine. Answers are compared with answers and
benchmark rows with benchmark rows: their prompts are of different lengths.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from desktop_rag.engines.registry import LLAMA_CPP
from desktop_rag.meter.bound import bound_of, counted_cores
from desktop_rag.meter.machine import Machine
from desktop_rag.meter.record import ANSWER, BENCHMARK, MeterRecord
from desktop_rag.meter.roofline import limit_tps, reached_gbs

MOST_FACTS = 6
LONG_PREFILL_MS = 1000.0
MB = 1e6
# What people are told about where a gain comes from.
SOURCES = {ANSWER: "Measured in answers.", BENCHMARK: "Measured in the benchmark."}


@dataclass(frozen=True, slots=True)
class Fact:
    """One reason: a `name`, the `value` to show large, and a sentence."""

    name: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Gain:
    """How many `times` faster something was on this machine, in which records (a key of SOURCES), and what it was."""

    times: float
    source: str
    choice: Any = None


@dataclass(frozen=True, slots=True)
class Lever:
    """One thing to try; `found` is what it brought in records of this machine, None if it was never measured."""

    name: str
    found: Gain | None
    reason: str

    @property
    def gain(self) -> float | None:
        """How many times faster it was."""
        return self.found.times if self.found else None

    @property
    def value(self) -> str:
        """The gain for people."""
        return f"{self.found.times:.2f}×" if self.found else "not measured yet"

    @property
    def text(self) -> str:
        """The reason, and where the number comes from."""
        return f"{self.reason} {SOURCES[self.found.source]}" if self.found else self.reason

    def to_json(self) -> dict[str, Any]:
        """{name, value, gain, source, text}; gain and source are null where nothing was measured."""
        source = self.found.source if self.found else None
        return {"name": self.name, "value": self.value, "gain": self.gain, "source": source, "text": self.text}


def advise(
    record: MeterRecord,
    records: Sequence[MeterRecord],
    machine: Machine | None = None,
    read_types: Mapping[str, int] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Both cards as JSON: {"why": [{name, value, text}], "faster": [{name, value, gain, source, text}]}."""
    return {
        "why": [asdict(fact) for fact in why(record, machine, read_types)],
        "faster": [lever.to_json() for lever in faster(record, records, machine)],
    }


def why(record: MeterRecord, machine: Machine | None = None, read_types: Mapping[str, int] | None = None) -> list[Fact]:
    """Three to six reasons for the speed of `record`; `read_types` are bytes a token reads by type of weights.

    Fewer only where the record lacks the numbers (an engine behind an address tells little).
    """
    facts = [
        fact
        for fact in (
            _reads(record),
            _limit(record, machine),
            _bound(record, machine, read_types),
            _first_token(record),
            _reuse(record),
            _lookup(record),
            _where(record),
        )
        if fact is not None
    ]
    return facts[:MOST_FACTS]


def _reads(record: MeterRecord) -> Fact | None:
    if not record.read_bytes:
        return None
    kv = (record.kv_token_bytes or 0) * record.mean_context
    value = f"{(record.read_bytes + kv) / MB:,.0f} MB"
    context = f" and {kv / MB:,.0f} MB of its memory of the conversation" if kv else ""
    return Fact(
        "Read for every token", value, f"Each token reads {record.read_bytes / MB:,.0f} MB of weights{context}."
    )


def _limit(record: MeterRecord, machine: Machine | None) -> Fact | None:
    if machine is None or not record.read_bytes or record.decode_tps is None or record.device != "cpu":
        return None
    gbs = machine.gbs_for(record.read_bytes)
    limit = limit_tps(record.read_bytes, record.kv_token_bytes or 0, record.mean_context, gbs)
    share = record.roofline_fraction if record.roofline_fraction is not None else record.decode_tps / limit
    text = f"This machine reads {gbs:.1f} GB/s, enough for {_speed(limit)}; this answer: {_speed(record.decode_tps)}."
    return Fact("Of this machine's limit", _percent(share), text)


def _bound(record: MeterRecord, machine: Machine | None, read_types: Mapping[str, int] | None) -> Fact | None:
    if machine is None or not record.read_bytes or not read_types or record.device != "cpu":
        return None
    # The kernels that were measured are llama.cpp's.
    found = bound_of(machine, read_types, record.read_bytes, _reached(record)) if record.engine == LLAMA_CPP else None
    if found is None:
        return None
    return Fact("The bound", counted_cores(found.cores) if found.kind == "cores" else "memory", found.sentence)


def _reached(record: MeterRecord) -> float:
    """GB/s that the answer's passes moved; tokens that lookup brought came without a pass of their own."""
    passes = 1 - record.accepted / max(1, record.generated_tokens or 0, record.accepted)
    return reached_gbs(
        (record.decode_tps or 0.0) * passes, record.read_bytes or 0, record.kv_token_bytes or 0, record.mean_context
    )


def _first_token(record: MeterRecord) -> Fact | None:
    prefill, total = record.stages.get("prefill"), sum(ms for name, ms in record.stages.items() if name != "decode")
    if not prefill:
        return None
    fresh = (record.prompt_tokens or 0) - (record.reused_tokens or 0)
    speed = f" at {_speed(record.prefill_tps)}" if record.prefill_tps else ""
    text = f"Reading {fresh:,} tokens of question and passages{speed} took {_seconds(prefill)} of {_seconds(total)}."
    return Fact("Until the first word", _seconds(total), text)


def _reuse(record: MeterRecord) -> Fact | None:
    if not record.reused_tokens or not record.prompt_tokens:
        return None
    text = f"{record.reused_tokens:,} of {record.prompt_tokens:,} tokens were still in memory and not read again."
    return Fact("Kept from before", _percent(record.reused_tokens / record.prompt_tokens), text)


def _lookup(record: MeterRecord) -> Fact | None:
    if not record.drafted:
        return None
    text = f"{record.accepted:,} of {record.drafted:,} tokens tried out of the passages were right."
    return Fact("Copied from the passages", _percent(record.accepted / record.drafted), text)


def _where(record: MeterRecord) -> Fact | None:
    if not record.engine:
        return None
    threads = f", {record.threads} thread{'' if record.threads == 1 else 's'}" if record.threads else ""
    split = f", {record.gpu_layers} of {record.layers} layers on GPU" if record.gpu_layers and record.layers else ""
    kind = f" ({record.options})" if record.options else ""
    return Fact("Run by", record.engine, f"{record.engine}{kind} on {record.device}{threads}{split}.")


# --- make it faster ------------------------------------------------------------------------------

Same = tuple[Any, ...]


def faster(record: MeterRecord, records: Sequence[MeterRecord], machine: Machine | None = None) -> list[Lever]:
    """What could make answers like `record` faster, the largest measured gain first, then what was not measured.

    `records` are earlier ones of this machine, answers and benchmark rows, the newest of these first; a
    lever's gain compares those that differ in nothing else.
    """
    levers = [lever for make in _LEVERS if (lever := make(record, records, machine)) is not None]
    # A lever that made it slower here is no lever.
    useful = [lever for lever in levers if lever.gain is None or lever.gain > 1]
    return sorted(useful, key=lambda lever: -(lever.gain or 0))


def _setting(record: MeterRecord, *, but: str) -> Same:
    names = ("family", "engine", "options", "kv_type", "threads", "gpu_layers", "lookup")
    loose = {"options": {"options"}, "engine": {"engine", "options", "lookup", "threads", "kv_type"}}
    return tuple(getattr(record, name) for name in names if name not in loose.get(but, {but}))


Better = Callable[[MeterRecord], bool]


def _gain(record: MeterRecord, records: Sequence[MeterRecord], but: str, better: Better) -> Gain | None:
    """What settings that are `better` in one thing brought: in answers, or else in the benchmark."""
    in_answers = _gain_over(record, [other for other in records if other.source == ANSWER], but, better)
    if in_answers is not None:
        return in_answers
    benchmark = [other for other in records if other.source == BENCHMARK and other.decode_tps]
    # The benchmark chooses threads and lookup itself: its own row of this model is what its others compare with.
    same = ("family", "engine", "options", but)
    own = (other for other in benchmark if all(getattr(other, name) == getattr(record, name) for name in same))
    base = next(own, None)
    return _gain_over(base, benchmark, but, better) if base is not None else None


def _gain_over(record: MeterRecord, records: Iterable[MeterRecord], but: str, better: Better) -> Gain | None:
    """The best median decode speed of settings that are `better` in one thing, over the own setting's median."""
    fixed, own_setting = _setting(record, but=but), _setting(record, but="")
    alike = [other for other in records if other.decode_tps is not None and _setting(other, but=but) == fixed]
    own = [other.decode_tps for other in alike if _setting(other, but="") == own_setting] or [record.decode_tps]
    by_choice: dict[Any, list[float]] = {}
    for other in alike:
        if better(other):
            by_choice.setdefault(getattr(other, but), []).append(other.decode_tps or 0.0)
    base = statistics.median(speed for speed in own if speed is not None) if any(own) else 0.0
    if not by_choice or not base:
        return None
    medians = {choice: statistics.median(speeds) for choice, speeds in by_choice.items()}
    best = max(medians, key=lambda choice: medians[choice])
    return Gain(round(medians[best] / base, 3), record.source, best)


def _quantisation(record: MeterRecord, records: Sequence[MeterRecord], _: Machine | None) -> Lever | None:
    if not record.read_bytes or not record.family:
        return None
    size = record.read_bytes
    gain = _gain(record, records, "options", lambda other: bool(other.read_bytes) and (other.read_bytes or 0) < size)
    if gain is None and record.options.upper().startswith(("Q4", "Q3", "Q2", "IQ")):
        return None
    return Lever("A smaller quantisation", gain, "Fewer bits a weight are fewer bytes to read for every token.")


def _kv_type(record: MeterRecord, records: Sequence[MeterRecord], _: Machine | None) -> Lever | None:
    if record.kv_type != "f16" or record.engine != "llama.cpp":
        return None
    gain = _gain(record, records, "kv_type", lambda other: other.kv_type in ("q8_0", "q4_0"))
    return Lever("KV memory in 8 bits", gain, "Halves what a long conversation adds to every token's reading.")


def _threads(record: MeterRecord, records: Sequence[MeterRecord], machine: Machine | None) -> Lever | None:
    if machine is None or not record.threads or record.threads >= machine.cores or record.device != "cpu":
        return None
    used = record.threads
    gain = _gain(record, records, "threads", lambda other: (other.threads or 0) > used)
    return Lever("More threads", gain, f"{used} of {machine.cores} cores are used.")


def _gpu(record: MeterRecord, records: Sequence[MeterRecord], _: Machine | None) -> Lever | None:
    layers, now = record.layers or 0, record.gpu_layers or 0
    gain = _gain(record, records, "gpu_layers", lambda other: (other.gpu_layers or 0) > now)
    if gain is None and (now == 0 or now >= layers):
        # Without a device that was ever used there is nothing to offer.
        return None
    return Lever("More layers on the GPU", gain, f"{now} of {layers} layers are there now.")


def _copying(record: MeterRecord, records: Sequence[MeterRecord], _: Machine | None) -> Lever | None:
    if record.lookup is not False or record.engine != "llama.cpp":
        return None
    gain = _gain(record, records, "lookup", lambda other: other.lookup is True)
    return Lever("Copy from the passages", gain, "Words that stand in a passage are checked several at once.")


def _engine(record: MeterRecord, records: Sequence[MeterRecord], _: Machine | None) -> Lever | None:
    if not record.family:
        return None
    gain = _gain(record, records, "engine", lambda other: other.engine != record.engine)
    return None if gain is None else Lever("Another engine", gain, f"The same model ran faster in {gain.choice}.")


def _passages(record: MeterRecord, records: Sequence[MeterRecord], _: Machine | None) -> Lever | None:
    prefill = record.stages.get("prefill", 0.0)
    if (record.passages or 0) < 2 or prefill < LONG_PREFILL_MS:
        return None
    passages, setting = record.passages or 0, _setting(record, but="passages")
    waits = [
        other.ttft_s
        for other in records
        if other.ttft_s and not other.reused_tokens and 0 < (other.passages or 0) < passages
        if _setting(other, but="passages") == setting
    ]
    times = round(record.ttft_s / statistics.median(waits), 3) if waits and record.ttft_s else None
    gain = Gain(times, ANSWER) if times else None
    return Lever("Fewer passages", gain, f"Reading {passages} passages took {_seconds(prefill)} before the first word.")


_LEVERS: tuple[Callable[[MeterRecord, Sequence[MeterRecord], Machine | None], Lever | None], ...] = (
    _quantisation,
    _kv_type,
    _threads,
    _gpu,
    _copying,
    _engine,
    _passages,
)


def _speed(tps: float) -> str:
    return f"{tps:.1f} tok/s" if tps < 10 else f"{tps:,.0f} tok/s"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 100 else f"{milliseconds:.0f} ms"
