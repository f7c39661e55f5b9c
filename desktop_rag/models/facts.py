"""What a model on disk is: one reading for GGUF files, CTranslate2 folders and Hugging Face folders.

Nothing here runs a model. What is no model, is cut short or is of an unknown kind is refused with
its own sentence before any native code sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from desktop_rag.errors import ModelError
from desktop_rag.models.inspect import PART, GgufInfo, gguf_parts, inspect

Format = Literal["gguf", "ct2", "hf", "spacy"]

# llama_ftype of llama.h, as in `general.file_type`.
FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS",
    20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M",
    28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip
ENCODERS = frozenset({"bert", "nomic-bert", "jina-bert-v2", "t5encoder", "modern-bert", "roberta", "xlm-roberta"})
ARCHITECTURES_OF_RERANKERS = {
    "bert": {"classifier": "out"},
    "roberta": {"classifier.dense": "dense", "classifier.out_proj": "out"},
    "xlm-roberta": {"classifier.dense": "dense", "classifier.out_proj": "out"},
}
"""Cross-encoders that can be run here: the layers after the encoder, and what they do."""
NAMED_QUANTISATION = re.compile(
    r"(?<![A-Za-z0-9])(?:IQ[1-4]_[A-Z]+|Q[2-8]_[01K](?:_[SML])?|BF16|F16|F32)(?![A-Za-z0-9])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model says of itself; `size` in bytes on disk, `context` in tokens, None or "" where it does not say.

    `files` are the model's files relative to `path` when that is a folder, to its folder when it is a file.
    """

    path: Path
    format: Format
    kind: Literal["chat", "encoder", "reranker"]
    name: str
    size: int
    quantisation: str
    architecture: str
    context: int | None
    layers: int | None
    parameters: int | None
    licence: str
    chat_template: bool
    pre_tokenizer: str
    files: tuple[str, ...]


def facts_of(path: Path) -> Facts:
    """Read what lies at `path`.

    Raises ModelError: "not_installed" (nothing there), "incompatible" (no model, or of an unknown
    kind), "truncated" (a file is cut short or missing).
    """
    if path.is_dir():
        from desktop_rag.models.folders import folder_facts

        return folder_facts(path)
    try:
        status = path.stat()
    except OSError as error:
        raise ModelError("not_installed", f"There is no model at {path}.", "Check the path.") from error
    return _gguf_facts(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _gguf_facts(path: Path, size: int, _changed: int) -> Facts:
    """Size and time of change are part of the key, so that a replaced file is read again."""
    info = inspect(path)
    meta = info.metadata
    layers = meta.get(f"{info.architecture}.block_count")
    files = gguf_parts(path)
    return Facts(
        path=path,
        format="gguf",
        kind="encoder" if info.architecture in ENCODERS else "chat",
        name=display_name(info),
        size=size if len(files) == 1 else sum((path.parent / name).stat().st_size for name in files),
        quantisation=quantisation_of(info),
        architecture=info.architecture,
        context=info.context,
        layers=layers if isinstance(layers, int) else None,
        parameters=_parameters(info),
        licence=str(meta.get("general.license", "")),
        chat_template=info.chat_template,
        pre_tokenizer=str(meta.get("tokenizer.ggml.pre", "")) if info.tokenizer == "gpt2" else "",
        files=files,
    )


def display_name(info: GgufInfo) -> str:
    """A name for people: the file's own where it reads like one, else the name inside, with the quantisation apart."""
    named = PART.match(info.path.name)
    stem = named["stem"] if named else info.path.stem
    # Ollama's blobs and other caches name files by their hash: then only the inside can say what it is.
    if re.fullmatch(r"(sha256[-:])?[0-9a-f]{32,64}", stem) or not stem:
        return info.name or f"{info.architecture} model"
    without = NAMED_QUANTISATION.sub("", stem).strip("-_. ")
    return re.sub(r"[-_ ]+", " ", without).strip() or info.name or stem


def quantisation_of(info: GgufInfo) -> str:
    """How the weights are stored, such as "Q4_K_M": the file's word, its name's, else the type of most of them."""
    code = info.metadata.get("general.file_type")
    if isinstance(code, int) and code in FILE_TYPES:
        return FILE_TYPES[code]
    named = NAMED_QUANTISATION.search(info.path.name)
    return named[0].upper() if named else info.quantisation


def _parameters(info: GgufInfo) -> int | None:
    """Numbers that were trained; helper tables for the positions (rope) were not."""
    return sum(tensor.values for tensor in info.table if not tensor.name.startswith("rope_")) or None
