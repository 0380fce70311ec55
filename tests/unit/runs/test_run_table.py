"""Runs as a table: typed columns that a CSV file and a Parquet file hold alike."""

from __future__ import annotations

import csv
import math

import pytest

from tests.contract.stores import build_run
from workbench.errors import UsageError
from workbench.runs.finding.annotations import Annotations
from workbench.runs.finding.exporting import export_runs
from workbench.runs.finding.run_table import tabulate_runs
from workbench.runs.run import RunState

HOLDOUT = {"name": "holdout", "role": "holdout", "rows": 171, "columns": 31, "digest": "ef" * 32}
RUNS = [
    build_run(
        parameters={
            "family": "forest",
            "strength": 0.1,
            "depth": 3,
            "balanced": True,
            "layers": [8, 16],
            "mixed": "auto",
        },
        state=RunState.FINISHED,
        started="2026-11-20T09:12:31+00:00",
        ended="2026-11-20T09:12:38.5+00:00",
        record={"metrics": {"roc_auc": 0.95, "val loss": float("nan")}, "datasets": [HOLDOUT]},
        annotations=Annotations("best", "=cmd()|x\nsecond", {"team": "blue", "quick": ""}),
    ),
    build_run(
        parameters={"family": "ridge", "strength": 1, "depth": None, "balanced": False, "mixed": 2**70, "-odd": 7},
        error="Cell 3 raised",
        state=RunState.FAILED,
        record={"metrics": {"roc_auc": 1}},
    ),
]


def test_each_column_has_one_type_and_a_value_or_none_of_each_run():
    columns = {column.name: column for column in tabulate_runs(RUNS)}
    assert {name: columns[name].kind for name in columns if "." in name} == {
        "metrics.roc_auc": "number",
        "metrics.val loss": "number",
        "params.family": "text",
        "params.strength": "number",
        "params.depth": "whole",
        "params.balanced": "flag",
        "params.layers": "text",
        "params.mixed": "text",
        "params.-odd": "whole",
        "tags.team": "text",
        "tags.quick": "text",
    }
    assert columns["params.layers"].values == ["[8, 16]", None]
    assert columns["params.mixed"].values == ['"auto"', str(2**70)]
    assert columns["params.depth"].values == [3, None]
    assert columns["took_s"].values == [7.5, None]
    assert columns["tags.quick"].values == ["", None]
    assert all(len(column.values) == 2 for column in columns.values())


def test_a_parquet_file_has_the_types(tmp_path):
    import pyarrow.parquet as pq

    export_runs(RUNS, tmp_path / "new" / "runs.parquet")
    table = pq.read_table(tmp_path / "new" / "runs.parquet")
    types = {name: str(table.schema.field(name).type) for name in ("created", "params.depth", "metrics.roc_auc")}
    assert types == {"created": "timestamp[us, tz=UTC]", "params.depth": "int64", "metrics.roc_auc": "double"}
    first = table.to_pylist()[0]
    assert (first["name"], first["holdout_rows"], first["params.balanced"]) == ("best", 171, True)
    assert math.isnan(first["metrics.val loss"])
    assert table.to_pylist()[1]["metrics.val loss"] is None


def test_a_csv_file_reads_back_and_starts_no_formula(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("older", encoding="utf-8")
    export_runs(RUNS, path)
    with path.open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert (first["id"], first["note"], first["tags"]) == (RUNS[0].id, "'=cmd()|x\nsecond", "quick, team=blue")
    assert (float(first["metrics.roc_auc"]), first["params.balanced"], second["metrics.val loss"]) == (0.95, "true", "")
    assert second["params.-odd"] == "7"
    assert [each.name for each in tmp_path.iterdir()] == ["runs.csv"]


def test_no_runs_are_a_table_without_rows(tmp_path):
    for name in ("none.csv", "none.PARQUET"):
        export_runs([], tmp_path / name)
        assert (tmp_path / name).stat().st_size > 0
    assert (tmp_path / "none.csv").read_text("utf-8").startswith("id,name,note,tags,notebook,")


def test_another_ending_is_refused_and_nothing_written(tmp_path):
    with pytest.raises(UsageError, match=r"runs\.xlsx is not written"):
        export_runs(RUNS, tmp_path / "runs.xlsx")
    assert list(tmp_path.iterdir()) == []
