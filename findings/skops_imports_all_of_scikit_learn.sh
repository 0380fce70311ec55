#!/usr/bin/env bash
# skops 0.16.0 with scikit-learn 1.9.1, seen on 2026-11-30.
#
# Reading a model file of skops needs no scikit-learn but the types in it, one would think. Yet `import skops.io` asks scikit-learn for all
# of its estimators to make its list of trusted types, so that every public module of it is imported, its test helpers among them, and with
# these pytest wherever that is installed. A process that only wants to look into one file, and starts anew for each, pays for all of it:
# 1.6 times the CPU of importing one estimator.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    skops==0.16.0 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6 pytest==9.2.0
cat >"$folder/seen.py" <<'PYTHON'
import subprocess
import sys

COUNT = """
import sys, time
began = time.process_time()
import {module}
own = [name for name in sys.modules if name.startswith("sklearn.")]
print(len(own), "pytest" in sys.modules, "sklearn.utils._testing" in sys.modules, time.process_time() - began)
"""


def measure(module):
    command = [sys.executable, "-c", COUNT.format(module=module)]
    said = [subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() for _ in range(3)]
    return int(said[0][0]), said[0][1] == "True", said[0][2] == "True", min(float(each[3]) for each in said)


one, everything = measure("sklearn.linear_model"), measure("skops.io")
print(f"import sklearn.linear_model: {one[0]} modules of scikit-learn, pytest {one[1]}, its test helpers {one[2]}")
print(f"import skops.io:             {everything[0]} modules, pytest {everything[1]}, its test helpers {everything[2]}")
print(f"CPU of the second over that of the first: {everything[3] / one[3]:.1f}")
sys.exit(not (everything[0] > 2 * one[0] and everything[1:3] == (True, True) and one[1:3] == (False, False)))
PYTHON
cd "$folder"
"$folder/venv/bin/python" "$folder/seen.py"
