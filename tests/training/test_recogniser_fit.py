"""Training and running are two programs for one network: they must agree, and the training must learn."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from desktop_rag.privacy.recogniser import LABELS, Recogniser
from desktop_rag.training.recogniser.card import CARD, measure, write_card
from desktop_rag.training.recogniser.fit import Features, Network, Types, batches, fit, save
from desktop_rag.training.recogniser.generate import UNKNOWN, Example

TEXT = "Jean Rivera lives in Lyon, 12 Long Lane."
SPANS = [(0, 11, "PERSON"), (21, 25, "LOCATION"), (27, 39, "STREET_ADDRESS")]


def test_tags_begin_and_go_on() -> None:
    sentence = Types().sentence(Example("en", "test", TEXT, SPANS))
    person, place, street = (1 + 2 * LABELS.index(name) for name in ("PERSON", "LOCATION", "STREET_ADDRESS"))
    assert sentence.tags == [person, person + 1, 0, 0, place, 0, street, street + 1, street + 1, 0]


def test_nothing_is_learned_from_what_is_unknown() -> None:
    sentence = Types().sentence(Example("en", "test", "May I", [(0, 3, UNKNOWN)]))
    assert sentence.tags == [-100, 0]


def test_neighbours_of_one_class_stay_two() -> None:
    sentence = Types().sentence(Example("en", "test", "Jean Maria", [(0, 4, "PERSON"), (5, 10, "PERSON")]))
    assert sentence.tags == [1, 1]


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Network, Features, Types, Path]:
    torch.manual_seed(1)
    types = Types()
    other = Example("en", "test", "We saw nothing in that town.", [])
    sentences = [types.sentence(example) for example in [Example("en", "test", TEXT, SPANS), other] * 40]
    vocabulary = types.vocabulary(100)
    network, features = Network(len(vocabulary)), Features(types, vocabulary)
    fit(network, features, sentences, 120, 1, lambda line: None)
    save(network, vocabulary, 0.0, tmp_path)
    return network, features, types, tmp_path


def test_it_learns_and_both_programs_agree(trained: tuple[Network, Features, Types, Path]) -> None:
    network, features, types, folder = trained
    (found,) = Recogniser(folder).find([TEXT])
    assert [(f.start, f.end, f.label) for f in found] == SPANS
    with torch.no_grad():
        batch = features.batch([types.sentence(Example("en", "test", TEXT, []))])
        chances = torch.softmax(network(batch), dim=1).numpy()
    nothing = chances[batch.mask[:, 0].numpy() > 0][:, 0]
    assert found[0].score == pytest.approx(float(np.mean(1 - nothing[:2])), abs=0.02)


def test_the_card_says_what_was_measured(trained: tuple[Network, Features, Types, Path]) -> None:
    *_, folder = trained
    figures = measure(Recogniser(folder), [Example("en", "test", TEXT, SPANS)])
    assert figures["overall"]["f1"] == 1.0
    assert figures["languages"]["en"]["recall"] == 1.0
    assert '"seed": 5' in write_card(folder, {"seed": 5}, figures)
    assert (folder / CARD).is_file()


def test_batches_hold_every_sentence_once() -> None:
    types = Types()
    sentences = [types.sentence(Example("en", "test", f"number {n}", [])) for n in range(50)]
    assert sorted(s.types[1] for part in batches(list(sentences), Random(1)) for s in part) == sorted(
        s.types[1] for s in sentences
    )
