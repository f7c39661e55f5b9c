"""The Debian packages: what goes into which, what is made of a built folder, what their control files say."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.models.catalogue import load_catalogue

LINUX = Path(__file__).parents[2] / "packaging/linux"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Debian packages are built on Linux")


def fresh(monkeypatch: pytest.MonkeyPatch, name: str) -> Any:
    """A fresh copy of packaging/linux/`name`.py, which finds its neighbours."""
    monkeypatch.syspath_prepend(str(LINUX))
    for known in ("contents", "tree", "deb"):
        monkeypatch.delitem(sys.modules, known, raising=False)
    return importlib.import_module(name)


@pytest.fixture
def contents(monkeypatch: pytest.MonkeyPatch) -> Any:
    return fresh(monkeypatch, "contents")


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch) -> Any:
    return fresh(monkeypatch, "tree")


@pytest.fixture
def deb(monkeypatch: pytest.MonkeyPatch) -> Any:
    return fresh(monkeypatch, "deb")


# -- what goes where ---------------------------------------------------------------------------


def test_the_application_has_every_engine_and_no_torch(contents: Any) -> None:
    bundled, added = contents.bundled(), contents.added()
    assert bundled >= {"gpt4all", "ctranslate2", "llama-cpp-python", "chromadb", "presidio-analyzer", "pyside6-pdf"}
    assert added >= {"torch", "transformers", "sentence-transformers"}
    assert not bundled & added
    assert not bundled & {"torch", "transformers", "sentence-transformers", "scipy", "scikit-learn"}
    assert contents.shared() >= {"numpy", "tokenizers"}, "what both use lies in the application's"


def imported(source: Path) -> set[str]:
    """The top-level names that a module imports, also inside its functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module))
    return {name.partition(".")[0] for name in found}


def test_nothing_the_application_imports_is_left_out(contents: Any) -> None:
    added = contents.top_level(contents.added())
    # The server to measure against runs from source only, and says so.
    sources = {p for p in (contents.ROOT / "desktop_rag").rglob("*.py") if "training" not in p.parts}
    sources -= {contents.ROOT / "desktop_rag/workers/loopback_server.py"}
    missed = {
        f"{source.name}: {name}"
        for source in sources
        for name in imported(source) & set(contents.NOT_IMPORTED)
        if name not in added
    }
    assert not missed
    assert imported(LINUX.parents[1] / "desktop_rag/evaluation/growth_naive.py") >= {"rank_bm25", "desktop_rag"}


def test_every_starter_lies_in_one_of_the_packages(contents: Any) -> None:
    assert {*contents.MODELS, *contents.TORCH_MODELS} == {entry.id for entry in load_catalogue()}
    originals = {entry.source.converted_from for entry in load_catalogue()} - {None}
    assert set(contents.TORCH_MODELS) == originals, "only what was converted is left out"


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("gpt4all/llmodel_DO_NOT_MODIFY/build/libllamamodel-mainline-cuda.so", True),
        ("gpt4all/llmodel_DO_NOT_MODIFY/build/libllamamodel-mainline-kompute.so", False),
        ("/site-packages/llama_cpp/lib/libggml-cpu-x64.so", False),
        ("/site-packages/llama_cpp/lib/libmtmd.so", True),
        ("PySide6/Qt/plugins/tls/libqopensslbackend.so", True),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", False),
        ("PySide6/Qt/plugins/platforms/libqwayland.so", False),
        ("PySide6/Qt/plugins/platforms/libqoffscreen.so", False),
        ("PySide6/Qt/plugins/platforms/libqeglfs.so", True),
    ],
)
def test_what_is_left_out(contents: Any, path: str, left_out: bool) -> None:
    assert bool(contents.LEFT_OUT.search(path)) is left_out


