"""Tables below a comparison: what lies on other holdouts, one each, and what splits of the same data say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.comparisons.comparison import ComparedRun, Comparison, RunComparison, headline
from workbench.comparisons.families import Family, FamilyRow, describe_family
from workbench.drawings.markup import Markup, element, join
from workbench.stats.interval import Interval
from workbench.widgets.snapshot import cell, show_status
from workbench.widgets.verdict_words import verdict_state
from workbench.words.numbers import choose_decimals, format_number, format_signed, format_value

_MOST_ROWS = 15


def list_other_tables(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the tables as JSON: each with its text, the heads of its columns, and rows of cells (text, number or verdict)."""
    if not isinstance(comparison, RunComparison):
        return []
    family = [_table_of_family(comparison.family)] if comparison.family else []
    return [*map(_table_of_holdout, comparison.holdouts), *family]


def _table_of_holdout(other: RunComparison) -> dict[str, Any]:
    where = (
        f"On another holdout, {other.holdout_digest[:12]} ({other.rows:,} rows), not to be held against the runs above."
    )
    shown = [run for run in other.runs if run.verdict is not None][:_MOST_ROWS]
    names = _find_differing([run.parameters for run in shown])
    left = len(other.runs) - len(shown)
    more = f" {left:,} more runs lie there." if left else ""
    heads = ["Run", *names, other.metric, "Verdict", "Lower to upper bound"]
    return {
        "text": f"{where} {headline(other)}{more}",
        "heads": [_head(name, is_number=name == other.metric) for name in heads],
        "rows": [[_text(run.run_id), *_cells(run, names, [each.value for each in shown])] for run in shown],
    }


def _table_of_family(family: Family) -> dict[str, Any]:
    shown = family.rows[:_MOST_ROWS]
    names = _find_differing([row.parameters for row in family.rows])
    heads = ["Splits", *names, f"Mean {family.metric}", "Verdict, weak", "Lower to upper bound"]
    values = [row.value for row in shown]
    return {
        "text": describe_family(family).replace("`", ""),
        "heads": [_head(name, is_number=name.startswith(("Splits", "Mean "))) for name in heads],
        "rows": [[_number(f"{len(row.runs):,}"), *_cells(row, names, values)] for row in shown],
    }


def _cells(row: ComparedRun | FamilyRow, names: Sequence[str], values: Sequence[float]) -> list[dict[str, Any]]:
    known = [
        _text(format_value(row.parameters[name], longest=20)) if name in row.parameters else _text("") for name in names
    ]
    verdict = {"kind": "verdict", "text": "", "verdict": verdict_state(row.verdict)}
    return [*known, _number(format_number(row.value, choose_decimals(values))), verdict, _text(_spell(row.advantage))]


def _spell(interval: Interval | None) -> str:
    if interval is None:
        return "no interval"
    decimals = choose_decimals([interval.low, interval.high], digits=3)
    return f"{format_signed(interval.low, decimals)} to {format_signed(interval.high, decimals)}"


def _find_differing(sets: Sequence[Mapping[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for each in sets for name in each)
    return [name for name in names if len({repr(each.get(name)) for each in sets}) > 1][:4]


def _head(text: str, *, is_number: bool) -> dict[str, str]:
    return {"kind": "number" if is_number else "text", "text": text}


def _text(text: str) -> dict[str, Any]:
    return {"kind": "text", "text": text, "verdict": None}


def _number(text: str) -> dict[str, Any]:
    return {"kind": "number", "text": text, "verdict": None}


def show_other_tables(tables: Sequence[Mapping[str, Any]]) -> Markup:
    """Return the tables as HTML."""
    return join(*(_show(each) for each in tables))


def _show(table: Mapping[str, Any]) -> Markup:
    heads = element("tr", *(cell(head["kind"], head["text"], tag="th", scope="col") for head in table["heads"]))
    rows = [element("tr", *(_show_cell(each) for each in row)) for row in table["rows"]]
    shown = element("table", element("thead", heads), element("tbody", *rows), class_="wb-table")
    return element("section", element("p", table["text"]), shown, class_="wb-elsewhere")


def _show_cell(each: Mapping[str, Any]) -> Markup:
    if each["verdict"]:
        return cell("text", show_status(each["verdict"]))
    return cell(each["kind"], each["text"])
