"""An answer in the column: what is being done, the text with its marks, what was read, and what went wrong."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.chat import entries, markup
from desktop_rag.gui.chat.nearest import Nearest
from desktop_rag.gui.chat.rich_text import RichText
from desktop_rag.gui.pieces.buttons import IconButton
from desktop_rag.gui.pieces.labels import IconLabel, label, set_tone
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.pieces.open_link import ask_to_open
from desktop_rag.gui.private_text import readable
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.theme import Theme

# The least time between two looks at a growing text: each takes a core from the model that writes it. The worker
# sends words a little less often than this, so that they are shown as they come and no timer wakes the window.
FLUSH_MS = 100
_PREVIEW = 400
_WORTH_SAYING_MS = 100
WRITE_OUT = "Have the model write an answer from all of these"
GOOD = "Good answer: measure the search by it"
NOT_GOOD = "Called a good answer: take that back"


class AnswerCard(QWidget):
    """Follows one `entries.Answer`; call `update_entry` after it changed."""

    cited = Signal(object, int)
    passage_opened = Signal(object, object)
    resized = Signal()
    ask_again = Signal(str)
    read_all = Signal(str)
    write_out = Signal(str)
    why_wanted = Signal(object)
    good_wanted = Signal(object)

    def __init__(self, theme: Theme, reveal: Reveal, answer: entries.Answer) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_StaticContents)
        self._theme, self._reveal, self._answer = theme, reveal, answer
        self._status_icon = IconLabel(theme, "search", "accent")
        self._status = label("", "heading", "muted")
        self._text = RichText(theme, reveal)
        self._text.setAccessibleName("Answer")
        self._nearest = Nearest(theme, lambda passage: self.passage_opened.emit(answer, passage))
        self._notice = Notice(theme)
        self._footer = label("", "small", "muted")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._flush)
        self._shown_text = ""
        self._streaming = False
        self._since = QElapsedTimer()
        self._build()
        self._text.cited.connect(lambda marker: self.cited.emit(answer, marker))
        self._text.linked.connect(lambda address: ask_to_open(theme, self, address))
        self._text.resized.connect(self.resized)
        reveal.changed.connect(self._rewrite)
        theme.changed.connect(self._rewrite)
        self.update_entry()

    def _build(self) -> None:
        status = QHBoxLayout()
        status.setSpacing(8)
        status.addWidget(self._status_icon)
        status.addWidget(self._status, 1)
        self._good = IconButton(self._theme, "thumbs-up", GOOD, self._call_good, size=14)
        self._why = IconButton(self._theme, "layers", "Why this answer?", self._ask_why, size=14)
        self._all = IconButton(self._theme, "book-open", "Read everything for this question", self._read_all, size=14)
        self._write = IconButton(self._theme, "square-pen", WRITE_OUT, self._write_out, size=14)
        self._again = IconButton(self._theme, "refresh-cw", "Ask again", self._ask_again, size=14)
        self._copy = IconButton(self._theme, "copy", "Copy answer", self.copy, size=14)
        self._copy_real = IconButton(self._theme, "eye", "Copy with real values", self.copy_real, size=14)
        foot = QHBoxLayout()
        foot.setSpacing(2)
        foot.addWidget(self._footer, 1)
        foot.addWidget(self._good)
        foot.addWidget(self._why)
        foot.addWidget(self._all)
        foot.addWidget(self._write)
        foot.addWidget(self._copy_real)
        foot.addWidget(self._copy)
        foot.addWidget(self._again)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(status)
        column.addWidget(self._text)
        column.addWidget(self._nearest)
        column.addWidget(self._notice)
        column.addLayout(foot)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    # -- state ---------------------------------------------------------------------------------

    def update_entry(self) -> None:
        """Show the answer as it is now."""
        answer = self._answer
        ended = answer.phase == entries.ENDED
        self._show_status()
        if answer.phase == entries.STREAMING:
            if not self._streaming:
                self._streaming = True
                self._text.begin_stream()
                self._shown_text = ""
                self._flush()  # the first word does not wait
        else:
            self._streaming = False
            self._timer.stop()
            self._rewrite()
        self._text.setVisible(bool(answer.text) and answer.text.strip(" .") != self._status.text())
        self._nearest.show_passages(answer.shown_passages if ended and not answer.found else [])
        self._show_notice()
        self._footer.setText(_footer(answer))
        self._footer.setToolTip(" ".join(_explained(answer)))
        for part in (self._footer, self._copy, self._again):
            part.setVisible(ended and answer.error is None)
        self._why.setVisible(ended and bool(answer.data))
        self._good.setVisible(ended and answer.found and bool(answer.message and answer.citations))
        self._all.setVisible(ended and answer.error is None and _unread(answer) > 0)
        self._write.setVisible(ended and answer.found and answer.data.get("strategy") == "whole")
        self._offer_real()
        self.setAccessibleName(f"Answer: {self._reveal.words(answer.text)}" if ended else self._status.text())
        self.resized.emit()

    def _show_status(self) -> None:
        answer = self._answer
        icon, role, text = "", "accent", ""
        if answer.phase == entries.SEARCHING:
            icon, text = "search", "Searching your documents…"
        elif answer.phase == entries.READING:
            icon, text = "book-open", f"Reading {_everything(answer.reading_all) or _passages(answer.passages)}…"
        elif answer.phase == entries.ENDED and not answer.found:
            icon, role, text = "search-x", "warn", "Not in your documents"
        if icon:
            self._status_icon.show_icon(icon, role)
        set_tone(self._status, "muted" if answer.phase != entries.ENDED else "")
        self._status.setText(text)
        self._status_icon.setVisible(bool(icon))
        self._status.setVisible(bool(icon))

    def _show_notice(self) -> None:
        answer = self._answer
        if answer.error is not None:
            self._notice.say_error(answer.error, "Retry", self._ask_again)
        elif answer.partial_reason == "cancelled":
            self._notice.say(
                answer.partial or "Stopped. What was written so far is kept.",
                kind="calm",
                action="Ask again",
                on_action=self._ask_again,
            )
        elif answer.partial:
            self._notice.say(answer.partial, kind="notice", action="Retry", on_action=self._ask_again)
        elif answer.data.get("whole") and _unread(answer):
            read = int((answer.coverage or answer.data.get("coverage") or {}).get("passages_read") or 0)
            were = "was" if read == 1 else "were"
            said = f"This asks for all there is, and {words.plural(read, 'passage')} {were} read."
            self._notice.say(said, kind="calm", action="Read everything", on_action=self._read_all)
        else:
            self._notice.hide()

    # -- text ----------------------------------------------------------------------------------

    def grow(self) -> None:
        """More of a streaming answer came: show it, but not more often than one can follow."""
        if not self._timer.isActive():
            wait = FLUSH_MS - self._since.elapsed() if self._since.isValid() else 0
            self._timer.start(wait) if wait > 0 else self._flush()

    def _flush(self) -> None:
        self._since.start()
        if self._answer.text != self._shown_text:
            self._shown_text = self._answer.text
            self._text.setVisible(True)
            self._text.stream(self._shown_text)

    def _offer_real(self) -> None:
        answer = self._answer
        self._copy_real.setVisible(
            answer.phase == entries.ENDED
            and self._reveal.shown
            and self._reveal.words(answer.text) != readable(answer.text)
        )

    def _rewrite(self) -> None:
        answer = self._answer
        self._offer_real()
        if answer.phase == entries.STREAMING:
            self._text.begin_stream()
            self._text.stream(answer.text)
        elif answer.text:
            previews = {int(item["marker"]): self._preview(item) for item in answer.citations}
            self._text.show_blocks(self._content(answer), previews)
            self._reveal.want(answer.text, *(str(item.get("text") or "") for item in answer.citations))

    def _content(self, answer: entries.Answer) -> list[markup.Block]:
        return markup.blocks(answer.text, answer.data.get("sentences") or (), self._reveal.stand_ins)

    def _preview(self, citation: dict[str, Any]) -> str:
        where = " · ".join(part for part in (words.file_name(citation.get("name")), words.place(citation)) if part)
        text = self._reveal.words(str(citation.get("text") or ""))
        shown = text if len(text) < _PREVIEW else text[:_PREVIEW].rstrip() + "…"
        return f"{where}\n{shown}"

    def ring(self, marker: int | None) -> None:
        """Ring one chip, or none."""
        self._text.ring(marker)

    def copy(self) -> None:
        """Put the answer on the clipboard with what stands for private values, also while those are shown."""
        QGuiApplication.clipboard().setText(readable(self._answer.text))

    def copy_real(self) -> None:
        """Put the answer on the clipboard as it reads, with real values: asked for on purpose."""
        QGuiApplication.clipboard().setText(self._reveal.words(self._answer.text))

    @property
    def message(self) -> str:
        """The id its answer is kept under."""
        return self._answer.message

    @property
    def text(self) -> RichText:
        """The text itself."""
        return self._text

    @property
    def notice(self) -> Notice:
        """The notice under the text."""
        return self._notice

    @property
    def status(self) -> str:
        """The line above the text: what is being done, or that it is not in the documents."""
        return self._status.text()

    @property
    def footer(self) -> str:
        """The line under the text: how much was read, and how long it took."""
        return self._footer.text()

    @property
    def offers_all(self) -> bool:
        """Whether everything can be read for this question."""
        return not self._all.isHidden()

    @property
    def nearest_names(self) -> list[str]:
        """The places offered when the documents do not hold the answer."""
        return self._nearest.names

    @property
    def offers_text(self) -> bool:
        """Whether the model can be asked to write from what is quoted."""
        return not self._write.isHidden()

    def _write_out(self) -> None:
        self.write_out.emit(self._answer.question)

    def _read_all(self) -> None:
        self.read_all.emit(self._answer.question)

    def show_good(self, good: bool) -> None:
        """Show whether the answer was called good."""
        self._good.show_icon("thumbs-up", "accent" if good else "muted")
        self._good.rename(NOT_GOOD if good else GOOD)

    def _call_good(self) -> None:
        self.good_wanted.emit(self._answer)

    def _ask_why(self) -> None:
        self.why_wanted.emit(self._answer)

    def _ask_again(self) -> None:
        self.ask_again.emit(self._answer.question)


def _passages(passages: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(words.file_name(item.get("name")) for item in passages))
    shown = " and ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
    return f"{words.plural(len(passages), 'passage')} from {shown}" if shown else "what was found"


def _everything(read: dict[str, Any]) -> str:
    """How far the reading of everything has come; empty where only the best passages are read."""
    if not read:
        return ""
    if read["event"] == "reducing":
        return f"what was found: {words.count(int(read['read']))} of {words.plural(int(read['total']), 'passage')}"
    return (
        f"everything: {words.coverage(int(read['passages_read']), int(read['passages_total'])).removesuffix(' read')}"
    )


def _unread(answer: entries.Answer) -> int:
    """How many passages there are that the answer does not rest on."""
    coverage = answer.coverage or answer.data.get("coverage") or {}
    return int(coverage.get("passages_total") or 0) - int(coverage.get("passages_read") or 0)


LEFT_OUT = "The model went on with sentences that no passage supports; they are left out."
QUOTED = "Every passage was read; what speaks of your question stands here word for word."
CUT_OFF = "The answer came to the longest length there may be: choose a longer one in the settings and ask again."


def _explained(answer: entries.Answer) -> list[str]:
    data = answer.data
    quoted = [QUOTED] if data.get("strategy") == "whole" and data.get("sentences") else []
    return [
        *quoted,
        *([CUT_OFF] if data.get("reason") == "length" else []),
        *([LEFT_OUT] if data.get("left_out") else []),
    ]


def _footer(answer: entries.Answer) -> str:
    coverage = answer.coverage or answer.data.get("coverage") or {}
    parts = []
    if answer.data.get("strategy") == "whole":
        parts.append(f"{words.plural(len(answer.data.get('sentences') or ()), 'place')} found")
    pages = int(coverage.get("pages_total") or 0)
    if pages and answer.data.get("strategy") in ("whole", "map_reduce"):
        parts.append(f"{words.count(int(coverage.get('pages_read') or 0))} of {words.plural(pages, 'page')}")
    if coverage.get("passages_total") is not None:
        parts.append(words.coverage(int(coverage.get("passages_read") or 0), int(coverage["passages_total"])))
    if answer.data.get("reason") == "length":
        parts.append("cut off")
    if left_out := int(answer.data.get("left_out") or 0):
        parts.append(f"{words.plural(left_out, 'sentence')} left out")
    timings = answer.data.get("timings_ms") or {}
    total = timings.get("total") or sum(timings.values())
    if total >= _WORTH_SAYING_MS:
        parts.append(f"{total / 1000:.1f} s")
    return " · ".join(parts)
