"""Convert a chat model: a GGUF file to a Hugging Face folder, and either of them to CTranslate2.

The result stands alone: weights, `tokenizer.json`, chat template, the tokens that end an answer, and
`card.json` that says where it came from. It is made in a folder beside the target and renamed when
whole. What cannot work is refused before a weight is read: an architecture nobody converts, pickled
weights, too little memory or disk. Meant for a process of its own: it needs torch, and the memory of
a step is free again only when the process is gone.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from desktop_rag import torch_part
from desktop_rag.errors import ModelError, StoreError
from desktop_rag.models.convert import QUIET
from desktop_rag.models.convert_tokenizer import write_tokenizer
from desktop_rag.models.facts import Facts, facts_of
from desktop_rag.models.folders import read_object
from desktop_rag.models.starter import sha256_of, write_json
from desktop_rag.offline import set_environment

Event = dict[str, Any]

# GGUF architectures that Transformers 5 reads, and Hugging Face model types that CTranslate2 4.8 converts.
FROM_GGUF = frozenset({"llama", "mistral", "qwen2", "qwen3", "phi3", "gemma2", "gemma3", "falcon", "gpt2", "bloom"})
TO_CT2 = frozenset({
    "llama", "mistral", "qwen2", "qwen3", "phi", "phi3", "gemma", "gemma2", "gemma3", "gemma3_text", "falcon", "gpt2",
    "gptj", "gpt_neox", "gpt_bigcode", "codegen", "mpt", "bloom", "opt",
})  # fmt: skip
# CTranslate2's names for how weights are stored, with the bytes of one.
COMPUTE_TYPES = {
    "int8": 1, "int8_float32": 1, "int8_float16": 1, "int8_bfloat16": 1,
    "int16": 2, "float16": 2, "bfloat16": 2, "float32": 4,
}  # fmt: skip
DTYPES = {"float32": 4, "bfloat16": 2, "float16": 2}
# Memory while converting, in bytes a parameter, and what the libraries take besides: measured, with some air.
GGUF_BYTES = 7.0
HF_BYTES = 6.5
LIBRARY_BYTES = 350 << 20
CARD_VERSION = 1
_CARRIED = ("tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja")


def to_hf(gguf: Path, target: Path, dtype: str = "float32") -> Iterator[Event]:
    """Make the Hugging Face folder `target` from a GGUF file; the weights get `dtype` ("float32", "bfloat16" …).

    Yields {"event": "progress", "text", "fraction"}; closing the generator leaves nothing behind.
    Raises ModelError ("incompatible" | "out_of_memory" | "backend_missing" | what `facts_of` raises)
    and StoreError("disk_full").
    """
    facts = facts_of(gguf)
    if facts.format != "gguf":
        raise ModelError("incompatible", f"{gguf.name} is not a GGUF file.", "Choose a .gguf file.")
    _refuse_other(dtype, DTYPES)
    _refuse_unknown(facts, FROM_GGUF, "Hugging Face folders")
    _refuse_too_large(facts, GGUF_BYTES, DTYPES[dtype], target)
    with _in_place(target) as scratch:
        made = scratch / "made"
        made.mkdir()
        yield _progress("Reading the tokenizer", 0.02)
        model = _read_gguf(gguf, dtype)
        yield _progress("Writing the folder", 0.75)
        model.save_pretrained(made)
        del model
        write_tokenizer(gguf, made)
        yield _progress("Checking the file", 0.95)
        write_json(made / "card.json", _card(facts, "hf", dtype))
    yield _progress("Ready", 1.0)


def to_ctranslate2(source: Path, target: Path, compute_type: str) -> Iterator[Event]:
    """Make the CTranslate2 folder `target` from a GGUF file or a Hugging Face folder.

    `compute_type` is how the weights are stored: one of `COMPUTE_TYPES`. Events and errors as in `to_hf`.
    """
    facts = facts_of(source)
    if facts.format not in ("gguf", "hf"):
        raise ModelError("incompatible", f"{source.name} is already converted.", "Convert the original.")
    _refuse_other(compute_type, COMPUTE_TYPES)
    from_gguf = facts.format == "gguf"
    _refuse_unknown(facts, FROM_GGUF & TO_CT2 if from_gguf else TO_CT2, "CTranslate2")
    _refuse_too_large(facts, GGUF_BYTES if from_gguf else HF_BYTES, COMPUTE_TYPES[compute_type], target)
    with _in_place(target) as scratch:
        parts = scratch / "parts"
        parts.mkdir()
        yield _progress("Reading the tokenizer", 0.02)
        if from_gguf:
            write_tokenizer(source, parts)
        else:
            _carry(source, parts)
        yield _progress("Reading the weights", 0.1)
        model = _read_gguf(source, "float32") if from_gguf else None
        if model is not None:
            model.config.save_pretrained(parts)
        yield _progress(f"Converting to {compute_type}", 0.6)
        _write_ct2(model, parts if from_gguf else source, parts, scratch / "made", compute_type)
        del model
        yield _progress("Checking the file", 0.95)
        _carry(parts, scratch / "made")
        write_json(scratch / "made" / "card.json", _card(facts, "ct2", compute_type))
    yield _progress("Ready", 1.0)


@contextmanager
def _in_place(target: Path) -> Iterator[Path]:
    """A folder beside `target` to work in; what is in its `made` takes the target's place when nothing went wrong."""
    target.parent.mkdir(parents=True, exist_ok=True)
    torch_part.require("Converting a model")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        with _as_our_errors(target.name):
            _quiet()
            yield scratch
        if target.exists():
            # A folder cannot be replaced in one step: the old one steps aside.
            target.rename(scratch / "old")
        (scratch / "made").rename(target)


