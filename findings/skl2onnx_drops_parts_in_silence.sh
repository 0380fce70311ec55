#!/usr/bin/env bash
# skl2onnx 1.20.0 with scikit-learn 1.9.1 and onnxruntime 1.31.1, seen on 2026-11-30.
#
# A conversion that succeeds without a warning can leave a part of the model out.
# 1. Of TunedThresholdClassifierCV the tuned threshold: the graph's labels are those of the estimator inside, which decides at 0.5, though
#    FixedThresholdClassifier, its sibling, is refused. Its probabilities are right, so comparing these finds nothing.
# 2. Of SimpleImputer(add_indicator=True) the columns that say what was missing; what stands behind it in a pipeline gets a table that is
#    too narrow, and still answers. Here a model that had learnt to answer "missing" from them (always right) answers another label to
#    every row with a gap.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  skl2onnx==1.20.0 scikit-learn==1.9.1 onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6 scipy==1.17.1
cat >"$folder/seen.py" <<'PYTHON'
import sys
import warnings

import numpy as np
import onnxruntime
import skl2onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline

generator = np.random.default_rng(0)
rows = generator.normal(size=(600, 3)).astype(np.float32)


def convert(model, **options):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        graph = skl2onnx.convert_sklearn(model, initial_types=[("rows", FloatTensorType([None, 3]))], options=options)
    return graph, warned


def ask(model, asked, **options):
    graph, warned = convert(model, **options)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    print(f"{type(model).__name__}: converted, {len(warned)} warnings")
    return session.run(None, {"rows": asked})


rare = rows @ np.array([1, 1, 0]) + generator.normal(size=600) > 2
tuned = TunedThresholdClassifierCV(LogisticRegression(), scoring="balanced_accuracy", random_state=0).fit(rows, rare)
own, at_half = tuned.predict(rows), tuned.estimator_.predict(rows)
labels, scores = ask(tuned, rows, zipmap=False)
apart = np.abs(scores - tuned.predict_proba(rows)).max()
print(f"tuned to {tuned.best_threshold_:.2f}: {own.sum()} of 600 rows positive, in the graph {labels.sum()}, at 0.5 {at_half.sum()}")
threshold_lost = (labels == at_half).all() and (own != at_half).sum() > 20 and apart < 1e-5

try:
    convert(FixedThresholdClassifier(LogisticRegression(), threshold=0.2).fit(rows, rare))
    fixed_refused = False
except Exception as error:
    fixed_refused = True
    print("FixedThresholdClassifier is refused:", type(error).__name__)

gaps = generator.random(600) < 0.3
with_gaps = rows.copy()
with_gaps[gaps, 0] = np.nan
model = make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression()).fit(with_gaps, gaps)
right, (labels, _) = model.predict(with_gaps) == gaps, ask(model, with_gaps, zipmap=False)
own_width, width = model[0].transform(with_gaps).shape[1], ask(model[0], with_gaps)[0].shape[1]
print(f"the imputer makes {own_width} columns, in the graph {width}")
print(f"rows with a gap that are answered right: {right[gaps].sum()} of {gaps.sum()}, by the graph {labels[gaps].sum()}")
sys.exit(not (threshold_lost and fixed_refused and (own_width, width) == (4, 3) and right.all() and not labels[gaps].any()))
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
