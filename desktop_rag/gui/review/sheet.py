"""The review sheet: the document at the left, what was found at the right, one decision at the bottom.

Several documents begin with an overview of all their values; each can be opened by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QSplitter, QStackedLayout, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.library.throttle import Throttle
from desktop_rag.gui.pieces.labels import label, line, set_kind
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.review.deciding import Deciding
from desktop_rag.gui.review.decisions import Decisions, Span
from desktop_rag.gui.review.document_pane import DocumentPane
from desktop_rag.gui.review.entries import Entry, headings
from desktop_rag.gui.review.foot import ReviewFoot
from desktop_rag.gui.review.head import ReviewHead
from desktop_rag.gui.review.inset import Inset
from desktop_rag.gui.review.mask_menu import Action, mask_menu, value_menu
from desktop_rag.gui.review.overview import Overview
from desktop_rag.gui.review.session import Session, sums
from desktop_rag.gui.review.value_list import ValueList
from desktop_rag.gui.tasks import Task, Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.privacy.rules import ALWAYS, NEVER, Kind

MANY = 4
_PAUSE_MS = 1000


class ReviewSheet(QWidget):
    """`accepted(document ids, decisions)` with what `accept` takes; `left()` when the user decides later.

    `rules_wanted(collection)` for the terms of a collection; `view_changed(pages)` to be remembered.
    """

    accepted = Signal(list, dict)
    left = Signal()
    rules_wanted = Signal(str)
    view_changed = Signal(bool)

    def __init__(
        self, theme: Theme, backend: Backend, tasks: Tasks, *, pages: Callable[[], bool], parent: QWidget | None = None
    ) -> None:
        """`pages` tells whether documents that have pages are shown as they look."""
        super().__init__(parent)
        set_kind(self, "page")
        self._theme, self._backend, self._tasks = theme, backend, tasks
        self._deciding = Deciding(backend, tasks, self)
        self._counted: dict[str, dict[str, int]] = {}
        self._place: int | None = None  # None: all documents together
        self._looking: Task | None = None
        self._wanted: Span | None = None
        self.head = ReviewHead(theme)
        self.notice = Notice(theme, closable=True)
        self.document = DocumentPane(theme, backend, tasks, pages)
        self.values = ValueList(theme)
        self.overview = Overview(theme)
        self.foot = ReviewFoot(theme)
        self.index = self.foot.index
        self._throttle = Throttle(self, self._show_overview, _PAUSE_MS)
        self._build()
        self._connect()

    def _build(self) -> None:
        split = QSplitter()
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(self.document)
        split.addWidget(self._side())
        split.setStretchFactor(0, 1)
        split.setSizes([600, 380])
        self._one = split
        self._stack = QStackedLayout()
        self._stack.addWidget(split)
        self._stack.addWidget(self.overview)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(line())
        column.addWidget(Inset(self.notice))
        column.addLayout(self._stack, 1)
        column.addWidget(line())
        column.addWidget(self.foot)

    def _side(self) -> QWidget:
        side = QWidget()
        set_kind(side, "surface")
        side.setMinimumWidth(300)
        column = QVBoxLayout(side)
        column.setContentsMargins(8, 10, 8, 8)
        column.setSpacing(6)
        note = label("Ticked values are replaced before anything is indexed.", "small", "muted", wrap=True)
        note.setContentsMargins(6, 0, 6, 0)
        column.addWidget(note)
        column.addWidget(self.values, 1)
        return side

    def _connect(self) -> None:
        for part in (self.head, self.foot):
            part.left.connect(self.leave)
        self.foot.always.connect(lambda: self._obey(ALWAYS))
        self.foot.never.connect(lambda: self._obey(NEVER))
        self.foot.undone.connect(self.undo)
        self.foot.accepted.connect(self._accept)
        self.head.turned.connect(self._turn)
        self.head.all_wanted.connect(self.show_all)
        self.head.policy_chosen.connect(self._choose_policy)
        self.head.rules_wanted.connect(lambda: self.rules_wanted.emit(self._collection()))
        self.document.picked.connect(self.values.pick)
        self.document.mask_wanted.connect(self._ask_mask)
        self.document.view_changed.connect(self.view_changed)
        self.values.looked_at.connect(lambda entry: self.document.look_at(entry.span if entry else None))
        self.overview.opened.connect(self._open_document)
        for view in (self.values, self.overview.values):
            view.ticked.connect(self._deciding.tick)
            view.key.connect(lambda text, _entry: self._obey(ALWAYS if text == "a" else NEVER))
            view.menu_wanted.connect(self._menu)
        self._deciding.ticked.connect(self._present)
        self._deciding.changed.connect(self._changed)
        self._deciding.failed.connect(self.notice.say_error)
        self._deciding.told.connect(lambda text: self.notice.say(text, kind="calm", action="Undo", on_action=self.undo))
        for keys, action in (
            ("Ctrl+Return", self._accept),
            ("Ctrl+Z", self.undo),
            ("Ctrl+PgUp", lambda: self._turn(-1)),
            ("Ctrl+PgDown", lambda: self._turn(1)),
            ("V", lambda: self.document.show_pages(not self.document.shows_pages)),
            ("O", self.show_all),
            ("M", self._ask_mask),
        ):
            QShortcut(QKeySequence(keys), self, action, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def showEvent(self, event: QShowEvent) -> None:
        """The keyboard goes to the values."""
        super().showEvent(event)
        self._list_in_view.setFocus()

    @property
    def _list_in_view(self) -> ValueList:
        return self.overview.values if self._place is None else self.values

    # -- documents -----------------------------------------------------------------------------

    def open(self, documents: list[dict[str, Any]], first: str | None = None) -> None:
        """Review these documents, beginning with `first`, or with all of them together when there are many."""
        self.stop()
        self._deciding.session = Session(documents)
        self._counted = {}
        ids = [str(row["id"]) for row in documents]
        self.index.say(f"Index {words.plural(len(ids), 'document')}")
        if not ids:
            self.left.emit()
            return
        self._tasks.call(lambda: self._backend.library.call("review_summary", documents=ids), self._summed)
        if first in ids or len(ids) < MANY:
            self._show(ids.index(first) if first in ids else 0)
        else:
            self.show_all()

    def reload(self) -> None:
        """The rules may be others now: look again, with what was decided so far."""
        rows = self.session.rows
        if rows:
            first = None if self._place is None else str(rows[self._place]["id"])
            self._deciding.keep(lambda: self.open(rows, first))

    def _summed(self, answer: Event) -> None:
        self._counted = answer.get("documents") or {}
        self._present()

    def _turn(self, step: int) -> None:
        if self._place is not None and 0 <= self._place + step < len(self.session.rows):
            self._show(self._place + step)

    def _open_document(self, document: str, span: Span | None) -> None:
        self._show([str(row["id"]) for row in self.session.rows].index(document), span)

    def _show(self, place: int, span: Span | None = None) -> None:
        self._deciding.keep()
        self._place, self._wanted = place, span
        row = self.session.rows[place]
        identity = str(row["id"])
        self._stack.setCurrentWidget(self._one)
        self.head.show_document(
            str(row.get("name") or ""), self.session.policy(identity), place, len(self.session.rows)
        )
        self.notice.hide()
        self.values.setFocus()
        decisions = self.session.decisions.get(identity)
        if decisions is not None and decisions.is_read:
            self._present_document(decisions)
            return
        self.foot.say_looking()
        self.values.show_values(())
        self._tasks.call(
            lambda: self._backend.library.call("review", document=identity),
            self._loaded,
            failed=lambda error: self._failed(identity, error),
        )

    def _loaded(self, review: Event) -> None:
        if str(review["document"]) in self.session.collections:
            decisions = self.session.take(review)
            if decisions is self.present:
                self._present_document(decisions)

    def _failed(self, document: str, error: DesktopRagError) -> None:
        if self._place is not None and str(self.session.rows[self._place]["id"]) == document:
            self.notice.say_error(error, "Retry", lambda: self._show(self._place or 0))

    def _present_document(self, decisions: Decisions) -> None:
        self.document.show_document(decisions)
        self._list(self._wanted)

    def _list(self, span: Span | None, *, again: bool = False) -> None:
        decisions = self.present
        if decisions is not None:
            found = headings((decisions, each) for each in decisions.spans)
            self.values.show_values(found, span, folded_as_before=again)
        self._present()

    def show_all(self) -> None:
        """All documents together."""
        if len(self.session.rows) < 2:
            return
        self._deciding.keep()
        self._place = None
        self.notice.hide()
        self._stack.setCurrentWidget(self.overview)
        self._show_overview()
        self.overview.values.setFocus()
        if self.session.missing and self._looking is None:
            missing = self.session.missing
            self._looking = self._tasks.run(
                lambda: self._backend.library.stream("review_values", documents=missing),
                event=self._met,
                failed=lambda error: self.notice.say_error(error, "Retry", self.show_all),
                finished=self._looked,
            )

    def _met(self, event: Event) -> None:
        if event.get("event") != "reviewed" or str(event["document"]) not in self.session.collections:
            return
        if event.get("error"):
            self.session.cannot_read(event)
        else:
            self.session.take(event)
        self._throttle.ask()

    def _looked(self) -> None:
        self._looking = None
        self._throttle.now()

    def _show_overview(self) -> None:
        if self._place is None:
            self.overview.show_session(self.session, self._counted)
            self._present()

    def stop(self) -> None:
        """Look no further for values."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    @property
    def session(self) -> Session:
        """The review that goes on."""
        return self._deciding.session

    @property
    def decisions(self) -> dict[str, Decisions]:
        """What is known by now, by document."""
        return self.session.decisions

    @property
    def present(self) -> Decisions | None:
        """The document that is shown by itself."""
        return None if self._place is None else self.session.decisions.get(str(self.session.rows[self._place]["id"]))

    @property
    def counts(self) -> str:
        """How much was found, as it stands at the bottom."""
        return self.foot.counts.text()

    def _collection(self) -> str:
        row = self.session.rows[self._place or 0] if self.session.rows else {}
        return str(row.get("collection") or "")

    # -- deciding ------------------------------------------------------------------------------

    @property
    def _entry(self) -> Entry | None:
        return self._list_in_view.entry

    def _obey(self, kind: Kind) -> None:
        if self._entry is not None:
            self._deciding.obey(kind, self._entry)

    def undo(self) -> None:
        """Take the last decision back, with the rule that was made."""
        self.notice.hide()
        self._deciding.undo(self._entry)

    def _ask_mask(self) -> None:
        button = self.document.mask_button
        if button.isEnabled() and not self.document.shows_pages:
            mask_menu(self._theme, self, self.mask_selection).popup(button.mapToGlobal(QPoint(0, button.height())))

    def mask_selection(self, label: str, everywhere: bool) -> None:
        """Mask what is selected in the text, as a class."""
        decisions = self.present
        start, end = self.document.text.selection()
        if decisions is None or start >= end:
            return
        if self._deciding.mark(decisions, start, end, label, everywhere=everywhere):
            self.document.text.clear_selection()
            self.values.setFocus()
        else:
            self.notice.say("There is no word in what is selected.", "Select letters or digits.")

    def _changed(self, span: Span | None) -> None:
        """There may be other values than before."""
        if self._place is None:
            self._show_overview()
        else:
            self._list(span, again=True)
            self.document.refresh(found=True)

    def _choose_policy(self, policy: str) -> None:
        ids = [str(row["id"]) for row in self.session.rows]
        self.session.set_policy(policy, ids if self._place is None else [ids[self._place]])
        self.head.show_policies(self.session.policies() if self._place is None else {policy})
        self._list_in_view.refresh()

    def _menu(self, entry: Entry, place: QPoint) -> None:
        replace = entry.replaced < len(entry.places)
        actions: list[Action] = [
            ("Replace" if replace else "Keep as it is", "Space", lambda: self._deciding.tick(entry, replace)),
            ("Always replace in this collection", "A", lambda: self._deciding.obey(ALWAYS, entry)),
            ("Never replace in this collection", "N", lambda: self._deciding.obey(NEVER, entry)),
        ]
        if self._place is None:
            there = entry.document.document
            actions.append(("Open its document", "Enter", lambda: self._open_document(there, entry.span)))
        value_menu(self, actions, place)

    # -- what stands at the bottom -------------------------------------------------------------

    def _present(self) -> None:
        self.foot.take_back.setEnabled(self.session.can_undo)
        self.index.setEnabled(bool(self.session.rows) and not self.session.must_wait)
        decisions = self.present
        if self._place is None:
            self._present_all()
        elif decisions is not None:
            self.foot.say(*sums(decisions.spans))
            self.values.refresh()
            self.document.refresh()

    def _present_all(self) -> None:
        total = words.plural(len(self.session.rows), "document")
        self.head.show_all(f"Review {total}", self.session.policies())
        told = self._counted.values()
        found, replaced, doubtful = sums([span for _, span in self.session.spans()])
        if self.session.missing:
            found, replaced, doubtful = (
                sum(row.get(name, 0) for row in told) for name in ("found", "replaced", "doubtful")
            )
        self.foot.say(found, replaced, doubtful, before=total)
        if self.session.must_wait:
            self.foot.note.setText("What you decided holds for all documents; some are still being read.")
        self.overview.refresh()

    # -- leaving -------------------------------------------------------------------------------

    def leave(self) -> None:
        """Decide later; what was decided is kept."""
        self._deciding.keep()
        self.stop()
        self.left.emit()

    def _accept(self) -> None:
        if self.index.isEnabled() and self.session.rows:
            self.stop()
            self.accepted.emit([str(row["id"]) for row in self.session.rows], self.session.request())
