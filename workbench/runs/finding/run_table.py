"""Runs as one table for other tools: a row a run, a typed column for each thing that runs have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.runs.finding.annotations import spell_tags
from workbench.runs.run import Run


@dataclass(frozen=True)
class Column:
    """A column of values, None where a run has none: `kind` is text, number, whole, flag or time."""

    name: str
    kind: str
    values: Sequence[Any]


# What every run has, by its column: the kind, and how it is read.
_OWN: Mapping[str, tuple[str, Any]] = {
    "id": ("text", lambda run: run.id),
    "name": ("text", lambda run: run.annotations.name),
    "note": ("text", lambda run: run.annotations.note),
    "tags": ("text", lambda run: spell_tags(run.annotations.tags) or None),
    "notebook": ("text", lambda run: run.notebook),
    "notebook_digest": ("text", lambda run: run.notebook_digest),
    "state": ("text", lambda run: str(run.state)),
    "created": ("time", lambda run: run.created),
    "started": ("time", lambda run: run.started),
    "ended": ("time", lambda run: run.ended),
    "took_s": ("number", lambda run: run.took_s),
    "attempt": ("whole", lambda run: run.attempt),
    "author": ("text", lambda run: run.author),
    "sweep": ("text", lambda run: run.sweep),
    "replay_of": ("text", lambda run: run.provenance.get("replay_of")),
    "git_commit": ("text", lambda run: run.provenance.get("git_commit")),
    "git_dirty": ("flag", lambda run: run.git_dirty),
    "holdout_digest": ("text", lambda run: (run.holdout or {}).get("digest")),
    "holdout_rows": ("whole", lambda run: (run.holdout or {}).get("rows")),
    "error": ("text", lambda run: run.error),
    "archived": ("time", lambda run: run.annotations.archived),
    "mlflow_run": ("text", lambda run: run.tracked_as),
}


def tabulate_runs(runs: Sequence[Run]) -> list[Column]:
    """Return the columns of runs: what every run has, then `metrics.`, `params.` and `tags.` with what any of them has."""
    own = [_build_own(name, kind, list(map(read, runs))) for name, (kind, read) in _OWN.items()]
    metrics = _spread("metrics", [run.metrics for run in runs])
    numbers = [Column(name, "number", [None if v is None else float(v) for v in values]) for name, values in metrics]
    params = [_build_param(name, values) for name, values in _spread("params", [run.parameters for run in runs])]
    tags = [Column(name, "text", values) for name, values in _spread("tags", [run.annotations.tags for run in runs])]
    return [*own, *numbers, *params, *tags]


def _build_own(name: str, kind: str, values: list[Any]) -> Column:
    if kind == "time":
        values = [datetime.fromisoformat(value) if value else None for value in values]
    return Column(name, kind, values)


def _spread(of: str, each: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, list[Any]]]:
    names = dict.fromkeys(name for values in each for name in values)
    return ((f"{of}.{name}", [values.get(name) for values in each]) for name in names)


def _build_param(name: str, values: list[Any]) -> Column:
    """Return a parameter as the one type its values have; where they have several, or are lists, as JSON texts."""
    kinds = {_kind(value) for value in values if value is not None}
    if kinds <= {"whole", "number"} and kinds:
        kind = "whole" if kinds == {"whole"} else "number"
        return Column(name, kind, values if kind == "whole" else [None if v is None else float(v) for v in values])
    if len(kinds) == 1 and kinds <= {"flag", "text"}:
        return Column(name, kinds.pop(), values)
    return Column(name, "text", [None if v is None else json.dumps(v, ensure_ascii=False) for v in values])


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "flag"
        case int() if -(2**63) <= value < 2**63:
            return "whole"
        case float():
            return "number"
        case str():
            return "text"
    return "json"
