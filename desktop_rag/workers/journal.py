"""What is already known of a document that is still being read: a kill costs one page, not the whole scan.

Recognising a page of a scan takes seconds, looking for personal data in a long text takes minutes. Both are noted here
page by page until the document is cleaned. The text of a recognised page is sealed with a key that only the user's own
file (and its password) gives: what is in the database says nothing to anybody who has not got the file itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop_rag.documents.model import PARSER_VERSION, Block, Page
from desktop_rag.privacy.detect import SCRUBBER_VERSION
from desktop_rag.privacy.finding import Finding
from desktop_rag.store.connection import Connection, transaction

_FILE_BLOCK = 1 << 22
_NONCE_BYTES = 12
_PAGE, _FINDINGS = "page", "findings"
_PURPOSE = b"journal"
_LONGEST_KEY = 64


class Journal:
    """The notes on one document, `row`; nothing is noted before something is kept."""

    def __init__(self, db: Connection, row: dict[str, Any]) -> None:
        self._db = db
        self._document: str = row["id"]
        self._path = Path(row["path"])
        self._ciphers: dict[str | None, AESGCM] = {}

    def pages(self, password: str | None) -> Generator[None, None, dict[int, Page]]:
        """The recognised pages by number, as far as the file and this password open them."""
        kept = self._kept(_PAGE)
        if not kept:
            return {}
        cipher = yield from self._cipher(password)
        found = {number: self._opened(cipher, number, sealed) for number, sealed in kept.items()} if cipher else {}
        return {number: page for number, page in found.items() if page}

    def keep_page(self, page: Page, password: str | None) -> Generator[None, None, None]:
        """Note a recognised page; not if its file went away, without which it could not be sealed."""
        cipher = yield from self._cipher(password)
        if cipher is None or page.number is None:
            return
        blocks = [[b.kind, b.start, b.end, b.level, b.header] for b in page.blocks]
        content = json.dumps([page.locator, page.text, blocks, page.confidence]).encode()
        nonce = os.urandom(_NONCE_BYTES)
        self._keep(_PAGE, {page.number: nonce + cipher.encrypt(nonce, content, self._place(page.number))})

    def findings(self, texts: Sequence[Page]) -> dict[int, list[Finding]]:
        """The personal data found so far in these pages, by their places among them (from 0).

        Places in another text would leave private values where they are: each page's findings hold for its text only.
        """
        found = {}
        for ordinal, content in self._kept(_FINDINGS).items():
            holds_for, spans = json.loads(content)
            if ordinal < len(texts) and holds_for == self._basis(texts[ordinal]):
                found[ordinal] = [Finding(*span) for span in spans]
        return found

    def keep_findings(self, texts: Sequence[Page], pages: Mapping[int, Sequence[Finding]]) -> None:
        """Note what was found in some of the pages: places and classes, no text."""
        self._keep(
            _FINDINGS,
            {
                ordinal: json.dumps(
                    [self._basis(texts[ordinal]), [[f.start, f.end, f.label, f.score] for f in found]]
                ).encode()
                for ordinal, found in pages.items()
            },
        )

    def close(self) -> None:
        """Everything noted is of no use any more."""
        with transaction(self._db):
            self._db.execute("DELETE FROM journal WHERE document_id = ?", (self._document,))

    def _kept(self, kind: str) -> dict[int, bytes]:
        rows = self._db.execute(
            "SELECT page, content FROM journal WHERE document_id = ? AND kind = ?", (self._document, kind)
        )
        return {row[0]: row[1] for row in rows}

    def _keep(self, kind: str, contents: dict[int, bytes]) -> None:
        with transaction(self._db):
            self._db.executemany(
                "INSERT OR REPLACE INTO journal (document_id, kind, page, content) VALUES (?, ?, ?, ?)",
                [(self._document, kind, page, content) for page, content in contents.items()],
            )

    def _cipher(self, password: str | None) -> Generator[None, None, AESGCM | None]:
        """Made from all of the file's bytes, by a hash of another kind than the one that the database knows of it."""
        if password not in self._ciphers:
            digest = blake2b(key=(password or "").encode()[:_LONGEST_KEY], person=_PURPOSE, digest_size=32)
            try:
                with self._path.open("rb") as file:
                    while block := file.read(_FILE_BLOCK):
                        digest.update(block)
                        yield
            except OSError:
                return None
            self._ciphers[password] = AESGCM(digest.digest())
        return self._ciphers[password]

    def _opened(self, cipher: AESGCM, number: int, sealed: bytes) -> Page | None:
        """None for a page of another version of the file or the reader, or one that was read with another password."""
        try:
            content = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._place(number))
        except InvalidTag:
            return None
        locator, text, blocks, confidence = json.loads(content)
        return Page(number, locator, text, tuple(Block(*block) for block in blocks), confidence)

    def _basis(self, page: Page) -> str:
        """What findings hold for: the text, by a hash of which nothing else is made, and what read it and looked."""
        key = f"{self._document} {PARSER_VERSION} {SCRUBBER_VERSION}".encode()
        return blake2b(page.text.encode("utf-8", "surrogatepass"), key=key[:_LONGEST_KEY], digest_size=16).hexdigest()

    def _place(self, number: int) -> bytes:
        return f"{self._document} {number} {PARSER_VERSION}".encode()
