#!/usr/bin/env bash
# MLflow 3.17.2 with pandas 3.1.1, seen on 2026-11-30.
#
# The digest that MLflow keeps of a dataset (`mlflow.data.from_pandas`, `log_input`) is made of the first 10,000 rows, the number of
# rows and the names of the columns; and of those rows only numbers and texts count. Columns of booleans and dates do not, nor does a
# column of texts in which one value is missing. So two tables with the same digest may differ in every label and every date: it says
# that the data changed when it changes, and not that they are the same when it does not.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlflow-skinny==3.17.2 pandas==3.1.1 numpy==2.4.6
cat >"$folder/seen.py" <<'PYTHON'
import sys

import mlflow.data
import numpy as np
import pandas as pd

ROWS = 12_000
table = pd.DataFrame(
    {
        "number": np.arange(ROWS) / 10,
        "text": "a",
        "text_with_a_gap": [None, *["a"] * (ROWS - 1)],
        "flag": True,
        "date": pd.Timestamp("2026-01-01"),
    }
)
OTHERS = {"number": -1.0, "text": "b", "text_with_a_gap": [None, *["b"] * (ROWS - 1)], "flag": False}
OTHERS["date"] = pd.Timestamp("2020-01-01")


def digest(frame):
    return mlflow.data.from_pandas(frame).digest


changed = {f"all of {name}": table.assign(**{name: other}) for name, other in OTHERS.items()}
changed["numbers and texts behind row 10,000"] = table.assign(
    number=table["number"].where(table.index < 10_000, -1.0), text=table["text"].where(table.index < 10_000, "b")
)
same = {name: digest(frame) == digest(table) for name, frame in changed.items()}
for name, is_same in same.items():
    print(f"{name} changed: {'the same digest' if is_same else 'another digest'}")
sys.exit([name for name, is_same in same.items() if not is_same] != ["all of number", "all of text"])
PYTHON
export HOME="$folder" MLFLOW_DISABLE_TELEMETRY=true
"$folder/venv/bin/python" "$folder/seen.py" 2>"$folder/log" || { tail -n 5 "$folder/log"; exit 1; }
