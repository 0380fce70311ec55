"""Lines that differ: Myers' greedy algorithm (1986, "An O(ND) difference algorithm"), ended where too many would.

The time is that of the lines times those that differ, whatever the texts are; a text that differs in more is shown by its
beginnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.comparisons.difference.part import Excerpt

MOST_DIFFERING, MOST_LINES = 200, 5_000
_CONTEXT, _WIDEST, _MOST_SHOWN = 2, 200, 60
_BEFORE, _CHUNK = 40, 4_096
_HEAD = 12


def diff_texts(title: str, before: str, after: str, most: int = MOST_DIFFERING) -> Excerpt:
    """Return where two texts differ, line by line, with the lines around; of more than the `most` lines their beginnings."""
    return diff_lines(title, before.splitlines(), after.splitlines(), most)


def diff_lines(title: str, before: Sequence[str], after: Sequence[str], most: int = MOST_DIFFERING) -> Excerpt:
    """Return the same of lines."""
    start, end = _count_common(before, after)
    ours, theirs = before[start : len(before) - end], after[start : len(after) - end]
    script = align(ours, theirs, most)
    if script is None:
        return _show_heads(title, ours, theirs, most)
    head, tail = before[max(start - _CONTEXT, 0) : start], before[len(before) - end :][:_CONTEXT]
    lines = [*(f" {line}" for line in head), *_fold(script), *(f" {line}" for line in tail)]
    cut = f"{len(lines) - _MOST_SHOWN:,} lines more of the difference are not shown" if len(lines) > _MOST_SHOWN else ""
    return Excerpt(title, tuple(_narrow(lines[:_MOST_SHOWN])), cut)


def _count_common(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    """Return how many lines are the same at the beginning, and how many of the rest at the end."""
    least = min(len(before), len(after))
    start = next((place for place in range(least) if before[place] != after[place]), least)
    left = least - start
    return start, next((place for place in range(left) if before[-1 - place] != after[-1 - place]), left)


def align(before: Sequence[str], after: Sequence[str], most: int = MOST_DIFFERING) -> list[str] | None:
    """Return all lines of both, each with its mark, as few marked as can be; None for too many lines, or too many that differ."""
    if max(len(before), len(after)) > MOST_LINES:
        return None
    reached, trace = {1: 0}, []
    for size in range(min(len(before) + len(after), most) + 1):
        trace.append(dict(reached))
        for diagonal in range(-size, size + 1, 2):
            place, _ = _step(reached, diagonal, size)
            while place < len(before) and place - diagonal < len(after) and before[place] == after[place - diagonal]:
                place += 1
            reached[diagonal] = place
            if place >= len(before) and place - diagonal >= len(after):
                return [*_walk_back(trace, before, after)][::-1]
    return None


def _step(reached: dict[int, int], diagonal: int, size: int) -> tuple[int, bool]:
    """Return where a diagonal is entered, and whether by a line that is added, not by one that is removed."""
    is_added = diagonal == -size or (diagonal != size and reached[diagonal - 1] < reached[diagonal + 1])
    return (reached[diagonal + 1] if is_added else reached[diagonal - 1] + 1), is_added


def _walk_back(trace: Sequence[dict[int, int]], before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    place, other = len(before), len(after)
    for size in range(len(trace) - 1, -1, -1):
        entered, is_added = _step(trace[size], place - other, size)
        while place > entered:
            place, other = place - 1, other - 1
            yield f" {before[place]}"
        if size and is_added:
            other -= 1
            yield f"+{after[other]}"
        elif size:
            place -= 1
            yield f"-{before[place]}"


def _fold(script: Sequence[str]) -> Iterator[str]:
    """Yield the lines that differ with those around them; an empty one stands for what lies between."""
    marked = [place for place, line in enumerate(script) if not line.startswith(" ")]
    near = sorted({place + step for place in marked for step in range(-_CONTEXT, _CONTEXT + 1)} & {*range(len(script))})
    for place, before in zip(near, [near[0] - 1 if near else 0, *near], strict=False):
        if place != before + 1:
            yield ""
        yield script[place]


def _show_heads(title: str, before: Sequence[str], after: Sequence[str], most: int) -> Excerpt:
    lines = [*(f"-{line}" for line in before[:_HEAD]), *(f"+{line}" for line in after[:_HEAD])]
    cut = f"more than {most:,} lines differ, of {len(before):,} and {len(after):,}: these are the first"
    return Excerpt(title, tuple(_narrow(lines)), cut)


def _narrow(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines cut to what can be read; of a long one and that which took its place from where they differ."""
    for place, line in enumerate(lines):
        if len(line) <= _WIDEST:
            yield line
            continue
        beside = (*lines[place + 1 : place + 2], *lines[max(place - 1, 0) : place])
        begins = max([0, *(_count_alike(line, each) - _BEFORE for each in beside)])
        shown = line[1:][begins : begins + _WIDEST]
        yield f"{line[0]}{'…' if begins else ''}{shown}… ({len(line) - 1:,} characters)"


def _count_alike(line: str, other: str) -> int:
    """Return how many characters a line that differs has in common with one of the other mark, from the beginning."""
    return find_first_difference(line[1:], other[1:]) if {line[:1], other[:1]} == {"+", "-"} else 0


def find_first_difference(before: str, after: str) -> int:
    """Return where two texts differ first, in time that grows with that place alone."""
    least, place = min(len(before), len(after)), 0
    while place < least and before[place : place + _CHUNK] == after[place : place + _CHUNK]:
        place += _CHUNK
    ends = min(place + _CHUNK, least)
    return next((each for each in range(place, ends) if before[each] != after[each]), min(ends, least))
