"""Read what a GGUF model file says about itself, and refuse what is not one, before any native code opens it.

Pure Python over the header as specified by ggml (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md):
magic, version, counts, key-value pairs, tensor table. The weights themselves are never read; that
they are all there follows from the tensor table and the size of the file. The table is kept: what a
model needs in memory and reads for every token follows from it (`desktop_rag.models.shape`).
"""

from __future__ import annotations

import dataclasses
import math
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from desktop_rag.errors import ModelError

Scalar = str | int | float | bool

# GGUF value types: code -> struct format. 8 is a string, 9 an array.
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9

# ggml tensor types: code -> (values per block, bytes per block).
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip

TYPE_NAMES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64",
    29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip
# llama.cpp's names for whole files (its LLAMA_FTYPE values): many are mixtures of types.
FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 25: "IQ4_NL", 32: "BF16",
    10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M",
    18: "Q6_K", 22: "IQ3_XS", 26: "IQ3_S", 27: "IQ3_M", 30: "IQ4_XS",
}  # fmt: skip

LOOKS_LIKE = {
    b"PK\x03\x04": "a ZIP archive",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
    b"<!DO": "a web page",
    b"<!do": "a web page",
    b"<htm": "a web page",
    b"lmgg": "a model in the old GGML format",
    b"tjgg": "a model in the old GGJT format",
    b"vers": "a Git LFS pointer",
}
# `llama-quantize` and upload tools name the parts of a split model like this.
PART = re.compile(r"^(?P<stem>.+)-(?P<part>\d{5})-of-(?P<parts>\d{5})\.gguf$", re.IGNORECASE)
MAX_DIMENSIONS = 8
MAX_DEPTH = 4
# Far more than any model has: beyond them a header is damaged, or made to fill the memory of its reader.
MAX_ENTRIES = 1 << 17
MAX_ITEMS = 1 << 24
MAX_TEXT_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class Tensor:
    """One row of a tensor table: `dims` fastest first, `type` such as "Q4_0", `bytes` long, `offset` in the weights.

    A type newer than this program is called "type N" and counts 0 bytes.
    """

    name: str
    dims: tuple[int, ...]
    type: str
    bytes: int
    offset: int

    @property
    def values(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.dims)


@dataclass(frozen=True, slots=True)
class GgufInfo:
    """The header of a GGUF file; `size` in bytes, `context` in tokens, None or "" where the file does not say."""

    path: Path
    size: int
    version: int
    architecture: str
    name: str
    context: int | None
    tokenizer: str
    chat_template: bool
    tensors: int
    metadata: dict[str, Scalar]
    table: tuple[Tensor, ...] = field(default=(), repr=False)

    @property
    def quantisation(self) -> str:
        """How the weights are stored, such as "Q4_K_M" or "F16": the file's own word, else the type with most bytes."""
        told = self.metadata.get("general.file_type")
        if isinstance(told, int) and told in FILE_TYPES:
            return FILE_TYPES[told]
        shares: dict[str, int] = {}
        for tensor in self.table:
            shares[tensor.type] = shares.get(tensor.type, 0) + tensor.bytes
        return max(shares, key=lambda name: shares[name], default="")


def inspect(path: Path) -> GgufInfo:
    """Read the header of `path`; of a split model the tables of all its parts.

    Raises ModelError: "not_installed" (no such file), "incompatible" (not a GGUF model, or one of
    an unknown kind), "truncated" (the file ends too early, or a part is missing).
    """
    first = _read(path)
    rest = [_read(path.with_name(name), later_part=True) for name in gguf_parts(path) if name != path.name]
    if not rest:
        return first
    table = tuple(tensor for part in (first, *rest) for tensor in part.table)
    return dataclasses.replace(first, size=sum(part.size for part in (first, *rest)), tensors=len(table), table=table)


def gguf_parts(path: Path) -> tuple[str, ...]:
    """The names of all parts of a split model, or the file's own; ModelError("truncated") where a part is missing."""
    named = PART.match(path.name)
    if named is None:
        return (path.name,)
    parts = int(named["parts"])
    names = tuple(f"{named['stem']}-{number:05d}-of-{parts:05d}.gguf" for number in range(1, parts + 1))
    missing = [number for number, name in enumerate(names, 1) if not (path.parent / name).is_file()]
    if missing:
        raise ModelError(
            "truncated",
            f"{named['stem']} is not whole: part {missing[0]} of {parts} is missing.",
            "Put all parts into one folder.",
        )
    return names


def _read(path: Path, *, later_part: bool = False) -> GgufInfo:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _Header(file, size, path).read(later_part=later_part)
    except OSError as error:
        raise ModelError("not_installed", f"The model file {path.name} cannot be read: {error.strerror}.") from error


