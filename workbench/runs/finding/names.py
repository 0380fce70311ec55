"""What names mean: which of what runs have is called so, and what is said where it is none or several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Protocol

from workbench.runs.finding.conditions import Name

_EVERY = ("run", "metrics", "params", "tags")
_NOUNS = {"": "anything called", "run": "a fact", "metrics": "a metric", "params": "a parameter", "tags": "a tag"}
# What an author named himself is what he looks for; the facts are the same in every project.
_TOLD_FIRST = ("params", "metrics", "tags", "run")
_MOST_NAMED, _MOST_NEAR = 12, 3
_SHORTEST_PIECE = 3


class Rows(Protocol):
    """Runs side by side, read by the column: `of` is run, metrics, params or tags."""

    def __len__(self) -> int: ...

    def id_at(self, place: int) -> str:
        """Return the id of a run by its place."""
        ...

    def list_keys(self, of: str) -> set[str]:
        """Return the names that there are of something."""
        ...

    def read(self, of: str, key: str) -> list[Any]:
        """Return a value of each run, `MISSING` where it has none."""
        ...


def find_meanings(name: Name, table: Rows) -> list[str]:
    """Return of what a name is something: of runs themselves, their metrics, parameters or tags."""
    return [of for of in ([name.of] if name.of else _EVERY) if name.key in table.list_keys(of)]


def say_no_such_name(name: Name, meanings: Sequence[str], table: Rows) -> str:
    """Say why a name means no one thing, and what would; `meanings` is what `find_meanings` returned."""
    if meanings:
        ways = " or ".join(f"{of}.{_quote(name.key)}" for of in meanings)
        return f"{name.key!r} means more than one thing here. Write {ways}."
    asked = [name.of] if name.of else _TOLD_FIRST
    every = list(dict.fromkeys(key for of in asked for key in sorted(table.list_keys(of))))
    near = list_near(name.key, every)
    more = " …" if len(every) > _MOST_NAMED else ""
    hint = f"Near it: {', '.join(near)}." if near else f"There are: {', '.join(every[:_MOST_NAMED])}{more}."
    return f"no run has {_NOUNS[name.of]} {name.key!r}. {hint if every else 'There is none.'}"


def list_near(text: str, every: Sequence[str]) -> list[str]:
    """Return the names that somebody may have meant: by their first letters, as a piece of one, then by their spelling."""
    asked = text.casefold()
    initials = [key for key in every if _spell_initials(key) == asked]
    pieces = [key for key in every if _is_piece(asked, key.casefold()) or _is_piece(key.casefold(), asked)]
    return list(dict.fromkeys([*initials, *pieces, *get_close_matches(text, every, n=_MOST_NEAR)]))[:_MOST_NEAR]


def _spell_initials(key: str) -> str:
    """Return the first letters of a name's words: `lr` of `learning_rate` and of `learningRate`."""
    words = re.findall(r"[^\W\d_]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key))
    return "".join(word[0] for word in words).casefold() if len(words) > 1 else ""


def _is_piece(piece: str, of: str) -> bool:
    return len(piece) >= _SHORTEST_PIECE and piece in of


def _quote(key: str) -> str:
    return key if re.fullmatch(r"[^\W\d][\w./:\-]*", key) else f"`{key}`"
