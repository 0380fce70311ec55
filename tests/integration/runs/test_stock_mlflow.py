"""What a stock MLflow client finds of real runs and nominees, and what it does with them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, own_environment
from tests.integration.governed import Governed
from tests.unit.serving.test_application import MODEL, Client, post
from workbench.config import Settings
from workbench.evidence.evidence import Status
from workbench.models.contract import parse_contract
from workbench.models.frames import to_rows
from workbench.models.own_modules import OwnModules
from workbench.models.served_model import load_served
from workbench.runs.folder import FEATURES
from workbench.runs.run import Run
from workbench.serving.answering import build_application
from workbench.workflow import Workbench


def client_of(governed: Governed) -> Any:
    from mlflow.tracking import MlflowClient

    address = governed.bench.settings.tracking_address
    return MlflowClient(address, address)


@pytest.mark.filterwarnings("ignore")
def test_a_search_by_dataset_finds_every_run_with_its_source(nominated: Governed) -> None:
    client = client_of(nominated)
    runs = {run.tracked_as: run for run in nominated.bench.list_runs() if run.is_finished}
    experiments = {each.name: each for each in client.search_experiments()}
    mine = experiments.pop("logs_everything")
    assert mine.tags["mlflow.experimentKind"] == "custom_model_development"
    for condition in ("datasets.name = 'holdout'", "datasets.context = 'evaluation'", "datasets.context = 'training'"):
        found = client.search_runs([mine.experiment_id], condition)
        assert {shown.info.run_id for shown in found} == runs.keys(), condition
    for shown in found:
        run = runs[shown.info.run_id]
        assert shown.data.tags["mlflow.source.type"] == "NOTEBOOK"
        assert shown.data.tags["mlflow.source.name"] == "logs_everything.ipynb"
        assert "mlflow.source.git.commit" not in shown.data.tags  # the project is not under git
        (used,) = [each for each in shown.inputs.dataset_inputs if each.dataset.name == "holdout"]
        assert run.holdout is not None
        assert run.holdout["digest"].startswith(used.dataset.digest)
        profile, schema = json.loads(used.dataset.profile), json.loads(used.dataset.schema)
        assert (profile["num_rows"], profile["sha256"]) == (run.holdout["rows"], run.holdout["digest"])
        assert len(schema["mlflow_colspec"]) == profile["num_columns"] == run.holdout["columns"]


def served(governed: Governed, version: int) -> tuple[Client, pd.DataFrame, Any]:
    """The endpoint of a frozen nominee, the holdout's feature rows, and the nominee's contract."""
    folder = governed.bench.settings.models_folder / "shop" / str(version)
    files = {path.name: path.read_bytes() for path in (folder / "bundle").rglob("*") if path.is_file()}
    facts = json.loads((folder / "facts.json").read_bytes())
    contract = parse_contract(files["contract.json"])
    predict = load_served(facts["model"]["served_as"], files, contract, OwnModules())
    run = governed.bench.settings.runs_folder / facts["identity"]["run_id"]
    return Client(build_application(predict, contract, MODEL)), pd.read_parquet(run / FEATURES), contract


@pytest.mark.filterwarnings("ignore")
def test_a_registered_version_answers_as_its_endpoint_does(
    nominated: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    address, before = nominated.bench.settings.tracking_address, mlflow.get_tracking_uri()
    endpoint, features, contract = served(nominated, 1)
    told = post(endpoint, json.dumps({"rows": to_rows(features, contract)}).encode()).json()
    try:
        mlflow.set_tracking_uri(address)
        answered = mlflow.pyfunc.load_model("models:/shop/1").predict(features)
    finally:
        mlflow.set_tracking_uri(before)
    assert answered["labels"].tolist() == told["labels"]
    assert answered["scores"].tolist() == pytest.approx(told["scores"], rel=0, abs=1e-9)


@pytest.mark.soak
def test_the_command_that_predicts_does_so_with_a_model_of_the_registry(nominated: Governed, tmp_path: Path) -> None:
    endpoint, features, contract = served(nominated, 1)
    rows = to_rows(features.head(3), contract)
    (tmp_path / "rows.json").write_text(json.dumps({"dataframe_records": rows}), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "mlflow", "models", "predict", "--model-uri", "models:/shop/1"),
        *(
            "--env-manager",
            "local",
            "--input-path",
            "rows.json",
            "--output-path",
            "answers.json",
            "--content-type",
            "json",
        ),
    ]
    address = nominated.bench.settings.tracking_address
    variables = own_environment(MLFLOW_TRACKING_URI=address, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    told = post(endpoint, json.dumps({"rows": rows}).encode()).json()
    answered = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))["predictions"]
    assert [each["labels"] for each in answered] == told["labels"]
    assert [each["scores"] for each in answered] == pytest.approx(told["scores"], rel=0, abs=1e-9)
    assert {path.name for path in tmp_path.iterdir()} == {"rows.json", "answers.json", "project"}


# A notebook of stock calls


def texts_of(bench: Workbench, run: Run) -> list[str]:
    """What each cell of a run printed; warnings on stderr tell the time."""
    document = json.loads((bench.settings.runs_folder / run.id / "notebook.ipynb").read_bytes())
    outputs = [cell.get("outputs", ()) for cell in document["cells"]]
    return ["".join(each.get("text", "") for each in cell if each.get("name") == "stdout") for cell in outputs]


@pytest.fixture
def bench(project: Path) -> Iterator[Workbench]:
    opened = Workbench.open(Settings(project, author=AUTHOR))
    yield opened
    opened.store.close()


def run_stock_calls(bench: Workbench, *, cold: bool) -> tuple[Run, list[str]]:
    notebook = Path(shutil.copy(NOTEBOOKS / "stock_mlflow_calls.ipynb", bench.settings.project))
    run = bench.run(notebook, {}, cold=cold)
    return run, texts_of(bench, run)


def test_every_stock_call_is_kept_or_refused_with_words_and_nothing_lies_outside_of_runs(bench: Workbench) -> None:
    before = {path.name for path in bench.settings.project.iterdir()}
    run, said = run_stock_calls(bench, cold=False)
    refused = "search: MlflowException Inside of a run of the workbench, MLflow only records what this notebook logs"
    assert [text.strip()[: len(refused)] for text in said if text] == [
        *("True RUNNING 0", "nested ok", refused, "set_experiment ok", "2", "models:", "workbench-spool", "ended"),
    ]
    # The notebook itself writes local.txt beside it.
    own = {"stock_mlflow_calls.ipynb", "local.txt"}
    assert {path.name for path in bench.settings.project.iterdir()} == before | own
    kept = {path for path in run.record["files"] if path.startswith("mlflow-spool/artifacts/")}
    (trace,) = {path.split("/")[3] for path in kept if "/traces/" in path}
    files = (
        "notes/hi.txt",
        "d.json",
        "fig.png",
        "t.json",
        "local.txt",
        "im.png",
        "m/MLmodel",
        f"traces/{trace}/info.json",
    )
    assert {f"mlflow-spool/artifacts/{name}" for name in (*files, f"traces/{trace}/traces.json")} <= kept
    assert {"loss": 0.2, "acc": 0.9, "auc": 0.8, "child/childm": 1.0}.items() <= run.metrics.items()
    assert any("traces are kept as files" in note for note in run.record["notes"])


@pytest.mark.soak
def test_stock_calls_say_and_keep_the_same_warm_as_cold(bench: Workbench) -> None:
    (warm, said), (cold, said_cold) = (run_stock_calls(bench, cold=cold) for cold in (False, True))
    assert said == said_cold
    assert warm.metrics.keys() == cold.metrics.keys()
    named = [{path for path in run.record["files"] if "/traces/" not in path} for run in (warm, cold)]
    assert named[0] == named[1]
    assert warm.record["notes"] == cold.record["notes"]


# A notebook that only autologs

FITS = """
import mlflow
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
import pandas as pd
mlflow.autolog()
features, labels = make_classification(300, 4, n_informative=3, n_redundant=0, class_sep=2.0, random_state=0)
table = pd.DataFrame(features, columns=list("abcd")).assign(y=labels)
train, holdout = table[:200], table[200:]
model = LogisticRegression().fit(train[list("abcd")], train["y"])
mlflow.log_metric("late", 1, synchronous=False)
"""
THE_LINE = """
import workbench as wb
wb.log_evaluation(model, holdout, target='y', training=train)
"""


def test_a_notebook_that_only_autologs_is_nominated_by_one_line_more(bench: Workbench) -> None:
    import nbformat.v4 as v4

    document = v4.new_notebook(cells=[v4.new_code_cell(each) for each in (FITS, THE_LINE)])
    document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = bench.settings.project / "fits.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    run = bench.run(path, {})
    assert {"roc_auc", "log_loss", "accuracy", "training_accuracy_score", "late"} <= run.metrics.keys()
    assert not any("autologging" in note for note in run.record.get("notes", ()))
    review = bench.nominate(run.id, "fits")
    assert review.subject == "fits/1"
    failed = {finding.check for finding in review.findings if finding.status is Status.FAIL}
    assert failed == set()
