"""Small models on disk: GGUF, CTranslate2 and Hugging Face, whole in structure, without meaning."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from desktop_rag.models.cards import card_of, user_models, write_card
from desktop_rag.models.facts import facts_of
from tests.models.conftest import write_gguf

META: dict[str, object] = {
    "general.architecture": "qwen2",
    "general.file_type": 7,
    "general.license": "apache-2.0",
    "qwen2.block_count": 3,
    "qwen2.context_length": 512,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "qwen2",
    "tokenizer.chat_template": "{{ messages }}",
}


def gguf_bytes(**changes: object) -> bytes:
    """A chat model; `changes` replace metadata (dots written as __), None removes a key."""
    meta = dict(META)
    for key, value in changes.items():
        name = key.replace("__", ".")
        if value is None:
            meta.pop(name, None)
        else:
            meta[name] = value
    return write_gguf(meta)


def put(data: Path, model_id: str, content: bytes | None = None, **more: Any) -> Path:
    """A model of the user's, as a download or an import leaves it."""
    folder = user_models(data) / model_id
    folder.mkdir(parents=True)
    path = folder / f"{model_id}.gguf"
    path.write_bytes(gguf_bytes() if content is None else content)
    write_card(folder, card_of(facts_of(path), folder, **more))
    return path


def safetensors(values: int = 6) -> bytes:
    """One float32 tensor."""
    header = json.dumps({"lm_head.weight": {"dtype": "F32", "shape": [values], "data_offsets": [0, 4 * values]}})
    return struct.pack("<Q", len(header)) + header.encode() + bytes(4 * values)


def hf_folder(folder: Path, **config: Any) -> Path:
    """A Hugging Face folder of a causal model."""
    folder.mkdir(parents=True)
    common = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16"}
    sizes = {"max_position_embeddings": 256, "num_hidden_layers": 2}
    (folder / "config.json").write_text(json.dumps({**common, **sizes, **config}))
    (folder / "model.safetensors").write_bytes(safetensors())
    (folder / "tokenizer.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    return folder


def ct2_folder(folder: Path, *, version: int = 6, spec: bytes = b"TransformerDecoderModelSpec\0", **card: Any) -> Path:
    """A CTranslate2 folder, by the start of its binary."""
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(struct.pack("<IH", version, len(spec)) + spec + bytes(64))
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    (folder / "vocabulary.json").write_text("[]")
    (folder / "card.json").write_text(json.dumps({"compute_type": "int8", "architecture": "llama", **card}))
    return folder
