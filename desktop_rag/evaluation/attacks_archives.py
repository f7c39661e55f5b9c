"""Archives made to do harm (see attacks): bombs, false sizes, names and links that lead out, archives without end."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

BESIDE = "beside.txt"
"""The file beside the attacks, which none of them may read."""
BOMB = 500_000_000
"""Bytes that a bomb unpacks to, in blocks of BLOCK."""
BLOCK = 1_000_000
_LEVELS = 6
_HARMLESS = b"harmless words"
_OUTSIDE = ("../../escaped.txt", "/escaped.txt", "C:\\escaped.txt", "a/../../escaped.txt", "..\\escaped.txt")


def packed(
    target: Path | IO[bytes],
    members: Mapping[str, bytes] | Mapping[zipfile.ZipInfo, bytes],
    bomb: str | None = None,
    unit: bytes = b" ",
) -> None:
    """A zip archive; the member called `bomb` gets half a gigabyte of `unit` after what is given for it."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            with archive.open(name, "w") as member:
                member.write(content)
                if name == bomb:
                    block = unit * (BLOCK // len(unit))
                    for _ in range(BOMB // len(block)):
                        member.write(block)


def zip_bomb(path: Path) -> None:
    """Half a gigabyte of spaces."""
    packed(path, {"readme.txt": b"hello", "bomb.txt": b""}, bomb="bomb.txt")


def zip_false_size(path: Path) -> None:
    """The directory claims a hundred bytes where half a gigabyte is packed."""
    packed(path, {"bomb.txt": b""}, bomb="bomb.txt")
    data = bytearray(path.read_bytes())
    entry = data.rfind(b"PK\x01\x02")
    real = data[entry + 24 : entry + 28]
    for place in (entry + 24, data.find(real)):
        data[place : place + 4] = (100).to_bytes(4, "little")
    path.write_bytes(data)


def zip_overlap(path: Path) -> None:
    """Thousands of names for one and the same ten megabytes."""
    packed(path, {"0000.txt": b"words " * 1_700_000})
    data = path.read_bytes()
    entry, end = data.rfind(b"PK\x01\x02"), data.rfind(b"PK\x05\x06")
    first = data[entry:end]
    count = 5000
    directory = b"".join(first.replace(b"0000.txt", b"%04d.txt" % number) for number in range(count))
    tail = bytearray(data[end:])
    tail[8:10] = tail[10:12] = count.to_bytes(2, "little")
    tail[12:16] = len(directory).to_bytes(4, "little")
    path.write_bytes(data[:entry] + directory + tail)


def gz_bomb(path: Path) -> None:
    """Half a gigabyte of one letter."""
    with gzip.open(path, "wb", compresslevel=6) as stream:
        for _ in range(BOMB // BLOCK):
            stream.write(b"a" * BLOCK)


def bzip2_bomb(path: Path) -> None:
    """The same in a few hundred bytes, in pieces one after the other."""
    _in_pieces(path, bz2.compress)


def xz_bomb(path: Path) -> None:
    """The same by another method."""
    _in_pieces(path, lambda data: lzma.compress(data, preset=0))


def _in_pieces(path: Path, pack: Callable[[bytes], bytes]) -> None:
    pieces = 10
    path.write_bytes(pack(bytes(BOMB // pieces)) * pieces)


def nested_archives(path: Path) -> None:
    """Six levels of archives, each with eight of the next."""
    content, name = b"the innermost words", "leaf.txt"
    for level in range(_LEVELS):
        target = io.BytesIO()
        packed(target, {f"{number}/{name}": content + (b"" if level else b"%d" % number) for number in range(8)})
        content, name = target.getvalue(), f"level{level}.zip"
    path.write_bytes(content)


def nested_tars(path: Path) -> None:
    """The same of packed tar archives."""
    content, name = b"the innermost words", "leaf.txt"
    for level in range(_LEVELS):
        tape = _tape(*((_entry(f"{number}/{name}"), content) for number in range(8)))
        content, name = gzip.compress(tape), f"level{level}.tar.gz"
    path.write_bytes(content)


def tar_bomb(path: Path) -> None:
    """Half a gigabyte of one letter in a file in an archive."""
    entry = _entry("bomb.txt")
    entry.size = BOMB
    with gzip.open(path, "wb", compresslevel=6) as stream:
        stream.write(entry.tobuf())
        for _ in range(BOMB // BLOCK):
            stream.write(b"a" * BLOCK)


def tar_sparse(path: Path) -> None:
    """A file of eight gigabytes of which the archive holds none."""
    header = bytearray(_entry("sparse.txt").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"77777777777\x00"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\x00 " % sum(header)
    path.write_bytes(bytes(header) + bytes(2 * tarfile.BLOCKSIZE))


def tar_names(path: Path) -> None:
    """A name of very many digits, and one that goes on in the next name, without end."""
    chained, long = _entry("x"), _entry("x")
    chained.type, chained.size = tarfile.GNUTYPE_LONGNAME, 1
    long.type, long.size = tarfile.XHDTYPE, 256 * 1024
    chain = (chained.tobuf(tarfile.GNU_FORMAT) + b"a" + bytes(511)) * 1500
    path.write_bytes(long.tobuf(tarfile.PAX_FORMAT) + b"1" * long.size + chain + bytes(1024))


def traversal(path: Path) -> None:
    """Names that lead out of the folder, and a link to the file beside it."""
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    named = {zipfile.ZipInfo(name): _HARMLESS for name in _OUTSIDE}
    packed(path, {**named, link: f"../{BESIDE}".encode()})


def tar_traversal(path: Path) -> None:
    """The same in a tar archive, with both kinds of links, a pipe and a device."""
    odd = []
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        entry = _entry(f"odd{kind.decode()}.txt")
        entry.type, entry.linkname = kind, f"../{BESIDE}"
        odd.append((entry, b""))
    path.write_bytes(_tape(*((_entry(name), _HARMLESS) for name in _OUTSIDE), *odd))


def _entry(name: str) -> tarfile.TarInfo:
    return tarfile.TarInfo(name)


def _tape(*files: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as target:
        for entry, content in files:
            entry.size = len(content)
            target.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
