"""The real architectures whose speed can be measured with random weights, tensor by tensor: pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

# ggml: code, values a block, bytes a block.
FORMATS = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q8_0": (8, 32, 34), "Q6_K": (14, 256, 210)}
QUANTISATIONS = ("Q4_0", "Q8_0", "F16")


@dataclass(frozen=True, slots=True)
class Architecture:
    """A published model's measures, as its `config.json` gives them."""

    name: str
    architecture: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    feed_forward: int
    vocabulary: int
    context: int
    rope_base: float
    epsilon: float
    tied: bool
    qkv_bias: bool = False


SHAPES: dict[str, Architecture] = {
    "smollm2-135m": Architecture(
        "SmolLM2 135M", "llama", 30, 576, 9, 3, 64, 1536, 49152, 8192, 100_000, 1e-5, tied=True
    ),
    "qwen2.5-0.5b": Architecture(
        "Qwen2.5 0.5B", "qwen2", 24, 896, 14, 2, 64, 4864, 151_936, 32768, 1_000_000, 1e-6, tied=True, qkv_bias=True
    ),
    "llama-3.2-1b": Architecture(
        "Llama 3.2 1B", "llama", 16, 2048, 32, 8, 64, 8192, 128_256, 131_072, 500_000, 1e-5, tied=True
    ),
    "llama-3.2-3b": Architecture(
        "Llama 3.2 3B", "llama", 28, 3072, 24, 8, 128, 8192, 128_256, 131_072, 500_000, 1e-5, tied=True
    ),
    "llama-2-7b": Architecture(
        "Llama 2 7B", "llama", 32, 4096, 32, 32, 128, 11008, 32000, 4096, 10_000, 1e-5, tied=False
    ),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A tensor to write: `shape` slowest first, `format` a key of FORMATS, `bytes` long."""

    name: str
    shape: tuple[int, ...]
    format: str

    @property
    def bytes(self) -> int:
        """Its length in the file, without padding."""
        _, per_block, block_bytes = FORMATS[self.format]
        return math.prod(self.shape) // per_block * block_bytes


def tensors(made: Architecture, quantisation: str) -> list[Planned]:
    """All tensors of the GGUF file; the output matrix is kept finer, as llama.cpp's own quantiser does."""
    outermost = output_format(made, quantisation)
    planned = [Planned("token_embd.weight", (made.vocabulary, made.width), outermost if made.tied else quantisation)]
    if not made.tied:
        planned.append(Planned("output.weight", (made.vocabulary, made.width), outermost))
    for layer in range(made.layers):
        planned.extend(_layer(made, f"blk.{layer}.", quantisation))
    # Last, as in real files: llama.cpp maps what lies between the first and the last tensor that it maps at all.
    return [*planned, Planned("output_norm.weight", (made.width,), "F32")]


def output_format(made: Architecture, quantisation: str) -> str:
    """How the output matrix is stored: Q6_K in a Q4_0 file, Q8_0 where rows do not divide into its blocks."""
    if quantisation != "Q4_0":
        return quantisation
    return "Q6_K" if made.width % FORMATS["Q6_K"][1] == 0 else "Q8_0"


def gguf_bytes(made: Architecture, quantisation: str) -> int:
    """The weights of the file, in bytes."""
    return sum(tensor.bytes for tensor in tensors(made, quantisation))


def _layer(made: Architecture, prefix: str, quantisation: str) -> Iterator[Planned]:
    queries, keys = made.heads * made.head_dim, made.kv_heads * made.head_dim
    for name, size in (("attn_norm", made.width), ("ffn_norm", made.width)):
        yield Planned(f"{prefix}{name}.weight", (size,), "F32")
    for name, rows, columns in (
        ("attn_q", queries, made.width),
        ("attn_k", keys, made.width),
        ("attn_v", keys, made.width),
        ("attn_output", made.width, queries),
        ("ffn_gate", made.feed_forward, made.width),
        ("ffn_up", made.feed_forward, made.width),
        ("ffn_down", made.width, made.feed_forward),
    ):
        yield Planned(f"{prefix}{name}.weight", (rows, columns), quantisation)
    if made.qkv_bias:
        for name, rows in (("attn_q", queries), ("attn_k", keys), ("attn_v", keys)):
            yield Planned(f"{prefix}{name}.bias", (rows,), "F32")
