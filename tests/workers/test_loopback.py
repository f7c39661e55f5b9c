"""The server the application starts to measure itself against: reachable, keyed, silent, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from desktop_rag import paths
from desktop_rag.errors import EngineError, UsageError
from desktop_rag.models.catalogue import find
from desktop_rag.workers.loopback import LoopbackServer, _environment

pytestmark = [pytest.mark.slow, pytest.mark.loopback]


@pytest.fixture
def starter() -> Path:
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "run the set-up"
    return path


def ask(url: str, key: str) -> object:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def test_it_serves_on_this_machine_only_behind_a_key_and_ends(starter: Path) -> None:
    with LoopbackServer(starter, threads=1, context=512) as server:
        pid, key_file = server.pid, server.key_file
        assert server.url.startswith("http://127.0.0.1:")
        assert key_file.read_text() == server.key
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        listed = ask(f"{server.url}/models", server.key)
        assert isinstance(listed, dict)
        assert [row["id"] for row in listed["data"]] == [server.model]
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(f"{server.url}/models", "wrong")
        caught.value.close()
        assert caught.value.code == 401
        process = psutil.Process(pid)
        listening = [c for c in process.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN]
        assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
        assert server.key not in " ".join(process.cmdline()) + str(process.environ())
    assert not psutil.pid_exists(pid)
    assert not key_file.parent.exists()


def fail_while_serving(server: LoopbackServer) -> None:
    with server:
        raise ZeroDivisionError(server.pid)


def test_it_ends_when_its_user_fails(starter: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        fail_while_serving(LoopbackServer(starter, threads=1, context=512))
    assert not psutil.pid_exists(caught.value.args[0])


def test_it_dies_with_a_parent_that_is_killed(starter: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from desktop_rag.workers.loopback import LoopbackServer\n"
        "with LoopbackServer(Path(sys.argv[1]), threads=1, context=512) as server:\n"
        "    print(server.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(starter)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    try:
        server = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
        server.wait(5)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()


@pytest.mark.parametrize("content", [b"no model", b""])
def test_a_model_that_cannot_be_served_is_told_and_nothing_is_left(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    with pytest.raises(EngineError) as caught, LoopbackServer(path, threads=1, context=512):
        pass
    assert caught.value.code == "start_failed"
    assert "broken" in caught.value.message


def test_a_packaged_application_says_that_it_has_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(UsageError) as caught, LoopbackServer(tmp_path / "any.gguf", threads=1, context=512):
        pass
    assert caught.value.code == "not_available"


def test_the_environment_holds_nothing_its_libraries_would_take_for_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODEL", "HOST", "PORT", "CONFIG_FILE", "HTTPS_PROXY", "OMP_WAIT_POLICY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "sentinel")
    environment = _environment()
    assert "sentinel" not in environment.values()
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["GOMP_SPINCOUNT"] == "10000"
