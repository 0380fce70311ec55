"""Annotations: what people say of a run beside its record. They may change at any time, and nothing is decided by them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.errors import NotFound, UsageError

LONGEST_NAME, LONGEST_NOTE = 100, 5_000
# What MLflow takes, so that a tag is the same there.
LONGEST_KEY, LONGEST_VALUE, MOST_TAGS = 250, 5_000, 100
# What is left for a number behind a name, and the hyphen.
_DIGITS = 7
_KEY = re.compile(r"[/\w.\- :]+")
_RESERVED = ("mlflow.", "workbench.")
_LIKE_AN_ID = re.compile(r"[0-9a-f]{1,12}")


@dataclass(frozen=True)
class Annotations:
    """The name, the note and the tags of a run, who said so last (`by`) and when (`at`), and since when it is `archived`.

    Times are ISO 8601 in UTC. They are no part of the run's record, provenance or evidence.
    """

    name: str | None = None
    note: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    by: str | None = None
    at: str | None = None
    archived: str | None = None

    @property
    def is_empty(self) -> bool:
        """True where nothing is said."""
        return not (self.name or self.note or self.tags)

    def number(self, number: int) -> Annotations:
        """Return the same for one run of several, which is named with its number."""
        return replace(self, name=f"{self._stem}-{number}") if self.name else self

    def find_last_number(self, others: Iterable[Annotations]) -> int:
        """Return the largest number that one of others is named with; 0 where none is."""
        named = re.compile(rf"{re.escape(self._stem)}-(\d{{1,{_DIGITS - 1}}})")
        return max((int(found[1]) for each in others if (found := named.fullmatch(each.name or ""))), default=0)

    @property
    def _stem(self) -> str:
        return (self.name or "")[: LONGEST_NAME - _DIGITS]


NOTHING_SAID = Annotations()


@dataclass(frozen=True)
class Change:
    """What is to be said otherwise: of name and note None leaves what is there and an empty text removes it."""

    name: str | None = None
    note: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    untag: Sequence[str] = ()

    def apply(self, before: Annotations, *, by: str, at: str) -> Annotations:
        """Return the annotations after it; raises UsageError, with every reason, for what cannot be said."""
        require_sayable(self)
        tags = {key: value for key, value in before.tags.items() if key not in self.untag} | dict(self.tags)
        if len(tags) > MOST_TAGS:
            raise _unsayable([f"It would have {len(tags)} tags; a run has {MOST_TAGS} at most."])
        name = before.name if self.name is None else self.name.strip() or None
        note = before.note if self.note is None else self.note.strip() or None
        return replace(before, name=name, note=note, tags=tags, by=by, at=at)


def require_sayable(change: Change) -> None:
    """Raise UsageError, with every reason, for a name, note or tag that cannot be kept."""
    if faults := [*_faults_of_texts(change), *_faults_of_tags(change.tags)]:
        raise _unsayable(faults)


def begin_annotations(name: str | None, note: str | None, tags: Mapping[str, str], *, by: str, at: str) -> Annotations:
    """Return what is said of a run before it begins; raises UsageError like `require_sayable`."""
    change = Change(name or None, note or None, tags)
    return NOTHING_SAID if change == Change() else change.apply(NOTHING_SAID, by=by, at=at)


def parse_tags(given: Iterable[str]) -> dict[str, str]:
    """Read tags as they are typed, KEY=VALUE or KEY alone (its value is empty); raises UsageError for a key given twice."""
    pairs = [(key.strip(), value.strip()) for key, _, value in (text.partition("=") for text in given)]
    keys = [key for key, _ in pairs]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise _unsayable([f"Tag {key} is given more than once." for key in twice])
    return dict(pairs)


def spell_tags(tags: Mapping[str, str]) -> str:
    """Return tags as they are typed."""
    return ", ".join(f"{key}={value}" if value else key for key, value in sorted(tags.items()))


def can_name(text: str) -> bool:
    """True for what a run may be named."""
    return not list(_faults_of_name(text))


def _faults_of_texts(change: Change) -> Iterator[str]:
    if change.name and change.name.strip():
        yield from _faults_of_name(change.name.strip())
    note = change.note or ""
    if len(note) > LONGEST_NOTE or not note.replace("\n", "").replace("\t", "").isprintable():
        yield f"A note has up to {LONGEST_NOTE:,} characters, all of them printable; this one has {len(note):,}."


def _faults_of_name(name: str) -> Iterator[str]:
    if not name.isprintable() or len(name) > LONGEST_NAME:
        yield f"A name has up to {LONGEST_NAME} printable characters; this one has {len(name):,}."
    elif _LIKE_AN_ID.fullmatch(name):
        yield f"{name!r} could be the beginning of a run's id: use a letter beyond f, a capital or a hyphen."
    elif name.startswith("-"):
        yield f"{name!r} would be taken for an option."


def _faults_of_tags(tags: Mapping[str, Any]) -> Iterator[str]:
    for key, value in tags.items():
        if not _is_key(key):
            yield (
                f"{key[:60]!r} is no key of a tag: it has up to {LONGEST_KEY} letters, digits, blanks and _ . - / :, and does "
                f"not begin with {' or '.join(_RESERVED)}"
            )
        if not isinstance(value, str) or len(value) > LONGEST_VALUE or not value.isprintable():
            yield f"The value of tag {key[:60]} must be a text of up to {LONGEST_VALUE:,} printable characters."


def _is_key(key: str) -> bool:
    is_path = posixpath.normpath(key) == key != "." and not key.startswith(("/", ".."))
    return len(key) <= LONGEST_KEY and bool(_KEY.fullmatch(key)) and is_path and not key.lower().startswith(_RESERVED)


def _unsayable(faults: Sequence[str]) -> UsageError:
    return UsageError(
        "That cannot be said of a run.", why=sorted(faults), next_step="Nothing was changed; say it otherwise."
    )


def say_not_one(text: str, found: Sequence[str], *, is_id: bool) -> NotFound:
    """Return why a text names no single run."""
    does = "begins with" if is_id else "is named"
    if not found:
        what = f"No run begins with {text!r}." if is_id else f"{text!r} is neither a run's id nor the name of one."
        return NotFound(what, next_step="`workbench runs` lists them.")
    why = f"These do: {', '.join(found[:3])}{' and more' if len(found) > 3 else ''}."
    return NotFound(f"More than one run {does} {text!r}.", why=why, next_step="Say which, by its id.")
