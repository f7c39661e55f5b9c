"""The main language of a document, or none where there is too little text to tell."""

from __future__ import annotations

import pytest

from desktop_rag.workers.language import language_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The tenant pays the rent on the first working day of every month.", "en"),
        ("Der Mieter zahlt die Miete am ersten Werktag eines jeden Monats.", "de"),
        ("Le locataire paie le loyer le premier jour ouvrable de chaque mois.", "fr"),
        ("Арендатор платит арендную плату в первый рабочий день каждого месяца.", "ru"),
    ],
)
def test_sentences_tell_their_language(text: str, code: str) -> None:
    assert language_of([text[:30], text[30:]]) == code


@pytest.mark.parametrize("texts", [[], [""], ["Rent"], ["12 345 678 " * 100], ["\n \t" * 100]])
def test_too_little_text_tells_nothing(texts: list[str]) -> None:
    assert language_of(texts) is None
