"""Addresses of stores and servers as they may be shown: without the password that stands in them."""

from __future__ import annotations

import re

# A password that is written as it is may hold the sign that ends it: it goes on to the last one, and parsers tell the pieces.
_OF_A_USER = re.compile(r"(?:[\w+.\-]+://)?[^/?#:]*:([^/?#]*)@")
_IN_A_QUERY = re.compile(r"[?&](?:\w*password|passwd|pwd|\w*token|\w*secret|\w*key)=([^&#]*)", re.IGNORECASE)
_HIDDEN = "***"


def hide_passwords(text: str, address: str) -> str:
    """Return a text, the address itself or what was said of it, without the passwords that stand in the address."""
    user = _OF_A_USER.match(address)
    found = [*([user[1], *user[1].split("@")] if user else []), *_IN_A_QUERY.findall(address)]
    for password in sorted({*found} - {""}, key=len, reverse=True):
        text = text.replace(password, _HIDDEN)
    return text
