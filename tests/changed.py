"""Which fast tests a change asks for: `python -m tests.changed` names them.

They are those of the chapters at and above what git says was changed since the last commit; where nothing was, or where it
belongs to no chapter (settings, dependencies, what all tests share), they are all.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from workbench.cli.chapters import CHAPTERS

ROOT = Path(__file__).parents[1]
ALL = ["tests/unit", "tests/contract"]
# Of no chapter, and quick: the order of the house, its documentation, its settings.
ALWAYS = [f"tests/unit/test_{name}.py" for name in ("architecture", "changed", "config", "documentation", "soak")]
_SAYS_NOTHING = {".md", ".sh", ".txt", ".png"}


def choose_tests(changed: Iterable[str]) -> list[str]:
    """Return the folders and files that pytest is to run, for changed paths as git spells them."""
    paths = [PurePosixPath(path) for path in changed]
    chapters = {_chapter_of(path) for path in paths if path.suffix not in _SAYS_NOTHING}
    if not paths or None in chapters:
        return ALL
    lowest = min((CHAPTERS.index(name) for name in chapters if name), default=len(CHAPTERS))
    folders = [f"tests/unit/{name}" for name in CHAPTERS[lowest:] if (ROOT / "tests" / "unit" / name).is_dir()]
    return [*ALWAYS, *folders, *(["tests/contract"] if lowest <= CHAPTERS.index("runs") else [])]


def _chapter_of(path: PurePosixPath) -> str | None:
    """Return the chapter a file belongs to, None for what belongs to all of them."""
    match path.parts:
        case ("workbench", name, _, *_) | ("tests", "unit" | "integration", name, _, *_) if name in CHAPTERS:
            return name
        case ("tests", "contract", *_):
            return "runs"
        case ("tests", "e2e" | "soak" | "benchmarks", *_):
            return CHAPTERS[-1]
    return None


def list_changed() -> list[str]:
    """Return what differs from the last commit, files that git does not know yet among it."""
    command = ["git", "-C", str(ROOT), "status", "--porcelain", "--no-renames", "--untracked-files=all"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line[3:].strip('"') for line in said.splitlines()]


if __name__ == "__main__":
    sys.stdout.write(" ".join(choose_tests(list_changed())))
