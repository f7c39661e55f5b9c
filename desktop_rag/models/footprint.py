"""What the parts of a loaded model take in memory, engine by engine, in bytes.

Weights and KV follow from the shape exactly. Buffers and processes are models of what was measured on
the pinned versions of the engines (x86-64 Linux): llama.cpp reserves logits for a whole micro-batch but
touches those it is asked for, and memory that is never touched is never taken. Some types of weights
llama.cpp rearranges for its kernels ("repack"): a file that is mapped is then held twice.
"""

from __future__ import annotations

from desktop_rag.models.parameters import size_bytes
from desktop_rag.models.shape import Shape

MIB = 2**20
# Bits of one number in the KV memory (block formats with their scale).
KV_BITS = {"f32": 32.0, "f16": 16.0, "bf16": 16.0, "q8_0": 8.5, "q5_1": 6.0, "q5_0": 5.5, "q4_1": 5.0, "q4_0": 4.5}
CONTEXT_STEP = 256
MICRO_BATCH = 128
# Types with such a second copy on x86-64 with AVX2 (asked of ggml itself) and on 64-bit ARM.
REPACKED = frozenset({"Q4_0", "Q4_K", "Q2_K", "IQ4_NL", "MXFP4"})
WHOLE_CONTEXT = frozenset({"llama.cpp", "GPT4All"})
# The prompt that an engine which takes it at once is expected to get: passages and a conversation.
LONG_PROMPT = 2048
# A token of the vocabulary in the tables of the tokenizer.
TOKEN_BYTES = 150
# A process with the engine loaded and no model: interpreter, this application, the libraries' own memory.
PROCESS_MB = {"llama.cpp": 54, "GPT4All": 86, "CTranslate2": 72, "Transformers": 412, "OpenAI-compatible": 45}


def kv_token_bytes(shape: Shape, kv_type: str = "f16") -> int:
    """KV bytes of one token: keys and values of every layer that keeps them."""
    numbers = shape.attention_layers * shape.kv_heads * (shape.head_dim_k + shape.head_dim_v)
    return round(numbers * KV_BITS[kv_type] / 8)


def kv_bytes(
    shape: Shape, context: int, kv_type: str = "f16", engine: str = "llama.cpp", compute_type: str | None = None
) -> int:
    """KV bytes of `context` tokens.

    llama.cpp allocates whole steps of 256 at once, in `kv_type`; CTranslate2 and Transformers grow it in the
    type they compute in, 32 bits unless that is a 16-bit one.
    """
    if engine in WHOLE_CONTEXT:
        context = -(-context // CONTEXT_STEP) * CONTEXT_STEP
    else:
        kv_type = "f16" if compute_type and "16" in compute_type else "f32"
    return kv_token_bytes(shape, kv_type) * context


def compute_bytes(
    shape: Shape,
    micro_batch: int | None,
    context: int,
    engine: str = "llama.cpp",
    flash_attention: bool | None = None,
) -> int:
    """What prefill touches of the engine's buffers: activations of a micro-batch, its mask, one row of logits.

    Without flash attention (False) the scores of a micro-batch against the context are kept as well: of half
    the context, which is what a conversation fills on average. CTranslate2 takes a prompt at once, with the
    scores of all pairs of tokens and the logits of every token.
    """
    whole = engine == "CTranslate2"
    rows = min(LONG_PROMPT if whole else micro_batch or MICRO_BATCH, max(1, context))
    activations = rows * (4 * shape.embedding + 3 * shape.feed_forward) * 4
    against = rows if whole else context // 2 if flash_attention is False else 0
    logits = (rows if whole else 2) * shape.vocabulary * 4
    return activations + rows * against * shape.heads * 4 + rows * context + logits


def reserved_bytes(shape: Shape, micro_batch: int | None, context: int) -> int:
    """What llama.cpp reserves for computing (a device hands all of it out): logits for a whole micro-batch."""
    rows = min(micro_batch or MICRO_BATCH, max(1, context))
    return max(rows * (shape.vocabulary + 2 * shape.embedding) * 4, compute_bytes(shape, micro_batch, context))


def weights_in_memory(shape: Shape, engine: str, compute_type: str | None = None) -> int:
    """Weights as the engine holds them: as in the file, or converted to `compute_type`."""
    if engine == "Transformers" and shape.parameters:
        return size_bytes(shape.parameters, compute_type or "float32")
    return shape.weights_bytes


def repacked_bytes(shape: Shape) -> int:
    """What llama.cpp copies of the weights, rearranged for this kind of processor."""
    return sum(size for kind, size in shape.matrix_types if kind in REPACKED)


def is_mapped(shape: Shape, free_bytes: int | None, gpu_layers: int = 0) -> bool:
    """Whether llama.cpp is to map the file of this model instead of reading it into memory of its own.

    Reading gives large pages (3 to 5 % faster decoding was measured) and no second copy of what is rearranged
    anyway. A map can be dropped and read again: better where memory is short (`free_bytes`, None for plenty),
    and where the weights only pass through on their way to a device.
    """
    if gpu_layers:
        return True
    short = free_bytes is not None and 2 * shape.weights_bytes > free_bytes
    return short and 2 * repacked_bytes(shape) < shape.weights_bytes


def process_bytes(engine: str, vocabulary: int = 0) -> int:
    """What the process takes besides the model: interpreter and libraries, and the tables of the tokenizer."""
    return PROCESS_MB.get(engine, PROCESS_MB["llama.cpp"]) * MIB + vocabulary * TOKEN_BYTES
