"""Every text that the database holds, table by table, also of tables that come later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from desktop_rag.store.connection import Connection

_ROWS_A_STEP = 500


def texts(connection: Connection, wanted: Callable[[str], bool]) -> Iterator[tuple[str, str, str] | None]:
    """(table, column, text) of all texts in the tables whose names are `wanted`; None between pieces of work.

    No cursor stays open between two pieces: it would keep the log from being merged.
    """
    tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    for name, sql in [tuple(row) for row in tables if wanted(row["name"])]:
        columns = [row["name"] for row in connection.execute(f"PRAGMA table_info({name})") if _is_text(row["type"])]
        if columns:
            rowless = "WITHOUT ROWID" in str(sql).upper()
            yield from (_by_offset if rowless else _by_rowid)(connection, name, columns)


def _by_rowid(connection: Connection, table: str, columns: list[str]) -> Iterator[tuple[str, str, str] | None]:
    last = -(1 << 63)
    query = f"SELECT rowid, {', '.join(columns)} FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT {_ROWS_A_STEP}"
    while rows := connection.execute(query, (last,)).fetchall():
        yield from _texts_of(table, columns, [tuple(row)[1:] for row in rows])
        yield None
        last = rows[-1][0]


def _by_offset(connection: Connection, table: str, columns: list[str]) -> Iterator[tuple[str, str, str] | None]:
    at = 0
    query = f"SELECT {', '.join(columns)} FROM {table} LIMIT {_ROWS_A_STEP} OFFSET ?"
    while rows := connection.execute(query, (at,)).fetchall():
        yield from _texts_of(table, columns, [tuple(row) for row in rows])
        yield None
        at += len(rows)


def _texts_of(table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> Iterator[tuple[str, str, str]]:
    for row in rows:
        yield from ((table, c, value) for c, value in zip(columns, row, strict=True) if isinstance(value, str))


def _is_text(declared: str) -> bool:
    return declared.upper() in ("TEXT", "")
