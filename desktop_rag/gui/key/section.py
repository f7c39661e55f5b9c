"""The part of the settings about the key: who keeps it, another passphrase or keeper, a backup, locking now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.key.passphrase_form import PassphraseForm, Work
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.confirm import Confirm
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.store import key_words

_FILE = "Whoever can read your files can then read the library. Nothing is asked for at the start."
_RING = "The keyring opens with your account. Nothing is asked for at the start."
_BACKUP = (
    "The whole library in one encrypted file, with a passphrase of its own. The documents themselves are not in it. "
    "It is restored with: desktop-rag key restore."
)


class KeySection(QWidget):
    """`lock_wanted()`; everything else it does itself."""

    lock_wanted = Signal()

    def __init__(self, theme: Theme, backend: Backend, tasks: Tasks) -> None:
        super().__init__()
        self._theme, self._backend, self._tasks = theme, backend, tasks
        self._keeper = ""
        self._words = label("Asking the library…", tone="muted", wrap=True)
        self.passphrase = TextButton(theme, "Set a passphrase…", self._ask_passphrase, icon="key-round")
        self.keyring = TextButton(theme, "Use the keyring", partial(self._give_to, "keyring"))
        self.file = TextButton(theme, "File permissions only…", self._ask_file)
        self.backup = TextButton(theme, "Back up…", self._ask_backup, icon="download")
        self.lock = TextButton(theme, "Lock now", self.lock_wanted.emit, icon="lock")
        self.notice = Notice(theme, closable=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(label("Protection", "heading"))
        column.addWidget(self._words)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.passphrase, self.keyring, self.file, self.backup, self.lock):
            row.addWidget(button)
        row.addStretch(1)
        column.addSpacing(2)
        column.addLayout(row)
        column.addWidget(self.notice)
        self.show_keeper("")

    def refresh(self) -> None:
        """Ask the library who keeps its key, and whether there is a keyring."""
        self._tasks.call(lambda: self._backend.library.call("key"), self._show)

    def show_keeper(self, keeper: str, *, has_keyring: bool = False) -> None:
        """What is said and offered for a keeper; "" while that is not known."""
        self._keeper = keeper
        self._words.setText(key_words.KEPT.get(keeper, "Asking the library…"))
        self.passphrase.say("Change the passphrase…" if keeper == "passphrase" else "Set a passphrase…")
        self.keyring.setVisible(has_keyring and keeper != "keyring")
        self.file.setVisible(keeper not in ("", "file"))
        for button in (self.passphrase, self.backup, self.lock):
            button.setEnabled(bool(keeper))

    def _show(self, told: Event) -> None:
        self.show_keeper(str(told["key"] or ""), has_keyring=bool(told["keyring"]))

    # -- changes -------------------------------------------------------------------------------------

    def _ask_passphrase(self) -> None:
        changing = self._keeper == "passphrase"
        title = "Change the passphrase" if changing else "Set a passphrase"
        about = f"It is asked for at every start. {key_words.NO_WAY_BACK}"
        self._form(title, about, "Change" if changing else "Set", partial(self._change, "passphrase"), new=True)

    def _ask_file(self) -> None:
        if self._keeper == "passphrase":
            self._give_to("file")
            return
        title = "Protect the library by file permissions only?"
        Confirm(self._theme, self.window(), title, _FILE, "Use a file", lambda _: self._run("file")).open()

    def _give_to(self, keeper: str) -> None:
        if self._keeper != "passphrase":
            self._run(keeper)
            return
        title, about = ("Use the keyring", _RING) if keeper == "keyring" else ("By file permissions only", _FILE)
        self._form(title, about, "Do without a passphrase", partial(self._change, keeper), new=False)

    def _ask_backup(self) -> None:
        dialog = QFileDialog(self.window(), "Back up the library")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("zip")
        dialog.selectFile("library-backup.zip")
        dialog.fileSelected.connect(self.back_up)
        dialog.open()

    def back_up(self, file: str) -> None:
        """Ask for the passphrase of a backup, and write it."""

        def work(_present: str, new: str) -> Iterator[Event]:
            # The file dialog has asked whether it may be replaced.
            return self._backend.library.stream("key_backup", file=file, passphrase=new, replace=True)

        def done(event: Event) -> None:
            self.notice.say(f"Backed up into {event['file']}, and verified.", kind="calm")

        self._open_form("Back up the library", _BACKUP, "Back up", work, done, present=False, new=True)

    def _form(self, title: str, about: str, action: str, work: Work, *, new: bool) -> None:
        self._open_form(title, about, action, work, self._changed, present=self._keeper == "passphrase", new=new)

    def _open_form(
        self, title: str, about: str, action: str, work: Work, done: Callable[[Event], object], **needs: bool
    ) -> None:
        words = title, about, action
        PassphraseForm(self._theme, self._tasks, self.window(), words, work, done, **needs).open()

    def _change(self, keeper: str, present: str, new: str) -> Iterator[Event]:
        return self._backend.library.stream(
            "key_change", keeper=keeper, present=present or None, passphrase=new or None
        )

    def _run(self, keeper: str) -> None:
        self._tasks.run(lambda: self._change(keeper, "", ""), done=self._changed, failed=self._failed)

    def _changed(self, event: Event) -> None:
        left = key_words.LEFT_BEHIND if self._keeper == "file" and event["key"] != "file" else ""
        self.notice.say(key_words.KEPT[event["key"]], left, kind="calm")
        self.refresh()

    def _failed(self, error: DesktopRagError) -> None:
        self.notice.say_error(error)
