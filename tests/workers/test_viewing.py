"""Pages as they look, for the window: out of mails and archives, with passwords, only while the file is unchanged."""

from __future__ import annotations

import base64
import io
import os
import zipfile
import zlib
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pdfencrypt import StandardEncryption  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from desktop_rag.errors import DocumentError
from desktop_rag.workers import viewing
from desktop_rag.workers.originals import unchanged
from tests.workers.driving import add, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop_rag.workers.library import Library
    from desktop_rag.workers.loop import Operation

pytestmark = pytest.mark.slow

WORDS = "The deposit was paid in March."


def pdf(password: str | None = None) -> bytes:
    """Two pages: words, and a black half."""
    found = io.BytesIO()
    canvas = Canvas(found, pagesize=(400, 200), encrypt=StandardEncryption(password) if password else None)
    canvas.drawString(40, 100, WORDS)
    canvas.showPage()
    canvas.drawString(240, 100, "Over there")
    canvas.rect(0, 0, 200, 200, fill=1)
    canvas.save()
    return found.getvalue()


def archive(path: Path, *files: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            made.writestr(name, content)
    return path


def mail(path: Path, name: str, content: bytes) -> Path:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Lease", "anna@example.org", "office@example.org"
    message.set_content("Please find it attached.\n")
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    path.write_bytes(bytes(message))
    return path


def drawn(operation: Operation) -> np.ndarray[Any, Any]:
    """The picture that a page's pieces make."""
    pieces, size = run(operation)
    assert {piece["event"] for piece in pieces} == {"piece"}
    assert max(len(piece["data"]) for piece in pieces) <= 256 * 1024, "a message is too long to be read in one go"
    dots = zlib.decompress(b"".join(base64.b64decode(piece["data"]) for piece in pieces))
    return np.frombuffer(dots, np.uint8).reshape(size["height"], size["width"], 3)


def located(library: Library, document: str, **args: Any) -> dict[str, Any]:
    passage = {"document": document, "page": 1, "locator": None, "start": 0, "end": 11}
    return run(viewing.locate(library, passage | args))[1]


def failure(operation: Operation) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        run(operation)
    return caught.value


@pytest.mark.parametrize("inside", ["mail", "archive", "archive on a mail"])
def test_the_pages_of_a_pdf_inside_another_file_are_shown(library: Library, tmp_path: Path, inside: str) -> None:
    packed = archive(tmp_path / "papers.zip", ("flat/lease.pdf", pdf()))
    path = {
        "mail": lambda: mail(tmp_path / "letter.eml", "lease.pdf", pdf()),
        "archive": lambda: packed,
        "archive on a mail": lambda: mail(tmp_path / "letter.eml", "papers.zip", packed.read_bytes()),
    }[inside]()
    *_, lease = add(library, path)
    document = {"document": lease["id"]}

    place = located(library, lease["id"])
    assert (place["format"], place["paged"], place["original"]) == ("pdf", True, True)
    assert [round(box["x"]) for box in place["boxes"]] == [40]
    assert run(viewing.page_sizes(library, document))[1]["sizes"] == [[400.0, 200.0], [400.0, 200.0]]
    picture = drawn(viewing.page_image(library, document | {"page": 2, "width": 800}))
    assert picture.shape == (400, 800, 3)
    assert picture[:, :390].max() < 50
    assert picture[:150, 410:].min() > 200
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".pdf"] == [], "nothing of it lies on the disk"


def test_every_page_of_a_picture_is_shown(library: Library, tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (700, 900, 3), dtype=np.uint8))
    noise.paste("white", (0, 0, 900, 300))
    ImageDraw.Draw(noise).text((40, 100), WORDS, fill="black", font=ImageFont.load_default(size=48))
    noise.save(tmp_path / "fax.tif", save_all=True, append_images=[Image.new("L", (90, 40), 255)])
    (fax,) = add(library, tmp_path / "fax.tif")
    document = {"document": fax["id"]}
    (box,) = located(library, fax["id"])["boxes"]
    assert 65 < box["y"] + box["height"] / 2 < 105
    assert run(viewing.page_sizes(library, document))[1]["sizes"] == [[675.0, 525.0], [67.5, 30.0]]
    picture = drawn(viewing.page_image(library, document | {"page": 1, "width": 5000}))
    assert (picture[:, :, ::-1] == np.asarray(noise)).all(), "every dot arrives, in several pieces"
    assert drawn(viewing.page_image(library, document | {"page": 2, "width": 90})).shape == (40, 90, 3)
    assert failure(viewing.page_image(library, document | {"page": 3, "width": 90})).code == "not_found"


