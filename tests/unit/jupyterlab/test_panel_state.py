"""What the panel says of a notebook: what goes on, its last runs, what is missing, and of nothing why there is nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.stores import build_run
from tests.unit.jupyterlab.test_parameter_fields import read
from workbench.errors import UsageError
from workbench.jupyterlab.panel_state import SEARCH_WORDS, GoingSweep, Outlook, Panel, panel_state
from workbench.ledger.history import require_model_name
from workbench.nominations.obstacles import Obstacle
from workbench.runs.run import Run, RunState
from workbench.runs.trials import Goal
from workbench.sweeps.search import SEARCHES, SweepPlan
from workbench.widgets.follow_state import FollowedRun

NOTEBOOK = read("seed: int = 0\nrate: float = 0.1")
PANEL = Panel(NOTEBOOK, "/srv/churn", "/srv/churn/runs")
PLAN = SweepPlan(
    "5eeb12345678",
    "2026-11-21T08:00:00+00:00",
    "train.ipynb",
    "0" * 64,
    "grid",
    {"seed": [0, 1, 2]},
    3,
    0,
    Goal("roc_auc"),
    None,
)


def run_of(state: RunState, **others: Any) -> Run:
    given = {"parameters": {"seed": 0, "rate": 0.1}, "ended": "2026-11-21T08:30:00+00:00", **others}
    return replace(build_run(id="3f9a1c27d05b", state=state), **given)


FINISHED = run_of(RunState.FINISHED, record={"metrics": {"loss": 0.25, "roc_auc": 0.9123456}})
RUNNING = run_of(RunState.RUNNING, ended=None)


def test_where_there_is_no_run_it_says_where_was_looked_and_what_makes_the_first() -> None:
    state = panel_state(replace(PANEL, drafts=2))
    assert state["empty"] == (
        "No run of train.ipynb that ended is kept in /srv/churn/runs. 2 drafts of notebooks run by hand are kept there. "
        "“Run” above makes the first one."
    )
    assert (state["going"], state["runs"], state["outlook"], state["look_again_s"]) == ([], [], None, 5.0)


def test_a_run_that_goes_on_says_its_cell_its_metrics_and_its_last_lines() -> None:
    followed = FollowedRun(
        replace(RUNNING, parameters={"seed": 7, "rate": 0.1}), 3, 7, 1.0, {"loss": 0.25}, tuple("abcde")
    )
    state = panel_state(replace(PANEL, runs=(RUNNING,), followed=(followed,)))
    (item,) = state["going"]
    assert item["headline"].endswith("is running: cell 3 of 7")
    assert (item["done"], item["all"], item["lines"]) == (2, 7, ["c", "d", "e"])
    assert item["says"] == "seed 7 · 2 of 7 cells done · loss 0.25"
    assert item["stop"] == {"kind": "stop_run", "id": "3f9a1c27d05b", "text": "Stop this run"}
    assert state["look_again_s"] == 1.0
    assert state["empty"].endswith("The first one goes on.")


def test_a_sweep_counts_what_ended_what_runs_what_failed_and_the_best_so_far() -> None:
    assert panel_state(replace(PANEL, sweeps=(GoingSweep(PLAN, ()),)))["empty"].endswith("The first one goes on.")
    runs = (FINISHED, run_of(RunState.FAILED, id="b07d5e10a4c8"), replace(RUNNING, id="c07d5e10a4c8"))
    (item,) = panel_state(replace(PANEL, runs=runs, sweeps=(GoingSweep(PLAN, runs, PLAN.goal),)))["going"]
    assert item["says"] == "2 of 3 runs ended · 1 running · 1 did not finish · best roc_auc 0.9123"
    assert (item["done"], item["all"], item["stop"]["kind"]) == (2, 3, "stop_sweep")


def test_the_last_runs_say_how_they_ended_by_the_metric_that_decides_and_what_was_given() -> None:
    failed = run_of(RunState.FAILED, parameters={"seed": 4, "rate": 0.5}, error="`np.infty` is gone")
    first, second = panel_state(replace(PANEL, runs=(FINISHED, failed), metrics=("roc_auc",)))["runs"]
    assert first["metric"] == {"name": "roc_auc", "value": "0.9123"}
    close = [replace(FINISHED, record={"metrics": {"roc_auc": value}}) for value in (0.999, 0.9995)]
    shown = [run["metric"]["value"] for run in panel_state(replace(PANEL, runs=tuple(close)))["runs"]]
    assert shown == ["0.9990", "0.9995"]
    assert (first["values"], first["status"]["word"], first["status"]["tone"]) == (
        "the notebook's own values",
        "Finished",
        "good",
    )
    assert (second["values"], second["why"], second["metric"]) == (
        "seed 4, rate 0.5",
        ["", "np.infty", " is gone"],
        None,
    )


@pytest.mark.parametrize(
    ("obstacles", "text", "awaited"),
    [
        (None, "Looking what is missing…", True),
        ("The policy cannot be read.", "What is missing is not known. The policy cannot be read.", None),
        ((), "Nothing that is known now stands in the way.", False),
        ((Obstacle("holdout", "Declare it with `wb.log_dataset`."),), "1 thing stands in the way:", False),
    ],
)
def test_what_is_missing_to_nominate_is_said_of_the_newest_run(
    obstacles: tuple[Obstacle, ...] | str | None, text: str, awaited: bool | None
) -> None:
    state = panel_state(replace(PANEL, runs=(FINISHED,), outlook=Outlook(FINISHED, obstacles)))
    assert state["outlook"]["text"].startswith(text)
    assert (state["look_again_s"] == 1.0) is bool(awaited)
    assert bool(state["outlook"]["command"]) is (awaited is False)
    if isinstance(obstacles, tuple) and obstacles:
        assert state["outlook"]["missing"] == [
            {"about": "Holdout:", "text": ["Declare it with ", "wb.log_dataset", "."]}
        ]


def test_what_could_not_be_started_is_told_in_its_three_parts() -> None:
    error = UsageError("It cannot be used.", why=["`seed` is no number."], next_step="Run `workbench check`.")
    (told,) = panel_state(replace(PANEL, failed=(error,)))["failed"]
    assert told == {
        "what": "It cannot be used.", "reasons": [["", "seed", " is no number."]], "next": ["Run ", "workbench check", "."]
    }  # fmt: skip


def test_a_notebook_without_parameters_says_how_to_declare_some() -> None:
    state = panel_state(replace(PANEL, notebook=read("seed = 0").__class__("x.ipynb", NOTEBOOK.document, (), "0" * 64)))
    assert state["fields"] == []
    assert "parameters" in state["no_fields"][1::2]


def test_every_search_has_its_words_and_the_state_is_json() -> None:
    assert set(SEARCH_WORDS) == set(SEARCHES)
    json.dumps(panel_state(replace(PANEL, runs=(FINISHED,), outlook=Outlook(FINISHED, None))), allow_nan=False)


@pytest.mark.parametrize(
    "notebook", ["My Model (2).ipynb", "notebooks/10_train.ipynb", "x" * 100 + ".ipynb", "_a_.ipynb"]
)
def test_the_model_it_suggests_can_be_called_so(notebook: str) -> None:
    outlook = Outlook(replace(FINISHED, notebook=notebook), ())
    command = panel_state(replace(PANEL, runs=(FINISHED,), outlook=outlook))["outlook"]["command"]
    require_model_name(command.rpartition(" ")[2])
