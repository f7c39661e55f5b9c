"""The CTranslate2 folder of a random model, written in pieces by the published layout of `model.bin`.

The layout is ctranslate2/specs/model_spec.py `_serialize` (binary version 6), the names are those that
its converter gives a Llama-like decoder. int8 weights w are stored as q with a scale per row: w = q / scale.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from desktop_rag.models.synthetic_shapes import Architecture

BINARY_VERSION = 6
SPEC, SPEC_REVISION = "TransformerDecoderSpec", 8
# CTranslate2's data types by code, and the struct layout of one number.
TYPE_CODES = {"float32": 0, "int8": 1, "int16": 2, "int32": 3}
LAYOUTS = {"float32": "<f", "int8": "<b", "int16": "<h", "int32": "<i"}
COMPUTE_TYPES = ("int8", "float32")
SWISH = 2
DEVIATION = 0.02
# Whole numbers spread evenly over one byte have this deviation.
BYTE_DEVIATION = 73.9
POOL_VALUES = 1 << 21
SEED = 20_240_229


@dataclass(frozen=True, slots=True)
class Variable:
    """One row: a matrix or vector of `kind` filled with "random", "scale", "ones" or "zeros", or the number `value`."""

    name: str
    dims: tuple[int, ...]
    kind: str
    fill: str = ""
    value: float = 0.0

    @property
    def bytes(self) -> int:
        """Its length in the file."""
        return math.prod(self.dims) * struct.calcsize(LAYOUTS[self.kind])


def ct2_bytes(made: Architecture, compute_type: str) -> int:
    """The weights of the folder, in bytes."""
    return sum(variable.bytes for variable in variables(made, compute_type))


def variables(made: Architecture, compute_type: str) -> list[Variable]:
    """Everything `model.bin` holds for this shape."""
    rows = [
        _number("decoder/activation", "int8", SWISH),
        _number("decoder/alibi", "int8", 0),
        _number("decoder/alibi_use_positive_positions", "int8", 0),
        _number("decoder/alignment_heads", "int16", 1),
        _number("decoder/alignment_layer", "int16", -1),
        *_matrix("decoder/embeddings", made.vocabulary, made.width, compute_type),
        Variable("decoder/layer_norm/gamma", (made.width,), "float32", "ones"),
        _number("decoder/num_heads", "int16", made.heads),
        _number("decoder/pre_norm", "int8", 1),
        _number("decoder/scale_alibi", "int8", 0),
        _number("decoder/scale_embeddings", "int8", 0),
        _number("decoder/start_from_zero_embedding", "int8", 0),
    ]
    if not made.tied:
        rows += _matrix("decoder/projection", made.vocabulary, made.width, compute_type)
    for layer in range(made.layers):
        rows += _layer(made, f"decoder/layer_{layer}/", compute_type)
    return rows


def write_model(file: BinaryIO, made: Architecture, compute_type: str) -> Iterator[float]:
    """Write `model.bin`; yields the fraction that is done."""
    rows = variables(made, compute_type)
    total, written = sum(row.bytes for row in rows), 0
    pool = _pool(compute_type)
    file.write(struct.pack("<I", BINARY_VERSION) + _text(SPEC) + struct.pack("<II", SPEC_REVISION, len(rows)))
    for row in rows:
        file.write(_text(row.name) + struct.pack("<B", len(row.dims)))
        file.write(b"".join(struct.pack("<I", dim) for dim in row.dims))
        file.write(struct.pack("<BI", TYPE_CODES[row.kind], row.bytes & 0xFFFFFFFF))
        for piece in _content(row, pool):
            file.write(piece)
            written += len(piece)
            yield min(1.0, written / total)
    aliases = _shared(made, compute_type)
    file.write(struct.pack("<I", len(aliases)))
    file.writelines(_text(name) + _text(other) for name, other in aliases)


def write_config(folder: Path, made: Architecture, tokens: list[str], special: dict[str, str]) -> None:
    """The `config.json` and `vocabulary.json` beside it; `special` are the texts of bos, eos and unk."""
    end = special.get("eos", tokens[0])
    config: dict[str, Any] = {
        "bos_token": special.get("bos", end),
        "eos_token": end,
        "unk_token": special.get("unk", ""),
        "layer_norm_epsilon": made.epsilon,
        "multi_query_attention": made.kv_heads != made.heads,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    (folder / "vocabulary.json").write_text(json.dumps(tokens, ensure_ascii=False), encoding="utf-8")


def _layer(made: Architecture, prefix: str, compute_type: str) -> list[Variable]:
    queries, keys = made.heads * made.head_dim, made.kv_heads * made.head_dim
    attention = f"{prefix}self_attention/"
    rows = [
        Variable(f"{prefix}ffn/layer_norm/gamma", (made.width,), "float32", "ones"),
        *_matrix(f"{prefix}ffn/linear_0", made.feed_forward, made.width, compute_type),
        *_matrix(f"{prefix}ffn/linear_0_noact", made.feed_forward, made.width, compute_type),
        *_matrix(f"{prefix}ffn/linear_1", made.width, made.feed_forward, compute_type),
        Variable(f"{attention}layer_norm/gamma", (made.width,), "float32", "ones"),
        *_matrix(f"{attention}linear_0", queries + 2 * keys, made.width, compute_type),
        *_matrix(f"{attention}linear_1", made.width, queries, compute_type),
        _number(f"{attention}rotary_base", "float32", made.rope_base),
        _number(f"{attention}rotary_dim", "int32", 0),
        _number(f"{attention}rotary_interleave", "int8", 0),
    ]
    if made.kv_heads != made.heads:
        rows.append(_number(f"{attention}num_heads_kv", "int32", made.kv_heads))
    if made.qkv_bias:
        rows.append(Variable(f"{attention}linear_0/bias", (queries + 2 * keys,), "float32", "zeros"))
    return rows


def _matrix(name: str, rows: int, columns: int, compute_type: str) -> list[Variable]:
    matrix = [Variable(f"{name}/weight", (rows, columns), compute_type, "random")]
    if compute_type == "int8":
        matrix.append(Variable(f"{name}/weight_scale", (rows,), "float32", "scale"))
    return matrix


def _number(name: str, kind: str, value: float) -> Variable:
    return Variable(name, (), kind, value=value)


def _shared(made: Architecture, compute_type: str) -> list[tuple[str, str]]:
    if not made.tied:
        return []
    parts = ("weight", "weight_scale") if compute_type == "int8" else ("weight",)
    return [(f"decoder/projection/{part}", f"decoder/embeddings/{part}") for part in parts]


def _content(row: Variable, pool: bytes) -> Iterator[bytes]:
    if not row.dims:
        number = row.value if row.kind == "float32" else int(row.value)
        yield struct.pack(LAYOUTS[row.kind], number)
        return
    if row.fill == "random":
        left = row.bytes
        while left:
            piece = pool[:left]
            yield piece
            left -= len(piece)
        return
    fill = {"ones": 1.0, "zeros": 0.0, "scale": BYTE_DEVIATION / DEVIATION}[row.fill]
    yield np.full(row.dims, fill, np.float32).tobytes()


def _pool(compute_type: str) -> bytes:
    random = np.random.default_rng(SEED)
    if compute_type == "int8":
        return random.integers(-127, 128, POOL_VALUES, dtype=np.int8).tobytes()
    return random.normal(0.0, DEVIATION, POOL_VALUES).astype(np.float32).tobytes()


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<H", len(data) + 1) + data + b"\0"
