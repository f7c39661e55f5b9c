"""The Models page: what is shown, and what each button asks of which process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QDialog, QLabel
from pytestqt.qtbot import QtBot

from desktop_rag.errors import EngineError, ModelError
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.models.page import IMPORT
from desktop_rag.gui.models.picker import picker
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.confirm import Confirm
from tests.gui import model_script
from tests.gui.model_steps import OFFERED, QWEN, card, idle
from tests.gui.scripted import ScriptedBackend


def test_cards_say_whether_a_model_fits_and_how_fast(models: MainWindow) -> None:
    starter, large = card(models, model_script.STARTER), card(models, "mistral-7b")
    assert starter.fit_words.text().startswith("fits: 0.6 of 8 GB, about")
    assert starter.accessibleName().endswith("answers now")
    assert "does not fit" in large.fit_words.text()
    assert large.plan.text() == "22 of 32 layers on GPU, 0.4 GB free"
    names = [part.name for part in large.bar.parts]
    assert names == ["Model", "KV", "Other", "In use by other programs", "Free"]
    assert card(models, OFFERED).fit_words.text().startswith("fits"), "known before the download"
    assert "licence not stated" in "".join(
        str(child.text()) for child in card(models, "qwen2.5-7b").findChildren(QLabel)
    )


def test_a_model_whose_file_is_gone_says_so_and_cannot_be_used(models: MainWindow) -> None:
    gone = card(models, "gone")
    assert "no longer where it was" in gone.fit_words.text()
    assert not gone.primary.isEnabled()


def test_a_model_whose_fit_cannot_be_told_says_why(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    def refuse(**_: Any) -> dict[str, Any]:
        raise ModelError("incompatible", "The architecture “mamba” is not known here.")

    backend.models.script["fit"] = refuse
    window.model_state.forget_fits()
    window.show_page("models")
    idle(window, qtbot)
    assert card(window, QWEN).fit_words.text() == "The architecture “mamba” is not known here."


def test_use_stores_the_choice_and_loads_it_afresh(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    before = len(backend.chat.named("load"))
    backend.loaded = QWEN
    card(models, QWEN).primary.click()
    qtbot.waitUntil(lambda: len(backend.chat.named("load")) > before)
    idle(models, qtbot)
    assert (models.settings["model"], models.settings["engine"]) == (QWEN, "")
    assert backend.chat.killed.is_set(), "the model before is still in memory"
    assert models.chat.header.model.accessibleName() == "Qwen2.5 1.5B Instruct · Q4_K_M"
    assert card(models, QWEN).accessibleName().endswith("answers now")


def test_a_model_that_cannot_be_loaded_is_told_where_it_was_chosen(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    def refuse(**_: Any) -> dict[str, Any]:
        raise ModelError("out_of_memory", "There is not enough memory for this model.", "Choose a smaller one.")

    backend.chat.script["load"] = refuse
    card(models, QWEN).primary.click()
    qtbot.waitUntil(models.models.notice.isVisible)
    assert models.models.notice.sentence == "There is not enough memory for this model."
    assert models.chat.notice.sentence == "There is not enough memory for this model."


def test_the_menu_offers_engines_conversions_and_deletion(models: MainWindow) -> None:
    def entries(key: str) -> list[str]:
        menu = card(models, key).findChildren(type(models.models.add.menu()))[0]
        return [action.text() for action in menu.actions() if action.text()]

    assert entries(QWEN)[:2] == ["Use with llama.cpp", "Use with GPT4All"]
    assert "Delete…" in entries(QWEN)
    assert "Quantise to…" in entries(QWEN)
    assert "Delete…" not in entries(model_script.STARTER), "it comes with the application"
    assert "Adapters…" not in entries("smollm2-135m-ct2-int8")


@pytest.mark.parametrize(
    ("action", "op", "args"),
    [
        ("convert:ct2:int8", "convert", {"model": QWEN, "to": "ct2", "compute_type": "int8"}),
        ("convert:gpt4all:", "convert", {"model": QWEN, "to": "gpt4all", "compute_type": None}),
        ("quantise:Q4_0", "quantise", {"model": QWEN, "to": "Q4_0"}),
    ],
)
def test_long_work_is_asked_of_the_models_worker(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend, action: str, op: str, args: dict[str, Any]
) -> None:
    listed = len(backend.models.named("list"))
    models.model_actions.act(action, card(models, QWEN).row)
    assert card(models, QWEN).primary.isHidden(), "one thing at a time"
    idle(models, qtbot)
    assert backend.models.named(op) == [args]
    assert len(backend.models.named("list")) == listed + 1, "the list is looked at again"
    assert models.jobs.running == []


def test_work_that_fails_says_it_on_its_card_with_another_try(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    def die(**_: Any) -> Iterator[dict[str, Any]]:
        yield {"event": "progress", "text": "Layer 1 of 30", "fraction": 0.1}
        raise EngineError("crashed", "The models process stopped unexpectedly.", retryable=True)

    backend.models.script["convert"] = die
    models.model_actions.act("convert:ct2:int8", card(models, QWEN).row)
    idle(models, qtbot)
    notice = card(models, QWEN).work.notice
    assert notice.sentence == "The models process stopped unexpectedly."
    notice.findChildren(TextButton)[0].click()
    idle(models, qtbot)
    assert len(backend.models.named("convert")) == 2


# -- in and out --------------------------------------------------------------------------------


def drop(window: MainWindow, path: Path) -> None:
    """Let a file fall on the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPointF(400, 300), Qt.DropAction.CopyAction, data, buttons, keys))
    QApplication.sendEvent(window, QDropEvent(QPointF(400, 300), Qt.DropAction.CopyAction, data, buttons, keys))


