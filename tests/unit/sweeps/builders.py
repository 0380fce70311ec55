"""Runs of a sweep, its space and its plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.unit.people import AUTHOR, ENDED
from workbench.notebooks.parameters import Parameter
from workbench.notebooks.value_types import Bound, ValueType
from workbench.runs.run import Run, RunState, new_run_id
from workbench.runs.trials import Goal
from workbench.sweeps.search import (
    Interval,
    SweepPlan,
)

STRENGTH = Parameter("C", ValueType("float", bounds=(Bound("Gt", 0), Bound("Le", 100))), 1.0)
DEPTH = Parameter("depth", ValueType("int", bounds=(Bound("Ge", 1),)), 3)
FAMILY = Parameter("family", ValueType("str", choices=("stump", "forest")), "stump")
NOTE = Parameter("note", ValueType("str"), "")
ANYTHING = Parameter("anything", ValueType(optional=True), None)
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
