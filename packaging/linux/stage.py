"""The trees of the two packages: what lies where on the user's system."""

from __future__ import annotations

import email.utils
import gzip
import importlib.metadata
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import bill
import contents
import deb
import tree
from contents import APP, HERE, MODELS_FOLDER, OUT, ROOT, WORK, say

import desktop_rag
from desktop_rag import torch_part

FILES = HERE / "files"
VERSION = deb.debian_version(desktop_rag.__version__)
TORCH = APP / "torch"
SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
MIME = (
    *("application/pdf", "text/plain", "text/markdown", "text/csv"),
    *("application/rtf", "message/rfc822", "application/mbox", "application/vnd.ms-outlook", "application/epub+zip"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    *("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"),
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
    "image/tiff",
)
"""What *Open with* offers it for. Not folders, archives, pictures and web pages, though it reads them: a desktop where
nothing is chosen takes the first by name, and no folder must end in the index because somebody wanted to look at it."""
_TEXT = """
Names, e-mail addresses, phone, card and account numbers in your documents are found and replaced before a word is
indexed; a language model on your own machine answers; every sentence of an answer opens the page it comes from.
Nothing leaves the machine: the kernel refuses the processes that touch your text every connection.

This package holds everything that is needed, starter models included. It fetches nothing.
"""
_TORCH_TEXT = """
PyTorch for processors, Transformers and sentence-transformers, and the originals of the encoders: with them
Desktop RAG converts other models, measures other encoders and runs the Transformers engine.
"""


def application(folder: Path, compression: list[str]) -> Path:
    """`desktop-rag`: everything a person without Python needs."""
    stage = _fresh("desktop-rag")
    shutil.copytree(folder, stage / APP, symlinks=True)
    (stage / "usr/bin").mkdir(parents=True)
    (stage / "usr/bin/desktop-rag").symlink_to(f"/{APP}/desktop-rag")
    _desktop(stage)
    _manual(stage)
    documents = _documents(stage, "desktop-rag")
    parts = bill.parts(contents.bundled(), contents.MODELS)
    (documents / "sbom.cdx.json").write_text(bill.cyclonedx("desktop-rag", desktop_rag.__version__, parts))
    (documents / "copyright").write_text(bill.copyright_of(parts), encoding="utf-8")
    bill.licences(parts, documents / "licences")
    say("Which libraries of the system it asks for …")
    package = deb.Package(
        "desktop-rag",
        VERSION,
        "ask your own private documents, on your own machine",
        _TEXT,
        depends=(*deb.library_packages(stage, WORK / "shlibdeps"), "fontconfig-config", "shared-mime-info"),
        recommends=("xdg-utils",),
        suggests=("desktop-rag-torch", "gnome-keyring | kwalletmanager"),
        scripts=(FILES / "prerm", FILES / "postrm"),
    )
    made = deb.write(package, stage, OUT, compression=compression)
    _record(stage, made, documents)
    return made


def torch(compression: list[str]) -> Path:
    """`desktop-rag-torch`: what converts and measures other models."""
    stage = _fresh("desktop-rag-torch")
    names = contents.added()
    for name in sorted(names):
        _copy_distribution(name, stage / TORCH)
    for name in contents.TORCH_MODELS:
        shutil.copytree(MODELS_FOLDER / name, stage / APP / "_internal/share/desktop-rag/models" / name)
    (stage / TORCH / torch_part.STAMP).write_text(desktop_rag.__version__ + "\n")
    tree.strip(stage / TORCH)
    tree.forget_build_paths(stage / TORCH)
    documents = _documents(stage, "desktop-rag-torch")
    parts = bill.parts(names, contents.TORCH_MODELS)
    (documents / "sbom.cdx.json").write_text(bill.cyclonedx("desktop-rag-torch", desktop_rag.__version__, parts))
    (documents / "copyright").write_text(bill.copyright_of(parts), encoding="utf-8")
    bill.licences(parts, documents / "licences")
    package = deb.Package(
        "desktop-rag-torch",
        VERSION,
        "Desktop RAG's part that converts and measures other models",
        _TORCH_TEXT,
        # The parts of both share Python, numpy and the tokenizers of one build.
        depends=(
            f"desktop-rag (= {VERSION})",
            *deb.library_packages(stage, WORK / "shlibdeps-torch"),
        ),
    )
    return deb.write(package, stage, OUT, compression=compression)


def _fresh(name: str) -> Path:
    stage = WORK / "stage" / name
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    return stage


def _desktop(stage: Path) -> None:
    """The entry in the menu, its icons, and what software centres show."""
    entry = (FILES / "desktop-rag.desktop").read_text().replace("@MIME@", "".join(f"{kind};" for kind in MIME))
    _put(stage / "usr/share/applications/desktop-rag.desktop", entry)
    day = time.strftime("%Y-%m-%d", time.gmtime(_when()))
    about = (FILES / "desktop-rag.metainfo.xml").read_text()
    about = about.replace("@VERSION@", desktop_rag.__version__).replace("@DATE@", day)
    _put(stage / "usr/share/metainfo/io.github.desktop_rag.desktop_rag.metainfo.xml", about)
    drawing = ROOT / "assets/icons/app.svg"
    icons = stage / "usr/share/icons/hicolor"
    (icons / "scalable/apps").mkdir(parents=True)
    shutil.copyfile(drawing, icons / "scalable/apps/desktop-rag.svg")
    draw = "import sys; from stage_icons import draw; draw(*sys.argv[1:])"
    command = [sys.executable, "-c", draw, str(drawing), str(icons), *map(str, SIZES)]
    subprocess.run(command, check=True, cwd=HERE, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"})


def _manual(stage: Path) -> None:
    """The man page, from the terminal face's own help."""
    told = {
        "module": "desktop_rag.cli.main",
        "function": "_parser",
        "prog": "desktop-rag",
        "project-name": "Desktop RAG",
        "description": "ask your own private documents",
        "manual-title": "Desktop RAG",
        "version": desktop_rag.__version__,
        "author": "The Desktop RAG developers",
        "url": deb.HOMEPAGE,
    }
    command = [str(Path(sys.executable).parent / "argparse-manpage")]
    command += [word for name, value in told.items() for word in (f"--{name}", value)]
    text = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    page = stage / "usr/share/man/man1/desktop-rag.1.gz"
    page.parent.mkdir(parents=True)
    page.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _documents(stage: Path, name: str) -> Path:
    folder = stage / "usr/share/doc" / name
    folder.mkdir(parents=True)
    (folder / "NEWS.gz").write_bytes(gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), 9, mtime=0))
    entry = f"{name} ({VERSION}) stable; urgency=medium\n\n  * See NEWS.gz.\n\n"
    entry += f" -- {deb.MAINTAINER}  {email.utils.formatdate(_when())}\n"
    (folder / "changelog.gz").write_bytes(gzip.compress(entry.encode(), 9, mtime=0))
    return folder


