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
from workbench.stats.interval import Interval

_VERDICTS = {
    Verdict.BETTER: "[green]✓ better[/]",
    Verdict.NOT_WORSE: "[green]= not worse[/]",
    Verdict.WORSE: "[red]✕ worse[/]",
    Verdict.INCONCLUSIVE: "[yellow]? unclear[/]",
    None: "[yellow]? unclear[/]",
}


def print_comparison(comparison: Comparison, arranged: Sequence[ComparedRun] | None = None, most: int = 15) -> None:
    """Print a comparison: the sentence first, then a table, best first, or of these runs as they were arranged."""
    console = open_console()
    console.print(f"[bold]{escape(comparison_headline(comparison))}[/]", soft_wrap=True)
    runs = comparison.runs if arranged is None else arranged
    shown, parameters = runs[:most], [run.parameters for run in runs]
    value = f"{comparison.metric} {'↑' if comparison.direction == 'higher' else '↓'}"
    before = [
        *columns_of_names(comparison, [run.run_id for run in shown]),
        Column(value, "right", [format_number(run.value) for run in shown]),
        Column("better by", "right", [_interval(run.advantage) for run in shown]),
        Column("verdict", "", [_VERDICTS[run.verdict] for run in shown]),
    ]
    print_table_of_runs(before, parameters, [])
    if len(runs) > most:
        console.print(f"[dim]and {len(runs) - most:,} more; --json shows all[/]")
    if len(runs) < len(comparison.runs):
        console.print(f"[dim]{len(runs):,} of {len(comparison.runs):,} compared runs show that text[/]")
    reference = f"Reference: {comparison.reference}, {comparison.metric} {format_number(comparison.reference_value)}"
    say(f"{reference}. A difference below {comparison.margin:g} counts as none{say_same(parameters)}.")
    if isinstance(comparison, RunComparison):
        for line in describe_selection(comparison):
            say(line)


def _interval(interval: Interval | None) -> str:
    return "no interval" if interval is None else f"{interval.low:+.2g} … {interval.high:+.2g}"
