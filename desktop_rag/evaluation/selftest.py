"""`privacy selftest`: how much of planted personal data is found, and whether any of it reaches the disk.

First the application's own finder looks at documents of seven languages, as they are read from their files, whose every
private place is known. Then the same documents are really indexed, in libraries that are thrown away, under each
policy; every byte that was written is searched for every planted value, with the library unlocked and locked, and the
library's own audit is run.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import desktop_rag
from desktop_rag.evaluation.selftest_corpus import SEED, Document, documents
from desktop_rag.evaluation.selftest_read import as_read, write
from desktop_rag.evaluation.selftest_score import scores
from desktop_rag.evaluation.team import Event, Team, Worker
from desktop_rag.paths import assets_dir
from desktop_rag.privacy.audit import LEAK
from desktop_rag.privacy.scrub import POLICIES as ALL
from desktop_rag.privacy.traces import Finder, find_traces, worth_looking_for, written_files
from desktop_rag.scratch import scratch

POLICIES = tuple(policy for policy in ALL if policy != "keep")
# Kept by default and everybody's: a date or a town on the disk says nothing.
_NOT_PLANTED = frozenset({"date", "city", "organisation"})
_DOCUMENTS = "planted-documents"
# The key of a library that lives for a minute belongs into no keyring and under nobody's passphrase.
_ENVIRONMENT = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "DESKTOP_RAG_PASSPHRASE_FILE": ""}
_PACKAGES = ("presidio-analyzer", "sqlcipher3-wheels", "chromadb", "ctranslate2")
Steps = Generator[Event, None, dict[str, Any]]


class Crew(Protocol):
    """The workers of one data directory (`desktop_rag.workers.crew.Workers`)."""

    @property
    def library(self) -> Worker:
        """The process that indexes."""
        ...

    def close(self) -> None:
        """End every process."""
        ...


Hire = Callable[[Path, Mapping[str, str]], Crew]
"""Gives the workers of a data directory, with these variables in their environment."""


def selftest(
    team: Team, hire: Hire, policies: Sequence[str] = POLICIES, texts: Sequence[Document] | None = None
) -> Iterator[Event]:
    """Yields "progress" events, at last "done" with what `privacy selftest` prints."""
    began = time.monotonic()
    corpus = documents() if texts is None else texts
    read = list(as_read(corpus))
    found = yield from _find(team, read)
    wanted = planted(corpus)
    leaks = []
    for number, policy in enumerate(policies):
        part = yield from _leaks(hire, policy, corpus, wanted, (1 + number) / (1 + len(policies)))
        leaks.append(part)
    yield {
        "event": "done",
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "seconds": round(time.monotonic() - began, 1),
        "versions": _versions(),
        "recogniser": _recogniser(),
        "corpus": {
            "documents": len(corpus),
            "characters": sum(len(text.text) for text in read),
            "values": sum(len(text.spans) for text in corpus),
            "languages": sorted({text.language for text in corpus}),
            "genres": sorted({text.genre for text in corpus}),
            "seed": SEED,
        },
        **scores(read, found),
        "leaks": {"values": len(wanted), "policies": leaks},
        "passed": all(part["clean"] for part in leaks),
    }


def planted(corpus: Sequence[Document]) -> dict[str, str]:
    """The values that may stand nowhere on the disk, with their categories."""
    found = {
        document.text[span.start : span.end]: span.category
        for document in corpus
        for span in document.spans
        if span.category not in _NOT_PLANTED
    }
    return {value: category for value, category in found.items() if worth_looking_for(value)}


def _find(team: Team, corpus: Sequence[Document]) -> Generator[Event, None, list[list[Event]]]:
    """What the application finds in each document, in the process that measures."""
    found: list[list[Event]] = []
    rows = [{"id": document.id, "text": document.text} for document in corpus]
    yield _progress("looking for personal data", 0.0)
    with closing(team.fresh("pii")) as worker:
        for event in worker.stream("find_own", rows=rows):
            if event["event"] == "row":
                found.append(event["row"]["spans"])
                share = 100 * len(found) // len(corpus)
                yield _progress(f"looking for personal data {share} %", 0.25 * len(found) / len(corpus))
    return found


def _leaks(hire: Hire, policy: str, corpus: Sequence[Document], wanted: Mapping[str, str], share: float) -> Steps:
    """Index everything under one policy in a library of its own, and search what it wrote."""
    with scratch("selftest") as root:
        for part in (_DOCUMENTS, "data"):
            (root / part).mkdir(mode=0o700)
        for document in corpus:
            write(document, root / _DOCUMENTS / document.file_name)
        environment = {**_ENVIRONMENT, "DESKTOP_RAG_CONFIG_DIR": str(root / "config")}
        with closing(hire(root / "data", environment)) as crew:
            rows = yield from _indexed(crew, policy, root, len(corpus), share)
            states = [_scan("unlocked", root, wanted)]
            yield _progress(f"{policy}: searching what was written", share)
        states.append(_scan("locked", root, wanted))
        with closing(hire(root / "data", environment)) as crew:
            audit = crew.library.call("audit", collection=None)
    failed = [str(row["name"]) for row in rows if row["state"] not in ("ready", "partly_read")]
    return {
        "policy": policy,
        "documents": len(rows),
        "not_indexed": failed,
        "states": states,
        "audit": {
            key: audit[key] for key in ("files", "values", "left_out", "traces", "tables", "not_readable", "clean")
        },
        "overlooked": sum(row["count"] for row in audit["tables"] if row["kind"] == LEAK),
        "clean": not (failed or audit["traces"] or any(s["traces"] or s["not_readable"] for s in (*states, audit))),
    }


def _indexed(
    crew: Crew, policy: str, root: Path, total: int, share: float
) -> Generator[Event, None, list[dict[str, Any]]]:
    """The rows of all documents; with a search and a question, so that caches and a conversation are written too."""
    rows: list[dict[str, Any]] = []
    done: set[str] = set()
    added = crew.library.stream("add", paths=[str(root / _DOCUMENTS)], collection=None, policy=policy, review=False)
    for event in added:
        if event["event"] == "document" and event["state"] in ("ready", "partly_read", "failed"):
            done.add(event["document"])
            yield _progress(f"{policy}: indexing {100 * len(done) // max(total, len(done))} %", share)
        elif event["event"] == "done":
            rows = event["documents"]
    crew.library.call("search", query="Who signed for the deposit?", collection=None, mode="hybrid", k=5)
    crew.library.call("prepare", question="Who lives there, and under which number?", collection=None)
    return rows


def _scan(state: str, root: Path, wanted: Mapping[str, str]) -> dict[str, Any]:
    """Search every file that was written but the planted documents themselves."""
    files = [path for path in written_files(root / "data", root) if _DOCUMENTS not in path.parts]
    size = sum(path.stat().st_size for path in files if path.exists())
    values, unreadable = list(wanted), list[Path]()
    traces = [trace for trace in find_traces(Finder(values), files, unreadable) if trace is not None]
    return {
        "state": state,
        "files": len(files),
        "bytes": size,
        "not_readable": [path.name for path in unreadable],
        "traces": [
            {"file": trace.path.name, "form": trace.form, "category": wanted[values[trace.value]]} for trace in traces
        ],
    }


def _progress(text: str, fraction: float) -> Event:
    return {"event": "progress", "text": text, "fraction": round(fraction, 3)}


def _versions() -> dict[str, str]:
    found = {"desktop-rag": desktop_rag.__version__, "python": platform.python_version(), "system": platform.platform()}
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _recogniser() -> dict[str, Any]:
    """The card of the network that finds names, and the fingerprint of its weights."""
    folder = assets_dir() / "recogniser"
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    weights = hashlib.sha256((folder / "recogniser.npz").read_bytes()).hexdigest()
    return {"name": card.get("name"), "sha256": weights, "data": card.get("data"), "limits": card.get("limits")}
