"""Which threads, micro batch and attention kernel are fastest for one model on one machine: measured once, remembered.

Rules of thumb are wrong often enough: flash attention doubles one processor's speed and costs another
half of it. Every comparison is interleaved, so that a machine that is busy for a second slows both
sides, and the default stays unless the other clearly wins. How many threads are best depends on who
else computes: when others take much of the machine meanwhile, all cores stay the choice and nothing
more is measured.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any, Protocol, TypeVar

from desktop_rag.meter.machine import cpu_name
from desktop_rag.store.files import write_private

CLEAR_WIN = 1.03
DISTURBED = 0.2
SECONDS = 5.0
MICRO_BATCH = 128
MICRO_BATCHES = (64, 128, 256, 512)
LANE_TOKENS = 1024
FILE = "calibration.json"

_ROUNDS = 3
_SHORTEST = 0.08
_MOST_TOKENS = 24
# A typical question about documents: what a setting is judged by that changes prefill and decode at once.
_QUESTION_TOKENS, _ANSWER_TOKENS = 1000, 150

Clock = Callable[[], float]
Choice = TypeVar("Choice", bound=int)
Steps = Generator[dict[str, Any], None, "Calibration"]


class Lane(Protocol):
    """One way to run the model, with a KV memory of its own for LANE_TOKENS tokens."""

    def set_threads(self, decode: int, prefill: int) -> None:
        """From the next call on; takes no noticeable time."""
        ...

    def prefill(self, tokens: int) -> float:
        """Compute so many tokens at once behind those that are there (from the start when full); returns seconds."""
        ...

    def decode(self, tokens: int) -> float:
        """Compute so many tokens one after another; returns seconds. They leave the KV memory again."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


OpenLane = Callable[[int, bool], Lane]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was found fastest, and its speed in tokens a second (None where the time did not reach).

    `others` is the share of the processor that other processes took meanwhile: above DISTURBED the
    speeds are too low, and measuring again in a quiet moment is worth it.
    `rounds` are the raw measurements, as {"what", "choice", "seconds", "tokens"}.
    """

    threads: int
    threads_batch: int
    micro_batch: int = MICRO_BATCH
    flash_attention: bool = True
    decode_tps: float | None = None
    prefill_tps: float | None = None
    others: float = 0.0
    rounds: tuple[dict[str, Any], ...] = ()


def calibrate(
    open_lane: OpenLane,
    *,
    threads: Sequence[int] | None = None,
    seconds: float = SECONDS,
    quantised_kv: bool = False,
    clock: Clock = time.perf_counter,
    others: Clock | None = None,
) -> Steps:
    """Measure for about `seconds`; yields {"event": "calibrating", "text", "fraction"}, returns a Calibration.

    `open_lane(micro_batch, flash_attention)` opens a way to run the model. `threads` are the numbers
    to try, the first is the default; a quantised KV memory needs flash attention, so nothing is
    tried there. `others` counts the processor seconds of other processes. Closing the generator ends
    it early and frees the lanes.
    """
    choices = tuple(threads or thread_choices())
    run = _Calibrating(open_lane, choices, seconds, clock, others or others_seconds)
    return (yield from run.run(quantised_kv))


def thread_choices(cores: int | None = None) -> list[int]:
    """What is worth trying: all cores first (the default), then fewer. Cores that share their units count as well."""
    most = cores or available_cores()
    few = range(most, 0, -1) if most <= 4 else (most, most * 3 // 4, most // 2, most // 4)
    return list(dict.fromkeys(max(1, number) for number in few))


def available_cores() -> int:
    """Cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def others_seconds() -> float:
    """Processor seconds that anything but this process has taken since the machine started (stolen ones included)."""
    import psutil  # type: ignore[import-untyped]

    times = psutil.cpu_times()
    busy = sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))
    return float(busy) - time.process_time()


