"""Looking for values in the bytes of files, as somebody would who had got hold of the disk.

A value is looked for in every form in which programs write text: in several encodings, escaped as in JSON, HTML and
addresses, in small and capital letters, with accents joined and apart. All values are looked for at once, by an
Aho-Corasick automaton, in overlapping pieces; what was packed is unpacked on the way.

A short value needs more than its letters, for in a hundred megabytes of encrypted bytes any four of them occur.
"""

from __future__ import annotations

import gzip
import html
import json
import os
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import quote, quote_plus

import platformdirs

from desktop_rag import paths
from desktop_rag.privacy.vault import AMBIGUOUS
from desktop_rag.scratch import abandoned

# From so many letters and digits on, a value is looked for at all; of digits alone, so many.
_FEWEST, _FEWEST_DIGITS = 4, 6
# Below so many bytes a value must stand as a word of its own; below so many, also beside readable text.
_WORD_BYTES, _TEXT_BYTES = 8, 6
PIECE = 1 << 22
"""How many bytes are looked through between two cancel points."""
# What is looked at on either side of a short value.
_MARGIN = 16
_READABLE = 8
_PACKED = {b"PK\x03\x04": "zip", b"\x1f\x8b": "gzip"}
# Words that stand in the application's own files, whatever the user's documents say.
_OWN_WORDS = frozenset(
    "default library desktop desktop-rag collection document documents passage model models question answer settings"
    " doctor search prepare finish remove review accept resume folders reveal locate audit started version"
    " person location organization organisation linux windows python chroma sqlite english light dark system"
    " monday tuesday wednesday thursday friday saturday sunday january february september october november"
    " december".split()
)
_BREAK_BEFORE = re.compile(r"(?:\A|\\[nrtbf]|\\u[0-9a-f]{4}|%[0-9a-f]{2}|[\W_])\Z")
_BREAK_AFTER = re.compile(r"\Z|[\W_]")


@dataclass(frozen=True, slots=True)
class Trace:
    """A value stands in a file: `value` is its index among those looked for; a trace never holds the value itself.

    `form`: how it stands there ("utf-8", "utf-16-le", "json", "percent", …). `offset`: in bytes; in what was packed,
    from the start of the packed file.
    """

    path: Path
    value: int
    form: str
    offset: int


def worth_looking_for(value: str) -> bool:
    """Whether finding this value would say anything: it is neither too short nor an everyday word."""
    letters = [c for c in value if c.isalnum()]
    if len(letters) < (_FEWEST_DIGITS if all(c.isdigit() for c in letters) else _FEWEST):
        return False
    plain = value.strip().casefold()
    everyday = plain in AMBIGUOUS or plain in _OWN_WORDS
    return not everyday and not (value.isalpha() and value.islower())


def find_traces(
    values: Sequence[str] | Finder, files: Iterable[Path], unreadable: list[Path] | None = None
) -> Iterator[Trace | None]:
    """Every place where one of the values stands in these files; None between pieces of work.

    A file that has gone meanwhile is passed over. One that cannot be read, or not unpacked, is added to `unreadable`;
    without that list its OSError is raised.
    """
    finder = values if isinstance(values, Finder) else Finder(values)
    for path in files:
        try:
            yield from _in_file(finder, path)
        except FileNotFoundError:
            continue
        except OSError:
            if unreadable is None:
                raise
            unreadable.append(path)


def written_files(data_dir: Path, *others: Path) -> Iterator[Path]:
    """Every file the application has written: data, configuration, caches and temporary folders left behind; each once.

    Temporary folders that a running measurement uses are its own: it looks into them itself, and removes them.
    `others` are folders to be looked into as well.

    A folder that cannot be listed comes as if it were a file: whoever reads it meets the error.
    """
    seen: set[Path] = set()
    for folder in (*_folders(data_dir), *others):
        for path in sorted(_below(folder)):
            if (real := path.resolve()) not in seen:
                seen.add(real)
                yield path


def _below(folder: Path) -> list[Path]:
    closed: list[OSError] = []
    walk = os.walk(folder, onerror=closed.append)
    found = [Path(above, name) for above, _folders, names in walk for name in names]
    files = [path for path in found if path.is_file() and not path.is_symlink()]
    return files + [Path(error.filename) for error in closed if not isinstance(error, FileNotFoundError)]


def _folders(data_dir: Path) -> list[Path]:
    # Qt keeps caches of its own under the application's name.
    own = (platformdirs.user_cache_path, platformdirs.user_state_path, platformdirs.user_log_path)
    return [
        data_dir,
        data_dir.with_name(f"{data_dir.name}-keys"),
        paths.config_dir(),
        *(place(paths.APP, appauthor=False) for place in own),
        *abandoned(),
    ]


# -- the forms of a value ----------------------------------------------------------------------

_FORMS: tuple[tuple[str, Callable[[str], bytes]], ...] = (
    ("utf-8", lambda value: value.encode()),
    ("utf-16-le", lambda value: value.encode("utf-16-le")),
    ("latin-1", lambda value: value.encode("latin-1")),
    ("windows-1252", lambda value: value.encode("cp1252")),
    ("json", lambda value: json.dumps(value)[1:-1].encode()),
    ("json", lambda value: json.dumps(value, ensure_ascii=False)[1:-1].encode()),
    ("percent", lambda value: quote(value).encode()),
    ("percent", lambda value: quote_plus(value).encode()),
    ("html", lambda value: html.escape(value).encode()),
)


