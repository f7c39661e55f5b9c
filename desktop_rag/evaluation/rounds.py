"""Rounds of a comparison: both sides one after the other, on a machine that may be doing other things.

Every round says how much of the machine others took while it ran. A round that was disturbed is
repeated, a bounded number of times, and stays in the record: nothing is dropped in silence.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

import psutil  # type: ignore[import-untyped]

from desktop_rag.evaluation.figures import median_interval
from desktop_rag.evaluation.team import Event

ROUNDS = 5
EXTRA_ROUNDS = 3
BUSY_LOAD = 2.5
BUSY_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Instead:
    """What counts where a bound is beyond the machine: the ratio that rounds tell as `part` when it is, else None."""

    part: str
    bound: float
    what: str


@dataclass(frozen=True, slots=True)
class Target:
    """One promise: its name, its bound, which side of it is good, and whether other processes disturb it."""

    name: str
    bound: float
    at_least: bool
    what: str
    timed: bool = True
    instead: Instead | None = None

    def met(self, value: float) -> bool:
        """Whether a value keeps the promise."""
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True, slots=True)
class Round:
    """One measured value, what it was made from, and what else the machine did meanwhile.

    `load` is the system's load average, `cpu_seconds` what our processes used, `others` the share of
    all cores that other processes took.
    """

    value: float
    parts: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    load: float | None = None
    cpu_seconds: float | None = None
    others: float | None = None
    disturbed: bool = False


class Surroundings:
    """Looks at the machine before and after a round."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._busy, self._steal = _busy_seconds()
        self._own = _own_seconds()

    def around(self, value: float, parts: dict[str, Any]) -> Round:
        """The round that ended just now."""
        seconds = time.perf_counter() - self._begun
        busy, steal = _busy_seconds()
        # A process that ended meanwhile takes its count with it; it is added to its parent's.
        own = max(0.0, _own_seconds() - self._own)
        cores = psutil.cpu_count() or 1
        taken = max(0.0, busy - self._busy - own + steal - self._steal)
        # The system counts in hundredths of a second: in a short round they can be more than there was.
        others = min(1.0, taken / max(seconds * cores, 1e-9))
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        disturbed = others > BUSY_SHARE or (
            load is not None and load > BUSY_LOAD * cores / 2 and others > BUSY_SHARE / 2
        )
        return Round(value, parts, round(seconds, 3), load, round(own, 2), round(others, 3), disturbed)


def repeat(
    measure: Callable[[int], tuple[float, dict[str, Any]]], rounds: int = ROUNDS, extra: int = EXTRA_ROUNDS
) -> Iterator[Round]:
    """Measure until `rounds` undisturbed rounds are there, at most `extra` times more than that.

    `measure` gets the number of the round, so that it can change which side goes first.
    """
    calm = 0
    for number in range(rounds + extra):
        surroundings = Surroundings()
        value, parts = measure(number)
        result = surroundings.around(value, parts)
        calm += not result.disturbed
        yield result
        if calm >= rounds:
            return


def collected(
    name: str,
    measure: Callable[[int], tuple[float, dict[str, Any]]],
    rounds: int = ROUNDS,
    extra: int = EXTRA_ROUNDS,
) -> Generator[Event, None, dict[str, list[Round]]]:
    """The rounds of one row under its name, each told as an event when it ends; see `repeat`."""
    found: list[Round] = []
    for one in repeat(measure, rounds, extra):
        found.append(one)
        yield event_of(name, len(found), one)
    return {name: found}


def counted(found: list[Round], rounds: int = ROUNDS) -> list[Round]:
    """The rounds a value is made of: the undisturbed ones, and the least disturbed of the others up to `rounds`."""
    return [one for one, counts in zip(found, _counting(found, rounds), strict=True) if counts]


def _counting(found: list[Round], rounds: int = ROUNDS) -> list[bool]:
    calm = sum(not one.disturbed for one in found)
    restless = sorted((at for at, one in enumerate(found) if one.disturbed), key=lambda at: found[at].others or 0.0)
    chosen = set(restless[: max(0, rounds - calm)])
    return [not one.disturbed or at in chosen for at, one in enumerate(found)]


def verdict(target: Target, found: list[Round]) -> dict[str, Any]:
    """The target's JSON: `value` is the median of `rounds`; `details` has every round, counted or not."""
    counting = _counting(found) if target.timed else [True] * len(found)
    values = [one.value for one, counts in zip(found, counting, strict=True) if counts]
    value = median(values)
    low, high = median_interval(values)
    instead = _instead(target, [one for one, counts in zip(found, counting, strict=True) if counts])
    return {
        **_head(target),
        "value": value,
        "met": target.met(value) or bool(instead and instead["met"]),
        "instead": instead,
        "rounds": values,
        "interval": [low, high],
        "details": [{**asdict(one), "counted": counts} for one, counts in zip(found, counting, strict=True)],
        "error": None,
    }


def _instead(target: Target, found: list[Round]) -> dict[str, Any] | None:
    """The other ratio, where most rounds say that the bound is beyond the machine."""
    if target.instead is None:
        return None
    values = [ratio for one in found if (ratio := one.parts.get(target.instead.part)) is not None]
    if 2 * len(values) <= len(found):
        return None
    value = median(values)
    bound = target.instead.bound
    return {"what": target.instead.what, "value": value, "target": bound, "met": value >= bound, "rounds": values}


def unmeasured(target: Target, error: dict[str, str]) -> dict[str, Any]:
    """The JSON of a target that could not be measured: no value, and the reason."""
    return {**_head(target), "value": None, "met": None, "rounds": [], "interval": None, "details": [], "error": error}


def event_of(name: str, number: int, one: Round) -> Event:
    """A round as an event on the way."""
    return {"event": "round", "name": name, "number": number, "value": one.value, "disturbed": one.disturbed}


def _head(target: Target) -> dict[str, Any]:
    return {"name": target.name, "target": target.bound, "at_least": target.at_least, "what": target.what}


def _busy_seconds() -> tuple[float, float]:
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    steal = getattr(times, "steal", 0.0)
    # The guests' time is in `user` already.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return sum(times) - idle - steal - guests, steal


def _own_seconds() -> float:
    """CPU seconds of this process, its living children, and those it has waited for."""
    mine = psutil.Process()
    total = 0.0
    for process in [mine, *mine.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += (
            times.user + times.system + getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        )
    return total
