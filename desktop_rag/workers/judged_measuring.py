"""Measuring the search on the user's own questions: every mode, the encoder in use, and the way both sides are joined.

The same search over the same index that answers are made from; one question by one mode is one step, so that others
wait for no more than one search. Questions of several collections are measured in each by what lies in it.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from desktop_rag.errors import UsageError
from desktop_rag.evaluation.encoders import BY_MEANING, against, better
from desktop_rag.evaluation.encoders import row as encoders_row
from desktop_rag.evaluation.encoders import verdict as encoders_verdict
from desktop_rag.evaluation.judged import Questions
from desktop_rag.evaluation.ranking import figures, ordered
from desktop_rag.evaluation.retrieval import BASE, DEPTH, Ranked, result
from desktop_rag.evaluation.verdict import FIGURE
from desktop_rag.evaluation.weighing import USUAL, WAYS, weighed
from desktop_rag.retrieval.fuse import Fusion
from desktop_rag.retrieval.modes import MODES, check_mode
from desktop_rag.retrieval.search import Ranking
from desktop_rag.store.judged import Judged
from desktop_rag.workers import beside, encoding
from desktop_rag.workers.beside import Beside
from desktop_rag.workers.judging import relevant
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.questions import ranked

_NO_FACTS = {"documents": 0, "seconds": {}}
Steps = Generator[dict[str, Any] | None, None, dict[str, Any]]
_HINT = "Call answers good, or type questions on the page “Search quality” and name the right passage."


@dataclass(slots=True)
class _Set:
    """The questions of one collection: their texts, and the chunks that answer them."""

    texts: dict[str, str] = field(default_factory=dict)
    judgements: dict[str, dict[str, int]] = field(default_factory=dict)


def measure(
    library: Library, collection: str | int | None, modes: Sequence[str] = (), encoders: Sequence[str] = ()
) -> Operation:
    """Yield "progress", return {sets, left_out}; a set is as `eval retrieval` tells it, with {collection, fusion}.

    `encoders` are measured beside the one in use, "all" means every installed one: a set has {encoders} then, see
    `evaluation.encoders`. `left_out` counts questions whose passages are nowhere now. Raises UsageError where no
    question is left.
    """
    chosen = tuple(dict.fromkeys(modes or MODES))
    for mode in chosen:
        check_mode(mode)
    sets, left_out = yield from _sets(library, library.chosen(collection))
    if not sets:
        raise UsageError("bad_request", "There are no questions of your own to measure by yet.", _HINT)
    steps = sum(len(each.texts) for each in sets.values()) * (len(dict.fromkeys((BASE, *chosen))) + 1)
    progress = _Progress(steps)
    results = []
    if encoders and not set(BY_MEANING).isdisjoint(chosen):
        for number in sets:
            yield from beside.foreseen(library, number, _wanted(library, number, encoders))
    for number, asked in sets.items():
        results.append((yield from _one(library, number, asked, chosen, progress, encoders)))
    return {"sets": results, "left_out": left_out}


class _Progress:
    def __init__(self, steps: int) -> None:
        self._steps, self._done = steps, 0

    def step(self, text: str) -> dict[str, Any]:
        """The event of one more step."""
        self._done += 1
        share = min(1.0, self._done / self._steps)
        return {"event": "progress", "text": f"{text} {100 * share:.0f} %", "fraction": share}


def _sets(library: Library, collections: Sequence[int]) -> Generator[None, None, tuple[dict[int, _Set], int]]:
    """The questions by collection, and how many have no passage in them any more."""
    sets: dict[int, _Set] = {}
    left_out = 0
    judged = Judged(library.db)
    for row in reversed(judged.all()):
        yield None
        found = relevant(library, judged.spots(row["id"]))
        left_out += not found
        for collection in found.keys() & set(collections):
            held = sets.setdefault(collection, _Set())
            held.texts[str(row["id"])] = row["question"]
            held.judgements[str(row["id"])] = {str(chunk): 1 for chunk in found[collection]}
    return sets, left_out


def _one(
    library: Library,
    collection: int,
    asked: _Set,
    modes: Sequence[str],
    progress: _Progress,
    encoders: Sequence[str],
) -> Steps:
    name = str(library.collections.need(collection)["name"])
    found: dict[str, Ranked] = {}
    for mode in dict.fromkeys((BASE, *modes)):
        found[mode] = Ranked()
        for question, text in asked.texts.items():
            yield progress.step(f"{name}: {mode}")
            ranking, spent = _searched(library, text, collection, mode)
            found[mode].run[question] = _run(ranking)
            found[mode].ms.append(spent)
            found[mode].encode_ms.append(float(ranking.timings_ms["encode"]))
    fusion = yield from _weighed(library, collection, name, asked, progress)
    in_use = library.collections.encoders(collection).in_use
    about = {
        "encoder": None if in_use is None else encoding.card(in_use),
        "documents": len(library.documents.rows(collection)),
        "seconds": {},
    }
    yield None
    told = result(name, about, Questions(asked.texts, asked.judgements), modes, found)
    # What is aimed at holds for known sets.
    told |= {"aims": [], "collection": collection, "fusion": fusion}
    return told | (yield from _side_by_side(library, collection, asked, told, found, encoders))


def _side_by_side(
    library: Library,
    collection: int,
    asked: _Set,
    own: Mapping[str, Any],
    found: Mapping[str, Ranked],
    names: Sequence[str],
) -> Steps:
    """{encoders, encoders_verdict, better_encoder}: the other encoders by the modes that they make a difference to."""
    modes = [row["mode"] for row in own["modes"] if row["mode"] in BY_MEANING]
    wanted = _wanted(library, collection, names)
    if not wanted or not modes:
        return {}
    held = Questions(asked.texts, asked.judgements)
    facts = yield from beside.timed(library, collection)
    rows = [encoders_row(facts, own["modes"], in_use=True)]
    for name in wanted:
        other = yield from beside.encoded(library, collection, name)
        runs: dict[str, Ranked] = {BASE: found[BASE]}
        for mode in modes:
            runs[mode] = Ranked()
            for question, text in asked.texts.items():
                yield {"event": "progress", "text": f"{own['set']}: {mode} by {other.encoder.card.name}"}
                other.renew(library)
                ranking, spent = _searched(library, text, collection, mode, other)
                runs[mode].run[question] = _run(ranking)
                runs[mode].ms.append(spent)
                runs[mode].encode_ms.append(float(ranking.timings_ms["encode"]))
        yield None
        told = result(str(own["set"]), {**_NO_FACTS, "encoder": other.facts["encoder"]}, held, modes, runs)
        rows.append({**encoders_row(other.facts, told["modes"], in_use=False), "against": against(held, found, runs)})
    return {"encoders": rows, "encoders_verdict": encoders_verdict(rows), "better_encoder": better(rows)}


def _wanted(library: Library, collection: int, names: Sequence[str]) -> list[str]:
    """The ids of the encoders to measure beside the one in use."""
    wanted = beside.others(library, collection) if "all" in names else [encoding.named(name).id for name in names]
    in_use = library.collections.encoders(collection).in_use
    return [name for name in dict.fromkeys(wanted) if in_use is None or name != in_use.name]


def _searched(
    library: Library, text: str, collection: int, mode: str, through: Beside | None = None
) -> tuple[Ranking, float]:
    """The ranking and its milliseconds, without the cleaning of the question, which was cleaned before it was kept."""
    begun = time.perf_counter()
    ranking = ranked(library, text, [collection], mode, DEPTH, through)
    return ranking, 1000 * (time.perf_counter() - begun) - float(ranking.timings_ms.get("scrub", 0.0))


def _run(ranking: Ranking) -> dict[str, float]:
    """Chunks with their scores; one that says the same as another takes its own place behind it."""
    return {str(one): ranking.final[chunk] for chunk in ranking.order for one in (chunk, *ranking.also.get(chunk, ()))}


# -- weights -----------------------------------------------------------------------------------


def _weighed(library: Library, collection: int, name: str, asked: _Set, progress: _Progress) -> Steps:
    """How the collection's questions fare by every way of joining, see `weighing`."""
    now = library.collections.fusion(collection) or USUAL
    by_way: dict[str, list[float]] = {way: [] for way in dict.fromkeys((now, *WAYS))}
    for question, text in asked.texts.items():
        yield progress.step(f"{name}: weights")
        stages = _searched(library, text, collection, "hybrid")[0].stages
        yield None
        for way, values in by_way.items():
            joined = _fusion(way).join(stages["dense"], stages["bm25"])
            values.append(_figure(joined, asked.judgements[question]))
    yield None
    return weighed(by_way, now)


def _fusion(way: str) -> Fusion:
    return Fusion() if way == USUAL else Fusion.read(way)


def _figure(scores: Mapping[int, float], judged: Mapping[str, int]) -> float:
    return figures(ordered({str(chunk): score for chunk, score in scores.items()}), judged)[FIGURE]
