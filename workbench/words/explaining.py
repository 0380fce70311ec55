"""The glossary, read from the page people read: what each word means, the same on the terminal, a page and a view."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

_ROW = re.compile(r"^\| (?P<word>[a-z][^|]*?) \| (?P<means>[^|]+) \| \[(?P<chapter>\w+)\]\([^|]+\) \|$", re.MULTILINE)


class Term(NamedTuple):
    """What a word means, in a sentence, and the chapter that says more of it."""

    means: str
    chapter: str


@cache
def read_glossary() -> Mapping[str, Term]:
    """Return every word of the glossary in the order of the alphabet."""
    page = Path(__file__).with_name("GLOSSARY.md").read_text(encoding="utf-8")
    return {row["word"]: Term(row["means"], row["chapter"]) for row in _ROW.finditer(page)}


def find_word(text: str) -> str:
    """Return the word of the glossary that is meant: in whichever case, with dashes for blanks, one for several; empty for none."""
    plain = " ".join(re.split(r"[\s_-]+", text.casefold()))
    return next((word for word in (plain, plain.removesuffix("s")) if word in read_glossary()), "")


def list_mentions(text: str) -> list[str]:
    """Return the words whose meaning speaks of something by a whole word."""
    spoken = re.compile(rf"\b{re.escape(text)}\b", re.IGNORECASE)
    return [word for word, term in read_glossary().items() if spoken.search(term.means)]


def explain(word: str) -> str:
    """Return what a word means, whatever its case; nothing of one the glossary does not have."""
    term = read_glossary().get(word.casefold())
    return term.means if term else ""


def explain_all(words: Sequence[str]) -> list[dict[str, str]]:
    """Return these words with what they mean, as JSON; raises KeyError for one the glossary does not have."""
    return [{"word": word, "means": read_glossary()[word].means} for word in words]
