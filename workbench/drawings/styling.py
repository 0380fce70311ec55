"""Styling: the style sheet of pictures, which a page shows them with."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_STYLE = Path(__file__).parent / "pictures.css"


@cache
def read_picture_style() -> str:
    """Return the style sheet, for a light and a dark page."""
    return _STYLE.read_text(encoding="utf-8")
