"""A collection on a real Chroma server: what is brought there, what is found by it, and what becomes of a bad one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError, EngineError, NetworkError, SearchError, UsageError
from desktop_rag.retrieval import chroma_dialect
from desktop_rag.settings import Settings
from desktop_rag.store import passphrase, served
from desktop_rag.workers import exchanging, library_service, network_service, receipts, remote_index, team
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Handler, Request
from desktop_rag.workers.removing import remove_document
from tests.workers.chroma_server import ChromaServer, listening
from tests.workers.driving import add, run

pytestmark = [pytest.mark.slow, pytest.mark.loopback]

PHRASE = b"correct horse battery"
NAME = "My documents"
LETTER = """# Service letter

The inspection of the feed pump was led by Rosalind Quillfeather on 3 March 2025. Questions
go to zq.sentinel@planted.example.com.

## Warranty

The warranty of the pump ends after 24 months. Rosalind Quillfeather keeps the certificate in the safe of the office.
"""
LEASE = "The landlord repairs the heating within two weeks after Bartholomew Crane has told him that it is broken.\n"
PARTS = "The bearing K-121 costs 27.15 and is delivered with a seal kit made of rubber.\n"
SENTINELS = ("Quillfeather", "Rosalind", "sentinel", "Bartholomew", "landlord", "warranty", "Warranty", "pump", "K-121")
QUESTION = "How long is the warranty of the pump?"


class Inside:
    """A worker without a process: its operations run where they are asked for."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers

    def stream(self, op: str, **args: Any) -> Iterator[dict[str, Any]]:
        events, done = run(self._handlers[op](Request(1, op, args)))
        yield from events
        yield {"event": "done", **done}

    def call(self, op: str, **args: Any) -> dict[str, Any]:
        return list(self.stream(op, **args))[-1]

    def start(self) -> None:
        """It is there."""


class Computer:
    """One person's library and network."""

    def __init__(self, library: Library) -> None:
        self.own = library
        self.data_dir = library.data_dir
        self.library = Inside(_operations(library))

    def network(self, purpose: str, *, opened: bool = False) -> Inside:
        options = {"purpose": purpose, "opened": opened}
        return Inside(network_service.open_service(self.data_dir, options).handlers)

    def publish(self, url: str, **how: Any) -> dict[str, Any]:
        *_, done = team.publish(self, NAME, url, **how)
        return done

    def search(self, question: str = QUESTION, mode: str = "hybrid", **how: Any) -> dict[str, Any]:
        near = team.nearest(self, question, collection=NAME, mode=mode, **how)
        return self.library.call("search", query=question, collection=NAME, mode=mode, k=5, near=near)


