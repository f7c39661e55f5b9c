"""Reading every passage there is for one question, with progress; and storing what was found as quotes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, get_args

from desktop_rag.answering.citations import Aligned, Span, passage_spans, says_nothing
from desktop_rag.answering.evidence import ASKING
from desktop_rag.answering.scope import Kind, subject
from desktop_rag.answering.whole import Place, Reading
from desktop_rag.errors import UsageError
from desktop_rag.retrieval.analyse import terms
from desktop_rag.retrieval.encode import Encoder
from desktop_rag.retrieval.search import Ranking
from desktop_rag.workers.hits import passages_of
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.questions import cite, store_answer

# More lines than anybody checks; how many there are is told.
_MOST_LINES = 60
# The cosine of a question and a sentence that have nothing to do with each other, where it is not near 0: the median
# over questions and sentences of other articles.
_UNRELATED = {"multilingual-e5-small": 0.74}
# Passages read in one step, so that nothing waits long.
_A_STEP = 8


def read_all(library: Library, args: dict[str, Any]) -> Operation:
    """{question, kind, collections} -> {places, passages: those they stand in, …}; yields "reading_all" events.

    The question is the scrubbed one. A document that is removed meanwhile is left out.
    """
    kind, collections = _kind(args["kind"]), [int(each) for each in args["collections"]]
    asked = subject(str(args["question"]))
    encoder = _encoder(library, collections)
    unrelated = _UNRELATED.get(encoder.card.name, 0.0)
    words = frozenset(chain.from_iterable(library.lexical.analyses(asked, collections)))
    wanted = words.difference(terms(" ".join(ASKING))) or words
    reading = Reading(encoder.encode_query(asked), wanted, kind, unrelated)
    rows = [row for each in collections for row in library.documents.rows(each) if row["encoded"]]
    total = {row["id"]: (len(library.documents.chunks(row["id"])), row["pages_read"] or 0) for row in rows}
    told: dict[str, Any] = {
        "event": "reading_all",
        "passages_total": sum(passages for passages, _ in total.values()),
        "pages_total": sum(pages for _, pages in total.values()),
        "passages_read": 0,
        "pages_read": 0,
    }
    yield dict(told)
    for row in rows:
        reading.named(row["id"], terms(Path(row["name"]).stem, row["language"]))
        for chunks in _steps(library, row["id"]):
            _read(reading, encoder, row, chunks)
            told["passages_read"] += len(chunks)
            yield dict(told)
        told["pages_read"] += total[row["id"]][1]
    places = reading.kept(_MOST_LINES)
    counts = {name: told[name] for name in ("passages_read", "passages_total", "pages_read", "pages_total")}
    told_places = [_payload(place) for place in places]
    return {
        "places": told_places,
        "passages": _passages(library, told_places),
        "sentences": reading.sentences,
        **counts,
    }


def _kind(name: object) -> Kind:
    for kind in get_args(Kind):
        if kind == name:
            return kind  # type: ignore[no-any-return]
    raise UsageError("bad_request", f"There is no way of reading called “{name}”.")


def _encoder(library: Library, collections: Sequence[int]) -> Encoder:
    """One for all, so that what it says of one sentence compares with what it says of another."""
    held = list(library.encoders(collections).values()) or [library.encoder]
    return max(held, key=lambda encoder: "mul" in (encoder.card.details.get("languages") or ()))


def _steps(library: Library, document: str) -> list[list[dict[str, Any]]]:
    chunks = library.documents.chunks(document) if library.documents.exists(document) else []
    return [chunks[at : at + _A_STEP] for at in range(0, len(chunks), _A_STEP)]


def _read(reading: Reading, encoder: Encoder, document: dict[str, Any], chunks: Sequence[dict[str, Any]]) -> None:
    spans = [passage_spans([chunk["text"]]) for chunk in chunks]
    vectors = encoder.encode_all([span.text for found in spans for span in found])
    at = 0
    for chunk, found in zip(chunks, spans, strict=True):
        reading.read(
            document["id"],
            chunk["chunk"],
            [(span.start, span.end, span.text) for span in found],
            [terms(span.text, document["language"]) for span in found],
            vectors[at : at + len(found)],
            [says_nothing(span.text) for span in found],
        )
        at += len(found)


def _payload(place: Place) -> dict[str, Any]:
    return {"chunk": place.chunk, "start": place.start, "end": place.end, "text": place.text, "fit": place.fit}


def quote_all(library: Library, args: dict[str, Any]) -> dict[str, Any]:
    """Store the {places} that `read_all` found as the answer to a question: a line each, word for word, cited.

    A place that does not say the same any more, for its document was removed or cleaned again, is left out.
    """
    held = library.documents.chunk_rows(list({place["chunk"] for place in args["places"]}))
    places = [place for place in args["places"] if _still_says(held.get(place["chunk"]), place)]
    passages = _passages(library, places)
    order = [passage["chunk"] for passage in passages]
    lines: list[str] = []
    aligned: list[Aligned] = []
    at = 0
    for place in places:
        line = f"- {' '.join(place['text'].split())}"
        span = Span(order.index(place["chunk"]), place["start"], place["end"], place["text"])
        aligned.append(Aligned(at, at + len(line), "supported", ((span, 1.0),)))
        lines.append(line)
        at += len(line) + 1
    citations, sentences = cite(library, aligned, passages)
    result = {"citations": citations, "sentences": sentences, "draft": None, "left_out": 0, "found": bool(lines)}
    return store_answer(library, args, "\n".join(lines) or str(args["nothing"]), result)


def _passages(library: Library, places: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The passages that places stand in, each once, in their order."""
    order = list(dict.fromkeys(place["chunk"] for place in places))
    return passages_of(library, Ranking(order=order, final=dict.fromkeys(order, 1.0), scores={c: {} for c in order}))


def _still_says(chunk: dict[str, Any] | None, place: dict[str, Any]) -> bool:
    return chunk is not None and chunk["text"][place["start"] : place["end"]] == place["text"]
