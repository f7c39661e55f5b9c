"""What a user does to models: use, download, import, convert, quantise, adapt, delete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.models import facts
from desktop_rag.gui.models.adapters import Adapters
from desktop_rag.gui.models.jobs import Jobs
from desktop_rag.gui.models.page import IMPORT, ModelsPage
from desktop_rag.gui.models.state import ModelsState
from desktop_rag.gui.pieces.confirm import Confirm
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings

MODEL_ENDINGS = (".gguf",)
_COPIES = {"ct2": "Converting for CTranslate2", "hf": "Converting for Transformers", "gpt4all": "Making a GPT4All copy"}


class ModelActions(QObject):
    """`reload_wanted()` after the choice of model changed: the chat worker shall load it."""

    reload_wanted = Signal()

    def __init__(
        self,
        theme: Theme,
        backend: Backend,
        tasks: Tasks,
        settings: Settings,
        models: ModelsState,
        jobs: Jobs,
        page: ModelsPage,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._theme, self._backend, self._tasks, self._settings = theme, backend, tasks, settings
        self._models, self._jobs, self._page, self._window = models, jobs, page, window
        self.adapters: Adapters | None = None
        page.wanted.connect(self.act)
        page.import_wanted.connect(self.choose)
        page.hub.download_wanted.connect(jobs.download)
        page.hub.stopped.connect(jobs.cancel)
        page.hub.removed.connect(self.remove)
        jobs.finished.connect(self._finished)
        jobs.broken.connect(lambda _key: models.refresh())
        models.changed.connect(lambda: jobs.remember(models.unfinished))
        models.failed.connect(lambda error: page.notice.say_error(error, "Try again", models.refresh))

    def act(self, action: str, row: dict[str, Any]) -> None:
        """Carry out what a card asks for."""
        key = facts.key(row)
        name, _, rest = action.partition(":")
        if name == "use":
            self.use(row, rest)
        elif name == "details":
            self._page.show_detail(row)
        elif name == "download":
            self._page.cards[key].ask_download()
        elif name == "allowed":
            self._jobs.download(key, {"id": row["id"]})
        elif name == "add":
            self._jobs.work(key, "Adding", "adopt", path=row["path"])
        elif name == "stop":
            self._jobs.cancel(key)
        elif name == "remove":
            self.remove(key)
        else:
            self._change(name, rest, key, row)

    def _change(self, name: str, rest: str, key: str, row: dict[str, Any]) -> None:
        if name == "convert":
            target, _, compute = rest.partition(":")
            self._jobs.work(
                key, _COPIES[target], "convert", None, model=row["id"], to=target, compute_type=compute or None
            )
        elif name == "quantise":
            self._jobs.work(key, f"Quantising to {rest}", "quantise", model=row["id"], to=rest)
        elif name == "adapters":
            self._adapt(row)
        elif name == "delete":
            self.delete(row)

    # -- use -----------------------------------------------------------------------------------

    def use(self, row: dict[str, Any], engine: str = "") -> None:
        """Let this model answer from now on; "" lets its format choose the engine."""
        starter = row.get("source") == "starter" and row is next(iter(self._models.chat_models), None)
        self._settings.set("model", "" if starter else str(row["id"]))
        self._settings.set("engine", engine)
        self._page.notice.hide()
        self.reload_wanted.emit()

    def _adapt(self, row: dict[str, Any]) -> None:
        card = self._page.cards.get(facts.key(row))
        if card is not None:
            self.adapters = Adapters(self._theme, self._window, row)
            self.adapters.chosen.connect(self._set_adapters)
            self.adapters.open_under(card.primary if card.primary.isVisible() else card.details)

    def _set_adapters(self, row: dict[str, Any], adapters: list[dict[str, Any]]) -> None:
        active, chat = self._models.is_active(row), self._backend.chat
        hot = active and "adapters" in ((chat.hello or {}).get("capabilities") or ())

        def remember() -> Event:
            answer = self._backend.models.call("adapters", model=row["id"], adapters=adapters)
            # Weights stay where they are; where the engine cannot do that, the model is loaded again.
            return {**answer, **(chat.call("adapters", adapters=adapters) if hot else {})}

        def done(_answer: Event) -> None:
            self._models.refresh()
            if active and not hot:
                self.reload_wanted.emit()

        self._tasks.call(remember, done, self._not_adapted)

    def _not_adapted(self, error: DesktopRagError) -> None:
        self._page.notice.say_error(error)
        if self.adapters is not None:
            try:
                self.adapters.say_error(error)
            except RuntimeError:  # the popover was closed in the meantime; the page says it as well
                self.adapters = None

    # -- in and out ----------------------------------------------------------------------------

    def choose(self, folder: bool) -> None:
        """A file dialog, for those who do not drag."""
        dialog = QFileDialog(self._window, "Add a model")
        dialog.setFileMode(QFileDialog.FileMode.Directory if folder else QFileDialog.FileMode.ExistingFile)
        if not folder:
            dialog.setNameFilter("Models (*.gguf)")
        dialog.fileSelected.connect(self.bring)
        dialog.open()

    def bring(self, path: str) -> None:
        """Import a file or folder; one at a time."""
        self._jobs.work(IMPORT, f"Adding {Path(path).name}", "import", path=path)

    def remove(self, key: str) -> None:
        """Delete what has arrived of a download; it can be had again, so nobody is asked."""
        job = self._jobs.of(key)
        left = job.left if job is not None else None
        if left is None:
            return

        def done(answer: Event) -> None:
            freed = words.size(int(answer.get("freed") or 0))
            self._page.notice.say(
                f"The unfinished download of “{facts.title(left)}” is gone.", f"{freed} are free again.", kind="calm"
            )
            self._jobs.dismiss(key)
            self._models.refresh()

        self._tasks.call(
            lambda: self._backend.models.call("delete", model=left["id"]), done, self._page.notice.say_error
        )

    def delete(self, row: dict[str, Any]) -> None:
        """Delete a model after asking, with what goes along."""
        adopted = str(row.get("source") or "").startswith("adopted")
        Confirm(
            self._theme,
            self._window,
            f"{'Remove' if adopted else 'Delete'} “{facts.title(row)}”?",
            facts.goes_along(row, self._models.installed),
            "Remove from the list" if adopted else "Delete model",
            lambda _text: self._delete(row),
        ).open()

    def _delete(self, row: dict[str, Any]) -> None:
        active = self._models.is_active(row)

        def done(answer: Event) -> None:
            if self._page.detail.row.get("id") == row.get("id"):
                self._page.show_detail(None)
            self._page.notice.say(f"“{facts.title(row)}” is gone.", kind="calm")
            self._models.refresh()
            if active or answer.get("was_chosen"):
                self._settings.set("model", "")
                self._settings.set("engine", "")
                self.reload_wanted.emit()

        self._tasks.call(
            lambda: self._backend.models.call("delete", model=row["id"]), done, self._page.notice.say_error
        )

    def _finished(self, key: str, event: Event) -> None:
        self._models.refresh()
        if key == IMPORT:
            model = event.get("model") or event
            name = facts.title(model) if isinstance(model, dict) else ""
            self._page.notice.say(f"{name or 'The model'} is added.", "It is under “On this computer”.", kind="calm")


def is_model(path: str) -> bool:
    """Whether a dropped path is a model, told by its name or, for a folder, by the files that make it one."""
    found = Path(path)
    if found.suffix.lower() in MODEL_ENDINGS:
        return True
    return found.is_dir() and any((found / name).is_file() for name in ("model.bin", "model.safetensors"))
