#!/usr/bin/env bash
# CatBoost 1.2.10 with onnxruntime 1.31.1, seen on 2026-11-30.
#
# CatBoost's own ONNX file of a classifier of two classes that are numbers answers 0 and 1 as the labels, whatever the classes are: one
# that was fitted on 3 and 7 says 7 itself, and 1 in the file. Its second output, the probabilities by class, does name 3 and 7, so the two
# outputs of one file contradict each other. Labels that are texts, and three classes that are numbers, are answered as they are.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check catboost==1.2.10 onnxruntime==1.31.1 numpy==2.4.6
cat >"$folder/seen.py" <<'PYTHON'
import sys

import catboost
import numpy as np
import onnxruntime

rows = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)


def answers(labels, path):
    """Return what CatBoost answers, what its file does, and the classes that the probabilities in the file are of."""
    model = catboost.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False, thread_count=1, random_seed=0)
    model.fit(rows, labels).save_model(path, format="onnx")
    said, shares = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"features": rows})
    return model.predict(rows).ravel().tolist(), np.ravel(said).tolist(), sorted(shares[0])


path = sys.argv[1]
above = rows[:, 0] > 0
as_seen = True
for name, labels, renamed in (
    ("3 and 7", np.where(above, 7, 3), True),
    ("no and yes", np.where(above, "yes", "no"), False),
    ("3, 7 and 9", np.where(above, np.where(rows[:, 1] > 0, 9, 7), 3), False),
):
    own, said, classes = answers(labels, path)
    print(f"fitted on {name}: CatBoost answers {sorted(set(own))}, its file {sorted(set(said))}, with probabilities of {classes}")
    expected = [int(label == 7) for label in own] if renamed else own
    as_seen = as_seen and said == expected and classes == sorted(set(own))
sys.exit(not as_seen)
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder/model.onnx"
