"""Sentence vectors: MiniLM on CTranslate2, tokenised without torch or transformers."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from desktop_rag.errors import ModelError

# Small enough for the caches: twice as many take half as long again for each token.
BATCH_TOKENS = 512
# Texts are cut into tokens this many at a time: all of a book at once would take seconds in one step.
_GROUP = 128
Vectors = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What must be the same for two vectors to be comparable."""

    name: str
    dimension: int
    max_tokens: int
    fingerprint: str
    details: dict[str, Any]


class Encoder(Protocol):
    """Turns texts into normalised vectors."""

    @property
    def card(self) -> EncoderCard:
        """What made the vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Batches as (indexes into texts, float32 [len(indexes), dimension], rows of length 1)."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the special ones."""
        ...


class CTranslate2Encoder:
    """A BERT-like encoder converted to CTranslate2, mean pooled.

    Raises ModelError("not_installed" | "incompatible") when the folder is missing or damaged.
    """

    def __init__(self, folder: Path, *, threads: int) -> None:
        try:
            details = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(
                "not_installed", "The search encoder is not installed.", "Run the set-up again."
            ) from error
        import ctranslate2  # type: ignore[import-untyped]
        from tokenizers import Tokenizer

        try:
            # A batch a core: threads that share one wait for each other more than they help at this size.
            self._model = ctranslate2.Encoder(
                str(folder), device="cpu", compute_type="int8", inter_threads=threads, intra_threads=1
            )
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelError("incompatible", "The search encoder cannot be loaded.", "Run the set-up again.") from error
        self._max_tokens = int(details["max_tokens"])
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._view = ctranslate2.StorageView
        self._threads = threads
        self._card = EncoderCard(
            str(details["name"]), int(details["dimension"]), self._max_tokens, _fingerprint(details), details
        )

    @property
    def card(self) -> EncoderCard:
        """See Encoder."""
        return self._card

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """See Encoder. As many batches are at work as there are threads."""
        batches = self._batches(texts)
        first = list(itertools.islice(batches, 2))
        if len(first) < 2:
            yield from ((batch, self._forward(ids)) for batch, ids in first)
            return
        at_work: deque[tuple[list[int], Future[Vectors]]] = deque()
        with ThreadPoolExecutor(self._threads, "encoder") as pool:
            for batch, ids in itertools.chain(first, batches):
                at_work.append((batch, pool.submit(self._forward, ids)))
                if len(at_work) == self._threads:
                    done, vectors = at_work.popleft()
                    yield done, vectors.result()
            for done, vectors in at_work:
                yield done, vectors.result()

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], list[list[int]]]]:
        """Batches of texts of like length, up to a budget of tokens: (indexes into texts, token ids)."""
        for start in range(0, len(texts), _GROUP):
            part = self._tokenizer.encode_batch(list(texts[start : start + _GROUP]))
            ids = {start + at: self._cut(encoding.ids) for at, encoding in enumerate(part)}
            batch: list[int] = []
            for index in sorted(ids, key=lambda i: len(ids[i])):
                if batch and len(ids[index]) * (len(batch) + 1) > BATCH_TOKENS:
                    yield batch, [ids[i] for i in batch]
                    batch = []
                batch.append(index)
            if batch:
                yield batch, [ids[i] for i in batch]

    def encode_one(self, text: str) -> Vectors:
        """The vector [dimension] of one text."""
        return np.asarray(self.encode_all([text])[0])

    def encode_all(self, texts: Sequence[str]) -> Vectors:
        """All vectors [len(texts), dimension], in order."""
        result = np.zeros((len(texts), self._card.dimension), dtype=np.float32)
        for indexes, vectors in self.encode(texts):
            result[indexes] = vectors
        return result

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See Encoder."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]

    def _cut(self, ids: list[int]) -> list[int]:
        return ids if len(ids) <= self._max_tokens else [*ids[: self._max_tokens - 1], ids[-1]]

    def _forward(self, batch: list[list[int]]) -> Vectors:
        lengths = np.array([len(row) for row in batch], dtype=np.int32)
        padded = np.zeros((len(batch), int(lengths.max())), dtype=np.int32)
        for row, ids in zip(padded, batch, strict=True):
            row[: len(ids)] = ids
        output = self._model.forward_batch(self._view.from_array(padded), self._view.from_array(lengths))
        hidden = np.array(output.last_hidden_state, dtype=np.float32)
        mask = (np.arange(padded.shape[1])[None, :] < lengths[:, None])[..., None]
        pooled = (hidden * mask).sum(axis=1) / lengths[:, None]
        return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True).clip(1e-9), dtype=np.float32)


def _fingerprint(details: dict[str, Any]) -> str:
    """One hash over everything that changes vectors."""
    names = ("model_sha256", "runtime", "compute_type", "pooling", "max_tokens", "query_prefix", "document_prefix")
    parts = {name: details.get(name) for name in names}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
