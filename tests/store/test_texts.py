"""Reading every text of the database: no table, row or column is left out."""

from __future__ import annotations

from desktop_rag.store import texts as module
from desktop_rag.store.texts import texts
from tests.store.conftest import Open


def test_every_text_of_every_kind_of_table_is_told(connect: Open) -> None:
    db = connect()
    db.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY, name TEXT, size INTEGER, loose)")
    db.execute("CREATE TABLE bare (word TEXT PRIMARY KEY) WITHOUT ROWID")
    wanted = set()
    for number in range(module._ROWS_A_STEP + 3):
        db.execute("INSERT INTO plain VALUES (?, ?, 1, ?)", (-number if number % 2 else number, f"n{number}", "also"))
        db.execute("INSERT INTO bare VALUES (?)", (f"w{number}",))
        wanted |= {("plain", "name", f"n{number}"), ("bare", "word", f"w{number}"), ("plain", "loose", "also")}
    found = list(texts(db, {"plain", "bare"}.__contains__))
    assert set(found) - {None} == wanted
    assert None in found, "others must be let in between"


def test_tables_that_are_not_wanted_are_not_read(connect: Open) -> None:
    db = connect()
    db.execute("INSERT INTO settings VALUES ('note', 'x')")
    assert list(texts(db, lambda table: table == "folders")) == []
