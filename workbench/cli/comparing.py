"""The commands that hold runs against each other, and say what a model may be: compare, diff, models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from workbench.cli import terminal
from workbench.cli.compared_runs import SHOWN, print_comparison
from workbench.cli.options import JSON, PAGE, POLICY, WHERE, names_option, near, open_bench
from workbench.comparisons.arrangement import MOST_MEASURED, Arrangement, arrange_runs
from workbench.words.suggesting import find_next_step


def _take_one(_: click.Context, __: click.Parameter, given: Sequence[str]) -> str:
    if len(given) > 1:
        raise click.UsageError("Name one slice: rows of two are none that a run named.")
    return given[0] if given else ""


@click.command(epilog="Margin, tries, one-sided, verdict: `workbench help WORD` says what a word means.")
@click.argument("run_ids", metavar="[RUN]...", nargs=-1)
@click.option("--reference", metavar="RUN", help="Compare with this run, not with a constant prediction.")
@click.option("--notebook", help="Only runs of this notebook.")
@WHERE
@click.option("--search", metavar="TEXT", default="", help="Show only runs with this text in id, name or parameters.")
@names_option("--columns", "Show these parameters alone.")
@click.option("--sort", metavar="NAME", default="", help="In the order of this; -NAME the other way round.")
@names_option("--all-but", "Runs that differ in these alone, such as the seed, are one row.")
@click.option(
    "--slice",
    "within",
    multiple=True,
    callback=_take_one,
    metavar="NAME=VALUE",
    help="Score the rows of this slice alone.",
)
@names_option("--metric", "By this, not the policy's: mae, auc, …; of several the first ranks.")
@click.option(
    "--top", type=click.IntRange(1), metavar="N", help=f"So many, with intervals: {SHOWN}; as JSON {MOST_MEASURED}."
)
@click.option("--html", type=PAGE, metavar="FILE", help="Write all of them as a page that needs no Jupyter.")
@POLICY
@JSON
def compare(
    run_ids: Sequence[str],
    reference: str | None,
    notebook: str | None,
    where: str | None,
    search: str,
    columns: Sequence[str],
    sort: str,
    all_but: Sequence[str],
    within: str,
    metric: Sequence[str],
    top: int | None,
    html: Path | None,
    policy: str | None,
    as_json: bool,
) -> None:
    """Compare runs on their common holdout, with intervals and a verdict."""
    if run_ids and where:
        raise click.UsageError("Name the runs, or say which by --where.")
    arrangement, most = Arrangement(search, sort, columns), top or (MOST_MEASURED if as_json or html else SHOWN)
    bench = open_bench()
    found = bench.compare(
        run_ids,
        reference=reference,
        notebook=notebook,
        where=where,
        policy=policy,
        arrangement=arrangement,
        most=most,
        metrics=metric,
        all_but=all_but,
        within=within,
    )
    runs = arrange_runs(found, arrangement)
    if html:
        bench.write_comparison_page(found, html, runs)
    if as_json:
        terminal.print_json(replace(found, runs=runs))
    elif html:
        what = "row" if found.all_but else "run"
        terminal.say(f"Wrote {near(html)}: {len(runs):,} {what}{'' if len(runs) == 1 else 's'}.")
    else:
        print_comparison(found, runs, most)
        measured = sum(run.verdict is not None for run in runs)
        if arrangement.is_by_advantage and measured < len(runs):
            terminal.say(f"Sorted are the {measured:,} that were measured; --top N measures more.")
    terminal.suggest(find_next_step(found).command)


@click.command(epilog="What alone can explain another score stands first; what nobody can tell is said.")
@click.argument("a", metavar="RUN")
@click.argument("b", metavar="RUN")
@POLICY
@JSON
def diff(a: str, b: str, policy: str | None, as_json: bool) -> None:
    """Say how the second run differs from the first."""
    from workbench.cli.diffed_runs import print_difference

    found = open_bench().diff(a, b, policy=policy)
    terminal.print_json(found) if as_json else print_difference(found)
    terminal.suggest(f"workbench compare {found.b.id} --reference {found.a.id}")


@click.command()
@JSON
def models(as_json: bool) -> None:
    """List which models can be served, by family."""
    from workbench.cli import records

    found = open_bench().list_models()
    terminal.print_json(found) if as_json else records.print_models(found)


COMMANDS = (compare, diff, models)
