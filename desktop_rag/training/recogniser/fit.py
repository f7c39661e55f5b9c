"""Training the recogniser's network with torch: the arithmetic of `desktop_rag.privacy.recogniser`, with gradients."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import nn

from desktop_rag.privacy.recogniser import (
    DILATIONS,
    LABELS,
    PIECES,
    REACH,
    SHAPES,
    WEIGHTS,
    piece_ids,
    shape_id,
    tokens,
    word_key,
)
from desktop_rag.training.recogniser.generate import UNKNOWN, Example

WIDTH = 160
WORD_WIDTH = 64
SHAPE_WIDTH = 24
_BATCH_TOKENS = 6000
_RATE = 3e-3
_WORD_DROPOUT = 0.3
_DROPOUT = 0.2
_IGNORED = -100


@dataclass(frozen=True, slots=True)
class Sentence:
    """An example as numbers: types and gaps of its tokens, and their tags."""

    types: list[int]
    gaps: list[int]
    tags: list[int]


class Types:
    """The different words of the training with their features."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.counts: Counter[int] = Counter()
        self.words: list[str] = []

    def number(self, word: str) -> int:
        """A word's number; a new one is entered."""
        found = self.numbers.get(word)
        if found is None:
            found = self.numbers[word] = len(self.words)
            self.words.append(word)
        self.counts[found] += 1
        return found

    def sentence(self, example: Example) -> Sentence:
        """An example as numbers."""
        found = tokens(example.text)
        tags = [0] * len(found)
        spans = iter(example.spans)
        span = next(spans, None)
        fresh = True
        for at, token in enumerate(found):
            while span is not None and token.start >= span[1]:
                span, fresh = next(spans, None), True
            if span is not None and token.end > span[0]:
                tags[at] = _IGNORED if span[2] == UNKNOWN else 1 + 2 * LABELS.index(span[2]) + (0 if fresh else 1)
                fresh = False
        types = [self.number(example.text[token.start : token.end]) for token in found]
        return Sentence(types, [token.gap for token in found], tags)

    def vocabulary(self, most: int) -> list[int]:
        """The keys of the words seen at least twice, the most frequent ones."""
        counts: Counter[int] = Counter()
        for word, number in self.numbers.items():
            counts[word_key(word)] += self.counts[number]
        return sorted(key for key, count in counts.most_common(most) if count > 1)


class Network(nn.Module):
    """The recogniser's network over rows of tokens; texts stand REACH empty rows apart."""

    def __init__(self, known: int) -> None:
        super().__init__()
        self.words = nn.Embedding(known + 1, WORD_WIDTH)
        self.pieces = nn.EmbeddingBag(PIECES, WORD_WIDTH, mode="mean")
        self.shapes = nn.Embedding(SHAPES, SHAPE_WIDTH)
        self.gaps = nn.Embedding(4, WIDTH)
        self.input = nn.Linear(2 * WORD_WIDTH + SHAPE_WIDTH, WIDTH, bias=False)
        self.layers = nn.ModuleList(nn.Linear(3 * WIDTH, WIDTH) for _ in DILATIONS)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in DILATIONS)
        self.output = nn.Linear(WIDTH, 1 + 2 * len(LABELS))
        for table in (self.words, self.pieces, self.shapes, self.gaps):
            nn.init.normal_(table.weight, std=0.3)

    def forward(self, batch: Batch) -> torch.Tensor:
        """The scores of every tag at every row."""
        words = batch.words
        if self.training:
            words = words * (torch.rand(len(words)) >= _WORD_DROPOUT)
        types = torch.cat(
            [self.words(words), self.pieces(batch.pieces, batch.offsets), self.shapes(batch.shapes)], dim=1
        )
        x = self.input(nn.functional.dropout(types, _DROPOUT, self.training))[batch.types] + self.gaps(batch.gaps)
        x = x * batch.mask
        for layer, norm, distance in zip(self.layers, self.norms, DILATIONS, strict=True):
            empty = x.new_zeros(distance, x.shape[1])
            seen = torch.cat([torch.cat([empty, x[:-distance]]), x, torch.cat([x[distance:], empty])], dim=1)
            y = nn.functional.dropout(torch.relu(layer(seen)), _DROPOUT, self.training)
            x = norm(x + y) * batch.mask
        scores: torch.Tensor = self.output(x)
        return scores


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of tokens, and the features of the different words among them."""

    types: torch.Tensor
    gaps: torch.Tensor
    mask: torch.Tensor
    tags: torch.Tensor
    words: torch.Tensor
    pieces: torch.Tensor
    offsets: torch.Tensor
    shapes: torch.Tensor


class Features:
    """Every word's row in the table of known words, its pieces and its shape, worked out once."""

    def __init__(self, types: Types, vocabulary: Sequence[int]) -> None:
        rows = {key: row for row, key in enumerate(vocabulary, start=1)}
        self._rows = np.array([rows.get(word_key(word), 0) for word in types.words])
        self._shapes = np.array([shape_id(word) for word in types.words])
        pieces = [piece_ids(word) for word in types.words]
        self._pieces = [np.array(found) for found in pieces]

    def batch(self, sentences: Sequence[Sentence]) -> Batch:
        """Sentences as one batch."""
        rows = sum(len(s.types) for s in sentences) + REACH * (len(sentences) + 1)
        types, gaps, tags = (np.zeros(rows, np.int64) for _ in range(3))
        held = np.zeros(rows, bool)
        at = REACH
        for sentence in sentences:
            end = at + len(sentence.types)
            types[at:end], gaps[at:end], tags[at:end] = sentence.types, sentence.gaps, sentence.tags
            held[at:end] = True
            at = end + REACH
        tags[~held] = _IGNORED
        different, places = np.unique(types[held], return_inverse=True)
        types[:] = 0
        types[held] = places
        pieces = [self._pieces[number] for number in different]
        offsets = np.cumsum([0, *(len(found) for found in pieces[:-1])])
        return Batch(
            torch.from_numpy(types),
            torch.from_numpy(gaps),
            torch.from_numpy(held[:, None].astype(np.float32)),
            torch.from_numpy(tags),
            torch.from_numpy(self._rows[different]),
            torch.from_numpy(np.concatenate(pieces)),
            torch.from_numpy(offsets),
            torch.from_numpy(self._shapes[different]),
        )


