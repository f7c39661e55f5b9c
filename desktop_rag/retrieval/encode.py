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
_KINDS = {False: "document", True: "query"}
_Forwarded = tuple[list[int], Vectors, np.ndarray[Any, np.dtype[np.int32]]]
"""Indexes into the texts, the last hidden states [texts, tokens, dimension], and how many tokens each text has."""


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What must be the same for two vectors to be comparable."""

    name: str
    dimension: int
    max_tokens: int
    fingerprint: str
    details: dict[str, Any]


class Encoder(Protocol):
    """Turns texts into vectors of length 1: passages and questions each with the prefix the model was trained with.

    Every method that makes vectors raises ModelError("incompatible") when one of them is not a number.
    """

    @property
    def card(self) -> EncoderCard:
        """What made the vectors."""
        ...

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Iterator[tuple[list[int], Vectors]]:
        """Passages (or questions) in batches: (indexes into texts, float32 [len(indexes), dimension])."""
        ...

    def encode_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[Vectors]:
        """For each text the vectors of its own tokens, float32 [tokens, dimension], every row of length 1.

        Special tokens and the prefix's are left out; a text without tokens gives [0, dimension].
        """
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the special ones and the prefix's."""
        ...

    def encode_all(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """The vectors [len(texts), dimension] of passages (or questions), in order."""
        result = np.zeros((len(texts), self.card.dimension), dtype=np.float32)
        for indexes, vectors in self.encode(texts, query=query):
            result[indexes] = vectors
        return result

    def encode_query(self, text: str) -> Vectors:
        """The vector [dimension] of one question."""
        return np.asarray(self.encode_all([text], query=True)[0])


def unit_rows(rows: Vectors) -> Vectors:
    """The rows [n, dimension] stretched to length 1. Raises ModelError("incompatible") for NaN and infinity."""
    if not np.isfinite(rows).all():
        raise ModelError(
            "incompatible", "The search encoder gave values that are not numbers.", "Run the set-up again to repair it."
        )
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9), dtype=np.float32)


class CTranslate2Encoder(Encoder):
    """A BERT-like encoder converted to CTranslate2, mean pooled.

    Raises ModelError("not_installed" | "incompatible") when the folder is missing or damaged.
    """

    def __init__(self, folder: Path, *, threads: int) -> None:
        self._card = read_card(folder)
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
        details, self._max_tokens = self._card.details, self._card.max_tokens
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._view = ctranslate2.StorageView
        self._threads = threads
        self._prefixes = {query: str(details.get(f"{kind}_prefix", "")) for query, kind in _KINDS.items()}
        counts = [self._count(prefix.strip()) for prefix in self._prefixes.values()]
        self._prefix_tokens = dict(zip(self._prefixes, counts, strict=True))

    @property
    def card(self) -> EncoderCard:
        """See Encoder."""
        return self._card

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Iterator[tuple[list[int], Vectors]]:
        """See Encoder. As many batches are at work as there are threads."""
        for batch, hidden, lengths in self._hidden(texts, query):
            mask = np.arange(hidden.shape[1])[None, :] < lengths[:, None]
            yield batch, unit_rows((hidden * mask[..., None]).sum(axis=1) / lengths[:, None])

    def encode_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[Vectors]:
        """See Encoder."""
        first = 1 + self._prefix_tokens[query]
        result: list[Vectors] = [np.zeros((0, self._card.dimension), np.float32)] * len(texts)
        for batch, hidden, lengths in self._hidden(texts, query):
            for index, rows, length in zip(batch, hidden, lengths, strict=True):
                result[index] = unit_rows(rows[first : length - 1])
        return result

    def _hidden(self, texts: Sequence[str], query: bool) -> Iterator[_Forwarded]:
        batches = self._batches(texts, query)
        first = list(itertools.islice(batches, 2))
        if len(first) < 2:
            yield from (self._forward(*batch) for batch in first)
            return
        at_work: deque[Future[_Forwarded]] = deque()
        with ThreadPoolExecutor(self._threads, "encoder") as pool:
            for batch in itertools.chain(first, batches):
                at_work.append(pool.submit(self._forward, *batch))
                if len(at_work) == self._threads:
                    yield at_work.popleft().result()
            for done in at_work:
                yield done.result()

    def _batches(self, texts: Sequence[str], query: bool) -> Iterator[tuple[list[int], list[list[int]]]]:
        """Batches of texts of like length, up to a budget of tokens: (indexes into texts, token ids)."""
        for start in range(0, len(texts), _GROUP):
            prefixed = [self._prefixes[query] + text for text in texts[start : start + _GROUP]]
            part = self._tokenizer.encode_batch(prefixed)
            ids = {start + at: self._cut(encoding.ids) for at, encoding in enumerate(part)}
            batch: list[int] = []
            for index in sorted(ids, key=lambda i: len(ids[i])):
                if batch and len(ids[index]) * (len(batch) + 1) > BATCH_TOKENS:
                    yield batch, [ids[i] for i in batch]
                    batch = []
                batch.append(index)
            if batch:
                yield batch, [ids[i] for i in batch]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See Encoder."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]

    def _count(self, text: str) -> int:
        return self.count_tokens([text])[0]

    def _cut(self, ids: list[int]) -> list[int]:
        return ids if len(ids) <= self._max_tokens else [*ids[: self._max_tokens - 1], ids[-1]]

    def _forward(self, batch: list[int], ids: list[list[int]]) -> _Forwarded:
        lengths = np.array([len(row) for row in ids], dtype=np.int32)
        padded = np.zeros((len(ids), int(lengths.max())), dtype=np.int32)
        for row, tokens in zip(padded, ids, strict=True):
            row[: len(tokens)] = tokens
        output = self._model.forward_batch(self._view.from_array(padded), self._view.from_array(lengths))
        return batch, np.array(output.last_hidden_state, dtype=np.float32), lengths


def read_card(folder: Path) -> EncoderCard:
    """The card of the converted encoder in a folder, without loading it. Raises ModelError("not_installed")."""
    try:
        details = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        name, dimension, max_tokens = str(details["name"]), int(details["dimension"]), int(details["max_tokens"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError("not_installed", "The search encoder is not installed.", "Run the set-up again.") from error
    return EncoderCard(name, dimension, max_tokens, fingerprint(details), details)


def fingerprint(details: dict[str, Any]) -> str:
    """One hash over everything that changes vectors."""
    names = ("model_sha256", "runtime", "compute_type", "pooling", "max_tokens", "query_prefix", "document_prefix")
    parts = {name: details.get(name) for name in names}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
