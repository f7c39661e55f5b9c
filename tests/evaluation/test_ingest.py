"""`bench --ingest`: rows with their rounds, or with the reason why there are none; nothing is left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.errors import DocumentError, UsageError
from desktop_rag.evaluation import ingest_memory, ingest_ocr
from desktop_rag.evaluation.ingest import ingest
from desktop_rag.evaluation.ingest_place import Sizes
from desktop_rag.evaluation.ingest_promises import PROMISES, Promise, told, unmeasured, verdict
from desktop_rag.evaluation.rounds import Round
from desktop_rag.workers.crew import Workers
from tests.evaluation.scripted import Script, ScriptedWorker

SMALL = Sizes(pages=2, files=4, scans=1, documents=6, settled=2)
BROKEN = {"code": "crashed", "message": "It broke.", "hint": ""}


class Indexing(ScriptedWorker):
    """A library whose documents become ready one after the other, the last one in `state`."""

    def __init__(self, script: Script, state: str = "ready") -> None:
        super().__init__(script)
        self.state = state

    def stream(self, op: str, **args: Any) -> Iterator[dict[str, Any]]:
        if op == "add":
            for number in range(SMALL.documents):
                state = self.state if number == SMALL.documents - 1 else "ready"
                yield {"event": "document", "document": str(number), "state": "reading"}
                for _ in range(2):
                    yield {"event": "document", "document": str(number), "state": state}
        yield from super().stream(op, **args)


class Reading(ScriptedWorker):
    """A reader of files that takes this process's time, and tells each page of a scan as `event`."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__({})
        self.pid = os.getpid()
        self.event = event

    def stream(self, op: str, **args: Any) -> Iterator[dict[str, Any]]:
        assert Path(args["path"]).is_file()
        yield from ({"event": "info"}, self.event, {"event": "done"})


class ScriptedCrew:
    """Scripted workers of one data directory."""

    def __init__(self, data_dir: Path, scripts: dict[str, Script], state: str = "ready") -> None:
        assert data_dir.is_dir()
        self.root = data_dir.parent
        self.scripts = scripts
        self.library = Indexing(scripts["library"], state)
        self.closed = False
        self.handed_out: list[ScriptedWorker] = []
        self.page: dict[str, Any] = {"event": "page", "confidence": 0.9}
        self.config = os.environ["DESKTOP_RAG_CONFIG_DIR"]

    def fresh(self, role: str) -> ScriptedWorker:
        reads = role == "parse"
        self.handed_out.append(Reading(self.page) if reads else ScriptedWorker(self.scripts[role]))
        return self.handed_out[-1]

    def close(self) -> None:
        self.closed = True


class Company:
    """Hires crews and remembers them."""

    def __init__(self, state: str = "ready", **bench: Any) -> None:
        self.crews: list[ScriptedCrew] = []
        self.state = state
        summary = {"unchanged": SMALL.files, "seconds": 0.1}
        self.scripts: dict[str, Script] = {
            "bench": {"enter_folder": lambda folder: {"documents": SMALL.files}, "pdf_text": pdf_text, **bench},
            "library": {
                "folders": lambda: {"folders": []},
                "sync": lambda: {"folders": [summary]},
                "collection_create": lambda **_: {},
                "add": lambda **_: {},
                "documents": lambda: {"documents": [{"id": str(n), "chunks": 2} for n in range(SMALL.documents)]},
            },
        }

    def __call__(self, data_dir: Path) -> ScriptedCrew:
        self.crews.append(ScriptedCrew(data_dir, self.scripts, self.state))
        return self.crews[-1]


def pdf_text(path: str, *, ours_first: bool) -> dict[str, Any]:
    assert Path(path).is_file()
    ours, pdfium = {"cpu_s": 1.2, "seconds": 9.0}, {"cpu_s": 1.0, "seconds": 1.0}
    return {"ours": ours, "pdfium": pdfium, "pages": 2, "characters": 10}


def broken(**_: Any) -> dict[str, Any]:
    raise DocumentError("unreadable", "It broke.", "Mend it.")


def measured(company: Any, *names: str) -> dict[str, dict[str, Any]]:
    *_, done = ingest(company, SMALL, names)
    assert done["event"] == "done"
    return {row["name"]: row for row in done["ingest"]}


def test_the_value_is_the_median_of_the_rounds_in_processor_time() -> None:
    company = Company()
    row = measured(company, "pdf_vs_pdfium")["pdf_vs_pdfium"]
    assert row["value"] == pytest.approx(1.2)
    assert (row["unit"], row["target"], row["met"], row["error"]) == ("times", 1.3, True, None)
    assert len(row["rounds"]) == 5
    assert row["details"][0]["parts"]["ours"]["seconds"] == 9.0
    turns = [args["ours_first"] for op, args in company.crews[0].handed_out[0].asked if op == "pdf_text"]
    assert turns[1:3] == [False, True]


def test_a_row_that_breaks_has_no_value_and_the_others_go_on() -> None:
    found = measured(Company(pdf_text=broken), "pdf_vs_pdfium", "folder_check_s")
    row = found["pdf_vs_pdfium"]
    assert (row["value"], row["met"], row["rounds"]) == (None, None, [])
    assert row["error"] == {"code": "unreadable", "message": "It broke.", "hint": "Mend it."}
    assert found["folder_check_s"]["value"] is not None
    assert len(found["folder_check_s"]["rounds"]) == 3


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKTOP_RAG_PASSPHRASE_FILE", "mine")
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    before = dict(os.environ)
    company = Company(enter_folder=broken)
    measured(company, "pdf_vs_pdfium", "folder_check_s")
    assert len(company.crews) == 2
    for crew in company.crews:
        assert crew.closed
        assert all(worker.closed for worker in crew.handed_out)
        assert Path(crew.config).parent == crew.root
        assert not crew.root.exists()
    assert dict(os.environ) == before


