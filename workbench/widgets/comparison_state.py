"""A comparison as its view shows it: every text, place and order decided here, so that the browser only draws."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.comparisons.comparison import (
    ComparedRun,
    Comparison,
    RunComparison,
    describe_crowds,
    describe_left_out,
    describe_others,
    describe_worth,
    headline,
    name_overwritten,
    spell_tries,
)
from workbench.comparisons.cross_checks import describe_cross_check
from workbench.comparisons.drawn_rows import describe_rows
from workbench.comparisons.needed_rows import describe_needed_rows
from workbench.notebooks.parameters import spell_value
from workbench.records.digest import short
from workbench.stats.interval import Interval
from workbench.widgets.comparison_sight import (
    MOST_SHOWN,
    Columns,
    InSight,
    OrderOfRuns,
    Sight,
    find_columns,
    find_in_sight,
    say_folded,
)
from workbench.widgets.interval_chart import JudgedInterval, axis_state, choose_axis, mark_state
from workbench.widgets.other_tables import list_other_tables
from workbench.widgets.verdict_words import verdict_state
from workbench.words.explaining import explain, explain_all
from workbench.words.findings import prose
from workbench.words.numbers import (
    MISSING,
    choose_decimals,
    format_number,
    format_share,
    format_signed,
    format_value,
)
from workbench.words.suggesting import find_next_step

_WORDS = ("advantage", "holdout", "holdout digest", "margin", "one-sided", "paired", "reference", "tries", "verdict")
_REFERENCE = {"word": "Reference", "shape": "", "tone": "plain"}
# So long is what the mean of many runs is called.
_LONGEST_REFERENCE = 48
NO_INTERVAL = {"estimate": MISSING, "bounds": ""}


def fact_state(name: str, text: str, digest: str = "") -> dict[str, Any]:
    """Return a named fact, with what a word of the glossary means; a digest is shown short and copied whole."""
    shown = {"text": text, "parts": prose(text), "digest": short(digest), "copy": digest}
    return {"name": name, "help": explain(name), **shown}


def comparison_state(
    comparison: Comparison, in_sight: InSight | None = None, columns: Columns | None = None
) -> dict[str, Any]:
    """Return everything the comparison view shows, as JSON: of many runs those in sight, by default the first as ranked.

    `columns` are those of all runs, which take longer to find than all else.
    """
    if not comparison.runs:
        return {"headline": "There are no finished runs to compare yet.", "empty": _empty_state(comparison)}
    columns = columns or find_columns(comparison)
    in_sight = in_sight or find_in_sight(comparison, Sight(), columns)
    table = _lay_out(comparison, in_sight, columns)
    heads, runs = _heads(comparison, table), (table.reference, *table.runs)
    return {
        "headline": headline(comparison),
        "empty": None,
        "facts": _facts(comparison),
        "columns": heads,
        "rows": [_row(run, comparison, table) for run in runs],
        "orders": _list_orders(comparison, table, [head["key"] for head in heads]),
        "first_order": {"key": "value", "direction": "descending" if comparison.direction == "higher" else "ascending"},
        "sight": _sight_state(comparison, in_sight),
        "axis": axis_state(table.axis, comparison.margin),
        "legend": _legend(comparison),
        "others": list_other_tables(comparison),
        "next": vars(find_next_step(comparison)),
        "words": explain_all(_WORDS),
    }


@dataclass(frozen=True)
class _Table:
    """What all rows have in common, found once: the reference, parameters, further metrics by run, decimals, axis."""

    reference: ComparedRun
    runs: Sequence[ComparedRun]
    columns: Columns
    beside: Sequence[tuple[RunComparison, Mapping[str, ComparedRun], int]]
    decimals: int
    interval_decimals: int
    axis: Any


def _lay_out(comparison: Comparison, in_sight: InSight, columns: Columns) -> _Table:
    reference = comparison.reference_run or comparison.reference
    known = comparison.reference_parameters if isinstance(comparison, RunComparison) else {}
    by_id = {run.run_id: run for run in comparison.runs}
    shown = [by_id[run_id] for run_id in in_sight.run_ids if run_id in by_id]
    # The best is measured from the start: what is measured later finds an axis there.
    judged = [comparison.best, *shown]
    return _Table(
        reference=ComparedRun(reference, known, comparison.reference_value, None, None),
        runs=shown,
        columns=columns,
        beside=[_lay_beside(each) for each in comparison.beside] if isinstance(comparison, RunComparison) else (),
        decimals=choose_decimals([run.value for run in comparison.runs]),
        interval_decimals=interval_decimals(judged),
        axis=choose_axis(_judged(judged), comparison.margin),
    )


def is_whole(comparison: Comparison) -> bool:
    """True where all runs of a comparison are shown at once."""
    return len(comparison.runs) <= MOST_SHOWN


def _lay_beside(comparison: RunComparison) -> tuple[RunComparison, Mapping[str, ComparedRun], int]:
    runs = {run.run_id: run for run in comparison.runs}
    return comparison, runs, choose_decimals([run.value for run in comparison.runs])


def _sight_state(comparison: Comparison, in_sight: InSight) -> dict[str, Any] | None:
    """Return which runs are shown of how many; None where they are all."""
    if is_whole(comparison):
        return None
    sight, count, everything = in_sight.sight, len(in_sight.run_ids), len(comparison.runs)
    return {
        "search": sight.search,
        "key": sight.key,
        "direction": "descending" if sight.is_descending else "ascending",
        "first": sight.first,
        "found": in_sight.found,
        "all": everything,
        "most": MOST_SHOWN,
        "says": _say_sight(sight.first, count, in_sight.found, everything),
    }


def _say_sight(first: int, count: int, found: int, everything: int) -> str:
    if not found:
        return f"None of {everything:,} runs has that text."
    those = f"{everything:,} runs" if found == everything else f"{found:,} runs with that text"
    among = "" if found == everything else f", among {everything:,}"
    if count == found:
        return f"{those[:1].upper()}{those[1:]}{among}."
    return (
        f"Runs {first + 1:,} to {first + count:,} of {those}{among}."
        if first
        else f"The first {count:,} of {those}{among}."
    )


def _empty_state(comparison: Comparison) -> dict[str, str]:
    return {
        "text": f"A run appears here once it stored its predictions on the {comparison.rows:,} holdout rows.",
        "command": "workbench run notebooks/<name>.ipynb",
    }


def _judged(runs: Sequence[ComparedRun]) -> list[JudgedInterval]:
    return [JudgedInterval(run.advantage, run.verdict) for run in runs if run.advantage]


def _heads(comparison: Comparison, table: _Table) -> list[dict[str, Any]]:
    columns = [_column("run", "Run", "text")]
    # A long name may break after its underscores, so that a narrow column stays narrow.
    columns += [
        _column(f"parameter:{n}", n.replace("_", "_\N{ZERO WIDTH SPACE}"), kind)
        for n, kind in table.columns.kinds.items()
    ]
    columns += (
        [_column("others", f"{len(table.columns.folded)} more parameters", "text")] if table.columns.folded else []
    )
    columns += [
        _column("value", comparison.metric, "number", note=_say_better(comparison)),
        _column("verdict", "Verdict", "text"),
    ]
    advantage = _column("advantage", "Advantage over the reference", "chart", note="right is better")
    columns.append({**advantage, "help": explain("advantage")})
    columns.append(_column("low", "Estimate, lower to upper bound", "number"))
    beside = (each for each, _, _ in table.beside)
    return columns + [_column(f"beside:{c.metric}", c.metric, "number", note=_say_better(c)) for c in beside]


def _say_better(comparison: Comparison) -> str:
    return "higher is better" if comparison.direction == "higher" else "lower is better"


def _column(key: str, label: str, kind: str, note: str = "") -> dict[str, Any]:
    return {"key": key, "label": label, "help": explain(key), "kind": kind, "note": note}


def _row(run: ComparedRun, comparison: Comparison, table: _Table) -> dict[str, Any]:
    is_reference = run is table.reference
    is_run = not is_reference or comparison.reference_run is not None
    texts = [_parameter_cell(run, name, kind) for name, kind in table.columns.kinds.items()]
    if table.columns.folded:
        texts.append({"text": say_folded(run, table.columns.folded), "full": "", "kind": "text"})
    return {
        "run": format_value(run.run_id, longest=_LONGEST_REFERENCE),
        "copy": run.run_id if is_run else None,
        "name": find_name(run.run_id, comparison),
        "cells": texts,
        "value": format_number(run.value, table.decimals),
        "mark": mark_state(table.axis, run.advantage) if run.advantage else None,
        "interval": NO_INTERVAL if run.verdict is None else interval_state(run.advantage, table.interval_decimals),
        "beside": [_beside_cell(run, each, is_reference=is_reference) for each in table.beside],
        "verdict": _REFERENCE if is_reference else verdict_state(run.verdict),
        "needed": _needed_state(run, comparison),
        "is_reference": is_reference,
        "is_measured": is_reference or run.verdict is not None,
    }


def _needed_state(run: ComparedRun, comparison: Comparison) -> dict[str, str] | None:
    """Return how many rows would decide on a run that these could not, and in full which difference they tell."""
    needed = comparison.needed.get(run.run_id) if isinstance(comparison, RunComparison) else None
    if needed is None:
        return None
    full = describe_needed_rows(needed, comparison.margin)
    return {"text": f"needs {needed.needed:,} {needed.drawn}", "full": full}


def _beside_cell(
    run: ComparedRun, beside: tuple[RunComparison, Mapping[str, ComparedRun], int], *, is_reference: bool
) -> dict[str, Any]:
    """Return a run's value of a further metric, with its verdict by that."""
    comparison, runs, decimals = beside
    if is_reference:
        return {"text": format_number(comparison.reference_value, decimals), "verdict": None, "full": ""}
    if (found := runs.get(run.run_id)) is None:
        return {"text": "not defined", "verdict": None, "full": ""}
    value = format_number(found.value, decimals)
    if found.verdict is None:
        return {"text": value, "verdict": None, "full": ""}
    interval = interval_state(found.advantage, interval_decimals([found]))
    full = f"{interval['estimate']} {interval['bounds']}".strip()
    return {"text": value, "verdict": verdict_state(found.verdict), "full": full}


