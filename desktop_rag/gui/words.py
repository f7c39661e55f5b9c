"""The words of the window: states, labels, policies, numbers and days. Pure, so that every face says the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from desktop_rag.gui.languages import language_name

THIN_SPACE = "\u202f"


@dataclass(frozen=True, slots=True)
class Look:
    """A word with its icon and the role of its colour."""

    word: str
    icon: str
    role: str


STATES: dict[str, Look] = {
    "waiting": Look("Waiting", "clock", "muted"),
    "reading": Look("Reading", "scan-text", "accent"),
    "reviewing": Look("To review", "list-checks", "private"),
    "cleaning": Look("Cleaning", "eraser", "accent"),
    "indexing": Look("Indexing", "database", "accent"),
    "ready": Look("Ready", "circle-check", "ok"),
    "partly_read": Look("Partly read", "triangle-alert", "warn"),
    "failed": Look("Failed", "circle-alert", "bad"),
}

LOCKED = Look("Locked", "key-round", "warn")
PAUSED = Look("Paused", "pause", "muted")
_HIDDEN = frozenset(
    "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\x7f"
) | frozenset(map(chr, range(0xE0000, 0xE0080)))
MOST_NAMES = 2
WORKING = ("waiting", "reading", "cleaning", "indexing")

LABELS: dict[str, tuple[str, str]] = {
    "PERSON": ("Person", "user"),
    "POSSIBLE_NAME": ("Possible name", "user"),
    "EMAIL_ADDRESS": ("E-mail", "mail"),
    "PHONE_NUMBER": ("Phone", "phone"),
    "IBAN_CODE": ("IBAN", "credit-card"),
    "CREDIT_CARD": ("Card", "credit-card"),
    "US_SSN": ("Social security", "hash"),
    "IP_ADDRESS": ("IP address", "hash"),
    "LOCATION": ("Place", "map-pin"),
    "ORGANIZATION": ("Organisation", "building-2"),
    "DATE_TIME": ("Date", "calendar"),
    "DATE_OF_BIRTH": ("Date of birth", "calendar"),
    "NRP": ("Group", "users"),
    "URL": ("Link", "link"),
}

POLICIES: dict[str, tuple[str, str]] = {
    "substitute": (
        "Believable stand-ins",
        "Names and numbers become others of the same kind: Mr Rivera reads as Mr Moreno everywhere in the collection. "
        "Stand-ins are marked in violet, and only you can turn them back.",
    ),
    "pseudonymise": (
        "Pseudonymise",
        "Names and numbers become stand-ins such as Person 3. The same person keeps the same stand-in in the whole "
        "collection, and only you can turn them back.",
    ),
    "mask": ("Mask", "Private values become their type, such as [PERSON]. They cannot be told apart afterwards."),
    "remove": ("Remove", "Private values are left out entirely. Nothing can be turned back."),
    "keep": ("Keep", "Text is indexed as it is. Choose this only for documents without personal data."),
}

FORMAT_ICONS = {
    "pdf": "file-text",
    "docx": "file-type",
    "md": "file-code",
    "markdown": "file-code",
    "html": "globe",
    "mhtml": "globe",
    "csv": "file-spreadsheet",
    "tsv": "file-spreadsheet",
    "xlsx": "file-spreadsheet",
    "xlsb": "file-spreadsheet",
    "xls": "file-spreadsheet",
    "ods": "file-spreadsheet",
    "doc": "file-type",
    "docm": "file-type",
    "odt": "file-type",
    "rtf": "file-type",
    "pptx": "monitor",
    "ppt": "monitor",
    "odp": "monitor",
    "epub": "book-open",
    "eml": "mail",
    "msg": "mail",
    "mbox": "mail",
    "zip": "package",
    "tar": "package",
    "gz": "package",
    "bz2": "package",
    "xz": "package",
    "json": "file-code",
    "jsonl": "file-code",
    "xml": "file-code",
    "ipynb": "file-code",
    "png": "image",
    "jpg": "image",
    "jpeg": "image",
    "tiff": "image",
    "tif": "image",
    "webp": "image",
    "bmp": "image",
    "gif": "image",
    "image": "image",
    "sheet": "file-spreadsheet",
    "text": "file-text",
    "txt": "file-text",
}

SUPPORT: dict[str, tuple[str, str, str]] = {
    "supported": ("●", "ok", "Supported by the cited passage"),
    "weak": ("◐", "warn", "Only weakly supported by the cited passage"),
    "unsupported": ("○", "bad", "Not supported by the passages that were read"),
}

STAGES = {
    "bm25": "words",
    "tfidf": "words",
    "lexical": "words",
    "dense": "meaning",
    "hybrid": "score",
    "rerank": "reranked",
}


def label_name(label: str) -> str:
    """How a label of personal data reads."""
    known = LABELS.get(label)
    return known[0] if known else label.replace("_", " ").capitalize()


def label_icon(label: str) -> str:
    """The icon of a label of personal data."""
    known = LABELS.get(label)
    return known[1] if known else "lock"


def file_name(name: object) -> str:
    """A file's name on one line, with what would break or turn the line made visible.

    A right-to-left override could make "txt.exe" of "exe.txt"; a line break would hide half of a row.
    """
    return "".join("␊" if c in "\n\r" else "�" if c in _HIDDEN or ord(c) < 32 else c for c in str(name or ""))


def device(name: object) -> str:
    """A device as people write it: "cpu" -> "CPU", others as their engine calls them."""
    return "CPU" if name == "cpu" else str(name or "")


def state_look(state: str) -> Look:
    """Word, icon and colour of a document's state."""
    return STATES.get(state, Look(state.replace("_", " ").capitalize(), "info", "muted"))


