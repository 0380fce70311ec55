"""The files of a run, in words: what it took from the project, what it kept, what it wrote beside its folder."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.records.digest import short
from workbench.runs.kept_files import read_kept_files
from workbench.runs.local_files import SeenBy
from workbench.runs.run import Run
from workbench.runs.written_files import WrittenFile, read_written_files

_FEW_ROWS = 5
_ALL = "--json names them"


def list_files(run: Run) -> Iterator[tuple[str, str]]:
    """Yield what is said of each file of a run, with what it is to the run; of very many the first ones."""
    files = run.record.get("local_files") or {"modules": [], "reads": []}
    for module in files["modules"]:
        yield "local code", f"{module['path']}, {module['standing']}, {short(module['digest'] or 'unknown')}"
    reads = [_describe(read["path"], read["bytes"], read["digest"]) for read in files["reads"]]
    yield from _list_few("also read", reads)
    yield from _list_few(
        "kept", [_describe(each.path, each.bytes, each.digest) for each in read_kept_files(run.record)]
    )
    yield from _list_few("wrote beside", [_describe_written(each) for each in read_written_files(run.record)])


def _list_few(what: str, lines: list[str]) -> Iterator[tuple[str, str]]:
    yield from ((what, line) for line in lines[:_FEW_ROWS])
    if len(lines) > _FEW_ROWS:
        yield what, f"{len(lines) - _FEW_ROWS:,} files more; {_ALL}"


def _describe_written(file: WrittenFile) -> str:
    how = ", added to" if file.appended else ""
    by = ", by a native writer or another program" if file.seen_by is SeenBy.SYSTEM else ""
    return f"{file.path}, {file.bytes:,} bytes{how}{by}"


def _describe(path: str, count: int, digest: str | None) -> str:
    return f"{path}, {count:,} bytes, {short(digest or 'unknown')}"
