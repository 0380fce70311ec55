"""Sweeps that were stopped in the middle go on: nothing that finished is run twice, nothing is left out."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import examples, find_processes, start_command, wait_until
from tests.integration.sweeps.searched import _PATIENCE_S, BODY, numbers, open_bench, write_notebook
from workbench.errors import NotFound, Refused, Unavailable, UsageError
from workbench.runs.batch import Progress
from workbench.runs.run import Run, RunState
from workbench.sweeps.search import Space, parse_plan
from workbench.workflow import Workbench


def test_what_failed_is_run_again_only_when_asked(own_bench: Workbench, project: Path) -> None:
    gate = project / "gate"
    space: Space = {"number": [3, 2, 1], "mode": ["fail"], "gate": [str(gate)]}
    gate.touch()
    assert all(run.is_finished for run in own_bench.sweep(project / "scores.ipynb", space))
    gate.unlink()
    runs = own_bench.sweep(project / "scores.ipynb", {"number": [3, 0, 1], "mode": ["fail"]})
    states = [RunState.FAILED, RunState.FINISHED, RunState.FAILED]
    assert [run.state for run in runs] == states
    assert [run.id for run in own_bench.resume_sweep(runs[0].sweep)] == [run.id for run in runs]
    seen: list[Progress] = []
    again = own_bench.resume_sweep(retry_failed=True, on_progress=seen.append)
    assert numbers(again) == [3, 0, 1]
    assert [run.state for run in again] == states
    assert [old.id == new.id for old, new in zip(runs, again, strict=True)] == [False, True, False]
    assert (seen[0].total, seen[0].finished, seen[-1].failed) == (3, 1, 2)
    assert seen[-1].cells == seen[-1].all_cells


def test_a_sweep_does_not_go_on_with_a_changed_notebook(own_bench: Workbench, project: Path) -> None:
    path = write_notebook(project)
    runs = own_bench.sweep(path, {"number": [1], "mode": ["fail"]})
    write_notebook(project, BODY + "\nprint('changed')")
    with pytest.raises(Refused, match="its notebook was changed"):
        own_bench.resume_sweep(runs[0].sweep, retry_failed=True)
    write_notebook(project)
    assert len(own_bench.resume_sweep(runs[0].sweep, retry_failed=True)) == 1


def test_a_plan_somebody_changed_runs_nothing_the_notebook_does_not_take(own_bench: Workbench, project: Path) -> None:
    runs = own_bench.sweep(write_notebook(project), {"number": [1], "mode": ["fail"]})
    plan = own_bench.settings.sweeps_folder / str(runs[0].sweep) / "plan.json"
    plan.write_bytes(plan.read_bytes().replace(b'"number": 1', b'"number": 1000'))
    with pytest.raises(UsageError, match="number is 1000"):
        own_bench.resume_sweep(runs[0].sweep)
    plan.write_bytes(b"{}")
    with pytest.raises(UsageError, match="cannot be read"):
        own_bench.resume_sweep(runs[0].sweep)
    with pytest.raises(NotFound, match="No sweep is unfinished"):
        own_bench.resume_sweep()


@pytest.mark.parametrize("sweep", ["00000000", "no id", "../../x", "*"])
def test_a_sweep_that_is_not_there_is_not_found(bench: Workbench, sweep: str) -> None:
    with pytest.raises(NotFound, match="No sweep begins with"):
        bench.resume_sweep(sweep)


class Sweeping:
    """A sweep one at a time whose second run waits at a gate, in a process of its own."""

    def __init__(self, project: Path, *arguments: str) -> None:
        self.project, self.gate = project, project / "gate"
        given = ("-p", f"gate={self.gate}", "--goal", "score", "--direction", "maximize", "--jobs", "1")
        self.process = start_command(project, "sweep", str(write_notebook(project)), *arguments, *given)

    def waits_at_the_gate(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()
        return any(run.state is RunState.RUNNING and run.parameters["number"] for run in self.runs())

    def runs(self) -> list[Run]:
        if not (self.project / "runs" / "workbench.db").exists():
            return []
        bench = open_bench(self.project)
        try:
            return bench.store.list_runs()[::-1]
        finally:
            bench.store.close()

    @property
    def sweep(self) -> str:
        (plan,) = (self.project / "runs" / "sweeps").glob("*/plan.json")
        return parse_plan(plan.read_bytes()).id

    def end(self, by: signal.Signals) -> str:
        self.process.send_signal(by)
        return self.process.communicate(timeout=_PATIENCE_S)[1]


@pytest.fixture
def start_sweep(project: Path) -> Iterator[Callable[..., Sweeping]]:
    started: list[Sweeping] = []

    def start(*arguments: str) -> Sweeping:
        started.append(Sweeping(project, *arguments))
        wait_until(started[-1].waits_at_the_gate, within_s=_PATIENCE_S)
        return started[-1]

    yield start
    for each in started:
        each.gate.touch()
        each.process.kill()
        each.process.communicate()
    wait_until(lambda: not find_processes(project), within_s=_PATIENCE_S)


GRID = ("-p", "number=0..3")
OPTUNA = ("--search", "optuna", "--trials", "4", "-p", "number=1..9")


STOPPED = {"grid-ctrl_c": (GRID, signal.SIGINT), "optuna-killed": (OPTUNA, signal.SIGKILL)}


@pytest.mark.parametrize(("arguments", "by"), examples(STOPPED.values(), [STOPPED["grid-ctrl_c"]]), ids=STOPPED)
def test_a_sweep_that_was_stopped_goes_on_and_runs_nothing_twice(
    start_sweep: Callable[..., Sweeping], arguments: tuple[str, ...], by: signal.Signals
) -> None:
    sweeping = start_sweep(*arguments)
    err = sweeping.end(by)
    stopped = sweeping.runs()
    if by is signal.SIGINT:
        assert f"`workbench sweep --resume {sweeping.sweep}` runs the rest." in err
        assert "Traceback" not in err
    sweeping.gate.touch()
    bench = open_bench(sweeping.project)
    runs = bench.resume_sweep()
    with pytest.raises(NotFound, match="No sweep is unfinished"):
        bench.resume_sweep()
    bench.store.close()
    assert [run.state for run in runs] == [RunState.FINISHED] * 4
    everything = sweeping.runs()
    tried = [run.parameters["number"] for run in everything if run.is_finished]
    assert len(set(tried)) == len(tried) == 4
    assert {run.id for run in stopped if run.is_finished} <= {run.id for run in runs}
    assert {run.parameters["number"] for run in stopped} <= set(tried)
    assert {run.sweep for run in everything} == {sweeping.sweep}


@pytest.mark.soak
def test_a_sweep_that_is_going_on_is_not_run_by_another_process(start_sweep: Callable[..., Sweeping]) -> None:
    sweeping = start_sweep(*GRID)
    bench = open_bench(sweeping.project)
    with pytest.raises(Unavailable, match=rf"Sweep {sweeping.sweep} is going on\."):
        bench.resume_sweep()
    bench.store.close()
    assert len(sweeping.runs()) == 2
    sweeping.gate.touch()
    _out, err = sweeping.process.communicate(timeout=_PATIENCE_S)
    assert sweeping.process.returncode == 0, err
    assert len(sweeping.runs()) == 4