def policy_name(policy: str) -> str:
    """The short name of a policy."""
    return POLICIES.get(policy, (policy, ""))[0]


def policy_text(policy: str) -> str:
    """What a policy does, in a sentence or two."""
    return POLICIES.get(policy, (policy, ""))[1]


def count(number: int) -> str:
    """1203 -> "1 203" with a thin space."""
    return f"{number:,}".replace(",", THIN_SPACE)


def plural(number: int, one: str, many: str | None = None) -> str:
    """ "1 document", "3 documents"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def cleaned_again(number: int) -> tuple[str, str]:
    """That documents were cleaned again, and why."""
    them = "It held" if number == 1 else "They held"
    was = "was" if number == 1 else "were"
    return f"{plural(number, 'document')} {was} cleaned again.", f"{them} values that were found since."


def size(octets: int | None) -> str:
    """Bytes for people: "312 KB", "94 MB"."""
    if octets is None:
        return ""
    value = float(octets)
    for unit in ("bytes", "KB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit in ("bytes", "KB") or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return ""


def memory(mebibytes: float | None) -> str:
    """MiB for people, in the decimal units of file sizes: "537 MB", "3.1 GB", "—" when unknown."""
    if mebibytes is None:
        return "—"
    # A model's file and its memory stand side by side: two kinds of megabytes would not add up.
    megabytes = mebibytes * 2**20 / 1e6
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 999.5 else f"{megabytes:.0f} MB"


def pages(document: Mapping[str, Any]) -> str:
    """ "40 pages, 12 by OCR (2 doubtful), 3 unreadable", or "" for formats without pages."""
    total, read, ocr = document.get("pages"), document.get("pages_read"), document.get("pages_ocr")
    doubtful = document.get("pages_doubtful")
    if not total:
        return ""
    parts = [plural(total, "page")]
    if document.get("state") == "failed":  # nothing is kept of what an earlier reading of it had
        return parts[0]
    if ocr:
        parts.append(f"{count(ocr)} by OCR" + (f" ({count(len(doubtful))} doubtful)" if doubtful else ""))
    # While a document is read, what has not been read yet is not unreadable.
    if read is not None and read < total and document.get("state") not in ("waiting", "reading"):
        parts.append(f"{count(total - read)} unreadable")
    return ", ".join(parts)


def reading(document: Mapping[str, Any]) -> str:
    """ "page 12 of 40 · 5 by OCR · 14 pages/min · about 2 min left", as far as it is known."""
    total, read, ocr = document.get("pages"), document.get("pages_read"), document.get("pages_ocr")
    parts = []
    if checked := document.get("pages_checked"):
        parts.append(
            f"looking for private values: page {count(checked)} of {count(document.get('pages_to_check') or 0)}"
        )
    elif read:
        parts.append(f"page {count(read)} of {count(total)}" if total else f"{plural(read, 'page')} read")
    elif total:
        parts.append(plural(total, "page"))
    if ocr and not checked:
        parts.append(f"{count(ocr)} by OCR")
    if document.get("rate"):
        parts.append(f"{plural(max(1, round(60 * document['rate'])), 'page')}/min")
    if document.get("left") is not None:
        parts.append(left(document["left"]))
    return " · ".join(parts)


def also_in(passage: Mapping[str, Any]) -> str:
    """ "Also in a.eml, b.eml and 3 more": other documents in which a passage stands word for word."""
    names = [file_name(other.get("name")) for other in passage.get("also") or []]
    if not names:
        return ""
    more = f" and {count(len(names) - MOST_NAMES)} more" if len(names) > MOST_NAMES else ""
    return f"Also in {', '.join(names[:MOST_NAMES])}{more}"


def left(seconds: float) -> str:
    """How long something will take, no more exactly than anybody can know."""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 55:
        return f"about {round(seconds / 10) * 10:.0f} s left"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {max(1, minutes)} min left"
    return f"about {plural(round(seconds / 3600), 'hour')} left"


def ago(stamp: float, now: float) -> str:
    """ "just now", "2 min ago", "3 hours ago", "4 days ago"."""
    seconds = now - stamp
    if seconds < 45:
        return "just now"
    if seconds < 3600 - 30:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < 86400 - 1800:
        return f"{plural(max(1, round(seconds / 3600)), 'hour')} ago"
    return f"{plural(max(1, round(seconds / 86400)), 'day')} ago"


def language(code: object) -> str:
    """The name of a document's language, or "" where nobody knows it."""
    return language_name(code) if code else ""