@contextmanager
def _as_our_errors(name: str) -> Iterator[None]:
    """What the libraries raise, in words; they know no common error class."""
    try:
        yield
    except ImportError as error:
        raise ModelError("backend_missing", f"A library for the conversion is missing: {error}.") from error
    except MemoryError as error:
        raise _out_of_memory(name) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError("disk_full", f"The disk is full: {name} was not made.", "Free some space.") from error
        raise _failed(name, error) from error
    except (RuntimeError, ValueError, KeyError, TypeError, NotImplementedError, AttributeError, IndexError) as error:
        if "allocate memory" in str(error):
            raise _out_of_memory(name) from error
        raise _failed(name, error) from error


def _failed(name: str, error: Exception) -> ModelError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ModelError("incompatible", f"{name} could not be made: {reason}", "Use this model with llama.cpp.")


def _out_of_memory(name: str) -> ModelError:
    return ModelError("out_of_memory", f"The memory was not enough to make {name}.", "Close other programs.")


def _quiet() -> None:
    """No hub, no bars, no notices: they would be taken for this program's own."""
    set_environment()
    os.environ.update(QUIET)
    from transformers.utils import logging as noise

    logging: Any = noise
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def _refuse_other(chosen: str, known: Mapping[str, int]) -> None:
    if chosen not in known:
        hint = f"Use one of: {', '.join(known)}."
        raise ModelError("incompatible", f"There is no compute type “{chosen}”.", hint)


def _refuse_unknown(facts: Facts, known: frozenset[str], aim: str) -> None:
    if facts.kind != "chat" or facts.architecture not in known:
        message = f"{facts.path.name} cannot be converted for {aim}: its architecture is {facts.architecture}."
        raise ModelError("incompatible", message, "Use it with llama.cpp, or choose another model.")


def _refuse_too_large(facts: Facts, memory_bytes: float, disk_bytes: int, target: Path) -> None:
    """Refuse before the work what the free memory or disk will not hold."""
    parameters = facts.parameters or 0
    needed, free = round(parameters * memory_bytes) + LIBRARY_BYTES, free_memory()
    if needed > free:
        message = f"Converting {facts.name} takes about {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free."
        raise ModelError("out_of_memory", message, "Close other programs, or choose a smaller model.")
    place = next(folder for folder in target.absolute().parents if folder.is_dir())
    needed, free = round(parameters * disk_bytes * 1.05), shutil.disk_usage(place).free
    if needed > free:
        message = f"The converted model takes about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free on the disk."
        raise StoreError("disk_full", message, "Free some space.")


