"""What a user does to collections, documents and conversations, with the questions asked before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from desktop_rag.gui import words
from desktop_rag.gui.backend import Event
from desktop_rag.gui.library.collection_form import CollectionForm
from desktop_rag.gui.library.receipt import ReceiptSheet
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.pieces.confirm import Confirm
from desktop_rag.gui.theme import Theme


class LibraryActions(QObject):
    """`told(sentence, details)` when something is done, `erased(receipt, sentence)`; dialogs are opened on `window`."""

    told = Signal(str, str)
    erased = Signal(object, str)
    conversation_gone = Signal(str)
    rules_wanted = Signal(str)
    import_wanted = Signal()

    def __init__(self, theme: Theme, library: LibraryState, window: QWidget, defaults: dict[str, Any]) -> None:
        super().__init__(window)
        self._theme, self._library, self._window, self._defaults = theme, library, window, defaults

    def new_collection(self) -> None:
        """Ask for a name and a policy and make a collection."""
        form = CollectionForm(self._theme, self._window, defaults=self._defaults)
        form.import_wanted.connect(self.import_wanted)
        form.submitted.connect(lambda values: self._library.change("collection_create", done=self._chosen, **values))
        form.open()

    def edit_collection(self) -> None:
        """Rename the chosen collection or change its policy."""
        chosen = self._library.chosen
        if chosen is not None:
            form = CollectionForm(self._theme, self._window, chosen)
            form.rules_wanted.connect(lambda: self.rules_wanted.emit(str(chosen["name"])))
            form.submitted.connect(
                lambda values: self._library.change("collection_update", done=self._chosen, id=chosen["id"], **values)
            )
            form.open()

    def delete_collection(self) -> None:
        """Delete the chosen collection with everything in it."""
        chosen = self._library.chosen
        if chosen is None:
            return
        number = words.plural(int(chosen.get("documents") or 0), "document")
        self._ask(
            f"Delete the collection “{chosen['name']}”?",
            f"{number}, their index, and their vault entries go. Your own files stay where they are.",
            "Delete collection",
            lambda: self._erase(
                f"the collection “{chosen['name']}”",
                "The collection is deleted.",
                self._collection_gone,
                "collection_delete",
                id=chosen["id"],
            ),
        )

    def remove_documents(self, documents: list[dict[str, Any]]) -> None:
        """Remove documents from the library."""
        names = [str(row.get("name")) for row in documents]
        what = f"“{names[0]}”" if len(names) == 1 else words.plural(len(names), "document")
        gone = f"{what} {'is' if len(names) == 1 else 'are'} removed."
        ids = [str(row["id"]) for row in documents]
        self._ask(
            f"Remove {what} from the library?",
            "Text, index, quotes and vault entries go, with what was found inside; what other documents use stays. "
            "Your own files stay where they are.",
            "Remove",
            lambda: self._erase(what, gone, lambda: None, "remove", documents=ids),
        )

    def show_place(self, document: dict[str, Any]) -> None:
        """Open the folder a document's file lies in, in the system's file manager."""
        self._library.place(document, self._opened)

    def _opened(self, place: Event) -> None:
        name = words.file_name(Path(str(place["path"])).name)
        if not place["folder"]:
            self.told.emit(f"The folder of “{name}” cannot be reached.", "Its drive may be away, or it was moved.")
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(place["folder"]))
        if not place["there"]:
            self.told.emit(f"“{name}” is not in its folder any more.", "What was read of it can still be asked.")

    def rename_conversation(self, identifier: str) -> None:
        """Ask for another title."""
        row = next((row for row in self._library.conversations if row["id"] == identifier), None)
        if row is not None:
            Confirm(
                self._theme, self._window, "Rename conversation", "", "Rename",
                lambda title: self._rename(identifier, title),
                danger=False, field=str(row.get("title") or ""),
            ).open()  # fmt: skip

    def _rename(self, identifier: str, title: str) -> None:
        if title:
            self._library.change("conversation_rename", id=identifier, title=title)

    def delete_conversation(self, identifier: str) -> None:
        """Forget a conversation."""
        self._ask(
            "Delete this conversation?",
            "Its questions and answers go. The documents stay.",
            "Delete",
            lambda: self._library.change(
                "conversation_delete", done=lambda _answer: self.conversation_gone.emit(identifier), id=identifier
            ),
        )

    def _ask(self, sentence: str, meaning: str, action: str, then: Any) -> None:
        Confirm(self._theme, self._window, sentence, meaning, action, lambda _text: then()).open()

    def _chosen(self, answer: Event) -> None:
        if answer.get("collection"):
            self._library.choose(answer["collection"])

    def _collection_gone(self) -> None:
        self._library.choose(None)
        self._library.refresh()

    def _erase(self, what: str, gone: str, done: Callable[[], None], op: str, **args: Any) -> None:
        """Erase, tell how far it is, and show the receipt; `gone` says in one sentence that it is done."""

        def heard(event: Event) -> None:
            if event["event"] == "proving":
                self.told.emit(gone, f"Looking for what is left of it: {event['share']} %")

        def over(answer: Event) -> None:
            done()
            rows = answer["receipt"]["documents"]
            failed = bool(rows) and all("error" in row for row in rows)
            self.erased.emit(answer["receipt"], f"Nothing was removed of {what}." if failed else gone)

        self.told.emit(f"Removing {what} …", "")
        self._library.erase(op, over, heard, **args)

    def show_receipt(self, receipt: dict[str, Any]) -> None:
        """Open the receipt, to read and to save."""
        sheet = ReceiptSheet(self._theme, receipt, self._window)
        sheet.saving.connect(
            lambda path, content: self._library.write(
                path, content, lambda: self.told.emit("The receipt is saved.", path.name)
            )
        )
        sheet.open()
