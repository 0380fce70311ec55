"""Code: the modules of one's own that ran beside the notebook, and the commits of git around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workbench.comparisons.difference.line_diff import diff_texts
from workbench.comparisons.difference.pair import Pair, Side
from workbench.comparisons.difference.part import Excerpt, Likeness, Part, count_of, lay_out
from workbench.records.digest import short
from workbench.records.document import build_record
from workbench.runs.folder import JOURNAL
from workbench.runs.local_files import LocalFilesFact, LocalModule, describe_gap, find_sources

_MOST_EXCERPTS, _NOT_KNOWN = 20, "not known"
_DIRTY = {True: "with uncommitted changes", False: "clean", None: "not known whether clean"}


def compare_code(pair: Pair) -> Part:
    """Compare local modules by what ran of them, and show the lines that differ where their text was kept."""
    facts = [_read_fact(side) for side in pair.sides]
    told = zip(pair.sides, map(describe_gap, facts), strict=True)
    gaps = tuple(f"Run {side.name}: {gap}" for side, gap in told if gap)
    before, after = ({module.path: module for module in (fact.modules if fact else ())} for fact in facts)
    rows, git = [*_list_rows(pair, before, after)], _say_commits(pair)
    differing = [row for row in rows if row["what"] != _NOT_KNOWN]
    if differing:
        upshot = count_of(len(differing), "own module")
        says = f"{upshot} of {len({*before, *after}):,} {'differs' if len(differing) == 1 else 'differ'}. {git}"
        excerpts, unshown = _show(pair, before, after)
        return Part("code", Likeness.DIFFERENT, says, upshot, lay_out("Own modules", rows), excerpts, (*gaps, *unshown))
    if gaps or rows:
        says = f"Whether the same own modules ran is not known. {git}"
        return Part("code", Likeness.UNKNOWN, says, tables=lay_out("Own modules", rows), unknown=gaps)
    known = f"{count_of(len(after), 'own module')}, the same." if after else "No own module ran."
    is_same = len({*map(_spell_commit, pair.sides)}) == 1
    return Part(
        "code", Likeness.SAME if is_same else Likeness.DIFFERENT, f"{known} {git}", "" if is_same else "the commit"
    )


def _say_commits(pair: Pair) -> str:
    before, after = map(_spell_commit, pair.sides)
    if before == after:
        return f"Commit {before}, the same." if before else "No commit of git is known of either."
    return f"Commit {before or 'not known'}, then {after or 'not known'}."


def _read_fact(side: Side) -> LocalFilesFact | None:
    recorded = side.run.record.get("local_files")
    return None if recorded is None else build_record(LocalFilesFact, recorded)


def _spell_commit(side: Side) -> str:
    commit = side.run.provenance.get("git_commit")
    return f"{short(commit)} ({_DIRTY[side.run.git_dirty]})" if commit else ""


def _list_rows(
    pair: Pair, before: Mapping[str, LocalModule], after: Mapping[str, LocalModule]
) -> Iterator[dict[str, object]]:
    """Yield the modules that differ; one whose digest nobody has is as good as another one."""
    for path in sorted({*before, *after}):
        one, other = before.get(path), after.get(path)
        digests = [module.digest if module else None for module in (one, other)]
        if one is None or other is None or None in digests or digests[0] != digests[1]:
            what = (
                "added"
                if one is None
                else "removed"
                if other is None
                else "changed"
                if None not in digests
                else _NOT_KNOWN
            )
            shown = (
                f"{module.standing}, sha256 {short(module.digest or '') or 'unknown'}" if module else None
                for module in (one, other)
            )
            yield {"module": path, "what": what, **pair.row(*shown)}


def _show(
    pair: Pair, before: Mapping[str, LocalModule], after: Mapping[str, LocalModule]
) -> tuple[tuple[Excerpt, ...], tuple[str, ...]]:
    texts = [
        find_sources(side.files.get(JOURNAL, b""), modules.values())
        for side, modules in zip(pair.sides, (before, after), strict=True)
    ]
    changed = [path for path in sorted({*before} & {*after}) if before[path].digest != after[path].digest]
    kept = [path for path in changed if path in texts[0] and path in texts[1]]
    excerpts = tuple(diff_texts(path, texts[0][path], texts[1][path]) for path in kept[:_MOST_EXCERPTS])
    unshown = [path for path in changed if path not in kept]
    unknown = (
        [f"The lines of {', '.join(unshown[:5])} are not known: their text was not kept, or was changed since."]
        if unshown
        else []
    )
    unknown += (
        [f"{len(kept) - _MOST_EXCERPTS:,} modules more differ; their lines are not shown."]
        if len(kept) > _MOST_EXCERPTS
        else []
    )
    return excerpts, tuple(unknown)
