"""A comparison as its view shows it: every text, place and order decided here, so that the browser only draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.domain.comparison import ComparedRun, Comparison, Interval, Verdict, headline
from workbench.domain.digest import canonical_json, short
from workbench.widgets.interval_chart import JudgedInterval, axis_state, choose_axis, mark_state
from workbench.widgets.numbers import (
    MISSING,
    choose_decimals,
    format_number,
    format_share,
    format_signed,
    format_value,
    sentence_case,
    words,
)

_MOST_COLUMNS = 4
_VERDICTS: Mapping[Verdict | None, tuple[str, str, str]] = {
    Verdict.BETTER: ("Better", "▲", "good"),
    Verdict.NOT_WORSE: ("Not worse", "◆", "fair"),
    Verdict.WORSE: ("Worse", "▼", "bad"),
    Verdict.INCONCLUSIVE: ("Inconclusive", "?", "open"),
    None: ("Not judged", MISSING, "open"),
}
_REFERENCE = {"word": "Reference", "shape": "", "tone": "plain"}
NO_INTERVAL = {"estimate": MISSING, "bounds": ""}


def fact_state(name: str, text: str, digest: str = "") -> dict[str, str]:
    """Return a named fact; a digest is shown short and copied whole."""
    return {"name": name, "text": text, "digest": short(digest), "copy": digest}


def verdict_state(verdict: Verdict | None) -> dict[str, str]:
    """Return a verdict as word, shape and tone."""
    word, shape, tone = _VERDICTS[verdict]
    return {"word": word, "shape": shape, "tone": tone}


def comparison_state(comparison: Comparison) -> dict[str, Any]:
    """Return everything the comparison view shows, as JSON."""
    if not comparison.runs:
        return {"headline": "There are no finished runs to compare yet.", "empty": _empty_state(comparison)}
    runs = _reference_first(comparison)
    names = _differing_parameters(comparison.runs)
    axis = choose_axis(_judged(comparison.runs), comparison.margin)
    columns = _columns(comparison, names)
    return {
        "headline": headline(comparison),
        "empty": None,
        "facts": _facts(comparison),
        "columns": columns,
        "rows": [_row(run, comparison, names, axis) for run in runs],
        "orders": {column["key"]: _order(runs, column["key"]) for column in columns},
        "first_order": {"key": "value", "direction": "descending" if comparison.direction == "higher" else "ascending"},
        "axis": axis_state(axis, comparison.margin),
        "legend": _legend(comparison),
    }


def _empty_state(comparison: Comparison) -> dict[str, str]:
    return {
        "text": f"A run appears here once it stored its predictions on the {comparison.rows:,} holdout rows.",
        "command": "workbench run notebooks/<name>.ipynb",
    }


def _reference_run(comparison: Comparison) -> ComparedRun:
    """Return the reference as a row of its own, from the runs when it is one of them."""
    known = [run for run in comparison.runs if run.run_id == comparison.reference]
    return known[0] if known else ComparedRun(comparison.reference, {}, comparison.reference_value, None, None)


def _reference_first(comparison: Comparison) -> list[ComparedRun]:
    others = [run for run in comparison.runs if run.run_id != comparison.reference]
    return [_reference_run(comparison), *others]


def _judged(runs: Sequence[ComparedRun]) -> list[JudgedInterval]:
    return [JudgedInterval(run.advantage, run.verdict) for run in runs if run.advantage]


def _differing_parameters(runs: Sequence[ComparedRun]) -> list[str]:
    names = sorted({name for run in runs for name in run.parameters})
    spelled = {name: {_spelled(run.parameters, name) for run in runs} for name in names}
    differing = [name for name in names if len(spelled[name]) > 1]
    return sorted(differing, key=lambda name: -len(spelled[name]))


def _spelled(parameters: Mapping[str, Any], name: str) -> str:
    return repr(parameters[name]) if name in parameters else ""


def _columns(comparison: Comparison, names: Sequence[str]) -> list[dict[str, Any]]:
    shown, folded = _split(names)
    columns = [_column("run", "Run", "text")]
    columns += [_parameter_column(name, comparison.runs) for name in shown]
    columns += [_column("others", f"{len(folded)} more parameters", "text")] if folded else []
    better = "higher is better" if comparison.direction == "higher" else "lower is better"
    columns.append(_column("value", sentence_case(words(comparison.metric)), "number", note=better))
    over = f"Advantage over {format_value(comparison.reference)}"
    columns.append(_column("advantage", over, "chart", note="right is better"))
    columns.append(_column("low", "Estimate, lower to upper bound", "number"))
    return [*columns, _column("verdict", "Verdict", "text")]


def _column(key: str, label: str, kind: str, note: str = "") -> dict[str, Any]:
    return {"key": key, "label": label, "kind": kind, "note": note}


def _parameter_column(name: str, runs: Sequence[ComparedRun]) -> dict[str, Any]:
    is_numeric = all(_is_number(run.parameters[name]) for run in runs if name in run.parameters)
    # A long name may break after its underscores, so that a narrow column stays narrow.
    return _column(f"parameter:{name}", name.replace("_", "_\N{ZERO WIDTH SPACE}"), "number" if is_numeric else "text")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _split(names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the parameters with a column of their own, and those that share one."""
    fits = len(names) <= _MOST_COLUMNS
    return (names, ()) if fits else (names[: _MOST_COLUMNS - 1], sorted(names[_MOST_COLUMNS - 1 :]))


