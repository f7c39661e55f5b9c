"""Questions: mapped through the vault, searched, and their answers aligned to the passages and stored."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from typing import Any

from desktop_rag.answering.citations import Aligned, Span, Support, align, closest, grade, passage_spans
from desktop_rag.answering.evidence import is_missing, unfamiliar
from desktop_rag.answering.instructions import instruction_sentences, is_instruction_like
from desktop_rag.answering.prompt import NOT_FOUND
from desktop_rag.answering.scope import whole_kind
from desktop_rag.privacy.question import MappedQuestion, map_question
from desktop_rag.privacy.rules import Rules
from desktop_rag.privacy.vault import Entry, Vault
from desktop_rag.retrieval.analyse import terms
from desktop_rag.retrieval.fuse import normalised
from desktop_rag.retrieval.modes import check_mode
from desktop_rag.retrieval.search import Ranking
from desktop_rag.retrieval.trace import trace
from desktop_rag.workers.beside import Beside
from desktop_rag.workers.hits import named, page_offsets, passages_of, surroundings
from desktop_rag.workers.library import Library
from desktop_rag.workers.ranking import explained, rank

CLOSE_ENOUGH = 0.4
REMOVED = "A document of this answer was removed while it was being written."
CHANGED = "A document of this answer was cleaned again while it was being written. Please ask once more."
QUOTATION = "The closest passage says: “{}”"


def find(
    library: Library,
    query: str,
    collection: str | None,
    mode: str,
    limit: int,
    traced: bool = False,
    explain: bool = False,
    near: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The `search` command: hits with original offsets and scrubbed text, and with `traced` how they came about.

    With `explain` each hit has "words": what each word of the question gives it by BM25. `near`: what servers found.
    """
    check_mode(mode)
    timings: dict[str, float] = {}
    collections = library.chosen(collection)
    query = _readable(query)
    mapped = _mapped(library, query, collections, timings)
    ranking = rank(library, query, mapped, collections, mode, limit, near=near)
    timings |= ranking.timings_ms
    hits = passages_of(library, ranking)
    if explain:
        for hit, told in zip(hits, explained(library, mapped, collections, ranking.order), strict=True):
            hit["words"] = told
    found = {"query": mapped.stored_text, "mode": mode, "hits": hits, "timings_ms": timings, **_went(ranking)}
    return found | ({"trace": named(library, trace(ranking))} if traced else {})


def prepare(library: Library, args: dict[str, Any]) -> dict[str, Any]:
    """Store a question and find its passages; everything `answer` needs before the model."""
    mode = str(args.get("mode") or library.settings["search"])
    check_mode(mode)
    timings: dict[str, float] = {}
    conversation = args.get("conversation")
    earlier = library.conversations.one(conversation) if conversation else {"messages": [], "collection_id": None}
    # A follow-up stays in the collection its conversation began in, whatever others there are.
    collection = args["collection"] if args.get("collection") is not None else earlier["collection_id"]
    history = earlier["messages"]
    collections = library.chosen(collection)
    question = _readable(str(args["question"]))
    mapped = _mapped(library, question, collections, timings)
    home = library.collections.need(collection)["id"] if collection is not None else None
    conversation, message = library.conversations.add_question(conversation, home, mapped.stored_text)
    policies = library.documents.policies(collections)
    limit = int(args.get("passages") or library.settings["passages"])
    asked = [m["text"] for m in history if m["role"] == "user"]
    near = list(args.get("near") or ())
    ranking = rank(library, question, mapped, collections, mode, limit, asked, near=near)
    timings |= ranking.timings_ms
    passages = passages_of(library, ranking)
    around = surroundings(library, passages, library.settings["around"])
    # Where names are masked or removed, that a name stands nowhere proves nothing: the question is judged without it.
    judged = mapped.stored_text if policies & {"mask", "remove"} else mapped.search_text
    missing, absent = _missing(library, judged, collections, passages)
    total = sum(map(library.passages, set(collections)))
    return {
        "conversation": conversation,
        "message": message,
        "question": mapped.stored_text,
        "prompt_question": mapped.search_text,
        "history": [{"role": m["role"], "content": m["text"]} for m in history],
        # What was found comes first: where there is no room for all, that stays.
        "passages": [*passages, *around],
        "coverage": {"passages_read": len(ranking.order), "passages_total": total},
        "collections": collections,
        "trace": trace(ranking),
        "whole": whole_kind(mapped.stored_text),
        "missing": missing,
        "absent": absent,
        "unknown": list(mapped.unknown),
        "policies": sorted(policies),
        "kv": library.kv.place(keep=library.settings["keep_kv"]),
        "generation": library.kv.generation,
        "timings_ms": timings,
    }


