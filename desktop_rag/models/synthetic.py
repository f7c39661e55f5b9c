"""Models of a real architecture's shape with random weights, so that speed can be measured without a download.

Speed depends on sizes and types, not on what the numbers are: such a file is read, computed and held
like the real one, and answers nonsense. Written in pieces, in constant memory; the random bytes come
from a pool that is reused, with scales that keep every activation finite. The tokenizer is copied
from a model that is there, padded with unused tokens (or cut) to the shape's vocabulary.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]

from desktop_rag.errors import ModelError, StoreError, UsageError
from desktop_rag.models.synthetic_ct2 import COMPUTE_TYPES, ct2_bytes, write_config, write_model
from desktop_rag.models.synthetic_shapes import (
    FORMATS,
    QUANTISATIONS,
    SHAPES,
    Architecture,
    Planned,
    gguf_bytes,
    tensors,
)

Event = dict[str, Any]
MEMORY_SHARE = 0.4
ALIGNMENT = 32
POOL_BLOCKS = 1 << 16
DEVIATION = 0.02
SEED = 20_240_229
DISK_RESERVE = 256 << 20
FILE_TYPES = {"Q4_0": 2, "Q8_0": 7, "F16": 1}
UNUSED = 5
SPECIAL_IDS = ("bos", "eos", "unknown", "padding")


def architecture(name: str) -> Architecture:
    """The shape called `name`; UsageError("bad_request") names the known ones."""
    if name not in SHAPES:
        raise UsageError("bad_request", f"There is no shape called “{name}”.", f"Known shapes: {', '.join(SHAPES)}.")
    return SHAPES[name]


def too_large(size: int, memory: int | None = None) -> bool:
    """Whether weights of `size` bytes take more than 40 % of this machine's memory (or of `memory` bytes)."""
    return size > MEMORY_SHARE * (memory or int(psutil.virtual_memory().total))


def write_gguf(target: Path, shape_name: str, quantisation: str, tokenizer_from: Path) -> Iterator[Event]:
    """Write `target`, yielding {"event": "progress", "text", "fraction"}; nothing is left when it is closed early.

    Raises UsageError("bad_request"), ModelError("out_of_memory") for one that is too large for this
    machine, StoreError("disk_full").
    """
    made = architecture(shape_name)
    if quantisation not in QUANTISATIONS:
        known = ", ".join(QUANTISATIONS)
        raise UsageError("bad_request", f"{quantisation} cannot be made.", f"Choose one of {known}.")
    size = gguf_bytes(made, quantisation)
    check_room(target, size, f"{made.name} in {quantisation}")
    part = target.with_name(f".{target.name}.part")
    try:
        yield _progress("Writing the header", 0.0)
        planned = tensors(made, quantisation)
        _header(part, made, quantisation, planned, tokenizer_from)
        with part.open("ab") as file:
            written = 0
            for tensor in planned:
                for piece in _pieces(tensor):
                    file.write(piece)
                    written += len(piece)
                    yield _progress(f"Writing {made.name} {quantisation}", min(1.0, written / size))
                file.write(bytes(-tensor.bytes % ALIGNMENT))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def write_ct2(target: Path, shape_name: str, compute_type: str, tokenizer_from: Path) -> Iterator[Event]:
    """Write the CTranslate2 folder `target` ("int8" or "float32") with everything an engine needs; as `write_gguf`."""
    from desktop_rag.models.convert_tokenizer import read_tokens, write_tokenizer

    made = architecture(shape_name)
    if compute_type not in COMPUTE_TYPES:
        known = ", ".join(COMPUTE_TYPES)
        raise UsageError("bad_request", f"{compute_type} cannot be made.", f"Choose one of {known}.")
    check_room(target, ct2_bytes(made, compute_type), f"{made.name} in {compute_type}")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
        folder, header = Path(scratch) / "made", Path(scratch) / "tokens.gguf"
        folder.mkdir()
        yield _progress("Writing the tokenizer", 0.0)
        _header(header, made, QUANTISATIONS[0], [], tokenizer_from)
        write_tokenizer(header, folder)
        tokens = read_tokens(header)
        write_config(folder, made, tokens.texts, tokens.special)
        with (folder / "model.bin").open("wb") as file:
            for fraction in write_model(file, made, compute_type):
                yield _progress(f"Writing {made.name} {compute_type}", fraction)
        card: dict[str, Any] = {
            "format": "ct2",
            "compute_type": compute_type,
            "quantisation": compute_type,
            "source": "synthetic",
        }
        card |= {"architecture": made.architecture, "context": made.context, "layers": made.layers}
        (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
        folder.replace(target)


def check_room(target: Path, size: int, name: str) -> None:
    """Raise ModelError("out_of_memory") or StoreError("disk_full") where `size` bytes of weights are too many."""
    if too_large(size):
        raise ModelError(
            "out_of_memory",
            f"{name} is too large: {size / 1e9:.1f} GB are more than 40 % of this machine's memory.",
            "Choose a smaller shape or quantisation.",
            details={"bytes": size},
        )
    free = shutil.disk_usage(target.parent).free
    if size + DISK_RESERVE > free:
        raise StoreError("disk_full", f"{name} needs {size / 1e9:.1f} GB, {free / 1e9:.1f} GB are free.", "Free space.")


def _header(part: Path, made: Architecture, quantisation: str, planned: list[Planned], tokenizer_from: Path) -> None:
    from gguf import GGMLQuantizationType, GGUFWriter

    writer = GGUFWriter(part, made.architecture)
    writer.add_name(f"{made.name} (random weights)")
    writer.add_file_type(FILE_TYPES[quantisation])
    writer.add_block_count(made.layers)
    writer.add_context_length(made.context)
    writer.add_embedding_length(made.width)
    writer.add_feed_forward_length(made.feed_forward)
    writer.add_head_count(made.heads)
    writer.add_head_count_kv(made.kv_heads)
    writer.add_key_length(made.head_dim)
    writer.add_value_length(made.head_dim)
    writer.add_layer_norm_rms_eps(made.epsilon)
    writer.add_rope_freq_base(made.rope_base)
    writer.add_rope_dimension_count(made.head_dim)
    writer.add_vocab_size(made.vocabulary)
    _tokenizer(writer, tokenizer_from, made.vocabulary)
    for tensor in planned:
        kind = GGMLQuantizationType(FORMATS[tensor.format][0])
        writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.int8), tensor.bytes, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with part.open("ab") as file:
        file.write(bytes(-file.tell() % ALIGNMENT))


