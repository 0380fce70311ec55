"""Kept files in a replay: told, and not judged, for many formats hold the time at which they were written."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.runs.kept_files import KeptFile

_MOST_NAMED = 5


def compare_kept(then: Sequence[KeptFile], now: Sequence[KeptFile]) -> list[str]:
    """Say which files that both runs kept have other bytes, and which only one kept; nothing where neither kept any."""
    before, after = ({file.path: file.digest for file in files} for files in (then, now))
    both = sorted(before.keys() & after.keys())
    other = [path for path in both if before[path] != after[path]]
    groups = {
        "other bytes": other,
        "kept only then": sorted(before.keys() - after.keys()),
        "kept only now": sorted(after.keys() - before.keys()),
    }
    same = len(both) - len(other)
    said = [f"{same:,} with the same bytes", *(f"{what}: {_name(paths)}" for what, paths in groups.items() if paths)]
    told = "Kept files are not judged, for many formats hold the time"
    return [f"{told}: {'; '.join(said)}."] if before or after else []


def _name(paths: Sequence[str]) -> str:
    more = len(paths) - _MOST_NAMED
    return f"{', '.join(paths[:_MOST_NAMED])}{f' and {more:,} more' if more > 0 else ''}"
