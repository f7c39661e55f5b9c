"""What a user does to collections, documents and conversations, with the questions asked before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from desktop_rag.gui import words
from desktop_rag.gui.backend import Event
from desktop_rag.gui.library.collection_form import CollectionForm
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.pieces.confirm import Confirm
from desktop_rag.gui.theme import Theme


class LibraryActions(QObject):
    """`told(sentence, details)` when something is done; dialogs are opened on `window`."""

    told = Signal(str, str)
    conversation_gone = Signal(str)

    def __init__(self, theme: Theme, library: LibraryState, window: QWidget, defaults: dict[str, Any]) -> None:
        super().__init__(window)
        self._theme, self._library, self._window, self._defaults = theme, library, window, defaults

    def new_collection(self) -> None:
        """Ask for a name and a policy and make a collection."""
        form = CollectionForm(self._theme, self._window, defaults=self._defaults)
        form.submitted.connect(lambda values: self._library.change("collection_create", done=self._chosen, **values))
        form.open()

    def edit_collection(self) -> None:
        """Rename the chosen collection or change its policy."""
        chosen = self._library.chosen
        if chosen is not None:
            form = CollectionForm(self._theme, self._window, chosen)
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
            lambda: self._library.change("collection_delete", done=self._collection_gone, id=chosen["id"]),
        )

    def remove_documents(self, documents: list[dict[str, Any]]) -> None:
        """Remove documents from the library."""
        names = [str(row.get("name")) for row in documents]
        what = f"“{names[0]}”" if len(names) == 1 else words.plural(len(names), "document")
        ids = [str(row["id"]) for row in documents]
        self._ask(
            f"Remove {what} from the library?",
            "Text, index, quotes and vault entries go, with what was found inside; what other documents use stays. "
            "Your own files stay where they are.",
            "Remove",
            lambda: self._library.change("remove", done=lambda answer: self._removed(ids, what, answer), documents=ids),
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

    def _collection_gone(self, answer: Event) -> None:
        self._library.choose(None)
        self._library.refresh()
        self.told.emit("The collection is deleted.", receipt_text(answer.get("receipt") or {}))

    def _removed(self, ids: list[str], what: str, answer: Event) -> None:
        kept = {row.get("document") for row in (answer.get("receipt") or {}).get("documents", []) if row.get("error")}
        self._library.forget([identity for identity in ids if identity not in kept])
        self.told.emit(f"{what} {'is' if len(ids) == 1 else 'are'} removed.", receipt_text(answer.get("receipt") or {}))


def receipt_text(receipt: dict[str, Any]) -> str:
    """A receipt in one line: what was removed, summed over its documents, and what the search afterwards found."""
    rows = [row for row in receipt.get("documents") or [] if not row.get("error")]
    failed = [row["error"]["message"] for row in receipt.get("documents") or [] if row.get("error")]
    if failed:
        return " ".join(failed)
    sums: dict[str, int] = {}
    for row in rows:
        for key, value in row.items():
            if isinstance(value, int) and not isinstance(value, bool):
                sums[key] = sums.get(key, 0) + value
    parts = [
        words.plural(value, *_REMOVED.get(key, (key.replace("_", " "),) * 2)) for key, value in sums.items() if value
    ]
    if not all(row.get("verified") for row in rows):
        return f"Receipt: {', '.join(parts)}. The check afterwards still found something: remove it again."
    return f"Receipt: {', '.join([*parts, 'a search afterwards found nothing left'])}."


_REMOVED = {
    "chunks": ("passage", "passages"),
    "vault_entries": ("vault entry", "vault entries"),
    "answers_blanked": ("answer blanked", "answers blanked"),
}
