"""The words of the terminal for downloads that were stopped or broke off. Pure."""

from __future__ import annotations

from desktop_rag.cli.model_lines import Row, columns, size


def unfinished(told: Row) -> list[str]:
    """The end of `models list`: what has arrived, and how to go on or to be rid of it."""
    rows = [(" ", str(row["id"]), _arrived(row), _next(row)) for row in told.get("unfinished") or ()]
    if not rows:
        return []
    return ["", "Unfinished downloads (to remove one: desktop-rag models delete ID)", *columns(rows, (2,))]


def removed(told: Row) -> list[str]:
    """`models delete` of an unfinished download."""
    return [f"What had arrived of {told['name']} is deleted, {size(told['freed'])} are free again."]


def _arrived(row: Row) -> str:
    return f"{size(row['received'])} of {size(row['total'])}" if row["total"] else size(row["received"])


def _next(row: Row) -> str:
    get = row["get"] or {}
    name = get.get("id") or (f"{get['repo']}:{get['file']}" if get.get("repo") else "")
    if row["running"]:
        return "is being downloaded now"
    return f"go on: desktop-rag models get {name} --online" if name else ""
