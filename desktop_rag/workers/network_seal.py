"""What the `network` process was opened for, and what it may send: asked before every request, fails closed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from desktop_rag.errors import NetworkError
from desktop_rag.privacy import egress
from desktop_rag.privacy.seal import CONNECTION
from desktop_rag.settings import Settings

# Addresses, not names: a name could lead anywhere.
_THIS_MACHINE = ("127.0.0.1", "::1")
_UNSENDABLE = "keep"


class NetworkSeal:
    """What this process was opened for, and whether it still may go on."""

    def __init__(self, data_dir: Path, purpose: str, *, opened: bool) -> None:
        self._data_dir = data_dir
        self._opened = opened
        self.purpose = purpose
        self.log = egress.Log(data_dir, "network", purpose)

    def settings(self) -> Settings:
        """As they are now: the seal may have been closed since the start."""
        return Settings(self._data_dir)

    def check(self) -> None:
        """Raises NetworkError("sealed") while the application is sealed and nobody opened this purpose just now."""
        if self.purpose not in egress.THIS_MACHINE_ONLY and not self._opened and self.settings()["sealed"]:
            self.log.refused(CONNECTION, "the application is sealed")
            raise NetworkError(
                "sealed",
                "The application is sealed: nothing may leave this computer.",
                "Switch “Sealed” off in the settings, or open the network for this one purpose.",
            )

    def checked(self, base: str) -> str:
        """The address to ask. Raises NetworkError("sealed") when a loopback process is to reach another machine."""
        parts = urlsplit(base)
        if self.purpose not in egress.THIS_MACHINE_ONLY or parts.hostname in _THIS_MACHINE:
            return base
        if parts.hostname == "localhost":
            return parts._replace(netloc=parts.netloc.lower().replace("localhost", _THIS_MACHINE[0])).geturl()
        self.log.refused(CONNECTION, egress.OUTSIDE, parts.hostname, parts.port)
        raise NetworkError(
            "sealed", "Only a server on this computer may be asked here.", "Write its address with 127.0.0.1."
        )


def check_policies(args: Mapping[str, Any]) -> None:
    """Raises NetworkError("sealed") unless every passage is known to come from a collection that is scrubbed."""
    policies = args.get("policies")
    if not isinstance(policies, list) or not all(isinstance(policy, str) for policy in policies):
        raise NetworkError(
            "sealed", "It is not known whether these passages were cleaned, so nothing was sent.", "Use a local model."
        )
    if _UNSENDABLE in policies:
        raise NetworkError(
            "sealed",
            "A collection that keeps its personal data is never sent anywhere.",
            "Use a local model for it, or add its documents to a collection that is cleaned.",
        )