def _copy_distribution(name: str, target: Path) -> None:
    """The files of an installed distribution, without its commands, tests and compiled Python."""
    for file in importlib.metadata.files(name) or []:
        parts = file.parts
        if ".." in parts or "__pycache__" in parts or {"tests", "test", "include"} & set(parts[:-1]):
            continue
        source = Path(str(file.locate()))
        if source.is_file():
            place = target / file
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place)


def _record(stage: Path, made: Path, documents: Path) -> None:
    """What it weighs, part by part, beside the package; and the SBOM, which is inside too."""
    installed = sum(path.stat().st_size for path in stage.rglob("*") if path.is_file() and not path.is_symlink())
    parts = [f"{size / 1e6:8.1f}  {name}" for name, size in tree.sizes(stage / APP / "_internal") if size >= 1e6]
    head = [f"{made.stat().st_size / 1e6:8.1f}  MB: {made.name}", f"{installed / 1e6:8.1f}  MB installed, of it:", ""]
    (OUT / "sizes.txt").write_text("\n".join([*head, *parts]) + "\n")
    shutil.copyfile(documents / "sbom.cdx.json", OUT / "sbom.cdx.json")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _when() -> int:
    """The time of the last commit: the same source gives the same package."""
    said = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(said.stdout.strip() or time.time())
