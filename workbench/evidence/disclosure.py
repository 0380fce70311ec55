"""Disclosure: shapes of text that nobody should show: secrets, and data about a person.

Known values are cut out before anything is written (see `redaction`); this finds what nobody declared. It knows shapes, so it
misses a secret that looks like any other word, and it never repeats what it found.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping

_ASSIGNED = re.compile(
    r"(?i)(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)[\w-]{0,20}"
    r"""["'\\]{0,4}\s*(?:=>|[:=])\s*["'\\]{0,4}([^\s"'<>,;(){}\[\]\\]{8,200})"""
)
SECRETS: Mapping[str, re.Pattern[str]] = {
    "AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})"),
    "GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "Google API key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    "OpenAI or Anthropic key": re.compile(r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}"),
    "Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    "Slack webhook": re.compile(r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,}"),
    "Stripe key": re.compile(r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    "URL with a password": re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{1,80}:[^\s/:@\"'<>]{3,200}@[\w.-]+"),
    "authorization header": re.compile(
        r"(?i)\bauthorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)\s+[A-Za-z0-9+/=._~-]{8,}"
    ),
    "private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
}
_EMAIL = re.compile(
    r"(?<![\w.+/-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}\b"
)
_IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_CARD = re.compile(
    r"(?<![\w.+-])(?:[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{1,7}|[0-9]{13,19}|[0-9]{4} [0-9]{6} [0-9]{5})(?![\w.])"
)
# Of the networks in use: who issued it, and how long such a number is.
_ISSUED = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}|3[47][0-9]{13}|6(?:011|5[0-9]{2})[0-9]{12}"
)
# Whose mail nobody reads (RFC 2606), and what only looks like an address.
_NOBODY = re.compile(
    r"(?i)@(?:[\w.-]+\.)?(?:example\.(?:com|org|net)|example|invalid|test|localhost)$|^(?:git|noreply|no-reply)@"
)
_LEAST_BITS = 3.0
_SECRET_WORDS = ("[secret]", "secret:", "env:", "file:", "keyring:", "none", "null", "true", "false")


def find_secrets(text: str) -> dict[str, int]:
    """Return how often each kind of secret is seen in a text."""
    found = {kind: len(pattern.findall(text)) for kind, pattern in SECRETS.items()}
    found["value given to a secret's name"] = sum(_looks_drawn(value) for value in _ASSIGNED.findall(text))
    return {kind: count for kind, count in found.items() if count}


def find_personal(text: str, *, known: Collection[str] = ()) -> dict[str, int]:
    """Return how often each kind of personal data is seen; `known` addresses are no finding."""
    addresses = [each for each in _EMAIL.findall(text) if each not in known and not _NOBODY.search(each)]
    found = {
        "e-mail address": len(addresses),
        "IBAN": _count(_IBAN, text, _is_iban),
        "payment card number": _count(_CARD, text, _is_card),
    }
    return {kind: count for kind, count in found.items() if count}


def _count(pattern: re.Pattern[str], text: str, is_one: Callable[[str], bool]) -> int:
    return sum(is_one(found[0]) for found in pattern.finditer(text))


def _looks_drawn(value: str) -> bool:
    """True for what was drawn at random rather than written: letters and digits mixed, and no word, path or reference."""
    if value.lower().startswith(_SECRET_WORDS) or set(value) <= set("*.x-_…"):
        return False
    kinds = (str.isdigit, str.isalpha)
    return all(any(map(kind, value)) for kind in kinds) and _entropy(value) >= _LEAST_BITS


def _entropy(text: str) -> float:
    """Return the bits a character of a text carries by how often each stands in it (Shannon 1948)."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)


def _is_iban(text: str) -> bool:
    """True when the check digits of ISO 13616 hold."""
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    digits = "".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])
    return int(digits) % 97 == 1


def _is_card(text: str) -> bool:
    """True for a number of a known network whose last digit is right (Luhn, ISO/IEC 7812)."""
    plain = re.sub(r"[ -]", "", text)
    if not _ISSUED.fullmatch(plain):
        return False
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in plain[-2::-2]]
    return (sum(doubled) + sum(int(digit) for digit in plain[-1::-2])) % 10 == 0
