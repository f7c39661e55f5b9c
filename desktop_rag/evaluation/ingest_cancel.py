"""How soon Cancel stops the work, in every phase of it: each round is one Cancel at another moment.

The libraries are loaded before, as the window does at its start. A phase that ended before Cancel came says nothing
and is no round; a phase without any round leaves the row without a value, for its worst case is not known.
"""

from __future__ import annotations

from desktop_rag.errors import EngineError
from desktop_rag.evaluation.ingest_cancelling import stopped
from desktop_rag.evaluation.ingest_folder import entered
from desktop_rag.evaluation.ingest_phases import phases
from desktop_rag.evaluation.ingest_place import Found, Place
from desktop_rag.evaluation.rounds import Round, event_of

_NAME = "cancel_s"


def cancels(place: Place) -> Found:
    """Rounds of every phase; a round's `parts` say in which one Cancel came, and when."""
    found: list[Round] = []
    entered(place.crew, place.folder / "notes", place.sizes.files)
    place.crew.library.call("warm")
    for phase in phases(place):
        before = len(found)
        for after in phase.moments:
            if (one := stopped(place.crew.library, phase, after)) is not None:
                found.append(one)
                yield {**event_of(_NAME, len(found), one), "phase": phase.name}
        if len(found) == before:
            raise EngineError("start_failed", f"It was over before Cancel came: {phase.name}.", "Try again.")
    return {_NAME: found}
