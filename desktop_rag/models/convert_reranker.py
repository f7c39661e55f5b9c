"""Convert a cross-encoder to CTranslate2, and prove that it still scores pairs as the original does.

A cross-encoder reads a question and a passage together and gives one number. CTranslate2 has its layers but not the
last one, which is small: its weights go into `head.npz` beside `model.bin`, and `desktop_rag.retrieval.cross_encoder`
applies them. Meant for a process of its own: it needs torch. int8 is kept only where it agrees with the original;
else the weights stay in float32.
"""

from __future__ import annotations

import importlib.metadata
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desktop_rag import torch_part
from desktop_rag.errors import ModelError
from desktop_rag.models.convert import QUIET
from desktop_rag.models.facts import ARCHITECTURES_OF_RERANKERS, facts_of
from desktop_rag.models.folders import read_object
from desktop_rag.models.starter import sha256_of, write_json
from desktop_rag.offline import set_environment

Event = dict[str, Any]
Floats = NDArray[np.float32]

CARD_VERSION = 1
MAX_TOKENS = 512
# int8 must order the pairs below as the original does, nearly: the correlation of their scores. Tried in this order.
_LEAST = {"int8": 0.99, "float32": 0.9999}
_HINT = "Choose another one."
_UNKNOWN = ("[UNK]", "<unk>")

PAIRS = (
    ("When was the pump installed?", "The pump was installed on 14 March 2019."),
    ("When was the pump installed?", "Payment is due within thirty days of the invoice date."),
    ("Who signed the contract?", "[PERSON_3] wrote to [EMAIL_ADDRESS_1] about the delivery."),
    ("Who signed the contract?", "The contract was signed by [PERSON_3] in the presence of two witnesses."),
    ("How often is the medicine taken?", "The patient was advised to take 20 mg twice a day, with meals."),
    ("How often is the medicine taken?", "Error 0x80070057: the parameter is incorrect."),
    ("Wie lang ist die Kündigungsfrist?", "Die Kündigungsfrist beträgt drei Monate zum Quartalsende."),
    ("Wie lang ist die Kündigungsfrist?", "Wärmepumpe, Baujahr 2016, Wartung jährlich."),
    ("Quand a lieu la réunion ?", "La réunion est reportée à jeudi prochain."),
    ("Quand a lieu la réunion ?", "2024 | 17 | 3.5 | north | paid"),
    ("发动机多久检查一次？", "发动机必须每六个月检查一次。"),
    ("发动机多久检查一次？", "会議は来週の木曜日に延期されました。"),
    ("What must the supplier do?", "Clause 7. " + "The supplier shall keep records of every inspection. " * 60),
    ("rent", "Rent: 1 250.00 EUR per month, heating not included."),
    ("warranty", "The appendix lists all rivers of the north."),
)


def convert_reranker(source: Path, target: Path, **card: Any) -> Iterator[Event]:
    """Make the CTranslate2 folder `target` from the Hugging Face folder `source`; `card` adds to its card.

    Yields {"event": "progress", "text", "fraction"}. Raises ModelError: "incompatible" for a model that is no
    cross-encoder or whose conversion disagrees, "backend_missing", and what `facts_of` raises.
    """
    facts = facts_of(source)
    if facts.kind != "reranker" or facts.format != "hf":
        raise ModelError("incompatible", f"{source.name} is no cross-encoder.", _HINT)
    if not (source / "tokenizer.json").is_file():
        raise ModelError("incompatible", f"{source.name} has no tokenizer.json.", _HINT)
    torch_part.require("Converting a model")
    set_environment()
    os.environ.update(QUIET)
    try:
        _tokenizer(source)
        yield _progress("Reading the original", 0.1)
        wanted = _original(source)
        for done, (compute_type, least) in enumerate(_LEAST.items(), start=1):
            yield _progress(f"Converting to {compute_type}", 0.2 + 0.3 * done)
            _write(source, facts.architecture, target, compute_type)
            told = _card(source, compute_type, facts, card)
            write_json(target / "card.json", told)
            agreement = _correlation(wanted, _converted(target))
            if agreement >= least:
                write_json(target / "card.json", {**told, "correlation_to_original": round(agreement, 5)})
                yield _progress("Ready", 1.0)
                return
    except ImportError as error:
        raise ModelError("backend_missing", f"A library for the conversion is missing: {error}.") from error
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise ModelError("incompatible", f"{source.name} cannot be converted.", _HINT) from error
    raise ModelError("incompatible", f"{source.name} disagrees with the original once it is converted.", _HINT)


