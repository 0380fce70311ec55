"""The metric a sweep is after where nobody names one: the one of the policy that the notebook names."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.checks import read_policy
from workbench.errors import UsageError
from workbench.notebooks.notebook import Notebook, parse_notebook
from workbench.policies.policy_files import find_policy
from workbench.sweeps.sweeping import find_goal

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"


def read(name: str) -> Notebook:
    path = NOTEBOOKS / f"{name}.ipynb"
    return parse_notebook(path.name, path.read_bytes())


@pytest.mark.parametrize(
    ("name", "metric"),
    [("10_train_breast_cancer", "roc_auc"), ("11_train_diabetes", "r2"), ("12_train_wine", "roc_auc")],
)
def test_our_own_notebooks_are_swept_after_the_metric_they_are_judged_by(name, metric):
    notebook = read(name)
    goal = find_goal(notebook, lambda: read_policy(find_policy("standard", NOTEBOOKS)), None, None)
    assert goal is not None
    assert (goal.metric, goal.direction) == (metric, "maximize")


def test_a_policy_that_cannot_be_used_is_no_reason_not_to_sweep():
    def refuse():
        raise UsageError("No such policy.")

    assert find_goal(read("11_train_diabetes"), refuse, None, None) is None
