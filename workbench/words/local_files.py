"""Files that were read, in words."""

from __future__ import annotations

from workbench.records.digest import short
from workbench.runs.local_files import LocalFilesFact, ReadFile, SeenBy

MOST_SHOWN = 20
NOTHING_READ = "no other file that is known"


def describe_reads(files: LocalFilesFact | None) -> str:
    """Return which files a run read that are no declared table, and what could not be seen of that."""
    if files is None:
        return "not known; the run is from before that was recorded"
    shown = [_name(read) for read in files.reads[:MOST_SHOWN]]
    more = len(files.reads) - len(shown) + files.more_read
    said = "; ".join([*shown, *([f"{more:,} more"] if more else [])]) or NOTHING_READ
    gaps = [*([] if files.is_complete else ["what its kernel did not tell"]), *files.unseen]
    return f"{said}. Not seen: {', '.join(gaps)}" if gaps else said


def _name(read: ReadFile) -> str:
    content = f"sha256 {short(read.digest)}" if read.digest else "content not known any more, or large"
    by = " (by a native reader, or another program meanwhile)" if read.seen_by is SeenBy.SYSTEM else ""
    return f"{read.path}, {read.bytes:,} bytes, {content}{by}"