@pytest.mark.parametrize(
    ("source", "stays"),
    [
        ("/usr/lib/x86_64-linux-gnu/libssl.so.3", True),
        ("/lib/x86_64-linux-gnu/libc.so.6", True),
        ("/usr/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so", False),
        ("/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", False),
        ("/home/me/.venv/lib/python3.11/site-packages/cv2/cv2.abi3.so", False),
    ],
)
def test_only_the_systems_own_libraries_stay_behind(contents: Any, source: str, stays: bool) -> None:
    assert contents.of_the_system(source) is stays


# -- the tree ----------------------------------------------------------------------------------


def test_a_library_under_three_names_is_there_once(tree: Any, tmp_path: Path) -> None:
    content, other = os.urandom(20_000), os.urandom(20_000)
    for name in ("libx.so", "libx.so.0", "libx.so.0.1"):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "liby.so").write_bytes(other)
    (tmp_path / "below").mkdir()
    (tmp_path / "below/libx.so").write_bytes(content)
    assert tree.link_doubles(tmp_path) == 40_000
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {path.name for path in files} == {"libx.so", "liby.so"}
    assert len(files) == 3, "another folder keeps its own"
    assert (tmp_path / "libx.so.0").read_bytes() == content
    assert tree.link_doubles(tmp_path) == 0


