#!/usr/bin/env bash
# onnxmltools 1.16.0 with LightGBM 4.7.0 and onnxruntime 1.31.1, seen on 2026-11-30.
#
# The conversion of a LightGBM model takes the trees over, and not always what LightGBM does with them. Without a word it divides the sum
# of a regressor with boosting_type="rf" by 100, where LightGBM divides by the number of trees: right for the default of 100 trees, and
# too small by a factor of 12.5 for 8. With reg_sqrt=True it gives the root of the answer, with linear_tree=True the constants of the leaves
# without their slopes. A model with default settings agrees to single precision, so who tried the conversion once has seen it work.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnxmltools==1.16.0 lightgbm==4.7.0 onnx==1.23.2 onnxruntime==1.31.1 skl2onnx==1.20.0 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat >"$folder/seen.py" <<'PYTHON'
import sys

import lightgbm
import numpy as np
import onnxmltools
import onnxruntime
from onnxmltools.convert.common.data_types import FloatTensorType

rows = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
target = 50 + 20 * rows[:, 0] + 10 * rows[:, 1]
target -= target.min() - 1


def answers(trees=8, **options):
    """Return what LightGBM answers and what its conversion does."""
    model = lightgbm.LGBMRegressor(n_estimators=trees, verbose=-1, n_jobs=1, random_state=0, **options).fit(rows, target)
    graph = onnxmltools.convert_lightgbm(model, initial_types=[("rows", FloatTensorType([None, 3]))], target_opset=15)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    own, converted = model.predict(rows), session.run(None, {"rows": rows})[0].ravel()
    print(f"{trees} trees, {options or 'defaults'}: first row {own[0]:.4f}, converted {converted[0]:.4f}")
    return own, converted


def agree(one, other):
    return np.allclose(one, other, rtol=1e-4)


own, converted = answers()
as_seen = agree(own, converted)
for trees in (100, 8):
    own, converted = answers(trees, boosting_type="rf", bagging_freq=1, bagging_fraction=0.7)
    as_seen = as_seen and agree(own * trees / 100, converted)
own, converted = answers(reg_sqrt=True)
as_seen = as_seen and agree(own, converted**2)
own, converted = answers(linear_tree=True)
sys.exit(not (as_seen and np.abs(own - converted).max() > 0.1))
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/seen.py"
