"""Source: which cells of the notebook were moved, changed, added or removed, with the lines that differ."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.comparisons.difference.cell_pairs import MatchedCells, list_cells, match_cells
from workbench.comparisons.difference.line_diff import diff_texts
from workbench.comparisons.difference.pair import Pair
from workbench.comparisons.difference.part import Excerpt, Likeness, Part, count_of, enumerate_all, lay_out
from workbench.runs.folder import NOTEBOOK

_MOST_EXCERPTS, _MOST_HEADS = 50, 8


def compare_sources(pair: Pair) -> Part:
    """Compare what somebody wrote, cell by cell; the digest of the notebook says whether it is the same."""
    if pair.a.run.notebook_digest == pair.b.run.notebook_digest:
        return Part("source", Likeness.SAME, f"The notebook {pair.b.run.notebook}, the same.{_say_renamed(pair)}")
    unknown = tuple(side.explain(NOTEBOOK) for side in pair.sides if side.notebook is None)
    if pair.a.notebook is None or pair.b.notebook is None:
        says = "The notebook is another one; how it differs is not known."
        return Part("source", Likeness.DIFFERENT, says, "the notebook", unknown=unknown)
    cells = match_cells(list_cells(pair.a.notebook), list_cells(pair.b.notebook))
    rows = [*_list_rows(pair, cells)]
    excerpts = [*_show(cells)]
    if not rows:
        says = "The text of its cells is the same; the notebook differs in tags, or in cells without text."
        return Part("source", Likeness.DIFFERENT, says + _say_renamed(pair), "tags of cells")
    counted = enumerate_all(_count(cells))
    same = sum(not each.is_changed and not each.is_moved for each in cells.matched)
    says = f"Cells: {counted}; {same:,} {'is' if same == 1 else 'are'} the same and in place.{_say_renamed(pair)}"
    left = len(excerpts) - _MOST_EXCERPTS
    cut = (f"{left:,} cells more differ; their lines are not shown.",) if left > 0 else ()
    return Part(
        "source",
        Likeness.DIFFERENT,
        says,
        count_of(len(rows), "cell"),
        lay_out("Cells", rows),
        tuple(excerpts[:_MOST_EXCERPTS]),
        unknown=cut,
    )


def _say_renamed(pair: Pair) -> str:
    one, other = pair.a.run.notebook, pair.b.run.notebook
    return "" if one == other else f" It was {one} and is {other}."


def _count(cells: MatchedCells) -> list[str]:
    changed = sum(each.is_changed for each in cells.matched)
    moved = sum(each.is_moved and not each.is_changed for each in cells.matched)
    counts = {"changed": changed, "added": len(cells.added), "removed": len(cells.removed), "moved": moved}
    return [f"{count:,} {what}" for what, count in counts.items() if count]


def _list_rows(pair: Pair, cells: MatchedCells) -> Iterator[dict[str, object]]:
    for each in cells.matched:
        if each.is_changed or each.is_moved:
            what = " and ".join([*(["changed"] if each.is_changed else []), *(["moved"] if each.is_moved else [])])
            yield {"what": what, **pair.row(each.before.called, each.after.called), "begins": _head(each.after.source)}
    yield from ({"what": "added", **pair.row(None, each.called), "begins": _head(each.source)} for each in cells.added)
    yield from (
        {"what": "removed", **pair.row(each.called, None), "begins": _head(each.source)} for each in cells.removed
    )


def _head(source: str) -> str:
    line = next(line.strip() for line in source.splitlines() if line.strip())
    return line if len(line) <= 60 else f"{line[:59]}…"


def _show(cells: MatchedCells) -> Iterator[Excerpt]:
    for each in cells.matched:
        if each.is_changed:
            name = (
                each.after.called
                if each.before.called == each.after.called
                else f"{each.before.called} → {each.after.called}"
            )
            yield diff_texts(name, each.before.source, each.after.source)
    for mark, what, alone in (("+", "added", cells.added), ("-", "removed", cells.removed)):
        for cell in alone:
            lines = cell.source.splitlines()
            cut = f"{len(lines) - _MOST_HEADS:,} lines more are not shown" if len(lines) > _MOST_HEADS else ""
            yield Excerpt(f"{cell.called}, {what}", tuple(f"{mark}{line[:200]}" for line in lines[:_MOST_HEADS]), cut)