def _forms(value: str) -> dict[bytes, str]:
    """The bytes, in small letters, that a value can be, each with the name of its form."""
    found: dict[bytes, str] = {}
    for spelling in _spellings(value):
        for name, encode in _FORMS:
            try:
                found.setdefault(encode(spelling).lower(), name)
            except UnicodeEncodeError:
                continue  # not every encoding knows every letter
    return found


def _spellings(value: str) -> set[str]:
    lines = {value, re.sub(r"\s+", " ", value)}
    normal = {unicodedata.normalize(form, line) for line in lines for form in ("NFC", "NFD")} | lines
    return {cased for line in normal for cased in (line, line.lower(), line.upper(), line.title())}


class Finder:
    """Looks for all forms of all values at once."""

    def __init__(self, values: Sequence[str]) -> None:
        from ahocorasick_rs import BytesAhoCorasick

        self._values = values
        self._of: dict[bytes, tuple[str, list[int]]] = {}
        for number, value in enumerate(values):
            for pattern, form in _forms(value).items() if value.strip() else ():
                self._of.setdefault(pattern, (form, []))[1].append(number)
        self._patterns = list(self._of)
        self._automaton = BytesAhoCorasick(self._patterns)
        self.longest = max(map(len, self._patterns), default=0)

    def in_bytes(self, piece: bytes) -> Iterator[tuple[int, int, str, list[int]]]:
        """(start, end, form, values) of what stands in a piece of a file, in small letters, and counts."""
        for start, end, form, numbers in self._matches(piece):
            if _counts(piece, start, end, wide=form == "utf-16-le"):
                yield start, end, form, numbers

    def in_text(self, text: str) -> Iterator[tuple[int, int, int]]:
        """(value, start, end) of the values that stand in a text as words of their own, in code points.

        A name of one word counts where it is written as a name only: "Hill", not "hill".
        """
        whole = text.encode("utf-8", "replace")
        for first, last, _form, numbers in self._matches(whole.lower()):
            start = len(whole[:first].decode("utf-8", "ignore"))
            end = start + len(whole[first:last].decode("utf-8", "ignore"))
            if not (_BREAK_BEFORE.search(text[:start][-_MARGIN:].lower()) and _BREAK_AFTER.match(text, end)):
                continue
            small = text[start:end].islower()
            yield from ((n, start, end) for n in numbers if not (small and self._values[n].isalpha()))

    def _matches(self, piece: bytes) -> Iterator[tuple[int, int, str, list[int]]]:
        if self._patterns:
            for pattern, start, end in self._automaton.find_matches_as_indexes(piece, overlapping=True):
                yield start, end, *self._of[self._patterns[pattern]]


def _counts(piece: bytes, start: int, end: int, *, wide: bool) -> bool:
    """Whether bytes are the value they look like: long enough, or a word that stands alone in readable text."""
    width = 2 if wide else 1
    if end - start >= _WORD_BYTES * width:
        return True
    encoding = "utf-16-le" if wide else "utf-8"
    before = piece[start - min(_MARGIN, start // width * width) : start].decode(encoding, "ignore")
    after = piece[end : end + _MARGIN].decode(encoding, "ignore")
    if not (_BREAK_BEFORE.search(before) and _BREAK_AFTER.match(after)):
        return False
    return end - start >= _TEXT_BYTES * width or _readable(before[-_READABLE:]) or _readable(after[:_READABLE])


def _readable(text: str) -> bool:
    return all(c.isprintable() or c.isspace() for c in text)


# -- files -------------------------------------------------------------------------------------


def _in_file(finder: Finder, path: Path) -> Iterator[Trace | None]:
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        yield from _in_stream(finder, path, file)
    packed = next((kind for magic, kind in _PACKED.items() if head.startswith(magic)), None)
    try:
        if packed == "gzip":
            with gzip.open(path) as unpacked:
                yield from _in_stream(finder, path, cast(BinaryIO, unpacked))
        elif packed == "zip":
            yield from _in_zip(finder, path)
    except (zipfile.BadZipFile, EOFError, zlib.error, RuntimeError, NotImplementedError) as error:
        raise OSError(0, "It cannot be unpacked", str(path)) from error


def _in_zip(finder: Finder, path: Path) -> Iterator[Trace | None]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as unpacked:
                yield from _in_stream(finder, path, cast(BinaryIO, unpacked))


def _in_stream(finder: Finder, path: Path, stream: BinaryIO) -> Iterator[Trace | None]:
    """A match is judged once what follows it has been read, and carried into the next piece until then."""
    piece, first, judged = b"", 0, 0
    while True:
        block = stream.read(PIECE)
        piece += block.lower()
        until = first + len(piece) - (_MARGIN if block else 0)
        for start, end, form, numbers in finder.in_bytes(piece):
            if judged < first + end <= until:
                yield from (Trace(path, number, form, first + start) for number in numbers)
        yield None
        if not block:
            return
        judged = max(judged, until)
        kept = piece[-(finder.longest + 2 * _MARGIN) :]
        first += len(piece) - len(kept)
        piece = kept
