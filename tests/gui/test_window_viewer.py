"""The Viewer: pages as they look come in when they are in view, then the boxes; text is what remains."""

from __future__ import annotations

import base64
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop_rag.errors import DocumentError
from desktop_rag.gui.backend import Event
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.sources.page_view import PageView
from desktop_rag.gui.sources.viewer import Viewer
from tests.gui.scripted import ScriptedBackend, page_image

BOX = {"x": 100.0, "y": 300.0, "width": 200.0, "height": 20.0}


@pytest.fixture
def viewer(window: MainWindow, backend: ScriptedBackend) -> Viewer:
    """The Viewer beside the chat, over documents that have two A4 pages, on a mail or in an archive."""
    backend.library.script["locate"] = located
    backend.library.script["page_sizes"] = lambda **_: {"sizes": [[595, 842], [595, 842]]}
    window.show_page("chat")
    window.show_pane(True)
    return window.pane.viewer


def located(document: str, page: int | None, boxes: bool = True, **passage: Any) -> Event:
    return {
        "path": f"/mail/letter.eml!{document}", "format": "pdf", "paged": True, "original": True, "as_of": "now",
        "page": page, "boxes": [BOX] if boxes else [], "start": passage["start"], "end": passage["end"],
    }  # fmt: skip


def passage(page: int = 1, document: str = "lease.pdf") -> dict[str, Any]:
    return {"document": document, "name": document, "page": page, "locator": None, "start": 5, "end": 25}


def opened(viewer: Viewer, qtbot: QtBot, window: MainWindow, page: int = 1, document: str = "lease.pdf") -> PageView:
    with qtbot.waitSignal(viewer.shown):
        window.pane.open(passage(page, document))
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    return viewer.pages


def place_of(viewer: Viewer) -> list[str]:
    return [label.text() for label in viewer.findChildren(QLabel) if label.isVisible()]


def colour(view: PageView, across: float, down: float) -> QColor:
    """What is painted at a place in points of the page in view."""
    page, area = next(shown for shown in view._visible() if shown[0] == view.page - 1)
    assert page == view.page - 1
    scale = area.width() / 595
    at = QPoint(round(area.left() + across * scale), round(area.top() + down * scale))
    picture = view.viewport().grab()
    return picture.toImage().pixelColor(at * picture.devicePixelRatio())


