"""The three real workers: sealed by the operating system, free of torch, and what they answer to damaged models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from desktop_rag import paths
from desktop_rag.errors import ModelError
from desktop_rag.models.catalogue import find
from desktop_rag.workers.crew import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and expects seccomp"),
]


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(paths.data_dir())
    yield made
    made.close()


def states(pid: int) -> set[tuple[str, str]]:
    """(Seccomp, NoNewPrivs) of every thread of a process."""
    found = set()
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        found.add((lines["Seccomp"].strip(), lines["NoNewPrivs"].strip()))
    return found


def libraries(pid: int) -> set[str]:
    """The names of the shared libraries a process has mapped."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {Path(parts[5]).name for line in lines if len(parts := line.split(maxsplit=5)) == 6 and ".so" in parts[5]}


def test_every_process_of_real_work_is_sealed_and_free_of_torch(workers: Workers, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("Jean Rivera checks the pump every month and reports to Maria Alvarez.\n")
    added = workers.library.call("add", paths=[str(note)], review=False)["documents"]
    assert [(d["state"], d["error"]) for d in added] == [("ready", None)]
    assert workers.library.call("search", query="Who checks the pump?")["hits"]
    workers.chat.call("generate", question="What is checked?", passages=[], max_tokens=2)

    report = workers.library.call("doctor")
    assert report["seal"] == {"library": "seccomp", "parse": "seccomp"}
    assert (workers.chat.hello or {})["seal"] == "seccomp"
    assert (workers.library.hello or {})["seal"] == "seccomp"
    assert workers.library.pid is not None
    assert workers.chat.pid is not None
    readers = psutil.Process(workers.library.pid).children()
    assert len(readers) == 1
    for pid in (workers.library.pid, workers.chat.pid, readers[0].pid):
        assert states(pid) == {("2", "1")}
    assert any("ctranslate2" in name for name in libraries(workers.library.pid)), "the encoder did no work"
    assert any("llama" in name for name in libraries(workers.chat.pid)), "the model did no work"
    for pid in (workers.library.pid, workers.chat.pid, readers[0].pid):
        assert not {name for name in libraries(pid) if "torch" in name}


def test_damaged_models_are_refused_in_a_sentence_and_the_worker_lives_on(workers: Workers, tmp_path: Path) -> None:
    whole = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert whole is not None
    with whole.open("rb") as model:
        head = model.read(4_000_000)
    (tmp_path / "cut.gguf").write_bytes(head)
    (tmp_path / "letter.gguf").write_bytes(b"Dear Madam or Sir,\n" * 100)
    (tmp_path / "empty.gguf").write_bytes(b"")
    codes = {}
    for name in ("cut.gguf", "letter.gguf", "empty.gguf", "missing.gguf"):
        with pytest.raises(ModelError) as caught:
            workers.chat.call("load", model=str(tmp_path / name))
        codes[name] = caught.value.code
        assert caught.value.message.endswith(".")
        assert len(caught.value.message) > len(name)
    assert codes["cut.gguf"] == "truncated"
    assert codes["missing.gguf"] == "not_installed"
    pid = workers.chat.pid
    assert workers.chat.call("status")["model"] is None
    assert workers.chat.pid == pid
