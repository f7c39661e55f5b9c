"""The contract of an encoder, kept by sentence-transformers; test_encode.py runs this in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_rag import paths
from desktop_rag.errors import ModelError
from desktop_rag.models.catalogue import find
from desktop_rag.retrieval.encode import CTranslate2Encoder, Encoder
from desktop_rag.retrieval.encoders import SentenceTransformersEncoder
from tests.retrieval.test_encode import TEXTS, EncoderContract


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
class TestSentenceTransformers(EncoderContract):
    @pytest.fixture(scope="class")
    def encoder(self) -> Encoder:
        return SentenceTransformersEncoder(find("all-minilm-l6-v2").folder(paths.models_dir()))

    def test_it_agrees_with_the_conversion(self, encoder: Encoder, minilm: CTranslate2Encoder) -> None:
        texts = [TEXTS[0], *TEXTS[2:4], TEXTS[5]]
        assert (encoder.encode_all(texts) * minilm.encode_all(texts)).sum(axis=1).min() > 0.99
        assert encoder.card.fingerprint != minilm.card.fingerprint
        assert encoder.card.details["pooling"] == "mean"

    def test_a_folder_without_an_encoder_is_told_in_words(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError) as missing:
            SentenceTransformersEncoder(tmp_path)
        assert missing.value.code == "not_installed"
