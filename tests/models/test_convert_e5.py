"""The encoder for all languages: unpacked as its own engine does it, verified, never half in place."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from desktop_rag import paths
from desktop_rag.errors import ModelError
from desktop_rag.models import convert_e5
from desktop_rag.models.catalogue import find
from desktop_rag.models.convert import encode_converted
from desktop_rag.models.starter import link_or_copy


@pytest.fixture
def made() -> Path:
    """What set-up made."""
    return paths.models_dir() / convert_e5.CONVERTED


def packed_file(folder: Path, pieces: list[bytes], block: bytes) -> Path:
    """A file of the same layout with one packed tensor of 32 weights."""
    head = struct.pack("<4sI7ifi", b"E5S1", 1, 32, 1, 2, 64, len(pieces), 8, 2, 1e-12, 32)
    ends = np.cumsum([0, *map(len, pieces)]).astype("<u4").tobytes()
    words = struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, pieces))) + ends
    words += np.arange(len(pieces), dtype="<f4").tobytes() + b"".join(pieces) + struct.pack("<iI", 1, 9) + bytes(9)
    entry = struct.pack("<H", 4) + b"name" + struct.pack("<BIQQ", 1, 32, 0, len(block))
    offset = len(head + words) + 4 + len(entry)
    entry = struct.pack("<H", 4) + b"name" + struct.pack("<BIQQ", 1, 32, offset, len(block))
    path = folder / "packed.bin"
    path.write_bytes(head + words + struct.pack("<i", 1) + entry + block)
    return path


def test_four_bits_become_the_weights_they_stand_for(tmp_path: Path) -> None:
    # Byte n holds n in its low half and 15 - n in its high one; the scale is a half.
    block = np.float16(0.5).tobytes() + bytes((15 - n) << 4 | n for n in range(16))
    packed = convert_e5.read_packed(packed_file(tmp_path, [b"<s>", b"<pad>", b"</s>", b"<unk>", "▁水".encode()], block))
    wanted = [(n - 8) / 2 for n in range(16)] + [(7 - n) / 2 for n in range(16)]
    assert packed.tensors["name"].tolist() == wanted
    assert packed.matrix("name").shape == (1, 32)
    assert packed.pieces[-1] == ("▁水", 4.0)
    assert (packed.specials, packed.unknown, packed.layers, packed.heads) == ((0, 2), 3, 1, 2)


@pytest.mark.parametrize("content", [b"", b"E5S1", b"XXXX" + bytes(400), b"E5S1" + bytes(4000)])
def test_another_layout_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "packed.bin").write_bytes(content)
    with pytest.raises(ModelError) as refused:
        convert_e5.read_packed(tmp_path / "packed.bin")
    assert refused.value.code == "incompatible"


@pytest.mark.slow
def test_it_agrees_with_the_engine_of_the_original(made: Path) -> None:
    assert convert_e5.verify(made) >= convert_e5.MIN_COSINE


@pytest.mark.slow
def test_a_conversion_that_says_something_else_is_refused(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert_e5, "DOCUMENT_PREFIX", "")
    with pytest.raises(ModelError) as refused:
        convert_e5.verify(made)
    assert refused.value.code == "incompatible"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a  b\tc\n", "a b c"),
        ("２０２４ ﬁ ①", "2024 fi 1"),
        ("zero\u200bwidth", "zero width"),
        ("bell\x07", "bell"),
        ("e\u0301", "é"),
    ],
)
def test_spaces_and_forms_of_letters_are_brought_into_one_shape(made: Path, one: str, other: str) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(made / "tokenizer.json"))
    assert tokenizer.encode(one).ids == tokenizer.encode(other).ids


@pytest.mark.slow
def test_a_question_finds_its_answer_in_another_language(made: Path) -> None:
    passages = (
        "passage: Die Pumpe wurde im März eingebaut.",
        "passage: 我们的猫睡在沙发上。",
        "passage: El pan es caro.",
    )
    question = encode_converted(made, ("query: When was the pump installed?",))[0]
    assert int(np.argmax(encode_converted(made, passages) @ question)) == 0


def test_the_card_identifies_the_encoder(made: Path) -> None:
    card = json.loads((made / "card.json").read_text())
    assert card["model_sha256"] == find("multilingual-e5-small-q4").files[0].sha256
    assert (card["dimension"], card["max_tokens"], card["query_prefix"]) == (384, 512, "query: ")
    assert card["id"] == convert_e5.CONVERTED


def test_a_second_run_does_nothing_and_a_missing_original_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as missing:
        convert_e5.convert(tmp_path)
    assert missing.value.code == "not_installed"
    for name in ("multilingual-e5-small-q4", convert_e5.CONVERTED):
        shutil.copytree(
            paths.models_dir() / name, tmp_path / name, copy_function=lambda a, b: link_or_copy(Path(a), Path(b))
        )
    assert convert_e5.convert(tmp_path) == (tmp_path / convert_e5.CONVERTED, False)
