#!/usr/bin/env bash
# LightGBM 4.7.0 (seen 2026-11-29): a tree's text cannot be read as `x <= threshold` alone.
# 1. A value of at most 1e-35 in size is taken for 0 when it is asked, so one that equals the threshold -1.0000000180025095e-35,
#    which LightGBM itself writes, goes to the right of it, and not to the left.
# 2. A threshold may be `inf`: all numbers go to the left, and what is missing to the right. Readers that take only finite numbers fail.
# Exits with 1 when either is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lightgbm==4.7.0 numpy==2.4.6 scipy==1.16.3
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import lightgbm
import numpy as np

settings = {"min_data_in_leaf": 1, "min_data_in_bin": 1, "verbose": -1, "num_leaves": 2, "num_threads": 1, "seed": 0}
TINY = -1.0000000180025095e-35


def threshold_of(rows, target):
    booster = lightgbm.train({**settings, "objective": "regression"}, lightgbm.Dataset(rows, target), num_boost_round=1)
    text = booster.model_to_string()
    return booster, text.split("\nthreshold=")[1].split("\n")[0]


numbers = np.array([[-1.0]] * 20 + [[0.0]] * 20)
booster, said = threshold_of(numbers, (numbers[:, 0] == 0).astype(float))
left, at, right = booster.predict(np.array([[-1.0], [TINY], [0.0]]))
print(f"threshold {said}: -1 answers {left:.3f}, the threshold itself {at:.3f}, 0 answers {right:.3f}")
flushed = float(said) == TINY and at == right != left

gaps = np.array([[-2.0], [-1.0], [1.0], [2.0]] * 20 + [[np.nan]] * 20)
_, said = threshold_of(gaps, np.isnan(gaps[:, 0]).astype(float))
print(f"where only what is missing is told apart the threshold is {said}")
sys.exit(0 if flushed and said == "inf" else 1)
PYTHON
