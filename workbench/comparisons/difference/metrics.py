"""Metrics: by how much the second run is better on the same rows, with its interval; and all that was logged, as numbers."""

from __future__ import annotations

import math
from typing import Any

from workbench.comparisons.comparison import Comparison, spell_tries
from workbench.comparisons.difference.pair import Pair
from workbench.comparisons.difference.part import Likeness, Part, count_of, lay_out, spell_number
from workbench.comparisons.drawn_rows import describe_rows
from workbench.comparisons.verdict import Verdict, decide_verdict


def compare_metrics(pair: Pair) -> Part:
    """Compare the metric that decides by the predictions, where both are of the same rows, and logged metrics as they are."""
    logged, same = _list_logged(pair)
    paired = _list_paired(pair, pair.comparison) if pair.comparison else []
    unknown = (f"By how much one is better is not known. {pair.unpaired}",) if pair.comparison is None else ()
    tables = (*lay_out("On the same rows", paired, _read(pair.comparison)), *lay_out("Logged metrics", logged))
    told = f"{'Of other rows: ' if pair.shared.are_others and logged else ''}{_say_logged(len(logged), same)}"
    if pair.comparison is None:
        likeness = Likeness.DIFFERENT if logged else Likeness.UNKNOWN
        return Part("metrics", likeness, told, "", tables, unknown=unknown)
    row = paired[0]
    if not logged and _are_equal(pair.comparison):
        return Part("metrics", Likeness.SAME, f"{pair.comparison.metric} and {told[:1].lower()}{told[1:]}")
    said = f"{pair.comparison.metric} {_round(row['A'])} → {_round(row['B'])}: {row['verdict']}. {told}"
    return Part("metrics", Likeness.DIFFERENT, said, tables=tables)


def _round(value: Any) -> str:
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}") if isinstance(value, float) else str(value)


def _list_logged(pair: Pair) -> tuple[list[dict[str, Any]], int]:
    before, after = pair.a.run.metrics, pair.b.run.metrics
    names = list(dict.fromkeys([*before, *after]))
    rows = [
        _lay_out(pair, name, before.get(name), after.get(name))
        for name in names
        if not _is_equal(before.get(name), after.get(name))
    ]
    return rows, len(names) - len(rows)


def _is_equal(one: float | None, other: float | None) -> bool:
    both_nan = one is not None and other is not None and math.isnan(one) and math.isnan(other)
    return both_nan or one == other


def _lay_out(pair: Pair, name: str, before: float | None, after: float | None) -> dict[str, Any]:
    difference = after - before if before is not None and after is not None else None
    is_told = difference is not None and math.isfinite(difference)
    return {
        "metric": name,
        **pair.row(spell_number(before), spell_number(after)),
        "B \N{MINUS SIGN} A": difference if is_told else None,
    }


def _say_logged(differing: int, same: int) -> str:
    if not differing and not same:
        return "Neither run logged a metric."
    if not differing:
        return f"{count_of(same, 'logged metric')}, the same."
    kept = f"; {same:,} {'is' if same == 1 else 'are'} the same" if same else ""
    return f"{count_of(differing, 'logged metric')} {'differs' if differing == 1 else 'differ'}{kept}."


def _are_equal(comparison: Comparison) -> bool:
    advantage = comparison.best.advantage
    return (
        advantage is not None
        and advantage.low == advantage.high == 0
        and comparison.best.value == comparison.reference_value
    )


def _list_paired(pair: Pair, comparison: Comparison) -> list[dict[str, Any]]:
    best, advantage = comparison.best, comparison.best.advantage
    verdict = best.verdict or decide_verdict(advantage, comparison.margin)
    return [
        {
            "metric": f"{comparison.metric} {'↑' if comparison.direction == 'higher' else '↓'}",
            **pair.row(spell_number(comparison.reference_value), spell_number(best.value)),
            "better by": advantage.estimate if advantage else None,
            "from": advantage.low if advantage else None,
            "to": advantage.high if advantage else None,
            "verdict": str(verdict if advantage else Verdict.INCONCLUSIVE).lower(),
        }
    ]


def _read(comparison: Comparison | None) -> str:
    if comparison is None:
        return ""
    tries = spell_tries(comparison.tried, comparison.other_rules, comparison.other_splits)
    rows = describe_rows(comparison.rows, comparison.units)
    return (
        f"Positive is good for B. Paired bootstrap on {rows}, each bound one-sided at 95 %, corrected for "
        f"{tries}; a difference below {comparison.margin:g} counts as none."
    )
