#!/usr/bin/env bash
# onnxruntime 1.31.1 with onnx 1.23.2, seen on 2026-11-29.
#
# A text that a graph stores as a constant is cut at its first null character; the same text as an input, or as a key of LabelEncoder,
# keeps it. So Equal(input, constant) is false for a text that equals the constant, and true for the empty text, without a word.
# Whoever marks a missing text by one that no caller can send (as a single null character) must compare it with LabelEncoder.
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
from onnx import TensorProto, helper

MARK = "\0"
ASKED = np.array([[MARK], [""], ["a"]], dtype=object)


def answers(node, constants):
    asked = helper.make_tensor_value_info("asked", TensorProto.STRING, [None, 1])
    kind = TensorProto.BOOL if node.op_type == "Equal" else TensorProto.INT64
    answered = helper.make_tensor_value_info("answered", kind, [None, 1])
    versions = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 4)]
    graph = helper.make_graph([node], "texts", [asked], [answered], constants)
    model = helper.make_model(graph, opset_imports=versions, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"asked": ASKED})[0].ravel().astype(bool).tolist()


stored = helper.make_tensor("stored", TensorProto.STRING, [1], [MARK.encode()])
by_constant = answers(helper.make_node("Equal", ["asked", "stored"], ["answered"]), [stored])
keys = {"keys_strings": [MARK], "values_int64s": [1], "default_int64": 0}
by_key = answers(helper.make_node("LabelEncoder", ["asked"], ["answered"], domain="ai.onnx.ml", **keys), [])
print("asked: a null character, the empty text, a")
print("equal to a stored null character:", by_constant)
print("a key of LabelEncoder:           ", by_key)
sys.exit(not (by_constant == [False, True, False] and by_key == [True, False, False]))
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
