"""What is inside a model file: tensors by type, the chat template, the metadata as it stands there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.models.arithmetic import Fact
from desktop_rag.gui.models.fact_rows import FactRows
from desktop_rag.gui.pieces.bars import Part, PartsBar
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.theme import Theme

_SHADES = (1.0, 0.55, 0.28, 0.14)
_FIRST = 12
_LONGEST = 120


class Contents(QWidget):
    """Empty until `show_model`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.about = FactRows(theme)
        self._tensors = PartsBar(theme, "Tensors by type")
        self.types = FactRows(theme)
        self._template_title = label("Chat template", "heading")
        self.template = QPlainTextEdit()
        self.template.setReadOnly(True)
        self.template.setAccessibleName("Chat template")
        self.template.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.template.setFixedHeight(140)
        self.template.setFont(theme.font("small", mono=True))
        self.metadata = FactRows(theme)
        self._all: list[Fact] = []
        self._more = TextButton(theme, "Show all", self._show_all, kind="link")
        self._metadata_title = label("Metadata", "heading")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label("What is in it", "heading"))
        column.addWidget(self.about)
        column.addWidget(self._tensors)
        column.addWidget(self.types)
        for widget in (self._template_title, self.template, self._metadata_title, self.metadata, self._more):
            column.addWidget(widget)
        self.clear()

    def clear(self) -> None:
        """Show nothing until the file is read."""
        self.hide()

    def show_model(self, row: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """What `inspect` answered."""
        self.about.show_rows(_about(row, answer))
        kinds = _types(answer)
        total = sum(octets for _name, _count, octets in kinds)
        self._tensors.show_parts([
            Part(name, octets, words.size(octets), "accent", _SHADES[min(place, len(_SHADES) - 1)])
            for place, (name, _count, octets) in enumerate(kinds)
        ])  # fmt: skip
        self._tensors.setVisible(bool(total))
        self.types.show_rows([
            Fact(f"{name} · {words.plural(count, 'tensor')}", words.size(octets)) for name, count, octets in kinds
        ])  # fmt: skip
        template = answer.get("template") or answer.get("chat_template")
        text = template if isinstance(template, str) else ""
        self.template.setPlainText(text)
        self.template.setVisible(bool(text))
        self._template_title.setText("Chat template" if text or template else "It has no chat template")
        self._all = [Fact(str(key), _short(value)) for key, value in sorted((answer.get("metadata") or {}).items())]
        self.metadata.show_rows(self._all[:_FIRST])
        self._metadata_title.setVisible(bool(self._all))
        self._more.say(f"Show all {len(self._all)}")
        self._more.setVisible(len(self._all) > _FIRST)
        self.show()

    def _show_all(self) -> None:
        self.metadata.show_rows(self._all)
        self._more.hide()


def _about(row: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Fact]:
    shape = answer.get("shape") or {}
    heads, kv_heads = shape.get("heads"), shape.get("kv_heads")
    known = {
        "Architecture": answer.get("architecture") or row.get("architecture"),
        "Layers": shape.get("layers") or row.get("layers"),
        "Heads": f"{heads}, {kv_heads} for keys and values" if heads and kv_heads else heads,
        "Vocabulary": words.count(int(shape["vocabulary"])) if shape.get("vocabulary") else None,
        "Quantisation": answer.get("quantisation") or row.get("quantisation"),
    }
    return [Fact(name, str(value)) for name, value in known.items() if value]


def _types(answer: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """(type, tensors, bytes), the largest first, as the worker lists them."""
    rows = answer.get("tensors_by_type") or []
    return [(str(row["type"]), int(row["count"]), int(row["bytes"])) for row in rows]


def _short(value: object) -> str:
    text = words.file_name(f"{value:g}" if isinstance(value, float) else str(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
