"""A comparison as a table of the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.cli.run_tables import Column, columns_of_names, print_table_of_runs, say_same
from workbench.cli.terminal import escape, format_number, open_console, say
from workbench.comparisons.comparison import (
    ComparedRun,
    Comparison,
    RunComparison,
    Verdict,
    describe_selection,
)
from workbench.comparisons.comparison import headline as comparison_headline
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
    """Print a comparison: the sentence first, then a table, best first, or of these runs as they were arranged."""
    console = open_console()
    console.print(f"[bold]{escape(comparison_headline(comparison))}[/]", soft_wrap=True)
    runs = comparison.runs if arranged is None else arranged
    shown, parameters = runs[:most], [run.parameters for run in runs]
    before = [
        *columns_of_names(comparison, [run.run_id for run in shown]),
        Column(_name_metric(comparison), "right", [format_number(run.value) for run in shown]),
        Column("better by", "right", [_interval(run) for run in shown]),
        Column("verdict", "", [_VERDICTS[run.verdict] for run in shown]),
        *_columns_beside(comparison, [run.run_id for run in shown]),
    ]
    print_table_of_runs(before, parameters, [])
    if len(runs) > most:
        console.print(f"[dim]and {len(runs) - most:,} more; --top N shows more of them, --json all[/]")
    if len(runs) < len(comparison.runs):
        console.print(f"[dim]{len(runs):,} of {len(comparison.runs):,} compared runs show that text[/]")
    reference = f"Reference: {comparison.reference}, {comparison.metric} {format_number(comparison.reference_value)}"
    say(f"{reference}. A difference below {comparison.margin:.4g} counts as none{say_same(parameters)}.")
    if isinstance(comparison, RunComparison):
        for line in describe_selection(comparison):
            say(line)


def _name_metric(comparison: Comparison) -> str:
    return f"{comparison.metric} {'↑' if comparison.direction == 'higher' else '↓'}"


def _columns_beside(comparison: Comparison, run_ids: Sequence[str]) -> list[Column]:
    """Return a column of each further metric: its value, and the sign of its verdict."""
    columns = []
    for each in comparison.beside if isinstance(comparison, RunComparison) else ():
        runs = {run.run_id: run for run in each.runs}
        known = [runs.get(run_id) for run_id in run_ids]
        cells = ["not defined" if run is None else f"{format_number(run.value)} {_mark(run)}" for run in known]
        columns.append(Column(_name_metric(each), "right", cells))
    return columns


def _mark(run: ComparedRun) -> str:
    colour, sign = _VERDICTS[run.verdict].split("]", 1)
    return f"{colour}]{sign.split()[0]}[/]"


def _interval(run: ComparedRun) -> str:
    if run.advantage is None:
        return MISSING if run.verdict is None else "no interval"
    return f"{run.advantage.low:+.2g} … {run.advantage.high:+.2g}"
