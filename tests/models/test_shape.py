"""Shapes are counted from tensor tables: GGUF, safetensors and CTranslate2 tell the same of the same model."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from desktop_rag import paths
from desktop_rag.errors import ModelError
from desktop_rag.models.catalogue import find
from desktop_rag.models.inspect import GgufInfo, Tensor, inspect
from desktop_rag.models.parameters import decoder_parameters
from desktop_rag.models.shape import Shape, shape_of_ct2, shape_of_entry, shape_of_gguf, shape_of_hf
from desktop_rag.models.tables import ct2_table
from tests.models.kit import safetensors

LAYERS, WIDTH, HEADS, KV, DIM, FORWARD, VOCABULARY = 3, 256, 4, 2, 64, 512, 1000
COUNTED = decoder_parameters(VOCABULARY, WIDTH, LAYERS, HEADS, KV, DIM, FORWARD, tied=False)
MEASURES = {"layers": LAYERS, "embedding": WIDTH, "heads": HEADS, "kv_heads": KV, "head_dim_k": DIM}


def measures(shape: Shape) -> dict[str, int]:
    return {name: getattr(shape, name) for name in MEASURES}


def matrices(*, tied: bool) -> list[tuple[str, tuple[int, ...]]]:
    rows: list[tuple[str, tuple[int, ...]]] = [("token_embd", (VOCABULARY, WIDTH)), ("output_norm", (WIDTH,))]
    if not tied:
        rows.append(("output", (VOCABULARY, WIDTH)))
    for layer in range(LAYERS):
        rows += [
            (f"blk.{layer}.attn_norm", (WIDTH,)),
            (f"blk.{layer}.ffn_norm", (WIDTH,)),
            (f"blk.{layer}.attn_q", (HEADS * DIM, WIDTH)),
            (f"blk.{layer}.attn_k", (KV * DIM, WIDTH)),
            (f"blk.{layer}.attn_v", (KV * DIM, WIDTH)),
            (f"blk.{layer}.attn_output", (WIDTH, HEADS * DIM)),
            (f"blk.{layer}.ffn_gate", (FORWARD, WIDTH)),
            (f"blk.{layer}.ffn_up", (FORWARD, WIDTH)),
            (f"blk.{layer}.ffn_down", (WIDTH, FORWARD)),
        ]
    return rows


def values(dims: tuple[int, ...]) -> int:
    return dims[0] * (dims[1] if len(dims) > 1 else 1)


def info(*, tied: bool, **numbers: object) -> GgufInfo:
    table = tuple(
        Tensor(f"{name}.weight", dims[::-1], "F16", 2 * values(dims), 0) for name, dims in matrices(tied=tied)
    )
    metadata = {
        "llama.block_count": LAYERS,
        "llama.embedding_length": WIDTH,
        "llama.feed_forward_length": FORWARD,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV,
    } | numbers
    kept = {key: value for key, value in metadata.items() if value is not None}
    return GgufInfo(Path("m.gguf"), 0, 3, "llama", "", 2048, "gpt2", False, len(table), kept, table)  # type: ignore[arg-type]


def test_a_gguf_is_counted() -> None:
    shape = shape_of_gguf(info(tied=False))
    assert measures(shape) == MEASURES
    assert (shape.feed_forward, shape.vocabulary, shape.context) == (FORWARD, VOCABULARY, 2048)
    assert shape.parameters == COUNTED
    assert shape.weights_bytes == 2 * COUNTED == sum(size for _, size in shape.read_types) + 2 * VOCABULARY * WIDTH
    assert shape.weights_bytes - shape.read_bytes == 2 * VOCABULARY * WIDTH
    assert sum(shape.layer_bytes) + shape.embedding_bytes + shape.output_bytes + 2 * WIDTH == shape.weights_bytes


def test_a_tied_table_is_read_as_the_output() -> None:
    shape = shape_of_gguf(info(tied=True))
    assert shape.tied
    assert shape.read_bytes == shape.weights_bytes
    assert shape.output_bytes == shape.embedding_bytes == 2 * VOCABULARY * WIDTH


def test_heads_of_the_keys_are_told_by_the_tensors_where_the_header_has_a_list() -> None:
    shape = shape_of_gguf(info(tied=False, **{"llama.attention.head_count_kv": None}))
    assert shape.kv_heads == KV


def test_only_layers_with_attention_keep_a_context() -> None:
    whole = info(tied=False)
    table = tuple(tensor for tensor in whole.table if not tensor.name.startswith("blk.1.attn_k"))
    hybrid = GgufInfo(Path("m.gguf"), 0, 3, "llama", "", 2048, "gpt2", False, len(table), whole.metadata, table)
    assert shape_of_gguf(hybrid).attention_layers == LAYERS - 1
    assert shape_of_gguf(whole).attention_layers == LAYERS


def test_experts_that_rest_are_not_read() -> None:
    whole = info(tied=False, **{"llama.expert_count": 8, "llama.expert_used_count": 2})
    experts = Tensor("blk.0.ffn_up_exps.weight", (WIDTH, FORWARD, 8), "F16", 2 * WIDTH * FORWARD * 8, 0)
    table = (*whole.table, experts)
    mixed = GgufInfo(Path("m.gguf"), 0, 3, "llama", "", 2048, "gpt2", False, len(table), whole.metadata, table)
    shape = shape_of_gguf(mixed)
    assert shape.weights_bytes - shape.read_bytes == 2 * VOCABULARY * WIDTH + experts.bytes * 6 // 8


def test_a_header_without_layers_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        shape_of_gguf(info(tied=False, **{"llama.block_count": None}))
    assert caught.value.code == "incompatible"


def test_a_header_that_promises_billions_of_layers_is_refused_and_not_made_room_for() -> None:
    with pytest.raises(ModelError) as caught:
        shape_of_gguf(info(tied=False, **{"llama.block_count": 4_000_000_000}))
    assert "and does not" in caught.value.message


def test_odd_numbers_of_a_header_are_no_bug() -> None:
    whole = info(tied=False, **{"llama.attention.head_count": 10**6, "llama.attention.head_count_kv": None})
    table = (*whole.table, Tensor("blk.0.ffn_up.weight", (), "F16", 2, 0))
    odd = GgufInfo(Path("m.gguf"), 0, 3, "llama", "", 2048, "gpt2", False, len(table), whole.metadata, table)
    assert shape_of_gguf(odd).head_dim_k == 1


def test_the_starter_model_is_what_its_makers_say() -> None:
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "the starter models are not in place: python3 packaging/dev.py setup"
    found = inspect(path)
    shape = shape_of_gguf(found)
    assert found.quantisation == "Q4_1"
    assert shape.parameters == 134_515_008
    assert (shape.layers, shape.kv_heads, shape.head_dim_k, shape.vocabulary) == (30, 3, 64, 49152)
    assert shape.read_bytes == shape.weights_bytes == 96_576_768
    assert found.size > shape.weights_bytes


# --- Hugging Face folders ------------------------------------------------------------------------

HF_NAMES = {
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip
HF_CONFIG = {
    "model_type": "llama",
    "num_hidden_layers": LAYERS,
    "hidden_size": WIDTH,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV,
    "intermediate_size": FORWARD,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}


def hf_name(name: str) -> str:
    layer = name.split(".")[1:2]
    prefix = f"model.layers.{layer[0]}." if layer else ""
    return f"{prefix}{HF_NAMES[name.rsplit('.', 1)[-1]]}.weight"


def hf_folder(folder: Path, *, cut: int = 0, config: dict[str, object] | None = None) -> Path:
    (folder / "config.json").write_text(json.dumps(config or HF_CONFIG))
    rows, at = {"__metadata__": {"format": "pt"}}, 0
    for name, dims in matrices(tied=False):
        rows[hf_name(name)] = {"dtype": "BF16", "shape": list(dims), "data_offsets": [at, at + 2 * values(dims)]}  # type: ignore[dict-item]
        at += 2 * values(dims)
    header = json.dumps(rows).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + at - cut)
    return folder


def test_a_hugging_face_folder_is_counted(tmp_path: Path) -> None:
    shape = shape_of_hf(hf_folder(tmp_path))
    same = shape_of_gguf(info(tied=False))
    assert measures(shape) == MEASURES
    for name in ("parameters", "weights_bytes", "read_bytes", "layer_bytes", "embedding_bytes", "output_bytes", "tied"):
        assert getattr(shape, name) == getattr(same, name), name


def test_a_folder_that_is_not_whole_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        shape_of_hf(hf_folder(tmp_path, cut=1))
    assert caught.value.code == "truncated"


@pytest.mark.parametrize("header", [b"", b"\x10", struct.pack("<Q", 1 << 60), struct.pack("<Q", 4) + b"nope"])
def test_a_damaged_safetensors_header_is_told(tmp_path: Path, header: bytes) -> None:
    hf_folder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(header)
    with pytest.raises(ModelError) as caught:
        shape_of_hf(tmp_path)
    assert caught.value.code == "incompatible"


def test_a_folder_without_measures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        shape_of_hf(hf_folder(tmp_path, config={"model_type": "llama"}))
    (tmp_path / "config.json").unlink()
    with pytest.raises(ModelError):
        shape_of_hf(tmp_path)


# --- CTranslate2 folders -------------------------------------------------------------------------


def ct2_name(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def ct2_variable(name: str, dims: tuple[int, ...], kind: int, data: bytes) -> bytes:
    head = ct2_name(name) + struct.pack("<B", len(dims)) + b"".join(struct.pack("<I", dim) for dim in dims)
    return head + struct.pack("<BI", kind, len(data)) + data


def ct2_folder(folder: Path, *, tied: bool) -> Path:
    attention = (HEADS + 2 * KV) * DIM
    variables = [
        ct2_variable("decoder/num_heads", (), 2, struct.pack("<h", HEADS)),
        ct2_variable("decoder/embeddings/weight", (VOCABULARY, WIDTH), 1, bytes(VOCABULARY * WIDTH)),
        ct2_variable("decoder/embeddings/weight_scale", (VOCABULARY,), 0, bytes(4 * VOCABULARY)),
    ]
    for layer in range(LAYERS):
        prefix = f"decoder/layer_{layer}/"
        variables += [
            ct2_variable(f"{prefix}self_attention/num_heads_kv", (), 3, struct.pack("<i", KV)),
            ct2_variable(f"{prefix}self_attention/linear_0/weight", (attention, WIDTH), 1, bytes(attention * WIDTH)),
            ct2_variable(f"{prefix}ffn/linear_0/weight", (FORWARD, WIDTH), 1, bytes(FORWARD * WIDTH)),
        ]
    if not tied:
        name = "decoder/projection/weight"
        variables.append(ct2_variable(name, (VOCABULARY, WIDTH), 1, bytes(VOCABULARY * WIDTH)))
    alias = ct2_name("decoder/projection/weight") + ct2_name("decoder/embeddings/weight") if tied else b""
    head = struct.pack("<I", 6) + ct2_name("TransformerDecoderSpec") + struct.pack("<II", 8, len(variables))
    (folder / "model.bin").write_bytes(head + b"".join(variables) + struct.pack("<I", int(tied)) + alias)
    return folder


@pytest.mark.parametrize("tied", [True, False])
def test_a_ctranslate2_folder_is_counted(tmp_path: Path, tied: bool) -> None:
    shape = shape_of_ct2(ct2_folder(tmp_path, tied=tied))
    assert measures(shape) == MEASURES
    assert (shape.vocabulary, shape.feed_forward, shape.tied) == (VOCABULARY, FORWARD, tied)
    unread = 0 if tied else VOCABULARY * WIDTH + 4 * VOCABULARY
    assert shape.read_bytes == shape.weights_bytes - unread


def test_every_cut_of_a_model_bin_is_told(tmp_path: Path) -> None:
    path = ct2_folder(tmp_path, tied=True) / "model.bin"
    data = path.read_bytes()
    for length in [*range(0, 200, 7), len(data) // 2, len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(ModelError):
            ct2_table(path)


def test_an_encoder_is_no_text_generator() -> None:
    folder = find("all-minilm-l6-v2-ct2-int8").installed_path(paths.models_dir())
    assert folder is not None, "the starter models are not in place: python3 packaging/dev.py setup"
    assert ct2_table(folder / "model.bin").spec == "TransformerEncoderSpec"
    with pytest.raises(ModelError) as caught:
        shape_of_ct2(folder)
    assert caught.value.code == "incompatible"


# --- the catalogue -------------------------------------------------------------------------------


def test_an_entry_with_numbers_has_a_shape_before_it_is_there() -> None:
    numbers = {"layers": 16, "kv_heads": 8, "head_dim": 64, "n_embd": 2048, "vocab": 128_256, "heads": 32}
    shape = shape_of_entry(
        {**numbers, "parameters": 1_235_814_400, "size": 807_694_464, "tied": True, "quantisation": "Q4_K_M"}
    )
    assert shape is not None
    assert (shape.kv_heads, shape.head_dim_k, shape.read_bytes) == (8, 64, 807_694_464)
    assert shape.matrix_types[0][0] == "Q4_K"
    assert sum(shape.layer_bytes) + shape.embedding_bytes == pytest.approx(shape.weights_bytes, abs=16)


def test_an_entry_without_numbers_has_none() -> None:
    assert shape_of_entry(find("en_core_web_sm-3.8.0")) is None


@pytest.mark.parametrize("changes", [{"num_hidden_layers": 10**12}, {"num_hidden_layers": [1]}, {"head_dim": "x"}])
def test_a_strange_configuration_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    plain = {"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 8, "vocab_size": 16}
    with pytest.raises(ModelError) as caught:
        shape_of_hf(_hf(tmp_path, {**plain, **changes}))
    assert caught.value.code == "incompatible"


def _hf(folder: Path, config: dict[str, Any]) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(safetensors())
    return folder
