"""E-mails: a page with the subject, who wrote to whom and when, and the text; what is attached comes as children."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from desktop_rag.documents.archives import Names
from desktop_rag.documents.composer import Composer
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.paragraphs import paragraphs
from desktop_rag.documents.parsers import html, mime
from desktop_rag.documents.parsers.markup import parse_html
from desktop_rag.documents.source import Child, Source, read_bytes, stem
from desktop_rag.errors import DocumentError

SMALL_PICTURE = 10_000
"""Bytes below which a picture in the text is a logo or a line, not something to read."""
_PEOPLE = ("From", "To", "Cc")
_ENCRYPTED = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"))
_SIGNATURES = frozenset(
    (
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-keys",
    )
)
_NAMES = {
    "text/calendar": "invitation.ics",
    "message/delivery-status": "delivery status.txt",
    "text/rfc822-headers": "headers.txt",
}
# Not from the system's own list, which differs from machine to machine.
_ENDINGS = {
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/plain": ".txt",
}
_LONGEST_TITLE = 300

Mailed = Page | UnreadPage | Child
"""What comes of a mail."""


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Mailed]:
    """One page without number, then the attachments."""
    mail = mime.parse(read_bytes(source, limits), limits)
    yield DocumentInfo("eml", title_of(mail) or stem(source), None)
    sorted_parts = Sorted.of(mail)
    yield from pages(mail, sorted_parts, None)
    for name, part in named(sorted_parts.files):
        yield Child(name, part.size, part.content)


@dataclass(slots=True)
class Sorted:
    """The parts of a mail by what they are for."""

    texts: list[mime.Part] = field(default_factory=list)
    files: list[mime.Part] = field(default_factory=list)
    encrypted: bool = False

    @classmethod
    def of(cls, mail: mime.Part) -> Sorted:
        """What is to be read, what is attached. Of the same text in two forms the plain one is taken."""
        found = cls()
        found._take(mail, with_html=True, alone=True)
        return found

    def _take(self, part: mime.Part, *, with_html: bool, alone: bool = False) -> None:
        # As deep as mime.parse allows, no deeper.
        if part.kind in _ENCRYPTED:
            self.encrypted = True
        elif part.parts:
            if part.kind == "multipart/alternative" and any(map(_is_plain, mime.leaves(part))):
                with_html = False
            for inner in part.parts:
                self._take(inner, with_html=with_html)
        elif _is_text(part, alone):
            if with_html or part.kind != "text/html":
                self.texts.append(part)
        elif not _is_ornament(part):
            self.files.append(part)


def _is_text(part: mime.Part, alone: bool) -> bool:
    if part.attached or (part.filename and not alone):
        return False
    # A multipart without parts is one that was cut off or mangled: what there is is text.
    return part.kind in ("text/plain", "text/html") or part.headers.get_content_maintype() == "multipart"


def _is_plain(part: mime.Part) -> bool:
    return part.kind == "text/plain" and _is_text(part, alone=False) and any(map(str.isalnum, part.text()))


def _is_ornament(part: mime.Part) -> bool:
    if part.kind in _SIGNATURES:
        return True
    inline = not part.attached and (part.headers.get_content_disposition() == "inline" or "content-id" in part.headers)
    return inline and part.kind.startswith("image/") and (part.size or 0) < SMALL_PICTURE


def title_of(mail: mime.Part) -> str:
    """The subject, of a length that a title may have."""
    return mail.header("Subject")[:_LONGEST_TITLE]


def pages(mail: mime.Part, parts: Sorted, locator: str | None) -> Iterator[Page | UnreadPage]:
    """The page of a mail, and one that was not read for each text in it that could not be."""
    composer = Composer()
    lines = [(name, mail.header(name)) for name in _PEOPLE]
    write_head(composer, mail.header("Subject"), [*lines, ("Date", mime.date_of(mail.header("Date")))])
    causes: list[str] = []
    for part in parts.texts:
        if part.kind == "text/html":
            try:
                write_html(composer, html.decoded(part.content(), part.charset)[0])
            except DocumentError as failure:
                causes.append(failure.message)
        else:
            write_text(composer, part.text())
    if parts.encrypted:
        causes.append("the text of this mail is encrypted or closed by its signature")
    if composer.length:
        yield composer.page(locator=locator)
    for cause in causes:
        yield UnreadPage(None, locator, cause)


def write_head(composer: Composer, subject: str, lines: list[tuple[str, str]]) -> None:
    """The subject as a heading, then a line each for what is known of who wrote to whom and when."""
    composer.add("heading", subject, level=1)
    composer.add("paragraph", "\n".join(f"{name}: {value}" for name, value in lines if value))


def write_text(composer: Composer, text: str) -> None:
    """The paragraphs of a plain text, quoted lines included."""
    text = text.replace("\r\n", "\n")
    for start, end in paragraphs(text):
        composer.add("paragraph", text[start:end])


def write_html(composer: Composer, text: str) -> None:
    """What a reader of an HTML text sees. Raises DocumentError("unreadable") for a hopelessly nested one."""
    root = parse_html(text)
    if root is not None:
        html.Flattener(composer).feed(root)


def named(files: list[mime.Part]) -> Iterator[tuple[str, mime.Part]]:
    """Attachments with names that are unique and harmless, in their order."""
    names = Names()
    for number, part in enumerate(files, 1):
        yield names.give(_name(part), otherwise=f"attachment {number}{_ENDINGS.get(part.kind, '')}"), part


def _name(part: mime.Part) -> str:
    name = part.filename
    if part.kind == "message/rfc822":
        # The subject is that of the mail inside, whose headers begin where the content does.
        name = name or mime.beginning(part.content()).header("Subject").replace("/", "-") or "mail"
        return name if name.lower().endswith(".eml") else f"{name}.eml"
    return name or _NAMES.get(part.kind, "")
