"""What the audit and the self-test say in the window's tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from desktop_rag.gui.backend import Event

CLEAN: dict[str, Any] = {
    "files": 31,
    "bytes": 6_204_113,
    "values": 214,
    "left_out": 12,
    "not_readable": [],
    "traces": [],
    "tables": [
        {
            "table": "documents", "column": "name", "kind": "file name", "document": None, "count": 2,
            "label": "PERSON", "entry": "[PERSON_4]",
        }
    ],
    "key": "keyring",
    "readable_on_disk": ["Readable without the key: the vectors of Brackwater 2025."],
    "clean": True,
}  # fmt: skip
LEAKING: dict[str, Any] = {
    **CLEAN,
    "traces": [
        {
            "path": "settings.json", "form": "json", "state": "open", "count": 3, "label": "EMAIL_ADDRESS",
            "entry": "[EMAIL_ADDRESS_2]",
        }
    ],
    "tables": [
        {
            "table": "pages", "column": "text", "kind": "leak", "document": "lab-protocol.md", "count": 1,
            "label": "PERSON", "entry": None,
        }
    ],
    "not_readable": [{"name": "old.pdf", "cause": "The file is not there any more."}],
    "clean": False,
}  # fmt: skip
_FIGURES = {"precision": 0.9541, "recall": 0.9822, "f1": 0.968, "f2": 0.9765}
_STATE = {"files": 29, "bytes": 5_807_205, "not_readable": [], "traces": []}
TESTED: dict[str, Any] = {
    "date": "2026-11-23 10:15",
    "seconds": 42.5,
    "versions": {"desktop-rag": "0.1.0", "python": "3.11.7"},
    "recogniser": {"name": "Recogniser", "sha256": "ab" * 32, "data": "Made-up text.", "limits": "Made-up text only."},
    "corpus": {
        "documents": 98, "characters": 47_269, "values": 1290, "languages": ["de", "en"], "genres": ["letter"],
        "seed": 1,
    },
    "overall": _FIGURES,
    "direct": _FIGURES,
    "quasi": _FIGURES,
    "replaced": {"overall": _FIGURES, "direct": _FIGURES, "quasi": _FIGURES},
    "categories": {
        name: {
            "label": label, "planted": planted, "recall": recall, "in_part": 0.0, "replaced": recall,
            "precision": 1.0,
        }
        for name, label, planted, recall in (
            ("person", "PERSON", 364, 0.986),
            ("iban", "IBAN_CODE", 70, 1.0),
            ("secret", "SECRET", 28, 0.786),
            ("address", "STREET_ADDRESS", 84, 0.881),
        )
    },
    "languages": {
        code: {"overall": _FIGURES, "direct": _FIGURES, "quasi": _FIGURES, "planted": 186, "categories": {}}
        for code in ("de", "en")
    },
    "weak": [{"category": "secret", "language": None, "recall": 0.786, "planted": 28}],
    "leaks": {
        "values": 1019,
        "policies": [
            {
                "policy": "mask", "documents": 98, "not_indexed": [], "overlooked": 4, "clean": True,
                "states": [{**_STATE, "state": "unlocked"}, {**_STATE, "state": "locked"}],
            }
        ],
    },
    "passed": True,
}  # fmt: skip


def audited(result: dict[str, Any]) -> Iterator[Event]:
    """An audit that says how far it is."""
    yield {"event": "progress", "text": "looking into the files 40 %", "fraction": 0.4}
    yield {"event": "done", **result}


def tested() -> Iterator[Event]:
    """A self-test."""
    yield {"event": "progress", "text": "mask: indexing 50 %", "fraction": 0.5}
    yield {"event": "done", **TESTED}
