"""What was found later is replaced in what was indexed before.

A value that the recogniser missed in one document is found in another, and a rule is made after documents were
indexed. So whenever documents have become ready, and after a new rule, all other documents of the collection are looked
through for what is new. What stands in one is taken out of what is stored of it: nothing is read again, so it costs no
recognition of scans, works when the file has gone, and changes nothing that a person decided.

What has been looked for, and looked through, is noted in the database when it is done: a kill costs a second look. A
document that was just cleaned is looked through for everything. Documents of the policy "keep" are left alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from typing import Any

from desktop_rag.errors import SearchError, StoreError
from desktop_rag.logs import log
from desktop_rag.privacy.findings import MemoryRows
from desktop_rag.privacy.sieve import Sieve
from desktop_rag.privacy.vault import Vault
from desktop_rag.store.connection import transaction
from desktop_rag.store.looks import Looks
from desktop_rag.workers import indexing
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.mending import Mending
from desktop_rag.workers.rows import document_row
from desktop_rag.workers.standing import Sought

_VALUES_A_STEP = 2_000
Found = Generator[dict[str, Any] | None, None, list[str]]


def then_clean_again(library: Library, operation: Operation) -> Operation:
    """What an operation does that makes documents ready, then `clean_again`.

    Its result has `cleaned_again` besides: how many documents were, None if that could not be finished.
    """
    result = yield from operation
    try:
        cleaned = set((yield from clean_again(library))["documents"])
    except StoreError as error:
        # Nothing is noted as done: the next look makes up for it.
        log.warning("cleaning again %s", error.code)
        return {**result, "cleaned_again": None}
    rows = [
        document_row(library, row["id"], known=row["known"])
        if row["id"] in cleaned and library.documents.exists(row["id"])
        else row
        for row in result["documents"]
    ]
    return {**result, "documents": rows, "cleaned_again": len(cleaned)}


def clean_again(library: Library) -> Operation:
    """Look for what is new in all documents; {documents: the ids of those that were cleaned again, cleaned_again}."""
    looks, cleaned = Looks(library.db), list[str]()
    rules = looks.new_rules()
    for collection in [row["id"] for row in library.collections.all()]:
        terms = [rule["term"] for rule in rules if rule["collection_id"] in (None, collection)]
        cleaned += yield from _look_through(library, looks, collection, terms)
    looks.looked_for_rules(rules)
    if cleaned:
        yield from indexing.run(library, cleaned)
        log.info("cleaned again: %d documents", len(cleaned))
        yield {"event": "cleaned_again", "documents": len(cleaned)}
    return {"documents": cleaned, "cleaned_again": len(cleaned)}


def _look_through(library: Library, looks: Looks, collection: int, terms: Sequence[str]) -> Found:
    """Look through a collection; the documents that have to be encoded again."""
    fresh, unkept = looks.new_values(collection), list(library.unkept.get(collection, ()))
    documents = looks.documents(collection)
    if not (fresh or unkept or terms or not all(looked for _, looked in documents)):
        return []
    try:
        library.check_encoder(collection)
    except SearchError:
        # Everything will be indexed anew, with another encoder, and looked through then.
        looks.forget(collection)
        return []
    sieve = Sieve()
    if any(looked for _, looked in documents):
        yield from sieve.take([(label, value) for _, label, value in fresh] + unkept, terms)
    everything = yield from _sought(library, collection, unkept)
    news = dataclasses.replace(everything, sieve=sieve)
    changed, done = [], []
    for document, looked in documents:
        if (yield from _mend(library, document, news if looked else everything)):
            changed.append(document)
        done.append((document, looks.version(document)))
    for at in range(0, max(len(done), len(fresh)), _VALUES_A_STEP):
        part = slice(at, at + _VALUES_A_STEP)
        with transaction(library.db):
            looks.looked_through(done[part])
            looks.looked_for([alias for alias, _, _ in fresh[part]])
        yield None
    library.unkept.get(collection, set()).difference_update(unkept)
    return changed


def _sought(library: Library, collection: int, unkept: Sequence[tuple[str, str]]) -> Generator[None, None, Sought]:
    """All that is known to be private in a collection, with what no vault keeps."""
    passing = Vault(MemoryRows())
    for at, (label, value) in enumerate(unkept):
        passing.resolve(label, value)
        if at % _VALUES_A_STEP == 0:
            yield None
    return Sought(lambda: (library.vault(collection), passing), library.rules.holding(collection))


def _mend(library: Library, document: str, sought: Sought) -> Generator[None, None, bool]:
    """Take out of one document what stands in it, while no other request works on it; returns whether any did."""
    while document in library.at_work:
        yield None
    library.at_work.add(document)
    try:
        row = library.documents.row(document)
        mending = Mending(library, row, sought)
        for _ in mending.steps():
            yield None
            library.documents.row(document)
    except StoreError as error:
        if error.code != "not_found":  # removed meanwhile
            raise
        return False
    finally:
        library.at_work.discard(document)
    return mending.changed
