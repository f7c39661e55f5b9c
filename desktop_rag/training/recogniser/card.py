"""The model's card: what it was trained on, and how well it finds what in texts it was not trained on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from desktop_rag.evaluation.pii_score import Row, score
from desktop_rag.privacy.recogniser import WEIGHTS, Recogniser
from desktop_rag.training.recogniser.generate import Example
from desktop_rag.training.recogniser.prose import PACKAGES
from desktop_rag.training.recogniser.speeches import PACKAGE as SPEECHES

CARD = "card.json"


def measure(recogniser: Recogniser, examples: Sequence[Example]) -> dict[str, Any]:
    """Figures over all examples, by label and by language (see `desktop_rag.evaluation.pii_score`)."""
    found = recogniser.find([example.text for example in examples])
    rows = [
        (example.language, Row(_spans(example.spans), _spans((f.start, f.end, f.label) for f in seen)))
        for example, seen in zip(examples, found, strict=True)
    ]
    whole = score(row for _, row in rows)
    languages = sorted({language for language, _ in rows})
    return {
        "overall": whole["overall"],
        "labels": whole["labels"],
        "languages": {name: score(row for language, row in rows if language == name)["overall"] for name in languages},
    }


def _spans(found: Iterable[tuple[int, int, str]]) -> list[dict[str, Any]]:
    return [{"start": start, "end": end, "label": label} for start, end, label in found]


def write_card(folder: Path, training: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    """Write the card beside the weights; returns its text."""
    card = {
        "name": "Recogniser of personal data",
        "languages": sorted(figures["languages"]),
        "data": "Text generated from templates of this project; values from Faker (MIT); frequent words from wordfreq "
        "(Apache-2.0; its lists CC BY-SA 4.0, among their sources SUBTLEX by Marc Brysbaert et al., Google Books "
        "Ngrams, OpenSubtitles and Wikipedia); sentences without names from the messages of "
        f"{', '.join(PACKAGES)} (BSD, MIT) and from Python's manual (PSF); State of the Union addresses since 1930 "
        f"({SPEECHES}, public domain), labelled by spaCy's en_core_web_sm. No private documents, no labelled set.",
        "limits": "Trained on made-up text: real prose has rare names without context, firms called by common words "
        "and other languages, which are missed more often. Numbers with a check are left to patterns.",
        "development": "No labelled set is in the training, but the figures of public ones (presidio_synth_v2, tab, "
        "pl_pii_bench, meddocan, wikineural, wnut17), and the shapes of what was missed in them, were looked at "
        "between rounds and led to changes of templates, patterns and thresholds: "
        "figures on them flatter this model. Those below are on generated text and flatter it more.",
        "training": dict(training),
        "held_out": "Templates and names that the training does not use; figures over characters.",
        "figures": dict(figures),
        "bytes": (folder / WEIGHTS).stat().st_size,
    }
    text = json.dumps(card, indent=1, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")
    return text
