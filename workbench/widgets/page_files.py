"""Pages as files: written whole, and never over what somebody else wrote."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import UsageError
from workbench.files.disk import disk_answers
from workbench.files.whole_files import write_file

# Where a page says whose it is.
_HEAD_BYTES = 2_000
_OURS = " \u00b7 Workbench</title>"


def write_page(path: Path, html: str) -> None:
    """Write a page; one that the workbench wrote before is replaced. Raises UsageError where another file is there."""
    with disk_answers(path):
        if path.exists() and not _is_ours(path):
            raise UsageError(
                f"{path} is not written.",
                why="A file is there that is no page of the workbench.",
                next_step="Name another file, or move that one away.",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, html.encode())


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return _OURS in file.read(_HEAD_BYTES).decode(errors="replace")
