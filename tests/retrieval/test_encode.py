"""The contract of an encoder, kept by the real MiniLM."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from desktop_rag.errors import ModelError
from desktop_rag.retrieval.encode import BATCH_TOKENS, CTranslate2Encoder, Encoder, Vectors

TEXTS = [
    "The feed pump was repaired in March.",
    "",
    "Die Speisepumpe wurde im März repariert.",
    "cat",
    "Water " * 600,
    "The rent is due on the first day of each month. " * 8,
    "\U0001f600 ﬁ 水",
]


def in_order(encoder: Encoder, texts: list[str]) -> Vectors:
    rows = np.zeros((len(texts), encoder.card.dimension), dtype=np.float32)
    for indexes, vectors in encoder.encode(texts):
        rows[indexes] = vectors
    return rows


class EncoderContract:
    """What every encoder must do."""

    @pytest.fixture
    def encoder(self) -> Encoder:
        raise NotImplementedError

    def test_every_text_is_encoded_once_to_length_1(self, encoder: Encoder) -> None:
        batches = list(encoder.encode(TEXTS * 3))
        assert sorted(i for indexes, _ in batches for i in indexes) == list(range(len(TEXTS) * 3))
        for indexes, vectors in batches:
            assert vectors.shape == (len(indexes), encoder.card.dimension)
            assert vectors.dtype == np.float32
            assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)

    def test_neighbours_in_a_batch_do_not_matter(self, encoder: Encoder) -> None:
        together, backwards = in_order(encoder, TEXTS), in_order(encoder, TEXTS[::-1])[::-1]
        alone = np.vstack([in_order(encoder, [text]) for text in TEXTS])
        assert (together * backwards).sum(axis=1) == pytest.approx(1, abs=2e-3)
        assert (together * alone).sum(axis=1) == pytest.approx(1, abs=2e-3)

    def test_meaning_decides(self, encoder: Encoder) -> None:
        pump, _, other = in_order(encoder, [TEXTS[0], "", "We had soup for lunch."])
        (same,) = in_order(encoder, ["In March they fixed the feeding pump."])
        assert float(pump @ same) > float(pump @ other) + 0.3

    def test_token_counts_add_up(self, encoder: Encoder) -> None:
        one, two, both, nothing = encoder.count_tokens(
            ["the feed pump", "was repaired", "the feed pump was repaired", ""]
        )
        assert (one + two, nothing) == (both, 0)
        assert one >= 3

    def test_nothing_gives_nothing(self, encoder: Encoder) -> None:
        assert list(encoder.encode([])) == []
        assert encoder.count_tokens([]) == []


@pytest.mark.slow
class TestMiniLM(EncoderContract):
    @pytest.fixture
    def encoder(self, minilm: CTranslate2Encoder) -> Encoder:
        return minilm

    def test_batches_stay_in_their_budget(self, minilm: CTranslate2Encoder) -> None:
        texts = TEXTS * 20
        counts = [min(n + 2, minilm.card.max_tokens) for n in minilm.count_tokens(texts)]
        sizes = [len(indexes) * max(counts[i] for i in indexes) for indexes, _ in minilm.encode(texts)]
        assert max(sizes) <= BATCH_TOKENS
        assert len(sizes) > 1

    def test_text_beyond_the_limit_is_cut(self, minilm: CTranslate2Encoder) -> None:
        long = "water " * 400
        assert minilm.encode_one(long) @ minilm.encode_one(long + "and fire") == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_the_fingerprint_changes_with_what_changes_vectors(minilm: CTranslate2Encoder, tmp_path: Path) -> None:
    from desktop_rag.retrieval.encode import _fingerprint

    details = dict(minilm.card.details)
    assert _fingerprint(details) == minilm.card.fingerprint
    assert _fingerprint({**details, "title": "x"}) == minilm.card.fingerprint
    for name in ("model_sha256", "runtime", "compute_type", "pooling", "max_tokens", "query_prefix"):
        assert _fingerprint({**details, name: "other"}) != minilm.card.fingerprint, name


def test_a_missing_or_damaged_folder_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as missing:
        CTranslate2Encoder(tmp_path, threads=1)
    (tmp_path / "card.json").write_text(json.dumps({"max_tokens": 256, "name": "x", "dimension": 3}))
    with pytest.raises(ModelError) as damaged:
        CTranslate2Encoder(tmp_path, threads=1)
    assert (missing.value.code, damaged.value.code) == ("not_installed", "incompatible")
