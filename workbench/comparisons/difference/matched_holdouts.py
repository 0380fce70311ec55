"""Matched holdouts: which rows of two runs are the same, by what both declared and kept of their holdouts."""

from __future__ import annotations

from workbench.comparisons.difference.pair import Side
from workbench.comparisons.difference.shared_rows import (
    NOTHING_KNOWN,
    ONE_HOLDOUT,
    UNKNOWN,
    SharedRows,
    count_common,
    judge_tables,
)
from workbench.comparisons.holdouts import holdout_digest
from workbench.records.digest import strict_json
from workbench.runs.tables import LoggedTable, path_of_table, read_table


def find_shared(sides: tuple[Side, Side], *, is_one: bool) -> SharedRows:
    """Return which rows of two runs are the same; `is_one` says that their holdouts are known for the same rows."""
    digests = [holdout_digest(side.run) for side in sides]
    if None in digests:
        return _judge_undeclared(sides)
    if digests[0] == digests[1]:
        return ONE_HOLDOUT
    before, after = map(read_holdout, sides)
    if before is None or after is None:
        untold = SharedRows(says=f"They were scored on other holdouts; {UNKNOWN}: one is no longer kept.")
        return ONE_HOLDOUT if is_one else untold
    found = judge_tables(before, after)
    return ONE_HOLDOUT if is_one and _are_named_alike(before, after, len(found.ids)) else found


def _are_named_alike(before: LoggedTable, after: LoggedTable, named: int) -> bool:
    """True unless the same rows were numbered anew: then few that hold the same values have one id in both (`named`)."""
    common, _ = count_common(before, after) or (0, "")
    return {*before.row_ids} == {*after.row_ids} and 2 * named >= common


def read_holdout(side: Side) -> LoggedTable | None:
    """Return the holdout of a run as it was logged; None where there is none, or it is not kept as it was."""
    if side.run.holdout is None:
        return None
    path = path_of_table("holdout", side.run.holdout["name"])
    try:
        return read_table(path, strict_json(side.files[path]))
    except (ValueError, KeyError, TypeError, RecursionError):  # the part on data says what is wrong with it
        return None


def _judge_undeclared(sides: tuple[Side, Side]) -> SharedRows:
    """Take rows for one where all ids and all truths are, and say so; nothing else is known of them."""
    lacking = " and run ".join(side.name for side in sides if holdout_digest(side.run) is None)
    ours, theirs = (side.predictions for side in sides)
    if ours is None or theirs is None:
        return NOTHING_KNOWN
    is_alike = (ours.rows, ours.task) == (theirs.rows, theirs.task) and bool((ours.truth == theirs.truth).all())
    if is_alike:
        why = "rows are taken for the same, since all their ids and truths are"
        return SharedRows(is_one=True, says=f"Run {lacking} declared no holdout: {why}.")
    return SharedRows(says=f"Run {lacking} declared no holdout, and not all ids and truths are the same: {UNKNOWN}.")
