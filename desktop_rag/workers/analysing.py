"""Documents whose words an earlier version of the analyser made are analysed anew, from the text as it is stored.

Until then they are found by the words as they were, which is worse for some languages and wrong for none.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from desktop_rag.logs import log
from desktop_rag.retrieval.analyse import ANALYSER_VERSION
from desktop_rag.store.connection import transaction
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation

_CHUNKS_A_STEP = 20


def then_refresh(library: Library, operation: Operation) -> Operation:
    """What an operation does, then `refresh`."""
    result = yield from operation
    yield from refresh(library)
    return result


def refresh(library: Library) -> Generator[dict[str, Any] | None, None, None]:
    """Analyse what is behind; a kill at any point costs a document's work at most."""
    behind = library.documents.analysed_before(ANALYSER_VERSION)
    for document in behind:
        # Others run at every `yield`: it may have been removed, or read again.
        if library.documents.exists(document):
            yield from _document(library, document)
    if behind:
        log.info("%d documents were analysed anew", len(behind))


def analyse_new(library: Library, document: str) -> Generator[None, None, None]:
    """The words of a document that came with its passages, and whose words nobody has looked at yet."""
    if library.documents.unanalysed(document):
        yield from _document(library, document)


def _document(library: Library, document: str) -> Generator[None, None, None]:
    chunks = [row["chunk"] for row in library.documents.chunks(document)]
    for at in range(0, len(chunks), _CHUNKS_A_STEP):
        with transaction(library.db):
            held = library.documents.chunk_rows(chunks[at : at + _CHUNKS_A_STEP])
            if held:
                library.lexical.remove(list(held))
            for chunk, row in held.items():
                length = library.lexical.add(chunk, f"{row['context']}\n{row['text']}")
                library.db.execute("UPDATE chunks SET length = ? WHERE id = ?", (length, chunk))
        yield None
    if library.documents.exists(document):
        library.documents.update(document, analyser_version=ANALYSER_VERSION)
