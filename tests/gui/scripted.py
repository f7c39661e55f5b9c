"""A backend that follows a script, for tests of layout and failures; the real one is driven by the end-to-end tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError, StoreError
from desktop_rag.gui.backend import Event

SAMPLES = paths.assets_dir() / "samples"
PDF = "pump-maintenance-report.pdf"
_TEXT = (
    "Operator Tomasz Okafor noted a knocking noise during the night shift of 2 March and reduced the speed to 1 150 "
    "revolutions per minute until the morning.\n\nThe inspection was led by Marta Lindqvist, senior mechanical engineer. "
    "Questions about this report go to marta.lindqvist@brackwater.example or to the control room at +44 20 7946 0182.\n\n"
    "During the work one person was slightly hurt: Daniel Hughes cut his left hand on the coupling guard on 5 March. "
    "First aid was given by Priya Raman. Payment of parts goes to Halden Bearings Ltd, IBAN GB29 NWBK 6016 1331 9268 19."
)
_FOUND = (
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
        "id": name, "name": name, "path": str(SAMPLES / name), "collection": "Brackwater 2025", "state": state, "known": False,
        "pages": pages, "pages_read": pages, "pages_ocr": 0, "language": "en", "chunks": 12, "pii": {"PERSON": 9, "EMAIL_ADDRESS": 2},
        "children": [], "error": None, "size": 48_200, "added": "2026-11-20T09:00:00", "format": ending, "title": name,
    }  # fmt: skip


def passages() -> list[dict[str, Any]]:
    """What the search finds for every question."""
    rows = (
        (1, PDF, 1, "1. Summary", "Feed pump P-204 was taken out of service on 3 March 2025 after the vibration alarm at the drive end "
         "tripped for the second time within a week. The inspection was led by [PERSON_1], senior mechanical engineer.", .81, 7.9),
        (2, PDF, 2, "4. Cause", "The root cause is a misalignment between motor and pump of 0.31 mm, most likely present since the motor "
         "was exchanged in November 2023.", .77, 6.1),
        (3, PDF, 3, "5. Work done", "During the work one person was slightly hurt: [PERSON_3] cut his left hand on the coupling guard on "
         "5 March at 10:40. First aid was given by [PERSON_4].", .52, 2.2),
        (4, "lab-protocol.md", None, "Quality control", "On 12 August 2025 [PERSON_5] found that standard 1.0 read 0.91. The cause was a "
         "pipette that delivered 4.6 instead of 5.0 millilitres.", .31, 0.4),
    )  # fmt: skip
    return [
        {"chunk": chunk, "document": name, "name": name, "page": page, "locator": None if page else "Quality control", "start": 0,
         "end": len(text), "text": text, "context": section, "score": dense, "scores": {"dense": dense, "bm25": words}}
        for chunk, name, page, section, text, dense, words in rows
    ]  # fmt: skip


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
            {**{key: shown[n][key] for key in ("document", "name", "page", "locator", "start", "end", "text", "chunk")},
             "marker": n + 1, "support": "supported"}
            for n in (0, 1)
        ]  # fmt: skip
    return {
        "event": "done", "answer": answer, "found": found, "citations": citations, "sentences": sentences,
        "coverage": {"passages_read": 4, "passages_total": 1203}, "timings_ms": {"total": 3200.0},
        "usage": {"prompt_tokens": 612, "generated_tokens": 70, "reused_tokens": 0, "prefill_tps": 240.0, "decode_tps": 41.8,
                  "roofline_fraction": None, "ttft_s": 0.4, "context": 8192, "context_used": 682},
        "memory_mb": {"weights": 94.0, "kv": 23.0, "window": None, "library": 236.0, "chat": 180.0},
        "strategy": "concat", "engine": "llama.cpp", "model": "smollm2-135m-instruct-q4_1",
        "conversation": "c1", "message": "m2",
    }  # fmt: skip


class ScriptedWorker:
    """Answers operations by the functions in `script`; unknown operations are a test's mistake."""

    def __init__(self, role: str, script: dict[str, Callable[..., Any]]) -> None:
        self.role = role
        self.script = script
        self.on_state: Callable[[str], None] | None = None
        self.hello: dict[str, Any] | None = {"role": role, "pid": 1, "seal": "seccomp", "capabilities": []}
        self.pid: int | None = None
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.killed = threading.Event()

    def start(self) -> None:
        """Nothing to start."""

    def stream(self, op: str, **args: Any) -> Iterator[Event]:
        """The scripted events."""
        self.calls.append((op, args))
        result = self.script[op](**args)
        yield from [{"event": "done", **result}] if isinstance(result, dict) else result

    def call(self, op: str, **args: Any) -> Event:
        """The last scripted event."""
        last: Event = {}
        for event in self.stream(op, **args):
            last = event
        return last

    def kill(self) -> None:
        """Remembered only."""
        self.killed.set()

    def named(self, op: str) -> list[dict[str, Any]]:
        """The arguments of every call of an operation."""
        return [args for name, args in self.calls if name == op]


