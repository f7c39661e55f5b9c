"""`python -m desktop_rag.training.recogniser OUT_DIR --wheels WHEELS`: make texts, train, measure, write the model.

Needs the packages of the group "train", and in WHEELS those that `prose.PACKAGES` names. One seed decides everything.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from desktop_rag import paths
from desktop_rag.models.catalogue import SPACY_MODEL, find
from desktop_rag.privacy.recogniser import Recogniser
from desktop_rag.training.recogniser.card import measure, write_card
from desktop_rag.training.recogniser.corpus import held_out_texts, training_texts
from desktop_rag.training.recogniser.fit import Features, Network, Types, fit, save
from desktop_rag.training.recogniser.generate import Example

_MOST_WORDS = 40_000
CAUTION = -1.5
"""Added to the score of "nothing": what was missed weighs more than what was found in vain."""


def main() -> None:
    """Parse the arguments and train."""
    parser = argparse.ArgumentParser(prog="python -m desktop_rag.training.recogniser", description=__doc__)
    parser.add_argument("folder", type=Path, help="where model and card are written")
    parser.add_argument("--wheels", type=Path, required=True, help="a folder with the wheels of prose.PACKAGES")
    parser.add_argument("--texts", type=int, default=160_000, help="how many texts are generated")
    parser.add_argument("--passes", type=int, default=3, help="how often they are gone through")
    parser.add_argument("--seed", type=int, default=20_260)
    options = parser.parse_args()
    _fix_order_of_sets()
    torch.manual_seed(options.seed)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1))
    began = time.monotonic()
    types = Types()
    sentences = [types.sentence(example) for example in _texts(options)]
    count = sum(len(sentence.types) for sentence in sentences)
    print(f"{len(sentences):,} texts, {count:,} tokens, {len(types.words):,} words, {time.monotonic() - began:.0f} s")
    vocabulary = types.vocabulary(_MOST_WORDS)
    network = Network(len(vocabulary))
    features = Features(types, vocabulary)
    fit(network, features, sentences, options.passes, options.seed, lambda line: print(line, flush=True))
    save(network, vocabulary, CAUTION, options.folder)
    seconds = time.monotonic() - began
    figures = measure(Recogniser(options.folder), held_out_texts(options.seed))
    data = {"texts": len(sentences), "tokens": count, "passes": options.passes, "seed": options.seed}
    print(write_card(options.folder, {**data, "seconds": round(seconds)}, figures))


def _texts(options: argparse.Namespace) -> Iterator[Example]:
    return training_texts(options.texts, options.seed, options.wheels, find(SPACY_MODEL).folder(paths.models_dir()))


def _fix_order_of_sets() -> None:
    """Begin anew with a fixed hash seed: some of Faker's locales draw from sets, whose order hangs on it."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        command = [sys.executable, "-m", "desktop_rag.training.recogniser", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606 - no shell is involved


if __name__ == "__main__":
    main()
