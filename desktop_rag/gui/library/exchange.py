"""One collection in one file: exporting the chosen one, importing another's, with what is asked before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.key.passphrase_form import PassphraseForm
from desktop_rag.gui.library.actions import LibraryActions
from desktop_rag.gui.library.page import LibraryPage
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.pieces.controls import Tick
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme

SUFFIX = "collection"
_EXPORT = (
    "Cleaned texts, passages and vectors in one encrypted file. Whoever gets it and knows this passphrase can import "
    "and ask it. Nobody can recover a lost passphrase."
)
_KEPT = " This collection keeps personal data in clear: it is in the file too."
_ORIGINALS = "With the real values behind the stand-ins"
_IMPORT = "All of it is verified before anything is taken. An export that came before is brought up to date."
_UNSAFE = re.compile(r"[^\w.-]+")


class ExportForm(PassphraseForm):
    """Asks for the passphrase of an export, and whether real values go along."""

    def _build(self, title: str, about: str) -> None:
        super()._build(title, about)
        self.originals = Tick(self._theme, _ORIGINALS)
        self.add(self.originals)


class Exchange(QObject):
    """`told(sentence, hint)` when something is done; `arrived()` when a collection came in."""

    told = Signal(str, str)
    arrived = Signal()

    def __init__(self, theme: Theme, backend: Backend, tasks: Tasks, window: QWidget) -> None:
        super().__init__(window)
        self._theme, self._backend, self._tasks, self._window = theme, backend, tasks, window

    def connect_page(self, page: LibraryPage, library: LibraryState, actions: LibraryActions) -> None:
        """Work for the Library page, and for the form of a new collection."""
        page.export_wanted.connect(lambda: self.export(library.chosen) if library.chosen else None)
        actions.import_wanted.connect(self.bring)
        self.told.connect(lambda text, hint: page.notice.say(text, hint, kind="calm"))
        self.arrived.connect(library.refresh)

    def export(self, collection: dict[str, Any]) -> None:
        """Ask where to, and behind what."""
        dialog = QFileDialog(self._window, f"Export “{collection['name']}”")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIX)
        dialog.selectFile(f"{_UNSAFE.sub(' ', str(collection['name'])).strip() or 'export'}.{SUFFIX}")
        dialog.fileSelected.connect(lambda file: self.export_to(collection, file))
        dialog.open()

    def export_to(self, collection: dict[str, Any], file: str) -> None:
        """Ask for the passphrase, and write the file."""

        def work(_present: str, new: str) -> Iterator[Event]:
            # The file dialog has asked whether it may be replaced.
            return self._backend.library.stream(
                "collection_export",
                collection=collection["id"],
                file=file,
                passphrase=new,
                originals=form.originals.isChecked(),
                replace=True,
            )

        about = _EXPORT + (_KEPT if collection.get("policy") == "keep" else "")
        said = (f"Export “{collection['name']}”", about, "Export")
        form = ExportForm(
            self._theme, self._tasks, self._window, said, work, self._exported, present=False, new=True, stoppable=True
        )
        form.open()

    def bring(self) -> None:
        """Ask for the file of an export."""
        dialog = QFileDialog(self._window, "Import a collection")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([f"Collections (*.{SUFFIX})", "All files (*)"])
        dialog.fileSelected.connect(self.bring_from)
        dialog.open()

    def bring_from(self, file: str) -> None:
        """Ask for its passphrase, and import it."""

        def work(present: str, _new: str) -> Iterator[Event]:
            return self._backend.library.stream("collection_import", file=file, passphrase=present)

        said = (f"Import “{words.file_name(Path(file).name)}”", _IMPORT, "Import")
        form = PassphraseForm(
            self._theme, self._tasks, self._window, said, work, self._imported, present=True, new=False, stoppable=True
        )
        form.present.rename("Passphrase of the export")
        form.open()

    def _exported(self, done: Event) -> None:
        told = f"{words.plural(int(done['documents']), 'document')}, {words.plural(int(done['passages']), 'passage')}"
        hints = [f"{told}, {words.size(done['bytes'])}, written and verified."]
        if left := int(done["left_out"]):
            hints.append(f"{words.plural(left, 'document')} left out: not indexed.")
        if done["originals"]:
            hints.append("It holds the real values.")
        self.told.emit(f"“{done['collection']}” is exported.", " ".join(hints))

    def _imported(self, done: Event) -> None:
        parts = [f"{words.count(int(done[name]))} {name}" for name in ("added", "unchanged", "removed")]
        hints = [f"Documents: {', '.join(parts)}."]
        if anew := int(done["encoded_anew"]):
            hints.append(f"{words.plural(anew, 'document')} encoded anew: their encoder is not installed here.")
        self.told.emit(f"“{done['collection']}” is in your library.", " ".join(hints))
        self.arrived.emit()
