"""The converted encoder: up to date without work, the same as the original, never half in place."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from desktop_rag import paths
from desktop_rag.errors import ModelError
from desktop_rag.models import convert
from desktop_rag.models.catalogue import find
from desktop_rag.models.starter import link_or_copy


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with the original and the conversion that set-up made; hard links where possible."""
    for name in ("all-minilm-l6-v2", convert.CONVERTED):
        source = paths.models_dir() / name
        shutil.copytree(source, tmp_path / name, copy_function=lambda a, b: link_or_copy(Path(a), Path(b)))
    return tmp_path


def test_up_to_date_imports_nothing_heavy(models: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from desktop_rag.models.convert import convert;"
        f"made = convert(Path({str(models)!r}))[1];"
        "sys.exit(made or any(name in sys.modules for name in ('torch', 'ctranslate2', 'transformers', 'tokenizers')))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_card_identifies_the_encoder() -> None:
    card = json.loads((paths.models_dir() / convert.CONVERTED / "card.json").read_text())
    assert card["model_sha256"] == convert._weights_sha256(find("all-minilm-l6-v2"))
    assert (card["dimension"], card["max_tokens"], card["pooling"], card["normalised"]) == (384, 256, "mean", True)
    assert (card["runtime"], card["compute_type"]) == ("ctranslate2", "int8")
    assert card["min_cosine_to_fp32"] >= convert.MIN_COSINE


def test_vectors_are_unit_and_tell_meanings_apart() -> None:
    folder = paths.models_dir() / convert.CONVERTED
    texts = ("When was the pump installed?", "The pump was installed in March.", "Our cat sleeps on the sofa.")
    vectors = convert.encode_converted(folder, texts)
    assert vectors.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.6 > vectors[0] @ vectors[2] + 0.2


def test_without_the_original(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        convert.convert(tmp_path)
    assert caught.value.code == "not_installed"


def test_a_disagreeing_conversion_is_refused(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = np.eye(2, 384, dtype=np.float32)
    monkeypatch.setattr(convert, "encode_original", lambda folder, texts: np.tile(one, (len(texts), 1)))
    monkeypatch.setattr(convert, "encode_converted", lambda folder, texts: np.tile(other, (len(texts), 1)))
    with pytest.raises(ModelError) as caught:
        convert.verify(models, models)
    assert caught.value.code == "incompatible"


def test_a_failed_conversion_leaves_the_old_one(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = models / convert.CONVERTED
    card = json.loads((target / "card.json").read_text())
    (target / "card.json").unlink()
    (target / "card.json").write_text(json.dumps(card | {"runtime_version": "0"}))

    def fail(source: Path, made: Path) -> float:
        raise ModelError("incompatible", "planted")

    monkeypatch.setattr(convert, "_write_weights", lambda source, made: made.mkdir())
    monkeypatch.setattr(convert, "verify", fail)
    monkeypatch.setattr(convert, "_write_tokenizer", lambda source, made: None)
    with pytest.raises(ModelError, match="planted"):
        convert.convert(models)
    assert sorted(path.name for path in models.iterdir()) == ["all-minilm-l6-v2", convert.CONVERTED]
    assert (target / "model.bin").is_file()


@pytest.mark.slow
def test_conversion_for_real(models: Path) -> None:
    shutil.rmtree(models / convert.CONVERTED)
    program = (
        f"from pathlib import Path; from desktop_rag.models.convert import convert; convert(Path({str(models)!r}))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    made = find(convert.CONVERTED).installed_path(models)
    assert made is not None
    assert json.loads((made / "card.json").read_text())["min_cosine_to_fp32"] >= convert.MIN_COSINE
