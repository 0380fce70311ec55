"""Very many runs written down at once: in our own store, and in MLflow's database, as if they had been executed."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workbench.runs.sqlalchemy_store import Store
from workbench.runs.sqlalchemy_tables import ATTEMPTS, RUNS

_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_FAMILIES = ("forest", "boosting", "ridge", "svm", "größe ☃")


def write_runs(store: Store, count: int, *, first: int = 0) -> None:
    """Write finished runs of five families, a learning rate, a depth and a seed; one of fifty failed, one of a hundred has NaN."""
    drawn = random.Random(first)
    runs = [_draw_run(drawn, number) for number in range(first, first + count)]
    with store._database.transaction(writes=(RUNS, ATTEMPTS)) as connection:
        connection.execute(
            RUNS.insert(), [{**run, "changed": first + place + 1} for place, (run, _) in enumerate(runs)]
        )
        connection.execute(ATTEMPTS.insert(), [attempt for _, attempt in runs])


def _draw_run(drawn: random.Random, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    run_id, created = f"{drawn.getrandbits(24):06x}{number:06x}", _FIRST + timedelta(seconds=31 * number)
    family, rate, depth = drawn.choice(_FAMILIES), round(10 ** drawn.uniform(-4, 0), 5), drawn.randint(2, 12)
    value = 0.8 + 0.02 * _FAMILIES.index(family) + drawn.gauss(0, 0.01)
    metrics = {"roc_auc": value if number % 100 else float("nan"), "log_loss": 1 - value, "accuracy": value - 0.05}
    parameters = {"family": family, "learning_rate": rate, "max_depth": depth, "seed": number % 10}
    is_failed = number % 50 == 7
    run = {
        "id": run_id,
        "created": created.isoformat(),
        "notebook": "notebooks/churn.ipynb",
        "notebook_digest": "0" * 64,
        "parameters": json.dumps(parameters),
        "provenance": json.dumps({"git_commit": None}),
        "author": "ada@example.org",
    }
    attempt = {
        "run_id": run_id,
        "number": 1,
        "state": "FAILED" if is_failed else "FINISHED",
        "owner": "host/1/1",
        "started": created.isoformat(),
        "ended": (created + timedelta(seconds=drawn.randint(2, 200))).isoformat(),
        "error": "Cell 4 raised ValueError: no rows" if is_failed else None,
        "record": json.dumps({} if is_failed else {"metrics": metrics, "datasets": [], "files": {}}),
    }
    return run, attempt


def write_mlflow_runs(path: Path, experiment: str, count: int, names: Sequence[int], *, first: int = 0) -> None:
    """Write finished runs into MLflow's SQLite database, with so many metrics, parameters and tags each."""
    drawn, ids = random.Random(first), [f"{number:032x}" for number in range(first, first + count)]
    metrics, params, tags = names
    start_ms = 1_700_000_000_000
    with sqlite3.connect(path) as database:
        database.executemany(
            "insert into runs(run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,"
            " source_version, lifecycle_stage, artifact_uri, experiment_id)"
            " values(?, ?, 'LOCAL', 'x', '', 'ada', 'FINISHED', ?, ?, '', 'active', '', ?)",
            [
                (run, f"run-{n}", start_ms + 1000 * n, start_ms + 1000 * n + 500, experiment)
                for n, run in enumerate(ids, first)
            ],
        )
        values = [(f"metric_{k}", drawn.random(), start_ms, 0, 0, run) for run in ids for k in range(metrics)]
        for table in ("metrics", "latest_metrics"):
            database.executemany(
                f"insert into {table}(key, value, timestamp, step, is_nan, run_uuid) values(?, ?, ?, ?, ?, ?)", values
            )
        texts = [(f"param_{k}", str(drawn.random()), run) for run in ids for k in range(params)]
        database.executemany("insert into params(key, value, run_uuid) values(?, ?, ?)", texts)
        said = [(f"tag_{k}", str(drawn.randrange(9)), run) for run in ids for k in range(tags)]
        said += [("mlflow.runName", f"run-{n}", run) for n, run in enumerate(ids, first)]
        database.executemany("insert into tags(key, value, run_uuid) values(?, ?, ?)", said)
    database.close()
