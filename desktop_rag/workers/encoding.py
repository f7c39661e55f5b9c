"""Which encoder a collection's vectors come from, and changing it without a moment in which nothing can be found.

English documents are encoded by MiniLM, which is fast. As soon as a collection holds more than a few documents of other
languages it changes to the encoder for all languages: new documents get vectors by both, the others get theirs beside
in the background, then one transaction switches, and the old vectors go. What is left to do is asked of the database,
so a kill at any point costs no more than the batch at work.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError, UsageError
from desktop_rag.logs import log
from desktop_rag.models.catalogue import Entry, find, load_catalogue
from desktop_rag.retrieval.encode import Vectors
from desktop_rag.store import served
from desktop_rag.store.collections import StoredEncoder
from desktop_rag.store.connection import transaction
from desktop_rag.workers.library import ENCODER_MODEL, Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.overlapping import Waiting, awaited, overlapped

MULTILINGUAL = "multilingual-e5-small-ct2-int8"
# From this share of its documents on, other languages than English count: a single letter among a hundred, or a page
# of figures that looks like no language, would make the search in all the others slower and worse.
OTHERS = 0.05
_CHUNKS_A_STEP = 32
_VECTORS_A_STEP = 500
Steps = Generator[dict[str, Any] | None, None, None]


def encode_document(library: Library, row: dict[str, Any]) -> Waiting[None]:
    """Vectors for all chunks of a document, by every encoder at work on its collection when this ends."""
    document, collection = row["id"], row["collection_id"]
    with transaction(library.db):
        _choose(library, collection)
    # Others run at every `yield`: one of them may begin, or end, a change of encoder.
    while lacking := _lacking(library, collection, document):
        for encoder in lacking:
            yield from _encode(library, encoder, library.documents.unencoded(document, encoder.id))


def check_writable(library: Library, collection: int) -> None:
    """Raise SearchError("fingerprint_changed") where no encoder of a collection is installed any more."""
    _at_work(library, collection)


def _choose(library: Library, collection: int) -> None:
    """Give an empty collection its encoder; let one that holds enough of other languages change."""
    state = library.collections.encoders(collection)
    if state.in_use is None or (not state.chosen and not library.vectors.any(collection)):
        library.collections.set_encoder(collection, _kept_as(library, _suited(library, collection)))
        return
    settled = state.chosen or state.next is not None or state.in_use.name == MULTILINGUAL
    if not settled and _suited(library, collection) == MULTILINGUAL:
        library.collections.set_next_encoder(collection, _kept_as(library, MULTILINGUAL), chosen=False)


def _suited(library: Library, collection: int) -> str:
    """The installed encoder for a collection's languages; without the one for all, MiniLM does what it can."""
    languages = library.documents.languages(collection)
    others = sum(count for language, count in languages.items() if language != "en")
    if others and others >= OTHERS * sum(languages.values()):
        installed = find(MULTILINGUAL).installed_path(paths.models_dir()) is not None
        return MULTILINGUAL if installed else ENCODER_MODEL
    return ENCODER_MODEL


def _kept_as(library: Library, name: str) -> int:
    return library.vectors.encoder_id(library.card(name))


def _at_work(library: Library, collection: int) -> list[StoredEncoder]:
    """The encoders that new documents need vectors of, without what is not installed any more while it is replaced.

    Raises SearchError("fingerprint_changed") where none of them is installed.
    """
    state = library.collections.encoders(collection)
    wanted = [encoder for encoder in (state.in_use, state.next) if encoder is not None]
    installed = [encoder for encoder in wanted if library.is_installed(encoder)]
    if wanted and not installed:
        library.check_encoder(collection)
    return installed


def _lacking(library: Library, collection: int, document: str) -> list[StoredEncoder]:
    return [e for e in _at_work(library, collection) if library.documents.unencoded(document, e.id)]


def _encode(library: Library, encoder: StoredEncoder, chunks: Sequence[dict[str, Any]]) -> Waiting[None]:
    """Vectors of some chunks to the database, a batch a transaction."""
    texts = [f"{c['context']}\n{c['text']}" if c["context"] else c["text"] for c in chunks]
    model = yield from awaited(library.beside, lambda: library.encoder_named(encoder.name))
    batches = model.encode(texts)
    while found := (yield from awaited(library.beside, lambda: next(batches, None))):
        indexes, vectors = found
        by_chunk: dict[int, Vectors] = {chunks[i]["chunk"]: vector for i, vector in zip(indexes, vectors, strict=True)}
        with transaction(library.db):
            library.vectors.add(encoder.id, by_chunk)
        yield None


# -- changing a collection's encoder -----------------------------------------------------------


