"""Authorship: who wrote the lines of a run's notebook and of the local modules that ran, by the commits that hold them.

Counted are lines that are there now and not blank: of a notebook those of its cells, however the file is laid out.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from workbench.notebooks.notebook import cell_source
from workbench.records.digest import short
from workbench.records.people import is_told, person_of

# Where a line stands that no commit holds: whoever ran it answers for it.
NO_COMMIT = ""
_BLAMED = re.compile(rb"([0-9a-f]{40,64}) [0-9]+ [0-9]+")
_OPENS, _CLOSES = re.compile(r'\s*"source":\s*\[\s*'), re.compile(r"\s*\],?\s*")
_WHOLE = re.compile(r'\s*"source":\s*(".*"|\[.*\]),?\s*')
_CO_AUTHOR = re.compile(r"<?([^\s<>]+@[^\s<>]+)>?\s*$")


@dataclass(frozen=True)
class Lines:
    """How many lines of a file one commit wrote; one that another commit indented anew is counted for both."""

    commit: str
    count: int


@dataclass(frozen=True)
class WrittenFile:
    """A file below the project (or its whole path) and who wrote its lines; None where git could not say."""

    path: str
    lines: tuple[Lines, ...] | None


@dataclass(frozen=True)
class Commit:
    """Who made a commit: author, committer and co-authors, each as written and as `.mailmap` says.

    `is_cut` says that history ends there (a shallow clone): what it holds may be anybody's.
    """

    id: str
    authors: tuple[str, ...]
    is_cut: bool


@dataclass(frozen=True)
class Authorship:
    """The files whose code a run executes, and the commits that wrote their lines."""

    files: tuple[WrittenFile, ...]
    commits: tuple[Commit, ...]

    @property
    def people(self) -> set[str]:
        """Everybody who is named in it."""
        return {author for commit in self.commits for author in commit.authors}

    def naming(self, paths: Iterable[str]) -> Authorship:
        """Return it with these files as well: of those that nobody asked about, nobody can tell who wrote them."""
        known = {file.path for file in self.files}
        return replace(self, files=(*self.files, *(WrittenFile(path, None) for path in paths if path not in known)))


def join_authorships(*parts: Authorship) -> Authorship:
    """Return several as one: what two of them say alike is said once."""
    files = dict.fromkeys(file for part in parts for file in part.files)
    return Authorship(tuple(files), tuple(dict.fromkeys(commit for part in parts for commit in part.commits)))


# Lines of a file


@dataclass(frozen=True)
class SourceLine:
    """One line that somebody wrote, and on which lines of the file (from 0) it stands."""

    text: str
    places: Collection[int]


def read_source_lines(content: bytes, *, is_notebook: bool) -> list[SourceLine] | None:
    """Return the lines of a source that are not blank, of a notebook those of its cells; None for what is no notebook."""
    rows = content.decode(errors="replace").removesuffix("\n").split("\n")
    if not is_notebook:
        return [SourceLine(text, (number,)) for number, text in enumerate(rows) if text.strip()]
    try:
        written = [line for cell in json.loads(content)["cells"] for line in _split(cell_source(cell))]
        located = list(_locate_lines(rows))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if [line.text for line in located] == written:
        return located
    # In another layout than Jupyter's each of its lines may be whoever's wrote any line of the file.
    return [SourceLine(text, range(len(rows))) for text in written]


def _locate_lines(rows: Sequence[str]) -> Iterator[SourceLine]:
    is_open = False
    for number, row in enumerate(rows):
        if is_open and _CLOSES.fullmatch(row):
            is_open = False
        elif is_open:
            yield from (SourceLine(text, (number,)) for text in _split(json.loads(row.strip().removesuffix(","))))
        elif whole := _WHOLE.fullmatch(row):
            value = json.loads(whole[1])
            yield from (
                SourceLine(text, (number,)) for text in _split(value if isinstance(value, str) else "".join(value))
            )
        else:
            is_open = _OPENS.fullmatch(row) is not None


def _split(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def parse_blame(content: bytes) -> list[str]:
    """Return the commit of each line from what `git blame --porcelain` says."""
    commits, commit = [], NO_COMMIT
    for row in content.split(b"\n"):
        if row.startswith(b"\t"):
            commits.append(commit)
        elif found := _BLAMED.match(row):
            commit = found[1].decode()
    return commits


def attribute_lines(
    now: Sequence[SourceLine], committed: Sequence[SourceLine], blames: Iterable[Sequence[str]]
) -> tuple[Lines, ...] | None:
    """Return who wrote the lines that are there now, of those that were `committed` by each blame; None where one is short.

    A line that no commit holds is one of `NO_COMMIT`; its indentation alone makes no other line of it.
    """
    told = list(blames)
    shortest = min(map(len, told), default=0)
    if any(place >= shortest for line in committed for place in line.places):
        return None
    held = (_find_commits(line, told) if line else {NO_COMMIT} for line in _match_lines(committed, now))
    return tuple(
        Lines(commit, count) for commit, count in sorted(Counter(each for one in held for each in one).items())
    )


def _find_commits(line: SourceLine, blames: Sequence[Sequence[str]]) -> set[str]:
    return {blame[place] for blame in blames for place in line.places}


def _match_lines(then: Sequence[SourceLine], now: Sequence[SourceLine]) -> list[SourceLine | None]:
    """Return for each line of now the one it was, None for a new one."""
    texts, found = [line.text.strip() for line in then], [line.text.strip() for line in now]
    if texts == found:
        return list(then)
    matched: list[SourceLine | None] = [None] * len(now)
    for start, at, size in SequenceMatcher(None, texts, found, autojunk=False).get_matching_blocks():
        matched[at : at + size] = then[start : start + size]
    return matched


# Of a commit: its id; address and name of author and committer, as written and by `.mailmap`; then its co-authors, a line each.
COMMIT_FORMAT = "%H%n%ae%n%an%n%aE%n%ce%n%cn%n%cE%n%(trailers:key=Co-authored-by,valueonly)"


def parse_commits(content: bytes, cut: Collection[str]) -> list[Commit]:
    """Return the commits from what `git log -z` says in `COMMIT_FORMAT`; at those that are `cut` history ends."""
    entries = [entry.split("\n") for entry in content.decode(errors="replace").split("\0") if entry.strip()]
    return [_read_commit(entry, is_cut=entry[0] in cut) for entry in entries]


def _read_commit(entry: Sequence[str], *, is_cut: bool) -> Commit:
    number, author, author_name, mapped, committer, committer_name, mapped_committer, *trailers = entry
    names = {*_settle(author or author_name, mapped), *_settle(committer or committer_name, mapped_committer)}
    names |= {_find_address(trailer) for trailer in trailers} - {""}
    return Commit(number, tuple(sorted(names)) or (f"nobody in commit {short(number)}",), is_cut)


def _find_address(trailer: str) -> str:
    """Return the address of a co-author, wherever and in whatever letters it stands there; empty where there is none."""
    if found := _CO_AUTHOR.search(trailer):
        return found[1]
    meant = person_of(trailer)
    return meant if "@" in meant else ""


def _settle(written: str, mapped: str) -> set[str]:
    """Return who is meant: as written and as mapped, for whoever is mapped away wrote it all the same.

    Only a name that tells nobody is replaced by the one that `.mailmap` gives it.
    """
    names = {mapped} if is_told(mapped) and not is_told(written) else {written, mapped}
    return {name for name in names if name}