class ScriptedBackend:
    """Two scripted workers and a scripted answer; `answers` may be replaced by a test."""

    def __init__(self, *, documents: bool = True) -> None:
        names = (PDF, "works-council-memo.docx", "lab-protocol.md")
        self.rows = {name: document(name) for name in names} if documents else {}
        self.conversations = _conversations() if documents else []
        self.refusal: StoreError | None = None
        self.closed = False
        self.questions: list[str] = []
        self.answers: Callable[[str], Iterator[Event]] = self.full_answer
        self.library = ScriptedWorker("library", self._script())
        self.chat = ScriptedWorker(
            "chat", {"load": lambda **_: {"model": "smollm2-135m-instruct-q4_1", "context": 8192}}
        )

    def answer(self, question: str, *, collection: Any, conversation: str | None) -> Iterator[Event]:
        """The scripted events of a question."""
        self.questions.append(question)
        return self.answers(question)

    def close(self) -> None:
        """Remembered for the test of shutting down."""
        self.closed = True

    def full_answer(self, question: str) -> Iterator[Event]:
        """Stored, sources, tokens, done."""
        yield stored(question)
        yield sources()
        for place in range(0, len(ANSWER), 12):
            yield token(ANSWER[place : place + 12], place)
        yield finished()

    # -- library -------------------------------------------------------------------------------

    def _script(self) -> dict[str, Callable[..., Any]]:
        return {
            "collections": self._collections,
            "collection_create": lambda **row: {"collection": {"id": 9, "documents": 0, **row}},
            "collection_update": lambda **row: {"collection": {"documents": 3, **row}},
            "collection_delete": lambda **_: {"receipt": {"documents": []}},
            "conversations": lambda: {"conversations": self.conversations},
            "conversation": lambda id: {"id": id, "title": "Pump P-204", "messages": _messages()},
            "documents": lambda **_: {"documents": list(self.rows.values())},
            "doctor": lambda: {"key": "file", "index": {"documents": 3, "chunks": 41, "parity": True}},
            "resume": lambda: iter(()),
            "reveal": lambda texts, collection=None: {
                "values": {text: VALUES[text] for text in texts if text in VALUES}
            },
            "locate": self._locate,
            "document_view": self._view,
            "add": self._add,
            "review": self._review,
            "accept": self._accept,
            "remove": self._remove,
        }

    def _collections(self) -> Event:
        if self.refusal is not None:
            raise self.refusal
        states = {"ready": len(self.rows)}
        return {
            "collections": [
                {"id": 1, "name": "Brackwater 2025", "policy": "pseudonymise", "review": True, "documents": len(self.rows), "chunks": 41,
                 "states": states},
                {"id": 2, "name": "Contracts", "policy": "mask", "review": True, "documents": 0, "chunks": 0, "states": {}},
            ]
        }  # fmt: skip

    def _locate(self, **passage: Any) -> Event:
        name = passage["document"]
        box = {"x": 70.9, "y": 133.0, "width": 452.0, "height": 12.0}
        boxes = [box, {**box, "y": 148.0, "width": 430.0}] if name == PDF else []
        return {"path": str(SAMPLES / name), "format": name.rpartition(".")[2], "page": passage["page"], "original": True,
                "boxes": boxes, "page_size": [595, 842], "start": 0, "end": 40}  # fmt: skip

    def _view(self, document: str) -> Event:
        text = (SAMPLES / document).read_text(encoding="utf-8") if document.endswith(".md") else _TEXT
        pages = [{"page": None, "locator": "Quality control", "text": text}]
        return {
            "document": document,
            "name": document,
            "path": document,
            "format": "md",
            "original": True,
            "pages": pages,
            "note": None,
        }

    def _add(self, paths: list[str], **_: Any) -> Iterator[Event]:
        names = [Path(path).name for path in paths]
        for done, name in enumerate(names):
            for state in ("waiting", "reading", "reviewing"):
                self.rows[name] = document(name, state)
                yield {"event": "document", **self.rows[name], "document": name}
            yield {"event": "progress", "files_done": done + 1, "files_total": len(names)}
        yield {"event": "done", "documents": [self.rows[name] for name in names]}

    def _review(self, document: str) -> Event:
        spans = []
        for number, (text, label, replace, doubtful) in enumerate(_FOUND):
            start = _TEXT.index(text)
            spans.append({"id": number, "start": start, "end": start + len(text), "label": label, "score": 0.9, "replace": replace,
                          "doubtful": doubtful, "replacement": None})  # fmt: skip
        pages = [{"page": 1, "locator": None, "text": _TEXT, "spans": spans}]
        return {"document": document, "name": document, "policy": "pseudonymise", "pages": pages, "counts": {}}

    def _accept(self, documents: list[str], decisions: dict[str, Any]) -> Iterator[Event]:
        for name in documents:
            for state in ("cleaning", "indexing", "ready"):
                self.rows[name] = document(name, state)
                yield {"event": "document", **self.rows[name], "document": name}
        yield {"event": "done", "documents": []}

    def _remove(self, documents: list[str]) -> Event:
        for name in documents:
            self.rows.pop(name)
        return {"receipt": {"documents": [{"removed": {"chunks": 12, "vectors": 12}, "remaining": {"text": 0}}]}}


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


def _messages() -> list[dict[str, Any]]:
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


def _conversations() -> list[dict[str, Any]]:
    import time

    now = time.time()
    titles = ("Why was pump P-204 stopped?", "Core time in the memo", "Phosphate wavelength and cuvette", "Invoice of the bearing supplier",
              "Who gave first aid", "Sick leave before and after the trial")  # fmt: skip
    return [
        {"id": f"c{n}", "title": title, "collection": "Brackwater 2025", "updated": now - n * 50_000, "messages": 2}
        for n, title in enumerate(titles, 1)
    ]
