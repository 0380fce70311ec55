"""Two runs to be held against each other, as their folders would have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tests.contract.stores import build_run
from tests.unit.policies.builders import STRICT_POLICY, read_policy
from workbench.comparisons.comparing import Reference, Scored, compare_scored
from workbench.comparisons.comparison import name_run
from workbench.comparisons.difference.pair import Pair, Side
from workbench.comparisons.difference.run_difference import RunDifference, find_difference
from workbench.comparisons.difference.shared_rows import ONE_HOLDOUT
from workbench.models.predictions import Predictions
from workbench.records.digest import canonical_json, sha256_hex
from workbench.runs.run import RunState

DATASETS = [{"name": "holdout", "role": "holdout", "digest": "c" * 64, "rows": 200, "columns": 3}]
COMPLETE = {"modules": [], "reads": [], "more_read": 0, "is_complete": True, "unseen": []}


def build_side(run_id: str = "a" * 12, **changes: Any) -> Side:
    """Return a finished run that kept nothing; `run` are changes of the run itself, `record` of what it recorded."""
    record = {"files": {}, "local_files": COMPLETE, **changes.pop("record", {})}
    facts = {"state": RunState.FINISHED, "parameters": {}, "record": record, **changes.pop("run", {})}
    return Side(run_id, build_run(id=run_id, **facts), **changes)


def build_pair(before: Mapping[str, Any], after: Mapping[str, Any]) -> Pair:
    """Return two runs of two executed notebooks."""
    sides = [
        build_side(name * 12, notebook=document, run={"notebook_digest": sha256_hex(canonical_json([number]))})
        for number, (name, document) in enumerate((("a", before), ("b", after)))
    ]
    return Pair(*sides)


def build_notebook(*cells: str | tuple[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Return an executed notebook of code cells, each its source, or its source with what it showed."""
    pairs = [(cell, ()) if isinstance(cell, str) else cell for cell in cells]
    return {
        "cells": [
            {"cell_type": "code", "metadata": {}, "source": source, "outputs": [*outputs]} for source, outputs in pairs
        ]
    }


def build_predictions(score: Sequence[float], truth: Sequence[float], **changes: Any) -> Predictions:
    """Return predictions of two classes for rows that are called by their numbers."""
    rows = tuple(str(number) for number in range(len(score)))
    facts = {
        "rows": rows,
        "truth": np.array(truth, dtype=float),
        "score": np.array(score, dtype=float),
        "task": "classification",
    }
    return Predictions(**{**facts, **changes})


def build_difference(text: str = "epoch 1: loss 0.4") -> RunDifference:
    """Return the difference of two runs in every part, with a text that a notebook showed, and data nobody knows."""
    random = np.random.default_rng(7)
    truth, noise = (random.random(200) < 0.4).astype(float), random.normal(size=(2, 200))
    scores = [
        1 / (1 + np.exp(-(3 * (truth - 0.5) + spread * each))) for spread, each in zip((2.0, 1.2), noise, strict=True)
    ]
    cells = [
        "import workbench as wb",
        ("model = fit(depth)", [{"output_type": "stream", "name": "stdout", "text": text}]),
    ]
    packages = [{"numpy": "2.4.5"}, {"numpy": "2.4.6"}]
    sides = [
        build_side(
            name * 12,
            notebook=build_notebook(*cells, f"for epoch in range({depth}):\n    train(epoch)"),
            predictions=build_predictions(score, truth),
            coefficients={"age": [0.25], "weight": [depth / 10]},
            settings={"LogisticRegression.C": f"{depth}.0"},
            run={
                "notebook_digest": name * 64,
                "parameters": {"depth": depth, "family": text, "seed": 7},
                "provenance": {"packages": named, "packages_digest": name * 64, "python": "3.11.7"},
            },
            record={
                "metrics": {"roc_auc": depth / 10},
                "files": {"model/model.skops": name * 64},
                "datasets": DATASETS,
            },
        )
        for name, depth, score, named in zip("ab", (3, 8), scores, packages, strict=True)
    ]
    cells[1] = ("model = fit(depth)", [{"output_type": "stream", "name": "stdout", "text": f"{text}\nepoch 2"}])
    sides[1] = replace(sides[1], notebook=build_notebook(*cells[::-1], "for epoch in range(8):\n    train(epoch)"))
    rule = read_policy(STRICT_POLICY.read_bytes()).rule_of("classification")
    scored = Scored(sides[1].name, {}, sides[1].predictions)
    reference = Reference(name_run(sides[0].name), sides[0].predictions)
    compared = compare_scored([scored], holdout_digest="c" * 64, reference=reference, rule=rule, tried=2)
    return find_difference(Pair(*sides, compared, shared=ONE_HOLDOUT))
