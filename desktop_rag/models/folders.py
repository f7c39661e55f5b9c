"""Models that are folders: CTranslate2 conversions and Hugging Face checkpoints, read without any library.

Weights are trusted by structure: a safetensors file says in its header how long it must be, a
CTranslate2 binary names its own format. Pickled weights are refused, because opening them runs code.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Literal

from desktop_rag.errors import ModelError
from desktop_rag.models.facts import ARCHITECTURES_OF_RERANKERS, ENCODERS, Facts

# https://github.com/OpenNMT/CTranslate2/blob/master/include/ctranslate2/models/model.h
CT2_BINARY_VERSION = 6
MAX_HEADER_BYTES = 100 * 2**20
WIDTHS = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64"}
SAFETENSORS_TYPES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I8": 1, "U8": 1, "I64": 8, "I32": 4}


def folder_facts(folder: Path) -> Facts:
    """What lies in `folder`; ModelError("incompatible" | "truncated" | "not_installed") where it is no whole model."""
    try:
        return _facts(folder)
    except OSError as error:
        raise ModelError("not_installed", f"{folder.name} cannot be read: {error.strerror}.") from error


def _facts(folder: Path) -> Facts:
    if (folder / "model.bin").is_file() and not any(folder.glob("*.safetensors")):
        return _ct2_facts(folder)
    if (folder / "config.json").is_file():
        return _hf_facts(folder)
    inside = sorted(path.name for path in folder.glob("*.gguf"))
    if inside:
        raise ModelError("incompatible", f"{folder.name} holds GGUF files.", f"Choose one of them: {inside[0]}.")
    raise ModelError(
        "incompatible",
        f"{folder.name} is no model folder: it has neither model.bin nor config.json.",
        "Choose a GGUF file, or a CTranslate2 or Hugging Face folder.",
    )


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object; ModelError("incompatible") if the file is anything else, {} if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _incompatible(path.parent, f"its {path.name} cannot be read") from error
    if not isinstance(content, dict):
        raise _incompatible(path.parent, f"its {path.name} holds no object")
    return content


def _ct2_facts(folder: Path) -> Facts:
    spec = _ct2_spec(folder / "model.bin")
    config, card = read_object(folder / "config.json"), read_object(folder / "card.json")
    if not any((folder / name).is_file() for name in ("vocabulary.json", "vocabulary.txt")):
        raise _cut_short(folder, "its vocabulary is missing")
    if not (folder / "tokenizer.json").is_file():
        raise _incompatible(folder, "it has no tokenizer.json, so its tokens cannot be told")
    return Facts(
        path=folder,
        format="ct2",
        kind="reranker" if card.get("kind") == "reranker" else "encoder" if "Encoder" in spec else "chat",
        name=str(card.get("name") or folder.name),
        size=_size(folder),
        quantisation=str(card.get("compute_type") or card.get("quantisation") or config.get("quantization_type") or ""),
        architecture=str(card.get("architecture") or config.get("model_type") or ""),
        context=_number(card, "context"),
        layers=_number(card, "layers"),
        parameters=_number(card, "parameters"),
        licence=str(card.get("licence") or ""),
        chat_template=_has_template(folder),
        pre_tokenizer="",
        files=_names(folder),
    )


def _ct2_spec(path: Path) -> str:
    """The name of the specification in the binary's first bytes: version, length, text."""
    with path.open("rb") as file:
        head = file.read(6)
        if len(head) < 6:
            raise _cut_short(path.parent, "its model.bin is empty")
        version, length = struct.unpack("<IH", head)
        if not 0 < version <= 64 or not 0 < length <= 256:
            raise _incompatible(path.parent, "its model.bin is no CTranslate2 model")
        name = file.read(length).rstrip(b"\0")
    if version > CT2_BINARY_VERSION:
        raise _incompatible(
            path.parent, f"its format {version} is newer than {CT2_BINARY_VERSION}, the newest readable"
        )
    if not name.endswith(b"Spec"):
        raise _incompatible(path.parent, "its model.bin is no CTranslate2 model")
    return name.decode("ascii", "replace")


