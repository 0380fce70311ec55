"""A comparison as static HTML: the twin kept in the notebook, and a page that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from workbench.comparisons.comparison import ComparedRun, Comparison, RunComparison
from workbench.drawings.markup import Markup, element, join
from workbench.runs.finding.outline import MISSING
from workbench.widgets.comparison_sight import InSight, Sight, find_columns, say_folded
from workbench.widgets.comparison_state import comparison_state, find_name
from workbench.widgets.interval_chart import draw_interval, draw_ticks
from workbench.widgets.other_tables import show_other_tables
from workbench.widgets.packed_columns import pack_column
from workbench.widgets.rows_page import Rows, rows_policy, rows_script, show_rows
from workbench.widgets.snapshot import (
    cell,
    describe_facts,
    explain_words,
    page,
    show_interval,
    show_status,
    show_word,
)
from workbench.widgets.verdict_words import verdict_state

# Of so many runs all are a table; of more these are, and all stand below it to be searched and sorted.
_MOST_PLAIN = 25
_MOST_PARAMETERS = 10
# What 10,000 resamples say is no more exact.
_DIGITS_OF_BOUNDS = 6
_NEEDED = {"difference": "smallest difference told", "needed": "rows that would decide"}
_NOTE = "Numbers are kept to nine digits, the advantage to six; where it is a dash it was not measured."


def comparison_page(
    comparison: Comparison, at: datetime | None = None, *, runs: Sequence[ComparedRun] | None = None
) -> str:
    """Return a complete HTML document that shows the comparison, or these of its runs, without network or kernel.

    Of many runs the first are a plain table; all are searched and sorted by a script that its policy knows by its digest.
    """
    runs, at = comparison.runs if runs is None else runs, at or datetime.now(UTC)
    if not comparison.runs:
        return page("Comparison", comparison_body(comparison_state(comparison)), at)
    shown = tuple(run.run_id for run in runs[:_MOST_PLAIN])
    columns = find_columns(replace(comparison, runs=tuple(runs)))
    state = comparison_state(comparison, InSight(Sight(), shown, len(runs)), columns)
    if len(runs) <= _MOST_PLAIN:
        return page("Comparison", comparison_body(state), at)
    rows = Rows(_columns(comparison, runs), [run.run_id for run in runs], len(runs), note=_NOTE)
    cut = f"These are the first {len(shown):,} of {len(runs):,} runs; all of them are below."
    body = comparison_body(state, join(element("p", cut, class_="wb-quiet"), show_rows(rows)))
    return page("Comparison", body, at, policy=rows_policy(), script=rows_script(rows))


def _columns(comparison: Comparison, runs: Sequence[ComparedRun]) -> list[dict[str, Any]]:
    """Return what is known of each run: its interval and verdict where they were measured, and the parameters that differ."""
    names = [find_name(run.run_id, comparison) or MISSING for run in runs]
    bounds = {"estimate": "advantage", "low": "from", "high": "to"}
    columns = [pack_column("value", comparison.metric, [run.value for run in runs], is_measured=True)]
    if any(name is not MISSING for name in names):
        columns.insert(0, pack_column("name", "name", names))
    columns.append(pack_column("verdict", "verdict", [_say_verdict(run) for run in runs]))
    columns += [{**_advantages(runs, key, label), "digits": _DIGITS_OF_BOUNDS} for key, label in bounds.items()]
    if needed := comparison.needed if isinstance(comparison, RunComparison) else {}:
        columns += [
            pack_column(key, label, [getattr(needed.get(run.run_id), key, MISSING) for run in runs], is_measured=True)
            for key, label in _NEEDED.items()
        ]
    for each in comparison.beside if isinstance(comparison, RunComparison) else ():
        found = {run.run_id: run for run in each.runs}
        there = [found.get(run.run_id) for run in runs]
        values = [run.value if run else MISSING for run in there]
        columns.append(pack_column("beside", each.metric, values, is_measured=True))
        verdicts = [_say_verdict(run) if run else MISSING for run in there]
        columns.append(pack_column("verdict", "verdict", verdicts, each.metric))
    parameters = find_columns(replace(comparison, runs=tuple(runs)), _MOST_PARAMETERS)
    columns += [
        pack_column(name, name, [run.parameters.get(name, MISSING) for run in runs]) for name in parameters.kinds
    ]
    if parameters.folded:
        folded = [say_folded(run, parameters.folded) for run in runs]
        columns.append(pack_column("others", f"{len(parameters.folded)} more parameters", folded))
    return columns


def _advantages(runs: Sequence[ComparedRun], key: str, label: str) -> dict[str, Any]:
    return pack_column(key, label, [getattr(run.advantage, key, MISSING) for run in runs], is_measured=True)


def _say_verdict(run: ComparedRun) -> Any:
    return MISSING if run.verdict is None else verdict_state(run.verdict)["word"]


def comparison_body(state: dict[str, Any], more: Markup | None = None) -> Markup:
    """Return what a state of `comparison_state` shows as HTML without a frame, and `more` below its table."""
    head = element("p", element("strong", state["headline"]), class_="wb-headline")
    if state["empty"]:
        return join(head, _hint(state["empty"]))
    legend = element("p", state["legend"], class_="wb-quiet wb-legend")
    table = join(describe_facts(state["facts"]), _table(state), legend, more)
    others = show_other_tables(state["others"])
    return join(head, table, _hint(state["next"]), others, explain_words(state["words"]))


def _hint(hint: dict[str, str]) -> Markup:
    return element("p", hint["text"], " ", element("code", hint["command"]))


def _table(state: dict[str, Any]) -> Markup:
    header = element("tr", *(_header_cell(column, state["axis"]) for column in state["columns"]))
    rows = [_row(row, state) for row in state["rows"]]
    return element("table", element("thead", header), element("tbody", *rows), class_="wb-table wb-compared")


def _header_cell(column: dict[str, Any], axis: dict[str, Any]) -> Markup:
    note = element("span", ", ", column["note"], class_="wb-note") if column["note"] else None
    ticks = draw_ticks(axis) if column["kind"] == "chart" else None
    label = show_word(column["label"], column["help"])
    return cell(column["kind"], label, note, ticks, tag="th", scope="col")


def _row(row: dict[str, Any], state: dict[str, Any]) -> Markup:
    name = element("div", row["name"], class_="wb-note wb-name") if row["name"] else None
    cells = [
        cell("text", element("code", row["run"]), name, tag="th", scope="row"),
        *(cell(item["kind"], item["text"], title=item["full"] or None) for item in row["cells"]),
        cell("number", row["value"]),
        cell("text", show_status(row["verdict"]), _note_needed(row["needed"])),
        cell("chart", draw_interval(state["axis"], row["mark"], f"run {row['run']}")),
        cell("number", show_interval(row["interval"])),
        *(_beside(each) for each in row["beside"]),
    ]
    tone = row["verdict"]["tone"]
    return element("tr", *cells, class_=f"wb-tone-{tone} wb-reference" if row["is_reference"] else f"wb-tone-{tone}")


def _note_needed(needed: dict[str, str] | None) -> Markup | None:
    return element("div", needed["text"], class_="wb-note", title=needed["full"]) if needed else None


def _beside(cell_state: dict[str, Any]) -> Markup:
    verdict, text = cell_state["verdict"], cell_state["text"]
    if verdict is None:
        return cell("number", text)
    word = verdict["word"]
    sign = element("span", verdict["shape"], class_=f"wb-status wb-tone-{verdict['tone']}", role="img", aria_label=word)
    return cell("number", text, "\N{NO-BREAK SPACE}", sign, title=f"{word}: {cell_state['full']}")


def say_cut(state: dict[str, Any], command: str) -> Markup | None:
    """Return how many of all runs a twin shows, and which command writes a page of all of them."""
    if not state.get("sight"):
        return None
    shown = f"The snapshot shows {len(state['rows']) - 1:,} of {state['sight']['all']:,} runs. A page of all, to search and sort: "
    return element("p", shown, element("code", f"{command} --html FILE"), class_="wb-quiet")
