"""Text of documents and models as people may safely see it: what hides or turns it shows, markup is text. Pure.

Qt takes a tooltip for HTML as soon as it looks like some, and would load the pictures it names.
"""

from __future__ import annotations

from html import escape

# The overrides, which make text read backwards, and the letters no screen shows; the marks that right-to-left
# writing needs stay. Each becomes one character, so that offsets hold.
_DECEIVING = dict.fromkeys([0x202D, 0x202E, *range(0xE0000, 0xE0080)], "�")


def visible(text: str) -> str:
    """The text with what would turn or hide parts of it replaced, one for one."""
    return text if text.isascii() else text.translate(_DECEIVING)


def tip(text: str) -> str:
    """A text for a tooltip, in which every character stands for itself."""
    shown = visible(text)
    if "<" not in shown:
        return shown
    lines = escape(shown).replace("\n", "<br>")
    return f"<qt>{lines}</qt>"


def plain(text: str) -> str:
    """A text for a button or a menu, in which an ampersand stands for itself and not for a shortcut."""
    return text.replace("&", "&&")
