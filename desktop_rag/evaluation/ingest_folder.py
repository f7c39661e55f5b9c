"""Checking a watched folder in which nothing changed: what every start of the application does."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

from desktop_rag.errors import EngineError
from desktop_rag.evaluation.ingest_files import notes
from desktop_rag.evaluation.ingest_place import Crew, Found, Place
from desktop_rag.evaluation.ingest_promises import PROMISES
from desktop_rag.evaluation.rounds import collected

_NAME = "folder_check_s"


def check(place: Place) -> Found:
    """Seconds of one check, by a library process that has just started."""
    yield {"event": "progress", "text": f"entering {place.sizes.files:,} files"}
    entered(place.crew, place.folder / "notes", place.sizes.files)

    def measure(_: int) -> tuple[float, dict[str, Any]]:
        with closing(place.crew.fresh("library")) as library:
            library.call("folders")
            begun = time.perf_counter()
            (summary,) = library.call("sync")["folders"]
            seconds = time.perf_counter() - begun
        if summary["unchanged"] != place.sizes.files:
            raise EngineError("start_failed", "The check found changes where there are none.", "Please report it.")
        return seconds, {"n": summary["unchanged"], "own_s": summary["seconds"]}

    return (yield from collected(_NAME, measure, PROMISES[_NAME].rounds))


def entered(crew: Crew, folder: Path, files: int) -> None:
    """Make a folder of one-line files and let it be watched; see `ingest_entering` on how its files are entered."""
    notes(folder, files)
    with closing(crew.fresh("bench")) as worker:
        worker.call("enter_folder", folder=str(folder))
