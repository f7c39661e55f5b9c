"""Which questions ask for all there is: in seven languages, and hardly ever where one passage answers."""

from __future__ import annotations

import pytest

from desktop_rag.answering.scope import subject, whole_kind

ALL = {
    "list": [
        "List all invoices that are overdue.", "Which contracts end in 2026?", "Could you please list the suppliers?",
        "Welche Rechnungen sind offen?", "Bitte liste die Unfälle auf", "Quels contrats finissent en 2026 ?",
        "Énumère les fournisseurs", "¿Qué facturas están abiertas?", "Elenca i pagamenti", "Welke contracten lopen af?",
        "Wymień dostawców",
    ],
    "count": [
        "How many people were hurt?", "Count the complaints.", "Wie viele Verträge laufen aus?",
        "Combien de factures sont en retard ?", "¿Cuántos pagos hubo?", "Quante fatture sono scadute?",
        "Hoeveel facturen staan open?", "Ile umów wygasa?",
    ],
    "summarise": [
        "Summarise the minutes.", "Please give me a short summary of the contract", "What are the main findings?",
        "Fasse das Protokoll zusammen", "Résume le contrat", "Resume el contrato", "Riassumi il verbale",
        "Vat de notulen samen", "Podsumuj protokół",
    ],
    "compare": [
        "Compare the two offers.", "What are the differences between the two leases?", "Vergleiche die Angebote",
        "Compare les deux offres", "Compara las ofertas", "Quali sono le differenze tra i contratti?",
        "Vergelijk de offertes", "Porównaj oferty",
    ],
}  # fmt: skip
ONE = [
    "When was the pump installed?", "How many weeks does the bearing take?", "What is on the price list?",
    "Who resumed the work?", "How high was the price compared to last year?", "What does Count Dracula own?",
    "Who signed the summary of costs?", "Wie hoch ist die Miete?", "Welche Farbe hat das Tor?",
    "Combien coûte le loyer ?", "¿Cuánto cuesta el alquiler?", "Quanto costa l'affitto?", "Hoeveel kost de huur?",
    "Ile kosztuje czynsz?", "",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "question"), [(kind, question) for kind, asked in ALL.items() for question in asked])
def test_what_asks_for_all_is_recognised(kind: str, question: str) -> None:
    assert whole_kind(question) == kind


@pytest.mark.parametrize("question", ONE)
def test_what_a_passage_answers_is_not(question: str) -> None:
    assert whole_kind(question) is None


def test_the_subject_is_what_is_left_to_look_for() -> None:
    assert subject("List all invoices that are overdue.") == "invoices that are overdue"
    assert subject("How many invoices are overdue?") == "invoices are overdue"
    assert subject("Summarise the minutes.") == "the minutes"
    assert subject("Compare the two offers") == "the two offers"
    assert subject("Summarise.") == "Summarise.", "where nothing else is left"
    assert subject("") == ""