def batches(sentences: list[Sentence], rng: Random) -> Iterator[list[Sentence]]:
    """Sentences in a new order, in parts of about the same number of tokens."""
    rng.shuffle(sentences)
    part: list[Sentence] = []
    size = 0
    for sentence in sentences:
        part.append(sentence)
        size += len(sentence.types)
        if size >= _BATCH_TOKENS:
            yield part
            part, size = [], 0
    if part:
        yield part


def fit(
    network: Network, features: Features, sentences: list[Sentence], passes: int, seed: int, tell: Callable[[str], None]
) -> None:
    """Train for a number of passes over the sentences; the rate rises, then falls along a cosine."""
    total = passes * sum(len(s.types) for s in sentences) // _BATCH_TOKENS + 1
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(1.0, (step + 1) / 50) * (0.02 + 0.98 * math.cos(math.pi / 2 * min(1, step / total)) ** 2),
    )
    rng = Random(seed)
    began, step, loss_sum = time.monotonic(), 0, 0.0
    network.train()
    for _ in range(passes):
        for part in batches(sentences, rng):
            batch = features.batch(part)
            loss = nn.functional.cross_entropy(network(batch), batch.tags, ignore_index=_IGNORED)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            step += 1
            loss_sum += float(loss.detach())
            if step % 50 == 0:
                tell(f"step {step} of {total}, loss {loss_sum / 50:.4f}, {time.monotonic() - began:.0f} s")
                loss_sum = 0.0
    network.eval()


def save(network: Network, vocabulary: Sequence[int], caution: float, folder: Path) -> None:
    """Write the weights as the recogniser reads them, the tables in 8 bits with a scale for each row."""
    arrays: dict[str, Any] = {"vocabulary": np.array(vocabulary, np.uint32), "caution": np.float32(caution)}
    for name in ("words", "pieces"):
        table = getattr(network, name).weight.detach().numpy()
        scale = np.abs(table).max(axis=1) / 127 + 1e-12
        arrays[name] = np.round(table / scale[:, None]).astype(np.int8)
        arrays[f"{name}_scale"] = scale.astype(np.float32)
    arrays["shapes"] = network.shapes.weight.detach().numpy().astype(np.float16)
    arrays["gaps"] = network.gaps.weight.detach().numpy()
    arrays["input"] = network.input.weight.detach().numpy().T
    for number, (layer, norm) in enumerate(zip(network.layers, network.norms, strict=True)):
        held = {name: value.numpy() for name, value in layer.state_dict().items()}
        arrays |= {f"weight{number}": held["weight"].T, f"bias{number}": held["bias"]}
        held = {name: value.numpy() for name, value in norm.state_dict().items()}
        arrays |= {f"scale{number}": held["weight"], f"shift{number}": held["bias"]}
    arrays["output"] = network.output.weight.detach().numpy().T
    arrays["output_bias"] = network.output.bias.detach().numpy()
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / WEIGHTS, **arrays)
