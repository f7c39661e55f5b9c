"""Pictures (PNG, JPEG, GIF, TIFF, WEBP, BMP) of pages: every frame of a TIFF is a page, of other files the first."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import ExifTags, Image, ImageOps

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import KNOWN, DocumentInfo, Page, UnreadPage
from desktop_rag.documents.pictures import DAMAGED, MAX_PIXELS, NO_TEXT, Picture, read_picture
from desktop_rag.documents.source import Source, read_bytes, stem
from desktop_rag.errors import DocumentError

POINTS_PER_PIXEL = 72 / 96
"""A picture has no size on paper that could be relied on: it is shown as on a screen."""
_FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP")
_MAX_DECODED = 90_000_000
_LYING = frozenset({5, 6, 7, 8})
"""How Exif says that a picture is stored with its left or right side up."""
# What the decoders raise on damaged content; all of it is in memory by then, so OSError speaks of no disk.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error,
           zlib.error)  # fmt: skip


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page | UnreadPage]:
    """A page for each frame of a TIFF, one page for anything else."""
    with opened(source, limits) as image:
        count = frames(image)
        if count > limits.max_pages:
            raise _too_large(f"The picture has {count:,} pages; at most {limits.max_pages:,} are read.")
        yield DocumentInfo("image", stem(source), count, {"type": image.format or ""})
        for index in range(count):
            if index + 1 in limits.known:
                yield UnreadPage(index + 1, None, KNOWN)
            elif limits.recognise:
                yield _page(image, index, alone=count == 1)
            else:
                yield UnreadPage(index + 1, None, NO_TEXT)


@contextmanager
def opened(source: Source, limits: Limits) -> Iterator[Image.Image]:
    """The picture, of which only the head is read yet. Raises DocumentError "unreadable" or "too_large"."""
    data = read_bytes(source, limits)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as failure:
        raise _too_many_dots() from failure
    except _BROKEN as failure:
        raise _damaged() from failure
    with image:
        yield image


def frames(image: Image.Image) -> int:
    """How many pages a picture has: moving pictures have one."""
    if image.format != "TIFF":
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except _BROKEN:
        return 1


def size_of(image: Image.Image, index: int) -> tuple[int, int]:
    """Width and height of the frame with that index set upright; nothing is decoded for that.

    Raises DocumentError "unreadable".
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if index:
                image.seek(index)
            # TIFFs come upright from their decoder.
            lying = image.format != "TIFF" and image.getexif().get(ExifTags.Base.Orientation) in _LYING
    except _BROKEN as failure:
        raise _damaged() from failure
    return image.size[::-1] if lying else image.size


def picture_of(image: Image.Image, index: int) -> tuple[Picture, tuple[int, int]]:
    """The frame with that index upright and on paper, reduced if it is very large, and its width and height before.

    Raises DocumentError "too_large" or "unreadable".
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and of damaged marks in otherwise sound ones.
            warnings.simplefilter("ignore")
            if index:
                image.seek(index)
            if image.width * image.height > _MAX_DECODED:
                raise _too_many_dots()
            if image.format == "JPEG":
                # The decoder itself can halve the picture, several times, which saves memory and time.
                wanted = math.sqrt(MAX_PIXELS / (image.width * image.height))
                before = image.size
                image.draft(None, (int(image.width * wanted), int(image.height * wanted)))
            else:
                before = image.size
            frame = ImageOps.exif_transpose(image)
            turned = (frame.width > frame.height) != (image.width > image.height)
            return _reduced(_on_paper(frame)), before[::-1] if turned else before
    except Image.DecompressionBombError as failure:
        raise _too_many_dots() from failure
    except _BROKEN as failure:
        raise _damaged() from failure


def _page(image: Image.Image, index: int, *, alone: bool) -> Page | UnreadPage:
    try:
        picture, _ = picture_of(image, index)
    except DocumentError:
        if alone:
            raise
        return UnreadPage(index + 1, None, DAMAGED)
    return read_picture(picture, index + 1)


def _on_paper(frame: Image.Image) -> Image.Image:
    """In plain colours: what is transparent becomes paper, white, or black behind light writing."""
    if frame.mode in ("I", "F") or frame.mode.startswith("I;"):
        values = np.asarray(frame, dtype=np.float32)
        low, high = float(values.min()), float(values.max())
        return Image.fromarray(((values - low) * (255 / max(high - low, 1e-6))).astype(np.uint8)).convert("RGB")
    if not frame.has_transparency_data:
        return frame.convert("RGB")
    frame = frame.convert("RGBA")
    cover = np.asarray(frame.getchannel("A"), dtype=np.float32)
    light = float((np.asarray(frame.convert("L"), dtype=np.float32) * cover).sum() / max(float(cover.sum()), 1.0))
    paper = Image.new("RGBA", frame.size, "black" if light > 160 and cover.mean() < 128 else "white")
    return Image.alpha_composite(paper, frame).convert("RGB")


def _reduced(frame: Image.Image) -> Picture:
    scale = math.sqrt(MAX_PIXELS / (frame.width * frame.height))
    if scale < 1:
        size = max(1, int(frame.width * scale)), max(1, int(frame.height * scale))
        frame = frame.resize(size, Image.Resampling.BOX)
    return np.ascontiguousarray(np.asarray(frame, dtype=np.uint8)[:, :, ::-1])


def _damaged() -> DocumentError:
    return DocumentError(
        "unreadable",
        "The picture is damaged and cannot be opened.",
        "It may be an unfinished download: get it again, or save it anew as PNG.",
    )


def _too_many_dots() -> DocumentError:
    return _too_large(f"The picture has more than the {_MAX_DECODED // 1_000_000} million dots that are read.")


def _too_large(message: str) -> DocumentError:
    return DocumentError("too_large", message, "Scan it with fewer dots per inch (300 are plenty), or in parts.")