def test_a_dropped_model_is_no_document(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, tmp_path: Path
) -> None:
    folder = tmp_path / "converted"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"x")
    drop(window, folder)
    idle(window, qtbot)
    drop(window, tmp_path / "My Model.GGUF")
    idle(window, qtbot)
    assert [call["path"] for call in backend.models.named("import")] == [str(folder), str(tmp_path / "My Model.GGUF")]
    assert backend.library.named("add") == []
    assert window.page == "models"
    assert "is added" in window.models.notice.sentence


def test_an_import_that_fails_says_it_at_the_top(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    def refuse(path: str) -> Iterator[dict[str, Any]]:
        raise ModelError("truncated", f"{Path(path).name} is not whole.", "Copy it again.")
        yield {}

    backend.models.script["import"] = refuse
    models.model_actions.bring("/somewhere/broken.gguf")
    idle(models, qtbot)
    assert models.models.importing.notice.sentence == "broken.gguf is not whole."
    assert models.jobs.of(IMPORT) is not None


def test_a_model_of_another_application_is_adopted_where_it_lies(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    card(models, "/gpt4all/orca-mini-3b.gguf").primary.click()
    idle(models, qtbot)
    assert backend.models.named("adopt") == [{"path": "/gpt4all/orca-mini-3b.gguf"}]


@pytest.mark.parametrize(
    ("key", "said"), [(QWEN, "986 MB on the disk become free"), ("mistral-7b", "only leaves this list")]
)
def test_deleting_asks_first_and_says_what_goes_along(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend, key: str, said: str
) -> None:
    models.model_actions.act("delete", card(models, key).row)
    dialog = models.findChildren(QDialog)[-1]
    assert isinstance(dialog, Confirm)
    assert any(said in str(part.text()) for part in dialog.findChildren(type(models.models.notice._sentence)))
    assert backend.models.named("delete") == []
    dialog.button.click()
    idle(models, qtbot)
    assert backend.models.named("delete") == [{"model": key}]
    assert key not in models.models.cards


def test_adapters_are_scaled_while_the_model_stays(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    row = card(models, model_script.STARTER).row
    models.model_actions.act("adapters", row)
    popover = models.model_actions.adapters
    assert popover is not None
    popover.add("/adapters/tone.gguf")
    idle(models, qtbot)
    assert backend.models.named("adapters")[-1]["adapters"] == [{"path": "/adapters/tone.gguf", "scale": 1.0}]
    slider = next(child for child in popover.findChildren(type(models.models.detail.slider)))
    slider.setValue(10)
    qtbot.waitUntil(lambda: backend.models.named("adapters")[-1]["adapters"][0]["scale"] == pytest.approx(0.5))
    popover.close()
    idle(models, qtbot)


# -- details and the picker --------------------------------------------------------------------


def test_the_context_slider_moves_the_bar(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    card(models, model_script.STARTER).details.click()
    idle(models, qtbot)
    detail = models.models.detail
    assert detail.chosen_context == 4096
    kv = next(part.size for part in detail.bar.parts if part.name == "KV")
    detail.slider.setValue(detail.slider.maximum())
    qtbot.waitUntil(lambda: next(part.size for part in detail.bar.parts if part.name == "KV") > 1.9 * kv)
    detail.kv_type.setCurrentIndex(1)
    detail.kv_type.activated.emit(1)
    idle(models, qtbot)
    assert backend.models.named("fit")[-1] == {"model": model_script.STARTER, "context": 8192, "kv_type": "q8_0"}
    names = {fact.name: fact.value for fact in detail.speed.facts}
    assert names["Bound by"] == "memory"
    assert names["Break-even batch"] == "6 at once"
    assert names["Longest context that fits"] == "22\u202f528 tokens"


def test_details_show_what_is_in_the_file(models: MainWindow, qtbot: QtBot) -> None:
    card(models, model_script.STARTER).details.click()
    idle(models, qtbot)
    contents = models.models.detail.contents
    assert [fact.name for fact in contents.types.facts] == ["Q4_1 · 210 tensors", "Q8_0 · 1 tensor", "F32 · 61 tensors"]
    assert "<|im_start|>" in contents.template.toPlainText()
    assert len(contents.metadata.facts) == 12
    assert "9, 3 for keys and values" in [fact.value for fact in contents.about.facts]


def test_a_late_fit_does_not_replace_a_newer_one(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    detail = models.models.detail
    card(models, model_script.STARTER).details.click()
    idle(models, qtbot)
    shown = detail.sentence.text()
    detail._show_fit(0, {"fits": True, "sentence": "late"})
    assert detail.sentence.text() == shown


def test_a_damaged_file_is_told_in_the_details(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    def refuse(**_: Any) -> dict[str, Any]:
        raise ModelError("truncated", "The file is not whole: 1 of 98 MB are there.", "Copy it again.")

    backend.models.script["inspect"] = refuse
    card(models, QWEN).details.click()
    idle(models, qtbot)
    assert models.models.detail.notice.sentence.startswith("The file is not whole")
    assert models.models.detail.contents.isHidden()


def test_the_picker_lists_models_and_the_engines_of_the_one_in_use(models: MainWindow, qtbot: QtBot) -> None:
    taken: list[tuple[str, str]] = []
    popover = picker(
        models.theme,
        models.model_state,
        "",
        models,
        lambda row, engine: taken.append((row["id"], engine)),
        lambda: None,
    )
    popover.open_under(models.chat.header.model)
    buttons = {button.accessibleName(): button for button in popover.findChildren(TextButton)}
    assert not buttons["Use A model that was moved"].isEnabled()
    assert buttons["Automatic"].isChecked()
    buttons["GPT4All"].click()
    assert taken == [(model_script.STARTER, "GPT4All")]


def test_settings_of_the_model_are_loaded_once_for_several_changes(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    before = len(backend.chat.named("load"))
    for name, value in (("context", 8192), ("kv_type", "q8_0"), ("engine", "llama.cpp")):
        models.settings.set(name, value)
        models.settings_page.changed.emit(name, value)
    qtbot.waitUntil(lambda: len(backend.chat.named("load")) > before)
    idle(models, qtbot)
    assert len(backend.chat.named("load")) == before + 1
