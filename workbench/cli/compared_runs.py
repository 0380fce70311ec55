"""A comparison as a table of the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.cli.links import mark_run
from workbench.cli.run_tables import Column, columns_of_names, print_table_of_runs, say_same, spell_parameters
from workbench.cli.terminal import escape, format_number, open_console, say
from workbench.comparisons.comparison import ComparedRun, Comparison, RunComparison, describe_selection
from workbench.comparisons.comparison import headline as comparison_headline
from workbench.comparisons.families import Family, FamilyRow, describe_family
from workbench.comparisons.verdict import Verdict
from workbench.stats.task import Direction
from workbench.words.numbers import MISSING, choose_decimals, format_signed

_VERDICTS = {
    Verdict.BETTER: "[green]✓ better[/]",
    Verdict.NOT_WORSE: "[green]= not worse[/]",
    Verdict.WORSE: "[red]✕ worse[/]",
    Verdict.INCONCLUSIVE: "[yellow]? unclear[/]",
    None: f"[dim]{MISSING} not measured[/]",
}


_MDE = "MDE"
# How many runs fit a screen.
SHOWN = 15


def print_comparison(comparison: Comparison, arranged: Sequence[ComparedRun] | None = None, most: int = SHOWN) -> None:
    """Print a comparison: the sentence first, then a table, best first, or of these runs as they were arranged.

    What lies on other holdouts follows, each as a table of its own, and what their splits say together.
    """
    _print_table(comparison, arranged, most)
    if isinstance(comparison, RunComparison):
        for line in describe_selection(comparison):
            say(line)
        for other in comparison.holdouts:
            _print_elsewhere(other)
        if comparison.family:
            _print_family(comparison.family)


def _print_table(comparison: Comparison, arranged: Sequence[ComparedRun] | None, most: int) -> None:
    console = open_console()
    console.print(f"[bold]{escape(comparison_headline(comparison))}[/]", soft_wrap=True)
    runs = comparison.runs if arranged is None else arranged
    shown, against = runs[:most], _find_parameters(comparison)
    parameters = [*(run.parameters for run in runs), *([against] if against else [])]
    ids = [run.run_id for run in shown]
    beside = _columns_beside(comparison, ids)
    before = [
        *_columns_of_rows(comparison, ids),
        Column(
            _name_metric(comparison.metric, comparison.direction), "right", [format_number(run.value) for run in shown]
        ),
        Column("better by", "right", _spell_intervals(shown)),
        Column("verdict", "", [_VERDICTS[run.verdict] for run in shown]),
        *_columns_of_needed(comparison, ids),
        *beside,
    ]
    spared = [_MDE, *(column.name for column in reversed(beside))]
    print_table_of_runs(before, parameters, [], spared)
    if len(runs) > most:
        console.print(f"[dim]and {len(runs) - most:,} more; --top N shows more of them, --json all[/]")
    if len(runs) < len(comparison.runs):
        console.print(f"[dim]{len(runs):,} of {len(comparison.runs):,} compared runs show that text[/]")
    reference = f"Reference: {comparison.reference}, {comparison.metric} {format_number(comparison.reference_value)}"
    own = f", {spell_parameters(against)}" if against else ""
    say(f"{reference}{own}. A difference below {comparison.margin:.3g} counts as none{say_same(parameters)}.")
    if len(comparison.runs) > 1 and comparison.reference_run is None and not against:
        say("All are held against a constant; `--reference RUN` holds them against a run.")


def _find_parameters(comparison: Comparison) -> dict[str, Any]:
    """Return the parameters of what runs are held against; none of what is no run."""
    if not isinstance(comparison, RunComparison):
        return {}
    return {name: value for name, value in comparison.reference_parameters.items() if name not in comparison.all_but}


def _columns_of_rows(comparison: Comparison, row_ids: Sequence[str]) -> list[Column]:
    """Return the column of run ids with their names, or of how many runs are one row."""
    if not (isinstance(comparison, RunComparison) and comparison.all_but):
        return columns_of_names(comparison, row_ids)
    counts = [f"{len(comparison.members[row_id]):,}" for row_id in row_ids]
    return [Column("newest run", "", [mark_run(row_id) for row_id in row_ids]), Column("runs", "right", counts)]


def _columns_of_needed(comparison: Comparison, row_ids: Sequence[str]) -> list[Column]:
    """Return, where any of these rows could not be decided, how many rows would decide it and the smallest difference told."""
    found = comparison.needed if isinstance(comparison, RunComparison) else {}
    needed = [found.get(row_id) for row_id in row_ids]
    if not any(needed):
        return []
    return [
        Column("needs", "right", [f"{each.needed:,} {each.drawn}" if each else "" for each in needed]),
        Column(_MDE, "right", [f"{each.difference:.2g}" if each else "" for each in needed]),
    ]


def _print_elsewhere(other: RunComparison) -> None:
    """Print what lies on another holdout: other rows, whose values say nothing beside those above."""
    open_console().print()
    say(
        f"On another holdout, {other.holdout_digest[:12]} ({other.rows:,} rows), not to be held against the runs above:"
    )
    measured = [run for run in other.runs if run.verdict is not None]
    _print_table(other, other.runs, len(measured))


def _print_family(family: Family) -> None:
    console = open_console()
    console.print()
    say(describe_family(family))
    shown, parameters = family.rows[:SHOWN], [row.parameters for row in family.rows]
    before = [
        Column("splits", "right", [f"{len(row.runs):,}" for row in shown]),
        Column(
            f"mean {_name_metric(family.metric, family.direction)}",
            "right",
            [format_number(row.value) for row in shown],
        ),
        Column("better by", "right", _spell_intervals(shown)),
        Column("verdict (weak)", "", [_VERDICTS[row.verdict] for row in shown]),
    ]
    print_table_of_runs(before, parameters, [])
    if len(family.rows) > len(shown):
        console.print(f"[dim]and {len(family.rows) - len(shown):,} more; --json shows all[/]")


def _name_metric(metric: str, direction: Direction) -> str:
    return f"{metric} {'↑' if direction == 'higher' else '↓'}"


def _columns_beside(comparison: Comparison, run_ids: Sequence[str]) -> list[Column]:
    """Return a column of each further metric: its value, and the sign of its verdict."""
    columns = []
    for each in comparison.beside if isinstance(comparison, RunComparison) else ():
        runs = {run.run_id: run for run in each.runs}
        known = [runs.get(run_id) for run_id in run_ids]
        cells = ["not defined" if run is None else f"{format_number(run.value)} {_mark(run)}" for run in known]
        columns.append(Column(_name_metric(each.metric, each.direction), "right", cells))
    return columns


def _mark(run: ComparedRun) -> str:
    colour, sign = _VERDICTS[run.verdict].split("]", 1)
    return f"{colour}]{sign.split()[0]}[/]"


def _spell_intervals(rows: Sequence[ComparedRun | FamilyRow]) -> list[str]:
    """Return intervals with as many decimals as each of the column needs."""
    bounds = [bound for row in rows if row.advantage for bound in (row.advantage.low, row.advantage.high)]
    decimals = choose_decimals(bounds, digits=3)
    return [_spell_interval(row, decimals) for row in rows]


def _spell_interval(row: ComparedRun | FamilyRow, decimals: int) -> str:
    if row.advantage is None:
        return MISSING if row.verdict is None else "no interval"
    return f"{format_signed(row.advantage.low, decimals)} … {format_signed(row.advantage.high, decimals)}"
