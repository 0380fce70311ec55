"""Answers about runs as tables: rows as they were asked for, or groups with what their metrics are like."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any

from workbench.cli.links import mark_run
from workbench.cli.run_tables import Column
from workbench.cli.terminal import escape, format_age, format_number, new_table, open_console, say, suggest
from workbench.notebooks.parameters import spell_value
from workbench.runs.finding.notebook_names import shorten_notebooks
from workbench.runs.finding.outline import FIELDS, MISSING
from workbench.words.commands import spell_question

if TYPE_CHECKING:
    from workbench.runs.table.attributing import MetricExplained
    from workbench.runs.table.groups import Group, Summary
    from workbench.runs.table.question import Question
    from workbench.runs.table.reading import Answer

_SHORT_ID = 12


def spell_answer(answer: Answer, limit: int) -> dict[str, Any]:
    """Return an answer for programs: the rows, or the groups with the ids of all their runs; `limit` of them at most."""
    ids = answer.table.ids
    said: dict[str, Any] = {"known": answer.known, "chosen": len(answer.table)}
    if answer.by or answer.groups:
        return {
            **said,
            "groups": [
                {
                    "values": {name: _plain(value) for name, value in group.values.items()},
                    "runs": [ids[place] for place in group.places],
                    "metrics": {name: vars(summary) for name, summary in group.summaries.items()},
                }
                for group in answer.groups[:limit]
            ],
        }
    columns = {name: answer.table.read_column(name) for name in ("run.id", *answer.columns)}
    rows = islice(zip(*columns.values(), strict=True), limit)
    return {**said, "rows": [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is MISSING else value


def print_answer(answer: Answer, question: Question, limit: int, mlflow: str = "") -> None:
    """Print an answer, `limit` rows of it, and how many there are; `mlflow` is the store that was asked, if not the project's."""
    if not len(answer.table):
        asked = question.where or question.search or question.notebook
        if asked:
            say(f"Of {answer.known:,} runs none is asked for: {asked}")
        elif not answer.known:
            say("There are no runs.")
    elif question.is_grouped:
        _print_groups(answer, question, limit, mlflow)
    else:
        _print_rows(answer, limit)
    if answer.aside:
        say(f"{answer.aside:,} {'run is' if answer.aside == 1 else 'runs are'} put aside; --all lists them too.")


def _print_rows(answer: Answer, limit: int) -> None:
    count, shown = len(answer.table), min(limit, len(answer.table))
    chosen = f"{count:,} of {answer.known:,} runs" if count < answer.known else f"{count:,} runs"
    say(f"{chosen}{f', the first {shown:,} of them (--limit)' if shown < count else ''}")
    table, rows = answer.table.take(range(shown)), range(shown)
    names = table.read_column("run.name")
    columns = [name for name in answer.columns if name != "run.id"]
    if any(name is not MISSING for name in names) and "run.name" not in columns:
        columns.insert(0, "run.name")
    heads = [("run", ""), *((_head(name, columns), _side(name, table)) for name in columns)]
    printed = new_table(*heads, is_dense=True)
    values = [table.read_column(name) for name in columns]
    for place in rows:
        cells = [_cell(name, column[place]) for name, column in zip(columns, values, strict=True)]
        printed.add_row(_mark(table.ids[place]), *cells)
    open_console().print(printed)


def _mark(run_id: str) -> str:
    """Return a run's id as markup: ours leads to its report; one of MLflow is cut where ours end, which tells it from others."""
    return mark_run(run_id) if len(run_id) <= _SHORT_ID else escape(run_id[:_SHORT_ID])


def _head(name: str, columns: Sequence[str]) -> str:
    """Return what a column is called: without its kind, but where two are called so."""
    key = name.partition(".")[2]
    return key if sum(each.partition(".")[2] == key for each in columns) == 1 else name


def _side(name: str, table: Any) -> str:
    values = [value for value in table.read_column(name) if value is not MISSING]
    is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return "right" if values and is_number else "wrap"


def _cell(name: str, value: Any) -> str:
    if value is MISSING:
        return ""
    if isinstance(value, datetime):
        return format_age(value.isoformat())
    of, _, key = name.partition(".")
    if of == "run" and FIELDS[key].kind != "flag":
        return escape(format_number(value) if isinstance(value, float) else str(value))
    return escape(spell_value(format_number(value) if isinstance(value, float) else value))


_SUMMARY = (("mean", "mean"), ("± se", "se"), ("95 %", "interval"), ("min", "min"), ("max", "max"), ("last", "last"))


def _print_groups(answer: Answer, question: Question, limit: int, mlflow: str) -> None:
    """Print the groups: a row each, and for every metric how many runs have it, mean, standard error, interval, extremes, last."""
    metrics = [name for name in answer.columns if name.startswith("metrics.")]
    shown, count = answer.groups[:limit], len(answer.groups)
    cut = f", the first {len(shown):,} of them (--limit)" if len(shown) < count else ""
    alike = ", ".join(_head(name, answer.by) for name in answer.by) or "nothing: all are alike"
    say(f"{len(answer.table):,} runs in {count:,} {'group' if count == 1 else 'groups'} by {alike}{cut}")
    for metric in metrics or [""]:
        having = [group for group in shown if not metric or metric in group.summaries]
        if metric:
            few = f": {len(having):,} of {len(shown):,} groups have it" if len(having) < len(shown) else ""
            open_console().print(f"\n[bold]{escape(_head(metric, metrics))}[/]{few}")
        if having:
            _print_metric(answer, metric, having)
    if answer.by and (first := next(filter(None, map(spell_condition, shown)), "")):
        where = f"({question.where}) and {first}" if question.where else first
        suggest(spell_question(replace(question, where=where, sort="", group_by=(), all_but=()), mlflow))
    _say_what_intervals_are([summary for group in shown for summary in group.summaries.values()])


