"""The passages that were found, as they are told: with their place in the user's file, and with what stands around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from desktop_rag.answering.instructions import is_instruction_like, still_judged
from desktop_rag.privacy.scrub import Replacement, Scrubbed
from desktop_rag.retrieval.search import Ranking
from desktop_rag.workers.library import Library

NEIGHBOURS, SECTION = "neighbours", "section"
# So many passages of a section on either side: a contract's clause, not a whole chapter.
_MOST_OF_SECTION = 4


def page_offsets(library: Library, page: int) -> Scrubbed:
    """The page's map between scrubbed and original offsets, from its stored spans."""
    spans = [s for s in library.documents.spans(page) if s["replace"] or s["label"] == "LOOK_ALIKE"]
    return Scrubbed(
        "",
        tuple(Replacement(s["start"], s["end"], "") for s in spans),
        tuple((s["scrubbed_start"], s["scrubbed_end"]) for s in spans),
    )


def passages_of(library: Library, ranking: Ranking) -> list[dict[str, Any]]:
    """The passages of a ranking as they are told, best first."""
    rows = library.documents.chunk_rows([*ranking.order, *chain.from_iterable(ranking.also.values())])
    passages = []
    for chunk in ranking.order:
        told = _passage(library, rows[chunk])
        told |= {"score": round(ranking.final[chunk], 6), "scores": ranking.scores[chunk]}
        also = [rows[other] for other in ranking.also.get(chunk, [])]
        told["also"] = [{name: row[name] for name in ("document", "name", "page", "locator")} for row in also]
        passages.append(told)
    return passages


def surroundings(library: Library, passages: Sequence[dict[str, Any]], how: str) -> list[dict[str, Any]]:
    """What stands around the best passage in its document, in reading order, each with `around`: that passage's id.

    `how` is NEIGHBOURS (the one before and the one after), SECTION (all under the same heading that follow each
    other, up to four on either side; without a heading the neighbours), or anything else for none. Passages that
    were found themselves are left out.
    """
    if not passages or how not in (NEIGHBOURS, SECTION):
        return []
    best = passages[0]
    reach = _MOST_OF_SECTION if how == SECTION and best["context"] else 1
    near = library.documents.chunks_near(best["chunk"], reach)
    if reach > 1:
        near = _of_section(near, best)
    found = {passage["chunk"] for passage in passages}
    least = min(passage["score"] for passage in passages)
    more = {"score": least, "scores": {}, "also": [], "around": best["chunk"]}
    return [{**_passage(library, row), **more} for row in near if row["chunk"] not in found]


def _of_section(near: Sequence[dict[str, Any]], best: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The unbroken run of passages under the heading of the best one."""
    at = next(place for place, row in enumerate(near) if row["chunk"] == best["chunk"])
    first = last = at
    while first > 0 and near[first - 1]["context"] == best["context"]:
        first -= 1
    while last + 1 < len(near) and near[last + 1]["context"] == best["context"]:
        last += 1
    return list(near[first : last + 1])


def _is_instruction_like(row: Mapping[str, Any]) -> bool:
    """As it was found when the passage was written; what came otherwise is looked through now."""
    kept = still_judged(row["instruction_like"])
    return any(map(is_instruction_like, (row["text"], row["context"]))) if kept is None else kept


def _passage(library: Library, row: Mapping[str, Any]) -> dict[str, Any]:
    offsets = page_offsets(library, row["page_id"])
    return {
        "chunk": row["chunk"],
        "document": row["document"],
        "name": row["name"],
        "page": row["page"],
        "locator": row["locator"],
        "start": offsets.to_original(row["start"]),
        "end": offsets.to_original(row["end"], end=True),
        "text": row["text"],
        "context": row["context"],
        "ordinal": row["ordinal"],
        "instruction_like": _is_instruction_like(row),
    }


def named(library: Library, traced: dict[str, Any]) -> dict[str, Any]:
    """A trace with the place of each row: {document, name, page, locator}, all null where it was removed since."""
    held = library.documents.chunk_rows([row["chunk"] for row in traced["rows"]])
    where = ("document", "name", "page", "locator")
    rows = [{**row, **{key: held.get(row["chunk"], {}).get(key) for key in where}} for row in traced["rows"]]
    return {**traced, "rows": rows}
