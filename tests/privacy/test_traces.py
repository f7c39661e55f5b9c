"""Values are found in files wherever and in whatever form they stand there, and nothing else is."""

from __future__ import annotations

import gzip
import json
import random
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_rag import scratch
from desktop_rag.privacy import traces
from desktop_rag.privacy.traces import Trace, find_traces, worth_looking_for, written_files


def _found(values: list[str], *files: Path) -> list[Trace]:
    return [trace for trace in find_traces(values, files) if trace is not None]


def _file(folder: Path, content: bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("utf-8", "Im Vertrag steht Jürgen Weißflog als Käufer.".encode()),
        ("utf-8", "JÜRGEN WEISSFLOG".encode()),
        ("utf-8", b"Ju\xcc\x88rgen Wei\xc3\x9fflog"),
        ("utf-16-le", "von Jürgen Weißflog.".encode("utf-16-le")),
        ("latin-1", "von Jürgen Weißflog.".encode("latin-1")),
        ("json", json.dumps({"name": "jürgen weißflog"}).encode()),
        ("percent", quote("/home/Jürgen Weißflog.pdf").encode()),
        ("percent", b"q=J%c3%bcrgen+Wei%c3%9fflog"),
    ],
)
def test_every_form_of_a_value(tmp_path: Path, form: str, content: bytes) -> None:
    (found,) = _found(["Jürgen Weißflog"], _file(tmp_path, content))
    assert (found.value, found.form) == (0, form)


def test_a_value_that_was_broken_over_a_line_is_found_with_a_space(tmp_path: Path) -> None:
    assert _found(["Maria\nKowalczyk"], _file(tmp_path, b"by Maria Kowalczyk"))


def test_an_offset_is_in_bytes(tmp_path: Path) -> None:
    content = "ééé Maria Kowalczyk".encode()
    (found,) = _found(["Maria Kowalczyk"], _file(tmp_path, content))
    assert content[found.offset :] == b"Maria Kowalczyk"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=300),
    values=st.lists(st.text(st.characters(codec="utf-8"), min_size=8, max_size=20), min_size=1, max_size=5),
    place=st.integers(0, 300),
)
def test_a_planted_value_is_found_wherever_the_pieces_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, values: list[str], place: int
) -> None:
    monkeypatch.setattr(traces, "PIECE", 32)
    planted = [value for value in values if value.strip()]
    for number, value in enumerate(planted):
        at = min(place, len(content))
        path = _file(tmp_path, content[:at] + value.encode() + content[at:])
        unpacked_in_vain: list[Path] = []
        found = find_traces(planted, [path], unpacked_in_vain)
        places = [(trace.value, trace.offset) for trace in found if trace is not None]
        assert (number, at) in places
        assert len(places) == len(set(places)), "a place was told twice"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"for Anna. And", True),
        (b'{"text": "hello\\nAnna said"}', True),
        (b"q=%20Anna&r=1", True),
        ("“Anna”".encode(), True),
        ("von Anna und".encode("utf-16-le"), True),
        (b"Hosanna in the highest", False),
        (b"Annabel", False),
        (b"\x00\x9f\x12\x80\xffAnna\xfe\x01\x88\x07\xd0\xa3\xf1\x90", False),
    ],
)
def test_a_short_value_counts_as_a_word_in_readable_text_only(tmp_path: Path, content: bytes, found: bool) -> None:
    assert bool(_found(["Anna"], _file(tmp_path, content))) is found


def test_a_short_value_in_a_cell_of_an_unencrypted_database_is_found(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "plain.db")) as connection:
        connection.execute("CREATE TABLE names (name TEXT)")
        connection.executemany("INSERT INTO names VALUES (?)", [("Anna",), ("Kowalczyk-Nowak",)])
        connection.commit()
    assert {trace.value for trace in _found(["Anna", "Kowalczyk-Nowak"], tmp_path / "plain.db")} == {0, 1}


def test_encrypted_bytes_give_no_false_alarm(tmp_path: Path) -> None:
    noise = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz"
    values = ["".join(noise.choices(letters, k=noise.randint(4, 7))) for _ in range(1000)]
    assert _found(values, _file(tmp_path, noise.randbytes(8 << 20))) == []


def test_what_was_packed_is_unpacked(tmp_path: Path) -> None:
    text = b"Signed by Maria Kowalczyk. " * 3
    with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.txt", text)
    (tmp_path / "log.gz").write_bytes(gzip.compress(text))
    for name in ("export.zip", "log.gz"):
        assert len(_found(["Maria Kowalczyk"], tmp_path / name)) == 3


def test_a_folder_that_cannot_be_listed_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    listed = traces.os.scandir

    def refuse(path: object) -> object:
        if Path(str(path)).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(traces.os, "scandir", refuse)
    unreadable: list[Path] = []
    list(find_traces(["Maria Kowalczyk"], written_files(tmp_path), unreadable))
    assert unreadable == [tmp_path / "closed"]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = _file(tmp_path, b"PK\x03\x04 but no archive", "broken.zip")
    cut = _file(tmp_path, gzip.compress(b"some text " * 99)[:-20], "cut.gz")
    unreadable: list[Path] = []
    list(find_traces(["Maria Kowalczyk"], [broken, cut], unreadable))
    assert unreadable == [broken, cut]
    with pytest.raises(OSError, match="unpacked"):
        list(find_traces(["Maria Kowalczyk"], [broken]))


def test_a_file_that_has_gone_is_passed_over(tmp_path: Path) -> None:
    unreadable: list[Path] = []
    assert list(find_traces(["Maria Kowalczyk"], [tmp_path / "gone"], unreadable)) == []
    assert unreadable == []


@pytest.mark.parametrize(
    ("value", "worth"),
    [
        ("Anna", True),
        ("Nowak", True),
        ("4 Rue Haute", True),
        ("AB-12", True),
        ("123456", True),
        ("D.", False),
        ("Eva", False),
        ("12345", False),
        ("2024", False),
        ("Will", False),
        ("manager", False),
        ("Monday", False),
        ("...", False),
    ],
)
def test_what_says_nothing_is_not_looked_for(value: str, worth: bool) -> None:
    assert worth_looking_for(value) is worth


def test_every_file_of_the_application_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, config, temporary = tmp_path / "data", tmp_path / "config", tmp_path / "temporary"
    monkeypatch.setenv("DESKTOP_RAG_CONFIG_DIR", str(config))
    monkeypatch.setattr(scratch.tempfile, "gettempdir", lambda: str(temporary))
    files = [
        data / "library.db-wal",
        data / "logs" / "library.log.1",
        data / "chroma" / ".hidden",
        tmp_path / "data-keys" / "a.key",
        config / "keys" / "b.key",
        temporary / "desktop-rag-loopback-x" / "token",
    ]
    for path in [*files, temporary / "somebody-else" / "file", tmp_path / "outside"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (data / "link").symlink_to(tmp_path / "outside")
    written = list(written_files(data))
    assert set(files) <= set(written)
    assert len(written) == len(set(written))
    assert not any("outside" in str(p) or "somebody-else" in str(p) or p.name == "link" for p in written)
