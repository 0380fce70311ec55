"""Whose work it is: who wrote the lines that approvers are to be independent of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.policies.policy import AuthorRule
from workbench.runs.authorship import NO_COMMIT, Authorship, Commit, Lines, WrittenFile


@dataclass(frozen=True)
class WrittenFact:
    """A file that ran: the commits that wrote its lines; with neither these nor others git could not say.

    Of the lines that count, `uncommitted` ones stand in no commit (who ran it answers for them), and of `untold` ones nobody can
    tell who wrote them: they are older than the history that is there.
    """

    path: str
    commits: tuple[str, ...]
    uncommitted: int
    untold: int


@dataclass(frozen=True)
class AuthorshipFact:
    """The notebook and the local modules that ran, and the `authors` of those lines that count.

    `since` is the version whose lines do not count any more, as it was approved with them; None where all lines count.
    """

    since: int | None
    files: tuple[WrittenFact, ...]
    authors: tuple[str, ...]


@dataclass(frozen=True)
class Approved:
    """What was released last of a model: its version, and what was said of its lines (None: nothing)."""

    version: int
    authorship: AuthorshipFact | None


def measure_authorship(
    written: Authorship | None, approved: Approved | None, rule: AuthorRule
) -> AuthorshipFact | None:
    """Return whose lines count by the policy's rule; None where nobody asked git when it ran.

    By `changed_lines` those count that a file did not have when the model was last released; by `all_lines` all do.
    """
    if written is None:
        return None
    before = approved if approved and approved.authorship and rule == "changed_lines" else None
    known = {file.path: file.commits for file in before.authorship.files} if before and before.authorship else {}
    commits = {commit.id: commit for commit in written.commits}
    files = [file for file in written.files if file.lines != ()]  # of an empty one nobody wrote a line
    new = [(file, [each for each in file.lines or () if each.commit not in known.get(file.path, ())]) for file in files]
    told = {each.commit for _, lines in new for each in lines} & {*commits}
    return AuthorshipFact(
        since=before.version if before else None,
        files=tuple(_describe_file(file, lines, commits) for file, lines in new),
        authors=tuple(sorted({author for each in told for author in commits[each].authors})),
    )


def _describe_file(file: WrittenFile, new: Sequence[Lines], commits: Mapping[str, Commit]) -> WrittenFact:
    """Return what is said of a file; a commit at which history ends is none of those that wrote its lines."""
    whole = [each.commit for each in file.lines or () if each.commit in commits and not commits[each.commit].is_cut]
    uncommitted = sum(each.count for each in new if each.commit == NO_COMMIT)
    untold = sum(each.count for each in new) - uncommitted - sum(each.count for each in new if each.commit in whole)
    return WrittenFact(file.path, tuple(whole), uncommitted, untold)
