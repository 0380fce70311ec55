"""A copy of MLflow's runs, read on from its mark, is MLflow's own answer, whatever happened to them since."""

from __future__ import annotations

import math
import random
import shutil
import sys
from types import SimpleNamespace

import pyarrow as pa
import pytest
import sqlalchemy as sa

from workbench.errors import NotFound, Unavailable, UsageError, WorkbenchError
from workbench.runs.finding.outline import MISSING
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.table import mlflow_client_columns, mlflow_sqlalchemy_columns
from workbench.runs.table.copying import read_columns
from workbench.runs.table.mlflow_client_columns import MlflowClientColumns
from workbench.runs.table.mlflow_sqlalchemy_columns import MlflowColumns
from workbench.runs.table.question import Question
from workbench.runs.table.reading import RunTableReader, open_mlflow

METRICS, PARAMS, TAGS = ("loss", "acc"), ("lr", "größe ☃"), ("team", "odd.name/1")
ASKED = [f"{of}.{key}" for of, keys in (("metrics", METRICS), ("params", PARAMS), ("tags", TAGS)) for key in keys]


@pytest.fixture
def mlflow(tmp_path, blank_tracking):
    shutil.copy(blank_tracking, tmp_path / "mlflow.db")
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    tracker = MlflowTracker(address, tmp_path / "artifacts")
    tracker.require_answer()
    client = tracker._client
    experiments = [client.create_experiment(name, artifact_location=str(tmp_path / name)) for name in ("one", "two")]
    return SimpleNamespace(address=address, client=client, experiments=experiments, tracker=tracker)


def read(mlflow, folder):
    return read_columns(MlflowColumns(sa.create_engine(mlflow.address)), ASKED, folder)


def plain(columns):
    """Return rows as they can be compared: what is no number is equal to itself."""
    return [
        {name: "nan" if value != value else value for name, value in row.items()}
        for row in pa.table(dict(columns.arrays)).to_pylist()
    ]


def as_logged(value):
    """MLflow's database has the largest double for what was infinite (findings/mlflow_infinite_metrics_come_back_finite.sh)."""
    return math.copysign(math.inf, value) if value in (sys.float_info.max, -sys.float_info.max) else value


def ask_mlflow(client):
    """Return what MLflow's own search says, in its order."""
    experiments = {each.experiment_id: each.name for each in client.search_experiments()}
    found = client.search_runs(list(experiments), max_results=1_000)
    return [
        {
            "run.id": run.info.run_id,
            "run.name": run.info.run_name,
            "run.experiment": experiments[run.info.experiment_id],
            "run.state": run.info.status.lower().replace("scheduled", "queued"),
            "run.note": run.data.tags.get("mlflow.note.content"),
            **{f"metrics.{key}": as_logged(run.data.metrics.get(key)) for key in METRICS},
            **{f"params.{key}": run.data.params.get(key) for key in PARAMS},
            **{f"tags.{key}": run.data.tags.get(key) for key in TAGS},
        }
        for run in found
    ]


