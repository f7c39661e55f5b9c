"""The pipeline that everybody writes first: Presidio as it comes, sentence-transformers, Chroma, rank_bm25."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop_rag import torch_part
from desktop_rag.evaluation.pii_finders import stock_finder
from desktop_rag.scratch import scratch

_PASSAGE = 1000


def naive_pipeline(spacy_model: Path, encoder: Path) -> Callable[[Path], dict[str, Any]]:
    """A function that takes in a folder of text files: {documents, characters, seconds} and each step's seconds.

    The models are loaded before and have run once; the lexical index, which cannot grow, is built once at the end.
    """
    torch_part.require("The comparison with the usual pipeline")
    import chromadb
    from chromadb.config import Settings
    from rank_bm25 import BM25Okapi  # type: ignore[import-untyped]
    from sentence_transformers import SentenceTransformer

    find = stock_finder(spacy_model)
    model = SentenceTransformer(str(encoder), device="cpu", local_files_only=True)
    model.encode(["A passage."])
    find("A text.", "en")

    def run(folder: Path) -> dict[str, Any]:
        begun = time.perf_counter()
        texts = [path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())]
        scrubbed = [_scrubbed(text, find(text, "en")) for text in texts]
        passages = [text[at : at + _PASSAGE] for text in scrubbed for at in range(0, len(text), _PASSAGE)]
        cleaned = time.perf_counter()
        vectors = model.encode(passages)
        encoded = time.perf_counter()
        with scratch("bench") as place:
            client = chromadb.PersistentClient(str(place), Settings(anonymized_telemetry=False))
            held = client.create_collection("naive")
            held.add(ids=[str(n) for n in range(len(passages))], embeddings=vectors, documents=passages)
            BM25Okapi([passage.lower().split() for passage in passages])
            ended = time.perf_counter()
        steps = {"scrub_s": cleaned - begun, "encode_s": encoded - cleaned, "index_s": ended - encoded}
        return {"documents": len(texts), "characters": sum(map(len, texts)), "seconds": ended - begun, **steps}

    return run


def _scrubbed(text: str, spans: list[dict[str, Any]]) -> str:
    """The text with a label in place of each value; of values that overlap the first is taken."""
    parts, at = [], 0
    for span in sorted(spans, key=lambda one: (one["start"], -one["end"])):
        if span["start"] >= at:
            parts += [text[at : span["start"]], f"<{span['label']}>"]
            at = span["end"]
    return "".join([*parts, text[at:]])
