"""Convert the starter encoder (all-MiniLM-L6-v2) to CTranslate2 int8, and prove that it still says the same.

Run once at set-up as `python -m desktop_rag.models.convert`. Heavy libraries (torch, transformers,
sentence-transformers, ctranslate2) are imported inside functions, after the hub has been switched
off by environment variables. The result is verified before it is put in place: fixed sentences
are encoded by the original in float32 and by the conversion, and every cosine must reach
`MIN_COSINE`. `card.json` in the result is the encoder's identity for the index.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError, ModelError
from desktop_rag.models.catalogue import Entry, find
from desktop_rag.models.starter import REPAIR, sha256_of, write_json
from desktop_rag.offline import set_environment

CONVERTED = "all-minilm-l6-v2-ct2-int8"
COMPUTE_TYPE = "int8"
MAX_TOKENS = 256
PARAMETERS = 22_713_216
MIN_COSINE = 0.99
CARD_VERSION = 2

# Their notices and bars would bury the one line that matters in the log of set-up.
QUIET = {"TRANSFORMERS_VERBOSITY": "error", "TQDM_DISABLE": "1"}

SENTENCES = (
    "The pump was installed on 14 March 2019.",
    "Who signed the contract?",
    "Payment is due within thirty days of the invoice date.",
    "The patient was advised to take 20 mg twice a day and to return after two weeks.",
    "Error 0x80070057: the parameter is incorrect.",
    "Rent: 1 250.00 EUR per month, heating not included.",
    "[PERSON_3] wrote to [EMAIL_ADDRESS_1] about the delivery.",
    "La réunion est reportée à jeudi prochain.",
    "Wärmepumpe, Baujahr 2016, Wartung jährlich.",
    "warranty",
    "2024 | 17 | 3.5 | north | paid",
    "Clause 7. " + "The supplier shall keep records of every inspection and hand them over on request. " * 20,
)


def convert(models_dir: Path) -> tuple[Path, bool]:
    """Make the converted encoder under `models_dir` from the placed original.

    Returns its folder, and whether it was made now (False: it was up to date). Raises ModelError:
    "not_installed" without the original, "backend_missing" without a library, "incompatible" if
    the result does not agree with the original.
    """
    entry = find(CONVERTED)
    original = find(str(entry.source.converted_from))
    source = original.installed_path(models_dir)
    if source is None:
        raise ModelError("not_installed", f"{original.name} is not in {models_dir}.", REPAIR)
    target = entry.folder(models_dir)
    pinned = _weights_sha256(original)
    if up_to_date(entry, models_dir, pinned, CARD_VERSION):
        return target, False
    set_environment()
    with tempfile.TemporaryDirectory(dir=models_dir, prefix=f".{entry.id}.") as scratch:
        made = Path(scratch) / "made"
        try:
            _write_weights(source, made)
        except ImportError as error:
            raise ModelError("backend_missing", f"A library for the conversion is missing: {error}.", REPAIR) from error
        _write_tokenizer(source / "tokenizer.json", made / "tokenizer.json")
        made.joinpath("card.json").write_text("{}", encoding="utf-8")
        cosine = verify(source, made)
        write_json(made / "card.json", _card(entry, original, pinned, made, cosine))
        swap(made, target, Path(scratch) / "old")
    return target, True


def verify(source: Path, made: Path) -> float:
    """The smallest cosine of original and conversion over `SENTENCES`; ModelError("incompatible") under MIN_COSINE."""
    cosines = np.sum(encode_original(source, SENTENCES) * encode_converted(made, SENTENCES), axis=1)
    smallest = float(cosines.min())
    if not smallest >= MIN_COSINE:
        message = (
            f"The converted encoder disagrees with the original (cosine {smallest:.4f}, at least {MIN_COSINE} needed)."
        )
        raise ModelError("incompatible", message, REPAIR, details={"cosine": smallest})
    return smallest


def encode_original(folder: Path, texts: tuple[str, ...]) -> NDArray[np.float32]:
    """Unit vectors (texts × dimension) by sentence-transformers in float32."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    vectors = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(vectors, dtype=np.float32)


def encode_converted(folder: Path, texts: tuple[str, ...]) -> NDArray[np.float32]:
    """Unit vectors (texts × dimension) by CTranslate2 with mean pooling over each text's own tokens."""
    import ctranslate2  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    encoder = ctranslate2.Encoder(str(folder), device="cpu", compute_type=COMPUTE_TYPE)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    hidden = np.array(encoder.forward_batch(ids).last_hidden_state)
    pooled = np.stack([hidden[row, : len(tokens)].mean(axis=0) for row, tokens in enumerate(ids)])
    return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True), dtype=np.float32)


def _write_weights(source: Path, made: Path) -> None:
    from ctranslate2.converters import TransformersConverter  # type: ignore[import-untyped]

    TransformersConverter(str(source)).convert(str(made), quantization=COMPUTE_TYPE)


def _write_tokenizer(source: Path, target: Path) -> None:
    """Copy the tokenizer with padding off and truncation at MAX_TOKENS (the original pads and cuts at 128)."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(source))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.save(str(target))


def _card(entry: Entry, original: Entry, pinned: str, made: Path, cosine: float) -> dict[str, Any]:
    return {
        "card_version": CARD_VERSION,
        "id": entry.id,
        "name": original.name,
        "model_sha256": pinned,
        "weights_sha256": sha256_of(made / "model.bin"),
        "runtime": "ctranslate2",
        "runtime_version": importlib.metadata.version("ctranslate2"),
        "compute_type": COMPUTE_TYPE,
        "dimension": 384,
        "parameters": PARAMETERS,
        "max_tokens": MAX_TOKENS,
        "pooling": "mean",
        "normalised": True,
        "query_prefix": "",
        "document_prefix": "",
        "licence": entry.licence,
        "languages": list(entry.languages),
        "min_cosine_to_fp32": round(cosine, 5),
    }


def _weights_sha256(original: Entry) -> str:
    return next(str(file.sha256) for file in original.files if file.name == "model.safetensors")


def up_to_date(entry: Entry, models_dir: Path, pinned: str, card_version: int) -> bool:
    """Whether the converted model was made from the original of this SHA-256, by what is installed now."""
    folder = entry.installed_path(models_dir)
    if folder is None:
        return False
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        same_parts = card["card_version"] == card_version and card["model_sha256"] == pinned
        return bool(same_parts and card["runtime_version"] == importlib.metadata.version("ctranslate2"))
    except (OSError, ValueError, KeyError, TypeError, importlib.metadata.PackageNotFoundError):
        return False


def swap(made: Path, target: Path, old: Path) -> None:
    """Put `made` in the place of `target`; a folder cannot be replaced in one step, so the old one steps aside."""
    if target.exists():
        target.rename(old)
    made.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def main() -> int:
    """Convert if needed and say what came out; used by set-up."""
    os.environ.update(QUIET)
    try:
        folder, fresh = convert(paths.models_dir())
    except DesktopRagError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return error.exit_code
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    print(
        f"{folder.name}: {'converted' if fresh else 'in place'}, cosine to the original ≥ {card['min_cosine_to_fp32']}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
