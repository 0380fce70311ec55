#!/usr/bin/env bash
# skl2onnx 1.20.0 with scikit-learn 1.9.1 and onnxruntime 1.31.1, seen on 2026-11-29.
#
# A decision tree that is converted to take doubles still holds its thresholds in single precision, rounded to the nearest. scikit-learn
# rounds the row to single precision and keeps the threshold; so a value beside a threshold goes the other way. Fitted on 0.6 and 0.8,
# the tree calls 0.7 one class and the graph the other one. With inputs in single precision both agree here, but then whatever stands
# before the tree computes in single precision too.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  skl2onnx==1.20.0 scikit-learn==1.9.1 onnxruntime==1.31.1 numpy==2.4.6
cat >"$folder/seen.py" <<'PYTHON'
import sys

import numpy as np
import onnxruntime
import skl2onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs
from sklearn.tree import DecisionTreeClassifier

rows, labels = np.array([[0.6], [0.8]] * 20), [0, 1] * 20
asked = np.array([[0.6], [0.7], [0.8]])
tree = DecisionTreeClassifier().fit(rows, labels)


def compiled(kind, dtype):
    graph = skl2onnx.convert_sklearn(tree, initial_types=[("rows", kind([None, 1]))], options={"zipmap": False})
    graph = select_model_inputs_outputs(graph, outputs=[graph.graph.output[0].name])
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"rows": asked.astype(dtype)})[0].tolist()


own = tree.predict(asked).tolist()
double, single = compiled(DoubleTensorType, np.float64), compiled(FloatTensorType, np.float32)
print("asked 0.6, 0.7, 0.8; threshold", repr(float(tree.tree_.threshold[0])))
print("scikit-learn:    ", own)
print("double precision:", double)
print("single precision:", single)
sys.exit(not (double != own and single == own))
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