def free_memory() -> int:
    """Bytes that can be had without pushing anything out."""
    return int(psutil.virtual_memory().available)


def _read_gguf(gguf: Path, dtype: str) -> Any:
    """The model with its weights unpacked to `dtype`."""
    import torch
    from transformers import AutoModelForCausalLM

    with _read_once():
        model: Any = AutoModelForCausalLM.from_pretrained(
            str(gguf.parent), gguf_file=gguf.name, local_files_only=True, dtype=getattr(torch, dtype)
        )
    # Else it counts as quantised, and is neither saved nor converted.
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    return model


@contextmanager
def _read_once() -> Iterator[None]:
    """Transformers reads the header twice and builds the map of names for every module anew: seconds for nothing."""
    import gguf

    slow: dict[str, Any] = {name: getattr(gguf, name) for name in ("GGUFReader", "get_tensor_name_map")}
    for name, make in slow.items():
        setattr(gguf, name, lru_cache(make))
    try:
        yield
    finally:
        for name, make in slow.items():
            setattr(gguf, name, make)


def _write_ct2(model: Any, source: Path, tokenizer: Path, target: Path, compute_type: str) -> None:
    """Write `target` from a model in memory, or, without one, from the Hugging Face folder `source`."""
    from ctranslate2.converters import TransformersConverter  # type: ignore[import-untyped]
    from transformers import PreTrainedTokenizerFast

    fast: Any = PreTrainedTokenizerFast
    special = special_tokens(tokenizer)

    class Converter(TransformersConverter):  # type: ignore[misc]
        """Takes the model as it is in memory, and looks up nothing anywhere else."""

        def load_model(self, model_class: Any, name: str, **options: Any) -> Any:
            if model is not None:
                return model
            return model_class.from_pretrained(name, use_safetensors=True, local_files_only=True, **options)

        def load_tokenizer(self, _class: Any, _name: str, **_options: Any) -> Any:
            return fast(tokenizer_file=str(tokenizer / "tokenizer.json"), **special)

    Converter(str(source)).convert(str(target), quantization=compute_type)


def special_tokens(folder: Path) -> dict[str, str]:
    """{"bos_token": text, …} of a folder's tokenizer_config.json; those it names, in either of its notations."""
    config = read_object(folder / "tokenizer_config.json")
    named = {name: config.get(name) for name in ("bos_token", "eos_token", "unk_token", "pad_token")}
    texts = {name: value.get("content") if isinstance(value, dict) else value for name, value in named.items()}
    return {name: value for name, value in texts.items() if isinstance(value, str)}


def _carry(source: Path, target: Path) -> None:
    """Copy what turns text into tokens and messages into text."""
    if not (source / "tokenizer.json").is_file():
        raise ModelError(
            "incompatible",
            f"{source.name} has no tokenizer.json, so its tokens cannot be told.",
            "Add the model's tokenizer.json to the folder.",
        )
    for name in _CARRIED:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _card(facts: Facts, made: str, compute_type: str) -> dict[str, Any]:
    return {
        "card_version": CARD_VERSION,
        "format": made,
        "name": facts.name,
        "source": facts.path.name,
        "source_sha256": _source_sha256(facts),
        "runtime_versions": {
            name: importlib.metadata.version(name) for name in ("ctranslate2", "transformers", "torch", "tokenizers")
        },
        "compute_type": compute_type,
        "quantisation": compute_type,
        "source_quantisation": facts.quantisation,
        "architecture": facts.architecture,
        "parameters": facts.parameters,
        "context": facts.context,
        "layers": facts.layers,
        "licence": facts.licence,
    }


def _source_sha256(facts: Facts) -> str:
    """Of the file; of a folder, of its weights' hashes one below the other."""
    if facts.path.is_file():
        return sha256_of(facts.path)
    hashes = [sha256_of(facts.path / name) for name in facts.files if name.endswith(".safetensors")]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _progress(text: str, fraction: float) -> Event:
    return {"event": "progress", "text": text, "fraction": fraction}
