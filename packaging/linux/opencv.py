"""OpenCV with only what text recognition calls: its wheel, with a library compiled of four modules in place of its own.

The wheel's library needs FFmpeg, an OpenSSL that nobody mends any more, OpenBLAS and Intel's IPP: 150 MB installed.
"""

from __future__ import annotations

import filecmp
import importlib.metadata
import os
import shutil
import sysconfig
import tarfile
from pathlib import Path

import llama_build
import numpy as np

PACKAGE = "opencv-python-headless"
TOOLS = ("cmake==4.3.2", "ninja==1.13.0")
MODULES = ("core", "imgproc", "geometry", "python3")
_WITHOUT = ("FFMPEG", "GSTREAMER", "V4L", "LAPACK", "EIGEN", "IPP", "ITT", "OPENCL", "PROTOBUF", "FLATBUFFERS")
_NOT_BUILT = ("TESTS", "PERF_TESTS", "DOCS", "EXAMPLES", "JAVA", "opencv_apps")
ARGUMENTS = (
    "-DCMAKE_BUILD_TYPE=Release",
    f"-DBUILD_LIST={','.join(MODULES)}",
    *(f"-DWITH_{name}=OFF" for name in (*_WITHOUT, "UNIFONT")),
    *(f"-DBUILD_{name}=OFF" for name in _NOT_BUILT),
    *("-DBUILD_SHARED_LIBS=OFF", "-DBUILD_ZLIB=ON", "-DPYTHON3_LIMITED_API=ON", "-DOPENCV_GENERATE_SETUPVARS=OFF"),
)


def build(folder: Path) -> None:
    """Put it into that environment, compiled unless it was before. Raises BuildError."""
    version = importlib.metadata.version(PACKAGE)
    python, made = llama_build.python_of(folder), folder / f"opencv/{version}.so"
    place = llama_build.site_packages(folder / "venv")
    library = place / "cv2/cv2.abi3.so"
    if made.is_file() and library.is_file() and filecmp.cmp(made, library, shallow=False):
        return
    if not made.is_file():
        _compile(python, version, made)
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed"]
    llama_build.run([*install, f"{PACKAGE}=={version}"], folder)
    shutil.copyfile(made, library)
    shutil.rmtree(place / "opencv_python_headless.libs")
    shutil.rmtree(place / "cv2/data")


def _compile(python: Path, version: str, made: Path) -> None:
    sources, folder = made.parent, made.parent.parent
    shutil.rmtree(sources, ignore_errors=True)
    get = [str(python), "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", PACKAGE, "--dest", str(sources)]
    llama_build.run([*get, f"{PACKAGE}=={version}"], folder)
    with tarfile.open(next(sources.glob("*.tar.gz"))) as archive:
        archive.extractall(sources, filter="data")
    source, work = next(sources.glob("opencv_python_headless-*/opencv")), sources / "work"
    llama_build.run([str(python), "-m", "pip", "install", "--quiet", *TOOLS], folder)
    programs = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    paths = {
        "PYTHON3_EXECUTABLE": python,
        "PYTHON_DEFAULT_EXECUTABLE": python,
        "PYTHON3_INCLUDE_DIR": sysconfig.get_path("include"),
        "PYTHON3_LIBRARY": "not-linked-against.a",  # an extension finds Python in the program that loads it
        "PYTHON3_NUMPY_INCLUDE_DIRS": np.get_include(),
    }
    given = [f"-D{name}={path}" for name, path in paths.items()]
    configure = ["cmake", "-G", "Ninja", "-S", str(source), "-B", str(work), *ARGUMENTS, *given]
    llama_build.run(configure, folder, programs)
    llama_build.run(["cmake", "--build", str(work), "--target", "opencv_python3"], folder, programs)
    shutil.copyfile(next(work.glob("lib/python3/cv2*.so")), made)
    shutil.rmtree(work)