class Life:
    """What people and programs do with runs, drawn by chance; what MLflow refuses is no matter."""

    def __init__(self, mlflow, seed: int) -> None:
        self.drawn, self.client, self.mlflow = random.Random(seed), mlflow.client, mlflow
        self.runs: list[str] = []
        self.deleted: list[str] = []

    def begin(self):
        experiment = self.drawn.choice(self.mlflow.experiments)
        started = 1_700_000_000_000 + self.drawn.randrange(20)
        self.runs.append(self.client.create_run(experiment, start_time=started).info.run_id)

    def log_metric(self):
        value = self.drawn.choice([self.drawn.random(), math.nan, math.inf, -1.5, 0.0])
        moment, step = self.drawn.randrange(1, 50), self.drawn.randrange(5)
        self.client.log_metric(self.drawn.choice(self.runs), self.drawn.choice(METRICS), value, moment, step)

    def log_param(self):
        self.client.log_param(
            self.drawn.choice(self.runs), self.drawn.choice(PARAMS), self.drawn.choice(["1", "x", "☃"])
        )

    def set_tag(self):
        key = self.drawn.choice([*TAGS, "mlflow.note.content", "mlflow.runName"])
        self.client.set_tag(self.drawn.choice(self.runs), key, self.drawn.choice(["a", "b", "long " * 30]))

    def delete_tag(self):
        self.client.delete_tag(self.drawn.choice(self.runs), self.drawn.choice(TAGS))

    def end(self):
        self.client.set_terminated(self.drawn.choice(self.runs), self.drawn.choice(["FINISHED", "FAILED", "KILLED"]))

    def rename(self):
        self.client.update_run(self.drawn.choice(self.runs), name=self.drawn.choice(["x", "y"]))

    def delete(self):
        run_id = self.drawn.choice(self.runs)
        self.client.delete_run(run_id)
        self.runs.remove(run_id)
        self.deleted.append(run_id)

    def restore(self):
        run_id = self.drawn.choice(self.deleted)
        self.client.restore_run(run_id)
        self.deleted.remove(run_id)
        self.runs.append(run_id)

    def purge(self):
        """What `mlflow gc` does to a deleted run."""
        run_id = self.drawn.choice(self.deleted)
        self.client._tracking_client.store._hard_delete_run(run_id)
        self.deleted.remove(run_id)

    def lose_experiment(self):
        experiment = self.drawn.choice(self.mlflow.experiments)
        self.client.delete_experiment(experiment)

    def find_experiment(self):
        self.client.restore_experiment(self.drawn.choice(self.mlflow.experiments))

    def go_on(self):
        often = [self.begin, self.log_metric, self.log_param, self.set_tag]
        seldom = [self.delete_tag, self.end, self.rename, self.delete, self.restore, self.purge]
        rarely = [self.lose_experiment, self.find_experiment, self.find_experiment]
        deed = self.drawn.choice(self.drawn.choices([often, seldom, rarely], [6, 3, 1])[0])
        try:
            deed()
        except (self.client_refuses, IndexError):
            return

    @property
    def client_refuses(self):
        from mlflow.exceptions import MlflowException

        return MlflowException


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 30))])
def test_whatever_happens_the_copy_is_mlflows_own_answer(mlflow, tmp_path, seed):
    life, most = Life(mlflow, seed), 0
    for number in range(160):
        life.go_on()
        if number % 4 == 0:
            copied, answer = plain(read(mlflow, tmp_path / "kept")), ask_mlflow(mlflow.client)
            assert [{name: row[name] for name in said} for row, said in zip(copied, answer, strict=True)] == [
                {name: "nan" if value != value else value for name, value in said.items()} for said in answer
            ]
            most = max(most, len(answer))
    assert most > 1


def test_only_what_is_new_is_read_behind_the_mark(mlflow, tmp_path, monkeypatch):
    for _ in range(3):
        run = mlflow.client.create_run(mlflow.experiments[0]).info.run_id
        mlflow.client.log_metric(run, "loss", 1.0)
    read(mlflow, tmp_path)
    whole = []
    was = mlflow_sqlalchemy_columns._read_all
    monkeypatch.setattr(mlflow_sqlalchemy_columns, "_read_all", lambda *given: whole.append(given[2]) or was(*given))
    new = mlflow.client.create_run(mlflow.experiments[0]).info.run_id
    mlflow.client.log_metric(new, "loss", 2.0)
    mlflow.client.log_metric(run, "loss", 3.0, step=1)
    found = {row["run.id"]: row["metrics.loss"] for row in plain(read(mlflow, tmp_path))}
    assert (found[new], found[run], len(found)) == (2.0, 3.0, 4)
    assert whole == [["tags.team", "tags.odd.name/1"]]


