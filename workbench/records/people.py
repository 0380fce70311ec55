"""People by their names: one canonical form, by which whoever wrote is compared with whoever signs, here and nowhere else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from workbench.errors import UsageError

# What a signer can be called, so that one line of an allowed-signers file names one of them.
PRINCIPAL = re.compile(r"[\w.@+-]+", re.ASCII)
_ADDRESS = re.compile(r"([^\s@<>():;,\"']+)@([^\s@<>():;,\"'/?]+)")
# Letters and symbols that show nothing; all others of that kind are of a category that is left out whole.
_FILLERS = "\u115f\u1160\u2800"


def person_of(name: str) -> str:
    """Return whom a name means, however it is written: as git writes people, as a link, with capitals, accents or a tag.

    `Ada <ADA+lab@example.org>`, `mailto:ada@example.org.` and a name with characters nobody sees are all `ada@example.org`.
    """
    shown = "".join(map(_show, unicodedata.normalize("NFKD", name).casefold()))
    inside = shown.rpartition("<")[2].partition(">")[0] if "<" in shown else shown
    if found := _ADDRESS.findall(inside):
        user, host = found[-1]
        return f"{user.partition('+')[0].strip('.')}@{host.strip('.')}"
    return " ".join(inside.split()).removeprefix("mailto:").strip(". ")


def _show(letter: str) -> str:
    kind = unicodedata.category(letter)[0]
    return "" if kind in "CM" or letter in _FILLERS else " " if kind == "Z" else letter


def is_told(name: str) -> bool:
    """True for a name that means one person to whoever reads it: letters from elsewhere look like others, spaces name none."""
    return re.fullmatch(r"[!-~]+", person_of(name)) is not None


def is_author(principal: str, authors: Iterable[str]) -> bool:
    """True when a principal is, or might be, among the authors: a letter that no principal has may look like any letter."""
    return any(_might_be(person_of(author), person_of(principal)) for author in authors)


def name_others(names: Iterable[str], authors: Sequence[str]) -> tuple[str, ...]:
    """Return each person once who surely is none of the authors, as written first, sorted; a name that tells nobody is nobody."""
    return name_people(name for name in names if is_told(name) and not is_author(name, authors))


def _might_be(author: str, person: str) -> bool:
    return len(author) == len(person) and all(a == b or not a.isascii() for a, b in zip(author, person, strict=True))


def name_people(principals: Iterable[str]) -> tuple[str, ...]:
    """Return each person once, as written first, sorted."""
    people: dict[str, str] = {}
    for principal in principals:
        people.setdefault(person_of(principal), principal)
    return tuple(people[person] for person in sorted(people))


def spell_people(names: Sequence[str]) -> str:
    """Return names as a sentence lists them; what a reader would not see in one stands as an escape."""
    return ", ".join(name if is_told(name) else ascii(name) for name in names)


def require_principal(author: str) -> str:
    """Return an author who could be a principal; raises UsageError for any other, whom nobody could compare with who signs."""
    if PRINCIPAL.fullmatch(author) and is_told(author):
        return author
    meant = person_of(author)
    name = meant if PRINCIPAL.fullmatch(meant) else "ada@example.org"
    raise UsageError(
        f"{author!a} cannot be an author.",
        why="Authors never approve their own run, and who approves is named by letters, digits and . @ + - _ only.",
        next_step=f'Say who you are as you sign: `export WORKBENCH_AUTHOR={name}`, or author = "{name}" in [tool.workbench].',
    )