def support(level: str) -> str:
    """What a support mark means, with its sign."""
    sign, _role, meaning = SUPPORT.get(level, ("", "", ""))
    return f"{sign} {meaning}".strip()


def place(item: Mapping[str, Any]) -> str:
    """ "page 2", or the locator of a format without pages."""
    if item.get("page"):
        return f"page {item['page']}"
    return str(item.get("locator") or "")


def encoded(told: Mapping[str, Any]) -> float:
    """How far a change of encoder {passages_done, passages} is, 0..1."""
    return int(told["passages_done"]) / max(1, int(told["passages"]))


def encoding(collection: Mapping[str, Any]) -> str:
    """ "34 %" while a collection changes to another encoder, else nothing."""
    told = collection.get("next_encoder")
    return f"{100 * encoded(told):.0f} %" if told else ""


def coverage(read: int, total: int) -> str:
    """ "4 of 1 203 passages read"."""
    return f"{count(read)} of {plural(total, 'passage')} read"


def day(stamp: str | float | None, today: date | None = None) -> str:
    """The heading a conversation is listed under: Today, Yesterday, This week, or a month."""
    when = _moment(stamp)
    if when is None:
        return "Earlier"
    days = ((today or date.today()) - when.date()).days
    if days <= 0:
        return "Today"
    if days == 1:
        return "Yesterday"
    return "This week" if days < 7 else when.strftime("%B %Y")


def _moment(stamp: str | float | None) -> datetime | None:
    if isinstance(stamp, int | float):
        return datetime.fromtimestamp(stamp)
    try:
        return datetime.fromisoformat(str(stamp)).astimezone()
    except ValueError:
        return None
