#!/usr/bin/env bash
# onnxruntime 1.31.1 with onnx 1.23.2 and numpy 2.4.6, seen on 2026-11-29.
#
# ReduceSum over the columns of a row of doubles is not the sum that numpy, or adding from left to right, gives: of 10,000 rows of three
# numbers with one decimal 1,293 differ, by at most 1.8e-15; alone and in a batch a row gets the same. A tree behind such a sum (shares of
# a row, components) has thresholds that training rows stand on exactly, so ordinary rows of a converted model go the other way, though
# the step itself is right to its last bits.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
cat >"$folder/seen.py" <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

COLUMNS, ROWS = 3, 10_000
rows = np.round(np.random.default_rng(0).normal(2, 1, (ROWS, COLUMNS)), 1)
graph = helper.make_graph(
    [helper.make_node("ReduceSum", ["rows", "axes"], ["sums"], keepdims=0)],
    "sums",
    [helper.make_tensor_value_info("rows", TensorProto.DOUBLE, [None, COLUMNS])],
    [helper.make_tensor_value_info("sums", TensorProto.DOUBLE, [None])],
    [numpy_helper.from_array(np.array([1]), "axes")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def ask(some):
    return session.run(None, {"rows": some})[0]


together, alone = ask(rows), np.array([ask(rows[at : at + 1])[0] for at in range(ROWS)])
left_to_right = (rows[:, 0] + rows[:, 1]) + rows[:, 2]
differing = int((together != rows.sum(axis=1)).sum())
print(f"ReduceSum differs from numpy's sum on {differing} of {ROWS} rows, from left to right on {int((together != left_to_right).sum())}")
print(f"alone from in a batch on {int((alone != together).sum())}")
print(f"largest difference {np.abs(together - left_to_right).max():.3g}")
sys.exit(0 if differing > ROWS // 10 else 1)
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
