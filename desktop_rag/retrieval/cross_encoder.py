"""A cross-encoder as reranker: question and passage are read together, and one number comes out.

The layers run in CTranslate2; the last one, which it does not have, is applied here (`models.convert_reranker` writes
both). Nogueira and Cho, "Passage Re-ranking with BERT" (arXiv 1901.04085).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from desktop_rag.errors import ModelError

_BATCH = 6
# A question that fills the model leaves no room for the passage it is asked of.
_MOST_OF_QUESTION = 0.5
Rows = np.ndarray[Any, np.dtype[np.float32]]


class CrossEncoder:
    """Reranker. Raises ModelError("not_installed" | "incompatible") when its folder is missing or damaged."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        import ctranslate2  # type: ignore[import-untyped]
        from tokenizers import Tokenizer

        try:
            card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
            self._name, self._max_tokens = str(card["name"]), int(card["max_tokens"])
            self._model = ctranslate2.Encoder(str(folder), device="cpu", intra_threads=threads)
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            with np.load(folder / "head.npz") as held:
                self._head = {name: held[name].astype(np.float32) for name in held.files}
        except FileNotFoundError as error:
            raise ModelError("not_installed", "The reranker is not whole.", "Get it again.") from error
        except Exception as error:  # tokenizers raises bare Exception; nothing else is in this block
            raise ModelError("incompatible", "The reranker cannot be loaded.", "Get it again.") from error
        self._view = ctranslate2.StorageView
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    @property
    def name(self) -> str:
        """See Reranker."""
        return self._name

    def score(self, question: str, passages: Sequence[str]) -> Iterator[Sequence[float]]:
        """See Reranker: how likely each passage answers the question, 0..1."""
        for logits in self.logits(question, passages):
            yield (1 / (1 + np.exp(-logits.clip(-60, 60)))).tolist()

    def logits(self, question: str, passages: Sequence[str]) -> Iterator[np.ndarray[Any, np.dtype[np.float64]]]:
        """The plain numbers of the last layer, in batches."""
        asked = self._tokenizer.encode(_readable(question), add_special_tokens=False)
        asked.truncate(max(1, int(self._max_tokens * _MOST_OF_QUESTION)))
        for at in range(0, len(passages), _BATCH):
            texts = [_readable(text) for text in passages[at : at + _BATCH]]
            pairs = [self._pair(asked, text) for text in self._tokenizer.encode_batch(texts, add_special_tokens=False)]
            yield self._forward(pairs)

    def _pair(self, asked: Any, text: Any) -> Any:
        """Both with the tokens the model expects around them; what does not fit of the passage is cut off."""
        around = self._tokenizer.num_special_tokens_to_add(True)
        text.truncate(max(1, self._max_tokens - around - len(asked.ids)))
        return self._tokenizer.post_process(asked, text)

    def _forward(self, pairs: Sequence[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
        lengths = np.array([len(pair.ids) for pair in pairs], dtype=np.int32)
        ids = np.zeros((len(pairs), int(lengths.max())), dtype=np.int32)
        types = np.zeros_like(ids)
        for row, pair in enumerate(pairs):
            ids[row, : lengths[row]] = pair.ids
            types[row, : lengths[row]] = pair.type_ids
        output = self._model.forward_batch(
            self._view.from_array(ids), self._view.from_array(lengths), token_type_ids=types.tolist()
        )
        return self._scored(output).astype(np.float64)

    def _scored(self, output: Any) -> Rows:
        """The last layers: what BERT pooled, or RoBERTa's dense layer over its first token, then one weight each."""
        if "dense_weight" in self._head:
            first = np.array(output.last_hidden_state, dtype=np.float32)[:, 0]
            pooled = np.tanh(first @ self._head["dense_weight"].T + self._head["dense_bias"])
        else:
            pooled = np.array(output.pooler_output, dtype=np.float32)
        logits: Rows = (pooled @ self._head["out_weight"].T + self._head["out_bias"])[:, 0]
        if not np.isfinite(logits).all():
            raise ModelError("incompatible", "The reranker gave values that are not numbers.", "Get it again.")
        return logits


def _readable(text: str) -> str:
    """Without halves of characters, which a tokenizer does not take."""
    return text.encode("utf-8", "replace").decode("utf-8")
