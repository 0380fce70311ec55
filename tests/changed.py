"""Which fast tests a change asks for: `python -m tests.changed` names them.

They are those that are of, or import, a chapter at or above what git says was changed since the last commit; where nothing was, or
where it belongs to no chapter (settings, dependencies, templates, what all tests share), they are all.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path, PurePosixPath

from workbench.cli.chapters import CHAPTERS

ROOT = Path(__file__).parents[1]
ALL = ["tests/unit", "tests/contract"]
# Of no chapter, and quick: the order of the house, its documentation, its settings.
ALWAYS = [
    f"tests/unit/test_{name}.py"
    for name in ("architecture", "changed", "config", "documentation", "harmless", "nesting", "soak")
]
_SAYS_NOTHING = {".md", ".sh", ".txt", ".png"}


def choose_tests(changed: Iterable[str]) -> list[str]:
    """Return the files that pytest is to run, for changed paths as git spells them."""
    paths = [PurePosixPath(path) for path in changed]
    chapters = {_chapter_of(path) for path in paths if not _says_nothing(path)}
    if not paths or None in chapters:
        return ALL
    lowest = min((CHAPTERS.index(name) for name in chapters if name), default=len(CHAPTERS))
    return [*ALWAYS, *(name for name, highest in _highest_chapters().items() if highest >= lowest)]


def _says_nothing(path: PurePosixPath) -> bool:
    return path.suffix in _SAYS_NOTHING and path.parts[0] != "templates"


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


@cache
def _highest_chapters() -> dict[str, int]:
    """Return by test file the place of the highest chapter it is of or imports: what lies at or below it may break it."""
    found = {}
    for path in sorted(
        (*(ROOT / "tests" / "unit").glob("*/test_*.py"), *(ROOT / "tests" / "contract").glob("test_*.py"))
    ):
        own = path.parent.name if path.parent.name in CHAPTERS else "runs"
        named = re.findall(r"\b(?:workbench|tests\.unit)\.(\w+)", path.read_text(encoding="utf-8"))
        found[str(path.relative_to(ROOT))] = max(CHAPTERS.index(name) for name in (own, *named) if name in CHAPTERS)
    return found


def list_changed() -> list[str]:
    """Return what differs from the last commit, files that git does not know yet among it; nothing where git cannot tell."""
    command = ["git", "-C", str(ROOT), "status", "--porcelain", "--no-renames", "--untracked-files=all"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    return [line[3:].strip('"') for line in said.splitlines()]


if __name__ == "__main__":
    sys.stdout.write(" ".join(choose_tests(list_changed())))