def find_name(run_id: str, comparison: Comparison) -> str:
    """Return what people call a run, or of how many a row is the mean; empty where it is neither."""
    if not isinstance(comparison, RunComparison):
        return ""
    members = comparison.members.get(run_id, ())
    return f"newest of {len(members):,}, their mean" if len(members) > 1 else comparison.names.get(run_id, "")


def _parameter_cell(run: ComparedRun, name: str, kind: str) -> dict[str, Any]:
    if name not in run.parameters:
        return {"text": MISSING, "full": "", "kind": kind}
    value = run.parameters[name]
    return {"text": format_value(value, longest=20), "full": spell_value(value), "kind": kind}


def interval_decimals(runs: Sequence[ComparedRun]) -> int:
    """Return how many decimals show the advantages of these runs."""
    bounds = [bound for run in runs if run.advantage for bound in (run.advantage.low, run.advantage.high)]
    return choose_decimals(bounds, digits=3)


def interval_state(interval: Interval | None, decimals: int) -> dict[str, str]:
    """Return an interval as the texts of its estimate and of its bounds."""
    if interval is None:
        return {"estimate": "no interval", "bounds": ""}
    estimate, low, high = (format_signed(value, decimals) for value in (interval.estimate, interval.low, interval.high))
    return {"estimate": estimate, "bounds": f"({low} to {high})"}


