"""The commands that hold runs against each other, and say what a model may be: compare, models."""

from __future__ import annotations

from collections.abc import Sequence

import click

from workbench.cli import records, terminal
from workbench.cli.options import JSON, POLICY, open_bench


@click.command(epilog="Margin, tries, one-sided, verdict: `workbench help WORD` says what a word means.")
@click.argument("run_ids", metavar="[RUN]...", nargs=-1)
@click.option("--reference", metavar="RUN", help="Compare with this run, not with a constant prediction.")
@click.option("--notebook", help="Only runs of this notebook.")
@POLICY
@JSON
def compare(
    run_ids: Sequence[str], reference: str | None, notebook: str | None, policy: str | None, as_json: bool
) -> None:
    """Compare runs on their common holdout, with intervals and a verdict."""
    found = open_bench().compare(run_ids, reference=reference, notebook=notebook, policy=policy)
    terminal.print_json(found) if as_json else records.print_comparison(found)
    terminal.suggest(f"workbench nominate {found.best.run_id} --model NAME")


@click.command()
@JSON
def models(as_json: bool) -> None:
    """List which models can be served, by family."""
    found = open_bench().list_models()
    terminal.print_json(found) if as_json else records.print_models(found)


COMMANDS = (compare, models)