def test_a_number_that_was_freed_and_given_again_is_no_mark(mlflow, tmp_path):
    first, second = (mlflow.client.create_run(mlflow.experiments[0]).info.run_id for _ in range(2))
    mlflow.client.log_metric(first, "loss", 1.0)
    mlflow.client.log_metric(second, "loss", 2.0)
    mlflow.client.delete_run(second)
    assert len(read(mlflow, tmp_path)) == 1
    mlflow.client._tracking_client.store._hard_delete_run(second)
    mlflow.client.log_metric(first, "loss", 3.0, step=1)
    assert plain(read(mlflow, tmp_path))[0]["metrics.loss"] == 3.0


def test_a_server_is_asked_through_mlflows_client(mlflow, tmp_path):
    run = mlflow.client.create_run(mlflow.experiments[1], run_name="theirs").info.run_id
    mlflow.client.log_metric(run, "loss", math.nan)
    mlflow.client.log_param(run, "lr", "0.1")
    mlflow.client.set_tag(run, "team", "blue")
    asked, source = (
        plain(read_columns(MlflowClientColumns(mlflow.address, tmp_path), ASKED, tmp_path / "none")),
        plain(read(mlflow, tmp_path)),
    )
    assert asked == source
    assert not (tmp_path / "none").exists()


def test_every_page_of_a_server_is_read_and_no_run_twice(mlflow, tmp_path, monkeypatch):
    runs = [mlflow.client.create_run(number, start_time=7).info.run_id for number in mlflow.experiments * 2]
    monkeypatch.setattr(mlflow_client_columns, "_PAGE", 2)
    server = MlflowClientColumns(mlflow.address, tmp_path)
    search = server._client.search_runs

    def search_while_others_begin(*given, page_token=None, **named):
        if page_token:
            mlflow.client.create_run(mlflow.experiments[0], start_time=9)
        return search(*given, page_token=page_token, **named)

    monkeypatch.setattr(server._client, "search_runs", search_while_others_begin)
    assert sorted(server.refresh(None, []).arrays["run.id"].to_pylist()) == sorted(runs)


def test_a_time_that_is_none_hides_no_run(mlflow, tmp_path):
    run = mlflow.client.create_run(mlflow.experiments[0], start_time=1_700_000_000_000_000_000).info.run_id
    answer = RunTableReader(lambda: MlflowColumns(sa.create_engine(mlflow.address)), tmp_path).ask(
        Question(sort="created")
    )
    assert (answer.table.ids, answer.table.read_column("run.created")) == ([run], [MISSING])


@pytest.mark.parametrize(
    "address",
    [
        *("postgresql://ada:hunter2@127.0.0.1:9/x", "postgresql://ada:hunter2@127.0.0.1:nine/x"),
        *("postgresql://ada@127.0.0.1:9/x?password=hunter2", "http://ada:hunter2@127.0.0.1:9", "ftp://ada:hunter2@x"),
    ],
)
def test_a_password_in_an_address_is_told_nobody(address, tmp_path):
    with pytest.raises(WorkbenchError) as caught:
        open_mlflow(address, tmp_path).refresh(None, [])
    assert "hunter2" not in str(caught.value)


def test_what_is_no_tracking_store_is_refused_with_what_to_do(mlflow, tmp_path):
    with pytest.raises(NotFound, match="There is no MLflow database"):
        open_mlflow(f"sqlite:///{tmp_path / 'none.db'}", tmp_path)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(UsageError, match="no address of an MLflow tracking store"):
        open_mlflow("mlruns", tmp_path)
    with pytest.raises(UsageError, match="cannot be opened"):
        open_mlflow("mssql+nix://host/name", tmp_path)
    (tmp_path / "other.db").write_bytes(b"no database")
    with pytest.raises(Unavailable, match="cannot be read"):
        open_mlflow(f"sqlite:///{tmp_path / 'other.db'}", tmp_path).refresh(None, [])
    with pytest.raises(Unavailable, match="did not answer"):
        open_mlflow("http://127.0.0.1:9", tmp_path)
