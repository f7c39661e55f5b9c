"""The application's own recogniser of names, addresses, places, firms, dates and record numbers in running text.

A small convolutional network over words, trained by `desktop_rag.training.recogniser` on generated text and run here
with numpy alone. A word is looked up whole if it is a known one, and by its 3- and 4-letter pieces in any case, with
its shape (capitals, figures) and the space before it. Layers that look one, two and four words to either side follow.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from desktop_rag.errors import ModelError

LABELS = (
    "PERSON",
    "TITLE",
    "STREET_ADDRESS",
    "LOCATION",
    "ORGANIZATION",
    "DATE_TIME",
    "AGE",
    "NRP",
    "PROFESSION",
    "DEMOGRAPHIC",
    "PHONE_NUMBER",
    "ID_NUMBER",
)
"""Tag 0 is "nothing", 1 + 2n begins LABELS[n], 2 + 2n goes on with it."""
DILATIONS = (1, 2, 4, 8, 1)
REACH = sum(DILATIONS)
"""How many words to either side are seen; that many empty places stand between texts."""
PIECES = 1 << 16
SHAPES = 4096
WEIGHTS = "recogniser.npz"
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_MOST_TYPES = 16_000
_BATCH_TOKENS = 4096

Floats = NDArray[np.float32]


class Found(NamedTuple):
    """`text[start:end]` is of class `label`; `score` is how sure the network is that it is anything at all."""

    start: int
    end: int
    label: str
    score: float


class Token(NamedTuple):
    """A run of letters, a run of figures, or a sign; `gap` tells what stands before it (see `tokens`)."""

    start: int
    end: int
    gap: int


def tokens(text: str) -> list[Token]:
    """The tokens of a text. `gap`: 0 nothing before it, 1 a space, 2 a line break, 3 a blank line or the beginning."""
    found: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        start = match.start()
        between = text[end:start]
        gap = 3 if not found else min(3, 1 + between.count("\n")) if between else 0
        found.append(Token(start, match.end(), gap))
        end = match.end()
    return found


def word_key(word: str) -> int:
    """What a word is known by: its lower case, figures as zeros where there are many."""
    return zlib.crc32(_normal(word).encode())


def _normal(word: str) -> str:
    if word.isdigit() and len(word) > 2 and not (len(word) == 4 and word[:2] in ("19", "20")):
        return "0" * min(len(word), 12)
    return word.lower()


def piece_ids(word: str) -> list[int]:
    """The hashed 3- and 4-letter pieces of a word with its borders."""
    framed = f"<{_normal(word)[:24]}>"
    return [
        zlib.crc32(framed[at : at + size].encode()) % PIECES
        for size in (3, 4)
        for at in range(max(1, len(framed) - size + 1))
    ]


def shape_id(word: str) -> int:
    """The hashed shape: capitals, small letters and figures, long runs cut short; a sign stands for itself."""
    if word.isdigit():
        return zlib.crc32(("d" * min(len(word), 16)).encode()) % SHAPES
    kinds = "".join("X" if c.isupper() else "x" if c.isalpha() else c for c in word)
    short = kinds if len(kinds) < 4 else kinds[:2] + kinds[2:3] + kinds[-1]
    return zlib.crc32(f"{short}{min(len(word), 6)}".encode()) % SHAPES


@dataclass(frozen=True, slots=True)
class _Layer:
    weight: Floats
    bias: Floats
    scale: Floats
    shift: Floats


class Recogniser:
    """The network in memory. Not thread-safe: it keeps what it has worked out about words."""

    def __init__(self, folder: Path, *, caution: float | None = None) -> None:
        """Read the weights; `caution` is added to the score of "nothing" (below 0 finds more).

        Raises ModelError("not_installed") where there are none, ("incompatible") where they are damaged.
        """
        try:
            with (folder / WEIGHTS).open("rb") as file, np.load(file) as held:
                self._take({name: held[name] for name in held.files}, caution)
        except FileNotFoundError as error:
            raise ModelError(
                "not_installed", "The model that finds personal data is not installed.", "Run the set-up again."
            ) from error
        except (OSError, ValueError, KeyError, BadZipFile, zlib.error) as error:
            raise ModelError(
                "incompatible", "The model that finds personal data is damaged.", "Install the application again."
            ) from error

    def _take(self, arrays: dict[str, Any], caution: float | None) -> None:
        self._known = {int(key): row for row, key in enumerate(arrays["vocabulary"], start=1)}
        self._words, self._word_scale = arrays["words"], arrays["words_scale"]
        self._pieces, self._piece_scale = arrays["pieces"], arrays["pieces_scale"]
        self._shapes: Floats = arrays["shapes"].astype(np.float32)
        self._gaps: Floats = arrays["gaps"].astype(np.float32)
        self._input: Floats = arrays["input"].astype(np.float32)
        self._layers = [
            _Layer(*(arrays[f"{name}{number}"].astype(np.float32) for name in ("weight", "bias", "scale", "shift")))
            for number in range(len(DILATIONS))
        ]
        self._output: Floats = arrays["output"].astype(np.float32)
        self._output_bias: Floats = arrays["output_bias"].astype(np.float32).copy()
        self._output_bias[0] += float(arrays["caution"]) if caution is None else caution
        self._types: dict[str, int] = {}
        self._vectors: Floats = np.zeros((1024, self._input.shape[1]), np.float32)

    def find(self, texts: Sequence[str]) -> Iterator[list[Found]]:
        """What is found in each text, sorted and without overlaps."""
        batch: list[tuple[str, list[Token]]] = []
        size = 0
        for text in texts:
            batch.append((text, tokens(text)))
            size += len(batch[-1][1])
            if size >= _BATCH_TOKENS:
                yield from self._batch(batch)
                batch, size = [], 0
        if batch:
            yield from self._batch(batch)

    def _batch(self, batch: list[tuple[str, list[Token]]]) -> Iterator[list[Found]]:
        if len(self._types) > _MOST_TYPES:
            self._types.clear()
        rows = sum(len(found) for _, found in batch) + REACH * (len(batch) + 1)
        types, gaps, mask = np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros((rows, 1), np.float32)
        at = REACH
        for text, found in batch:
            end = at + len(found)
            types[at:end] = [self._type(text[token.start : token.end]) for token in found]
            gaps[at:end] = [token.gap for token in found]
            mask[at:end] = 1
            at = end + REACH
        chances = self._chances(types, gaps, mask)
        at = REACH
        for _, found in batch:
            yield _spans(found, chances[at : at + len(found)])
            at += len(found) + REACH

    def _chances(self, types: NDArray[np.int64], gaps: NDArray[np.int64], mask: Floats) -> Floats:
        """The chance of every tag at every place."""
        x = (self._vectors[types] + self._gaps[gaps]) * mask
        for layer, distance in zip(self._layers, DILATIONS, strict=True):
            seen = np.zeros((len(x), 3 * x.shape[1]), np.float32)
            width = x.shape[1]
            seen[distance:, :width] = x[:-distance]
            seen[:, width : 2 * width] = x
            seen[:-distance, 2 * width :] = x[distance:]
            y = seen @ layer.weight
            y += layer.bias
            np.maximum(y, 0, out=y)
            y += x
            y -= y.mean(axis=1, keepdims=True)
            y /= np.sqrt(np.einsum("ij,ij->i", y, y)[:, None] / width + 1e-5)
            x = (y * layer.scale + layer.shift) * mask
        scores: Floats = (x @ self._output + self._output_bias).astype(np.float32, copy=False)
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    def _type(self, word: str) -> int:
        known = self._types.get(word)
        if known is not None:
            return known
        number = len(self._types)
        if number >= len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        self._vectors[number] = self._vector(word)
        self._types[word] = number
        return number

    def _vector(self, word: str) -> Floats:
        row = self._known.get(word_key(word), 0)
        pieces = piece_ids(word)
        parts = (
            self._words[row] * self._word_scale[row],
            (self._pieces[pieces] * self._piece_scale[pieces, None]).mean(axis=0),
            self._shapes[shape_id(word)],
        )
        vector: Floats = np.concatenate(parts).astype(np.float32) @ self._input
        return vector


def _spans(found: Sequence[Token], chances: Floats) -> list[Found]:
    """Runs of tags: one ends where nothing is, or where another begins. The label is what all of it speaks for."""
    spans: list[Found] = []
    best = chances.argmax(axis=1)
    begin = -1
    for number, tag in enumerate([*map(int, best), 0]):
        if begin >= 0 and (tag == 0 or tag % 2):
            spans.append(_span(found, chances, begin, number))
            begin = -1
        if tag and begin < 0:
            begin = number
    return spans


def _span(found: Sequence[Token], chances: Floats, begin: int, end: int) -> Found:
    said = chances[begin:end]
    kind = int((said[:, 1::2] + said[:, 2::2]).sum(axis=0).argmax())
    return Found(found[begin].start, found[end - 1].end, LABELS[kind], float(1 - said[:, 0].mean()))
