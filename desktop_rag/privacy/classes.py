"""The classes of personal data: what they are called, and which are replaced unless the user decides otherwise.

Direct identifiers name a person or an account and are replaced. Quasi identifiers (places, dates,
organisations) point at a person only together; they are shown in the review and kept by default, but for those listed
as replaced: a date of birth with a town is often enough.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from desktop_rag.paths import assets_dir

# What a pseudonym or a mask looks like: one indivisible term everywhere in the application.
TOKEN = re.compile(r"\[[A-Z][A-Z_]*(?:_\d+)?\]")


REPLACE, LEAVE = "replace", "leave"


@dataclass(frozen=True, slots=True)
class Treatment:
    """What happens to a class: its findings are replaced from a score (0..1) of `threshold` on, or all are left."""

    replace: bool
    threshold: float = 0.0

    def replaces(self, score: float) -> bool:
        """Whether a finding that is so sure is replaced."""
        return self.replace and score >= self.threshold

    @property
    def name(self) -> str:
        """What it is called outside."""
        return REPLACE if self.replace else LEAVE


@cache
def _classes() -> dict[str, Any]:
    return dict(json.loads((assets_dir() / "pii_classes.json").read_text(encoding="utf-8")))


def replaced_by_default(label: str) -> bool:
    """Whether a value of this class is replaced without being asked; an unknown class is."""
    return is_direct(label) or label in _classes()["replaced"]


def usual(label: str) -> Treatment:
    """What happens to a class that nobody said anything about."""
    return Treatment(replaced_by_default(label))


@cache
def treatable() -> tuple[str, ...]:
    """The classes that can be treated otherwise than usual, as they are listed; of those of one name the last."""
    classes = _classes()
    named = {name: label for part in ("direct", "quasi") for label, name in classes[part].items()}
    return tuple(named.values())


def is_direct(label: str) -> bool:
    """Whether a value of this class names a person or an account by itself; one of an unknown class may."""
    return label not in _classes()["quasi"]


def readable(label: str) -> str:
    """The class's name for people."""
    classes = _classes()
    name = classes["direct"].get(label) or classes["quasi"].get(label)
    return str(name) if name else label.replace("_", " ").capitalize()
