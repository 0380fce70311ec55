"""Sweeps that search say what they run, on the command line too, and start nothing that cannot be searched."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import own_environment
from tests.integration.sweeps.searched import _PATIENCE_S, numbers, write_notebook
from workbench.errors import RunFailed, UsageError
from workbench.runs.batch import Progress
from workbench.sweeps.search import Interval, Space
from workbench.workflow import Workbench


@pytest.fixture
def notebook(bench: Workbench) -> Path:
    return bench.settings.project / "scores.ipynb"


def sweeps_of(bench: Workbench) -> list[str]:
    return [path.name for path in bench.settings.sweeps_folder.glob("*")]


# Searching


def test_a_grid_runs_a_set_that_is_given_twice_once(bench: Workbench, notebook: Path) -> None:
    runs = bench.sweep(notebook, {"number": [7, 3, 7]}, goal="score", direction="maximize")
    assert numbers(runs) == [7, 3]
    plan = bench.find_sweep(runs[0].sweep)
    assert [values["number"] for values in plan.sets or ()] == [7, 3]
    assert plan.notebook == "scores.ipynb"
    assert plan.goal is not None
    assert plan.goal.find_best_run(runs) is runs[0]


def test_a_random_search_runs_what_its_plan_says(bench: Workbench, notebook: Path) -> None:
    seen: list[Progress] = []
    space: Space = {"number": Interval(0, 100, whole=True), "mode": ["square", "round"]}
    runs = bench.sweep(notebook, space, search="random", trials=3, seed=5, on_progress=seen.append)
    plan = bench.find_sweep(runs[0].sweep)
    assert [run.parameters for run in runs] == list(plan.sets or ())
    assert (len(runs), plan.seed, plan.search, plan.goal) == (3, 5, "random", None)
    assert (seen[-1].total, seen[-1].finished, seen[-1].best) == (3, 3, None)


def test_optuna_runs_one_run_a_trial_and_keeps_its_journal_with_the_sweep(bench: Workbench, notebook: Path) -> None:
    seen: list[Progress] = []
    space: Space = {"number": Interval(0, 100, whole=True)}
    runs = bench.sweep(
        notebook, space, search="optuna", trials=5, goal="score", direction="maximize", on_progress=seen.append
    )
    assert all(run.is_finished for run in runs)
    assert len(set(numbers(runs))) == 5
    journal = bench.settings.sweeps_folder / str(runs[0].sweep) / "optuna.log"
    assert all(run.id in journal.read_text(encoding="utf-8") for run in runs)
    assert seen[-1].best == ("score", max(run.metrics["score"] for run in runs))
    assert [run.id for run in bench.resume_sweep(runs[0].sweep)] == [run.id for run in runs]


def test_optuna_says_that_nobody_logs_what_it_is_after(bench: Workbench, notebook: Path) -> None:
    with pytest.raises(RunFailed, match=r"none of them logged 'scor'") as failed:
        bench.sweep(
            notebook,
            {"number": Interval(0, 100, whole=True)},
            search="optuna",
            trials=20,
            goal="scor",
            direction="maximize",
        )
    assert "They logged score." in str(failed.value)
    sweep = bench.store.list_runs(limit=1)[0].sweep
    tried = len(bench.store.list_runs(sweep=sweep))
    assert tried < 20
    with pytest.raises(RunFailed, match=rf"ended after {tried} runs: none of them logged 'scor'"):
        bench.resume_sweep(sweep)


@pytest.mark.parametrize(
    ("space", "how", "says"),
    [
        ({"number": Interval(0, 101, whole=True)}, {"search": "random"}, "number is 101; expected"),
        ({"number": Interval(0, 9, whole=True)}, {}, "a grid needs values"),
        ({"number": [1]}, {"trials": 3}, "A grid runs every combination"),
        ({"number": [1, 2]}, {"search": "optuna"}, "Optuna needs to know what to look for"),
        ({"number": [1, 2]}, {"search": "optuna", "goal": "score"}, "Which way is 'score' better"),
        ({"number": []}, {"search": "random"}, "A sweep of 0 runs is not started"),
    ],
    ids=["outside", "undrawable", "trials", "no_goal", "no_direction", "nothing"],
)
def test_what_cannot_be_searched_starts_nothing(
    bench: Workbench, notebook: Path, space: Space, how: dict[str, Any], says: str
) -> None:
    before = sweeps_of(bench)
    with pytest.raises(UsageError, match=re.escape(says)):
        bench.sweep(notebook, space, **how)
    assert sweeps_of(bench) == before


def test_the_goal_is_the_policys_metric_that_the_notebook_names(own_bench: Workbench, project: Path) -> None:
    path = write_notebook(project, 'import workbench as wb\nwb.log_metrics({"r2": number / 8})')
    runs = own_bench.sweep(path, {"number": [4, 2]})
    plan = own_bench.find_sweep(runs[0].sweep)
    assert plan.goal is not None
    assert (plan.goal.metric, plan.goal.direction) == ("r2", "maximize")
    assert plan.goal.find_best(runs) == ("r2", 0.5)


# The command


@pytest.fixture
def command(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """`workbench sweep ...` in this process; a command that is called takes over SIGTERM."""
    from workbench.cli.main import run_command

    monkeypatch.chdir(bench.settings.project)
    handler = signal.getsignal(signal.SIGTERM)
    yield lambda *arguments: run_command(["sweep", *arguments])
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Missing argument 'NOTEBOOK'"),
        (["scores.ipynb", "--resume", "5eeb0001"], "give no notebook"),
        (["--resume", "-p", "number=1"], "give no notebook"),
        (["--resume", "--search", "random"], "give no notebook"),
        (["scores.ipynb", "--retry-failed"], "--retry-failed needs --resume"),
        (["scores.ipynb", "--seed", "3"], "a parameter is -p seed=VALUE"),
        (["scores.ipynb", "--search", "magic"], "Invalid value for '--search'"),
        (["scores.ipynb", "--direction", "up"], "Invalid value for '--direction'"),
        (["scores.ipynb", "-p", "number=int(0,500)", "-p", "gat=x", "--search", "random"], "2 parameters do not fit"),
        (["scores.ipynb", "-p", "number=log(1,100)"], "a grid needs values"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_call_ends_with_two_and_starts_nothing(
    bench: Workbench, command: Callable[..., int], capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    before = sweeps_of(bench)
    assert command(*arguments) == 2
    assert says in capsys.readouterr().err
    assert sweeps_of(bench) == before


def test_a_sweep_some_of_which_failed_says_how_to_run_that_again(
    bench: Workbench, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    goal = ("--goal", "score", "--direction", "maximize")
    assert command("scores.ipynb", "-p", "number=0..1", "-p", "mode=fail", *goal) == 1
    out, err = capsys.readouterr()
    sweep = bench.store.list_runs(limit=1)[0].sweep
    assert "Best score: -900, run " in out
    assert "1 of 2 runs failed." in err
    assert f"`workbench sweep --resume {sweep} --retry-failed` runs them again." in err
    assert command("--resume", str(sweep)[:6], "--json") == 1
    first = json.loads(capsys.readouterr().out)
    assert command("--resume", "--retry-failed", "--json") == 1
    again = json.loads(capsys.readouterr().out)
    assert [run["state"] for run in again] == [run["state"] for run in first] == ["FINISHED", "FAILED"]
    assert [old["id"] == new["id"] for old, new in zip(first, again, strict=True)] == [True, False]


def read_all(terminal: int, process: subprocess.Popen[bytes]) -> str:
    """Return what a process shows on a terminal until it ends."""
    shown, deadline = b"", time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        has_ended = process.poll() is not None
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # how Linux says that nobody holds the other side any more
                break
        elif has_ended:
            break
    return shown.decode(errors="replace")


def test_on_a_terminal_a_sweep_shows_how_far_it_is_and_leaves_only_the_result(project: Path) -> None:
    columns = 40
    write_notebook(project)
    terminal, side = pty.openpty()
    command = [sys.executable, "-m", "workbench", "sweep", "scores.ipynb", "-p", "number=1..3"]
    given = ["--search", "random", "--trials", "3", "--goal", "score", "--direction", "maximize"]
    process = subprocess.Popen(
        [*command, *given],
        cwd=project,
        env=own_environment(COLUMNS=str(columns), TERM="xterm"),
        stdin=side,
        stdout=side,
        stderr=side,
    )
    os.close(side)
    try:
        shown = read_all(terminal, process)
        assert process.wait(timeout=_PATIENCE_S) == 0, shown
    finally:
        process.kill()
        os.close(terminal)
    before, _, result = shown.rpartition("\x1b[?25h")
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", before)
    assert "3 of 3 finished" in plain
    assert "100 %" in plain
    assert max(map(len, plain.splitlines())) <= columns
    assert "finished ·" not in result
    assert "scores: 3 runs in " in result
    assert "Best score: " in result