def _missing(
    library: Library, question: str, collections: list[int], passages: Sequence[dict[str, Any]]
) -> tuple[bool, list[str]]:
    """Whether the documents do not speak of what is asked, and the names and codes that are in none of them."""

    def nowhere(word: str) -> bool:
        return _nowhere(library, word, collections)

    missing, absent = is_missing(question, nowhere)
    if missing or not passages:
        return True, absent
    if not unfamiliar(question, nowhere):
        return False, absent
    best = _closest(library, question, passages)
    return not best or best[0][1] < CLOSE_ENOUGH, absent


def _nowhere(library: Library, word: str, collections: list[int]) -> bool:
    """Whether no passage holds the word; of a code with digits the whole counts, not its parts."""
    analyses = [wanted for wanted in library.lexical.analyses(word, collections) if wanted]
    if any(c.isdigit() for c in word):
        analyses = [wanted[-1:] for wanted in analyses]
    return bool(analyses) and all(library.lexical.missing(wanted, collections) == set(wanted) for wanted in analyses)


def finish(library: Library, args: dict[str, Any]) -> dict[str, Any]:
    """Align an answer to its passages, make citations, and store it (scrubbed).

    With {own_words} no quotation takes its place, and one that no passage supports is told but not stored.
    """
    started, own_words = time.perf_counter(), bool(args.get("own_words"))
    passages: list[dict[str, Any]] = list(args["passages"])
    answer, question = str(args["answer"]), str(args["prompt_question"])
    found = bool(args.get("found", True))
    held = library.documents.chunk_rows([p["chunk"] for p in passages])
    if any(p["chunk"] not in held or held[p["chunk"]]["text"] != p["text"] for p in passages):
        # A document was erased while the model was reading it, or a value in it: what was said from it goes too.
        answer, found, passages = REMOVED if len(held) < len(passages) else CHANGED, False, []
    answer = _masked(answer, args.get("unknown") or (), passages)
    draft = None
    left_out = 0
    aligned: list[Aligned] = []
    if found and answer.strip() and passages:
        aligned = _aligned(library, answer, question, passages)
        if not aligned or aligned[0].support == "unsupported":
            # An answer that starts with what no passage carries misses the question: the passage itself speaks, or what
            # the answer comes to say after all.
            draft = answer
            quoted: tuple[str, list[Aligned]] = (NOT_FOUND, []) if own_words else _quoted(library, question, passages)
            answer, aligned = quoted if quoted[1] else _from_the_first_supported(answer, aligned)
            found = bool(aligned)
        elif aligned[-1].support == "unsupported":
            # A small model rambles on after its answer; what trails it without any support is left out.
            draft, left_out = answer, _trailing(aligned)
            aligned = aligned[: len(aligned) - left_out]
            answer = answer[: aligned[-1].end]
    citations, sentences = cite(library, aligned, passages)
    result = {
        "found": found,
        "draft": draft,
        "left_out": left_out,
        "citations": citations,
        "sentences": sentences,
        "align_ms": round((time.perf_counter() - started) * 1000, 1),
    }
    if own_words and not found:
        return {**result, "answer": answer, "message": None}
    return store_answer(library, args, answer, result, _read(args, passages))


