"""What a model measures: layers, heads, and the bytes it occupies and reads for every token.

Taken from the tensor tables where there are files (GGUF, Hugging Face folder, CTranslate2 folder), so
that sizes are counted and not guessed, and from the catalogue's numbers before a download. Pure: the
arithmetic on top of it is in `desktop_rag.models.fit`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag.errors import ModelError
from desktop_rag.models.inspect import GgufInfo, Tensor
from desktop_rag.models.parameters import decoder_parameters
from desktop_rag.models.tables import Ct2Table, ct2_table, safetensors_table

GGUF_LAYER = re.compile(r"^blk\.(\d+)\.")
HF_LAYER = re.compile(r"\blayers\.(\d+)\.|\bh\.(\d+)\.")
CT2_LAYER = re.compile(r"^decoder/layer_(\d+)/")
# A config.json may promise any number; room is made for every layer.
MOST_LAYERS = 10_000
# "Q4_K_M" is mostly Q4_K.
MAIN_TYPE = re.compile(r"_(?:S|M|L|XL)$")
# Tables that help the computation but were never trained.
NOT_PARAMETERS = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")


@dataclass(frozen=True, slots=True)
class Shape:
    """One model's measures. Sizes in bytes as stored in the file, `context` and `sliding_window` in tokens.

    `heads` attend, `kv_heads` are kept in the KV memory; `attention_layers` of the `layers` keep one
    (fewer in hybrid models). `layer_bytes` has one value a layer (their mean where a file does not tell
    them apart), `embedding_bytes` is the input table, `output_bytes` the matrix that makes the logits;
    for `tied` models they are the same bytes. `read_bytes` is what one decoded token reads of the
    weights: all of it, except a row instead of the table of an untied embedding, and of a mixture of
    experts only those that are used. `parameters` None where only a size is known. `read_types` are
    the bytes a token reads by type of tensor, `matrix_types` those of the matrices (an embedding table
    is not one): engines may keep some types in another order than the file does.
    """

    architecture: str
    layers: int
    embedding: int
    heads: int
    kv_heads: int
    head_dim_k: int
    head_dim_v: int
    feed_forward: int
    vocabulary: int
    context: int | None
    sliding_window: int | None
    parameters: int | None
    weights_bytes: int
    layer_bytes: tuple[int, ...]
    embedding_bytes: int
    output_bytes: int
    tied: bool
    read_bytes: int
    attention_layers: int
    read_types: tuple[tuple[str, int], ...] = ()
    matrix_types: tuple[tuple[str, int], ...] = ()


def shape_of_gguf(info: GgufInfo) -> Shape:
    """The measures of a GGUF file. Raises ModelError("incompatible") when its header lacks them."""
    numbers = _GgufNumbers(info)
    by_name = {tensor.name: tensor for tensor in info.table}
    embedding = by_name.get("token_embd.weight")
    output = by_name.get("output.weight")
    layers = numbers.need("block_count")
    if layers > len(info.table):
        raise ModelError("incompatible", f"{info.path.name} says it has {layers:,} layers, and does not.")
    width = numbers.need("embedding_length")
    heads = numbers.get("attention.head_count") or 1
    dim = numbers.get("attention.key_length") or max(1, width // heads)
    dim_v = numbers.get("attention.value_length") or dim
    kv_heads = numbers.get("attention.head_count_kv") or _kv_heads_of(info.table, dim) or heads
    weights = sum(tensor.bytes for tensor in info.table)
    layer_bytes = _by_layer(info.table, GGUF_LAYER, layers)
    embedding_bytes = embedding.bytes if embedding else 0
    unread = embedding_bytes if output else 0
    keeping = {m.group(1) for t in info.table if (m := GGUF_LAYER.match(t.name)) and ".attn_" in t.name}
    keeping = {number for number in keeping if _keeps_kv(by_name, number)} or keeping
    return Shape(
        architecture=info.architecture,
        layers=layers,
        embedding=width,
        heads=heads,
        kv_heads=kv_heads,
        head_dim_k=dim,
        head_dim_v=dim_v,
        feed_forward=numbers.get("feed_forward_length") or _widest(info.table, "ffn_up"),
        vocabulary=embedding.dims[-1] if embedding and embedding.dims else numbers.get("vocab_size") or 0,
        context=info.context,
        sliding_window=numbers.get("attention.sliding_window"),
        parameters=sum(tensor.values for tensor in info.table if tensor.name not in NOT_PARAMETERS),
        weights_bytes=weights,
        layer_bytes=layer_bytes,
        embedding_bytes=embedding_bytes,
        output_bytes=output.bytes if output else embedding_bytes,
        tied=output is None,
        read_bytes=weights - unread - _unused_experts(info, numbers),
        attention_layers=len(keeping) or layers,
        read_types=_by_type(tensor for tensor in info.table if tensor is not embedding or output is None),
        matrix_types=_by_type(t for t in info.table if t is not embedding and len(t.dims) > 1),
    )


def shape_of_hf(folder: Path) -> Shape:
    """The measures of a Hugging Face folder (`config.json`, and the safetensors tables where there are any)."""
    config = _config(folder / "config.json")
    text = config.get("text_config")
    if isinstance(text, Mapping):
        config = {**config, **text}
    table = safetensors_table(folder)
    tied = bool(config.get("tie_word_embeddings", not any("lm_head" in tensor.name for tensor in table)))
    numbers = {
        "architecture": str(config.get("model_type", "")),
        "layers": config.get("num_hidden_layers", config.get("n_layer")),
        "n_embd": config.get("hidden_size", config.get("n_embd")),
        "heads": config.get("num_attention_heads", config.get("n_head")),
        "kv_heads": config.get("num_key_value_heads"),
        "head_dim": config.get("head_dim"),
        "feed_forward": config.get("intermediate_size", config.get("n_inner")),
        "vocab": config.get("vocab_size"),
        "context": config.get("max_position_embeddings", config.get("n_positions")),
        "sliding_window": config.get("sliding_window") if config.get("use_sliding_window", True) else None,
        "tied": tied,
    }
    if not table:
        size = sum(path.stat().st_size for path in folder.glob("*.bin"))
        return _from_numbers({**numbers, "size": size}, folder.name)
    kept = [tensor for tensor in table if not (tied and "lm_head" in tensor.name)]
    numbers["size"] = sum(tensor.bytes for tensor in kept)
    numbers["parameters"] = sum(tensor.values for tensor in kept)
    numbers["embedding_bytes"] = sum(t.bytes for t in kept if "embed_tokens" in t.name or t.name.endswith("wte.weight"))
    numbers["output_bytes"] = sum(tensor.bytes for tensor in kept if "lm_head" in tensor.name)
    layers = numbers["layers"]
    if isinstance(layers, int) and 0 < layers <= MOST_LAYERS:
        numbers["layer_bytes"] = _by_layer(kept, HF_LAYER, layers)
    return _from_numbers(numbers, folder.name)


def shape_of_ct2(folder: Path) -> Shape:
    """The measures of a CTranslate2 folder, from the table in its `model.bin` (decoders only)."""
    table = ct2_table(folder / "model.bin")
    rows = {tensor.name: tensor for tensor in table.tensors}
    embedding = rows.get("decoder/embeddings/weight")
    layer_numbers = {int(found.group(1)) for name in rows if (found := CT2_LAYER.match(name))}
    if embedding is None or not layer_numbers:
        raise ModelError("incompatible", f"{folder.name} holds no text generator ({table.spec}).")
    heads, kv_heads, dim = _ct2_heads(table, rows, embedding.dims[1])
    tied = table.aliases.get("decoder/projection/weight") == embedding.name
    beside = "decoder/projection/"
    scale = rows.get("decoder/embeddings/weight_scale")
    return _from_numbers(
        {
            "architecture": str(_config(folder / "config.json", {}).get("model_type", "")),
            "layers": len(layer_numbers),
            "n_embd": embedding.dims[1],
            "heads": heads,
            "kv_heads": kv_heads,
            "head_dim": dim,
            "feed_forward": rows["decoder/layer_0/ffn/linear_0/weight"].dims[0],
            "vocab": embedding.dims[0],
            "tied": tied,
            "size": sum(tensor.bytes for tensor in table.tensors),
            "parameters": sum(t.values for t in table.tensors if not t.name.endswith("_scale")),
            "embedding_bytes": embedding.bytes + (scale.bytes if scale else 0),
            "output_bytes": sum(tensor.bytes for tensor in table.tensors if tensor.name.startswith(beside)),
            "layer_bytes": _by_layer(table.tensors, CT2_LAYER, len(layer_numbers)),
        },
        folder.name,
    )


def shape_of_entry(entry: Any) -> Shape | None:
    """The measures of a catalogue entry, from the numbers beside it; None where it has none.

    `entry` is a catalogue's Entry with a mapping in `shape`, or such a mapping itself: layers,
    kv_heads, head_dim, n_embd, vocab, parameters, size, and optionally heads, feed_forward, context,
    tied, architecture, sliding_window, quantisation.
    """
    numbers = entry if isinstance(entry, Mapping) else getattr(entry, "shape", None)
    if not numbers:
        return None
    numbers = dict(numbers)
    for name in ("size", "context", "quantisation"):
        numbers.setdefault(name, getattr(entry, name, None))
    return _from_numbers(numbers, str(getattr(entry, "name", "the model")))


def _from_numbers(numbers: Mapping[str, Any], name: str) -> Shape:
    """A shape from plain numbers, which a stranger may have written; ModelError("incompatible") for odd ones."""
    try:
        return _derived(numbers)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ModelError(
            "incompatible", f"{name} does not say how many layers it has and how wide they are."
        ) from error


def _derived(numbers: Mapping[str, Any]) -> Shape:
    """What is missing of the byte counts is derived from the parameters' proportions."""
    layers, width, vocabulary = (int(numbers[key]) for key in ("layers", "n_embd", "vocab"))
    size = int(numbers["size"])
    if not 0 < layers <= MOST_LAYERS:
        raise ValueError(layers)
    heads = int(numbers.get("heads") or 0) or width // int(numbers.get("head_dim") or 64)
    dim = int(numbers.get("head_dim") or 0) or width // heads
    kv_heads = int(numbers.get("kv_heads") or heads)
    feed_forward = int(numbers.get("feed_forward") or 0)
    tied = bool(numbers.get("tied", False))
    parameters = numbers.get("parameters") or (
        decoder_parameters(vocabulary, width, layers, heads, kv_heads, dim, feed_forward, tied=tied)
        if feed_forward
        else None
    )
    table_bytes = round(size * vocabulary * width / parameters) if parameters else 0
    embedding_bytes = int(numbers.get("embedding_bytes") or table_bytes)
    output_bytes = embedding_bytes if tied else int(numbers.get("output_bytes") or embedding_bytes)
    tables = embedding_bytes if tied else embedding_bytes + output_bytes
    kind = MAIN_TYPE.sub("", str(numbers.get("quantisation") or ""))
    layer_bytes = tuple(numbers.get("layer_bytes") or ()) or (max(0, size - tables) // max(1, layers),) * layers
    return Shape(
        architecture=str(numbers.get("architecture") or ""),
        layers=layers,
        embedding=width,
        heads=heads,
        kv_heads=kv_heads,
        head_dim_k=dim,
        head_dim_v=dim,
        feed_forward=feed_forward,
        vocabulary=vocabulary,
        context=numbers.get("context"),
        sliding_window=numbers.get("sliding_window"),
        parameters=int(parameters) if parameters else None,
        weights_bytes=size,
        layer_bytes=layer_bytes,
        embedding_bytes=embedding_bytes,
        output_bytes=output_bytes,
        tied=tied,
        read_bytes=size if tied else size - embedding_bytes,
        attention_layers=layers,
        read_types=((kind, size if tied else size - embedding_bytes),) if kind else (),
        matrix_types=((kind, sum(layer_bytes)),) if kind else (),
    )


class _GgufNumbers:
    """The architecture's own keys of a header (`llama.block_count` …)."""

    def __init__(self, info: GgufInfo) -> None:
        self.info = info

    def get(self, key: str) -> int | None:
        """The number, or None where the file has none (or one for every layer)."""
        value = self.info.metadata.get(f"{self.info.architecture}.{key}")
        return int(value) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

    def need(self, key: str) -> int:
        """The number; ModelError("incompatible") without it."""
        value = self.get(key)
        if value is None:
            raise ModelError("incompatible", f"{self.info.path.name} does not say its {key.replace('_', ' ')}.")
        return value


def _by_layer(table: Iterable[Tensor], pattern: re.Pattern[str], layers: int) -> tuple[int, ...]:
    sums = [0] * layers
    for tensor in table:
        found = pattern.search(tensor.name)
        number = int(next(group for group in found.groups() if group)) if found else layers
        if number < layers:
            sums[number] += tensor.bytes
    return tuple(sums)


def _by_type(table: Iterable[Tensor]) -> tuple[tuple[str, int], ...]:
    sums: dict[str, int] = {}
    for tensor in table:
        sums[tensor.type] = sums.get(tensor.type, 0) + tensor.bytes
    return tuple(sorted(sums.items()))


def _kv_heads_of(table: Iterable[Tensor], dim: int) -> int:
    """Key heads of the widest layer: files that vary them by layer keep a list, the tensors tell as well."""
    return _widest(table, "attn_k") // dim


def _widest(table: Iterable[Tensor], part: str) -> int:
    return max(
        (tensor.dims[-1] for tensor in table if tensor.dims and tensor.name.endswith(f".{part}.weight")), default=0
    )


def _keeps_kv(by_name: Mapping[str, Tensor], number: str) -> bool:
    return any(f"blk.{number}.{part}.weight" in by_name for part in ("attn_k", "attn_qkv", "attn_kv_a_mqa"))


def _unused_experts(info: GgufInfo, numbers: _GgufNumbers) -> int:
    count, used = numbers.get("expert_count"), numbers.get("expert_used_count")
    if not count or not used:
        return 0
    experts = sum(tensor.bytes for tensor in info.table if "_exps." in tensor.name)
    return round(experts * (1 - used / count))


def _ct2_heads(table: Ct2Table, rows: Mapping[str, Tensor], width: int) -> tuple[int, int, int]:
    attention = "decoder/layer_0/self_attention/"
    heads = int(table.numbers.get("decoder/num_heads", 1)) or 1
    dim = int(table.numbers.get(attention + "head_dim", 0)) or width // heads
    projected = rows[attention + "linear_0/weight"].dims[0]
    kv_heads = int(table.numbers.get(attention + "num_heads_kv", 0)) or max(1, (projected // dim - heads) // 2)
    return heads, kv_heads, dim


def _config(path: Path, default: dict[str, Any] | None = None) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if default is not None:
            return default
        raise ModelError("incompatible", f"{path.parent.name} has no readable {path.name}.") from error
    return config if isinstance(config, dict) else {}
