"""`bench --kills`: the library is killed (-9) in the middle of its work, again and again, and must lose nothing.

Real workers on a data directory of their own. Whatever the library said was done before it was killed has to be there
afterwards: a document that was ready is found by its words, one that was removed is not. What was not finished is
there wholly or not at all, and every part of the index has as many passages as the others.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from desktop_rag.errors import DesktopRagError, UsageError
from desktop_rag.evaluation.ingest_place import Crew, Place, Sizes, place
from desktop_rag.evaluation.retrieval import percentile
from desktop_rag.evaluation.team import Event, Worker

_COLLECTION = "Killed"
_ENCODERS = ("multilingual-e5-small", "all-MiniLM-L6-v2")
_DOCUMENTS = 24
"""About so many documents there are at any time."""
_LONG_PARAGRAPHS = 300
"""So many paragraphs fill a segment of the index of words."""
_WORKS = {"add": 6, "change": 5, "remove": 4, "add long": 1, "re-index": 2, "resume": 3, "compact": 3}
"""What is interrupted, and how often beside the others."""
_SECONDS = {"add": 0.9, "change": 0.7, "remove": 0.5, "add long": 5.0, "re-index": 2.5, "resume": 0.6, "compact": 0.2}
"""About how long each takes: the moment of the kill is drawn from so many seconds."""


@dataclass(slots=True)
class _Shelf:
    """What has to be there: by path the words that find it, several where a change was not acknowledged."""

    library: Worker
    sure: dict[Path, str] = field(default_factory=dict)
    perhaps: dict[Path, list[str | None]] = field(default_factory=dict)
    made: int = 0
    encoder: int = 0

    def __enter__(self) -> _Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self.library.close()

    def word(self) -> str:
        """A word that stands in no other document."""
        self.made += 1
        return f"zorblat{self.made}"


@dataclass(slots=True)
class _Count:
    """What came of it."""

    phases: Counter[str] = field(default_factory=Counter)
    early: int = 0
    lost: int = 0
    half: int = 0
    undone: int = 0
    unequal: int = 0
    usable: list[float] = field(default_factory=list)


def kills(hire: Callable[[Path], Crew], count: int, seed: int = 0) -> Iterator[Event]:
    """Yield "progress", at last "done" with {kills, lost, half, undone, unequal, parity_restored, phases, …}.

    `lost`: acknowledged documents that were gone; `half`: documents that were there in part, or in two versions;
    `undone`: removals that did not last; `unequal`: kills after which the parts of the index disagreed. `too_late`
    counts kills that came when the work was done already. Raises UsageError for a count below 1.
    """
    if count < 1:
        raise UsageError("bad_request", "At least one kill is needed.")
    chance, counted, begun = Random(seed), _Count(), time.perf_counter()
    with place(hire, Sizes()) as own, _Shelf(own.crew.fresh("library")) as shelf:
        for _ in range(_DOCUMENTS // 2):
            _done(own, shelf, "add", chance)
        for number in range(count):
            yield {"event": "progress", "text": f"killing {100 * number // count} %", "fraction": number / count}
            work = chance.choices(list(_WORKS), list(_WORKS.values()))[0]
            if len(shelf.sure) > _DOCUMENTS and work.startswith("add"):
                work = "remove"
            _interrupted(own, shelf, work, chance, counted)
            shelf.library.close()
            # A client of its own for every life: one whose process ends often waits before it starts another.
            shelf.library = own.crew.fresh("library")
            _looked_at(shelf, counted)
    yield {
        "event": "done",
        "kills": count,
        "seed": seed,
        "lost": counted.lost,
        "half": counted.half,
        "undone": counted.undone,
        "unequal": counted.unequal,
        "parity_restored": counted.unequal == 0,
        "phases": dict(sorted(counted.phases.items())),
        "too_late": counted.early,
        "usable_again_p50_s": percentile(counted.usable, 50),
        "usable_again_p95_s": percentile(counted.usable, 95),
        "seconds": round(time.perf_counter() - begun, 1),
    }


def lines(done: Event) -> list[str]:
    """The result for people."""
    phases = ", ".join(f"{name} {times}" for name, times in done["phases"].items())
    held = not (done["lost"] or done["half"] or done["undone"] or done["unequal"])
    return [
        f"{done['kills']} kills in {done['seconds']:.0f} s ({phases}; {done['too_late']} came too late)",
        f"{'✓' if held else '✗'} lost {done['lost']}, half there {done['half']}, removals undone {done['undone']},"
        f" parts that disagree {done['unequal']}",
        f"usable again after {done['usable_again_p50_s']:.1f} s, at worst of twenty {done['usable_again_p95_s']:.1f} s",
    ]


def _interrupted(own: Place, shelf: _Shelf, work: str, chance: Random, counted: _Count) -> None:
    """Begin something and kill the library at a moment of it."""
    library = shelf.library
    library.call("documents")  # it runs
    timer = threading.Timer(chance.uniform(0, _SECONDS[work]), os.kill, (library.pid, signal.SIGKILL))
    timer.start()
    try:
        _done(own, shelf, work, chance)
    except DesktopRagError as error:
        if error.code != "crashed":
            raise
    finally:
        timer.join()
    counted.phases[work] += 1
    counted.early += not shelf.perhaps and work not in ("re-index", "resume", "compact")


def _done(own: Place, shelf: _Shelf, work: str, chance: Random) -> None:
    """One piece of work, noted as sure when the library has said that it is done."""
    library = shelf.library
    if work in ("resume", "compact"):
        library.call(work)
    elif work == "re-index":
        library.call("collection_encoder", collection=_COLLECTION, name=_ENCODERS[shelf.encoder % len(_ENCODERS)])
        shelf.encoder += 1
    elif work == "remove" and shelf.sure:
        path = chance.choice(sorted(shelf.sure))
        shelf.perhaps[path] = [shelf.sure.pop(path), None]
        path.unlink()
        (document,) = (row["id"] for row in _rows(shelf.library) if row["path"] == str(path))
        library.call("remove", documents=[document])
        del shelf.perhaps[path]
    else:
        _written(own, shelf, work, chance)


def _written(own: Place, shelf: _Shelf, work: str, chance: Random) -> None:
    """A new document, or a new version of one."""
    changing = work == "change" and shelf.sure
    path = chance.choice(sorted(shelf.sure)) if changing else own.folder / f"{shelf.made}.txt"
    word = shelf.word()
    shelf.perhaps[path] = [shelf.sure.pop(path, None), word]
    amount = _LONG_PARAGRAPHS if work == "add long" else 4
    path.write_text("\n\n".join(_paragraph(word, number, chance) for number in range(amount)), encoding="utf-8")
    shelf.library.call("add", paths=[str(path)], review=False, collection=_COLLECTION)
    shelf.sure[path] = word
    del shelf.perhaps[path]


def _paragraph(word: str, number: int, chance: Random) -> str:
    name = chance.choice(["Jean Rivera", "Dorothy Church", "Eliza Litwa", "Maria Kowalczyk"])
    amount = chance.randrange(100, 10_000)
    text = f"Clause {number} of {word}. {name} pays {amount} euros for the boat, and {word} is kept in the harbour. "
    return text * 3


def _looked_at(shelf: _Shelf, counted: _Count) -> None:
    """Start the library again, let it finish what it can, and hold it against what has to be there."""
    library, begun = shelf.library, time.perf_counter()
    library.call("documents")
    counted.usable.append(time.perf_counter() - begun)
    library.call("resume")
    rows = {Path(row["path"]): row for row in _rows(shelf.library)}
    for path, word in shelf.sure.items():
        counted.lost += rows.get(path, {}).get("state") != "ready" or not _found(shelf.library, word, path)
    for path, words in shelf.perhaps.items():
        there = [word for word in words if word is not None and _found(shelf.library, word, path)]
        counted.half += len(there) > 1 or (path in rows) != bool(there)
        counted.lost += not there and None not in words
        if there:
            shelf.sure[path] = there[0]
            if not path.exists():
                # Removing it was interrupted: the file went before.
                path.write_text("", encoding="utf-8")
    known = {*shelf.sure, *shelf.perhaps}
    counted.undone += sum(path not in known for path in rows)
    shelf.perhaps.clear()
    counted.unequal += not library.call("doctor")["index"]["parity"]


def _rows(library: Worker) -> list[dict[str, Any]]:
    return list(library.call("documents")["documents"])


def _found(library: Worker, word: str, path: Path) -> bool:
    hits = library.call("search", query=word, mode="bm25", k=5)["hits"]
    return any(hit["name"] == path.name for hit in hits)
