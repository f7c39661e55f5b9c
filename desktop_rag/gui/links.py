"""Addresses in a text, and whose they are: only those of the web, and never behind other words. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# Letters of other alphabets in an address are what deceives best: such an address stays text.
LINK = re.compile(r"https?://[!#-&+-;=?-Z^_a-z{|}~]+(?<![.,;:!?])(?!\w)")


def host_of(address: str) -> str | None:
    """The host an address leads to; None for one that is not plainly of the web.

    What stands before an "@" in an address looks like a host and is none.
    """
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or "\\" in address:
        return None
    return f"{parts.hostname}{port}"