def store_answer(
    library: Library, args: dict[str, Any], answer: str, result: dict[str, Any], read: Set[str] = frozenset()
) -> dict[str, Any]:
    """Keep an answer in its {conversation} with {data} and all that `result` tells; `read`: documents it was made of.

    Returns the result with the id of the message.
    """
    result = {**result, "answer": answer}
    documents = {citation["document"] for citation in result["citations"]} | read
    data = {**dict(args.get("data") or {}), **result}
    message = library.conversations.add_answer(str(args["conversation"]), answer, data, documents)
    return {**result, "message": message}


def _read(args: dict[str, Any], passages: Sequence[dict[str, Any]]) -> set[str]:
    """The documents the model was shown; all of the passages' where that is not known."""
    used = args.get("passages_used")
    return {p["document"] for p in passages[: None if used is None else int(used)]}


def _aligned(library: Library, answer: str, question: str, passages: Sequence[dict[str, Any]]) -> list[Aligned]:
    scores = normalised({i: float(p["score"]) for i, p in enumerate(passages)})
    return align(
        answer,
        question,
        _shown_spans(passages),
        [scores[i] for i in range(len(passages))],
        terms=terms,
        encode=library.encoder.encode_all,
    )


def _shown_spans(passages: Sequence[dict[str, Any]]) -> list[Span]:
    """What the model was shown: nothing it says can rest on a sentence that was kept from it."""
    kept_from_it = {
        number: instruction_sentences(passage["text"])
        for number, passage in enumerate(passages)
        if passage.get("instruction_like")
    }
    return [
        span
        for span in passage_spans([p["text"] for p in passages])
        if not any(start < span.end and span.start < end for start, end in kept_from_it.get(span.passage, ()))
    ]


def _from_the_first_supported(answer: str, aligned: Sequence[Aligned]) -> tuple[str, list[Aligned]]:
    """An answer without what comes before its first supported sentence and after its last; that there is none."""
    borne = [number for number, item in enumerate(aligned) if item.support == "supported"]
    if not borne:
        return NOT_FOUND, []
    kept = aligned[borne[0] : borne[-1] + 1]
    begin, end = kept[0].start, kept[-1].end
    return answer[begin:end], [replace(item, start=item.start - begin, end=item.end - begin) for item in kept]


def _trailing(aligned: Sequence[Aligned]) -> int:
    """How many unsupported sentences stand at the end."""
    return next(n for n, item in enumerate(reversed(aligned)) if item.support != "unsupported")


def _quoted(library: Library, question: str, passages: Sequence[dict[str, Any]]) -> tuple[str, list[Aligned]]:
    """The sentence of the passages closest to the question as a quotation, cited; or that there is none."""
    best = _closest(library, question, passages)
    if not best or best[0][1] < CLOSE_ENOUGH:
        return NOT_FOUND, []
    text = QUOTATION.format(" ".join(best[0][0].text.split()))
    # The words are the passage's own; whether they answer the question is another matter, and what the grade tells.
    support: Support = "supported" if grade(best[0][1]) == "supported" else "weak"
    return text, [Aligned(0, len(text), support, tuple(best))]


def _closest(library: Library, question: str, passages: Sequence[dict[str, Any]]) -> list[tuple[Span, float]]:
    spans = passage_spans([p["text"] for p in passages])
    return closest(question, spans, terms=terms, encode=library.encoder.encode_all)


def _masked(answer: str, unknown: Sequence[str], passages: Sequence[dict[str, Any]]) -> str:
    """Names only the question brought are kept out of what is stored; what a passage says itself is no secret of it."""
    for value in unknown:
        if not any(value in passage["text"] for passage in passages):
            answer = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "[PERSON]", answer)
    return answer