def test_what_only_debuggers_read_is_taken_out_and_the_rest_runs(tree: Any, tmp_path: Path) -> None:
    if not (shutil.which("gcc") and shutil.which("strip")):
        pytest.skip("needs a compiler")
    source = tmp_path / "a.c"
    source.write_text("int answer(void) { return 42; }\n")
    library = tmp_path / "liba.so"
    subprocess.run(["gcc", "-g3", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    (tmp_path / "notes.txt").write_text("no program")
    assert tree.elf_files(tmp_path) == [library]
    assert tree.strip(tmp_path) > 0
    import ctypes

    assert ctypes.CDLL(str(library)).answer() == 42


def test_a_library_looks_for_others_only_beside_itself(
    tree: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a patchelf that only notes what it is asked: the real one is a tool of the build's environment."""
    notes, places = (
        tmp_path / "notes",
        {"a.so": "/home/builder/lib", "b.so": "$ORIGIN:/opt/x:$ORIGIN/../lib", "c.so": "::"},
    )
    places |= {"d.so": "$ORIGIN/../lib", "e.so": "", "desktop-rag": "/never/asked"}
    library = tmp_path / "library"
    library.mkdir()
    for name, place in places.items():
        (library / name).write_bytes(b"\x7fELF" + place.encode())
    tool = tmp_path / "patchelf"
    tool.write_text(
        f"#!{sys.executable}\nimport sys, pathlib\nlast = pathlib.Path(sys.argv[-1])\n"
        f"if sys.argv[1] == '--print-rpath': print(last.read_bytes()[4:].decode())\n"
        f"else: open({str(notes)!r}, 'a').write(' '.join([last.name, *sys.argv[1:-1]]) + chr(10))\n"
    )
    tool.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert tree.forget_build_paths(library) == 3
    assert notes.read_text().splitlines() == [
        "a.so --remove-rpath",
        "b.so --set-rpath $ORIGIN:$ORIGIN/../lib",
        "c.so --remove-rpath",
    ]


def test_what_is_for_the_executable_is_not_handed_to_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = fresh(monkeypatch, "entry")
    for name in ("_PYI_ARCHIVE_FILE", "LD_LIBRARY_PATH", "QT_PLUGIN_PATH", "QML2_IMPORT_PATH"):
        monkeypatch.setenv(name, "/opt/desktop-rag/_internal")
    monkeypatch.setenv("KEPT", "as it was")
    entry.forget_own_places()
    assert not {name for name, value in os.environ.items() if "/opt/desktop-rag" in value}
    assert os.environ["KEPT"] == "as it was"
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/desktop-rag/_internal:/home/me/lib")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/home/me/lib")
    entry.forget_own_places()
    assert os.environ["LD_LIBRARY_PATH"] == "/home/me/lib", "what the person had set is theirs again"
    assert "LD_LIBRARY_PATH_ORIG" not in os.environ


# -- the package -------------------------------------------------------------------------------


def test_a_package_says_what_it_is(deb: Any, tmp_path: Path) -> None:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("needs dpkg-deb")
    stage = tmp_path / "stage"
    (stage / "usr/bin").mkdir(parents=True)
    (stage / "usr/bin/thing").write_text("#!/bin/sh\n")
    (stage / "usr/bin/thing").chmod(0o700)
    (stage / "usr/share").mkdir()
    (stage / "usr/share/secret").write_text("x")
    (stage / "usr/share/secret").chmod(0o600)
    (stage / "usr/bin/other").symlink_to("thing")
    for name in ("libthing.so.1", "LICENSE"):
        (stage / "usr/share" / name).write_text("x")
        (stage / "usr/share" / name).chmod(0o755)
    package = deb.Package(
        "thing",
        "1.2",
        "does a thing",
        f"\nOne line {'that goes on ' * 12}.\n\nAnother.\n",
        depends=("libc6",),
        scripts=(LINUX / "files/prerm",),
    )
    made = deb.write(package, stage, tmp_path, compression=["-Zgzip", "-z1"])
    told = subprocess.run(["dpkg-deb", "--info", str(made)], capture_output=True, text=True, check=True).stdout
    for row in ("Package: thing", "Version: 1.2", "Depends: libc6", "Description: does a thing", "  ."):
        assert row in told
    assert "Recommends" not in told
    assert max(map(len, told.splitlines())) <= 82, "dpkg indents it by one more"
    listed = subprocess.run(["dpkg-deb", "--contents", str(made)], capture_output=True, text=True, check=True).stdout
    modes = {row.split()[5]: row.split()[0] for row in listed.splitlines() if " -> " not in row}
    assert modes["./usr/bin/thing"] == "-rwxr-xr-x", "whoever built it, everybody can run it"
    for name in ("secret", "libthing.so.1", "LICENSE"):
        assert modes[f"./usr/share/{name}"] == "-rw-r--r--"
    assert "root/root" in listed


@pytest.mark.parametrize(
    ("before", "after"), [("0.2.0rc1", "0.2.0"), ("0.2.0.dev3", "0.2.0a1"), ("0.1.9", "0.2.0b2"), ("0.2.0", "0.2.1")]
)
def test_versions_follow_each_other_as_debian_sorts_them(deb: Any, before: str, after: str) -> None:
    if shutil.which("dpkg") is None:
        pytest.skip("needs dpkg")
    given = [deb.debian_version(before), "lt", deb.debian_version(after)]
    assert subprocess.run(["dpkg", "--compare-versions", *given], check=False).returncode == 0


def test_the_scripts_are_shell() -> None:
    for name in ("files/prerm", "files/postrm", "check_bare.sh"):
        subprocess.run(["bash", "-n", str(LINUX / name)], check=True)
    assert os.access(LINUX / "check_bare.sh", os.X_OK)


def test_the_entry_in_the_menu_starts_a_command_that_exists() -> None:
    from desktop_rag.cli.main import _parser

    entry = (LINUX / "files/desktop-rag.desktop").read_text()
    words = re.search(r"^Exec=desktop-rag (\w+) %F$", entry, re.MULTILINE)
    assert words is not None
    assert _parser().parse_args([words.group(1), "a.pdf"]).files == ["a.pdf"]
    about = ET.parse(LINUX / "files/desktop-rag.metainfo.xml").getroot()
    assert about.findtext("launchable") == "desktop-rag.desktop"
    assert about.findtext("project_license") == "Apache-2.0"


# -- the bare system ---------------------------------------------------------------------------


def report(folder: Path, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> dict[str, Any]:
    """What the check prints for a run in which all went well, but for `changed` files or variables."""
    device = [{"kind": "cpu", "variant": "haswell", "variants": ["haswell", "x64"]}]
    files: dict[str, Any] = {
        "ask.json": {"answer": "It returned on 7 March 2025.", "citations": [{"page": 1}]},
        "ask-x64.json": {"answer": "On 7 March 2025.", "citations": []},
        "upgraded.json": {"answer": "On 7 March 2025.", "citations": [{"page": 1}]},
        "screen.json": {"pages": [{"text": "When did it return? It returned on7 March2025. 1"}]},
        "gone.json": {"pages": [{"text": "Sealed The application wasremoved while it was running."}]},
        "doctor.json": {"seal": {"library": "seccomp"}, "devices": device},
        "doctor-x64.json": {"seal": {}, "devices": [{**device[0], "variant": "x64"}]},
        "root.json": {"problems": ["It runs as root: start it as yourself."]},
        "starts.txt": "installed 1.1\nsource 1.0\ninstalled 1.0\nsource 1.0\n",
        "no-display.txt": "There is no screen to open the window on.",
        "read-only.txt": "The folder /home/x cannot be made: Permission denied.",
        "removed.txt": "Desktop RAG is running (process 1).",
    }
    flags = dict.fromkeys(("INSTALLED", "TWICE", "UPGRADED", "REMOVED", "KEPT", "GONE"), "true")
    flags |= {"NETWORK": "false", "PYTHON": "false", "NODISPLAY": "2", "READONLY": "5", "LEFT": "0"}
    flags |= {"WORK": str(folder), "EXPECTED": "7 March 2025", "DEB": str(folder / "a.deb")}
    (folder / "a.deb").write_bytes(b"x" * 1000)
    for name, content in (files | {key: value for key, value in changed.items() if "." in key}).items():
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    for name, value in (flags | {key: value for key, value in changed.items() if "." not in key}).items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(
        [sys.executable, str(LINUX / "check_bare_report.py")], capture_output=True, text=True, check=False
    )
    told = dict(json.loads(done.stdout))
    assert done.returncode == (1 if told["failures"] else 0)
    return told


def test_a_good_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = report(tmp_path, monkeypatch)
    assert told["failures"] == []
    wanted = {
        "installed": True,
        "citation_page": 1,
        "window_answer": "7 March 2025",
        "start_ratio": 1.05,
        "network": False,
    }
    assert told.items() >= wanted.items()
    monkeypatch.setenv("JSON", "false")
    command = [sys.executable, str(LINUX / "check_bare_report.py")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.endswith("Everything held.\n")


@pytest.mark.parametrize(
    ("changed", "failure"),
    [
        ({"ask.json": {"answer": "In 2019.", "citations": [{"page": 1}]}}, "does not say what the document says"),
        ({"ask.json": {"answer": "7 March 2025", "citations": []}}, "no page is cited"),
        ({"ask.json": "crashed"}, "does not say what the document says"),
        # The question's own words, and the passages before an answer is there, are no answer.
        ({"screen.json": {"pages": [{"text": "7 March 2025 When did it return?"}]}}, "does not show the answer"),
        ({"screen.json": {}}, "does not show the answer"),
        ({"starts.txt": "installed 1.3\nsource 1.0\n"}, "times as slowly"),
        ({"NETWORK": "true"}, "there was a network"),
        ({"PYTHON": "true"}, "was not bare"),
        ({"KEPT": "false"}, "took the documents along"),
        ({"root.json": {"problems": []}}, "about root"),
        ({"NODISPLAY": "134"}, "missing screen"),
        ({"READONLY": "70"}, "cannot be written"),
        ({"LEFT": "2"}, "processes were left"),
        ({"UPGRADED": "false"}, "older package"),
        ({"doctor.json": {"seal": {}}}, "not sealed"),
        ({"upgraded.json": {"error": {"code": "start_failed"}}}, "older version"),
        ({"gone.json": {"pages": [{"text": "Ask your documents"}]}}, "does not say that it was removed"),
        ({"upgraded.json": {"answer": "", "citations": []}}, "older version"),
    ],
)
def test_each_promise_can_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], failure: str
) -> None:
    (only, *more) = report(tmp_path, monkeypatch, **changed)["failures"] or [""]
    assert failure in only or any(failure in one for one in more)
