"""What templates draw from: the pools of values, one stream of chance, and the words of a language."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from desktop_rag.training.recogniser.values import LANGUAGES, Pools

_CAPITALS = "ABCDEFGHIJKLMNOPRSTVWZ"


@dataclass(frozen=True, slots=True)
class Source:
    """Pools by language, and chance."""

    pools: dict[str, Pools]
    rng: Random

    def listed(self, language: str, name: str) -> str:
        """A value of a word list, of the English one where the language has none."""
        lists = self.pools[language].lists
        return self.rng.choice(lists.get(name) or self.pools["en"].lists[name])

    def numbered(self, language: str, name: str) -> str:
        """A listed value with numbers in its places: "Article 6"."""
        value = self.listed(language, name)
        while "{n}" in value:
            value = value.replace(
                "{n}", str(self.rng.choice((1, 3, 8, self.rng.randrange(60), self.rng.randrange(2024)))), 1
            )
        return value

    def abroad(self, language: str) -> str:
        """The language, now and then another one: addresses and places come from everywhere."""
        return self.rng.choice(LANGUAGES) if self.rng.random() < (0.2 if language == "en" else 0.06) else language

    def capital(self) -> str:
        """A capital letter that names begin with."""
        return self.rng.choice(_CAPITALS)

    def word(self, language: str, low: int = 0, high: int = 30_000) -> str:
        """A word, the frequent ones far oftener."""
        words = self.pools[language].words
        return words[low + int((min(high, len(words)) - low) * self.rng.random() ** 3)]

    def phrase(self, language: str, fewest: int, most: int) -> str:
        """Words in no order; German nouns with their capitals, elsewhere a capital now and then."""
        nouns = self.pools[language].lists.get("noun")
        count = self.rng.randrange(fewest, most)
        words = [
            self.rng.choice(nouns) if nouns and self.rng.random() < 0.3 else self.word(language) for _ in range(count)
        ]
        if self.rng.random() < (0.1 if language in ("en", "de") else 0.03):
            words[self.rng.randrange(count)] = self.word(language, 0, 8000).capitalize()
        return " ".join(words)