def _row(run: ComparedRun, comparison: Comparison, names: Sequence[str], axis: Any) -> dict[str, Any]:
    is_run = any(run is other for other in comparison.runs)
    is_reference = run.run_id == comparison.reference
    shown, folded = _split(names)
    texts = [_parameter_cell(run, name, comparison.runs) for name in shown]
    if folded:
        texts.append(_folded_cell(run, folded))
    decimals = choose_decimals([other.value for other in comparison.runs])
    return {
        "run": format_value(run.run_id),
        "copy": run.run_id if is_run else None,
        "cells": texts,
        "value": format_number(run.value, decimals),
        "mark": mark_state(axis, run.advantage) if run.advantage else None,
        "interval": NO_INTERVAL if is_reference else interval_state(run.advantage, interval_decimals(comparison.runs)),
        "verdict": _REFERENCE if is_reference else verdict_state(run.verdict),
        "is_reference": is_reference,
    }


def _parameter_cell(run: ComparedRun, name: str, runs: Sequence[ComparedRun]) -> dict[str, Any]:
    value = run.parameters.get(name)
    kind = _parameter_column(name, runs)["kind"]
    return {"text": format_value(value, longest=20), "full": "" if value is None else str(value), "kind": kind}


def _folded_cell(run: ComparedRun, names: Sequence[str]) -> dict[str, Any]:
    pairs = [f"{name} {format_value(run.parameters.get(name), longest=16)}" for name in names]
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


def _order(runs: Sequence[ComparedRun], key: str) -> dict[str, list[int]]:
    """Return the rows from small to large and back; the reference stays on top and missing values at the end."""
    keyed = [(_sort_key(run, key), index) for index, run in enumerate(runs) if index]
    known = [(found, index) for found, index in keyed if found is not None]
    missing = [index for found, index in keyed if found is None]
    return {
        "ascending": [0, *(index for _, index in sorted(known, key=_first)), *missing],
        "descending": [0, *(index for _, index in sorted(known, key=_first, reverse=True)), *missing],
    }


def _first(pair: tuple[tuple[Any, ...], int]) -> tuple[Any, ...]:
    return pair[0]


def _sort_key(run: ComparedRun, key: str) -> tuple[Any, ...] | None:
    if key in ("advantage", "low"):
        return _bound_key(run.advantage, key)
    if key.startswith("parameter:"):
        return _value_key(run.parameters.get(key.removeprefix("parameter:")))
    plain: dict[str, Any] = {
        "run": run.run_id,
        "value": run.value if run.value == run.value else None,
        "verdict": list(_VERDICTS).index(run.verdict),
        "others": canonical_json({name: repr(value) for name, value in run.parameters.items()}).decode(),
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


def _facts(comparison: Comparison) -> list[dict[str, str]]:
    levels = {run.advantage.level for run in comparison.runs if run.advantage}
    level = f"bounds are widened for all of them ({format_share(min(levels))} each, one-sided)" if levels else ""
    tried = f"{comparison.tried:,} {'try' if comparison.tried == 1 else 'tries'} on this holdout"
    decimals = choose_decimals([run.value for run in comparison.runs])
    return [
        fact_state(
            "Reference", f"{format_value(comparison.reference)}, {format_number(comparison.reference_value, decimals)}"
        ),
        fact_state("Margin", f"±{comparison.margin:.4g} {words(comparison.metric)}, a difference nobody would notice"),
        fact_state("Holdout", f"{comparison.rows:,} rows, sha256 ", comparison.holdout_digest),
        fact_state("Tried", "; ".join(part for part in (tried, level) if part)),
    ]


def _legend(comparison: Comparison) -> str:
    return (
        f"Line: where the advantage in {words(comparison.metric)} lies. Dot: the estimate. Shaded: within the margin. "
        "Better: the whole line is right of zero. Not worse: the whole line is right "
        "of the shaded band's left edge."
    )
