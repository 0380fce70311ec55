"""Very many runs with predictions on one holdout: one is executed, the others are written down as if they had been."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import numpy as np

from workbench.ledger.sqlalchemy_database import Database
from workbench.models.predictions import Predictions, parse_predictions, spell_predictions
from workbench.models.scorecard import measure_scorecard
from workbench.records.digest import sha256_hex
from workbench.runs.folder import PREDICTIONS
from workbench.runs.run import Run
from workbench.runs.sqlalchemy_tables import ATTEMPTS, RUNS
from workbench.workflow import Workbench

_CELLS = (
    "rate = 0.1\ndepth = 3\nseed = 0",
    """import numpy as np
import pandas as pd
import workbench as wb
drawn = np.random.default_rng(7)
rows = pd.DataFrame(drawn.normal(size=({rows}, 6)), columns=[f"x{{n}}" for n in range(6)])
rows["y"] = (rows.x0 + drawn.normal(size=len(rows)) > 0).astype(int)
rows.index = [f"customer {{n:06d}}" for n in range(len(rows))]
wb.log_dataset(rows, role="holdout", target="y")
score = 1 / (1 + np.exp(-rows.x0.to_numpy()))
wb.log_predictions(rows.index, rows.y, score)""",
)


def write_notebook(folder: Path, rows: int) -> Path:
    """Write the notebook whose runs these are, with a holdout of so many rows."""
    cells = [nbformat.v4.new_code_cell(text.format(rows=rows)) for text in _CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    path = folder / "notebooks" / "scored.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def write_scored_runs(bench: Workbench, run: Run, count: int, *, first: int = 0) -> None:
    """Write so many runs beside one, each as its record and its file of predictions: the better, the smaller their noise."""
    drawn = np.random.default_rng(first)
    folder = bench.settings.runs_folder
    base = parse_predictions((folder / run.id / PREDICTIONS).read_bytes(), run.id)
    written = [_write_run(bench, run, base, drawn, number) for number in range(first, first + count)]
    with Database(bench.settings.store_address).transaction(writes=(RUNS, ATTEMPTS)) as connection:
        connection.execute(RUNS.insert(), [each for each, _ in written])
        connection.execute(ATTEMPTS.insert(), [each for _, each in written])


def _write_run(
    bench: Workbench, run: Run, base: Predictions, drawn: np.random.Generator, number: int
) -> tuple[dict[str, object], dict[str, object]]:
    run_id = f"{drawn.integers(2**24):06x}{number:06x}"
    noise = drawn.normal(size=len(base.rows)) * drawn.uniform(0.5, 2)
    score = 1 / (1 + np.exp(-(np.log(base.score / (1 - base.score)) + noise)))
    predictions = replace(base, score=score, label=(score >= 0.5).astype(float))
    content = spell_predictions(predictions, {})
    (bench.settings.runs_folder / run_id).mkdir()
    (bench.settings.runs_folder / run_id / PREDICTIONS).write_bytes(content)
    scores = measure_scorecard(predictions).to_json()
    record = {**run.record, "files": {**run.record["files"], PREDICTIONS: sha256_hex(content)}, "scores": scores}
    record |= {"metrics": dict(scores["values"]), "predicted": [sha256_hex(content)]}
    parameters = {
        "rate": round(float(10 ** drawn.uniform(-4, 0)), 5),
        "depth": int(drawn.integers(2, 12)),
        "seed": number % 10,
    }
    begun = datetime.fromisoformat(run.created) + timedelta(seconds=31 * (number + 1))
    times = {"started": begun.isoformat(), "ended": (begun + timedelta(seconds=9)).isoformat()}
    said = {
        **{name: getattr(run, name) for name in ("notebook", "notebook_digest", "author")},
        "parameters": json.dumps(parameters),
        "provenance": json.dumps(dict(run.provenance)),
    }
    attempt = {
        "run_id": run_id,
        "number": 1,
        "state": "FINISHED",
        "owner": "host/1/1",
        "record": json.dumps(record),
        **times,
    }
    return {"id": run_id, "created": begun.isoformat(), "changed": number + 1, **said}, attempt