def _list_orders(comparison: Comparison, table: _Table, keys: Sequence[str]) -> dict[str, dict[str, list[int]]]:
    """Return of each column in which order the rows stand by it, both ways; the reference stays on top."""
    order = OrderOfRuns(comparison, table.columns)
    places = {"ascending": False, "descending": True}
    return {
        key: {
            way: [0, *(1 + place for place in order.sort(table.runs, key, is_descending=is_descending))]
            for way, is_descending in places.items()
        }
        for key in keys
    }


def _facts(comparison: Comparison) -> list[dict[str, Any]]:
    level = _say_level({run.advantage.level for run in comparison.runs if run.advantage})
    where = "" if comparison.other_splits else " on this holdout"
    tried = f"{spell_tries(comparison.tried, comparison.other_rules, comparison.other_splits)}{where}"
    decimals = choose_decimals([run.value for run in comparison.runs])
    by_metric = [comparison, *(comparison.beside if isinstance(comparison, RunComparison) else ())]
    return [
        fact_state(
            "Reference",
            f"{format_value(comparison.reference, _LONGEST_REFERENCE)}, {format_number(comparison.reference_value, decimals)}",
        ),
        fact_state("Margin", f"{', '.join(map(_say_margin, by_metric))}, a difference nobody would notice"),
        fact_state(
            "Holdout", f"{describe_rows(comparison.rows, comparison.units)}, sha256 ", comparison.holdout_digest
        ),
        fact_state("Tries", "; ".join(part for part in (tried, level) if part)),
        *([] if is_whole(comparison) else [fact_state("Measured", _say_measured(comparison))]),
        *(_selection_facts(comparison) if isinstance(comparison, RunComparison) else ()),
    ]


