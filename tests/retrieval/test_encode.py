"""The contract of an encoder, kept by the real models on both runtimes."""

from __future__ import annotations

import json
import subprocess
import sys
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
        assert encoder.encode_tokens([]) == []
        assert encoder.encode_all([]).shape == (0, encoder.card.dimension)

    def test_all_vectors_come_in_the_order_of_the_texts(self, encoder: Encoder) -> None:
        assert encoder.encode_all(TEXTS) == pytest.approx(in_order(encoder, TEXTS), abs=1e-6)

    def test_a_question_is_encoded_as_one(self, encoder: Encoder) -> None:
        question = "When was the feed pump repaired?"
        asked, (stated,) = encoder.encode_query(question), encoder.encode_all([question])
        details = encoder.card.details
        assert asked.shape == (encoder.card.dimension,)
        assert (float(asked @ stated) > 0.9999) == (details["query_prefix"] == details["document_prefix"])

    @pytest.mark.parametrize("query", [False, True])
    def test_every_token_of_a_text_has_a_vector_and_no_other(self, encoder: Encoder, query: bool) -> None:
        texts = ["the feed pump", "", "was repaired in March", "水"]
        found = encoder.encode_tokens(texts, query=query)
        assert [rows.shape for rows in found] == [(n, encoder.card.dimension) for n in encoder.count_tokens(texts)]
        assert np.linalg.norm(np.concatenate(found), axis=1) == pytest.approx(1, abs=1e-5)
        assert all(rows.dtype == np.float32 for rows in found)

    def test_tokens_of_like_words_are_nearer(self, encoder: Encoder) -> None:
        pump, repaired = (
            encoder.encode_tokens(["The pump is broken."])[0],
            encoder.encode_tokens(["a pump"], query=True)[0],
        )
        nearest = np.argmax(pump @ repaired[-1])
        assert nearest == 1

    def test_the_card_says_what_people_ask(self, encoder: Encoder) -> None:
        told = encoder.card.details
        wanted = ("parameters", "pooling", "query_prefix", "document_prefix", "normalised", "model_sha256")
        assert all(told[name] is not None for name in wanted)
        assert told["parameters"] > 1_000_000


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
        assert minilm.encode_query(long) @ minilm.encode_query(long + "and fire") == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
class TestMultilingualE5(EncoderContract):
    @pytest.fixture
    def encoder(self, multilingual: CTranslate2Encoder) -> Encoder:
        return multilingual

    def test_meaning_decides(self, encoder: Encoder) -> None:
        """This model's cosines lie close together: the order counts, and that it holds across languages."""
        passages = encoder.encode_all(["Насос отремонтировали в марте.", "На обед был суп.", "Мы едем в отпуск."])
        scores = passages @ encoder.encode_query("When was the pump repaired?")
        assert int(np.argmax(scores)) == 0


@pytest.mark.slow
def test_sentence_transformers_keep_the_contract() -> None:
    """In a process of its own: others here block torch, as the library's process does."""
    apart = Path(__file__).with_name("encoders_apart.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(apart)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.slow
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_that_are_no_numbers_are_refused(
    minilm: CTranslate2Encoder, monkeypatch: pytest.MonkeyPatch, bad: float
) -> None:
    forward = minilm._forward

    def broken(batch: list[int], ids: list[list[int]]) -> tuple[list[int], Vectors, object]:
        batch, hidden, lengths = forward(batch, ids)
        hidden[0, 1, 0] = bad
        return batch, hidden, lengths

    monkeypatch.setattr(minilm, "_forward", broken)
    for encode in (minilm.encode_all, minilm.encode_tokens):
        with pytest.raises(ModelError) as refused:
            encode(["one", "two"])
        assert refused.value.code == "incompatible"


@pytest.mark.slow
def test_the_fingerprint_changes_with_what_changes_vectors(minilm: CTranslate2Encoder, tmp_path: Path) -> None:
    from desktop_rag.retrieval.encode import fingerprint

    details = dict(minilm.card.details)
    assert fingerprint(details) == minilm.card.fingerprint
    assert fingerprint({**details, "title": "x"}) == minilm.card.fingerprint
    for name in ("model_sha256", "runtime", "compute_type", "pooling", "max_tokens", "query_prefix"):
        assert fingerprint({**details, name: "other"}) != minilm.card.fingerprint, name


def test_a_missing_or_damaged_folder_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as missing:
        CTranslate2Encoder(tmp_path, threads=1)
    (tmp_path / "card.json").write_text(json.dumps({"max_tokens": 256, "name": "x", "dimension": 3}))
    with pytest.raises(ModelError) as damaged:
        CTranslate2Encoder(tmp_path, threads=1)
    assert (missing.value.code, damaged.value.code) == ("not_installed", "incompatible")
