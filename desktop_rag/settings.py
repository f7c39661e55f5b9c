"""Every setting, declared once: default, range, label, help. Window rows and terminal help derive from here.

The values lie in `settings.json` of the data directory. A bad value falls back alone; the others stay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag.privacy.scrub import POLICIES
from desktop_rag.store.files import write_private

NO_RERANKER = "none"
"""The setting `reranker` with it: no cross-encoder, even where one is installed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One choice or number a person may change."""

    name: str
    default: str | int | float | bool
    label: str
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    restart: bool = False

    def valid(self, value: object) -> bool:
        """Whether `value` may stand for this setting."""
        if isinstance(self.default, bool) or isinstance(value, bool):
            return isinstance(value, bool) and isinstance(self.default, bool)
        if self.choices:
            return value in self.choices
        if isinstance(self.default, int | float):
            kind = int if isinstance(self.default, int) else int | float
            return isinstance(value, kind) and (self.low or 0) <= value <= (self.high or float("inf"))
        return isinstance(value, str)


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "theme",
        "system",
        "Appearance",
        "Light, dark, or as the system is set.",
        ("system", "light", "dark", "contrast"),
    ),
    Setting(
        "policy",
        POLICIES[0],
        "Personal data in new collections",
        "What happens to names, e-mail addresses and numbers before anything is indexed.",
        POLICIES,
    ),
    Setting("review", True, "Review before indexing", "Show what was found in each document before it is indexed."),
    Setting("review_pages", False, "Pages in the review", "Show a document's pages as they look instead of its text."),
    Setting(
        "real_values",
        True,
        "Show real values to you",
        "Names and numbers read as in your documents. What is stored, copied and exported stays replaced.",
    ),
    Setting(
        "second_opinion",
        False,
        "Second opinion on English texts",
        "A second model looks for names too. It finds more in careless writing, is wrong more often, and is slower.",
        restart=True,
    ),
    Setting(
        "passages",
        4,
        "Passages given to the model",
        "More answer broader questions and take longer. A very small model gets two at most.",
        low=1,
        high=12,
    ),
    Setting(
        "search",
        "hybrid",
        "Search for answers",
        "By words and meaning; or the best are then read again; or several searches at once, and more read again.",
        ("hybrid", "rerank", "deep"),
    ),
    Setting(
        "around",
        "neighbours",
        "Around the best passage",
        "Give the model what stands before and after it too, or its whole section. A very small model gets neither.",
        ("none", "neighbours", "section"),
    ),
    Setting(
        "reranker",
        "",
        "Reading again",
        "With the first cross-encoder that is installed, else, or with “none” always, with the search encoder.",
        ("", NO_RERANKER),
    ),
    Setting(
        "exact_up_to",
        2_000_000,
        "Compare every passage up to",
        "In a collection with more of them, Chroma's graph looks for the nearest: quicker, but its files need much"
        " memory and, unlike all others, are not encrypted. They hold no text.",
        low=0,
        high=100_000_000,
        restart=True,
    ),
    Setting("max_tokens", 256, "Longest answer (tokens)", "An answer stops at this length.", low=32, high=2048),
    Setting(
        "auto_lock",
        0,
        "Lock by itself (minutes)",
        "Locks the library when neither key nor mouse was used for so long; 0 never. An answer or documents being added"
        " are finished first.",
        low=0,
        high=1440,
    ),
    Setting("model", "", "Model", "The model that answers; empty is the starter model."),
    Setting(
        "engine",
        "",
        "Engine",
        "The runtime of the model; empty chooses by the model's format.",
        ("", "llama.cpp", "CTranslate2", "GPT4All", "Transformers", "OpenAI-compatible"),
    ),
    Setting(
        "context",
        4096,
        "Context (tokens)",
        "How much the model sees at once. More takes more memory.",
        low=512,
        high=131072,
    ),
    Setting(
        "kv_type",
        "f16",
        "Precision of the context's memory",
        "8 bits take half the memory of 16; only llama.cpp has the choice.",
        ("f16", "q8_0", "q4_0"),
    ),
    Setting(
        "keep_kv",
        True,
        "Go on quickly after a restart",
        "Keeps on disk, encrypted, what the model has read. It goes when a document goes.",
    ),
    Setting(
        "gpu_layers",
        -1,
        "Layers on the graphics card",
        "-1 plans them from what is free; 0 uses none.",
        low=-1,
        high=999,
    ),
    Setting(
        "sealed",
        True,
        "Sealed",
        "Nothing leaves this computer: no downloads, no remote model. Switched off, each use still asks.",
    ),
    Setting("remote_url", "", "Remote model: address", "An OpenAI-compatible server; gets cleaned text only."),
    Setting("remote_model", "", "Remote model: name", "Empty takes the first one the server lists."),
)


class Settings:
    """The declared settings with the user's values over the defaults."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "settings.json"
        self._values: dict[str, Any] = {}
        try:
            stored = json.loads(self._path.read_text())
        except (OSError, ValueError):
            stored = {}
        if isinstance(stored, Mapping):
            known = {setting.name: setting for setting in SETTINGS}
            self._values = {name: value for name, value in stored.items() if name in known and known[name].valid(value)}

    def __getitem__(self, name: str) -> Any:
        default = next(setting.default for setting in SETTINGS if setting.name == name)
        return self._values.get(name, default)

    def set(self, name: str, value: object) -> bool:
        """Store a value at once; False (and nothing stored) when it is not allowed."""
        setting = next(setting for setting in SETTINGS if setting.name == name)
        if not setting.valid(value):
            return False
        self._values[name] = value
        write_private(self._path, json.dumps(self._values, indent=1).encode())
        return True
