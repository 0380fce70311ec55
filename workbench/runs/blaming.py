"""Blaming: git is asked who wrote the lines of files, and says nothing of what it does not have."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from workbench.files.git import ask_git, ask_git_for_bytes
from workbench.records.digest import canonical_json, sha256_hex
from workbench.runs.authorship import (
    COMMIT_FORMAT,
    NO_COMMIT,
    Authorship,
    Commit,
    Lines,
    WrittenFile,
    attribute_lines,
    parse_blame,
    parse_commits,
    read_source_lines,
)
from workbench.runs.provenance import name_path

_NOTEBOOK = ".ipynb"
# No commit is looked past, whatever a project's settings say.
_BLAME = ("--porcelain", "--root", "--ignore-revs-file=")
# Who indents a notebook's JSON anew or puts a line after another wrote no line of it.
_PLAIN = r"LC_ALL=C sed -e 's/[[:space:]]*$//' -e 's/^[[:space:]]*//' -e 's/,$//' -e 's/\\n\"$/\"/'"
_DRIVER = "workbench-notebook"


class Blamer:
    """Who wrote the files of a `project`; while one lives, git is asked once about each state of a module and its history."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self._lines: dict[tuple[Path, str | None, str | None], tuple[Lines, ...]] = {}
        self._commits: dict[str, Commit] = {}

    def read_files(self, files: Iterable[Path]) -> Authorship:
        """Return who wrote the lines of these files as they are now; where there is no git, that no commit holds them."""
        return self._describe({name_path(str(path), self.project): self._blame(path, _read(path)) for path in files})

    def read_modules(self, code: Mapping[str, tuple[str | None, str | None]]) -> Authorship:
        """Return who wrote what ran, by path with its digest and its text as far as they are known.

        Nobody can tell of a module that is not there any more as it ran; but for one in no repository, which no commit ever held.
        """
        real = {path: Path(path).resolve() for path in code}
        heads = {folder: ask_git(folder, "rev-parse", "HEAD") for folder in {path.parent for path in real.values()}}
        lines = {path: self._recall(real[path], *code[path], heads[real[path].parent]) for path in sorted(code)}
        return self._describe({name_path(path, self.project): each for path, each in lines.items()})

    def _recall(self, path: Path, digest: str | None, text: str | None, head: str | None) -> tuple[Lines, ...] | None:
        content, state = _read_as_it_ran(path, digest, text), (path, digest, head)
        if content is not None and state not in self._lines:
            lines = self._blame(path, content)
            if lines is None:  # git may say it the next time
                return None
            self._lines[state] = lines
        return None if content is None else self._lines[state]

    def _blame(self, path: Path, content: bytes | None) -> tuple[Lines, ...] | None:
        """Return who wrote the lines of a content, once their commits are known; None where nobody can tell."""
        lines = None if content is None else _read_lines(path, content)
        unknown = sorted({each.commit for each in lines or ()} - {NO_COMMIT, *self._commits})
        found = _read_commits(path.parent, unknown) if unknown else []
        self._commits |= {commit.id: commit for commit in found or ()}
        return None if found is None else lines

    def _describe(self, files: Mapping[str, tuple[Lines, ...] | None]) -> Authorship:
        named = {each.commit for lines in files.values() for each in lines or ()} & {*self._commits}
        written = tuple(WrittenFile(name, lines) for name, lines in files.items())
        return Authorship(written, tuple(self._commits[each] for each in sorted(named)))


def read_committers(project: Path) -> set[str]:
    """Return who made the newest 1,000 commits of notebooks and modules in a project; nobody where git cannot say."""
    kinds, most = (f"*{_NOTEBOOK}", "*.py"), "--max-count=1000"
    said = ask_git_for_bytes(
        project, "--no-literal-pathspecs", "log", most, "-z", f"--format={COMMIT_FORMAT}", "--", *kinds
    )
    return {author for commit in parse_commits(said or b"", ()) for author in commit.authors}