class _Calibrating:
    """The choices made so far, and what is left of the time."""

    def __init__(
        self, open_lane: OpenLane, threads: tuple[int, ...], seconds: float, clock: Clock, others: Clock
    ) -> None:
        self._open = open_lane
        self._threads = threads
        self._clock = clock
        self._others = others
        self._begin, self._others_begin = clock(), others()
        self._seconds = seconds
        self._rounds: list[dict[str, Any]] = []
        self._best: dict[str, Any] = {"threads": threads[0], "threads_batch": threads[0]}

    def run(self, quantised_kv: bool) -> Steps:
        lanes: dict[Any, Lane] = {True: self._lane(MICRO_BATCH, True)}
        try:
            yield self._event("how many cores are fastest")
            self._try_threads(lanes[True])
            if not quantised_kv and self._quiet() and self._left() > 0:
                yield self._event("how attention is computed")
                lanes[False] = self._lane(MICRO_BATCH, False)
                self._try_attention(lanes)
        finally:
            _close(lanes)
        if self._quiet() and self._left() > 0:
            yield self._event("how much of a prompt is read at once")
            yield from self._try_micro_batch()
        yield self._event("done", 1.0)
        return Calibration(**self._best, others=round(self._disturbance(), 3), rounds=tuple(self._rounds))

    def _lane(self, micro_batch: int, flash_attention: bool) -> Lane:
        lane = self._open(micro_batch, flash_attention)
        lane.set_threads(self._best["threads"], self._best["threads_batch"])
        return lane

    def _try_threads(self, lane: Lane) -> None:
        """Decode reads memory and can be faster on fewer cores; prefill computes, but shared cores get in its way."""
        tokens = self._enough(lane)
        decode: dict[int, list[float]] = {number: [] for number in self._threads}
        prefill: dict[int, list[float]] = {number: [] for number in self._threads}
        for _ in range(_ROUNDS):
            for number in self._threads:
                lane.set_threads(number, number)
                # The first token after a change pays for waking the threads.
                lane.decode(1)
                decode[number].append(self._measured("threads", number, lane.decode, tokens))
                prefill[number].append(self._measured("threads_batch", number, lane.prefill, tokens * 4))
            if self._left() <= 0:
                break
        if self._quiet():
            self._best["threads"] = clear_winner(decode)
            self._best["threads_batch"] = clear_winner(prefill)
        self._best["decode_tps"] = round(tokens / median(decode[self._best["threads"]]), 2)
        self._best["prefill_tps"] = round(tokens * 4 / median(prefill[self._best["threads_batch"]]), 2)
        lane.set_threads(self._best["threads"], self._best["threads_batch"])

    def _enough(self, lane: Lane) -> int:
        """How many tokens take long enough to be timed, but no longer; wakes the model up on the way."""
        lane.prefill(MICRO_BATCH // 4)
        lane.decode(1)
        speed = 2 / max(min(lane.decode(2) for _ in range(_ROUNDS)), 1e-6)
        return max(2, min(_MOST_TOKENS, round(speed * _SHORTEST)))

    def _try_attention(self, lanes: Mapping[bool, Lane]) -> None:
        """Both ways grow the same context in turns: attention costs more the longer the context is."""
        seconds: dict[bool, list[float]] = {True: [], False: []}
        step = MICRO_BATCH
        until = self._left() * 0.4
        tokens = max(2, _MOST_TOKENS // 3)
        begin = self._clock()
        for _ in range(_ROUNDS):
            for choice, lane in lanes.items():
                prefill = self._measured("flash_attention", choice, lane.prefill, step)
                decode = self._measured("flash_attention", choice, lane.decode, tokens)
                seconds[choice].append(prefill / step * _QUESTION_TOKENS + decode / tokens * _ANSWER_TOKENS)
            if self._clock() - begin > until:
                break
        self._best["flash_attention"] = clear_winner(seconds)

    def _try_micro_batch(self) -> Generator[dict[str, Any], None, None]:
        """Sizes that the time left allows; each reads as many tokens as the largest of them."""
        sizes = self._affordable()
        if len(sizes) < 2:
            return
        lanes: dict[Any, Lane] = {}
        seconds: dict[int, list[float]] = {size: [] for size in sizes}
        try:
            for size in sizes:
                lanes[size] = self._lane(size, self._best.get("flash_attention", True))
                # The first computation lays out the graph and touches the buffers.
                lanes[size].decode(1)
            for _ in range(_ROUNDS):
                for size, lane in lanes.items():
                    seconds[size].append(self._measured("micro_batch", size, lane.prefill, max(sizes)))
                yield self._event("how much of a prompt is read at once")
                if self._left() <= 0:
                    break
        finally:
            _close(lanes)
        best = clear_winner(seconds)
        self._best["micro_batch"] = best
        self._best["prefill_tps"] = round(max(sizes) / median(seconds[best]), 2)

    def _affordable(self) -> list[int]:
        """The default first, then the other sizes as long as two rounds of all of them fit into the time left."""
        speed, sizes = float(self._best["prefill_tps"]), [MICRO_BATCH]
        for size in sorted(MICRO_BATCHES, key=lambda size: (size > MICRO_BATCH, size)):
            tried = dict.fromkeys([*sizes, size])
            if 2 * len(tried) * max(tried) / speed <= self._left():
                sizes = list(tried)
        return sizes

    def _measured(self, what: str, choice: Any, run: Callable[[int], float], tokens: int) -> float:
        seconds = run(tokens)
        self._rounds.append({"what": what, "choice": choice, "seconds": round(seconds, 6), "tokens": tokens})
        return seconds

    def _quiet(self) -> bool:
        """Whether what is measured now says anything about this machine."""
        return self._disturbance() <= DISTURBED

    def _disturbance(self) -> float:
        """The share of the processor that others took so far."""
        spent = (self._clock() - self._begin) * available_cores()
        return max(0.0, self._others() - self._others_begin) / spent if spent > 0 else 0.0

    def _left(self) -> float:
        return self._seconds - (self._clock() - self._begin)

    def _event(self, text: str, fraction: float | None = None) -> dict[str, Any]:
        done = min(0.99, (self._clock() - self._begin) / self._seconds) if fraction is None else fraction
        return {"event": "calibrating", "text": text, "fraction": round(done, 2)}


def clear_winner(seconds: Mapping[Choice, Sequence[float]]) -> Choice:
    """The choice that beats the first, which is the default, by more than CLEAR_WIN; else the first.

    What counts is the median of the rounds' ratios, and that at least two rounds of three are won.
    """
    default, *others = seconds
    best, best_gain = default, CLEAR_WIN
    for choice in others:
        gains = [mine / other for mine, other in zip(seconds[default], seconds[choice], strict=True)]
        if not gains or sum(gain > 1 for gain in gains) * 3 < 2 * len(gains):
            continue
        if (gain := median(gains)) > best_gain:
            best, best_gain = choice, gain
    return best


def _close(lanes: Mapping[Any, Lane]) -> None:
    for lane in lanes.values():
        lane.close()


# --- what is remembered -----------------------------------------------------------------------


def machine_key(package: str = "llama-cpp-python") -> str:
    """Processor, cores and the library's version: when one of them changes, what was measured is void."""
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        version = "?"
    return f"{cpu_name()}, {available_cores()} cores, {package} {version}"


def model_key(path: Path) -> str:
    """Name, size and time of change of a model file; "" when it is gone."""
    try:
        stat = path.stat()
    except OSError:
        return ""
    return f"{path.name}, {stat.st_size} bytes, {stat.st_mtime_ns}"


def remembered(data_dir: Path, model: str) -> Calibration | None:
    """What was measured on this machine for the model with this key; None if nothing, or nothing readable."""
    row = _read(data_dir).get(machine_key(), {}).get(model)
    try:
        known = {field.name for field in fields(Calibration)}
        found = Calibration(**{name: value for name, value in row.items() if name in known}) if row else None
    except (TypeError, AttributeError):
        return None
    return found if found and _plausible(found) else None


def remember(data_dir: Path, model: str, calibration: Calibration) -> None:
    """Keep it in calibration.json; what was measured on a machine that this no longer is goes. Raises StoreError."""
    rows = _read(data_dir).get(machine_key(), {})
    rows[model] = asdict(calibration)
    write_private(data_dir / FILE, json.dumps({machine_key(): rows}, indent=1).encode())


def _plausible(found: Calibration) -> bool:
    numbers = (found.threads, found.threads_batch, found.micro_batch)
    return all(type(number) is int and 0 < number <= 4096 for number in numbers)


def _read(data_dir: Path) -> dict[str, dict[str, Any]]:
    try:
        content = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
        return {machine: dict(rows) for machine, rows in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