def cite(
    library: Library, aligned: Sequence[Aligned], passages: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Citations and sentences of an answer, the spans numbered in the order in which it uses them."""
    markers: dict[Span, int] = {}
    citations: list[dict[str, Any]] = []
    sentences = []
    for item in aligned:
        used = []
        # A sentence no passage carries has nothing to cite.
        for span, strength in () if item.support == "unsupported" else item.spans:
            if span not in markers:
                markers[span] = len(markers) + 1
                citations.append(_citation(library, markers[span], span, passages[span.passage], strength))
            used.append(markers[span])
        sentences.append({"start": item.start, "end": item.end, "support": item.support, "citations": used})
    return citations, sentences


def _citation(library: Library, marker: int, span: Span, passage: dict[str, Any], strength: float) -> dict[str, Any]:
    chunk = library.documents.chunk_rows([passage["chunk"]])[passage["chunk"]]
    offsets = page_offsets(library, chunk["page_id"])
    return {
        "marker": marker,
        "document": passage["document"],
        "name": passage["name"],
        "page": passage["page"],
        "locator": passage["locator"],
        "start": offsets.to_original(chunk["start"] + span.start),
        "end": offsets.to_original(chunk["start"] + span.end, end=True),
        "text": span.text,
        "instruction_like": is_instruction_like(span.text),
        "support": "supported" if grade(strength) == "supported" else "weak",
        "strength": round(strength, 3),
        "chunk": passage["chunk"],
    }


def _readable(text: str) -> str:
    """Without halves of characters: no table and no tokenizer takes them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _mapped(library: Library, question: str, collections: list[int], timings: dict[str, float]) -> MappedQuestion:
    started = time.perf_counter()
    cleaned = [c for c in collections if (library.collections.find(c) or {}).get("policy") != "keep"]
    detector = library.detector if cleaned else None
    vaults = [library.vault(c) for c in collections]
    typed = [
        (found.start, found.end) for c in collections for found in library.substitutes(c).look_alikes(question, [])
    ]
    rules = Rules.of_all([library.rules.holding(c) for c in collections])
    mapped = map_question(question, vaults, detector, _say(library, collections), typed, rules)
    timings["scrub"] = round((time.perf_counter() - started) * 1000, 1)
    return mapped


def scrubbed(library: Library, question: str, collections: list[int]) -> str:
    """A question as it is stored: of what is private no more than its class or what stands for it here."""
    return _mapped(library, question, collections, {}).stored_text


def _say(library: Library, collections: Sequence[int]) -> Callable[[Vault, Entry, str], list[str]]:
    """What stands for an entry in the documents of its collection, however they were cleaned."""
    homes = {id(library.vault(c)): c for c in collections}
    policies = {c: library.documents.policies([c]) for c in collections}

    def say(vault: Vault, entry: Entry, written: str) -> list[str]:
        home = homes[id(vault)]
        believable = library.substitutes(home).known(entry, written) if "substitute" in policies[home] else None
        if believable is None:
            return [entry.pseudonym]
        return [believable, entry.pseudonym] if "pseudonymise" in policies[home] else [believable]

    return say


def ranked(
    library: Library, question: str, collections: list[int], mode: str, limit: int, through: Beside | None = None
) -> Ranking:
    """What `find` finds, as passages' ids, perhaps by another encoder; the timings have its other steps too."""
    timings: dict[str, float] = {}
    mapped = _mapped(library, question, collections, timings)
    ranking = rank(library, question, mapped, collections, mode, limit, through=through)
    ranking.timings_ms = timings | ranking.timings_ms
    return ranking


def _went(ranking: Ranking) -> dict[str, Any]:
    """What did not work, and how each member of a deep search did."""
    return {"notes": ranking.notes, "members": ranking.members}


def reveal(library: Library, texts: Sequence[str], collection: str | int | None = None) -> dict[str, str]:
    """The real values behind the pseudonyms and believable stand-ins in some texts, for their owner's eyes.

    Stand-ins are keyed as they are written there. `collection`: whose they are, if that is known.
    """
    wanted = {term for text in texts for term in terms(text) if term.startswith("[")}
    values: dict[str, str] = {}
    for home in library.chosen(collection):
        for text in texts:
            values.update(library.substitutes(home).real(text))
        for pseudonym, entry in library.vault(home).by_pseudonym().items():
            if pseudonym in wanted:
                values[pseudonym] = entry.value
    return values
