"""The outcome on the holdout, for whoever decides: how many rows are named wrong, or how far numbers are off, and its pictures."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.drawings.axis import spell
from workbench.drawings.of_importance import Worth, draw_importance
from workbench.drawings.of_predictions import draw_counts, draw_diagnostics
from workbench.drawings.picture import Picture
from workbench.drawings.plain_counts import are_few, say_off, say_wrong
from workbench.evidence.evidence import Evidence
from workbench.evidence.measures.importance import ImportanceFact

_MOST_SAID = 3


def say_outcome(evidence: Evidence) -> str:
    """Say what came out in plain counts; nothing where that was not measured."""
    found, classes = evidence.diagnostics, evidence.classes
    if classes is not None:
        threshold = found.threshold if found else None
        return say_wrong([each.name for each in classes.classes], classes.confusion, threshold)
    target = evidence.holdout.target if evidence.holdout else None
    return say_off(found.residuals, target) if found and found.residuals else ""


def draw_outcome(evidence: Evidence) -> tuple[Picture, ...]:
    """Return the pictures of it: mistakes where there are too many classes for a table, curves, and what each column is worth."""
    return tuple(_draw(evidence))


def _draw(evidence: Evidence) -> Iterator[Picture]:
    classes, confusion = evidence.classes, None
    if classes is not None:
        names, confusion = [each.name for each in classes.classes], classes.confusion
        if not are_few(names):
            yield draw_counts(names, confusion)
    if evidence.diagnostics:
        yield from draw_diagnostics(evidence.diagnostics, confusion)
    if evidence.importance and (worths := _list_worths(evidence.importance)):
        yield draw_importance(evidence.importance.metric, _say_shuffled(evidence.importance), worths)


def _list_worths(fact: ImportanceFact) -> list[Worth]:
    return [
        Worth(each.column, each.loss, each.low, each.high)
        for each in fact.columns
        if each.loss is not None and each.low is not None and each.high is not None
    ]


def _say_shuffled(fact: ImportanceFact) -> str:
    """Say how it was measured; what another column repeats looks worthless."""
    more = f" {fact.untried:,} further columns were not tried." if fact.untried else ""
    return (
        f"Each column's values were shuffled once on {fact.rows:,} rows: by so much the metric became worse, with 95 % bounds. "
        f"A column that another one repeats looks worth little.{more}"
    )


def say_importance(fact: ImportanceFact) -> str:
    """Say what shuffling the most important columns does to the metric, as far as chance does not explain it."""
    worths = sorted(_list_worths(fact), key=lambda each: (-each.loss, each.column))
    certain = [each for each in worths if each.low > 0]
    if not worths:
        return "What single columns are worth cannot be told on so few rows."
    if not certain:
        return f"None of {len(worths)} columns costs more {fact.metric} than chance explains when it is shuffled by itself."
    moves = "lowers" if fact.direction == "higher" else "raises"
    said = (f"{each.column} by {_spell(each.loss)} ({_spell(each.low)} to {_spell(each.high)})" for each in certain)
    return f"Shuffling a column {moves} {fact.metric} from {fact.value:.4g}: {', '.join(list(said)[:_MOST_SAID])}."


def _spell(value: float) -> str:
    return spell(value, 2)
