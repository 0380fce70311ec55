"""Own code in words."""

from __future__ import annotations

from workbench.reviews.own_code import ReviewedModule
from workbench.words.changes import count_lines


def describe_own_code(module: ReviewedModule, version: int | None) -> str:
    """Return in a line what became of an own module since a version."""
    since = f" since version {version}" if version and module.standing != "new" else ""
    lines, code = count_lines(len(module.source.splitlines())), module.code
    return {
        "new": f"{module.name} is new: {lines}",
        "the same": f"{module.name} is the same{since}: {lines}",
        "changed": f"{module.name} changed{since}: {count_lines(code.added)} added, {count_lines(code.removed)} removed",
        "gone": f"{module.name} is gone{since}",
    }[module.standing]
