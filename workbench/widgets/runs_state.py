"""Runs as their view shows them: columns as typed arrays, so that ten thousand rows are sorted where they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.drawings.of_importance import Worth, draw_importance
from workbench.drawings.picture import Picture
from workbench.runs.finding.notebook_names import shorten_notebooks
from workbench.runs.finding.outline import MISSING
from workbench.runs.table.attributing import MetricExplained
from workbench.runs.table.columns import KINDS
from workbench.runs.table.groups import Group
from workbench.runs.table.question import Question
from workbench.runs.table.reading import Answer
from workbench.widgets.packed_columns import pack_column
from workbench.words.commands import spell_question
from workbench.words.numbers import format_value

# What is offered to choose from, of each kind.
_MOST_NAMES = 3_000
_OWN = (
    "name",
    "state",
    "notebook",
    "experiment",
    "author",
    "created",
    "ended",
    "took_s",
    "sweep",
    "holdout",
    "scored_rows",
    "note",
    "error",
)
_SUMMARY = (
    ("mean", "mean"),
    ("se", "± se"),
    ("low", "95 % from"),
    ("high", "to"),
    ("min", "min"),
    ("max", "max"),
    ("last", "last"),
)


def runs_state(answer: Answer, question: Question, *, place: str, within: str = "", mlflow: str = "") -> dict[str, Any]:
    """Return everything the view of runs shows: values as bytes of 64-bit floats, or of 32-bit codes of texts (-1: none).

    `place` names the store, `mlflow` its address where it is not the project's; `within` says which group the runs are of, where
    one was opened.
    """
    table, is_grouped = answer.table, question.is_grouped and not within
    columns = _columns_of_groups(answer) if is_grouped else _columns_of_runs(answer)
    return {
        "headline": _headline(answer, within, is_grouped=is_grouped),
        "place": place,
        "columns": columns,
        "ids": [] if is_grouped else table.ids,
        "rows": len(answer.groups) if is_grouped else len(table),
        "is_grouped": is_grouped,
        "within": within,
        "known": {
            "run": list(_OWN),
            **{of: sorted(table.list_keys(of))[:_MOST_NAMES] for of in KINDS},
        },
        "question": {
            "where": question.where or "",
            "columns": list(question.columns) if within else list(answer.columns),
            "group_by": list(answer.by if question.group_by else ()),
            "all_but": [table.find_column(name) for name in question.all_but],
        },
        "command": spell_question(question, mlflow),
        "legend": _say_legend(answer.groups) if is_grouped else "",
    }


_LEGEND = (
    "Of all runs of a group: how many have the metric, their mean with its standard error, where the mean of very many such "
    "runs lies on the rows they were scored on (95 %, Student's t), the smallest, the largest, and the newest run's."
)

_LEGEND_OF_SEVERAL = (
    " Of runs that were scored on several holdouts, on different rows, the mean has no interval here: wb.compare() says "
    "what splits of the same data tell together."
)


def _say_legend(groups: Sequence[Group]) -> str:
    is_over_several = any(summary.holdouts > 1 for group in groups for summary in group.summaries.values())
    return f"{_LEGEND}{_LEGEND_OF_SEVERAL if is_over_several else ''}"


def _headline(answer: Answer, within: str, *, is_grouped: bool) -> str:
    count = len(answer.table)
    runs = f"{count:,} run{'' if count == 1 else 's'}"
    if is_grouped:
        groups = len(answer.groups)
        return f"{runs} in {groups:,} group{'' if groups == 1 else 's'}"
    if within:
        return f"{runs} of {within}"
    return runs if count == answer.known else f"{runs} of {answer.known:,}"


def draw_worth(explained: MetricExplained, metric: str) -> Picture:
    """Return the picture of what parameters are worth to a metric; where little is told by them, that is said first."""
    label, share = _label(metric), f"{100 * max(explained.explained, 0):.0f} %"
    left_out = f" Left out, of too many values: {', '.join(explained.left_out)}." if explained.left_out else ""
    says = (
        f"The parameters of {explained.runs:,} runs tell {share} of how {label} varies, in runs that were held out. "
        f"Drawn is what of that is lost when one is shuffled; bounds on both sides of zero say it may be worth nothing.{left_out}"
    )
    worths = [Worth(each.name, each.loss, each.low, each.high) for each in explained.parameters]
    return draw_importance(f"R² of {label}", says, worths, title=f"What decides {label}", of="Parameter")


def say_group(group: Group) -> str:
    """Return what the runs of a group share, in words."""
    said = [
        f"{_label(name)} {'none' if value is MISSING else format_value(value)}" for name, value in group.values.items()
    ]
    return ", ".join(said) or "all runs"


def _columns_of_runs(answer: Answer) -> list[dict[str, Any]]:
    names = answer.table.read_column("run.name")
    shown = [name for name in answer.columns if name != "run.id"]
    if "run.name" not in shown and any(name is not MISSING for name in names):
        shown.insert(0, "run.name")
    return [pack_column(name, _label(name, shown), answer.table.read_column(name)) for name in shown]


def _columns_of_groups(answer: Answer) -> list[dict[str, Any]]:
    groups = answer.groups
    columns = [pack_column(name, _label(name, answer.by), _read_key(groups, name)) for name in answer.by]
    columns.append(pack_column("runs", "runs", [each.runs for each in groups]))
    metrics = [name for name in answer.columns if name.startswith("metrics.")]
    for metric in metrics:
        found = [each.summaries.get(metric) for each in groups]
        if any(summary and summary.n != each.runs for summary, each in zip(found, groups, strict=True)):
            columns.append(
                pack_column("measured", f"with {_label(metric)}", [summary.n if summary else 0 for summary in found])
            )
        if any(summary and summary.holdouts > 1 for summary in found):
            counts = [of.holdouts if of else MISSING for of in found]
            columns.append(pack_column(f"{metric} holdouts", "holdouts", counts) | {"decimals": None})
        for key, label in _SUMMARY:
            values = [getattr(summary, key) if summary else None for summary in found]
            of = metric.partition(".")[2] if key == "mean" or len(metrics) > 1 else ""
            columns.append(
                pack_column(
                    f"{metric} {key}", label, [MISSING if v is None else v for v in values], of, is_measured=True
                )
            )
    return columns


def _read_key(groups: Sequence[Group], name: str) -> list[Any]:
    values = [each.values[name] for each in groups]
    return [*shorten_notebooks(values)] if name == "run.notebook" and MISSING not in values else values


def _label(name: str, among: Sequence[str] = ()) -> str:
    """Return what a column is called: without its kind, but where two are called so."""
    key = name.partition(".")[2]
    return key if sum(each.partition(".")[2] == key for each in among) <= 1 else name
