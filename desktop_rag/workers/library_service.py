"""The `library` role: composes store, privacy and retrieval into the operations window and terminal ask for."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from desktop_rag.errors import DesktopRagError, UsageError
from desktop_rag.meter.memory import resident_mb
from desktop_rag.retrieval.fuse import Fusion
from desktop_rag.scratch import clear_abandoned
from desktop_rag.store.key import good_passphrase
from desktop_rag.store.passphrase import as_bytes
from desktop_rag.workers import (
    allocator,
    analysing,
    care_operations,
    cleaning_again,
    compacting,
    encoding,
    exchanging,
    folders,
    indexing,
    questions,
    receipts,
    removing,
    reviewing,
    ruling,
    serving,
    viewing,
    whole,
)
from desktop_rag.workers.language import language_of
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation, Request, Service
from desktop_rag.workers.quality_operations import BACKGROUND, QualityOperations
from desktop_rag.workers.rows import document_rows
from desktop_rag.workers.unlocking import NOW, Gate


class _Operations:
    """One method per operation; the method's name is the operation's."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @property
    def _library(self) -> Library:
        return self._gate.library

    def _in_order(self, operation: Operation) -> Operation:
        """An operation that brings documents, then what others need because of them."""
        cleaned = cleaning_again.then_clean_again(self._library, operation)
        return encoding.then_change(self._library, cleaned)

    def collections(self, request: Request) -> Operation:
        """Every collection with its counts."""
        self._library.default_collection()
        yield None
        return {"collections": [encoding.described(self._library, row) for row in self._library.collections.all()]}

    def collection_encoder(self, request: Request) -> Operation:
        """Change {collection} to the encoder of this {name}."""
        collection = self._library.collections.need(request.args["collection"])["id"]
        return encoding.choose(self._library, collection, str(request.args["name"]))

    def collection_fusion(self, request: Request) -> Operation:
        """Join words and meaning in {collection} as {fusion} says; "usual" is the application's own way."""
        written = str(request.args["fusion"])
        collection = self._library.collections.need(request.args["collection"])["id"]
        yield None
        if written != "usual":
            Fusion.read(written)
        self._library.collections.set_fusion(collection, None if written == "usual" else written)
        return {}

    def collection_create(self, request: Request) -> Operation:
        """A new collection."""
        args, settings = request.args, self._library.settings
        policy, review = args.get("policy") or settings["policy"], args.get("review")
        yield None
        row = self._library.collections.create(
            str(args["name"]), policy, settings["review"] if review is None else bool(review)
        )
        return {"collection": row}

    def collection_update(self, request: Request) -> Operation:
        """Rename a collection, or change its policy or review."""
        changes = {key: request.args.get(key) for key in ("name", "policy", "review")}
        yield None
        if changes["policy"] == "keep" and self._library.private(int(request.args["id"])):
            # From now on nothing of it may lie in unencrypted files.
            self._library.drop_cache()
        row = self._library.collections.update(int(request.args["id"]), **changes)
        return {"collection": row}

    def collection_export(self, request: Request) -> Operation:
        """Write {collection} into {file} behind {passphrase}; with {originals} its vault too."""
        args, library = request.args, self._library
        collection = library.collections.need(args["collection"])["id"]
        target, passphrase = Path(str(args["file"])), good_passphrase(str(args.pop("passphrase", None) or ""))
        if target.exists() and not args.get("replace"):
            raise UsageError("bad_request", f"There is a file “{target.name}” already.", "Choose another name.")
        return exchanging.export_collection(library, collection, target, passphrase, originals=bool(args["originals"]))

    def collection_import(self, request: Request) -> Operation:
        """Bring the export {file}, which is behind {passphrase}, into the library."""
        file, passphrase = Path(str(request.args["file"])), as_bytes(str(request.args.pop("passphrase", None) or ""))
        return self._in_order(exchanging.import_collection(self._library, file, passphrase))

    def collection_delete(self, request: Request) -> Operation:
        """Remove a collection with all its documents."""
        collection = self._library.collections.need(request.args["id"])["id"]
        return receipts.delete_collection(self._library, collection)

    def documents(self, request: Request) -> Operation:
        """The rows of a collection, or of all."""
        chosen = request.args.get("collection")
        yield None
        number = None if chosen is None else self._library.collections.need(chosen)["id"]
        return {"documents": document_rows(self._library, number)}

    def document_text(self, request: Request) -> Operation:
        """Scrubbed pages."""
        yield None
        return viewing.text(self._library, self._library.documents.identity(str(request.args["document"])))

    def document_view(self, request: Request) -> Operation:
        """Original pages, for the owner."""
        return viewing.view(self._library, str(request.args["document"]))

    def locate(self, request: Request) -> Operation:
        """Where a citation lies in the original."""
        return viewing.locate(self._library, request.args)

    def page_sizes(self, request: Request) -> Operation:
        """How large the pages of a document are."""
        return viewing.page_sizes(self._library, request.args)

    def page_image(self, request: Request) -> Operation:
        """A page of a document as it looks."""
        return viewing.page_image(self._library, request.args)

    def add(self, request: Request) -> Operation:
        """Index files and folders."""
        args, library = request.args, self._library
        chosen = args.get("collection")
        policy = args.get("policy")
        if chosen is None:
            row = library.default_collection()
            # A policy asked for on the way in is the policy of a collection that is still empty.
            if policy and not library.documents.rows(row["id"]):
                row = library.collections.update(row["id"], policy=policy)
        else:
            row = library.collections.find(chosen) or library.collections.create(
                str(chosen), policy or library.settings["policy"], library.settings["review"]
            )
        library.passwords += [p for p in args.get("passwords") or [] if p not in library.passwords]
        policy = policy or row["policy"]
        if policy == "keep" and row["policy"] != "keep" and library.private(row["id"]):
            library.drop_cache()
        added = indexing.add(library, list(args["paths"]), row["id"], policy, bool(args.get("review", row["review"])))
        return self._in_order(added)

    def resume(self, request: Request) -> Operation:
        """Go on with every document whose indexing was interrupted."""
        self._library.drop_needless_cache()
        resumed = analysing.then_refresh(self._library, self._in_order(indexing.resume(self._library)))
        return compacting.afterwards(self._library, resumed)

    def reread(self, request: Request) -> Operation:
        """Read {documents} again from their files."""
        self._library.passwords += [p for p in request.args.get("passwords") or [] if p not in self._library.passwords]
        reading = indexing.read_again(self._library, list(request.args["documents"]))
        return self._in_order(reading)

    def clean_again(self, request: Request) -> Operation:
        """Take out of all documents what is known to be private since they were indexed."""
        return cleaning_again.clean_again(self._library)

    def folders(self, request: Request) -> Operation:
        """The watched folders, each with its latest changes."""
        yield None
        rows = self._library.folders.all()
        return {"folders": [{**row, "log": self._library.folders.entries(row["id"])} for row in rows]}

    def folder_watch(self, request: Request) -> Operation:
        """Keep a collection in step with the folder {path}."""
        yield None
        args = request.args
        return {"folder": folders.watch(self._library, Path(str(args["path"])).absolute(), args.get("collection"))}

    def folder_pause(self, request: Request) -> Operation:
        """Stop looking for changes in {folder}, or go on: {paused}."""
        yield None
        return {"folder": self._library.folders.pause(int(request.args["folder"]), bool(request.args["paused"]))}

    def folder_forget(self, request: Request) -> Operation:
        """Watch {folder} no longer; its documents stay."""
        yield None
        self._library.folders.forget(int(request.args["folder"]))
        return {}

    def sync(self, request: Request) -> Operation:
        """Look for changes in {folder}, or in all that are watched."""
        library, chosen = self._library, request.args.get("folder")
        rows = library.folders.all() if chosen is None else [library.folders.need(int(chosen))]
        return self._in_order(folders.sync(library, rows))

    def review(self, request: Request) -> Operation:
        """What was found in a document."""
        return reviewing.review(self._library, str(request.args["document"]))

    def review_summary(self, request: Request) -> Operation:
        """How much was found in {documents}."""
        yield None
        return reviewing.summary(self._library, list(request.args["documents"]))

    def review_values(self, request: Request) -> Operation:
        """What was found in {documents}, one after the other."""
        return reviewing.values(self._library, list(map(str, request.args["documents"])))

    def review_boxes(self, request: Request) -> Operation:
        """Where {ranges} lie on a {page} of a document."""
        return reviewing.boxes(self._library, request.args)

    def decide(self, request: Request) -> Operation:
        """Store what was decided about a document so far."""
        yield None
        return reviewing.decide(self._library, request.args)

    def accept(self, request: Request) -> Operation:
        """Index reviewed documents."""
        args = request.args
        decided = (args.get("decisions") or {}, args.get("marks"), args.get("policies"))
        accepted = indexing.accept(self._library, list(args["documents"]), *decided)
        return self._in_order(accepted)

    def rules(self, request: Request) -> Operation:
        """The terms that are replaced always, or never, and how classes are treated: all, or as in {collection}."""
        yield None
        return ruling.listed(self._library, request.args.get("collection"))

    def rule_add(self, request: Request) -> Operation:
        """Remember {term} of {kind}, under {label}, for {collection} or for all."""
        yield None
        return ruling.add(self._library, request.args)

    def rule_class(self, request: Request) -> Operation:
        """Treat the class {label} as {treatment} says, from {threshold} on, in {collection} or in all."""
        yield None
        return ruling.treat(self._library, request.args)

    def rule_forget(self, request: Request) -> Operation:
        """Forget the rule of this {id}, or the one about {term} of {collection} or of all."""
        yield None
        return ruling.forget(self._library, request.args)

    def remove(self, request: Request) -> Operation:
        """Erase documents; one that cannot be erased has its error in the receipt."""
        return receipts.remove(self._library, list(map(str, request.args["documents"])))

    def search(self, request: Request) -> Operation:
        """The best passages for a query."""
        args = request.args
        yield None
        limit = int(args.get("k") or 10)
        if not 1 <= limit <= 1000:
            raise UsageError("bad_request", "The number of hits must be between 1 and 1000.")
        return questions.find(
            self._library,
            str(args["query"]),
            args.get("collection"),
            str(args.get("mode") or "hybrid"),
            limit,
            bool(args.get("trace")),
            bool(args.get("explain")),
            list(args.get("near") or ()),
        )

    def prepare(self, request: Request) -> Operation:
        """Store a question and find its passages."""
        yield None
        return questions.prepare(self._library, request.args)

    def finish(self, request: Request) -> Operation:
        """Align and store an answer."""
        yield None
        return {**questions.finish(self._library, request.args), "memory_mb": resident_mb()}

    def read_all(self, request: Request) -> Operation:
        """Read every passage of {collections} for a {question} of a {kind}."""
        return whole.read_all(self._library, request.args)

    def quote_all(self, request: Request) -> Operation:
        """Store what was found so as an answer."""
        yield None
        return whole.quote_all(self._library, request.args)

    def conversations(self, request: Request) -> Operation:
        """All conversations."""
        yield None
        return {"conversations": self._library.conversations.all()}

    def conversation(self, request: Request) -> Operation:
        """One conversation with its messages."""
        yield None
        return self._library.conversations.one(str(request.args["id"]))

    def conversation_rename(self, request: Request) -> Operation:
        """Another title."""
        yield None
        self._library.conversations.rename(str(request.args["id"]), str(request.args["title"]))
        return {}

    def conversation_delete(self, request: Request) -> Operation:
        """Forget a conversation."""
        yield None
        self._library.kv.empty()
        self._library.conversations.delete(str(request.args["id"]))
        return {}

    def reveal(self, request: Request) -> Operation:
        """The real values behind pseudonyms and believable stand-ins in {texts}, of {collection} or of all."""
        yield None
        return {"values": questions.reveal(self._library, list(request.args["texts"]), request.args.get("collection"))}

    def warm(self, request: Request) -> Operation:
        """Load what the first question and the first document will need."""
        yield None
        self._library.encoder.count_tokens(["warm"])
        yield None
        for row in self._library.collections.all():
            # What is not installed is told when it is searched.
            with suppress(DesktopRagError):
                self._library.encoder_for(row["id"])
            yield None
        language_of(["This sentence only loads what tells languages apart."])
        yield None
        if any(row["policy"] != "keep" for row in self._library.collections.all()):
            self._library.detector  # noqa: B018 - loaded when first looked at
        yield None
        if any(self._library.cached(row["id"]) for row in self._library.collections.all()):
            self._library.open_cache()
        for collection in self._library.collections.names():
            if not self._library.cached(collection):
                yield from self._library.vectors.load(collection)
            yield None
        return {}


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """Open the data directory, if its key is at hand, and offer its operations. Raises StoreError."""
    allocator.one_arena()
    clear_abandoned()
    gate = Gate(data_dir, options.get("opening") or NOW, removing.remove_left_over, options.get("sign"))
    operations = _Operations(gate)
    handlers = {name: getattr(operations, name) for name in vars(_Operations) if not name.startswith("_")}
    background = (
        gate.background
        | BACKGROUND
        | serving.BACKGROUND
        | care_operations.BACKGROUND
        | frozenset(
            {
                "add",
                "collection_encoder",
                "collection_export",
                "collection_import",
                "clean_again",
                "resume",
                "reread",
                "sync",
                "accept",
                "remove",
                "collection_delete",
                "warm",
                "document_view",
                "review",
                "review_values",
                "review_boxes",
                "locate",
                "page_sizes",
                "page_image",
                "read_all",
            }
        )
    )
    handlers |= QualityOperations(gate).handlers | serving.ServingOperations(gate).handlers
    handlers |= care_operations.CareOperations(gate, options["seal"]).handlers
    return Service(handlers | gate.handlers, background, gate.close, children={"parse": gate.prove_reader})
