"""The metric a sweep is after where nobody names one: the one of the policy that the notebook names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.stores import build_run
from tests.unit.cli.printing import printed
from workbench.checks import read_policy
from workbench.cli.records import print_sweep
from workbench.errors import UsageError
from workbench.notebooks.notebook import Notebook, parse_notebook
from workbench.policies.policy_files import find_policy
from workbench.runs.batch import Batch
from workbench.runs.run import RunState
from workbench.runs.running import _Course
from workbench.runs.trials import Goal, ListedTrials
from workbench.sweeps.sweeping import find_goal, find_goal_of

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


def scored(task, pairing="ab" * 32, **metrics):
    record = {"metrics": metrics, "scores": {"task": task, "pairing": pairing}}
    return build_run(state=RunState.FINISHED, record=record)


@pytest.mark.parametrize(
    ("run", "goal"),
    [
        (scored("classification", accuracy=0.8, roc_auc=0.9), Goal("roc_auc", "maximize")),
        (scored("regression", mean_absolute_error=3.0, r2=0.5), Goal("r2", "maximize")),
        (scored("regression", mean_absolute_error=3.0), None),
        (scored("ranking", r2=0.5), None),
        (build_run(state=RunState.FINISHED, record={"metrics": {"roc_auc": 0.9}}), None),
    ],
)
def test_a_notebook_that_names_no_metric_is_after_the_one_that_decides_its_task(run, goal):
    assert find_goal_of(run, lambda: read_policy(find_policy("standard", NOTEBOOKS))) == goal


def test_a_metric_of_which_less_is_better_is_minimized():
    content = find_policy("standard", NOTEBOOKS).replace(
        b"name: r2, margin: 0.02, limit: 0.2", b"name: mean_absolute_error, margin: 0.02, limit: 9"
    )
    run = scored("regression", mean_absolute_error=3.0, r2=0.5)
    assert find_goal_of(run, lambda: read_policy(content)) == Goal("mean_absolute_error", "minimize")


def test_while_a_sweep_goes_on_its_best_is_told_by_what_its_runs_are_found_to_be_after():
    told, trials = [], ListedTrials([{"seed": 1}, {"seed": 2}])
    notebook = read("11_train_diabetes")
    batch = Batch(NOTEBOOKS, notebook, trials, find_goal=lambda run: Goal("r2") if run.task else None)
    course = _Course(replace(batch, on_progress=told.append), {}, None)
    for run in (build_run(state=RunState.FAILED), scored("regression", r2=0.5), scored("regression", r2=0.4)):
        course.end(run)
    assert [progress.best for progress in told] == [None, ("r2", 0.5), ("r2", 0.5)]


def test_a_sweep_shows_the_metric_it_was_after_and_its_best(capsys):
    goal, runs = Goal("roc_auc"), [scored("classification", accuracy=0.8, roc_auc=auc) for auc in (0.9, 0.95)]
    text = printed(capsys, lambda each: print_sweep(goal, each), runs)
    assert f"Best roc_auc: 0.95, run {runs[1].id}" in text
    assert "accuracy" not in text
    other = scored("classification", pairing="cd" * 32, roc_auc=0.97)
    text = printed(capsys, lambda each: print_sweep(goal, each), [*runs, other])
    assert "No best roc_auc: the 3 runs were scored on 2 different holdouts." in text
