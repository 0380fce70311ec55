"""Numbers and times as people read them: four significant digits a column, thousands apart, a real minus sign."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from math import floor, isfinite, log10
from typing import Any

MISSING = "\N{EN DASH}"
_MOST_DECIMALS = 6


def choose_decimals(values: Iterable[float | None], digits: int = 4) -> int:
    """Return how many decimals give the largest of these values `digits` significant digits."""
    sizes = [abs(value) for value in values if value is not None and isfinite(value) and value]
    if not sizes:
        return 0
    return min(max(digits - 1 - floor(log10(max(sizes))), 0), _MOST_DECIMALS)


def format_number(value: float | None, decimals: int) -> str:
    """Return a value with fixed decimals; a dash when there is none."""
    if value is None or not isfinite(value):
        return MISSING
    return _with_minus(f"{value:,.{decimals}f}", f"{value:.2e}")


def format_signed(value: float | None, decimals: int) -> str:
    """Return a difference with its sign; zero has none."""
    if value is None or not isfinite(value):
        return MISSING
    return _with_minus(f"{value:+,.{decimals}f}", f"{value:+.2e}")


def _with_minus(fixed: str, scientific: str) -> str:
    # Six decimals that are all zero would hide a value that is not zero.
    is_hidden = not _is_nonzero(fixed) and _is_nonzero(scientific) and len(fixed.lstrip("+-")) == _MOST_DECIMALS + 2
    chosen = scientific if is_hidden else fixed
    return chosen.replace("-", "\N{MINUS SIGN}") if _is_nonzero(chosen) else chosen.lstrip("+-")


def _is_nonzero(text: str) -> bool:
    return float(text.replace(",", "")) != 0


def format_value(value: Any, longest: int = 32) -> str:
    """Return a parameter's value in one line of at most `longest` characters."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and isfinite(value):
        return f"{value:.4g}".replace("-", "\N{MINUS SIGN}") if value else "0"
    text = f"{value:,}" if isinstance(value, int) else " ".join(str(value).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def format_share(value: float) -> str:
    """Return a share in per cent with as many nines as it has: 0.9958 is 99.6 %."""
    digits = 3 if value < 0.999 or value >= 1 else 2 - floor(log10(1 - value))
    return f"{100 * value:.{digits}g} %"


def words(name: str) -> str:
    """Return the name of a check, a question or a role as words."""
    return name.replace("_", " ")


def sentence_case(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def format_time(moment: datetime) -> str:
    """Return a time in UTC to the minute, for people."""
    return f"{moment.astimezone(UTC):%-d %b %Y, %H:%M} UTC"


def read_time(text: str) -> str:
    """Return an ISO 8601 time as people read it; what is not one stays as it is."""
    try:
        return format_time(datetime.fromisoformat(text))
    except ValueError:
        return text
