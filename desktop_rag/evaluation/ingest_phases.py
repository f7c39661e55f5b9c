"""The phases of the work in which Cancel is pressed, with the files that make each of them long."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from desktop_rag.evaluation.ingest_cancelling import Phase, Sign, length
from desktop_rag.evaluation.ingest_files import scanned_pdf, text_pdf
from desktop_rag.evaluation.ingest_place import Place

_HASHED_BYTES = 190_000_000
_SCANS = 3
# Progress is told after so many pages.
_TOLD_PAGES = 20


def phases(place: Place) -> Iterator[Phase]:
    """Every phase in the order in which a document goes through them, then the check of a folder.

    How long cleaning and checking take is found out before: Cancel is pressed at some shares of it.
    """
    adding = _Adding()
    report = text_pdf(place.folder / "report.pdf", place.sizes.pages)
    yield Phase("hashing a large file", "add", adding.new(_zeros(place.folder / "large.txt")), None, _told, (0.02, 0.1))
    yield Phase("reading a PDF", "add", adding.new(report), _state("reading"), _state("cleaning"), (0.05, 0.5))
    yield Phase("after its last page", "add", adding.new(report), _last_pages, _state("indexing"), (0.0, 0.3))
    scan = scanned_pdf(place.folder / "scan.pdf", _SCANS)
    yield Phase("reading a scan", "add", adding.new(scan), _state("reading"), _state("cleaning"), (0.5, 3.0))
    part = adding.new(text_pdf(place.folder / "part.pdf", max(2, place.sizes.pages // 8)), "pseudonymise")
    yield Phase("finding personal data", "add", part, _last_pages, _state("cleaning"), (0.3, 1.0, 3.0))
    cleaning = Phase("cleaning and cutting", "add", adding.new(report), _state("cleaning"), _state("indexing"))
    yield cleaning.at(length(place.crew.library, cleaning), (0.1, 0.4, 0.6, 0.8))
    again = adding.again(report)
    yield Phase("encoding", "add", again, _state("indexing"), _state("ready"), (0.05, 0.5, 2.0))
    checking = Phase("checking a folder", "sync", dict, None, lambda event: event["event"] == "done")
    yield checking.at(length(place.crew.library, checking), (0.1, 0.4, 0.6, 0.8))


class _Adding:
    """Arguments of requests to add one file."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self, path: Path, policy: str = "keep") -> Callable[[], dict[str, Any]]:
        """Each time into a new collection, where nothing is known of the file yet."""
        return lambda: self._into(next(self._numbers), path, policy)

    def again(self, path: Path) -> Callable[[], dict[str, Any]]:
        """Into one collection each time: the work goes on where it was ended."""
        number = next(self._numbers)
        return lambda: self._into(number, path, "keep")

    @staticmethod
    def _into(number: int, path: Path, policy: str) -> dict[str, Any]:
        return {"paths": [str(path)], "collection": f"collection {number}", "policy": policy, "review": False}


def _state(state: str) -> Sign:
    return lambda event: event.get("state") == state


def _told(event: dict[str, Any]) -> bool:
    return bool(event["event"] == "document")


def _last_pages(event: dict[str, Any]) -> bool:
    return bool(event["event"] == "reading" and event["pages_read"] > event["pages"] - _TOLD_PAGES)


def _zeros(path: Path) -> Path:
    """A large file that takes no room."""
    with path.open("wb") as file:
        file.truncate(_HASHED_BYTES)
    return path
