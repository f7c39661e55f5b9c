"""The whole journey without a network: in a namespace that has none, and watched by strace."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.paths import assets_dir

pytestmark = pytest.mark.slow
NO_NETWORK = ["unshare", "--net", "--map-root-user"]
REPORT = assets_dir() / "samples" / "pump-maintenance-report.pdf"
QUESTION = "Why was feed pump P-204 taken out of service?"


def _works(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0


def _run(before: list[str], data: Path, *words: str) -> dict[str, Any]:
    command = [*before, sys.executable, "-m", "desktop_rag", "--data-dir", str(data), *words, "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-2000:]
    return dict(json.loads(ended.stdout))


def _journey(before: list[str], data: Path) -> dict[str, Any]:
    added = _run(before, data, "add", str(REPORT), "--yes")
    assert [row["state"] for row in added["documents"]] == ["ready"]
    return _run(before, data, "ask", QUESTION)


def _assert_cites_the_reason(answer: dict[str, Any]) -> None:
    """The fact stands on page 1: the vibration alarm tripped for the second time."""
    assert answer["found"], answer["answer"]
    cited = answer["citations"][:2]
    assert any(c["page"] == 1 and "vibration alarm" in " ".join(c["text"].split()) for c in cited), cited


@pytest.mark.skipif(not _works(NO_NETWORK), reason="this system lets nobody make a network namespace")
def test_a_cited_answer_in_a_namespace_without_interfaces(tmp_path: Path) -> None:
    _assert_cites_the_reason(_journey(NO_NETWORK, tmp_path / "data"))


@pytest.mark.skipif(not _works(["strace", "-f"]), reason="strace is not installed or not allowed")
def test_no_process_asks_the_kernel_for_an_internet_socket(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    watched = ["strace", "-f", "-A", "-o", str(trace), "-e", "trace=socket,connect,sendto,execve"]
    _assert_cites_the_reason(_journey(watched, tmp_path / "data"))
    calls = trace.read_text(errors="replace")
    # The workers are in the trace at all, else its silence would prove nothing.
    assert len(re.findall(r"execve\(.*\"worker\", \"(?:library|chat|parse)\"", calls)) >= 3
    assert not re.findall(r"^.*AF_INET.*$", calls, re.MULTILINE)
