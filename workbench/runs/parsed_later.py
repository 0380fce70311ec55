"""A JSON object that stays text until somebody asks for what is in it: of ten thousand runs few parameters are looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any


class ParsedLater(Mapping[str, Any]):
    """The members of a JSON object; raises ValueError when asked where its text is none."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _members(self) -> dict[str, Any]:
        members: dict[str, Any] = json.loads(self._text)
        return members

    def __getitem__(self, key: str) -> Any:
        """Return a member."""
        return self._members[key]

    def __iter__(self) -> Iterator[str]:
        """Go over the names of the members."""
        return iter(self._members)

    def __len__(self) -> int:
        """Return how many members there are."""
        return len(self._members)

    def __repr__(self) -> str:
        """Return the text."""
        return self._text
