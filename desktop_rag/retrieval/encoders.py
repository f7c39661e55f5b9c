"""Any encoder that sentence-transformers runs, behind the same protocol as the converted ones.

It brings torch along, so it works in children that measure encoders and work on models, never in `library`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from desktop_rag import torch_part
from desktop_rag.errors import ModelError
from desktop_rag.offline import set_environment
from desktop_rag.retrieval.encode import Encoder, EncoderCard, Vectors, fingerprint, unit_rows

_TEXTS_A_BATCH = 32
_PROMPTS = {False: ("document", "passage"), True: ("query",)}


class SentenceTransformersEncoder(Encoder):
    """An encoder folder as sentence-transformers writes them, in float32 on the processor.

    `query_prefix` and `document_prefix` replace the prompts that the folder names. Raises
    ModelError("not_installed" | "incompatible").
    """

    def __init__(
        self, folder: Path, *, query_prefix: str | None = None, document_prefix: str | None = None, threads: int = 0
    ) -> None:
        if not (folder / "config.json").is_file():
            raise ModelError("not_installed", f"There is no encoder in {folder.name}.", "Choose its folder.")
        torch_part.require("Running another encoder")
        set_environment()
        import torch
        from sentence_transformers import SentenceTransformer

        if threads:
            torch.set_num_threads(threads)
        try:
            self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(
                "incompatible", f"{folder.name} is no encoder that can be run.", "Choose another one."
            ) from error
        given = {True: query_prefix, False: document_prefix}
        self._prefixes = {query: self._prompt(query) if text is None else text for query, text in given.items()}
        self._tokenizer: Any = self._model.tokenizer
        self._card = _card(folder, self._model, self._prefixes)

    @property
    def card(self) -> EncoderCard:
        """See Encoder."""
        return self._card

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Iterator[tuple[list[int], Vectors]]:
        """See Encoder."""
        by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for at in range(0, len(by_length), _TEXTS_A_BATCH):
            batch = by_length[at : at + _TEXTS_A_BATCH]
            vectors = self._run([texts[index] for index in batch], query, "sentence_embedding")
            yield batch, unit_rows(np.asarray(vectors, dtype=np.float32))

    def encode_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[Vectors]:
        """See Encoder."""
        if not texts:
            return []
        first = 1 + self.count_tokens([self._prefixes[query].strip()])[0]
        rows = [np.asarray(found, dtype=np.float32) for found in self._run(list(texts), query, "token_embeddings")]
        return [unit_rows(found[first:-1]) for found in rows]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See Encoder."""
        return [len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]) for text in texts]

    def _run(self, texts: list[str], query: bool, output: Any) -> Any:
        return self._model.encode(
            texts,
            prompt=self._prefixes[query] or None,
            output_value=output,
            batch_size=_TEXTS_A_BATCH,
            show_progress_bar=False,
        )

    def _prompt(self, query: bool) -> str:
        prompts = self._model.prompts or {}
        return next((str(prompts[name]) for name in _PROMPTS[query] if prompts.get(name)), "")


def _card(folder: Path, model: Any, prefixes: dict[bool, str]) -> EncoderCard:
    dimension, longest = int(model.get_embedding_dimension()), int(model.max_seq_length)
    with (folder / "model.safetensors").open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    pooling = next((str(part.pooling_mode) for part in model if hasattr(part, "pooling_mode")), None)
    details = {
        "name": folder.name,
        "model_sha256": sha256,
        "runtime": "sentence-transformers",
        "compute_type": "float32",
        "dimension": dimension,
        "parameters": sum(int(weights.numel()) for weights in model.parameters()),
        "max_tokens": longest,
        "pooling": pooling,
        "normalised": True,
        "query_prefix": prefixes[True],
        "document_prefix": prefixes[False],
        "licence": None,
        "languages": None,
    }
    return EncoderCard(folder.name, dimension, longest, fingerprint(details), details)