def choose(library: Library, collection: int, name: str) -> Operation:
    """Change a collection to the encoder a person named; from then on nothing changes it by itself.

    Raises UsageError for an unknown name, ModelError("not_installed").
    """
    chosen = named(name)
    yield None
    with transaction(library.db):
        number = _kept_as(library, chosen.id)
        in_use = library.collections.encoders(collection).in_use
        if in_use is None:
            library.collections.set_encoder(collection, number)
        same = in_use is None or in_use.id == number
        library.collections.set_next_encoder(collection, None if same else number, chosen=True)
    yield from change(library)
    return {"collection": described(library, library.collections.need(collection))}


def installed() -> list[Entry]:
    """The encoders that can be used: those that come with the application, as they are made for it."""
    return [entry for entry in load_catalogue() if entry.kind == "encoder" and entry.source.converted_from]


def named(name: str) -> Entry:
    """The encoder of the catalogue with this id, or of the model with this name. Raises UsageError."""
    usable = {entry.id: entry for entry in installed()}
    names = {_shown(entry).casefold(): entry for entry in usable.values()}
    found = usable.get(name) or names.get(name.casefold())
    if found is None:
        known = ", ".join(_shown(entry) for entry in usable.values())
        raise UsageError("bad_request", f"There is no encoder “{name}”.", f"Choose one of: {known}.")
    return found


def _shown(entry: Entry) -> str:
    return find(str(entry.source.converted_from)).name


def then_change(library: Library, operation: Operation) -> Operation:
    """What an operation does that brings documents, then `change`."""
    result = yield from operation
    try:
        yield from change(library)
    except DesktopRagError as error:
        # The documents are there and can be found; the next start goes on.
        log.warning("changing an encoder %s", error.code)
    return result


def change(library: Library) -> Steps:
    """Finish every change of encoder that was begun, and remove what earlier ones left."""
    for row in library.collections.all():
        # Another operation may be at it.
        if row["id"] in library.changing:
            continue
        library.changing.add(row["id"])
        try:
            yield from _change(library, row["id"], str(row["name"]))
            while library.collections.remove_left_over(row["id"], _VECTORS_A_STEP):
                yield None
        finally:
            library.changing.discard(row["id"])


def _change(library: Library, collection: int, name: str) -> Steps:
    """Encode what the next encoder lacks, then switch in one step."""
    while (following := library.collections.encoders(collection).next) is not None:
        told = {"event": "encoding", "collection": name, "encoder": following.card.get("name")}
        yield {**told, **_progress(library, collection, following)}
        chunks = library.documents.all_unencoded(collection, following.id, _CHUNKS_A_STEP)
        if not chunks:
            _switch(library, collection, following)
            return
        yield from overlapped(iter([_encode(library, following, chunks)]))


def _progress(library: Library, collection: int, encoder: StoredEncoder) -> dict[str, int]:
    done, total = library.vectors.count(collection, encoder.id), library.documents.passages(collection)
    return {"passages_done": done, "passages": total}


def _switch(library: Library, collection: int, following: StoredEncoder) -> None:
    # First the cache: killed in between, it must not hold the old encoder's vectors under the same ids.
    if library.private(collection):
        library.drop_cache()
    with transaction(library.db):
        library.collections.set_encoder(collection, following.id)
    library.vectors.forget(collection)
    log.info("a collection changed its encoder")


# -- telling -----------------------------------------------------------------------------------


def described(library: Library, row: dict[str, Any]) -> dict[str, Any]:
    """A collection's row with its encoder's card, whether it is installed, and how far a change to another is."""
    state = library.collections.encoders(row["id"])
    following = state.next
    return {
        **row,
        "encoder": None
        if state.in_use is None
        else {**card(state.in_use), "installed": library.is_installed(state.in_use)},
        "encoder_chosen": state.chosen,
        "fusion": library.collections.fusion(row["id"]),
        "server": served.server(library.db, row["id"]),
        "next_encoder": None if following is None else {**card(following), **_progress(library, row["id"], following)},
    }


def card(encoder: StoredEncoder) -> dict[str, Any]:
    """What an encoder is, in the words of the terminal's JSON; what its card does not say is null."""
    held = encoder.card
    plain = ("dimension", "parameters", "max_tokens", "pooling", "query_prefix", "document_prefix", "normalised")
    rest = ("licence", "languages", "runtime", "compute_type")
    return {
        "name": held.get("name"),
        "id": held.get("id"),
        **{key: held.get(key) for key in (*plain, *rest)},
        "sha256": held.get("model_sha256"),
        "fingerprint": encoder.fingerprint,
    }