def test_a_check_that_finds_changes_is_no_figure() -> None:
    company = Company()
    company.scripts["library"]["sync"] = lambda: {"folders": [{"unchanged": 1, "seconds": 0.1}]}
    row = measured(company, "folder_check_s")["folder_check_s"]
    assert row["value"] is None
    assert "changes where there are none" in row["error"]["message"]


def test_memory_is_compared_with_that_after_the_first_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    def sample(_: Any, documents: int) -> tuple[int, float, float, int]:
        return documents, 100.0 + documents, 50.0, 7

    monkeypatch.setattr(ingest_memory, "_sample", sample)
    found = measured(Company(), "memory_growth")
    row = found["memory_growth"]
    vectors_mb = 4 * 2 * 384 * 4 / 2**20
    assert row["value"] == pytest.approx((106 - vectors_mb) / 102 - 1)
    assert row["n"] == 6
    assert row["met"] is False
    parts = row["details"][0]["parts"]
    assert (parts["documents"][0], parts["documents"][-1]) == (2, 6)
    assert (parts["passages"], parts["readers"]) == (12, 1)
    assert found["reader_memory_growth"]["value"] == 0.0


def test_recognition_counts_pages_and_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_ocr, "share", lambda counts, cores: 0.9)
    found = measured(Company(), "ocr_cores")
    speed, cores = found["ocr_pages_per_minute"], found["ocr_cores"]
    assert (speed["n"], speed["met"], cores["value"], cores["met"]) == (1, None, 0.9, True)
    counting = [one for one in speed["details"] if one["counted"]]
    assert speed["rounds"] == pytest.approx([60 / one["parts"]["seconds"] for one in counting])


def test_a_page_that_is_not_recognised_is_no_speed() -> None:
    company = Company()

    def unread(data_dir: Path) -> ScriptedCrew:
        crew = company(data_dir)
        crew.page = {"event": "unread"}
        return crew

    found = measured(unread, "ocr_pages_per_minute")
    assert {row["value"] for row in found.values()} == {None}
    assert "could not be read" in found["ocr_cores"]["error"]["message"]


def test_a_failed_document_makes_no_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_memory, "_sample", lambda _, documents: (documents, 1.0, 1.0, 7))
    row = measured(Company(state="failed"), "memory_growth")["memory_growth"]
    assert row["value"] is None
    assert "could not be indexed" in row["error"]["message"]


@pytest.mark.parametrize(("names", "sizes"), [(["speed_of_light"], SMALL), ([], Sizes(documents=200))])
def test_what_cannot_be_measured_is_refused_before_anything_is(names: list[str], sizes: Sizes) -> None:
    company = Company()
    with pytest.raises(UsageError):
        list(ingest(company, sizes, names))
    assert company.crews == []


def test_the_worst_round_counts_where_a_promise_is_about_every_moment() -> None:
    rounds = [Round(0.1, {"phase": "hashing"}, disturbed=True), Round(0.6, {"phase": "encoding"}), Round(0.2)]
    row = verdict(PROMISES["cancel_s"], rounds)
    assert (row["value"], row["met"], row["rounds"]) == (0.6, False, [0.1, 0.6, 0.2])


def test_disturbed_rounds_count_only_where_there_are_too_few_others() -> None:
    promise = Promise("x", "s", 1.0, False, "", rounds=2)
    row = verdict(promise, [Round(9.0, disturbed=True), Round(1.0), Round(2.0)])
    assert (row["value"], row["rounds"]) == (1.5, [1.0, 2.0])
    assert [one["counted"] for one in row["details"]] == [False, True, True]


def test_a_figure_without_a_promise_is_neither_met_nor_missed() -> None:
    assert verdict(PROMISES["ocr_pages_per_minute"], [Round(7.0)])["met"] is None


def test_rows_for_people() -> None:
    row = verdict(PROMISES["memory_growth"], [Round(0.01, {"n": 2000})])
    assert told(row) == "✓ memory_growth            0.01 share (≤ 0.03; rounds 0.01); n = 2,000"
    assert told(unmeasured(PROMISES["cancel_s"], BROKEN)) == "– cancel_s                 not measured: It broke."
    plain = told(verdict(PROMISES["folder_check_s"], [Round(0.5)]))
    assert plain == "✓ folder_check_s           0.5 s (≤ 5; rounds 0.5)"
    assert told(verdict(PROMISES["ocr_pages_per_minute"], [Round(7.0)])).endswith("7 pages/min (rounds 7)")
    assert told(verdict(PROMISES["folder_check_s"], [Round(0.5, disturbed=True)])).endswith("busy with other things")
    phases = told(verdict(PROMISES["cancel_s"], [Round(0.1, {"phase": "a"}), Round(0.7, {"phase": "b"})]))
    assert phases.splitlines()[0].endswith("0.7 s (≤ 0.5; the worst of all)")
    assert [line.split() for line in phases.splitlines()[1:]] == [["a", "0.1"], ["b", "0.7"]]


def test_a_real_folder_is_entered_and_checked() -> None:
    row = measured(Workers, "folder_check_s")["folder_check_s"]
    assert row["error"] is None
    assert row["details"][0]["parts"]["n"] == SMALL.files
    assert all(seconds > 0 for seconds in row["rounds"])