def write_authorship(path: Path, files: Sequence[Path], project: Path) -> None:
    """Keep who wrote these files, for nobody approves what they wrote themselves; of no files nothing is kept."""
    path.unlink(missing_ok=True)
    if files:
        path.write_bytes(canonical_json(asdict(Blamer(project).read_files(files))))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _read_as_it_ran(path: Path, digest: str | None, text: str | None) -> bytes | None:
    """Return the content that ran: from the file, or, where no repository is that could have held it, as it was kept."""
    kept = text.encode(errors="replace") if text is not None and not _has_repository(path) else None
    return next((each for each in (_read(path), kept) if each is not None and sha256_hex(each) == digest), None)


def _has_repository(path: Path) -> bool:
    return any((folder / ".git").exists() for folder in path.parents)


def _read_lines(path: Path, content: bytes) -> tuple[Lines, ...] | None:
    """Return who wrote the lines of a file's content; None where git has a history and cannot say."""
    is_notebook = path.suffix == _NOTEBOOK
    now = read_source_lines(content, is_notebook=is_notebook)
    held = _find_committed(path)
    if now is None or held is None:
        return None
    if not held:
        return attribute_lines(now, [], [])
    blob, blames = ask_git_for_bytes(path.parent, "cat-file", "blob", held), _blame(path, is_notebook=is_notebook)
    if blob is None or blames is None:
        return None
    # What git keeps may be no notebook, but where one lies (large file storage): then nobody can tell.
    committed = read_source_lines(blob, is_notebook=is_notebook)
    return None if committed is None else attribute_lines(now, committed, blames)


def _find_committed(path: Path) -> str | None:
    """Return the blob that the commit has of a file, empty where there is none: no commit, or no git; None where git cannot say."""
    if ask_git(path.parent, "rev-parse", "--git-dir") is None:
        return None if _has_repository(path) else ""
    listed = ask_git_for_bytes(path.parent, "ls-tree", "HEAD", "--", path.name)
    if listed is None:
        return "" if ask_git(path.parent, "rev-parse", "--quiet", "--verify", "HEAD") is None else None
    return listed.split()[2].decode() if listed else ""


def _blame(path: Path, *, is_notebook: bool) -> list[Sequence[str]] | None:
    """Return the commit of each committed line, once with and once without who only changed its spaces."""
    with ExitStack() as stack:
        plain = _plainly(path, stack.enter_context(tempfile.TemporaryDirectory(prefix="blame-"))) if is_notebook else []
        convert = "--textconv" if is_notebook else "--no-textconv"
        said = [
            ask_git_for_bytes(path.parent, *plain, "blame", *_BLAME, convert, *how, "HEAD", "--", path.name)
            for how in ((), ("-w",))
        ]
    return None if None in said else [parse_blame(each) for each in said if each is not None]


def _plainly(path: Path, folder: str) -> list[str]:
    """Return how git is told to blame a notebook's lines without the JSON around them, by whatever driver its diffs have."""
    attributes = Path(folder, "attributes")
    attributes.write_text(f"*{_NOTEBOOK} diff={_DRIVER}\n", encoding="utf-8")
    given = ["-c", f"core.attributesFile={attributes}"]
    said = ask_git(path.parent, *given, "check-attr", "diff", "--", path.name) or ""
    driver = said.rpartition(": ")[2] or _DRIVER
    return [*given, "-c", f"diff.{driver}.textconv={_PLAIN}", "-c", f"diff.{driver}.cachetextconv=false"]


def _read_commits(folder: Path, ids: Sequence[str]) -> list[Commit] | None:
    """Return who made commits; None where git cannot say."""
    cut = _find_cut(folder)
    said = ask_git_for_bytes(
        folder,
        "log",
        "--no-walk=unsorted",
        "--stdin",
        "-z",
        f"--format={COMMIT_FORMAT}",
        text="".join(f"{each}\n" for each in ids),
    )
    return None if said is None or cut is None else parse_commits(said, cut)


def _find_cut(folder: Path) -> frozenset[str] | None:
    """Return the commits at which history ends because the clone is shallow; None where nobody can tell."""
    said = ask_git_for_bytes(folder, "rev-parse", "--git-path", "shallow")
    if said is None:
        return None
    path = folder / os.fsdecode(said.rstrip(b"\n"))
    try:
        return frozenset(path.read_text(encoding="ascii").split()) if path.exists() else frozenset()
    except (OSError, ValueError):
        return None
