#!/usr/bin/env bash
# MLflow 3.17.2 recording into SQLite, seen on 2026-11-30.
#
# What a run shows as the value of a metric, and what searches compare, is not always the value that was logged last. Times are kept
# in whole milliseconds, and of several values with one step and one millisecond the run shows the largest, so a loss that is logged in a
# quick loop without steps can end at a value it had before. A value of a smaller step never counts, however much later it is logged. And
# infinity comes back as the largest finite double, so that `math.isinf` does not find a loss that diverged.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlflow-skinny==3.17.2 sqlalchemy==2.1.9 alembic==1.20.1
cat >"$folder/seen.py" <<'PYTHON'
import math
import sys

import mlflow

NOON_MS = 1_796_040_000_000
mlflow.set_tracking_uri("sqlite:///runs.db")
client = mlflow.MlflowClient()
run = client.create_run(client.create_experiment("metrics")).info.run_id
for value in (0.9, 0.5, 0.1):
    client.log_metric(run, "one_millisecond", value, timestamp=NOON_MS)
    client.log_metric(run, "three_milliseconds", value, timestamp=NOON_MS + round(10 * (1 - value)))
client.log_metric(run, "smaller_step", 0.9, step=5, timestamp=NOON_MS)
client.log_metric(run, "smaller_step", 0.1, step=4, timestamp=NOON_MS + 60_000)
client.log_metric(run, "diverged", math.inf, timestamp=NOON_MS)

shown = client.get_run(run).data.metrics
found = client.search_runs([client.get_run(run).info.experiment_id], "metrics.one_millisecond > 0.8")
print("0.9, 0.5, 0.1 in three milliseconds:", shown["three_milliseconds"])
print("0.9, 0.5, 0.1 in one millisecond:   ", shown["one_millisecond"], "- found as above 0.8:", len(found) == 1)
print("0.9 at step 5, later 0.1 at step 4: ", shown["smaller_step"])
print("infinity:                           ", shown["diverged"])
as_seen = shown["three_milliseconds"] == 0.1 and shown["one_millisecond"] == 0.9 and len(found) == 1
sys.exit(not (as_seen and shown["smaller_step"] == 0.9 and shown["diverged"] == sys.float_info.max))
PYTHON
export HOME="$folder" MLFLOW_DISABLE_TELEMETRY=true
cd "$folder"
"$folder/venv/bin/python" "$folder/seen.py" 2>"$folder/log" || { tail -n 5 "$folder/log"; exit 1; }