def test_an_encrypted_pdf_is_shown_with_the_password_that_was_given(library: Library, tmp_path: Path) -> None:
    library.passwords += ["wrong", "open sesame"]
    (lease,) = add(library, _written(tmp_path / "lease.pdf", pdf("open sesame")))
    request = {"document": lease["id"], "page": 2, "width": 100}
    assert drawn(viewing.page_image(library, request))[:, :45].max() < 50
    library.passwords.clear()
    assert failure(viewing.page_image(library, request)).code == "encrypted"
    assert failure(viewing.page_sizes(library, request)).code == "encrypted"


def test_a_file_that_changed_is_not_shown(library: Library, tmp_path: Path) -> None:
    path = archive(tmp_path / "papers.zip", ("lease.pdf", pdf()))
    *_, lease = add(library, path)
    place = located(library, lease["id"])
    request = {"document": lease["id"], "page": 1, "width": 100, "as_of": place["as_of"]}
    archive(path, ("other.pdf", pdf()))
    for state in (place["as_of"], None, ""):
        assert "changed" in failure(viewing.page_image(library, request | {"as_of": state})).message
    assert failure(viewing.page_sizes(library, request)).code == "not_found"
    path.unlink()
    for state in (place["as_of"], None, ""):
        assert failure(viewing.page_image(library, request | {"as_of": state})).code == "not_found"
    assert (located(library, lease["id"])["original"], located(library, lease["id"])["as_of"]) == (False, None)


def test_a_file_that_is_not_in_there_says_so(library: Library, tmp_path: Path) -> None:
    path = archive(tmp_path / "papers.zip", ("lease.pdf", pdf()))
    for op, args in (("page_sizes", {}), ("page_image", {"page": 1, "width": 10})):
        with pytest.raises(DocumentError) as caught:
            list(library.viewer.ask(op, path, None, ["gone.pdf"], **args))
        assert caught.value.code == "not_found"


def test_a_known_state_of_the_file_spares_reading_it(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _written(tmp_path / "lease.pdf", pdf())
    (lease,) = add(library, path)
    as_of = located(library, lease["id"])["as_of"]
    checked: list[str] = []

    def noted(library: Library, row: dict[str, Any]) -> Iterator[None]:
        checked.append(row["id"])
        return unchanged(library, row)

    monkeypatch.setattr(viewing, "unchanged", noted)
    request = {"document": lease["id"], "page": 1, "width": 100}
    run(viewing.page_image(library, request | {"as_of": as_of}))
    assert not checked
    os.utime(path, ns=(1, 1))
    run(viewing.page_image(library, request | {"as_of": as_of}))
    assert len(checked) == 1


def test_a_place_is_told_before_anything_is_looked_for_on_the_page(library: Library, tmp_path: Path) -> None:
    (lease,) = add(library, _written(tmp_path / "lease.pdf", pdf()))
    for args in ({"boxes": False}, {"start": 3, "end": 3}):
        place = located(library, lease["id"], **args)
        assert (place["original"], place["boxes"]) == (True, [])
    assert "viewer" not in vars(library), "no reader was asked"
    assert located(library, lease["id"])["boxes"]


def test_a_text_has_no_pages_to_be_seen(library: Library, tmp_path: Path) -> None:
    (note,) = add(library, _written(tmp_path / "note.txt", WORDS.encode()))
    assert located(library, note["id"])["paged"] is False
    assert failure(viewing.page_sizes(library, {"document": note["id"]})).code == "unsupported"


def test_a_page_nobody_wants_any_more_is_given_up(library: Library, tmp_path: Path) -> None:
    (lease,) = add(library, _written(tmp_path / "lease.pdf", pdf()))
    request = {"document": lease["id"], "page": 2, "width": 2000}
    given_up = viewing.page_image(library, request)
    for _ in range(3):
        next(given_up)
    given_up.close()
    assert drawn(viewing.page_image(library, request)).shape == (1000, 2000, 3)


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
