"""Exact match and F1 of answers, as SQuAD counts them (Rajpurkar et al. 2016), and resampled differences. Pure."""

from __future__ import annotations

import random
import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation + "“”‘’«»–—…", " "))


def normalised(text: str) -> str:
    """Lower case, without punctuation and English articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def holds(text: str, answers: Sequence[str]) -> bool:
    """Whether a text says one of the answers, whole words only."""
    said = f" {normalised(text)} "
    return any(f" {wanted} " in said for answer in answers if (wanted := normalised(answer)))


def exact_match(answer: str, answers: Sequence[str]) -> float:
    """1.0 if it is one of the answers, else 0.0."""
    return float(any(normalised(answer) == normalised(gold) for gold in answers))


def f1(answer: str, answers: Sequence[str]) -> float:
    """The best overlap of words with one of the answers, 0..1."""
    return max((_f1(normalised(answer).split(), normalised(gold).split()) for gold in answers), default=0.0)


def _f1(words: Sequence[str], gold: Sequence[str]) -> float:
    common = sum((Counter(words) & Counter(gold)).values())
    return 2 * common / (len(words) + len(gold)) if common else 0.0


def interval(differences: Sequence[float], *, rounds: int = 2000, seed: int = 0) -> tuple[float, float]:
    """The middle 95 % of the mean under resampling of the pairs (percentile bootstrap); (0, 0) where there are none."""
    if not differences:
        return 0.0, 0.0
    rng = random.Random(seed)
    size = len(differences)
    means = sorted(sum(rng.choices(differences, k=size)) / size for _ in range(rounds))
    return means[int(0.025 * rounds)], means[int(0.975 * rounds) - 1]