def _operations(library: Library) -> dict[str, Handler]:
    class Opened:
        """A gate that is open."""

        def __init__(self) -> None:
            self.library = library

    gate: Any = Opened()
    serving = library_service.serving.ServingOperations(gate)
    return {"search": library_service._Operations(gate).search, **serving.handlers}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases that cost next to nothing."""
    monkeypatch.setattr(passphrase, "_COST", {"memory_kib": 64, "iterations": 1, "lanes": 1})


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """One server for all: every collection has a name of its own there."""
    with listening(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture
def server(chroma: ChromaServer) -> ChromaServer:
    """The server, with nothing kept of what others sent."""
    if chroma.process is None:
        chroma.start()
    chroma.sent.clear()
    chroma.silent = False
    return chroma


@pytest.fixture
def owner(library: Library, tmp_path: Path) -> Computer:
    """Who has the documents."""
    for name, text in {"Letter to Rosalind Quillfeather.md": LETTER, "lease.txt": LEASE}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        add(library, tmp_path / name)
    return Computer(library)


@pytest.fixture
def bring(owner: Computer, models: dict[str, Any], tmp_path: Path) -> Iterator[Callable[[], Computer]]:
    """Exports the owner's collection and brings it to the member's computer, anew each time."""
    folder = paths.private_dir(tmp_path / "member")
    library = Library(folder)
    vars(library).update(models)
    files = iter(range(100))

    def make() -> Computer:
        file = tmp_path / f"{next(files)}.collection"
        number = owner.own.collections.need(NAME)["id"]
        run(exchanging.export_collection(owner.own, number, file, PHRASE, originals=False))
        run(exchanging.import_collection(library, file, PHRASE))
        return Computer(library)

    yield make
    library.close()


def hits(found: dict[str, Any]) -> list[tuple[str, float, float | None]]:
    return [(hit["text"], hit["score"], hit["scores"].get("dense")) for hit in found["hits"]]


def refused(kind: type[DesktopRagError], what: Callable[[], Any]) -> DesktopRagError:
    with pytest.raises(kind) as caught:
        what()
    assert caught.value.hint
    return caught.value


def test_what_is_published_is_found_by_it_the_same(owner: Computer, server: ChromaServer) -> None:
    before = owner.search()
    told = owner.publish(server.url)
    passages = owner.own.documents.passages(1)
    assert (told["passages"], told["sent"], told["deleted"], told["server"]) == (passages, passages, 0, server.url)
    server.sent.clear()
    after = owner.search()
    assert hits(after) == hits(before)
    assert after["notes"] == []
    assert b"/query" in server.sent


def test_no_text_and_no_name_crosses_the_wire(
    owner: Computer, bring: Callable[[], Computer], server: ChromaServer
) -> None:
    owner.publish(server.url)
    for computer in (owner, bring()):
        team.join(computer, NAME, server.url)
        for mode in ("hybrid", "dense", "deep", "rerank"):
            computer.search("Where does Rosalind Quillfeather keep what Ignatius Sentinelman wrote?", mode=mode)
    team.unpublish(owner, NAME)
    sent = bytes(server.sent)
    assert sent.count(b"/upsert") == 1
    assert sent.count(b"/query") == 8
    words = {*SENTINELS, "Ignatius", NAME, "lease.txt", *(row["id"] for row in owner.own.documents.rows(1))}
    assert [word for word in words if word.encode() in sent] == []


def test_nothing_is_sent_twice_and_what_is_gone_goes_there_too(
    owner: Computer, server: ChromaServer, tmp_path: Path
) -> None:
    owner.publish(server.url)
    again = owner.publish(server.url)
    assert (again["sent"], again["deleted"]) == (0, 0)
    (tmp_path / "parts.txt").write_text(PARTS, encoding="utf-8")
    (added,) = add(owner.own, tmp_path / "parts.txt")
    assert "K-121" in owner.search("price of the bearing", mode="dense")["hits"][0]["text"], "not sent yet, but here"
    assert owner.publish(server.url)["sent"] == 1
    remove_document(owner.own, added["id"])
    gone = owner.publish(server.url)
    assert (gone["sent"], gone["deleted"], gone["passages"]) == (0, 1, owner.own.documents.passages(1))


def test_what_still_lies_on_the_server_is_told_when_it_is_removed_here(owner: Computer, server: ChromaServer) -> None:
    owner.publish(server.url)
    for row in owner.own.documents.rows(1):
        issued = run(receipts.remove(owner.own, [row["id"]]))[1]["receipt"]
        assert issued["verified"]
        assert [note for note in issued["notes"] if server.url in note]
    assert "--unpublish" in refused(UsageError, lambda: owner.publish(server.url)).hint
    assert server.url in refused(UsageError, lambda: run(receipts.delete_collection(owner.own, 1))).message
    team.unpublish(owner, NAME)
    assert run(receipts.delete_collection(owner.own, 1))[1]["receipt"]["documents"] == []


def test_a_member_finds_their_own_passages_by_the_same_server(
    owner: Computer, bring: Callable[[], Computer], server: ChromaServer, tmp_path: Path
) -> None:
    owner.publish(server.url)
    member = bring()
    own = member.search()
    told = team.join(member, NAME, server.url)
    assert told["here"] == told["passages"] == owner.own.documents.passages(1)
    server.sent.clear()
    found = member.search()
    assert hits(found) == hits(own)
    assert found["notes"] == []
    assert b"/query" in server.sent
    (tmp_path / "parts.txt").write_text(PARTS, encoding="utf-8")
    add(owner.own, tmp_path / "parts.txt")
    owner.publish(server.url)
    found = member.search("price of the bearing")
    assert "1 passage is on the server and not in your copy" in found["notes"][0]
    assert found["hits"]
    member = bring()
    found = member.search("price of the bearing", mode="dense")
    assert found["notes"] == []
    assert "K-121" in found["hits"][0]["text"]


def test_only_who_made_a_collection_publishes_it(
    owner: Computer, bring: Callable[[], Computer], server: ChromaServer
) -> None:
    owner.publish(server.url)
    member = bring()
    assert "imported" in refused(UsageError, lambda: member.publish(server.url)).message
    team.join(member, NAME, server.url)
    refused(UsageError, lambda: team.unpublish(member, NAME))
    assert team.leave(member, NAME)["server"] is None
    server.sent.clear()
    assert member.search()["hits"]
    assert server.sent == b""


def test_what_was_taken_away_is_asked_no_more(
    owner: Computer, bring: Callable[[], Computer], server: ChromaServer
) -> None:
    owner.publish(server.url)
    member = bring()
    team.join(member, NAME, server.url)
    assert team.unpublish(owner, NAME)["deleted"] is True
    found = member.search()
    assert found["hits"]
    assert "not on its server any more" in found["notes"][0]
    assert owner.search()["notes"] == []
    assert "not on this server" in refused(SearchError, lambda: team.join(member, NAME, server.url)).message


@pytest.mark.parametrize("mode", ["dense", "hybrid", "deep"])
def test_a_dead_server_costs_a_note_and_no_answer(owner: Computer, server: ChromaServer, mode: str) -> None:
    before = owner.search(mode=mode)
    owner.publish(server.url)
    server.stop()
    after = owner.search(mode=mode)
    assert hits(after) == hits(before)
    (note,) = [note for note in after["notes"] if "server" in note]
    assert "your own copy was searched" in note


def test_a_silent_server_is_waited_for_no_longer_than_its_time(
    owner: Computer, server: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.publish(server.url)
    monkeypatch.setattr(remote_index, "NEAREST_SECONDS", 0.3)
    server.silent = True
    found = owner.search()
    assert found["hits"]
    assert "your own copy was searched" in found["notes"][0]


def test_another_encoder_is_refused(owner: Computer, server: ChromaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroma_dialect, "metadata", lambda encoder, complete: _metadata("other", complete))
    with pytest.raises(SearchError):
        owner.publish(server.url)
    monkeypatch.undo()
    for refusal in (lambda: owner.publish(server.url), lambda: team.join(owner, NAME, server.url)):
        error = refused(SearchError, refusal)
        assert error.code == "fingerprint_changed"
        assert "another encoder" in error.message
    served.set_server(owner.own.db, 1, server.url)
    found = owner.search()
    assert found["hits"]
    assert "another encoder" in found["notes"][0]


def _metadata(encoder: str, complete: bool) -> dict[str, Any]:
    return {"desktop_rag": chroma_dialect.FORMAT, "encoder": encoder, "complete": complete}


def test_a_publication_that_broke_off_is_asked_by_nobody_and_goes_on(
    owner: Computer, bring: Callable[[], Computer], server: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team, "_VECTORS", 1)
    member = bring()
    publishing = team.publish(owner, NAME, server.url)
    for event in publishing:
        if event["step"] == "publishing":
            break
    del publishing
    assert "not finished" in owner.search()["notes"][0]
    team.join(member, NAME, server.url)
    found = member.search()
    assert found["hits"]
    assert "not finished" in found["notes"][0]
    passages = owner.own.documents.passages(1)
    done = owner.publish(server.url)
    assert (done["sent"], done["passages"]) == (passages - 1, passages)
    assert member.search()["notes"] == []


@pytest.mark.parametrize("kept", ["collection", "document"])
def test_what_is_kept_goes_nowhere(owner: Computer, server: ChromaServer, kept: str, tmp_path: Path) -> None:
    owner.publish(server.url)
    if kept == "collection":
        owner.own.collections.update(1, policy="keep")
    else:
        (tmp_path / "kept.txt").write_text(PARTS, encoding="utf-8")
        add(owner.own, tmp_path / "kept.txt", policy="keep")
    server.sent.clear()
    assert refused(NetworkError, lambda: owner.publish(server.url)).code == "sealed"
    found = owner.search()
    assert found["hits"]
    assert "never sent" in found["notes"][0]
    assert server.sent == b""


def test_a_sealed_application_asks_no_other_computer(owner: Computer) -> None:
    far = "http://192.0.2.7:8000"
    assert refused(NetworkError, lambda: owner.publish(far)).code == "sealed"
    served.set_server(owner.own.db, 1, far)
    found = owner.search()
    assert found["hits"]
    assert "sealed" in found["notes"][0]


def test_the_process_itself_refuses_what_its_parent_should_not_have_asked(owner: Computer) -> None:
    facts = {"called": "desktop-rag-x", "encoder": "e", "vector": "", "limit": 3}
    with pytest.raises(NetworkError):
        owner.network("remote_index")
    far = owner.network("local_index")
    for policies in (["mask"], ["keep"], None):
        with pytest.raises(NetworkError) as caught:
            far.call("nearest", server="http://192.0.2.7:8000", policies=policies, **facts)
        assert caught.value.code == "sealed"
    Settings(owner.data_dir).set("sealed", False)
    opened = owner.network("remote_index")
    with pytest.raises(NetworkError):
        opened.call("upsert", server="http://192.0.2.7:8000", policies=["keep"], ids=[], vectors=[], **facts)
    Settings(owner.data_dir).set("sealed", True)
    with pytest.raises(NetworkError):
        opened.call("nearest", server="http://192.0.2.7:8000", policies=["mask"], **facts)


def test_it_lies_on_one_server(owner: Computer, server: ChromaServer) -> None:
    owner.publish(server.url)
    direct = f"http://127.0.0.1:{server.port}"
    assert server.url in refused(UsageError, lambda: owner.publish(direct)).message
    team.unpublish(owner, NAME)
    assert owner.publish(direct)["sent"]
    team.unpublish(owner, NAME)


def test_something_else_at_the_address_is_told(owner: Computer, server: ChromaServer) -> None:
    port = server.port
    error = refused(EngineError, lambda: owner.publish(f"http://127.0.0.1:{port}/elsewhere"))
    assert "no Chroma server" in error.message
