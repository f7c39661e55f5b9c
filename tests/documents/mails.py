"""Mails made for tests, and what their parsers say of them."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from desktop_rag.documents.limits import DEFAULT_LIMITS, Limits
from desktop_rag.documents.model import Page
from desktop_rag.documents.parsers import Part, mbox, mhtml, msg
from desktop_rag.documents.parsers import mail as eml
from desktop_rag.documents.source import Child, MemorySource

HEAD = b"From: Anna <anna@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: Rent\r\n"


def parts_of(data: bytes, name: str = "a.eml", limits: Limits = DEFAULT_LIMITS) -> list[Part]:
    parser = {".mbox": mbox, ".mht": mhtml, ".msg": msg}.get(Path(name).suffix, eml)
    return list(parser.parse(MemorySource(name, data), limits=limits))


def page_of(data: bytes, name: str = "a.eml") -> Page:
    (page,) = [part for part in parts_of(data, name) if isinstance(part, Page)]
    return page


def children_of(data: bytes, name: str = "a.eml") -> dict[str, bytes]:
    children = [part for part in parts_of(data, name) if isinstance(part, Child)]
    assert len({child.name for child in children}) == len(children), "two children have one name"
    return {child.name: child.load() for child in children}


def blocks(page: Page) -> list[tuple[str, str]]:
    return [(block.kind, page.text[block.start : block.end]) for block in page.blocks]


def message(text: str = "Dear Bob,\n\nthe rent is due.\n") -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Anna Müller <anna@example.org>"
    mail["To"] = "Bob <bob@example.org>, carol@example.org"
    mail["Cc"] = "dora@example.org"
    mail["Date"] = "Mon, 03 Mar 2025 09:30:00 +0100"
    mail["Subject"] = "Miete für März"
    if text:
        mail.set_content(text)
    return mail
