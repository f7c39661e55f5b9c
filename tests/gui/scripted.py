"""A backend that follows a script, for tests of layout and failures; the real one is driven by the journey tests."""

from __future__ import annotations

import base64
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from desktop_rag.errors import StoreError
from desktop_rag.gui.backend import Event
from desktop_rag.privacy.classes import is_direct, readable, treatable, usual
from tests.gui import model_script, privacy_script, quality_script, review_script
from tests.gui.script import (
    ANSWER,
    PDF,
    SAMPLES,
    TEXT,
    VALUES,
    conversations,
    document,
    finished,
    messages,
    passages,
    receipt,
    sources,
    stored,
    token,
    watched,
)


def page_image(width: int, grey: int = 255, **_: Any) -> Iterator[Event]:
    """An empty sheet of paper in the pieces that a page comes in."""
    height = round(width * 842 / 595)
    content = zlib.compress(bytes([grey]) * (3 * width * height), 1)
    for start in range(0, len(content), 1000):
        yield {"event": "piece", "data": base64.b64encode(content[start : start + 1000]).decode()}
    yield {"event": "done", "width": width, "height": height}


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
        self.cancelled = threading.Event()

    @property
    def busy(self) -> bool:
        """A scripted answer that goes on counts as a model that goes on."""
        return not self.killed.is_set()

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

    def cancel(self, op: str | None = None) -> None:
        """Remembered only: a scripted answer ends by itself."""
        self.cancelled.set()

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
        self.conversations = conversations() if documents else []
        self.folders: list[dict[str, Any]] = []
        self.rules: list[dict[str, Any]] = []
        self.treated: dict[str, Event] = {}
        self.changes: list[Event] = []
        self.judged: list[Event] = []
        self.refusal: StoreError | None = None
        self.closed = False
        self.questions: list[str] = []
        self.strategies: list[str | None] = []
        self.answers: Callable[[str], Iterator[Event]] = self.full_answer
        self.library = ScriptedWorker("library", self._script())
        self.chat = ScriptedWorker("chat", {"load": self._load})
        self.loaded = model_script.STARTER
        self.installed = model_script.models()
        self.download = model_script.ScriptedDownload()
        self.models = ScriptedWorker("models", self._model_script())
        self.downloads = ScriptedWorker("network", {"download": self.download, "search": model_script.hub})
        self.opened: list[str] = []
        self.uses: list[ScriptedWorker] = []
        self.left: list[ScriptedWorker | None] = []
        self.unfinished: list[Event] = []
        self.benchmark: Callable[[list[str]], Iterator[Event]] = model_script.bench
        self.probe: Callable[[list[str]], Iterator[Event]] = model_script.probe
        self.evaluate: Callable[[Path], Iterator[Event]] = quality_script.evaluated
        self.selftest: Callable[[], Iterator[Event]] = privacy_script.tested
        self.records: list[Event] = []
        self.connections: list[Event] = []

    @property
    def answering(self) -> ScriptedWorker:
        """The local model."""
        return self.chat

    def load(self) -> Event:
        """What the chat worker says of its model."""
        return self.chat.call("load")

    @property
    def running(self) -> list[ScriptedWorker]:
        """Those that have greeted."""
        return [worker for worker in (self.library, self.chat, self.models) if worker.hello is not None]

    def egress(self) -> list[Event]:
        """The lines a test has put there."""
        return self.connections

    def network(self, purpose: str) -> ScriptedWorker:
        """Remembered, so that a test can see that nothing is opened unasked; what all uses ask is in `downloads`."""
        self.opened.append(purpose)
        worker = ScriptedWorker("network", self.downloads.script)
        worker.calls = self.downloads.calls
        self.uses.append(worker)
        return worker

    def leave_network(self, worker: Any = None) -> None:
        """Remembered."""
        self.left.append(worker)

    def benchmarks(self, kind: str) -> list[Event]:
        """Earlier runs."""
        return self.records if kind == "bench" else []

    def answer(
        self, question: str, *, collection: Any, conversation: str | None, strategy: str | None = None
    ) -> Iterator[Event]:
        """The scripted events of a question."""
        self.questions.append(question)
        self.strategies.append(strategy)
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

    # -- models --------------------------------------------------------------------------------

    def _load(self, **_: Any) -> Event:
        return {
            "model": self.loaded, "name": "SmolLM2 135M Instruct", "engine": "llama.cpp", "options": "Q4_1",
            "device": "cpu", "context": 8192, "layers": 30, "gpu_layers": 0, "threads": 2, "weights_mb": 94.0,
            "kv_mb": 23.0,
        }  # fmt: skip

    def _model_script(self) -> dict[str, Callable[..., Any]]:
        return {
            "list": lambda: {
                "models": self.installed,
                "catalogue": model_script.catalogue(),
                "unfinished": list(self.unfinished),
            },
            "machine": model_script.machine,
            "discover": lambda: {"found": model_script.found()},
            "fit": model_script.fit,
            "inspect": model_script.inspected,
            "place": lambda **args: model_script.steps("sha256", {"model": args.get("id")}),
            "import": lambda path: model_script.steps("Copying", {"model": {"name": Path(path).stem}}),
            "adopt": lambda path: model_script.steps("Reading", {"model": path}),
            "convert": lambda **_: model_script.steps("Layer 3 of 30", {"model": "copy"}),
            "quantise": lambda **_: model_script.steps("Tensor 8 of 272", {"model": "smaller"}),
            "adapters": lambda **_: {},
            "delete": self._delete,
        }

    def _delete(self, model: str) -> Event:
        self.installed = [row for row in self.installed if row["id"] != model]
        freed = sum(row["received"] for row in self.unfinished if row["id"] == model)
        self.unfinished = [row for row in self.unfinished if row["id"] != model]
        return {"deleted": model, "freed": freed}

    # -- library -------------------------------------------------------------------------------

    def _script(self) -> dict[str, Callable[..., Any]]:
        return {
            "collections": self._collections,
            "collection_create": lambda **row: {"collection": {"id": 9, "documents": 0, **row}},
            "collection_update": lambda **row: {"collection": {"documents": 3, **row}},
            "collection_delete": lambda **_: {"receipt": receipt([])},
            "conversations": lambda: {"conversations": self.conversations},
            "conversation": lambda id: {"id": id, "title": "Pump P-204", "messages": messages()},
            "documents": lambda **_: {"documents": list(self.rows.values())},
            "warm": dict,
            "key": lambda: {"key": "file", "open": True, "keyring": False},
            "unlock": lambda **_: {"key": "file"},
            "doctor": lambda: {"key": "file", "index": {"documents": 3, "chunks": 41, "parity": True}},
            "resume": lambda: iter(()),
            "clean_again": lambda: iter(()),
            "reread": lambda documents: iter(()),
            "folders": lambda: {"folders": [dict(row) for row in self.folders]},
            "folder_watch": self._watch,
            "folder_pause": self._pause,
            "folder_forget": self._forget,
            "sync": self._sync,
            "reveal": lambda texts, collection=None: {
                "values": {token: value for token, value in VALUES.items() if any(token in text for text in texts)}
            },
            "judged": lambda: {"questions": list(self.judged)},
            "judge": self._judge,
            "judge_not": self._judge_not,
            "search": lambda **_: {"hits": passages()},
            "measure": lambda **_: quality_script.measured(),
            "collection_fusion": lambda **_: {},
            "locate": self._locate,
            "passages": lambda chunks: {"passages": [row for row in passages() if row["chunk"] in chunks]},
            "page_sizes": lambda **_: {"sizes": [[595, 842]] * 4},
            "page_image": page_image,
            "document_view": self._view,
            "add": self._add,
            "review": review_script.review,
            "review_summary": review_script.summary,
            "review_values": review_script.values,
            "review_boxes": review_script.boxes,
            "decide": lambda **_: {},
            "rules": lambda collection=None: {"rules": list(self.rules), "classes": self._classes()},
            "rule_class": self._treat,
            "rule_add": self._rule,
            "rule_forget": self._rule_forget,
            "accept": self._accept,
            "remove": self._remove,
        }

    def _watch(self, path: str, collection: str | None = None) -> Event:
        self.folders.append(watched(path, collection or "Brackwater 2025", number=len(self.folders) + 1))
        return {"folder": self.folders[-1]}

    def _pause(self, folder: int, paused: bool) -> Event:
        (row,) = (row for row in self.folders if row["id"] == folder)
        row["paused"] = paused
        return {"folder": row}

    def _forget(self, folder: int) -> Event:
        self.folders = [row for row in self.folders if row["id"] != folder]
        return {}

    def _sync(self, folder: int | None = None) -> Iterator[Event]:
        """The events in `changes`, once; then a summary of each folder."""
        changes, self.changes = self.changes, []
        for event in changes:
            if event["event"] == "document":
                self.rows[event["document"]] = {key: value for key, value in event.items() if key != "event"}
            elif event["event"] == "removed":
                self.rows.pop(event["document"], None)
            yield event
        yield {"event": "progress", "files_done": 0, "files_total": 0}
        looked = [row for row in self.folders if folder in (None, row["id"]) and not row["paused"]]
        kinds = {"document": "added", "removed": "removed"}
        numbers = {kind: sum(kinds[event["event"]] == kind for event in changes) for kind in kinds.values()}
        for row in looked:
            row["checked"] = time.time()
        summaries = [{"folder": row["id"], "path": row["path"], "problem": row["problem"], **numbers} for row in looked]
        yield {"event": "done", "folders": summaries, "documents": []}

    def _collections(self) -> Event:
        if self.refusal is not None:
            raise self.refusal
        states = {"ready": len(self.rows)}
        return {
            "collections": [
                {
                    "id": 1,
                    "name": "Brackwater 2025",
                    "policy": "pseudonymise",
                    "review": True,
                    "documents": len(self.rows),
                    "chunks": 41,
                    "states": states,
                },
                {
                    "id": 2,
                    "name": "Contracts",
                    "policy": "mask",
                    "review": True,
                    "documents": 0,
                    "chunks": 0,
                    "states": {},
                },
            ]
        }

    def _locate(self, **passage: Any) -> Event:
        name = passage["document"]
        box = {"x": 70.9, "y": 133.0, "width": 452.0, "height": 12.0}
        boxes = [box, {**box, "y": 148.0, "width": 430.0}] if name == PDF and passage.get("boxes", True) else []
        return {
            "path": str(SAMPLES / name),
            "format": name.rpartition(".")[2],
            "paged": name == PDF,
            "as_of": "now",
            "page": passage["page"],
            "original": True,
            "boxes": boxes,
            "page_size": [595, 842],
            "start": 0,
            "end": 40,
        }

    def _view(self, document: str) -> Event:
        text = (SAMPLES / document).read_text(encoding="utf-8") if document.endswith(".md") else TEXT
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

    def _rule(self, kind: str, term: str, collection: str | None = None, label: str = "OWN_TERM") -> Event:
        before = next((rule for rule in self.rules if (rule["term"], rule["collection"]) == (term, collection)), None)
        number = max((rule["id"] for rule in self.rules), default=0) + 1
        self.rules = [rule for rule in self.rules if rule is not before]
        self.rules.append({"id": number, "kind": kind, "term": term, "label": label, "collection": collection})
        return {"rule": self.rules[-1], "before": before}

    def _classes(self) -> list[Event]:
        return [
            {"label": label, "name": readable(label), "direct": is_direct(label),
             "default": usual(label).name,
             **self.treated.get(label, {"treatment": usual(label).name, "threshold": None})}
            for label in treatable()
        ]  # fmt: skip

    def _treat(self, label: str, treatment: str, threshold: float | None, collection: str | None) -> Event:
        self.treated[label] = {"treatment": treatment, "threshold": threshold}
        return {}

    def _rule_forget(self, **which: Any) -> Event:
        self.rules = [rule for rule in self.rules if any(rule[name] != value for name, value in which.items())]
        return {}

    def _judge(self, message: str | None = None, question: str = "", passages: list[Event] | None = None) -> Event:
        cited = finished()["citations"]
        self.judged.insert(0, {"id": len(self.judged) + 1, "message": message, "passages": passages or cited,
                               "question": question or "Why was pump P-204 stopped?"})  # fmt: skip
        return {"questions": list(self.judged)}

    def _judge_not(self, **which: Any) -> Event:
        name, wanted = ("message", which["message"]) if "message" in which else ("id", which["judged"])
        self.judged = [row for row in self.judged if row[name] != wanted]
        return {"questions": list(self.judged)}

    def _accept(self, documents: list[str], **_: Any) -> Iterator[Event]:
        for name in documents:
            for state in ("cleaning", "indexing", "ready"):
                self.rows[name] = document(name, state)
                yield {"event": "document", **self.rows[name], "document": name}
        yield {"event": "done", "documents": []}

    def _remove(self, documents: list[str]) -> Iterator[Event]:
        for name in documents:
            self.rows.pop(name)
            yield {"event": "removed", "document": name}
        yield {"event": "proving", "share": 40}
        yield {"event": "done", "receipt": receipt(documents)}
