"""A comparison as a table of the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.cli.run_tables import MDE, Column, columns_of_names, print_table_of_runs, say_same
from workbench.cli.terminal import escape, format_number, open_console, say
from workbench.comparisons.comparison import ComparedRun, Comparison, RunComparison, describe_selection
from workbench.comparisons.comparison import headline as comparison_headline
from workbench.comparisons.families import Family, FamilyRow, describe_family
from workbench.comparisons.verdict import Verdict
from workbench.stats.task import Direction
from workbench.words.numbers import MISSING

_VERDICTS = {
    Verdict.BETTER: "[green]✓ better[/]",
    Verdict.NOT_WORSE: "[green]= not worse[/]",
    Verdict.WORSE: "[red]✕ worse[/]",
    Verdict.INCONCLUSIVE: "[yellow]? unclear[/]",
    None: f"[dim]{MISSING} not measured[/]",
}


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
    shown, parameters = runs[:most], [run.parameters for run in runs]
    before = [
        *_columns_of_rows(comparison, [run.run_id for run in shown]),
        Column(
            _name_metric(comparison.metric, comparison.direction), "right", [format_number(run.value) for run in shown]
        ),
        Column("better by", "right", [_interval(run) for run in shown]),
        Column("verdict", "", [_VERDICTS[run.verdict] for run in shown]),
        *_columns_of_needed(comparison, [run.run_id for run in shown]),
        *_columns_beside(comparison, [run.run_id for run in shown]),
    ]
    print_table_of_runs(before, parameters, [])
    if len(runs) > most:
        console.print(f"[dim]and {len(runs) - most:,} more; --top N shows more of them, --json all[/]")
    if len(runs) < len(comparison.runs):
        console.print(f"[dim]{len(runs):,} of {len(comparison.runs):,} compared runs show that text[/]")
    reference = f"Reference: {comparison.reference}, {comparison.metric} {format_number(comparison.reference_value)}"
    say(f"{reference}. A difference below {comparison.margin:.4g} counts as none{say_same(parameters)}.")


def _columns_of_rows(comparison: Comparison, row_ids: Sequence[str]) -> list[Column]:
    """Return the column of run ids with their names, or of how many runs are one row."""
    if not (isinstance(comparison, RunComparison) and comparison.all_but):
        return columns_of_names(comparison, row_ids)
    return [Column("runs", "right", [f"{len(comparison.members[row_id]):,}" for row_id in row_ids])]


def _columns_of_needed(comparison: Comparison, row_ids: Sequence[str]) -> list[Column]:
    """Return, where any of these rows could not be decided, how many rows would decide it and the smallest difference told."""
    found = comparison.needed if isinstance(comparison, RunComparison) else {}
    needed = [found.get(row_id) for row_id in row_ids]
    if not any(needed):
        return []
    return [
        Column("needs", "right", [f"{each.needed:,} {each.drawn}" if each else "" for each in needed]),
        Column(MDE, "right", [f"{each.difference:.2g}" if each else "" for each in needed]),
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
        Column("better by", "right", [_interval(row) for row in shown]),
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


def _interval(run: ComparedRun | FamilyRow) -> str:
    if run.advantage is None:
        return MISSING if run.verdict is None else "no interval"
    return f"{run.advantage.low:+.2g} … {run.advantage.high:+.2g}"
