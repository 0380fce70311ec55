#!/usr/bin/env bash
# onnxruntime 1.31.1 with onnx 1.23.2, seen on 2026-11-30.
#
# A product of matrices of doubles that is multiplied with a constant comes out as if the constant had been rounded to single precision:
# [1 2 3] times [1 3 5] times 0.1 is 2.20000003 in place of 2.2. By default the session joins the two steps into one, which keeps
# its factor as a 32-bit float; nothing in the graph is of that precision, and nothing is said. The relative error of 1.5e-8 is a hundred
# million times that of doubles. A factor that single precision holds exactly (0.5) is unharmed, and so is a session that is opened with
# disabled_optimizers=["MatMulScaleFusion"].
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

ROW, COLUMN = np.array([[1.0, 2.0, 3.0]]), np.array([[1.0], [3.0], [5.0]])


def scaled(factor, **options):
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["row", "column"], ["product"]), helper.make_node("Mul", ["product", "factor"], ["answer"])],
        "scaled",
        [helper.make_tensor_value_info("row", TensorProto.DOUBLE, [None, 3])],
        [helper.make_tensor_value_info("answer", TensorProto.DOUBLE, [None, 1])],
        [numpy_helper.from_array(COLUMN, "column"), numpy_helper.from_array(np.array(factor), "factor")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"], **options)
    return float(session.run(None, {"row": ROW})[0][0, 0])


def error(answer, factor):
    return abs(answer / (22 * factor) - 1)


tenth, half, apart = scaled(0.1), scaled(0.5), scaled(0.1, disabled_optimizers=["MatMulScaleFusion"])
print("22 * 0.1 by default:", tenth)
print("22 * 0.1 unfused:   ", apart)
print("22 * 0.5 by default:", half)
as_single = error(tenth, float(np.float32(0.1)))
print(f"relative error {error(tenth, 0.1):.2g}; against the factor in single precision {as_single:.2g}")
sys.exit(not (error(tenth, 0.1) > 1e-9 > as_single and error(apart, 0.1) < 1e-15 and half == 11))
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
