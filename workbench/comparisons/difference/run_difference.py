"""The difference of two runs: its parts, the most consequential first, and the sentence that says the upshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.comparisons.comparison import Comparison
from workbench.comparisons.comparison import headline as comparison_headline
from workbench.comparisons.difference.code import compare_code
from workbench.comparisons.difference.data import compare_data
from workbench.comparisons.difference.environment import compare_environments
from workbench.comparisons.difference.metrics import compare_metrics
from workbench.comparisons.difference.model import compare_models
from workbench.comparisons.difference.outputs import compare_outputs
from workbench.comparisons.difference.pair import ComparePart, Pair, Side
from workbench.comparisons.difference.parameters import compare_parameters
from workbench.comparisons.difference.part import Likeness, Part, enumerate_all
from workbench.comparisons.difference.predictions import compare_predictions
from workbench.comparisons.difference.source import compare_sources

# By name, the most consequential first: other data alone explains another score, whatever else differs; then what came of it;
# then what was changed by hand, from a value to a line of code; then what follows from that, or lies around it.
PARTS: Mapping[str, ComparePart] = {
    "data": compare_data,
    "metrics": compare_metrics,
    "predictions": compare_predictions,
    "parameters": compare_parameters,
    "source": compare_sources,
    "code": compare_code,
    "model": compare_models,
    "environment": compare_environments,
    "outputs": compare_outputs,
}
# What went in, and can be why something else came out.
CAUSES = ("data", "parameters", "source", "code", "environment")
_ORDER = tuple(Likeness)


@dataclass(frozen=True)
class DiffedRun:
    """One of the two runs, as the head of a difference names it."""

    id: str
    name: str | None
    notebook: str
    state: str
    attempt: int
    created: str
    author: str
    error: str | None


@dataclass(frozen=True)
class RunDifference:
    """How run `b` differs from run `a`: parts that differ first, then those nobody can tell, then what is the same.

    Within each of these the most consequential comes first. `comparison` is that of their scores, None where there is none.
    """

    headline: str
    a: DiffedRun
    b: DiffedRun
    parts: tuple[Part, ...]
    comparison: Comparison | None


def find_difference(pair: Pair) -> RunDifference:
    """Return how the second run of a pair differs from the first."""
    parts = [compare(pair) for compare in PARTS.values()]
    ordered = sorted(parts, key=lambda part: _ORDER.index(part.likeness))  # stable: by the table among alike
    return RunDifference(
        _say_upshot(pair, parts), _describe(pair.a), _describe(pair.b), tuple(ordered), pair.comparison
    )


def _describe(side: Side) -> DiffedRun:
    run = side.run
    return DiffedRun(
        run.id, run.annotations.name, run.notebook, run.state, run.attempt, run.created, run.author, run.error
    )


def _say_upshot(pair: Pair, parts: Sequence[Part]) -> str:
    said = [_say_scores(pair), _say_causes(parts)]
    if untold := [part.name for part in parts if part.likeness is Likeness.UNKNOWN and part.name in CAUSES]:
        said.append(f"Not known: {enumerate_all(untold)}.")
    return " ".join(said)


def _say_scores(pair: Pair) -> str:
    """Say which is better; of equal scores that they are, and where nobody can tell that instead."""
    comparison = pair.comparison
    if comparison is None:
        return f"Which of run {pair.a.name} and run {pair.b.name} is better is not known. {pair.unpaired}"
    advantage = comparison.best.advantage
    if advantage is not None and advantage.low == advantage.high == 0:
        return f"Run {pair.b.name} scores as run {pair.a.name} does on {comparison.metric}."
    return comparison_headline(comparison)


def _say_causes(parts: Sequence[Part]) -> str:
    if found := [part.upshot for part in parts if part.name in CAUSES and part.upshot]:
        return f"They differ in {enumerate_all(found)}."
    return "Nothing that went in is known to differ."
