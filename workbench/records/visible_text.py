"""What people write, as others see it: how much of it shows, and whether it is words."""

from __future__ import annotations

import math
import unicodedata

MOST_CHARACTERS = 20_000
# Fewest different letters and digits of a text that is asked to be this long or longer.
_DIFFERENT = 5
# They count as letters and symbols, and show nothing: Hangul fillers, the blanks of Braille, notes and hieroglyphs, a placeholder.
_BLANK = frozenset("\u115f\u1160\u2800\ufffc\U0001d159\U00013441\U00013442")


def read_visible(text: str) -> str:
    """Return a text without what shows nothing: format and control characters, marks without a letter, blanks; spaces stay one."""
    plain = unicodedata.normalize("NFKC", text)
    shown = (" " if each.isspace() else each for each in plain if each.isspace() or _shows(each))
    return " ".join("".join(shown).split())


def _shows(character: str) -> bool:
    kind = unicodedata.category(character)
    return (kind[0] in "LNPS" or kind == "Mc") and character not in _BLANK


def find_text_fault(text: str, fewest: float) -> str | None:
    """Return why a text is not words of at least `fewest` visible characters and at most `MOST_CHARACTERS`, None when it is."""
    if len(text) > MOST_CHARACTERS:
        return f"It has {len(text):,} characters of at most {MOST_CHARACTERS:,}."
    visible, needed = read_visible(text), math.ceil(max(fewest, 1) / 2)
    if len(visible) < max(fewest, 1):
        return f"It has {len(visible)} visible characters of at least {max(fewest, 1):g}."
    words = [each.casefold() for each in visible if each.isalnum()]
    if len(words) < needed:
        return (
            f"{len(words)} of its {len(visible)} visible characters are letters or digits; at least {needed} must be."
        )
    different, least = len(set(words)), min(_DIFFERENT, needed)
    if different < least:
        return f"It repeats {different} letters or digits; at least {least} different ones make words."
    return None
