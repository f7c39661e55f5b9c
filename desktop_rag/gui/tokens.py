"""The design tokens of `assets/tokens.json`: colours, type, space and radius, and the contrast between colours.

Pure: no Qt here, so that the promises of the palette can be measured without a window.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from desktop_rag import paths

THEMES = ("light", "dark", "contrast")
SURFACES = ("bg", "surface", "raised")
SEMANTIC = ("muted", "accent", "private", "ok", "warn", "bad")


@dataclass(frozen=True, slots=True)
class Tokens:
    """One theme. `colours` maps a role to "#RRGGBB"; sizes are logical pixels at 100 %."""

    name: str
    colours: dict[str, str]
    type: dict[str, int]
    radius: dict[str, int]
    size: dict[str, int]
    line_width: int

    def __getitem__(self, role: str) -> str:
        return self.colours[role]

    def tint(self, role: str, share: float, over: str = "bg") -> str:
        """`role` laid over a surface with opacity `share` (0..1)."""
        return mix(self.colours[over], self.colours[role], share)

    @property
    def hover(self) -> str:
        """The background of a control under the pointer."""
        return self.tint("text", 0.06, "surface")

    @property
    def selected(self) -> str:
        """The background of the chosen row."""
        return self.tint("accent", 0.12, "surface")

    @property
    def is_dark(self) -> bool:
        """Whether text is lighter than its background."""
        return luminance(self.colours["bg"]) < 0.5


@cache
def document() -> dict[str, Any]:
    """The token file as it lies on the disk."""
    loaded: dict[str, Any] = json.loads((paths.assets_dir() / "tokens.json").read_text(encoding="utf-8"))
    return loaded


@cache
def load(theme: str) -> Tokens:
    """The tokens of "light", "dark" or "contrast"."""
    raw = document()
    return Tokens(
        name=theme,
        colours=raw["themes"][theme],
        type=raw["type"],
        radius=raw["radius"],
        size=raw["size"],
        line_width=raw["line_width"][theme],
    )


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green, blue (0..255) of "#RRGGBB"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(under: str, over: str, share: float) -> str:
    """`over` laid on `under` with opacity `share` (0..1)."""
    pairs = zip(channels(under), channels(over), strict=True)
    return "#" + "".join(f"{round(low + (high - low) * share):02X}" for low, high in pairs)


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.2 (0 black .. 1 white)."""

    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(value) for value in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours after WCAG 2.2, 1..21."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)
