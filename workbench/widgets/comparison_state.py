"""A comparison as its view shows it: every text, place and order decided here, so that the browser only draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.comparisons.comparison import (
    ComparedRun,
    Comparison,
    RunComparison,
    describe_left_out,
    headline,
    name_overwritten,
    spell_tries,
)
from workbench.comparisons.drawn_rows import describe_rows
from workbench.comparisons.elsewhere import describe_elsewhere
from workbench.comparisons.verdict import Verdict
from workbench.notebooks.parameters import spell_value
from workbench.records.digest import short
from workbench.stats.interval import Interval
from workbench.widgets.interval_chart import JudgedInterval, axis_state, choose_axis, mark_state
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
from workbench.words.suggesting import suggest_nominating

_MOST_COLUMNS = 4
_VERDICTS: Mapping[Verdict | None, tuple[str, str, str]] = {
    Verdict.BETTER: ("Better", "▲", "good"),
    Verdict.NOT_WORSE: ("Not worse", "◆", "fair"),
    Verdict.WORSE: ("Worse", "▼", "bad"),
    Verdict.INCONCLUSIVE: ("Inconclusive", "?", "open"),
    None: ("Not judged", MISSING, "open"),
}
_WORDS = ("advantage", "holdout", "holdout digest", "margin", "one-sided", "paired", "reference", "tries", "verdict")
_REFERENCE = {"word": "Reference", "shape": "", "tone": "plain"}
NO_INTERVAL = {"estimate": MISSING, "bounds": ""}


def fact_state(name: str, text: str, digest: str = "") -> dict[str, Any]:
    """Return a named fact, with what a word of the glossary means; a digest is shown short and copied whole."""
    shown = {"text": text, "parts": prose(text), "digest": short(digest), "copy": digest}
    return {"name": name, "help": explain(name), **shown}


def verdict_state(verdict: Verdict | None) -> dict[str, str]:
    """Return a verdict as word, shape and tone."""
    word, shape, tone = _VERDICTS[verdict]
    return {"word": word, "shape": shape, "tone": tone}


def comparison_state(comparison: Comparison) -> dict[str, Any]:
    """Return everything the comparison view shows, as JSON."""
    if not comparison.runs:
        return {"headline": "There are no finished runs to compare yet.", "empty": _empty_state(comparison)}
    table = _lay_out(comparison)
    columns, runs = _columns(comparison, table), (table.reference, *comparison.runs)
    return {
        "headline": headline(comparison),
        "empty": None,
        "facts": _facts(comparison),
        "columns": columns,
        "rows": [_row(run, comparison, table) for run in runs],
        "orders": {column["key"]: _order(runs, column["key"], table) for column in columns},
        "first_order": {"key": "value", "direction": "descending" if comparison.direction == "higher" else "ascending"},
        "axis": axis_state(table.axis, comparison.margin),
        "legend": _legend(comparison),
        "next": _describe_next(comparison),
        "words": explain_all(_WORDS),
    }


@dataclass(frozen=True)
class _Table:
    """What all rows have in common, found once: the reference, columns of parameters (and folded ones), decimals, axis."""

    reference: ComparedRun
    kinds: Mapping[str, str]
    folded: Sequence[str]
    decimals: int
    interval_decimals: int
    axis: Any


def _lay_out(comparison: Comparison) -> _Table:
    runs, names = comparison.runs, _differing_parameters(comparison.runs)
    fits = len(names) <= _MOST_COLUMNS
    shown = names if fits else names[: _MOST_COLUMNS - 1]
    reference = comparison.reference_run or comparison.reference
    known = comparison.reference_parameters if isinstance(comparison, RunComparison) else {}
    return _Table(
        reference=ComparedRun(reference, known, comparison.reference_value, None, None),
        kinds={name: "number" if _is_numeric(name, runs) else "text" for name in shown},
        folded=sorted(names[len(shown) :]),
        decimals=choose_decimals([run.value for run in runs]),
        interval_decimals=interval_decimals(runs),
        axis=choose_axis(_judged(runs), comparison.margin),
    )


def _is_numeric(name: str, runs: Sequence[ComparedRun]) -> bool:
    values = [run.parameters.get(name) for run in runs]
    known = [value for value in values if value is not None]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)


def _empty_state(comparison: Comparison) -> dict[str, str]:
    return {
        "text": f"A run appears here once it stored its predictions on the {comparison.rows:,} holdout rows.",
        "command": "workbench run notebooks/<name>.ipynb",
    }


def _judged(runs: Sequence[ComparedRun]) -> list[JudgedInterval]:
    return [JudgedInterval(run.advantage, run.verdict) for run in runs if run.advantage]


def _differing_parameters(runs: Sequence[ComparedRun]) -> list[str]:
    names = sorted({name for run in runs for name in run.parameters})
    spelled = {name: {_spelled(run.parameters, name) for run in runs} for name in names}
    differing = [name for name in names if len(spelled[name]) > 1]
    return sorted(differing, key=lambda name: -len(spelled[name]))


def _spelled(parameters: Mapping[str, Any], name: str) -> str:
    return repr(parameters[name]) if name in parameters else ""


def _columns(comparison: Comparison, table: _Table) -> list[dict[str, Any]]:
    columns = [_column("run", "Run", "text")]
    # A long name may break after its underscores, so that a narrow column stays narrow.
    columns += [
        _column(f"parameter:{n}", n.replace("_", "_\N{ZERO WIDTH SPACE}"), kind) for n, kind in table.kinds.items()
    ]
    columns += [_column("others", f"{len(table.folded)} more parameters", "text")] if table.folded else []
    better = "higher is better" if comparison.direction == "higher" else "lower is better"
    columns += [_column("value", comparison.metric, "number", note=better), _column("verdict", "Verdict", "text")]
    advantage = _column("advantage", "Advantage over the reference", "chart", note="right is better")
    columns.append({**advantage, "help": explain("advantage")})
    return [*columns, _column("low", "Estimate, lower to upper bound", "number")]


def _column(key: str, label: str, kind: str, note: str = "") -> dict[str, Any]:
    return {"key": key, "label": label, "help": explain(key), "kind": kind, "note": note}


def _row(run: ComparedRun, comparison: Comparison, table: _Table) -> dict[str, Any]:
    is_reference = run is table.reference
    is_run = not is_reference or comparison.reference_run is not None
    texts = [_parameter_cell(run, name, kind) for name, kind in table.kinds.items()]
    if table.folded:
        texts.append(_folded_cell(run, table.folded))
    return {
        "run": format_value(run.run_id),
        "copy": run.run_id if is_run else None,
        "name": _find_name(run.run_id, comparison),
        "cells": texts,
        "value": format_number(run.value, table.decimals),
        "mark": mark_state(table.axis, run.advantage) if run.advantage else None,
        "interval": NO_INTERVAL if is_reference else interval_state(run.advantage, table.interval_decimals),
        "verdict": _REFERENCE if is_reference else verdict_state(run.verdict),
        "is_reference": is_reference,
    }


def _find_name(run_id: str, comparison: Comparison) -> str:
    return comparison.names.get(run_id, "") if isinstance(comparison, RunComparison) else ""


def _parameter_cell(run: ComparedRun, name: str, kind: str) -> dict[str, Any]:
    if name not in run.parameters:
        return {"text": MISSING, "full": "", "kind": kind}
    value = run.parameters[name]
    return {"text": format_value(value, longest=20), "full": spell_value(value), "kind": kind}


def _folded_cell(run: ComparedRun, names: Sequence[str]) -> dict[str, Any]:
    pairs = [f"{name} {format_value(run.parameters[name], longest=16)}" for name in names if name in run.parameters]
    return {"text": ", ".join(pairs), "full": "", "kind": "text"}


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


def _order(runs: Sequence[ComparedRun], key: str, table: _Table) -> dict[str, list[int]]:
    """Return the rows from small to large and back; the reference stays on top and missing values at the end."""
    keyed = [(_sort_key(run, key, table), index) for index, run in enumerate(runs) if index]
    known = [(found, index) for found, index in keyed if found is not None]
    missing = [index for found, index in keyed if found is None]
    return {
        "ascending": [0, *(index for _, index in sorted(known, key=_first)), *missing],
        "descending": [0, *(index for _, index in sorted(known, key=_first, reverse=True)), *missing],
    }


def _first(pair: tuple[tuple[Any, ...], int]) -> tuple[Any, ...]:
    return pair[0]


def _sort_key(run: ComparedRun, key: str, table: _Table) -> tuple[Any, ...] | None:
    if key in ("advantage", "low"):
        return _bound_key(run.advantage, key)
    if key.startswith("parameter:"):
        return _value_key(run.parameters.get(key.removeprefix("parameter:")))
    if key == "others":
        return _value_key(_folded_cell(run, table.folded)["text"])
    plain: dict[str, Any] = {
        "run": run.run_id,
        "value": run.value if run.value == run.value else None,
        "verdict": list(_VERDICTS).index(run.verdict),
    }
    return _value_key(plain[key])


def _bound_key(interval: Interval | None, key: str) -> tuple[Any, ...] | None:
    return None if interval is None else _value_key(interval.estimate if key == "advantage" else interval.low)


def _value_key(value: Any) -> tuple[Any, ...] | None:
    """Return a key that puts numbers before text, so that mixed columns sort too."""
    if value is None or value != value:
        return None
    is_number = isinstance(value, int | float)
    return (0, float(value), "") if is_number else (1, 0.0, str(value))


def _facts(comparison: Comparison) -> list[dict[str, Any]]:
    levels = {run.advantage.level for run in comparison.runs if run.advantage}
    level = f"bounds are widened for all of them ({format_share(min(levels))} each, one-sided)" if levels else ""
    where = "" if comparison.other_splits else " on this holdout"
    tried = f"{spell_tries(comparison.tried, comparison.other_rules, comparison.other_splits)}{where}"
    decimals = choose_decimals([run.value for run in comparison.runs])
    return [
        fact_state(
            "Reference", f"{format_value(comparison.reference)}, {format_number(comparison.reference_value, decimals)}"
        ),
        fact_state("Margin", f"±{comparison.margin:.4g} {comparison.metric}, a difference nobody would notice"),
        fact_state(
            "Holdout", f"{describe_rows(comparison.rows, comparison.units)}, sha256 ", comparison.holdout_digest
        ),
        fact_state("Tries", "; ".join(part for part in (tried, level) if part)),
        *(_selection_facts(comparison) if isinstance(comparison, RunComparison) else ()),
    ]


def _selection_facts(comparison: RunComparison) -> list[dict[str, Any]]:
    """Return which runs were taken, and of each that was left out why."""
    taken = [fact_state("Compared", f"finished runs of {', '.join(comparison.notebooks)} on this holdout")]
    others = describe_elsewhere(comparison.elsewhere, comparison.others)
    left_out = [
        fact_state("Left out", why) for why in (*describe_left_out(comparison.unpaired), *([others] if others else []))
    ]
    return [*taken, *left_out, *(fact_state("Overwritten", said) for said in name_overwritten(comparison))]


def _describe_next(comparison: Comparison) -> dict[str, str]:
    notebooks = comparison.notebooks if isinstance(comparison, RunComparison) else ()
    command = suggest_nominating(comparison.best.run_id, notebooks[0] if len(notebooks) == 1 else "")
    return {"text": "To put the best of them before reviewers:", "command": command}


def _legend(comparison: Comparison) -> str:
    return (
        f"Line: where the advantage in {comparison.metric} lies. Dot: the estimate. Shaded: within the margin. "
        "Better: the whole line is right of zero. Not worse: the whole line is right "
        "of the shaded band's left edge."
    )
