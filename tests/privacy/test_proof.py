"""The proof of the seal can fail: it connects where it is not sealed, and says so; sealed, the system refuses it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from desktop_rag.privacy import proof_page
from desktop_rag.privacy.egress import Egress
from desktop_rag.privacy.proof import NO_STRONGER_LOCK, unanswered

PROVE = """
import json, sys
from desktop_rag.privacy import proof, seccomp
from desktop_rag.privacy.seal import seal
how, port = sys.argv[1], int(sys.argv[2])
if how == "watched":
    seccomp.install = lambda local: False
if how == "inherited":
    proof._libc().socket(2, 1, 0)
state = "open for tests" if how == "open" else seal(local=how != "strict")
print(json.dumps(proof.prove(state, port)))
"""
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="seccomp filters are for Linux")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no C library to call this way")


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    """A server on this computer that takes every connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def prove(how: str, listener: socket.socket) -> dict[str, Any]:
    port = str(listener.getsockname()[1])
    result = subprocess.run([sys.executable, "-c", PROVE, how, port], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


def results(proof: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """What came of each attempt, by the words that tell it from the others."""
    marks = ("(IPv4)", "(IPv6)", "netlink", "packets", "io_uring", "x32", "service", "look-up", "program", "earlier")
    found = {}
    for attempt in proof["attempts"]:
        mark = next((mark for mark in marks if mark in attempt["call"]), "threads")
        found[mark] = attempt["result"], attempt["errno"]
    return found


@posix_only
def test_a_process_without_a_seal_connects_and_says_so(listener: socket.socket) -> None:
    proof = prove("open", listener)
    assert proof["sealed"] is False
    assert proof["words"] == "This process can open connections."
    found = results(proof)
    assert found["(IPv4)"] == ("connected", None)
    assert found["program"] == ("connected", None)
    assert found["look-up"] == ("not tried", None), "an open process would really ask somebody"
    listener.settimeout(10.0)
    for _ in range(2):
        listener.accept()[0].close()


@linux_only
@pytest.mark.parametrize("how", ["local", "strict"])
def test_a_sealed_process_is_refused_by_the_system(listener: socket.socket, how: str) -> None:
    proof = prove(how, listener)
    assert proof["sealed"] is True, proof
    found = results(proof)
    for call in ("(IPv4)", "(IPv6)", "netlink", "packets", "program"):
        assert found[call] == ("refused", "EACCES")
    assert found["io_uring"] == ("refused", "ENOSYS")
    assert found["look-up"] == ("no answer", "EAI_NONAME"), "looked up in files alone"
    assert found["earlier"] == found["threads"] == ("none", None)
    assert found["service"] == (("refused", "ENOENT") if how == "strict" else ("local only", "ECONNREFUSED"))
    assert ("keyring" in proof["words"]) == (how == "local")
    listener.settimeout(0.0)
    with pytest.raises(BlockingIOError):
        listener.accept()


@linux_only
def test_a_socket_from_before_the_seal_breaks_the_proof(listener: socket.socket) -> None:
    proof = prove("inherited", listener)
    assert results(proof)["earlier"] == ("found", None)
    assert proof["sealed"] is False


@posix_only
def test_where_the_system_has_no_lock_the_proof_says_so(listener: socket.socket) -> None:
    proof = prove("watched", listener)
    assert (proof["seal"], proof["sealed"], proof["words"]) == ("audit", False, NO_STRONGER_LOCK)
    assert results(proof)["(IPv4)"] == ("connected", None), "native code is not stopped by a hook"
    assert not proof_page.broken(proof), "known to be so, and told as such"


@linux_only
def test_a_thread_without_the_filter_breaks_the_proof() -> None:
    code = """
import json, threading
from desktop_rag.privacy.proof import prove
from desktop_rag.privacy.seal import seal
forever = threading.Event()
threading.Thread(target=forever.wait, daemon=True).start()
print(json.dumps(prove(seal())))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    proof = json.loads(result.stdout)
    assert results(proof)["threads"] == ("found", None)
    assert proof["sealed"] is False


def made(seal: str, sealed: bool | None, result: str = "refused") -> dict[str, Any]:
    attempts = [{"call": "connect to 127.0.0.1:9 (IPv4)", "result": result, "errno": "EACCES"}]
    return {"seal": seal, "sealed": sealed, "words": "As it is.", "attempts": attempts}


def test_the_page_names_every_process_and_what_was_tried() -> None:
    proofs = {"library": made("seccomp", True), "chat": made("seccomp", False, "open"), "models": unanswered("Gone.")}
    lines = proof_page.page(datetime(2026, 11, 12, 9, 41).astimezone(), proofs, Egress(None, [], []))
    text = "\n".join(lines)
    assert "The seal is broken: only 1 of 3 processes were refused." in text
    assert "Library: Your documents" in text
    assert "  connect refused by the system: EACCES" in lines
    assert "  NOT sealed: it can open connections" in lines
    assert "  Gone." in lines
    assert "    connect to 127.0.0.1:9 (IPv4): open (EACCES)" in lines
    assert "0 connections so far, nothing had to be refused" in text


@pytest.mark.parametrize(
    ("proofs", "words"),
    [
        ({"library": made("seccomp", True)}, "The one process that runs was refused every connection."),
        (dict.fromkeys("ab", made("seccomp", True)), "All 2 processes were refused every connection."),
        ({"a": made("seccomp", True), "b": unanswered("")}, "1 of 2 processes were refused every connection."),
        ({"a": made("audit", False, "open")}, NO_STRONGER_LOCK),
    ],
)
def test_the_total_says_what_holds(proofs: dict[str, Any], words: str) -> None:
    assert proof_page.total(proofs) == words
