"""Runs of a sweep, its space and its plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.unit.people import AUTHOR, ENDED
from workbench.notebooks.parameters import Bound, Parameter
from workbench.runs.run import Run, RunState, new_run_id
from workbench.runs.trials import Goal
from workbench.sweeps.search import (
    Interval,
    SweepPlan,
)

STRENGTH = Parameter("C", "float", 1.0, bounds=(Bound("Gt", 0), Bound("Le", 100)))
DEPTH = Parameter("depth", "int", 3, bounds=(Bound("Ge", 1),))
FAMILY = Parameter("family", "str", "stump", choices=("stump", "forest"))
NOTE = Parameter("note", "str", "")
ANYTHING = Parameter("anything", None, None, optional=True)
DECLARED = (STRENGTH, DEPTH, FAMILY, NOTE, ANYTHING)
SPACE = {"C": Interval(0.01, 100, log=True), "depth": Interval(1, 8, whole=True), "family": ["stump", "forest"]}


def build_run(parameters: Mapping[str, Any], state: RunState = RunState.FINISHED, **metrics: float) -> Run:
    return Run(
        id=new_run_id(),
        notebook="n.ipynb",
        notebook_digest="ab" * 32,
        parameters=parameters,
        provenance={},
        author=AUTHOR,
        created=ENDED,
        state=state,
        record={"metrics": metrics} if state is RunState.FINISHED else {},
    )


def build_plan(**changes: Any) -> SweepPlan:
    facts = {
        "id": "5eeb0001",
        "created": ENDED,
        "notebook": "n.ipynb",
        "notebook_digest": "ab" * 32,
        "search": "optuna",
        "space": SPACE,
        "trials": 12,
        "seed": 0,
        "goal": Goal("score"),
        "sets": None,
    }
    return SweepPlan(**{**facts, **changes})
