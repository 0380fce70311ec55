"""Predictions: which rows the two runs decide otherwise, and which scores moved most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.comparisons.difference.example_rows import add_values
from workbench.comparisons.difference.pair import Pair
from workbench.comparisons.difference.part import Likeness, Part, count_of, lay_out
from workbench.comparisons.difference.shared_rows import SharedRows
from workbench.models.predictions import PREDICTIONS, Predictions
from workbench.stats.task import has_classes, spell_class

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_EXAMPLES = 20


def compare_predictions(pair: Pair) -> Part:
    """Compare what was predicted for the rows that are known to be the same; an id alone is no row."""
    before, after = pair.a.predictions, pair.b.predictions
    if before is None or after is None:
        if all(side.predictions is None and side.digest_of(PREDICTIONS) is None for side in pair.sides):
            return Part("predictions", Likeness.UNKNOWN, "Neither run stored predictions (`wb.log_predictions`).")
        unknown = tuple(side.explain(PREDICTIONS) for side in pair.sides if side.predictions is None)
        return Part("predictions", Likeness.UNKNOWN, "What they predicted cannot be compared.", unknown=unknown)
    if fault := _find_fault(before, after):
        return Part("predictions", Likeness.DIFFERENT, fault, "what is predicted")
    if pair.a.digest_of(PREDICTIONS) == pair.b.digest_of(PREDICTIONS) is not None:
        return Part("predictions", Likeness.SAME, f"{count_of(len(after.rows), 'prediction')}, the same to the byte.")
    if not pair.shared.is_one and not pair.shared.ids:
        return Part("predictions", Likeness.UNKNOWN, f"Not comparable. {pair.shared.says}")
    common, left = _find_common(before, after, pair.shared)
    if not len(common[0]):
        unknown = ("None has the same row id and the same truth in both.",)
        return Part("predictions", Likeness.UNKNOWN, "The two runs predicted no row in common.", unknown=unknown)
    ours, theirs = before.take(common[0]), after.take(common[1])
    part = _compare_classes(pair, ours, theirs) if has_classes(after.task) else _compare_numbers(pair, ours, theirs)
    tables, untold = add_values(pair, part.tables)
    return replace(part, tables=tables, unknown=tuple(_say_gaps(pair, left, untold)))


def _say_gaps(pair: Pair, left: int, untold: str) -> Iterator[str]:
    if pair.shared.says:
        yield pair.shared.says
    if left:
        yield f"{count_of(left, 'row')} that one run alone predicted, or of another truth, {'is' if left == 1 else 'are'} left out."
    if untold:
        yield untold


def _find_fault(before: Predictions, after: Predictions) -> str:
    if before.task != after.task:
        return f"Other tasks: {before.task}, then {after.task}; no row can be held against itself."
    named = [
        tuple(map(spell_class, each.named_classes())) if has_classes(each.task) else () for each in (before, after)
    ]
    if named[0] != named[1]:
        return f"Other classes: {', '.join(named[0])}; then {', '.join(named[1])}."
    return ""


def _find_common(
    before: Predictions, after: Predictions, shared: SharedRows
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], int]:
    """Return the places of the shared rows of one id and one truth on each side, and how many rows are none of these."""
    import numpy as np

    if before.rows == after.rows and shared.is_one:
        ours = theirs = np.arange(len(before.rows))
    else:
        places = {row: place for place, row in enumerate(after.rows) if shared.is_one or row in shared.ids}
        found = [(place, places[row]) for place, row in enumerate(before.rows) if row in places]
        ours, theirs = np.array(found, dtype=np.int64).reshape(-1, 2).T
    is_alike = before.truth[ours] == after.truth[theirs]
    total = len(before.rows) + len(after.rows) - len(ours)
    return (ours[is_alike], theirs[is_alike]), total - int(is_alike.sum())


def _compare_classes(pair: Pair, before: Predictions, after: Predictions) -> Part:
    import numpy as np

    decided = before.places(), after.places()
    scores = [_score_of_truth(each) for each in (before, after)]
    gap = np.abs(before.score - after.score)
    gap = gap if gap.ndim == 1 else gap.max(axis=1)
    turned = np.flatnonzero(decided[0] != decided[1])
    was_right, is_right = (each == before.truth for each in decided)
    moved = int((gap > 0).sum())
    if not moved and not len(turned):
        return Part("predictions", Likeness.SAME, f"{count_of(len(before.rows), 'prediction')}, the same.")
    right, wrong = int((is_right & ~was_right).sum()), int((was_right & ~is_right).sum())
    said = (
        f"{len(turned):,} of {count_of(len(before.rows), 'row')} changed side ({right:,} became right, {wrong:,} wrong); "
        f"{moved:,} {'has' if moved == 1 else 'have'} another score."
    )

    def spell(places: Sequence[int]) -> list[dict[str, Any]]:
        return [_spell_row(pair, place, (before, after), decided, scores) for place in places]

    turning = _order(turned, gap)
    others = np.flatnonzero((gap > 0) & (decided[0] == decided[1]))
    moving = _order(others, gap)
    note = f"Scores are those of {_name_score(before)}."
    tables = (
        *_cut("Rows that change side", spell(turning), len(turned), note),
        *_cut("Largest changes of score among the other rows", spell(moving), len(others), "" if len(turned) else note),
    )
    upshot = f"{len(turned):,} of {len(before.rows):,} rows decided otherwise" if len(turned) else ""
    return Part("predictions", Likeness.DIFFERENT, said, upshot, tables)


def _order(places: NDArray[np.int64], gap: NDArray[np.float64]) -> list[int]:
    """Return the places of the largest gaps, the first row of equal ones first."""
    import numpy as np

    found: list[int] = places[np.argsort(-gap[places], kind="stable")][:MOST_EXAMPLES].tolist()
    return found


def _score_of_truth(predictions: Predictions) -> NDArray[np.float64]:
    import numpy as np

    if predictions.score.ndim == 1:
        return predictions.score
    return predictions.score[np.arange(len(predictions.rows)), predictions.truth.astype(np.int64)]


def _name_score(predictions: Predictions) -> str:
    if predictions.score.ndim > 1:
        return "the true class"
    return f"class {spell_class(predictions.named_classes()[1])}"


def _spell_row(
    pair: Pair,
    place: int,
    sides: tuple[Predictions, Predictions],
    decided: tuple[NDArray[np.float64], NDArray[np.float64]],
    scores: Sequence[NDArray[np.float64]],
) -> dict[str, Any]:
    names = [spell_class(each) for each in sides[1].named_classes()]
    truth, one, other = (names[int(values[place])] for values in (sides[0].truth, *decided))
    return {
        "row": str(sides[0].rows[place]),
        "truth": truth,
        **pair.row(one, other),
        "score A": float(scores[0][place]),
        "score B": float(scores[1][place]),
    }


def _cut(title: str, rows: Sequence[dict[str, Any]], total: int, note: str) -> list[Any]:
    return [replace(table, left_out=max(total - len(rows), 0)) for table in lay_out(title, rows, note)]


def _compare_numbers(pair: Pair, before: Predictions, after: Predictions) -> Part:
    import numpy as np

    gap = np.abs(before.score - after.score)
    moved = np.flatnonzero(gap > 0)
    if not len(moved):
        return Part("predictions", Likeness.SAME, f"{count_of(len(before.rows), 'prediction')}, the same.")
    errors = [np.abs(each.score - each.truth) for each in (before, after)]
    nearer, farther = int((errors[1] < errors[0]).sum()), int((errors[1] > errors[0]).sum())
    said = (
        f"{len(moved):,} of {count_of(len(before.rows), 'row')} are predicted otherwise, by {float(gap[moved].mean()):.4g} on "
        f"average: {nearer:,} are nearer to the truth, {farther:,} farther from it."
    )
    rows = [
        {
            "row": str(before.rows[place]),
            "truth": float(before.truth[place]),
            **pair.row(float(before.score[place]), float(after.score[place])),
            "B \N{MINUS SIGN} A": float(after.score[place] - before.score[place]),
        }
        for place in _order(moved, gap)
    ]
    upshot = f"{len(moved):,} of {len(before.rows):,} rows predicted otherwise"
    return Part("predictions", Likeness.DIFFERENT, said, upshot, tuple(_cut("Largest changes", rows, len(moved), "")))
