"""A second opinion on English texts: what spaCy's pipeline takes for names. It was trained on news, talk and the web.

It finds more, above all names in careless writing, and is wrong more often; it takes several times as long as the
application's own network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from desktop_rag.errors import ModelError
from desktop_rag.privacy.finding import Finding

_LABELS = {
    "PERSON": "PERSON",
    "NORP": "NRP",
    "FAC": "LOCATION",
    "LOC": "LOCATION",
    "GPE": "LOCATION",
    "ORG": "ORGANIZATION",
    "DATE": "DATE_TIME",
    "TIME": "DATE_TIME",
}
# spaCy says nothing of how sure it is.
_SCORE = 0.7
_UNUSED = ["parser", "senter", "tagger", "attribute_ruler", "lemmatizer"]


class SecondOpinion:
    """spaCy's names from a pipeline in a local folder. Not thread-safe.

    Raises ModelError("not_installed") when the folder is missing.
    """

    def __init__(self, spacy_model: Path) -> None:
        if not (spacy_model / "config.cfg").is_file():
            raise ModelError(
                "not_installed", "The model for the second opinion is not installed.", "Run the set-up again."
            )
        import spacy

        self._nlp = spacy.load(spacy_model, exclude=_UNUSED)

    def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        """See Detector; nothing in texts that are not English."""
        # Outside of a zone spaCy keeps every word that it ever saw.
        with self._nlp.memory_zone():
            found = [_found(self._nlp(text.replace("\n", " "))) if _is_english(text) else [] for text in texts]
        return iter(found)


def _found(doc: object) -> list[Finding]:
    entities = [e for e in doc.ents if e.label_ in _LABELS]  # type: ignore[attr-defined]
    return [Finding(e.start_char, e.end_char, _LABELS[e.label_], _SCORE) for e in entities]


def _is_english(text: str) -> bool:
    import py3langid  # type: ignore[import-untyped]

    return bool(py3langid.classify(text)[0] == "en")