def _hf_facts(folder: Path) -> Facts:
    config = read_object(folder / "config.json")
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
    architecture = str(config.get("model_type") or "")
    if not architecture:
        raise _incompatible(folder, "its config.json names no model type")
    parameters = sum(_safetensors_parameters(path) for path in _weights(folder))
    named = config.get("architectures")
    classes = [str(name) for name in named] if isinstance(named, list) else []
    card = read_object(folder / "card.json")
    dtype = str((text or {}).get("torch_dtype") or (text or {}).get("dtype") or config.get("torch_dtype") or "")
    return Facts(
        path=folder,
        format="hf",
        kind=_hf_kind(architecture, classes, config),
        name=str(card.get("name") or config.get("_name_or_path") or folder.name).rsplit("/", 1)[-1],
        size=_size(folder),
        quantisation=str(card.get("compute_type") or WIDTHS.get(dtype, dtype)),
        architecture=architecture,
        context=_number(text, "max_position_embeddings"),
        layers=_number(text, "num_hidden_layers"),
        parameters=parameters or None,
        licence=str(card.get("licence") or ""),
        chat_template=_has_template(folder),
        pre_tokenizer="",
        files=_names(folder),
    )


def _hf_kind(architecture: str, classes: list[str], config: dict[str, Any]) -> Literal["chat", "encoder", "reranker"]:
    labels = config.get("id2label")
    scores = any(name.endswith("ForSequenceClassification") for name in classes)
    if architecture in ARCHITECTURES_OF_RERANKERS and scores and isinstance(labels, dict) and len(labels) == 1:
        return "reranker"
    return "encoder" if architecture in ENCODERS or not any("LM" in name for name in classes) else "chat"


def _weights(folder: Path) -> list[Path]:
    """The safetensors files, all of them where an index names them."""
    index = read_object(folder / "model.safetensors.index.json").get("weight_map")
    names = sorted({str(name) for name in index.values()}) if isinstance(index, dict) else []
    missing = next((name for name in names if not (folder / name).is_file()), None)
    if missing:
        raise _cut_short(folder, f"{missing} is missing")
    found = [folder / name for name in names] or sorted(folder.glob("*.safetensors"))
    if not found and any(folder.glob("*.bin")):
        raise _incompatible(folder, "its weights are pickled, and opening those would run code from the file")
    if not found:
        raise _cut_short(folder, "its weights are missing")
    return found


def _safetensors_parameters(path: Path) -> int:
    """Numbers in the file, by its header; the length the header promises must be there."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        if not 0 < length <= MAX_HEADER_BYTES:
            raise _incompatible(path.parent, f"{path.name} is no safetensors file")
        if length + 8 > size:
            raise _cut_short(path.parent, f"{path.name} ends inside its header")
        try:
            header = json.loads(file.read(length))
            tensors = [entry for name, entry in header.items() if name != "__metadata__"]
            end = max((int(entry["data_offsets"][1]) for entry in tensors), default=0)
            count = sum(_values(entry) for entry in tensors)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            raise _incompatible(path.parent, f"the header of {path.name} is damaged") from error
    if 8 + length + end > size:
        there, promised = size / 1e6, (8 + length + end) / 1e6
        raise _cut_short(path.parent, f"{there:,.1f} of {promised:,.1f} MB of {path.name} are there")
    return count


def _values(entry: dict[str, Any]) -> int:
    begin, end = entry["data_offsets"]
    return int(end - begin) // SAFETENSORS_TYPES.get(str(entry["dtype"]), 1)


def _has_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file():
        return True
    return any(
        bool(read_object(folder / name).get("chat_template"))
        for name in ("tokenizer_config.json", "chat_template.json", "card.json")
    )


def _number(mapping: Any, key: str) -> int | None:
    value = mapping.get(key) if isinstance(mapping, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(str(path.relative_to(folder).as_posix()) for path in folder.rglob("*") if path.is_file()))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _incompatible(folder: Path, problem: str) -> ModelError:
    hint = "Choose a GGUF file, or a CTranslate2 or Hugging Face folder."
    return ModelError("incompatible", f"{folder.name} cannot be used: {problem}.", hint, details={"path": str(folder)})


def _cut_short(folder: Path, problem: str) -> ModelError:
    hint = "Copy or download the folder again."
    return ModelError("truncated", f"{folder.name} is not whole: {problem}.", hint, details={"path": str(folder)})
