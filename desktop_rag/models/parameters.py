"""How many parameters a model of given dimensions has, and how large they are in a file of a given type.

Pure counting, matrix by matrix; the fixtures are published models whose parameters are known exactly
(BERT base 109,482,240; T5 base 222,903,552; Llama-2-7B 6,738,415,616).
"""

from __future__ import annotations

# Bits a weight takes; block formats with their scales (ggml: Q4_0 is 18 bytes for 32 values).
BITS = {
    "F32": 32.0, "float32": 32.0, "F16": 16.0, "float16": 16.0, "BF16": 16.0, "bfloat16": 16.0,
    "Q8_0": 8.5, "int8": 8.0, "Q6_K": 6.5625, "Q5_K": 5.5, "Q5_1": 6.0, "Q5_0": 5.5,
    "Q4_K": 4.5, "Q4_1": 5.0, "Q4_0": 4.5, "int4": 4.0, "Q3_K": 3.4375, "Q2_K": 2.625,
}  # fmt: skip


def size_bytes(parameters: int, kind: str) -> int:
    """The weights of `parameters` numbers of type `kind` (a key of BITS), in bytes."""
    return round(parameters * BITS[kind] / 8)


def decoder_parameters(
    vocabulary: int,
    width: int,
    layers: int,
    heads: int,
    kv_heads: int,
    head_dim: int,
    feed_forward: int,
    *,
    tied: bool,
    qkv_bias: bool = False,
) -> int:
    """Parameters of a Llama-like decoder: gated feed-forward, RMS norms, grouped query attention."""
    queries, keys = heads * head_dim, kv_heads * head_dim
    attention = width * (queries + 2 * keys) + queries * width + (queries + 2 * keys if qkv_bias else 0)
    layer = attention + 3 * width * feed_forward + 2 * width
    return vocabulary * width * (1 if tied else 2) + layers * layer + width


def encoder_parameters(
    vocabulary: int, positions: int, width: int, layers: int, feed_forward: int, *, segments: int = 2, pooler: bool
) -> int:
    """Parameters of a BERT-like encoder with biases, learned positions and, with `pooler`, its dense layer on top."""
    embeddings = (vocabulary + positions + segments) * width + 2 * width
    attention = 4 * (width**2 + width) + 2 * width
    forward = 2 * width * feed_forward + feed_forward + width + 2 * width
    return embeddings + layers * (attention + forward) + (width**2 + width if pooler else 0)


def t5_parameters(vocabulary: int, width: int, layers: int, feed_forward: int, heads: int, *, buckets: int = 32) -> int:
    """Parameters of a T5 (version 1.0): `layers` in the encoder and as many in the decoder, one shared embedding."""
    attention, forward = 4 * width**2, 2 * width * feed_forward
    encoder = layers * (attention + forward + 2 * width)
    decoder = layers * (2 * attention + forward + 3 * width)
    return vocabulary * width + encoder + decoder + 2 * buckets * heads + 2 * width
