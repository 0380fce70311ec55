"""The commands that find runs again and put them aside: annotate, open, archive, delete, export."""

from __future__ import annotations

from collections.abc import Sequence

import click

from workbench.cli import terminal
from workbench.cli.annotations import print_annotated
from workbench.cli.options import JSON, open_bench
from workbench.runs.annotations import parse_tags


@click.command()
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@click.option("--name", help="What the run is called; an empty text removes it.")
@click.option("--note", metavar="TEXT", help="What is to be remembered of it; an empty text removes it.")
@click.option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]", help="What it is found by; repeatable.")
@click.option("--untag", multiple=True, metavar="KEY", help="A tag to remove; repeatable.")
@JSON
def annotate(
    run_ids: Sequence[str], name: str | None, note: str | None, tags: Sequence[str], untag: Sequence[str], as_json: bool
) -> None:
    """Name runs, note something of them, tag them; the runs themselves stay as they are."""
    if name is None and note is None and not tags and not untag:
        raise click.UsageError("Give what is to be said: --name, --note, --tag or --untag.")
    done = open_bench().annotate(run_ids, name=name, note=note, tags=parse_tags(tags), untag=untag)
    terminal.print_json(done) if as_json else print_annotated(done)


COMMANDS = (annotate,)