def _tokenizer(writer: Any, source: Path, vocabulary: int) -> None:
    """Copy the tokenizer's keys; tokens are padded with unused ones or cut, and merges into missing tokens left out."""
    from gguf import GGUFReader

    fields = GGUFReader(source).fields
    tokens = list(fields["tokenizer.ggml.tokens"].contents())[:vocabulary]
    kinds = [int(kind) for kind in fields["tokenizer.ggml.token_type"].contents()][:vocabulary]
    known = set(tokens)
    merges = [merge for merge in fields["tokenizer.ggml.merges"].contents() if merge.replace(" ", "", 1) in known]
    missing = vocabulary - len(tokens)
    writer.add_tokenizer_model(fields["tokenizer.ggml.model"].contents())
    writer.add_tokenizer_pre(fields["tokenizer.ggml.pre"].contents())
    writer.add_token_list(tokens + [f"<unused_{number}>" for number in range(missing)])
    writer.add_token_types(kinds + [UNUSED] * missing)
    writer.add_token_merges(merges)
    for name in SPECIAL_IDS:
        field = fields.get(f"tokenizer.ggml.{name}_token_id")
        if field is not None and int(field.contents()) < vocabulary:
            writer.add_uint32(f"tokenizer.ggml.{name}_token_id", int(field.contents()))
    for name in ("add_bos_token", "add_space_prefix"):
        field = fields.get(f"tokenizer.ggml.{name}")
        if field is not None:
            writer.add_bool(f"tokenizer.ggml.{name}", bool(field.contents()))
    template = fields.get("tokenizer.chat_template")
    if template is not None:
        writer.add_chat_template(template.contents())


def _pieces(tensor: Planned) -> Iterator[bytes]:
    """A tensor's bytes: norms are ones, biases zeros, matrices come from the pool of their format."""
    if tensor.format == "F32":
        fill = 0.0 if tensor.name.endswith(".bias") else 1.0
        yield np.full(tensor.shape, fill, np.float32).tobytes()
        return
    pool = _POOLS.setdefault(tensor.format, _pool(tensor.format))
    left = tensor.bytes
    while left:
        piece = pool[:left]
        yield piece
        left -= len(piece)


_POOLS: dict[str, bytes] = {}


def _pool(format_name: str) -> bytes:
    """Random blocks of one format whose numbers have a standard deviation of about 0.02, as trained weights have."""
    random = np.random.default_rng(SEED)
    _, per_block, block_bytes = FORMATS[format_name]
    if per_block == 1:
        return random.normal(0.0, DEVIATION, POOL_BLOCKS * 16).astype(np.float16).tobytes()
    blocks = random.integers(0, 256, (POOL_BLOCKS, block_bytes), dtype=np.uint8)
    if format_name == "Q6_K":
        # Values −32…31 times a signed scale of a group of 16 times the block's scale at the end.
        blocks[:, 192:208] = random.integers(8, 33, (POOL_BLOCKS, 16), dtype=np.uint8)
        blocks[:, 208:210] = _scale(DEVIATION / (18.5 * 20))
    else:
        blocks[:, 0:2] = _scale(DEVIATION / (4.6 if format_name == "Q4_0" else 73.9))
    return blocks.tobytes()


def _scale(value: float) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.array([value], np.float16).view(np.uint8)


def _progress(text: str, fraction: float) -> Event:
    return {"event": "progress", "text": text, "fraction": round(fraction, 4)}
