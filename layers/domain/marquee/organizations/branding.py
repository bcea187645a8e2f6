"""The look of an organization's pages: a logo by reference, and colours that people can read (WCAG 2.2, level AA)."""

from typing import Annotated

from pydantic import ConfigDict, Field

from marquee.core.errors import Refused
from marquee.core.models import Request
from marquee.core.text_types import Line

CONTRAST_MIN = 4.5
"""The least contrast of text with its background, by success criterion 1.4.3."""

Color = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$", examples=["#1A1A2E"])]


class Colors(Request):
    """The colours of the pages. Each text colour needs a contrast of at least 4.5 with its background."""

    background: Color
    text: Annotated[Color, Field(description="Text on `background`.")]
    primary: Annotated[Color, Field(description="Buttons and other areas that stand out.")]
    on_primary: Annotated[Color, Field(description="Text on `primary`.")]


class Branding(Request):
    """The look of an organization's pages."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "logo_url": "https://images.example.com/logo.svg",
                    "colors": {
                        "background": "#FFFFFF", "text": "#1A1A2E", "primary": "#0B5FFF", "on_primary": "#FFFFFF"
                    },
                }
            ]
        }
    )  # fmt: skip

    logo_url: Annotated[Line, Field(max_length=500, pattern=r"^https://[^\s]+$")] | None = None
    colors: Colors | None = None


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 (the same) to 21 (black and white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def check(branding: Branding | None) -> None:
    """Refuse colours that are hard to read. Refuses: 422 low_contrast."""
    if branding is None or branding.colors is None:
        return
    colors = branding.colors
    pairs = {"text": (colors.text, colors.background), "on_primary": (colors.on_primary, colors.primary)}
    for member, (front, behind) in pairs.items():
        ratio = contrast(front, behind)
        if ratio < CONTRAST_MIN:
            # Rounded down, so that no refused ratio reads as 4.5.
            raise Refused(422, "low_contrast", member=member, contrast=int(ratio * 100) / 100)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(int(color[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return float(channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)
