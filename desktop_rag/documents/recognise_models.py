"""The two neural networks that read pictures: one finds lines of text, the other reads a line.

They are files of the package rapidocr (PP-OCRv6 small: Latin letters with their accents, Chinese, Japanese), which
is never imported: it brings settings, logs and downloads of its own. Sessions are opened here: several lines are
read at once, one thread each, which is twice as fast as several threads on one line or batches filled up with
nothing.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime  # type: ignore[import-untyped]

from desktop_rag.errors import DocumentError

Picture = npt.NDArray[np.uint8]
"""Rows × columns × 3 (blue, green, red)."""
Corners = npt.NDArray[np.float32]
"""4 × 2: where a line begins above, ends above, ends below, begins below, in pixels (x, y)."""

_FINDER, _READER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
_MAX_THREADS = 8
# Lines are found on a picture of about this many pixels along its longer side: smaller loses small print,
# larger takes longer and finds nothing more. The network needs multiples of 32.
_FINDING_SIDE = 1728
_STEP = 32
# The mean and the deviation of the pictures that the finder was trained with; of a page with next to nothing on it
# it finds nothing with others.
_MEAN = np.array((0.485, 0.456, 0.406), dtype=np.float32)
_DEVIATION = np.array((0.229, 0.224, 0.225), dtype=np.float32)
_LINE_HEIGHT = 48
_MIN_WIDTH, _MAX_WIDTH = 160, 4800
_SMALLEST = 4
# The finder marks the core of each line; these turn its map into rectangles around whole lines (Liao et al. 2019,
# "Real-time Scene Text Detection with Differentiable Binarization", section 3.4: area × ratio / perimeter).
_CORE, _SURE_CORE = 0.3, 0.5
_LEAST_CORE = 3
_GROWTH = 1.6
# More than the cells of the densest table; a picture of nothing but specks must come to an end.
_MOST_LINES = 2000
# The reader is trained on text without spaces: what it holds for a space with little trust mostly is one.
_SPACE = 0.05
# A character answers for the ink this far around it, in heights of the line; so much has ink to differ from paper.
_REACH = 0.8
_CONTRAST = 60


class Reading(NamedTuple):
    """The text of one line, how sure it is (0 to 1), and where each character stands (0 left to 1 right)."""

    text: str
    score: float
    places: tuple[float, ...]


def threads() -> int:
    """How many processor cores recognition uses: all that this process may run on, at most eight."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, _MAX_THREADS))


