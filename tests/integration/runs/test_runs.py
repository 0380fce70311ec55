"""Real kernels, real MLflow: a run is FINISHED only when every cell ran, and whatever happened it leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, examples, find_processes, is_running
from workbench.config import Settings
from workbench.errors import NotFound, RunFailed, UsageError
from workbench.records.digest import sha256_hex
from workbench.runs.profiling import profiled
from workbench.runs.run import Run, RunState
from workbench.workflow import Workbench

LEFT_BY_EVERY_RUN = {"kernel.log", "notebook.ipynb", "parameters.json", "provenance.json", "report.html"}

FINISH = {
    "finishes": {"answer": 42},
    "swallows_an_exception": {"answer": 0},
    "stale_outputs": {},
    "no_kernelspec": {},
    "no_parameters_cell": {},
    "logs_with_plain_mlflow": {"plain": 2},
    "no_predictions": {"roc_auc": 0.977},
    "no_model": {"roc_auc": 0.977},
    "no_holdout": {"roc_auc": 0.977},
}
FAIL = {
    "raises_in_cell_three": "Cell 3 raised ValueError: the third cell fails",
    "kills_its_kernel": "The kernel died.",
    "kills_its_kernel_last": "The kernel died.",
    "exits_quietly": "Cell 2 raised SystemExit: 0",
    "exits_quietly_last": "Cell 2 raised SystemExit: 0",
    "exits_hard": "The kernel died.",
    "asks_for_input": "Cell 2 raised StdinNotImplementedError",
    "stale_counts": "Cell 2 raised ValueError: the second cell fails",
    "logs_half_a_line": "What the notebook logged cannot be read",
    "leaves_a_link": "model is a symbolic link",
    "leaves_an_empty_folder": "model is an empty folder",
    "forges_its_record": "Cell 3 raised ValueError: not finished",
}
REFUSED = {
    "only_text": "None of its cells holds code",
    "two_parameters_cells": "2 cells are tagged",
    "broken": "It is not JSON",
    "other_language": "Its kernel runs R",
    "unknown_kernel": "'mars-rover', which is not installed",
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    opened = Workbench.open(Settings(make_project(tmp_path_factory.mktemp("runs") / "project"), author=AUTHOR))
    yield opened
    opened.store.close()


def folder_of(bench: Workbench, run: Run) -> Path:
    return bench.settings.runs_folder / run.id


def run_to_its_end(bench: Workbench, path: Path) -> Run:
    """Run a notebook and return the run as the store knows it, finished or not."""
    try:
        return bench.show(bench.run(path, {}).id)
    except RunFailed as exc:
        return bench.show(exc.what.split()[1])


def status_in_mlflow(bench: Workbench, run: Run) -> str:
    return str(bench.tracker._client.get_run(run.tracked_as).info.status)


def require_nothing_left(bench: Workbench, run: Run) -> None:
    """Nothing runs any more, no temporary file is left, and everybody agrees how it ended."""
    folder = folder_of(bench, run)
    assert find_processes(folder) == []
    assert {path.name for path in folder.iterdir()} >= LEFT_BY_EVERY_RUN
    assert [path.name for path in folder.iterdir() if path.name.startswith(".") or path.name == "source.ipynb"] == []
    assert (folder / "record.json").exists() == run.is_finished
    assert status_in_mlflow(bench, run) == run.state
    assert run.ended is not None
    assert all(other.state is not RunState.RUNNING for other in bench.list_runs() if other.id == run.id)


@pytest.mark.parametrize(("name", "metrics"), examples(FINISH.items(), list(FINISH.items())[:6]))
def test_a_notebook_whose_every_cell_ran_is_finished(bench: Workbench, name: str, metrics: dict[str, float]) -> None:
    run = run_to_its_end(bench, NOTEBOOKS / f"{name}.ipynb")
    assert (run.state, run.error) == (RunState.FINISHED, None)
    assert run.metrics == pytest.approx(metrics, abs=1e-3)
    require_nothing_left(bench, run)


@pytest.mark.parametrize(("name", "reason"), FAIL.items())
def test_a_notebook_that_did_not_finish_is_failed_and_says_why(bench: Workbench, name: str, reason: str) -> None:
    run = run_to_its_end(bench, NOTEBOOKS / f"{name}.ipynb")
    assert run.state is RunState.FAILED
    assert reason in (run.error or "")
    require_nothing_left(bench, run)


@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_what_cannot_be_run_is_refused_before_anything_is_recorded(bench: Workbench, name: str, reason: str) -> None:
    path = NOTEBOOKS / f"{name}.ipynb"
    with pytest.raises(UsageError) as refused:
        bench.run(path, {})
    assert reason in str(refused.value)
    assert refused.value.next_step
    assert [run for run in bench.list_runs() if run.notebook == str(path)] == []


def test_a_notebook_that_declares_no_parameters_is_given_none_and_told_how_it_could(bench: Workbench) -> None:
    with pytest.raises(UsageError) as refused:
        bench.run(NOTEBOOKS / "no_parameters_cell.ipynb", {"rounds": 3})
    assert refused.value.reasons == ("'rounds' is not a parameter of this notebook; it has none.",)
    assert "tag that cell `parameters`" in (refused.value.next_step or "")


def test_a_notebook_gets_dates_paths_and_tuples_where_it_declares_them(bench: Workbench) -> None:
    given = {"start": "2026-02-01", "seen": "2026-02-01T10:00Z", "layers": [8], "grid": [[2, 2]], "depths": [3, 4]}
    run = bench.run(NOTEBOOKS / "takes_dates_and_paths.ipynb", given)
    executed = json.loads((folder_of(bench, run) / "notebook.ipynb").read_text(encoding="utf-8"))
    assert "".join(executed["cells"][-1]["outputs"][0]["text"]) == (
        "[datetime.date(2026, 2, 1), datetime.datetime(2026, 2, 1, 10, 0, tzinfo=datetime.timezone.utc), "
        "PosixPath('data/birds.csv'), (8,), [(2, 2)], [3, 4], {'a': 1.0}, None]\n"
    )
    assert executed["metadata"]["papermill"]["parameters"] == run.parameters
    assert run.parameters["seen"] == "2026-02-01T10:00:00+00:00"
    assert run.parameters["table"] == "data/birds.csv"


@pytest.mark.parametrize("cold", examples([False, True], [False]))
def test_a_run_that_is_measured_says_how_long_its_imports_took(bench: Workbench, cold: bool) -> None:
    with profiled() as profile:
        bench.run(NOTEBOOKS / "logs_everything.ipynb", {}, cold=cold)
    assert {"preparing", "kernel's start", "imports", "cells", "collecting", "report", "tracking (MLflow)"} <= {
        *profile.seconds
    }
    assert profile.seconds["imports"] > 0
    assert all(seconds >= 0 for seconds in profile.seconds.values())


def test_a_missing_notebook_is_not_found(bench: Workbench) -> None:
    with pytest.raises(NotFound, match="There is no notebook"):
        bench.run(NOTEBOOKS / "nowhere.ipynb", {})


def test_the_record_names_every_other_file_by_its_digest_and_was_written_last(bench: Workbench) -> None:
    run = bench.run(NOTEBOOKS / "logs_everything.ipynb", {})
    folder = folder_of(bench, run)
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    record = files.pop("record.json")
    assert json.loads(record.read_bytes())["files"] == {
        name: sha256_hex(path.read_bytes()) for name, path in files.items()
    }
    assert record.stat().st_mtime_ns >= max(path.stat().st_mtime_ns for path in files.values())


def test_a_run_keeps_what_it_was_and_where_it_came_from(bench: Workbench) -> None:
    run = bench.run(NOTEBOOKS / "logs_everything.ipynb", {"strength": 0.5, "seed": 3})
    assert run.parameters == {"strength": 0.5, "columns": 4, "seed": 3}
    assert run.provenance["seeds"] == {"seed": 3}
    assert run.notebook_digest == bench.read_notebook(NOTEBOOKS / "logs_everything.ipynb").digest
    assert {item["role"]: item["rows"] for item in run.record["datasets"]} == {"train": 300, "holdout": 200}
    executed = json.loads((folder_of(bench, run) / "notebook.ipynb").read_text(encoding="utf-8"))
    assert "strength = 0.5" in "".join(executed["cells"][2]["source"])


def test_nothing_of_home_goes_into_git(bench: Workbench, tmp_path: Path) -> None:
    bench.run(NOTEBOOKS / "finishes.ipynb", {})
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    trees = [f"--git-dir={tmp_path}/.git", f"--work-tree={bench.settings.project}"]
    listed = ["git", *trees, "ls-files", "--others", "--exclude-standard"]
    found = subprocess.run(listed, check=True, capture_output=True, text=True, cwd=bench.settings.project).stdout
    assert not [path for path in found.splitlines() if path.startswith("runs/")]


def test_outputs_of_another_day_do_not_survive(bench: Workbench) -> None:
    run = bench.run(NOTEBOOKS / "stale_outputs.ipynb", {})
    assert "another day'" not in (folder_of(bench, run) / "notebook.ipynb").read_text(encoding="utf-8")


def test_what_a_notebook_logs_with_plain_mlflow_lands_in_the_same_run(bench: Workbench) -> None:
    run = bench.run(NOTEBOOKS / "logs_with_plain_mlflow.ipynb", {"rounds": 5})
    recorded = bench.tracker._client.get_run(run.tracked_as)
    assert recorded.data.metrics["plain"] == 5
    assert recorded.data.tags["written"] == "by hand"
    assert recorded.data.tags["workbench.run"] == run.id
    assert recorded.data.params["rounds"] == "5"


def test_mlflow_holds_the_files_and_the_metrics_of_a_run(bench: Workbench) -> None:
    run = bench.run(NOTEBOOKS / "logs_everything.ipynb", {})
    client = bench.tracker._client
    names = {item.path for item in client.list_artifacts(run.tracked_as)}
    assert {"notebook.ipynb", "report.html", "model", "predictions.parquet", "record.json"} <= names
    assert client.get_run(run.tracked_as).data.metrics["roc_auc"] == run.metrics["roc_auc"]


def test_links_are_not_followed_into_mlflow(bench: Workbench) -> None:
    run = run_to_its_end(bench, NOTEBOOKS / "leaves_a_link.ipynb")
    assert bench.tracker._client.list_artifacts(run.tracked_as) == []


def test_a_notebook_runs_from_anywhere_and_reads_the_file_beside_it(bench: Workbench, tmp_path: Path) -> None:
    folder = tmp_path / "a {strange} place, 100% away"
    folder.mkdir()
    (folder / "answer.txt").write_text("17", encoding="utf-8")
    path = Path(shutil.copy(NOTEBOOKS / "reads_a_relative_file.ipynb", folder / "its {own} name.ipynb"))
    before = path.read_bytes()
    run = bench.run(path, {})
    assert run.metrics == {"answer": 17}
    assert path.read_bytes() == before
    assert sorted(each.name for each in folder.iterdir()) == ["answer.txt", "its {own} name.ipynb"]


@pytest.mark.parametrize("name", ["leaves_a_process_behind", "leaves_a_stranger_behind"])
def test_a_process_that_outlives_its_kernel_ends_with_the_run(bench: Workbench, name: str) -> None:
    run = bench.run(NOTEBOOKS / f"{name}.ipynb", {})
    assert run.is_finished
    assert not is_running(int(run.metrics["child"]))
    assert find_processes(folder_of(bench, run)) == []


def test_a_parameter_the_notebook_does_not_declare_starts_nothing(bench: Workbench) -> None:
    before = len(bench.list_runs())
    with pytest.raises(UsageError, match="colour"):
        bench.run(NOTEBOOKS / "finishes.ipynb", {"colour": "red"})
    assert len(bench.list_runs()) == before


def test_a_run_that_somebody_deleted_in_mlflow_does_not_stop_the_next_one(bench: Workbench) -> None:
    run = bench.run(NOTEBOOKS / "finishes.ipynb", {})
    bench.tracker._client.delete_run(run.tracked_as)
    assert bench.tracker.finish_run(run) is False
    assert bench.run(NOTEBOOKS / "finishes.ipynb", {}).is_finished


def test_an_experiment_that_somebody_deleted_in_mlflow_comes_back_with_the_next_run(bench: Workbench) -> None:
    run = bench.run(NOTEBOOKS / "finishes.ipynb", {})
    client = bench.tracker._client
    client.delete_experiment(client.get_run(run.tracked_as).info.experiment_id)
    again = bench.run(NOTEBOOKS / "finishes.ipynb", {})
    assert status_in_mlflow(bench, again) == "FINISHED"
