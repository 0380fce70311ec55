"""Real runs are found again: by name, tag and condition, in MLflow, in files; and deleted without a try less."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, MakeOnce, run_command
from tests.integration.comparisons.test_looking import write
from tests.integration.governed import Governed
from workbench.comparisons.arrangement import Arrangement
from workbench.comparisons.looking import find_looks, find_other_splits
from workbench.config import Settings, read_settings
from workbench.errors import Refused, UsageError
from workbench.evidence.measures.tries import TriesFact, measure_tries
from workbench.runs.keeping import read_recorded
from workbench.runs.run import Run
from workbench.workflow import Workbench

SAID = ("--name", "grid", "--note", "three sizes", "--tag", "team=blue", "--tag", "quick")


@pytest.fixture(scope="session")
def swept_once(make_once: MakeOnce, make_project: Callable[[Path], Path]) -> Path:
    """A project with a sweep of two runs, and one of the same rows with a little noise."""

    def make(folder: Path) -> None:
        project = make_project(folder / "project")
        notebook = shutil.copy(NOTEBOOKS / "logs_everything.ipynb", project)
        swept = run_command(project, "sweep", str(notebook), "-p", "columns=1,2", *SAID)
        noisy = run_command(project, "run", str(write(project, "noise")), "-p", "columns=3", "--name", "noisy")
        assert (swept.returncode, noisy.returncode) == (0, 0), swept.stderr + noisy.stderr

    return make_once("swept", make) / "project"


@pytest.fixture
def swept(swept_once: Path, tmp_path: Path) -> Path:
    """The same project as one's own; MLflow's database names the folder it was made in, so its files are there."""
    return Path(shutil.copytree(swept_once, tmp_path / "project", symlinks=True))


def asked(project: Path, *arguments: str) -> object:
    done = run_command(project, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_runs_are_found_by_what_was_said_of_them_and_what_they_are(swept: Path) -> None:
    listed = asked(swept, "runs", "--where", "team = 'blue' and has quick and columns > 1 and roc_auc > 0.9")
    assert [run["annotations"]["name"] for run in listed] == ["grid-2"]
    assert listed[0]["annotations"]["note"] == "three sizes"
    assert asked(swept, "show", "grid-2")["id"] == listed[0]["id"]
    assert "grid-2" in run_command(swept, "compare", "--where", "team = 'blue'").stdout
    wrong = run_command(swept, "runs", "--where", "roc_auk > 0.9")
    assert (wrong.returncode, "Near it: roc_auc" in wrong.stderr) == (2, True)


def test_all_runs_are_asked_for_rows_columns_order_and_groups(swept: Path) -> None:
    rows = asked(swept, "runs", "--columns", "roc_auc,columns", "--sort", "-columns", "--search", "grid")
    assert [(row["params.columns"], row["run.id"] != "") for row in rows["rows"]] == [(2, True), (1, True)]
    assert (rows["known"], rows["chosen"]) == (3, 2)
    apart = asked(swept, "runs", "--all-but", "columns", "--columns", "roc_auc")["groups"]
    # Another column is not another holdout.
    assert {(len(group["runs"]), group["metrics"]["metrics.roc_auc"]["holdouts"]) for group in apart} == {
        (1, 1),
        (2, 1),
    }
    (group,) = asked(swept, "runs", "--all-but", "columns,notebook", "--columns", "roc_auc")["groups"]
    assert (group["metrics"]["metrics.roc_auc"]["n"], len(group["runs"])) == (3, 3)
    printed = run_command(swept, "runs", "--group-by", "columns")
    assert (printed.returncode, "3 runs in 3 groups by columns" in printed.stdout) == (0, True), printed.stderr


def test_the_runs_of_any_mlflow_are_asked_the_same(swept: Path) -> None:
    address = f"sqlite:///{swept / 'runs' / 'mlflow.db'}"
    rows = asked(swept, "runs", "--mlflow", address, "--columns", "name,columns,roc_auc", "--sort", "columns")["rows"]
    own = asked(swept, "runs", "--columns", "name,columns,roc_auc", "--sort", "columns")["rows"]
    assert [(row["params.columns"], row["metrics.roc_auc"]) for row in rows] == [
        (row["params.columns"], row["metrics.roc_auc"]) for row in own
    ]
    assert {row["run.name"] for row in rows} >= {"grid-1", "grid-2", "noisy"}


def test_runs_are_shown_side_by_side(swept: Path) -> None:
    bench = Workbench.open(read_settings(swept, {}))
    with closing(bench.store):
        pictures = {each.title: each for each in bench.draw_runs(["grid-1", "grid-2"])}
        assert {"How many are named wrong", "ROC curve", "Lift", "Calibration"} <= pictures.keys()
        assert {row[0] for row in pictures["ROC curve"].rows} == {"grid-1", "grid-2"}
        with pytest.raises(UsageError, match="one run to six"):
            bench.draw_runs([])
        with pytest.raises(UsageError, match="different holdouts"):
            bench.draw_runs(["grid-1", "noisy"])


def test_mlflow_shows_what_is_said_from_the_start_and_what_is_said_later(swept: Path) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{swept / 'runs' / 'mlflow.db'}")
    tracked = asked(swept, "show", "grid-1")["tracked_as"]
    tags = client.get_run(tracked).data.tags
    assert (tags["mlflow.runName"], tags["mlflow.note.content"], tags["team"]) == ("grid-1", "three sizes", "blue")
    done = run_command(swept, "annotate", "grid-1", "--name", "smallest", "--untag", "team", "--tag", "kept")
    assert (done.returncode, done.stderr) == (0, "")
    run = client.get_run(tracked)
    assert (run.info.run_name, "team" in run.data.tags, run.data.tags["kept"]) == ("smallest", False, "")


def test_runs_are_exported_with_what_is_said_of_them(swept: Path) -> None:
    done = run_command(swept, "export", "--runs", "out/runs.csv", "--where", "team = 'blue'")
    assert (done.returncode, done.stdout) == (0, "2 runs written to out/runs.csv.\n")
    with (swept / "out" / "runs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["tags.team"], row["params.columns"]) for row in rows] == [
        ("grid-2", "blue", "2"),
        ("grid-1", "blue", "1"),
    ]


def test_a_report_is_named_where_no_browser_is(swept: Path) -> None:
    done = run_command(swept, "open", "grid-1", BROWSER="", DISPLAY="")
    assert (done.returncode, (swept / done.stdout.strip()).is_file()) == (0, True)


def count(bench: Workbench, run: Run) -> TriesFact:
    looks = find_looks(bench, run)
    splits = find_other_splits(bench, run, looks)
    rule = bench.read_policy()[0].rule_of("classification")
    read = lambda other: read_recorded(other, bench.settings.runs_folder / other.id)  # noqa: E731
    return measure_tries(looks, rule, read, splits=splits)


def test_deleting_runs_takes_no_try_away_not_even_of_rows_with_a_little_noise(swept: Path) -> None:
    nobody = run_command(swept, "delete", "grid-1")
    assert (nobody.returncode, "--yes" in nobody.stderr) == (2, True)
    bench = Workbench.open(Settings(swept, author=AUTHOR))
    with closing(bench.store):
        best, before = bench.show("grid-2"), count(bench, bench.show("grid-2"))
        assert before.distinct == 3
        done = run_command(swept, "delete", "grid-1", "noisy", "--yes")
        assert done.returncode == 0, done.stderr
        assert "2 of them had seen a holdout" in done.stdout
        assert [run.id for run in bench.list_runs()] == [best.id]
        assert count(bench, best) == before
        assert bench.compare().tried == 3


def test_runs_and_their_comparison_are_written_as_pages_and_over_no_other_file(swept: Path) -> None:
    for command in ("compare", "runs"):
        done = run_command(swept, command, "--html", f"pages/{command}.html", "--where", "team = 'blue'")
        assert (done.returncode, done.stdout) == (0, f"Wrote pages/{command}.html: 2 runs.\n"), done.stderr
        assert "Content-Security-Policy" in (swept / "pages" / f"{command}.html").read_text(encoding="utf-8")
    wrong = run_command(swept, "runs", "--html", "noise.ipynb")
    assert (wrong.returncode, "A file is there that is no page" in wrong.stderr) == (2, True)


def test_a_run_that_is_searched_by_its_name_is_measured(swept: Path) -> None:
    bench = Workbench.open(Settings(swept, author=AUTHOR))
    with closing(bench.store):
        ranked = bench.compare(where="team = 'blue'")
        last = ranked.runs[-1].run_id
        found = bench.compare(where="team = 'blue'", arrangement=Arrangement(search=ranked.names[last]), most=1)
    measured = {run.run_id for run in found.runs if run.verdict is not None}
    assert measured == {found.best.run_id, last}
    assert last != found.best.run_id


def test_what_was_nominated_and_its_replay_stay(nominated: Governed) -> None:
    bench = nominated.bench
    runs = [run.id for run in bench.list_runs()]
    with pytest.raises(Refused) as caught:
        bench.delete(runs)
    named = " ".join(caught.value.reasons)
    assert "shop/1" in named
    assert "shop/2" in named
    assert [run.id for run in bench.list_runs()] == runs