def test_a_citation_in_a_pdf_on_a_mail_opens_at_its_page_with_its_boxes(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    pages = opened(viewer, qtbot, window, page=2)
    assert pages.isVisible()
    assert (pages.count, pages.page) == (2, 2)
    assert pages.boxes == [QRectF(100, 300, 200, 20)]
    assert colour(pages, 200, 310) != QColor("white"), "the passage is not highlighted"
    assert colour(pages, 200, 360) == QColor("white")
    asked = backend.library.named("page_image")
    assert {request["as_of"] for request in asked} == {"now"}
    assert not backend.library.named("document_view")


def test_pages_of_different_sizes_stand_under_each_other(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    backend.library.script["page_sizes"] = lambda **_: {"sizes": [[600, 300], [300, 900]]}
    pages = opened(viewer, qtbot, window, page=2, document="fax.tif")
    assert pages.page == 2
    first, second = (area for _, area in sorted(pages._visible()))
    assert first.width() == pytest.approx(2 * second.width())
    assert second.height() == pytest.approx(3 * second.width())
    assert second.top() > first.bottom()
    assert second.center().x() == pytest.approx(first.center().x())


def test_the_page_is_there_before_the_passage_is_found_on_it(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    found = threading.Event()

    def slow(boxes: bool = True, **args: Any) -> Event:
        assert not boxes or found.wait(20)
        return located(boxes=boxes, **args)

    backend.library.script["locate"] = slow
    with qtbot.waitSignal(viewer.shown):
        window.pane.open(passage())
        qtbot.waitUntil(lambda: "Finding the passage …" in place_of(viewer))
        asked = [op for op, _ in backend.library.calls if op in ("locate", "page_image")]
        assert asked[0] == "locate"
        assert asked[1] == "page_image"
        assert asked.count("locate") == 2
        assert not viewer.pages.boxes
        assert colour(viewer.pages, 20, 20) == QColor("white")
        found.set()
    assert len(viewer.pages.boxes) == 1
    assert not backend.library.cancelled.is_set()
    assert "1 / 2" in place_of(viewer)


def test_another_passage_does_not_wait_until_one_is_found(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    def endless(boxes: bool = True, **args: Any) -> Event:
        assert not boxes or args["page"] == 2 or backend.library.cancelled.wait(20)
        return located(boxes=boxes, **args)

    backend.library.script["locate"] = endless
    window.pane.open(passage(1))
    qtbot.waitUntil(lambda: "Finding the passage …" in place_of(viewer))
    with qtbot.waitSignal(viewer.shown):
        window.pane.open(passage(2))
    assert backend.library.cancelled.is_set()
    assert (viewer.pages.page, len(viewer.pages.boxes)) == (2, 1)


def test_boxes_found_late_take_nobody_back_who_read_on(viewer: Viewer, window: MainWindow, qtbot: QtBot) -> None:
    pages = opened(viewer, qtbot, window)
    bar, box = pages.verticalScrollBar(), QRectF(0, 700, 10, 10)
    for place in (20, bar.maximum()):
        pages.mark(1, [])
        bar.setValue(place)
        pages.add_boxes([box])
        assert (bar.value(), pages.boxes) == (place, [box])
    pages.mark(1, [])
    pages.add_boxes([])
    assert bar.value() == 0
    pages.add_boxes([box])
    assert bar.value() > 0, "the box is out of view"


def test_a_document_of_absurd_sizes_is_scrolled_as_far_as_possible(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    backend.library.script["page_sizes"] = lambda **_: {"sizes": [[1, 1_000_000]] * 20_000}
    pages = opened(viewer, qtbot, window, page=19_999)
    pages.zoom_by(4)
    assert pages.page > 1


def test_only_what_is_in_view_and_the_next_page_are_fetched(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    backend.library.script["page_sizes"] = lambda **_: {"sizes": [[595, 842]] * 500}
    pages = opened(viewer, qtbot, window, page=300)
    numbers = {request["page"] for request in backend.library.named("page_image")}
    assert numbers <= {299, 300, 301, 302}
    assert 300 in numbers
    before = len(backend.library.named("page_image"))
    pages.viewport().update()
    qtbot.wait(100)
    assert len(backend.library.named("page_image")) == before, "a page that is there is fetched again"


def test_pages_are_as_sharp_as_the_screen_and_follow_the_zoom(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PageView, "devicePixelRatioF", lambda _self: 2.0)
    pages = opened(viewer, qtbot, window)
    (_, area), *_ = pages._visible()
    assert backend.library.named("page_image")[0]["width"] == round(2 * area.width())
    pages.zoom_by(1.5)
    qtbot.waitUntil(lambda: backend.library.named("page_image")[-1]["width"] == round(3 * area.width()))
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    pages.fit_width()
    assert pages._visible()[0][1].width() == pytest.approx(area.width())


def test_the_keys_turn_pages(viewer: Viewer, window: MainWindow, qtbot: QtBot) -> None:
    pages = opened(viewer, qtbot, window)
    for key, page in ((Qt.Key.Key_PageDown, 2), (Qt.Key.Key_Left, 1), (Qt.Key.Key_Right, 2), (Qt.Key.Key_PageUp, 1)):
        qtbot.keyClick(pages, key)  # type: ignore[no-untyped-call]
        assert pages.page == page
        assert f"{page} / 2" in place_of(viewer)


def test_zooming_keeps_what_is_in_the_middle(viewer: Viewer, window: MainWindow, qtbot: QtBot) -> None:
    pages = opened(viewer, qtbot, window, page=2)

    def middle() -> float:
        bar = pages.verticalScrollBar()
        return (bar.value() + pages.viewport().height() / 2 - pages._tops[1]) / pages._scale

    before = middle()
    pages.zoom_by(2)
    assert middle() == pytest.approx(before, abs=15)


def test_a_second_passage_of_the_same_document_needs_no_new_pages(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    opened(viewer, qtbot, window)
    before = len(backend.library.named("page_image"))
    pages = opened(viewer, qtbot, window)
    assert len(backend.library.named("page_sizes")) == 1
    assert len(backend.library.named("page_image")) == before
    assert len(pages.boxes) == 1
    backend.library.script["locate"] = lambda **args: {**located(**args), "as_of": "later"}
    opened(viewer, qtbot, window)
    assert len(backend.library.named("page_sizes")) == 2, "the file was written anew since"


def test_where_pages_cannot_be_had_the_text_is_shown(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    opened(viewer, qtbot, window)

    def locked(**_: Any) -> Event:
        raise DocumentError("encrypted", "The PDF is protected by a password.", "Enter its password to add it.")

    backend.library.script["page_sizes"] = locked
    backend.library.script["document_view"] = lambda document: {
        "original": False,
        "note": "The PDF is protected by a password. The cleaned text is shown instead.",
        "pages": [{"page": 1, "locator": None, "text": "The deposit was paid in March."}],
    }
    with qtbot.waitSignal(viewer.shown):
        window.pane.open(passage(document="locked.pdf"))
    assert viewer.text.isVisible()
    assert viewer.notice.sentence.startswith("The PDF is protected by a password.")
    assert viewer.text.highlighted == "eposit was paid in M"
    assert viewer.pages.count == 0, "the pages of the other document are still held"


def test_a_page_that_cannot_be_drawn_says_so_and_the_others_are_shown(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    def damaged(page: int, **args: Any) -> Iterator[Event]:
        if page == 1:
            raise DocumentError("unreadable", "The page could not be opened.", "The file may be damaged.")
        return page_image(**args)

    backend.library.script["page_image"] = damaged
    pages = opened(viewer, qtbot, window)
    assert viewer.notice.sentence == "The page could not be opened."
    pages.go_to(2)
    qtbot.waitUntil(lambda: pages._nearest(1, 0) is not None)
    asked = [request["page"] for request in backend.library.named("page_image")]
    assert asked.count(1) == 1, "a damaged page is asked for again and again"


def _pieces(content: bytes, width: Any, height: Any) -> Callable[..., list[Event]]:
    return lambda **_: [
        {"event": "piece", "data": base64.b64encode(content).decode()},
        {"event": "done", "width": width, "height": height},
    ]


@pytest.mark.parametrize(
    "answer",
    [
        _pieces(zlib.compress(bytes(299)), 10, 10),
        _pieces(zlib.compress(bytes(300)), 10, -10),
        _pieces(zlib.compress(bytes(301)), 10, 10),
        _pieces(zlib.compress(bytes(300)), None, None),
        _pieces(b"no dots at all", 10, 10),
        _pieces(zlib.compress(bytes(200_000_000), 1), 10_000, 6_666),
        lambda **_: [{"event": "piece", "data": "a"}, {"event": "done", "width": 1, "height": 1}],
        lambda **_: [{"event": "done"}],
    ],
    ids=["short", "negative", "long", "unsaid", "noise", "bomb", "no base64", "nothing"],
)
def test_dots_that_make_no_picture_are_refused(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, answer: Callable[..., list[Event]]
) -> None:
    backend.library.script["page_image"] = answer
    opened(viewer, qtbot, window)
    assert viewer.notice.sentence == "The page could not be drawn."


def test_a_page_that_comes_after_its_document_was_left_is_let_fall(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    go_on = threading.Event()

    def slow(document: str, **args: Any) -> Iterator[Event]:
        if document == "first.pdf":
            assert go_on.wait(20)
        return page_image(grey=0 if document == "first.pdf" else 255, **args)

    backend.library.script["page_image"] = slow
    window.pane.open(passage(document="first.pdf"))
    qtbot.waitUntil(lambda: bool(backend.library.named("page_image")))
    with qtbot.waitSignal(viewer.shown) as seen:
        window.pane.open(passage(document="second.pdf"))
    assert seen.args is not None
    assert seen.args[0]["document"] == "second.pdf"
    go_on.set()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert colour(viewer.pages, 20, 20) == QColor("white")
    window.close()
    assert viewer.pages.count == 0
    assert not viewer.pages._images


def test_a_passage_on_a_dark_picture_is_lit_up(
    viewer: Viewer, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    backend.library.script["page_image"] = lambda **args: page_image(grey=20, **args)
    pages = opened(viewer, qtbot, window)
    assert colour(pages, 200, 310).lightness() > colour(pages, 200, 360).lightness() + 30


def test_pictures_out_of_view_are_let_go(viewer: Viewer, window: MainWindow, qtbot: QtBot) -> None:
    pages = opened(viewer, qtbot, window)
    for number in range(60):
        pages._arrived(1, number, QImage(1000, 1000, QImage.Format.Format_RGB32))
        pages._trim([(0, 500)])
    assert sum(image.sizeInBytes() for image in pages._images.values()) < 64_000_000
    assert len(pages._images) > 2