def find_lines(picture: Picture) -> list[Corners]:
    """Where text stands, in the order in which the network's map was searched."""
    height, width = picture.shape[:2]
    if min(height, width) < _SMALLEST:
        return []
    scale = _FINDING_SIDE / max(height, width)
    # A small picture is hardly enlarged: its letters would become blurs larger than any the network knows.
    scale = min(scale, 2.0)
    size = (_rounded(width * scale), _rounded(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    session, name = _session(_FINDER, threads())
    chances = session.run(None, {name: _as_trained(small)[None]})[0][0, 0]
    size_of_one = np.array([width, height], dtype=np.float32) / chances.shape[::-1]
    lines = (_ordered(np.clip(corners * size_of_one, 0, (width, height))) for corners in _rectangles(chances))
    return [line for line in lines if min(_sides(line)) >= _SMALLEST][:_MOST_LINES]


def _rectangles(chances: npt.NDArray[np.float32]) -> Iterator[Corners]:
    """The corners of rectangles around the lines on the finder's map."""
    # Our own threads do the work: those of OpenCV would only wait for each other.
    cv2.setNumThreads(1)
    cores = cv2.dilate((chances > _CORE).astype(np.uint8), np.ones((2, 2), dtype=np.uint8))
    contours, _ = cv2.findContours(cores, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        middle, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < _LEAST_CORE:
            continue
        if _mean_within(chances, cv2.boxPoints((middle, (width, height), angle))) < _SURE_CORE:
            continue
        grown = _GROWTH * width * height / (width + height)
        yield np.asarray(cv2.boxPoints((middle, (width + grown, height + grown), angle)), dtype=np.float32)


def _mean_within(chances: npt.NDArray[np.float32], corners: npt.NDArray[Any]) -> float:
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    part = chances[top:bottom, left:right]
    inside = np.zeros(part.shape, dtype=np.uint8)
    cv2.fillConvexPoly(inside, np.round(corners - (left, top)).astype(np.int32), 1)
    return float(cv2.mean(part, inside)[0])


def cut_out(picture: Picture, line: Corners) -> Picture:
    """The picture of one line, set straight."""
    width, height = _sides(line)
    width, height = max(1, int(width)), max(1, int(height))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    turn = cv2.getPerspectiveTransform(line, target)
    cut = cv2.warpPerspective(picture, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, dtype=np.uint8)


def read_line(line: Picture) -> Reading:
    """What is written on the picture of one line; safe to be called from several threads."""
    height, width = line.shape[:2]
    wide = min(max(1, math.ceil(width * _LINE_HEIGHT / height)), _MAX_WIDTH)
    filled = np.zeros((3, _LINE_HEIGHT, max(wide, _MIN_WIDTH)), dtype=np.float32)
    filled[:, :, :wide] = _normal(cv2.resize(line, (wide, _LINE_HEIGHT)))
    session, name = _session(_READER, 1)
    chances = session.run(None, {name: filled[None]})[0][0]
    found = _decoded(chances, filled.shape[2] / wide / len(chances))
    return found._replace(score=found.score * _covered(line, found.places))


def _covered(line: Picture, places: Sequence[float]) -> float:
    """The share of the ink that lies near a character.

    The reader passes over letters that it does not know: of a line in Russian it is sure to have read a full stop.
    """
    height, width = line.shape[:2]
    colours = line.astype(np.int16)
    paper = np.median(colours.reshape(-1, 3), axis=0)
    ink = (np.abs(colours - paper).max(axis=2) > _CONTRAST).sum(axis=0)
    near = np.zeros(width, dtype=bool)
    for place in places:
        near[max(0, int(place * width - _REACH * height)) : int(place * width + _REACH * height) + 1] = True
    return float(ink[near].sum() / ink.sum()) if ink.any() else 1.0


def _decoded(chances: npt.NDArray[np.float32], step: float) -> Reading:
    """The likeliest character of each column of the network's output; the same one twice in a row is one."""
    characters = _characters()
    space = len(characters) - 1
    best = chances.argmax(axis=1)
    best[(best == 0) & (chances[:, space] > _SPACE)] = space
    text: list[str] = []
    scores: list[float] = []
    places: list[float] = []
    last = 0
    for column, index in enumerate(best):
        known, last = index == last or index == 0, index
        if known or (index == space and (not text or text[-1] == " ")):
            continue
        text.append(" " if index == space else characters[index])
        places.append(min((column + 0.5) * step, 1.0))
        if index != space:
            scores.append(float(chances[column, index]))
    if text and text[-1] == " ":
        del text[-1], places[-1]
    return Reading("".join(text), sum(scores) / len(scores) if scores else 0.0, tuple(places))


def _as_trained(picture: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    normal: npt.NDArray[np.float32] = ((picture.astype(np.float32) / 255 - _MEAN) / _DEVIATION).astype(np.float32)
    return normal.transpose(2, 0, 1)


def _normal(picture: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return (picture.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)


def _rounded(side: float) -> int:
    return max(_STEP, round(side / _STEP) * _STEP)


def _ordered(corners: Corners) -> Corners:
    """The corners clockwise from the top left one, of a rectangle turned by less than 45 degrees."""
    left, right = np.split(corners[np.argsort(corners[:, 0], kind="stable")], 2)
    left, right = (side[np.argsort(side[:, 1], kind="stable")] for side in (left, right))
    return np.array([left[0], right[0], right[1], left[1]], dtype=np.float32)


def _sides(line: Corners) -> tuple[float, float]:
    """Width and height, the longer ones where opposite sides differ."""
    top, right, bottom, left = (float(np.linalg.norm(line[i] - line[(i + 1) % 4])) for i in range(4))
    return max(top, bottom), max(left, right)


@cache
def _session(model: str, count: int) -> tuple[Any, str]:
    """A loaded network and the name of its input; it keeps no thread busy that waits."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = count
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    provider = ("CPUExecutionProvider", {"arena_extend_strategy": "kSameAsRequested"})
    session = onnxruntime.InferenceSession(str(_folder() / model), options, providers=[provider])
    return session, session.get_inputs()[0].name


def _folder() -> Path:
    """Where the networks lie."""
    spec = find_spec("rapidocr")
    places = list(spec.submodule_search_locations or []) if spec is not None else []
    folder = Path(places[0], "models") if places else None
    if folder is None or not all((folder / name).is_file() for name in (_FINDER, _READER)):
        raise DocumentError("unreadable", "The part that reads pictures is missing.", "Install the application again.")
    return folder


@cache
def _characters() -> Sequence[str]:
    """What the columns of the reader's output stand for: nothing first, a space last."""
    session, _ = _session(_READER, 1)
    listed = session.get_modelmeta().custom_metadata_map["character"].splitlines()
    return ("", *listed, " ")
