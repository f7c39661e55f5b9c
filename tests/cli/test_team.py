"""`collections --publish`, `--server` and `--unpublish` in the terminal, with the real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine, Ran
from tests.workers.chroma_server import ChromaServer, listening

pytestmark = [pytest.mark.slow, pytest.mark.loopback]

NAME = ("collections", "--collection", "My documents")
QUESTION = ("search", "warranty of the pump", "--json")
PLACES = "kitchen cellar garden office attic garage workshop hall bridge harbour".split()
THINGS = "boiler pump window ladder engine carpet mirror piano lantern kettle".split()


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """One server for the module."""
    with listening(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture
def server(chroma: ChromaServer) -> ChromaServer:
    """The server, running."""
    if chroma.process is None:
        chroma.start()
    return chroma


def test_a_team_asks_one_server(cli: CommandLine, added: Ran, server: ChromaServer, tmp_path: Path) -> None:
    assert added.code == 0
    published = cli(*NAME, "--publish", server.url, "--json")
    assert published.json["passages"] == published.json["sent"] > 0
    assert {event["step"] for event in published.progress} == {"naming", "publishing", "comparing"}
    assert cli(*NAME, "--json").json["collections"][0]["server"] == server.url
    phrase, file, member = tmp_path / "phrase", tmp_path / "team.collection", CommandLine(tmp_path)
    phrase.write_text("correct horse battery\n", encoding="utf-8")
    assert cli(*NAME, "--export", file, "--passphrase-file", phrase).code == 0
    assert member("collections", "--import", file, "--passphrase-file", phrase).code == 0
    before = member(*QUESTION).json
    joined = member(*NAME, "--server", server.url)
    assert f"{published.json['passages']} of yours belong to them" in joined.stdout
    server.sent.clear()
    after = member(*QUESTION).json
    assert [hit["text"] for hit in after["hits"]] == [hit["text"] for hit in before["hits"]]
    assert after["notes"] == []
    assert b"/query" in server.sent
    server.sent.clear()
    answered = member("ask", "How long is the warranty of the pump?", "--json").json
    assert answered["found"]
    assert answered["trace"]["notes"] == []
    assert b"/query" in server.sent
    (told,) = member("doctor", "--json").json["servers"]
    assert (told["there"], told["parity"], told["why"]) == (told["here"], True, None)
    server.stop()
    (told,) = member("doctor", "--json").json["servers"]
    assert (told["there"], told["parity"]) == (None, None)
    assert told["why"]
    alone = member("search", "warranty of the pump")
    assert alone.code == 0
    assert "Note: The server of “My documents” was not used" in alone.stdout
    assert "asked no more" in member(*NAME, "--server", "none").stdout
    server.start()
    assert cli(*NAME, "--unpublish", "--json").json["deleted"] is True
    assert cli(*NAME, "--json").json["collections"][0]["server"] is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("collections", "--publish", "http://127.0.0.1:9"), "Which collection?"),
        ((*NAME, "--publish", "ftp://127.0.0.1"), "not the address of a Chroma server"),
        ((*NAME, "--publish", "http://192.0.2.7:8000"), "sealed"),
        ((*NAME, "--server", "http://192.0.2.7:8000"), "sealed"),
        ((*NAME, "--publish", "http://127.0.0.1:9"), "Nothing answers at 127.0.0.1:9"),
        ((*NAME, "--unpublish"), "is on no server"),
        ((*NAME, "--unpublish", "--server", "none"), "not allowed with"),
    ],
)
def test_what_cannot_be_done_is_told(cli: CommandLine, added: Ran, words: tuple[str, ...], message: str) -> None:
    assert added.code == 0
    ran = cli(*words, "--json")
    assert ran.code != 0
    assert message in ran.json["error"]["message"]


def test_a_publication_that_was_killed_goes_on(server: ChromaServer, tmp_path: Path) -> None:
    cli = CommandLine(tmp_path)
    for number in range(250):
        place, thing = PLACES[number % 10], THINGS[number // 10 % 10]
        (tmp_path / f"{number}.txt").write_text(f"In the {place} stands the {thing} number {number}.\n", "utf-8")
    assert cli("add", *tmp_path.glob("*.txt"), "--yes", "--policy", "mask", "--json").code == 0
    command = [sys.executable, "-m", "desktop_rag", "--data-dir", str(tmp_path / "data"), *NAME]
    environment = {**os.environ, "DESKTOP_RAG_CONFIG_DIR": str(tmp_path / "config")}
    brought: list[bytes] = []
    command += ["--publish", server.url]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as publishing:

        def kill(block: bytes) -> None:
            if b"/upsert" in block:
                brought.append(block)
                if len(brought) == 2:
                    publishing.send_signal(signal.SIGKILL)

        server.seen = kill
        publishing.wait(120)
    server.seen = lambda _block: None
    assert publishing.returncode == -signal.SIGKILL
    done = cli(*NAME, "--publish", server.url, "--json").json
    assert done["passages"] == 250
    assert 0 < done["sent"] < 250, "what had arrived was not sent again"
    assert cli("search", "piano in the cellar", "--json").json["notes"] == []
