"""`eval retrieval`: how well each mode of the search ranks the documents of judged sets.

Every set is indexed in a library of its own, in a process of its own, with the application's own parts. The figures
are made from the rankings here, so that they can be made again from the run that is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from desktop_rag.errors import StoreError
from desktop_rag.evaluation import encoders as encoders_
from desktop_rag.evaluation import retrieval_aims
from desktop_rag.evaluation.ingest_place import Crew
from desktop_rag.evaluation.judged import Questions, questions, trec_lines
from desktop_rag.evaluation.ranking import FIGURES, averaged, by_question
from desktop_rag.evaluation.team import Event, Worker
from desktop_rag.evaluation.verdict import FIGURE, Compare, best_part, verdict
from desktop_rag.retrieval.modes import MODES, check_mode
from desktop_rag.scratch import scratch

DEPTH = 100
"""So many passages are ranked for each question: as many as the search fuses."""
_COMPARED = 100
"""So many questions show what a search for the nearest vectors overlooks."""
BASE = "bm25"
"""The mode that every other is held against."""
Hire = Callable[[Path, Mapping[str, str]], Crew]
"""Gives the workers of a data directory, with these variables in their environment."""
# The key of a library that lives for minutes belongs into no keyring and under nobody's passphrase.
_ENVIRONMENT = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "DESKTOP_RAG_PASSPHRASE_FILE": ""}
Run = dict[str, dict[str, float]]


@dataclass(slots=True)
class Ranked:
    """What one mode gave: the ranking of every question, and its milliseconds."""

    run: Run = field(default_factory=dict)
    ms: list[float] = field(default_factory=list)
    encode_ms: list[float] = field(default_factory=list)


def evaluate(
    hire: Hire,
    folders: Sequence[Path],
    *,
    modes: Sequence[str] = (),
    encoders: Sequence[str] = (),
    reranker: str | None = None,
    run: Path | None = None,
) -> Iterator[Event]:
    """Yield "progress", "set" with the result of each set, at last "done" with {sets} (of one set: its own result).

    The first of `encoders` makes the index; others are measured beside it (a set has {encoders} then, see
    `evaluation.encoders`). `reranker` is the folder of a cross-encoder.
    Raises UsageError for a mode that does not exist and for what is no judged set, before anything is measured.
    """
    chosen = tuple(dict.fromkeys(modes or MODES))
    for mode in chosen:
        check_mode(mode)
    sets = [(folder, questions(folder)) for folder in folders]
    results: list[Event] = []
    for folder, asked in sets:
        found, runs = yield from _one(hire, folder, asked, chosen, encoders, reranker)
        if run is not None:
            _write(run if len(sets) == 1 else run.with_stem(f"{run.stem}.{folder.name}"), runs)
        results.append(found)
        yield {"event": "set", **found}
    yield {"event": "done", **(results[0] if len(results) == 1 else {"sets": results})}


def _one(
    hire: Hire, folder: Path, asked: Questions, modes: Sequence[str], encoders: Sequence[str], reranker: str | None
) -> Generator[Event, None, tuple[Event, dict[str, Run]]]:
    """The result of one set, and the runs it was made from."""
    ranked: dict[str, Ranked] = {}
    with _library(hire) as worker:
        filled: Event = {}
        for event in worker.stream("fill", folder=str(folder), encoder=next(iter(encoders), None), reranker=reranker):
            if event["event"] == "progress":
                yield {**event, "text": f"{folder.name}: {event['text']}"}
            elif event["event"] == "done":
                filled = event
        # Whatever was asked for, the words alone are what it is held against.
        for mode in dict.fromkeys((BASE, *modes)):
            ranked[mode] = yield from _asked(worker, folder.name, asked, mode)
        if "dense" in modes and filled["documents"] and filled["encoder"]:
            yield {"event": "progress", "text": f"{folder.name}: what Chroma's graph would find"}
            told = worker.call("hnsw", questions=list(asked.texts.values())[:_COMPARED])
            filled["nearest"] = {key: value for key, value in told.items() if key not in ("event", "id")}
        if "tfidf" in modes:
            filled["length_bias"] = worker.call("length_bias", questions=list(asked.texts.values()))["terms"]
        told = result(folder.name, filled, asked, modes, ranked)
        told |= yield from _beside(worker, asked, told, ranked, encoders[1:])
    return told, {mode: ranked[mode].run for mode in modes}


def _beside(
    worker: Worker, asked: Questions, own: Event, ranked: Mapping[str, Ranked], names: Sequence[str]
) -> Generator[Event, None, Event]:
    """{encoders, encoders_verdict} where there are other encoders to measure beside the first."""
    modes = [row["mode"] for row in own["modes"] if row["mode"] in encoders_.BY_MEANING]
    rows: list[Event] = []
    for name in names if modes else ():
        facts: Event = {}
        for event in worker.stream("beside", encoder=name):
            if event["event"] == "progress":
                yield event
            elif event["event"] == "done":
                facts = event
        runs = {BASE: ranked[BASE]}
        for mode in modes:
            runs[mode] = yield from _asked(worker, own["set"], asked, mode, beside=True)
        told = result(own["set"], {"documents": 0, "seconds": {}, "encoder": facts["encoder"]}, asked, modes, runs)
        rows = rows or [encoders_.row(facts["own"], own["modes"], in_use=True)]
        kept = {key: facts[key] for key in ("encoder", "size_mb", "passages_s")}
        row = encoders_.row(kept, told["modes"], in_use=False)
        rows.append({**row, "against": encoders_.against(asked, ranked, runs)})
    return {"encoders": rows, "encoders_verdict": encoders_.verdict(rows)} if rows else {}


@contextmanager
def _library(hire: Hire) -> Iterator[Worker]:
    """A process with a library of its own, gone afterwards.

    The environment of this process stays as it is: the window's own workers may start meanwhile.
    """
    with scratch("bench") as root:
        environment = {**_ENVIRONMENT, "DESKTOP_RAG_CONFIG_DIR": str(root / "config")}
        (root / "data").mkdir(mode=0o700)
        with closing(hire(root / "data", environment)) as crew, closing(crew.fresh("retrieval")) as worker:
            yield worker


def _asked(
    worker: Worker, name: str, asked: Questions, mode: str, *, beside: bool = False
) -> Generator[Event, None, Ranked]:
    found = Ranked()
    total = len(asked.texts)
    for event in worker.stream("rank", mode=mode, questions=dict(asked.texts), depth=DEPTH, beside=beside):
        if event["event"] != "ranked":
            continue
        found.run[event["question"]] = {str(document): float(score) for document, score in event["documents"]}
        found.ms.append(float(event["ms"]))
        found.encode_ms.append(float(event["encode_ms"]))
        done = len(found.run)
        if 100 * done // total > 100 * (done - 1) // total:
            yield {"event": "progress", "text": f"{name}: {mode} {100 * done // total} %", "fraction": done / total}
    return found


def result(
    name: str, filled: Mapping[str, Any], asked: Questions, modes: Sequence[str], ranked: Mapping[str, Ranked]
) -> dict[str, Any]:
    """The figures of every mode, the comparisons that matter, and what they mean."""
    from desktop_rag.evaluation.bootstrap import Comparison, compared  # numpy, for this measurement alone

    figures = {mode: by_question(ranked[mode].run, asked.judgements) for mode in ranked}

    @cache
    def compare(mode: str, other: str) -> Comparison:
        ours, theirs = ([row[FIGURE] for row in figures[each].values()] for each in (mode, other))
        return compared(ours, theirs)

    rows = []
    for mode in modes:
        means = averaged(figures[mode].values())
        row: dict[str, Any] = {"mode": mode, **{key: round(means[key], 6) for key in FIGURES}}
        row |= {"p50_ms": percentile(ranked[mode].ms, 50), "p95_ms": percentile(ranked[mode].ms, 95)}
        row["encode_p50_ms"] = percentile(ranked[mode].encode_ms, 50)
        rows.append(row | {"p_vs_bm25": None if mode == BASE else round(compare(mode, BASE).p, 5)})
    card = filled["encoder"]
    done = {
        "set": name,
        "modes": rows,
        "comparisons": list(_comparisons({row["mode"]: row for row in rows}, compare)),
        "verdict": verdict(rows, compare, str(card["name"]) if card else "the encoder"),
        "encoder": card,
        "length_bias": filled.get("length_bias"),
        "nearest": filled.get("nearest"),
        "documents": filled["documents"],
        "queries": len(asked.texts),
        "depth": DEPTH,
        "seconds": filled["seconds"],
    }
    return {**done, "aims": retrieval_aims.judged(done)}


def _comparisons(rows: Mapping[str, Mapping[str, Any]], compare: Compare) -> Iterator[dict[str, Any]]:
    """Every mode against BM25, and against the best of what it is made of (`part`)."""
    for mode in rows:
        part = best_part(mode, rows)
        for other in dict.fromkeys(each for each in (BASE, part) if each in rows and each != mode):
            found = compare(mode, str(other))
            row = {key: round(getattr(found, key), 6) for key in ("difference", "low", "high", "p")}
            yield {"mode": mode, "against": other, "part": other == part, **row}


def percentile(values: Sequence[float], share: int) -> float | None:
    """The value that so many percent of the values do not exceed; None without values."""
    held = sorted(values)
    return round(held[max(0, math.ceil(share * len(held) / 100) - 1)], 3) if held else None


def _write(path: Path, runs: Mapping[str, Run]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for mode, run in runs.items():
                file.writelines(trec_lines(mode, run))
    except OSError as error:
        raise StoreError(
            "read_only", f"“{path.name}” cannot be written: {error.strerror}.", "Choose another place for --run."
        ) from error
