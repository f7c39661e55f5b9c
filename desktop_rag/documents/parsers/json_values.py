"""JSON values as people read them: scalars, lists of them, and objects as flat pairs of path and text.

Numbers stay as they are written, and of two members with one name both are kept. Nothing here recurses: a
value may be nested as deeply as Python's own reader allows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from desktop_rag.documents.encodings import clean

Path = tuple[str, ...]

JOINT = " › "
_INLINE = 300
"""Characters of a list's items that share one line."""
_SHOWN_STEPS = 8
_NAMES = {True: "true", False: "false", None: ""}


class Members(tuple[tuple[str, Any], ...]):
    """A JSON object: its members in the order of the file."""


def load(text: str) -> Any:
    """The value of a JSON text. Raises ValueError if it is none, RecursionError if it is nested too deeply."""
    return json.loads(text, object_pairs_hook=Members, parse_int=str, parse_float=str, parse_constant=str)


def is_container(value: Any) -> bool:
    """Whether `value` holds more than scalars; a list of scalars is read like one."""
    return isinstance(value, Members) or (
        isinstance(value, list) and any(isinstance(item, (list, Members)) for item in value)
    )


def is_flat(value: Any) -> bool:
    """Whether `value` is an object whose members are all scalars or lists of scalars: a row of a table."""
    return isinstance(value, Members) and not any(is_container(member) for _, member in value)


def scalar(value: Any) -> str:
    """A scalar as text; nothing for null."""
    return clean(value) if isinstance(value, str) else _NAMES[value]


def inline(values: list[Any]) -> Iterator[str]:
    """The items of a list of scalars, as many on one line as is comfortable to read."""
    line: list[str] = []
    length = 0
    for text in filter(None, map(scalar, values)):
        if line and length + len(text) > _INLINE:
            yield ", ".join(line)
            line, length = [], 0
        line.append(text)
        length += len(text)
    if line:
        yield ", ".join(line)


def one_line(value: Any) -> str:
    """A scalar, or a list of scalars, on a single line."""
    text = ", ".join(inline(value)) if isinstance(value, list) else scalar(value)
    return " ".join(text.split())


def label(path: Path) -> str:
    """A path as people read it; of an absurdly long one, both ends."""
    if len(path) > _SHOWN_STEPS:
        path = (*path[: _SHOWN_STEPS // 2], "…", *path[-_SHOWN_STEPS // 2 :])
    return clean(JOINT.join(" ".join(step.split()) for step in path))


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything that can stand on a line, in order: flat members together as Members, scalars and lists of them."""
    waiting: list[tuple[Path, Any]] = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if not is_container(value):
            yield path, value
            continue
        children = _children(value)
        plain = Members((name, child) for name, child in children if not is_container(child))
        if plain and isinstance(value, Members):
            yield path, plain
            children = [(name, child) for name, child in children if is_container(child)]
        waiting += [((*path, name), child) for name, child in reversed(children)]


def _children(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Members):
        return list(value)
    return [(str(number), child) for number, child in enumerate(value, start=1)]
