"""The recogniser: tokens and spans at exact offsets, weights that are missing or damaged, and what the network does."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.errors import ModelError
from desktop_rag.privacy.recogniser import (
    DILATIONS,
    LABELS,
    PIECES,
    SHAPES,
    WEIGHTS,
    Recogniser,
    piece_ids,
    shape_id,
    tokens,
    word_key,
)

TAGS = 1 + 2 * len(LABELS)
WIDTH = 8


def weights(known: dict[str, int], seed: int = 0) -> dict[str, np.ndarray]:
    """A network of random weights, or one that gives each known word its tag whatever stands around it."""
    rng = np.random.default_rng(seed)
    keys = sorted(word_key(word) for word in known)
    if not known:
        words, inputs, output = (
            rng.integers(-90, 90, (1, 4)),
            rng.normal(size=(12, WIDTH)),
            rng.normal(size=(WIDTH, TAGS)),
        )
        bias = np.zeros(TAGS)
    else:
        words = np.zeros((len(keys) + 1, 4), int)
        inputs, output, bias = np.zeros((12, WIDTH)), np.zeros((WIDTH, TAGS)), np.zeros(TAGS)
        bias[0] = 1
        for word, tag in known.items():
            words[1 + keys.index(word_key(word)), tag % 4] = 127
            output[tag % 4, tag] = 20
        inputs[:4, :4] = np.eye(4)
    arrays: dict[str, np.ndarray] = {
        "vocabulary": np.array(keys, np.uint32),
        "words": words.astype(np.int8),
        "words_scale": np.ones(len(words), np.float32),
        "pieces": np.zeros((PIECES, 4), np.int8),
        "pieces_scale": np.ones(PIECES, np.float32),
        "shapes": np.zeros((SHAPES, 4), np.float16) if known else rng.normal(size=(SHAPES, 4)).astype(np.float16),
        "gaps": np.zeros((4, WIDTH), np.float32),
        "input": inputs.astype(np.float32),
        "output": output.astype(np.float32),
        "output_bias": bias.astype(np.float32),
        "caution": np.float32(0),
    }
    for number in range(len(DILATIONS)):
        shape = (3 * WIDTH, WIDTH)
        arrays[f"weight{number}"] = (np.zeros(shape) if known else rng.normal(size=shape)).astype(np.float32)
        arrays[f"bias{number}"] = np.zeros(WIDTH, np.float32)
        arrays[f"scale{number}"] = np.ones(WIDTH, np.float32)
        arrays[f"shift{number}"] = np.zeros(WIDTH, np.float32)
    return arrays


def made(folder: Path, known: dict[str, int] | None = None) -> Recogniser:
    np.savez(folder / WEIGHTS, **weights(known or {}))
    return Recogniser(folder)


@given(st.text(max_size=80))
def test_tokens_cover_everything_but_white_space(text: str) -> None:
    found = tokens(text)
    assert "".join(text[t.start : t.end] for t in found) == "".join(c for c in text if not c.isspace())
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_what_stands_before_a_token_is_told() -> None:
    assert [t.gap for t in tokens("One two\nthree\n\n\nfour,")] == [3, 1, 2, 3, 0]


@given(st.text(min_size=1, max_size=30))
def test_every_word_has_features(word: str) -> None:
    assert piece_ids(word)
    assert all(0 <= piece < PIECES for piece in piece_ids(word))
    assert 0 <= shape_id(word) < SHAPES


def test_words_are_known_in_any_case_and_long_numbers_by_their_length() -> None:
    assert word_key("Lyon") == word_key("LYON")
    assert word_key("48213") == word_key("90001") != word_key("901")
    assert word_key("1998") != word_key("2004"), "years stay themselves"


def test_a_name_of_two_words_is_one_span_and_a_new_beginning_another(tmp_path: Path) -> None:
    person, more, place = 1, 2, 1 + 2 * LABELS.index("LOCATION")
    recogniser = made(tmp_path, {"jean": person, "rivera": more, "lyon": place})
    text = "Jean Rivera, Jean and Lyon"
    (found,) = recogniser.find([text])
    assert [(text[f.start : f.end], f.label) for f in found] == [
        ("Jean Rivera", "PERSON"), ("Jean", "PERSON"), ("Lyon", "LOCATION"),
    ]  # fmt: skip
    assert all(0.9 < f.score <= 1 for f in found)


@given(st.lists(st.text(max_size=60), max_size=5))
def test_texts_do_not_see_each_other(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    recogniser = made(tmp_path_factory.mktemp("model"))
    together = [[f[:3] for f in found] for found in recogniser.find(texts)]
    alone = [[f[:3] for f in next(recogniser.find([text]))] for text in texts]
    assert together == alone
    for text, found in zip(texts, together, strict=True):
        assert all(0 <= start < end <= len(text) for start, end, _ in found)
        assert all(a[1] <= b[0] for a, b in pairwise(found))


def test_less_caution_finds_more(tmp_path: Path) -> None:
    made(tmp_path)
    text = "Some words that mean nothing to a network of random weights 12 34."
    found = [
        sum(f.end - f.start for f in next(Recogniser(tmp_path, caution=c).find([text]))) for c in (50.0, 0.0, -50.0)
    ]
    assert found == sorted(found)
    assert found[0] == 0
    assert found[2] > 0


def test_missing_and_damaged_weights_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as missing:
        Recogniser(tmp_path)
    assert missing.value.code == "not_installed"
    (tmp_path / WEIGHTS).write_bytes(b"PK\x03\x04 not a model")
    with pytest.raises(ModelError) as damaged:
        Recogniser(tmp_path)
    assert damaged.value.code == "incompatible"