def _original(source: Path) -> Floats:
    """The scores of PAIRS by the original in float32."""
    import torch
    from transformers import AutoModelForSequenceClassification

    tokenizer = _tokenizer(source)
    tokenizer.enable_truncation(max_tokens(source), strategy="only_second")
    model: Any = AutoModelForSequenceClassification.from_pretrained(str(source), local_files_only=True).float().eval()
    kinds = int(model.config.type_vocab_size)
    scores = []
    with torch.no_grad():
        for question, passage in PAIRS:
            pair = tokenizer.encode(question, passage)
            types = pair.type_ids if kinds > 1 else [0] * len(pair.ids)
            given = torch.tensor([pair.ids]), torch.tensor([types])
            scores.append(float(model(input_ids=given[0], token_type_ids=given[1]).logits[0, 0]))
    return np.array(scores, dtype=np.float32)


def _tokenizer(source: Path) -> Any:
    """The words as pairs are cut into them, all of a text. Raises ModelError("incompatible")."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    except Exception as error:  # the library raises nothing more precise
        raise ModelError("incompatible", f"The tokenizer.json of {source.name} cannot be read.", _HINT) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _converted(folder: Path) -> Floats:
    """The scores of PAIRS by the conversion."""
    from desktop_rag.retrieval.cross_encoder import CrossEncoder

    encoder = CrossEncoder(folder, threads=1)
    return np.array([next(iter(encoder.logits(question, [passage])))[0] for question, passage in PAIRS], np.float32)


def _correlation(wanted: Floats, got: Floats) -> float:
    """Pearson's; 0 where one of the two says the same of every pair."""
    if min(float(wanted.std()), float(got.std())) < 1e-6:
        return 0.0
    return float(np.corrcoef(wanted, got)[0, 1])


def max_tokens(source: Path) -> int:
    """The longest pair, in tokens: what the positions reach to, and no more than the model was trained on."""
    config = read_object(source / "config.json")
    positions = int(config.get("max_position_embeddings") or MAX_TOKENS)
    # RoBERTa counts its positions from the one after its padding.
    first = int(config.get("pad_token_id") or 0) + 1 if "roberta" in str(config.get("model_type")) else 0
    return min(MAX_TOKENS, positions - first)


def _write(source: Path, architecture: str, target: Path, compute_type: str) -> None:
    from ctranslate2.converters import TransformersConverter  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        scratch = Path(name)
        for file in (*source.glob("*.safetensors"), source / "tokenizer.json"):
            (scratch / file.name).symlink_to(file.resolve())
        # The converter asks for what newer versions of Transformers no longer write.
        config = {"position_embedding_type": "absolute", **read_object(source / "config.json")}
        write_json(scratch / "config.json", config)
        write_json(scratch / "tokenizer_config.json", _as_tokenizer(source))
        TransformersConverter(str(scratch)).convert(str(target), quantization=compute_type, force=True)
    head: dict[str, Any] = {**_head(source, architecture)}
    np.savez(target / "head.npz", **head)
    _tokenizer(source).save(str(target / "tokenizer.json"))


def _as_tokenizer(source: Path) -> dict[str, Any]:
    """What makes Transformers read the tokenizer from this one file, whatever the model."""
    held = _tokenizer(source)
    unknown = next(word for word in _UNKNOWN if held.token_to_id(word) is not None)
    return {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": unknown}


def _head(source: Path, architecture: str) -> dict[str, Floats]:
    """The layers after the encoder, as `desktop_rag.retrieval.cross_encoder` names them."""
    named = ARCHITECTURES_OF_RERANKERS[architecture]
    found: dict[str, Floats] = {}
    for file in sorted(source.glob("*.safetensors")):
        from safetensors import safe_open

        with safe_open(str(file), "pt") as tensors:
            for name in set(tensors.keys()) & {f"{layer}.{part}" for layer in named for part in ("weight", "bias")}:
                layer, _, part = name.rpartition(".")
                found[f"{named[layer]}_{part}"] = tensors.get_tensor(name).float().numpy()
    if len(found) != 2 * len(named):
        raise KeyError("the last layer is missing")
    return found


def _card(source: Path, compute_type: str, facts: Any, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "card_version": CARD_VERSION,
        "kind": "reranker",
        "name": facts.name,
        "architecture": facts.architecture,
        "model_sha256": sha256_of(next(iter(sorted(source.glob("*.safetensors"))))),
        "runtime": "ctranslate2",
        "runtime_version": importlib.metadata.version("ctranslate2"),
        "compute_type": compute_type,
        "max_tokens": max_tokens(source),
        "context": max_tokens(source),
        "parameters": facts.parameters,
        "licence": facts.licence,
        **more,
    }


def _progress(text: str, fraction: float) -> Event:
    return {"event": "progress", "text": text, "fraction": round(fraction, 4)}
