"""What the scripted backend says: documents, passages, answers and findings about invented people."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Event
from desktop_rag.privacy.receipt import Proof
from desktop_rag.privacy.receipt import receipt as issued

SAMPLES = paths.assets_dir() / "samples"
PDF = "pump-maintenance-report.pdf"
TEXT = (
    "Operator Tomasz Okafor noted a knocking noise during the night shift of 2 March and reduced the speed to "
    "1 150 revolutions per minute until the morning.\n\n"
    "The inspection was led by Marta Lindqvist, senior mechanical engineer. "
    "Questions about this report go to marta.lindqvist@brackwater.example or to the control room at "
    "+44 20 7946 0182.\n\n"
    "During the work one person was slightly hurt: Daniel Hughes cut his left hand on the coupling guard on 5 March. "
    "First aid was given by Priya Raman. Payment of parts goes to Halden Bearings Ltd, "
    "IBAN GB29 NWBK 6016 1331 9268 19."
)
FOUND = (
    ("Tomasz Okafor", "PERSON", True, False),
    ("2 March", "DATE_TIME", False, False),
    ("Marta Lindqvist", "PERSON", True, False),
    ("marta.lindqvist@brackwater.example", "EMAIL_ADDRESS", True, False),
    ("+44 20 7946 0182", "PHONE_NUMBER", True, False),
    ("Daniel Hughes", "PERSON", True, False),
    ("5 March", "DATE_TIME", False, False),
    ("Priya Raman", "PERSON", True, True),
    ("Halden Bearings Ltd", "ORGANIZATION", False, False),
    ("GB29 NWBK 6016 1331 9268 19", "IBAN_CODE", True, False),
)
ANSWER = (
    "Feed pump P-204 was taken out of service on 3 March 2025 after the vibration alarm tripped twice within a week. "
    "[PERSON_1] led the inspection and found a worn coupling insert and a defect of the drive end bearing.\n\n"
    "- The root cause was a misalignment of 0.31 mm.\n- Both bearings were replaced.\n\n"
    "The pump will last for another ten years."
)


def document(name: str, state: str = "ready", **more: Any) -> dict[str, Any]:
    """A row of the library."""
    ending = name.rpartition(".")[2]
    pages = {"pdf": 4}.get(ending)
    return {
        "id": name,
        "name": name,
        "path": str(SAMPLES / name),
        "collection": "Brackwater 2025",
        "state": state,
        "known": False,
        "pages": pages,
        "pages_read": pages,
        "pages_ocr": 0,
        "language": "en",
        "chunks": 12,
        "pii": {"PERSON": 9, "EMAIL_ADDRESS": 2},
        "children": [],
        "parent": None,
        "error": None,
        "size": 48_200,
        "added": "2026-11-20T09:00:00",
        "format": ending,
        "title": name,
        **more,
    }


def watched(path: str, collection: str = "Brackwater 2025", *, number: int = 1, **more: Any) -> dict[str, Any]:
    """A watched folder."""
    return {
        "id": number,
        "path": path,
        "collection_id": 1,
        "collection": collection,
        "paused": False,
        "checked": None,
        "problem": None,
        "log": [],
        **more,
    }


def passages() -> list[dict[str, Any]]:
    """What the search finds for every question."""
    rows = (
        (
            1,
            PDF,
            1,
            "1. Summary",
            "Feed pump P-204 was taken out of service on 3 March 2025 after the vibration alarm at the drive end "
            "tripped for the second time within a week. The inspection was led by "
            "[PERSON_1], senior mechanical engineer.",
            0.81,
            7.9,
        ),
        (
            2,
            PDF,
            2,
            "4. Cause",
            "The root cause is a misalignment between motor and pump of 0.31 mm, most likely present since the motor "
            "was exchanged in November 2023.",
            0.77,
            6.1,
        ),
        (
            3,
            PDF,
            3,
            "5. Work done",
            "During the work one person was slightly hurt: [PERSON_3] cut his left hand on the coupling guard on "
            "5 March at 10:40. First aid was given by [PERSON_4].",
            0.52,
            2.2,
        ),
        (
            4,
            "lab-protocol.md",
            None,
            "Quality control",
            "On 12 August 2025 [PERSON_5] found that standard 1.0 read 0.91. The cause was a "
            "pipette that delivered 4.6 instead of 5.0 millilitres.",
            0.31,
            0.4,
        ),
    )
    return [
        {
            "chunk": chunk,
            "document": name,
            "name": name,
            "page": page,
            "locator": None if page else "Quality control",
            "start": 0,
            "end": len(text),
            "text": text,
            "context": section,
            "score": dense,
            "scores": {"dense": dense, "bm25": words},
        }
        for chunk, name, page, section, text, dense, words in rows
    ]


def traced() -> dict[str, Any]:
    """How the passages were found: two were read, one had no room, one is a repeat, one was removed since."""
    rows = (
        (1, {"bm25": (1, 7.9), "dense": (1, 0.81), "hybrid": (1, 0.042), "rerank": (1, 0.71)}, "read"),
        (2, {"bm25": (2, 6.1), "dense": (2, 0.77), "hybrid": (2, 0.038), "rerank": (2, 0.66)}, "read"),
        (3, {"dense": (3, 0.52), "hybrid": (4, 0.021), "rerank": (3, 0.4)}, "cut"),
        (4, {"bm25": (3, 0.4), "hybrid": (3, 0.024)}, "same"),
        (99, {"dense": (4, 0.31), "hybrid": (5, 0.011)}, "below"),
    )
    return {
        "stages": [
            {"stage": "bm25", "found": 87, "ms": 3.1},
            {"stage": "dense", "found": 100, "ms": 6.4},
            {"stage": "hybrid", "found": 121, "ms": 0.4},
            {"stage": "rerank", "found": 30, "ms": 212.0},
        ],
        "rows": [
            {
                "chunk": chunk,
                "places": {stage: place for stage, (place, _score) in held.items()},
                "scores": {stage: score for stage, (_place, score) in held.items()},
                "state": state,
            }
            for chunk, held, state in rows
        ],
        "notes": [],
        "members": [],
    }


def finished(answer: str = ANSWER, found: bool = True) -> Event:
    """The last event of an answer."""
    sentences, citations = [], []
    if found:
        cuts = [("supported", [1]), ("supported", [1, 2]), ("weak", [2]), ("supported", [2]), ("unsupported", [])]
        position = 0
        for end_text, (support, markers) in zip(
            ("twice within a week.", "drive end bearing.", "0.31 mm.", "were replaced.", "ten years."),
            cuts,
            strict=True,
        ):
            end = answer.find(end_text) + len(end_text)
            if answer.find(end_text) >= 0:
                sentences.append({"start": position, "end": end, "support": support, "citations": markers})
                position = end
        shown = passages()
        citations = [
            {
                **{
                    key: shown[n][key]
                    for key in ("document", "name", "page", "locator", "start", "end", "text", "chunk")
                },
                "marker": n + 1,
                "support": "supported",
            }
            for n in (0, 1)
        ]
    return {
        "event": "done",
        "answer": answer,
        "found": found,
        "citations": citations,
        "sentences": sentences,
        "coverage": {"passages_read": 4, "passages_total": 1203},
        "timings_ms": {"total": 3200.0},
        "trace": traced(),
        "usage": {
            "prompt_tokens": 612,
            "generated_tokens": 70,
            "reused_tokens": 0,
            "prefill_tps": 240.0,
            "decode_tps": 41.8,
            "roofline_fraction": None,
            "ttft_s": 0.4,
            "context": 8192,
            "context_used": 682,
        },
        "memory_mb": {"weights": 94.0, "kv": 23.0, "window": None, "library": 236.0, "chat": 180.0},
        "strategy": "concat",
        "engine": "llama.cpp",
        "model": "smollm2-135m-instruct-q4_1",
        "conversation": "c1",
        "message": "m2",
    }


VALUES = {
    "[PERSON_1]": "Marta Lindqvist",
    "[PERSON_3]": "Daniel Hughes",
    "[PERSON_4]": "Priya Raman",
    "[PERSON_5]": "Lukas Brandt",
}


def stored(question: str) -> Event:
    """The first event of an answer."""
    return {"event": "stored", "conversation": "c1", "message": "m1", "question": question}


def sources() -> Event:
    """The second event of an answer."""
    return {
        "event": "sources",
        "passages": passages(),
        "coverage": {"passages_read": 4, "passages_total": 1203},
        "timings_ms": {},
    }


def token(text: str, place: int) -> Event:
    """Some words of an answer."""
    return {
        "event": "token",
        "text": text,
        "tok_s": 38.0 + place % 7,
        "generated": place,
        "seconds": 1.0,
        "ttft_s": 0.4,
    }


def crash(question: str) -> Iterator[Event]:
    """An answer whose worker dies in the middle."""
    yield stored(question)
    yield sources()
    yield token(ANSWER[:110], 0)
    yield {
        "event": "partial",
        "reason": "crashed",
        "message": "The chat process stopped unexpectedly (it was ended by SIGKILL).",
    }
    yield {**finished(ANSWER[:110]), "reason": "crashed"}


def refuse(error: DesktopRagError) -> Callable[[str], Iterator[Event]]:
    """An answer that fails before its question is stored."""

    def answer(_question: str) -> Iterator[Event]:
        raise error
        yield {}

    return answer


def absent(question: str) -> Iterator[Event]:
    """An answer that is not in the documents."""
    yield stored(question)
    yield sources()
    yield finished("The documents do not say this.", found=False)


def messages() -> list[dict[str, Any]]:
    return [
        {
            "id": "m1",
            "parent": None,
            "role": "user",
            "text": "Why was pump P-204 stopped, and what did [PERSON_1] find?",
            "data": None,
        },
        {
            "id": "m2",
            "parent": "m1",
            "role": "assistant",
            "text": ANSWER,
            "data": {**finished(), "passages": passages()},
        },
    ]


def conversations() -> list[dict[str, Any]]:
    now = time.time()
    titles = (
        "Why was pump P-204 stopped?",
        "Core time in the memo",
        "Phosphate wavelength and cuvette",
        "Invoice of the bearing supplier",
        "Who gave first aid",
        "Sick leave before and after the trial",
    )
    return [
        {"id": f"c{n}", "title": title, "collection": "Brackwater 2025", "updated": now - n * 50_000, "messages": 2}
        for n, title in enumerate(titles, 1)
    ]


def receipt(names: list[str], *, found: str | None = None) -> dict[str, Any]:
    """What removing these documents gives, as the library itself would write it."""
    erased = {"passages": 12, "vectors": 12, "terms": 40, "vault_entries": 1, "spellings": 2}
    proof = Proof(values=9, searches=8, texts=1042, pages=612, files=214, bytes=48_200_000, shared=2)
    if found is not None:
        proof.find(found, names[:1])
    rows = [
        {
            "document": "b1946ac92492d234",
            "name": name,
            "sha256": "6ef1c531ddccc8d6" * 4,
            "chunks": 12,
            "vault_entries": 1,
            "answers_blanked": 0,
            "documents_inside": 0,
            "erased": erased,
            "verified": True,
        }
        for name in names
    ]
    return issued(rows, erased if names else {}, proof)
