"""How things are named: what is legal in a file name, an address and a command line alike."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def is_plain_name(name: str) -> bool:
    """True for a file name that every system and page can show: printable text without a backslash."""
    return name.isprintable() and "\\" not in name and _is_unicode(name)


def _is_unicode(name: str) -> bool:
    # A name of bytes that are no text is read as halves of characters.
    return not any("\ud800" <= character <= "\udfff" for character in name)
