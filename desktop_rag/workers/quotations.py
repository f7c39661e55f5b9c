"""Words of erased documents in what was said about them: questions that repeat a passage or a name, and titles.

Answers that were made from a document are known by its id (`Conversations.unquote`). A question is the user's own; one
that has eight words in a row from the document, or a name of its that nothing else has, is a quote all the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Generator, Mapping, Set
from functools import cached_property
from typing import Any

from desktop_rag.privacy.phrases import runs
from desktop_rag.privacy.traces import Finder
from desktop_rag.store.connection import transaction
from desktop_rag.store.judged import Judged
from desktop_rag.workers.library import Library

_MESSAGES_A_STEP = 200


class Quotations:
    """What has been found in the conversations during one removal."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._judged = Judged(library.db)
        # Messages by their id, judged questions by theirs, which is a number.
        self._found: set[str | int] = set()

    @cached_property
    def _asked(self) -> dict[int, set[str | int]]:
        """The questions by every eight words in a row."""
        by_run: dict[int, set[str | int]] = defaultdict(set)
        asked = [tuple(row) for row in self._library.db.execute("SELECT id, text FROM messages WHERE role = 'user'")]
        for key, text in [*asked, *((row["id"], row["question"]) for row in self._judged.all())]:
            for run in runs(text):
                by_run[run].add(key)
        return dict(by_run)

    def meet(self, document: str) -> Generator[None, None, None]:
        """Look which questions repeat the text of a document that is still there."""
        if not self._asked:
            return
        for (page,) in self._library.db.execute("SELECT id FROM pages WHERE document_id = ?", (document,)).fetchall():
            text = self._library.db.execute("SELECT text FROM pages WHERE id = ?", (page,)).fetchone()
            for run in self._asked.keys() & set(runs((text and text[0]) or "")):
                self._found |= self._asked[run]
            yield

    def blank(self, finder: Finder, shared: Set[int]) -> Generator[None, None, Counter[str]]:
        """Blank what was found, and every message and title with one of the finder's values, but for `shared` ones.

        Returns how many "questions" and "answers" were blanked, and "judged" questions forgotten.
        """
        conversations, numbers = self._library.conversations, Counter[str]()
        for messages in conversations.texts(_MESSAGES_A_STEP):
            gone = [
                (key, role) for key, role, text in messages if key in self._found or stands_in(finder, text) - shared
            ]
            if gone:
                with transaction(self._library.db):
                    conversations.blank(key for key, _role in gone)
            numbers.update("questions" if role == "user" else "answers" for _key, role in gone)
            yield
        judged = [row["id"] for row in self._judged.all() if self._repeats(row, finder, shared)]
        with transaction(self._library.db):
            self._judged.remove(judged)
        numbers["judged"] += len(judged)
        titled = [row["id"] for row in conversations.all() if stands_in(finder, row["title"]) - shared]
        with transaction(self._library.db):
            conversations.untitle(titled)
        return numbers

    def _repeats(self, judged: Mapping[str, Any], finder: Finder, shared: Set[int]) -> bool:
        return judged["id"] in self._found or bool(stands_in(finder, judged["question"]) - shared)


def stands_in(finder: Finder, text: str) -> set[int]:
    """The values that stand in a text, by the same measure as in the bytes of files."""
    found = finder.in_bytes(text.encode("utf-8", "replace").lower())
    return {number for *_place, numbers in found for number in numbers}