def _say_margin(comparison: Comparison) -> str:
    return f"±{comparison.margin:.4g} {comparison.metric}"


def _say_measured(comparison: Comparison) -> str:
    count = sum(run.verdict is not None for run in comparison.runs)
    return f"{count:,} of {len(comparison.runs):,} runs have an interval and a verdict; all are ranked by {comparison.metric}"


def _say_level(levels: Collection[float]) -> str:
    """Say at which level each bound holds; of few tries that are judged one after the other each has its own (Holm)."""
    if not levels:
        return ""
    if len(levels) == 1:
        return f"bounds are widened for all of them ({format_share(min(levels))} each, one-sided)"
    least, most = format_share(min(levels)), format_share(max(levels))
    return f"bounds are widened for those that are left, the best first (Holm: {most} to {least}, one-sided)"


def _selection_facts(comparison: RunComparison) -> list[dict[str, Any]]:
    """Return which runs were taken, and of each that was left out why."""
    taken = [
        fact_state("Compared", f"finished runs of {', '.join(comparison.notebooks)} on this holdout"),
        *([fact_state("Slice", f"only rows where {comparison.within}")] if comparison.within else []),
        *(
            [fact_state("One row", f"runs that differ in {', '.join(comparison.all_but)} alone")]
            if comparison.all_but
            else []
        ),
        *([fact_state("Other test", describe_cross_check(comparison.cross_check))] if comparison.cross_check else []),
        *(fact_state("No interval", said) for said in describe_crowds(comparison)),
        *(fact_state("Screening", said) for said in describe_worth(comparison.worth_confirming)),
    ]
    others = describe_others(comparison)
    left_out = [
        fact_state("Left out", why) for why in (*describe_left_out(comparison.unpaired), *([others] if others else []))
    ]
    return [*taken, *left_out, *(fact_state("Overwritten", said) for said in name_overwritten(comparison))]


def _legend(comparison: Comparison) -> str:
    return (
        f"Line: where the advantage in {comparison.metric} lies. Dot: the estimate. Shaded: within the margin. "
        "Better: the whole line is right of zero. Not worse: the whole line is right "
        "of the shaded band's left edge."
    )
