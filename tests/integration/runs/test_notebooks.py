"""Every notebook in the tree executes through the workbench, top to bottom, and carries no outputs in git."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, examples
from workbench.config import Settings
from workbench.replays.replay import Sameness
from workbench.runs.run import Run
from workbench.workflow import Workbench

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted((ROOT / "templates" / "experiments").glob("*.ipynb"))
EXPERIMENTS: dict[str, dict[str, Any]] = {
    "10_train_breast_cancer.ipynb": {"family": "random_forest"},
    "11_train_diabetes.ipynb": {"family": "mean"},
    "12_train_wine.ipynb": {"family": "linear_svc"},
}
# Done in a project of its own, as a newcomer does it: `test_tour.py` of `workflow`.
TOUR = "00_tour.ipynb"
VIEWS = ["20_compare_runs.ipynb", "30_review_nominee.ipynb"]
# These were saved with outputs or are broken on purpose: that is the property they are named by.
ON_PURPOSE = {"stale_outputs.ipynb", "stale_counts.ipynb", "broken.ipynb"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    """A project with the notebooks in it, one finished run and one nominee."""
    project = make_project(tmp_path_factory.mktemp("notebooks") / "project")
    shutil.copytree(ROOT / "notebooks", project / "notebooks", ignore=shutil.ignore_patterns(".*"))
    opened = Workbench.open(Settings(project, author=AUTHOR))
    run = opened.run(project / "notebooks" / "11_train_diabetes.ipynb", {"family": "ridge"})
    opened.nominate(run.id, "diabetes")
    yield opened
    opened.store.close()


def run_notebook(bench: Workbench, name: str, **parameters: Any) -> Run:
    return bench.run(bench.settings.project / "notebooks" / name, parameters)


def outputs_of(bench: Workbench, run: Run) -> list[dict[str, Any]]:
    executed = json.loads((bench.settings.runs_folder / run.id / "notebook.ipynb").read_text(encoding="utf-8"))
    return [output for cell in executed["cells"] for output in cell.get("outputs", [])]


def require_nothing_on_standard_error(outputs: list[dict[str, Any]]) -> None:
    """A warning in a notebook that we hand out teaches people to ignore warnings."""
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == []


def test_the_lists_here_are_complete() -> None:
    assert sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb")) == sorted([TOUR, *EXPERIMENTS, *VIEWS])
    assert len(TEMPLATES) >= 1


@pytest.mark.parametrize(("name", "parameters"), examples(EXPERIMENTS.items(), [list(EXPERIMENTS.items())[-1]]))
def test_an_example_keeps_all_that_a_comparison_and_a_release_need(
    bench: Workbench, name: str, parameters: dict[str, Any]
) -> None:
    run = run_notebook(bench, name, **parameters)
    assert {item["role"] for item in run.record["datasets"]} == {"train", "holdout"}
    assert {"predictions.parquet", "features.parquet", "model/model.skops", "model/contract.json"} <= set(
        run.record["files"]
    )
    assert run.metrics
    require_nothing_on_standard_error(outputs_of(bench, run))
    require_same_when_cold(bench, run)


def require_same_when_cold(bench: Workbench, run: Run) -> None:
    """An ordinary kernel gives the same outputs, metrics, predictions and model, to the last bit."""
    replay = bench.replay(run.id, cold=True)
    assert [line for line in replay.lines if line.sameness is not Sameness.IDENTICAL] == []
    assert replay.verdict is Sameness.IDENTICAL
    assert (run.record["kernel"], bench.show(replay.replay_id).record["kernel"]) == ("warm", "cold")
    assert {"metric", "predictions", "model"} <= {line.kind for line in replay.lines}


@pytest.mark.parametrize("template", examples(TEMPLATES, TEMPLATES[:1]), ids=lambda path: path.stem)
def test_a_new_notebook_runs_as_it_is(bench: Workbench, template: Path) -> None:
    path = bench.new(f"my-{template.stem}", template.stem)
    assert path == bench.settings.project / "notebooks" / f"my-{template.stem}.ipynb"
    run = bench.run(path, {})
    assert run.metrics
    assert "holdout" in {item["role"] for item in run.record["datasets"]}
    require_nothing_on_standard_error(outputs_of(bench, run))


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_shown_and_its_report_shows_it_without_javascript(bench: Workbench, name: str) -> None:
    run = run_notebook(bench, name)
    shown = [output.get("data", {}) for output in outputs_of(bench, run)]
    assert any("application/vnd.jupyter.widget-view+json" in data for data in shown)
    assert any("text/html" in data for data in shown)
    require_nothing_on_standard_error(outputs_of(bench, run))
    cold = bench.run(bench.settings.project / "notebooks" / name, {}, cold=True)
    assert (run.record["kernel"], cold.record["kernel"]) == ("warm", "cold")
    assert [kinds_of(output) for output in outputs_of(bench, cold)] == [
        kinds_of(output) for output in outputs_of(bench, run)
    ]


def kinds_of(output: dict[str, Any]) -> tuple[str, ...]:
    """What an output is made of: a view's own names are new each time."""
    return (output["output_type"], output.get("name", ""), *sorted(output.get("data", {})))


@pytest.mark.parametrize(
    "path",
    [
        *sorted((ROOT / "notebooks").glob("*.ipynb")),
        *TEMPLATES,
        *sorted(path for path in NOTEBOOKS.glob("*.ipynb") if path.name not in ON_PURPOSE),
    ],
    ids=lambda path: path.stem,
)
def test_a_notebook_in_git_carries_no_outputs(path: Path) -> None:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
