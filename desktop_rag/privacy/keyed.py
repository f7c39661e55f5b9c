"""Choices that look like chance, are the same every time, and cannot be repeated without the key."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from functools import cached_property

# Letters change places within their line only: a name's common first letter must not become one few names have.
# M stays: before a name it is Monsieur.
_LATIN = ("m", "abcdefghjklnprstvw", "ioquxyz", "łøđæœþðı")
_ALPHABETS = (*_LATIN, "абвгдежзиклмнопрстуфхцчшэюя", "αβγδεζηθικλμνξοπρστυφχψω")


class Keyed:
    """HMAC-SHA-256 under one key, as numbers, orders and a change of letters."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def number(self, *about: str) -> int:
        """A large number that belongs to these words."""
        return int.from_bytes(hmac.digest(self._key, "\0".join(about).encode(), "sha256"))

    def ordered(self, items: Sequence[str], *about: str) -> list[str]:
        """The items in an order that belongs to these words."""
        return sorted(items, key=lambda item: self.number(*about, item))

    def initial(self, letter: str) -> str | None:
        """The lower-case letter that stands for another one, always the same; None for what is no known letter."""
        return self._letters.get(letter)

    def initial_back(self, letter: str) -> str | None:
        """The letter that `initial` gave this one for."""
        return self._letters_back.get(letter)

    @cached_property
    def _letters(self) -> dict[str, str]:
        # Each alphabet goes round in one circle, so that no letter stays and no two become one.
        circles = [self.ordered(alphabet, "initial") for alphabet in _ALPHABETS]
        return {
            letter: follower
            for circle in circles
            for letter, follower in zip(circle, [*circle[1:], circle[0]], strict=True)
        }

    @cached_property
    def _letters_back(self) -> dict[str, str]:
        return {follower: letter for letter, follower in self._letters.items()}
