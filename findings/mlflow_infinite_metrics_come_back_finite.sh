#!/usr/bin/env bash
# MLflow 3.17.2 with a SQLite tracking store, seen on 2026-11-30.
#
# An infinite metric (a loss that diverged) comes back from a database store as the largest double, 1.7976931348623157e+308: it is
# finite for `math.isfinite` and for numpy, stands among the numbers in a search, and a mean over runs is of the size of 1e307
# instead of infinite. A metric that is not a number does come back as one. The client that logged it is told nothing.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlflow==3.17.2
cat >"$folder/seen.py" <<'PYTHON'
import math
import sys

from mlflow import MlflowClient

client = MlflowClient(f"sqlite:///{sys.argv[1]}")
experiment = client.create_experiment("diverged", artifact_location="file:///nowhere")
logged = {"diverged": math.inf, "fell": -math.inf, "undefined": math.nan, "usual": 0.5}
run = client.create_run(experiment).info.run_id
for name, value in logged.items():
    client.log_metric(run, name, value)
found = client.get_run(run).data.metrics
for name, value in logged.items():
    print(f"{name}: logged {value}, comes back as {found[name]!r}")
largest = sys.float_info.max
as_seen = (found["diverged"], found["fell"]) == (largest, -largest) and math.isnan(found["undefined"])
sys.exit(0 if as_seen else 1)
PYTHON
cd "$folder"
MLFLOW_DISABLE_TELEMETRY=true "$folder/venv/bin/python" -W ignore "$folder/seen.py" "$folder/runs.db" 2>/dev/null