class _Header:
    """One pass over the header; every length is checked against what is left of the file before it is believed."""

    def __init__(self, file: BinaryIO, size: int, path: Path) -> None:
        self.file = file
        self.at = 0
        self.size = size
        self.path = path

    def read(self, *, later_part: bool = False) -> GgufInfo:
        """The whole header, checked; later parts of a split model name no architecture."""
        version = self._magic_and_version()
        tensors, pairs = self._number("<Q"), self._number("<Q")
        metadata: dict[str, Scalar] = {}
        for _ in range(self._believable(pairs, 12, MAX_ENTRIES)):
            key = self._string()
            value = self._value(self._number("<I"), depth=0)
            if value is not None:
                metadata[key] = value
        architecture = str(metadata.get("general.architecture", ""))
        if not architecture and not later_part:
            raise self._incompatible("names no model architecture")
        table = self._table(self._believable(tensors, 24, MAX_ENTRIES))
        end = self._end_of_weights(table, metadata)
        if end > self.size:
            raise self._truncated(f"{self.size / 1e6:,.1f} of at least {end / 1e6:,.1f} MB are there")
        context = metadata.get(f"{architecture}.context_length")
        return GgufInfo(
            path=self.path,
            size=self.size,
            version=version,
            architecture=architecture,
            name=str(metadata.get("general.name", "")),
            context=context if isinstance(context, int) else None,
            tokenizer=str(metadata.get("tokenizer.ggml.model", "")),
            chat_template=bool(metadata.get("tokenizer.chat_template")),
            tensors=tensors,
            metadata=metadata,
            table=table,
        )

    def _magic_and_version(self) -> int:
        magic = self._bytes(min(4, self.size))
        if len(magic) < 4 and b"GGUF".startswith(magic):
            raise self._truncated(f"it has {len(magic)} bytes")
        if magic != b"GGUF":
            likely = next((name for start, name in LOOKS_LIKE.items() if magic.startswith(start)), "something else")
            raise self._incompatible(f"is not a GGUF model but {likely}")
        version = self._number("<I")
        if version not in (2, 3):
            # A big-endian file shows its version in the upper bytes.
            problem = (
                "is a GGUF model for big-endian machines" if version & 0xFFFF == 0 else f"has GGUF version {version}"
            )
            raise self._incompatible(f"{problem}; versions 2 and 3 can be read")
        return version

    def _table(self, tensors: int) -> tuple[Tensor, ...]:
        return tuple(self._tensor() for _ in range(tensors))

    def _tensor(self) -> Tensor:
        name = self._string()
        dimensions = self._number("<I")
        if dimensions > MAX_DIMENSIONS:
            raise self._incompatible(f"has a damaged tensor table ({dimensions} dimensions)")
        dims = tuple(self._number("<Q") for _ in range(dimensions))
        kind, offset = self._number("<I"), self._number("<Q")
        # A type newer than this table counts as empty: the check gets weaker, the file is not refused.
        per_block, block_bytes = BLOCKS.get(kind, (1, 0))
        size = math.prod(dims) // per_block * block_bytes
        return Tensor(name, dims, TYPE_NAMES.get(kind, f"type {kind}"), size, offset)

    def _end_of_weights(self, table: tuple[Tensor, ...], metadata: dict[str, Scalar]) -> int:
        furthest = max((tensor.offset + tensor.bytes for tensor in table), default=0)
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment <= 0:
            raise self._incompatible("has a damaged alignment")
        return -(-self.at // alignment) * alignment + furthest

    def _value(self, kind: int, depth: int) -> Scalar | None:
        if kind == STRING:
            return self._string()
        if kind in SCALARS:
            return self._scalar(kind)
        if kind != ARRAY or depth >= MAX_DEPTH:
            raise self._incompatible(f"has a damaged header (value of type {kind})")
        self._skip_array(depth)
        return None

    def _skip_array(self, depth: int) -> None:
        kind, count = self._number("<I"), self._number("<Q")
        if kind in SCALARS:
            self._skip(count * struct.calcsize(SCALARS[kind]))
        elif kind == STRING:
            for _ in range(self._believable(count, 8, MAX_ITEMS)):
                self._skip(self._number("<Q"))
        else:
            for _ in range(self._believable(count, 12, MAX_ITEMS)):
                self._value(kind, depth + 1)

    def _string(self) -> str:
        length = self._believable(self._number("<Q"), 1, MAX_TEXT_BYTES)
        return self._bytes(length).decode("utf-8", errors="replace")

    def _scalar(self, kind: int) -> Scalar:
        layout = SCALARS[kind]
        value: Scalar = struct.unpack(layout, self._bytes(struct.calcsize(layout)))[0]
        return value

    def _number(self, layout: str) -> int:
        return int(struct.unpack(layout, self._bytes(struct.calcsize(layout)))[0])

    def _bytes(self, count: int) -> bytes:
        data = self.file.read(self._believable(count, 1))
        if len(data) != count:
            raise self._truncated("it became shorter while it was read")
        self.at += count
        return data

    def _skip(self, count: int) -> None:
        self.file.seek(self._believable(count, 1), 1)
        self.at += count

    def _believable(self, count: int, least_bytes: int, most: int | None = None) -> int:
        """`count` things, at most `most`, of at least `least_bytes` each must fit in the rest of the file."""
        if count * least_bytes > self.size - self.at:
            raise self._truncated("it ends inside its header")
        if most is not None and count > most:
            raise self._incompatible(f"has a damaged header ({count:,} entries)")
        return count

    def _incompatible(self, problem: str) -> ModelError:
        hint = "Choose a .gguf file made for llama.cpp."
        return ModelError("incompatible", f"{self.path.name} {problem}.", hint, details={"path": str(self.path)})

    def _truncated(self, problem: str) -> ModelError:
        hint = "Copy or download the file again."
        return ModelError(
            "truncated", f"{self.path.name} is not whole: {problem}.", hint, details={"path": str(self.path)}
        )