def _print_metric(answer: Answer, metric: str, groups: Sequence[Group]) -> None:
    """Print groups with what one metric of theirs is like; where there is no room for all of that, it is said what is left out."""
    found = [group.summaries.get(metric) for group in groups]
    said = [Column(title, "right", [_say(summary, key) for summary in found]) for title, key in _SUMMARY if metric]
    columns = [
        *(_column_of_key(name, answer, groups) for name in answer.by),
        Column("runs", "right", [_say_count(each.runs, of, metric) for each, of in zip(groups, found, strict=True)]),
        *([_column_of_holdouts(found)] if any(map(_is_over_several, found)) else []),
        *(column for column in said if any(column.cells)),
    ]
    console = open_console()
    unsaid: list[str] = []
    for names in _SPARED:
        if sum(column.width for column in columns) > console.width:
            unsaid += [column.name for column in columns if column.name in names]
            columns = [column for column in columns if column.name not in names]
    table = new_table(*((column.name, column.side) for column in columns), is_dense=True)
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*row)
    console.print(table)
    if unsaid:
        console.print(
            f"[dim]No room here for {', '.join(unsaid)}; --json has {'it' if len(unsaid) == 1 else 'them'}[/]"
        )


# What is left out first where a terminal has no room.
_SPARED = (("last",), ("min", "max"), ("± se",))


def _column_of_key(name: str, answer: Answer, groups: Sequence[Group]) -> Column:
    values = [group.values[name] for group in groups]
    if name == "run.notebook" and MISSING not in values:
        values = shorten_notebooks(values)
    return Column(_head(name, answer.by), "wrap", [_cell(name, value) or "none" for value in values])


def _column_of_holdouts(found: Sequence[Summary | None]) -> Column:
    return Column("holdouts", "right", [f"{of.holdouts:,}" if of and of.holdouts else "" for of in found])


def _is_over_several(summary: Summary | None) -> bool:
    return summary is not None and summary.holdouts > 1


def _say_what_intervals_are(found: Sequence[Summary]) -> None:
    """Say what the intervals are about, and why a row has none whose runs were scored on several holdouts."""
    if any(summary.low is not None for summary in found):
        say("95 %: where the mean of very many such runs lies, on the rows they were scored on (Student's t).")
    if any(map(_is_over_several, found)):
        say("Runs of a row with several holdouts were scored on different rows: their mean has no interval here.")
        say("`workbench compare` says what splits of the same data tell together; --group-by scored_rows parts them.")


def print_importance(explained: MetricExplained, metric: str) -> None:
    """Print what the parameters of runs tell of a metric."""
    share = f"{100 * max(explained.explained, 0):.0f} %"
    say(
        f"{explained.runs:,} runs: their parameters tell {share} of how {metric} varies (R² of runs held out, five folds)"
    )
    table = new_table(("parameter", "wrap"), ("lost when shuffled", "right"), ("95 %", "right"))
    for each in explained.parameters:
        table.add_row(
            escape(each.name), format_number(each.loss), f"{format_number(each.low)} to {format_number(each.high)}"
        )
    open_console().print(table)
    if explained.left_out:
        say(f"Left out, for they have too many values: {', '.join(explained.left_out)}.")
    say(
        "A parameter whose bounds lie on both sides of zero may be worth nothing; what decides together is shared among them."
    )


def spell_condition(group: Group) -> str:
    """Return the condition that is true of the runs of a group alone; nothing where none can say it, as of a list."""
    parts = [_spell_part(name, value) for name, value in group.values.items()]
    return " and ".join(parts) if all(parts) else ""


def _spell_part(name: str, value: Any) -> str:
    of, _, key = name.partition(".")
    name = f"{of}.`{key}`" if not key.isidentifier() else name
    match value:
        case _ if "`" in key:
            return ""
        case _ if value is MISSING:
            return f"not has {name}"
        case str():
            text = value.replace("\\", "\\\\").replace("'", "\\'")
            return f"{name} = '{text}'"
        case datetime():
            return f"{name} = '{value.isoformat()}'"
        case bool() | None | int():
            return f"{name} = {json.dumps(value)}"
        case float() if isfinite(value):
            return f"{name} = {value!r}"
    return ""


def _say_count(runs: int, summary: Summary | None, metric: str) -> str:
    measured = summary.n if summary else 0
    return f"{runs:,}" if not metric or measured == runs else f"{measured:,} of {runs:,}"


def _say(summary: Summary | None, key: str) -> str:
    if summary is None:
        return ""
    if key == "interval":
        return "" if summary.low is None else f"{format_number(summary.low)} to {format_number(summary.high or 0.0)}"
    value = getattr(summary, key)
    return "" if value is None else format_number(value)
