"""Many runs cost what few cost, and say the same: ranked by what was recorded, measured where somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from tests.benchmarks.many_scored_runs import write_notebook, write_scored_runs
from tests.conftest import AUTHOR
from workbench.comparisons.arrangement import Arrangement
from workbench.comparisons.verdict import Verdict
from workbench.config import Settings
from workbench.runs.folder import PREDICTIONS
from workbench.runs.keeping import read_recorded
from workbench.runs.run import Run
from workbench.stats.metrics import METRICS
from workbench.workflow import Workbench

MANY, ROWS = 60, 120


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    opened = Workbench.open(Settings(make_project(tmp_path_factory.mktemp("many") / "project"), author=AUTHOR))
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def executed(bench: Workbench) -> Run:
    """The one run that was executed; the others are written down beside it."""
    run = bench.run(write_notebook(bench.settings.project, ROWS), {})
    write_scored_runs(bench, run, MANY)
    return run


def test_runs_are_ranked_by_what_their_predictions_score_and_measured_as_if_all_were(
    bench: Workbench, executed: Run
) -> None:
    few, every = bench.compare(most=5), bench.compare(most=1_000)
    assert executed.id in {run.run_id for run in few.runs}
    assert few.tried == MANY + 1  # also what another test deletes
    measured, known = [run for run in few.runs if run.verdict is not None], {run.run_id: run for run in every.runs}
    assert [run.value for run in few.runs] == [run.value for run in every.runs]
    assert few.runs[:5] == tuple(measured) == tuple(known[run.run_id] for run in measured)
    assert None not in {run.verdict for run in every.runs}
    metric = METRICS[few.metric]
    for compared in few.runs:
        run = bench.show(compared.run_id)
        assert compared.value == read_recorded(run, bench.settings.runs_folder / run.id).measure(metric)


def test_what_is_measured_is_what_is_shown_and_by_several_metrics_each_run_is_judged_by_each(
    bench: Workbench, executed: Run
) -> None:
    arrangement = Arrangement(sort="depth")
    found = bench.compare(arrangement=arrangement, most=3, metrics=["auc", "logloss"])
    measured = [run for run in found.runs if run.verdict is not None]
    by_depth = sorted(found.runs, key=lambda run: run.parameters["depth"])
    assert {run.run_id for run in measured} == {found.best.run_id, *(run.run_id for run in by_depth[:3])}
    (beside,) = found.beside
    assert (found.metric, beside.metric, found.metrics) == ("roc_auc", "log_loss", 2)
    assert {run.run_id for run in beside.runs if run.verdict is not None} == {run.run_id for run in measured}
    assert found.best.advantage is not None
    assert found.best.advantage.level == 1 - 0.05 / (2 * found.tried)
    assert executed.id in {run.run_id for run in beside.runs}


def test_what_is_gone_or_was_changed_is_left_out_with_why_and_the_next_takes_its_place(
    bench: Workbench, executed: Run
) -> None:
    first, second, third = (run.run_id for run in bench.compare(most=3).runs[:3])
    bench.archive([first])
    (bench.settings.runs_folder / second / PREDICTIONS).write_bytes(b"another")
    (bench.settings.home_folder / "tables" / "results.db").unlink()
    found = bench.compare(most=1)
    assert (found.best.run_id, found.best.verdict) == (third, Verdict.BETTER)
    assert found.left_out == 1
    assert f"run {second} cannot be used" in found.unpaired[0]
    bench.archive([first], undo=True)
    bench.delete([second])
    again = bench.compare(most=1)
    assert (again.best.run_id, again.left_out, again.tried) == (first, 0, MANY + 1)
    assert executed.id in {run.run_id for run in again.runs}


SPLIT = """import pandas as pd
import workbench as wb
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
table = load_breast_cancer(as_frame=True).frame
if more:
    table["more"] = table["mean radius"] ** 2
train, holdout = train_test_split(table, test_size=0.3, random_state=seed)
model = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(train.drop(columns="target"), train.target)
wb.log_evaluation(model, holdout, target="target", training=train)"""


def test_a_sweep_whose_seed_splits_is_several_tables_and_a_family_and_another_column_is_no_other_holdout(
    tmp_path: Path, make_project: Callable[[Path], Path]
) -> None:
    bench = Workbench.open(Settings(make_project(tmp_path / "splits"), author=AUTHOR))
    cells = [nbformat.v4.new_code_cell("depth = 1\nseed = 0\nmore = False"), nbformat.v4.new_code_cell(SPLIT)]
    cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "split.ipynb")
    for seed in (0, 1):
        for depth in (1, 3):
            bench.run(tmp_path / "split.ipynb", {"seed": seed, "depth": depth})
    found = bench.compare()
    assert (len(found.runs), found.elsewhere, [len(each.runs) for each in found.holdouts]) == (2, 2, [2])
    assert (found.tried, found.other_splits) == (4, 2)
    assert found.family is not None
    assert (found.family.by, found.family.splits) == (("seed",), 2)
    assert [row.parameters["depth"] for row in found.family.rows] == [3, 1]
    (elsewhere,) = found.holdouts
    held = bench.compare(reference=elsewhere.runs[0].run_id)
    assert (held.holdout_digest, [run.run_id for run in held.runs]) == (
        elsewhere.holdout_digest,
        [elsewhere.runs[1].run_id],
    )
    assert held.family is not None
    assert [row.parameters["depth"] for row in held.family.rows] == [elsewhere.runs[1].parameters["depth"]]
    bench.run(tmp_path / "split.ipynb", {"seed": 1, "depth": 2, "more": True})
    again = bench.compare()
    assert {run.parameters["depth"] for run in again.runs} == {1, 2, 3}
    (bench.settings.project / "own.py").write_text(OWN, encoding="utf-8")
    with (bench.settings.project / "workbench.toml").open("a", encoding="utf-8") as settings:
        settings.write(NAMED)
    (only,) = bench.compare(metrics=["own"]).runs
    assert only.parameters["depth"] == 2
    assert sum("'more'" in why for why in bench.compare(metrics=["auc", "own"]).unpaired) == 2
    bench.store.close()


OWN = "def own(truth, score, rows):\n    return score * (rows['more'] > 0)\n"
NAMED = '\n[metrics.own]\nfunction = "own.py:own"\ndirection = "higher"\ntasks = ["classification"]\n'
