"""Requests that erase, from the first document to the receipt: one proof for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from typing import Any

from desktop_rag.errors import DesktopRagError, UsageError
from desktop_rag.privacy.receipt import Proof, receipt
from desktop_rag.store import served
from desktop_rag.workers.absence import prove
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.quotations import Quotations
from desktop_rag.workers.removing import Erased, Steps, erase, remove_document

_Steps = Generator[dict[str, Any] | None, None, dict[str, Any]]


def remove(library: Library, documents: Sequence[str]) -> Operation:
    """Erase documents; one that cannot be erased has its error in the receipt.

    Yields a "removed" event for each as soon as it is gone, then "proving" with the share that is done.
    """
    quotations = Quotations(library)
    rows: list[Erased | dict[str, Any]] = []
    for document in documents:
        yield None
        try:
            identity = library.documents.identity(document)
            rows.append((yield from _erase(library, identity, quotations)))
        except DesktopRagError as error:
            rows.append({"document": document, "error": error.cause()})
        else:
            yield {"event": "removed", "document": identity}
    return {"receipt": (yield from issue(library, rows, quotations))}


def delete_collection(library: Library, collection: int) -> Operation:
    """Erase a collection with all its documents; yields events as `remove` does.

    Raises UsageError for one that was published: without it nobody could take it away from its server.
    """
    server = served.server(library.db, collection)
    if server is not None and not served.is_imported(library.db, collection):
        name = library.collections.need(collection)["name"]
        raise UsageError(
            "bad_request",
            f"“{name}” lies on the server {server} too.",
            f"First take it away from there: desktop-rag collections --collection “{name}” --unpublish",
        )
    quotations = Quotations(library)
    rows: list[Erased | dict[str, Any]] = []
    for row in library.documents.rows(collection):
        if library.documents.exists(row["id"]):
            rows.append((yield from _erase(library, row["id"], quotations)))
            yield {"event": "removed", "document": row["id"]}
        yield None
    # What was added meanwhile goes in one step with the collection: nothing can come in behind it.
    rest = (row["id"] for row in library.documents.rows(collection))
    rows.extend(remove_document(library, document) for document in rest if library.documents.exists(document))
    library.collections.delete(collection)
    return {"receipt": (yield from issue(library, rows, quotations))}


def issue(
    library: Library,
    rows: Sequence[Erased | dict[str, Any]],
    quotations: Quotations | None = None,
    *,
    places: bool = True,
) -> _Steps:
    """Blank what repeats the erased documents, look for what is left of them, and write the receipt.

    Without `places` their names and paths are not looked for.
    """
    erased = [one for row in rows if isinstance(row, Erased) for one in row.family()]
    counts: Counter[str] = sum((one.counts for one in erased), Counter())
    proof = Proof()
    if erased:
        yield from prove(library, erased, quotations, proof, places=places)
    documents = [_row(row) if isinstance(row, Erased) else row for row in rows]
    servers = {one.server for one in erased if one.server is not None}
    watched = sum(one.watched for one in erased)
    return receipt(documents, counts + proof.blanked, proof, watched=watched, servers=servers)


def _erase(library: Library, document: str, quotations: Quotations) -> Steps:
    """Erase what the user asked to: with what the log of a watched folder says of it, which else stays."""
    erased = yield from erase(library, document, quotations)
    if erased.watched:
        erased.counts["folder_notes"] += library.folders.unlog(erased.path)
    return erased


def _row(erased: Erased) -> dict[str, Any]:
    """A document as the receipt lists it, with all that was inside."""
    whole: Counter[str] = sum((one.counts for one in erased.family()), Counter())
    return {
        "document": erased.document,
        "name": erased.name,
        "sha256": erased.sha256,
        "chunks": whole["passages"],
        "vault_entries": whole["vault_entries"],
        "answers_blanked": whole["answers"],
        "documents_inside": sum(1 for _ in erased.family()) - 1,
        "erased": dict(whole),
        "verified": all(one.absent for one in erased.family()),
    }
