"""Answers as frames of pandas: to go on with what was asked, every row of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workbench.runs.finding.outline import MISSING
from workbench.runs.table.reading import Answer

if TYPE_CHECKING:
    import pandas as pd


def build_frame(answer: Answer, *, is_grouped: bool) -> pd.DataFrame:
    """Return an answer as a frame, all rows in its order: a row a run, or a row a group with what its metrics are like.

    Columns are called as they are shown, `run` is the id. Of groups `runs` is how many there are, `runs.id` their ids, and each
    metric has `roc_auc.mean`, `.se`, `.low`, `.high`, `.min`, `.max`, `.last`, `.n` and `.holdouts`. What is missing is none.
    """
    import pandas as pd

    return pd.DataFrame(_list_groups(answer) if is_grouped else _list_runs(answer))


def label_columns(names: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """Return what columns are called: without their kind, but where two are called so, or another thing is."""
    keys = [name.partition(".")[2] for name in names]
    return {
        name: key if keys.count(key) == 1 and key not in taken else name for name, key in zip(names, keys, strict=True)
    }


def _list_runs(answer: Answer) -> dict[str, list[Any]]:
    names = [name for name in answer.columns if name != "run.id"]
    if "run.name" not in names and answer.table.has_any("run.name"):
        names.insert(0, "run.name")
    called = label_columns(names, ["run"])
    return {"run": answer.table.ids} | {
        called[name]: list(map(_plain, answer.table.read_column(name))) for name in names
    }


def _list_groups(answer: Answer) -> list[dict[str, Any]]:
    metrics = [name for name in answer.columns if name.startswith("metrics.")]
    called, ids = label_columns([*answer.by, *metrics], ["runs"]), answer.table.ids
    return [
        {called[name]: _plain(value) for name, value in group.values.items()}
        | {"runs": group.runs, "runs.id": [ids[place] for place in group.places]}
        | {
            f"{called[name]}.{key}": value
            for name in metrics
            if name in group.summaries
            for key, value in asdict(group.summaries[name]).items()
        }
        for group in answer.groups
    ]


def _plain(value: Any) -> Any:
    return None if value is MISSING else value
