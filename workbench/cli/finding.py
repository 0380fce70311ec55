"""The commands that find runs again and put them aside: annotate, open, archive, delete, export."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli import terminal
from workbench.cli.annotations import name_runs, print_annotated, print_removal
from workbench.cli.options import JSON, WHERE, near, open_bench
from workbench.runs.finding.annotations import parse_tags

if TYPE_CHECKING:
    from workbench.runs.finding.removal import Removal
    from workbench.workflow.opening import What


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


@click.command()
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@click.option("--undo", is_flag=True, help="Put them back among the others.")
@JSON
def archive(run_ids: Sequence[str], undo: bool, as_json: bool) -> None:
    """Put runs aside: out of the lists and of comparisons, with nothing lost."""
    done = open_bench().archive(run_ids, undo=undo)
    if as_json:
        terminal.print_json(done)
        return
    became = "listed again" if undo else "put aside; `workbench runs --all` lists what is"
    terminal.say(f"{name_runs(done)} {'is' if len(done) == 1 else 'are'} {became}.")


@click.command()
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be asked.")
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, and delete nothing.")
@JSON
def delete(run_ids: Sequence[str], yes: bool, dry_run: bool, as_json: bool) -> None:
    """Delete runs with their files and their run in MLflow, but for what the ledger names; drafts, too."""
    bench = open_bench()
    planned = bench.delete(run_ids, dry_run=True)
    if not dry_run:
        if not yes:
            _ask(planned)
        planned = bench.delete(planned.names)
    terminal.print_json(planned) if as_json else print_removal(planned, is_done=not dry_run)


def _ask(planned: Removal) -> None:
    """Ask whether it is meant; raises UsageError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here whether that is meant: say --yes, or look with --dry-run.")
    print_removal(planned, is_done=False, err=True)
    click.confirm("Delete them?", abort=True, err=True)


@click.command()
@click.option(
    "--runs",
    "path",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write runs to this file, one row each: .csv or .parquet.",
)
@click.option("--notebook", help="Only runs of this notebook: its path, or its name.")
@WHERE
@click.option("--all", "is_all", is_flag=True, help="Those put aside, too.")
@JSON
def export(path: Path, notebook: str | None, where: str | None, is_all: bool, as_json: bool) -> None:
    """Write runs to a file for other tools, with what they logged and what is said of them."""
    done = open_bench().export_runs(path, notebook=notebook, where=where, archived=is_all)
    if as_json:
        terminal.print_json({"file": str(path), "runs": [run.id for run in done]})
    else:
        terminal.say(f"{len(done):,} {'run' if len(done) == 1 else 'runs'} written to {path}.")


@click.command("open")
@click.argument("run_id", metavar="RUN")
@click.option("--notebook", "what", flag_value="notebook", help="The notebook as it was executed.")
@click.option("--folder", "what", flag_value="folder", help="The folder with all its files.")
@click.option("--mlflow", "what", flag_value="mlflow", help="The run on MLflow's page.")
@JSON
def open_run(run_id: str, what: What | None, as_json: bool) -> None:
    """Open a run's report in the browser, or what is kept of a draft, and say where it is."""
    place = open_bench().find_place(run_id, what or "report")
    if as_json:
        terminal.print_json(place)
        return
    from workbench.workflow.opening import open_address

    is_served = place.address.startswith("http")
    terminal.say(place.address if is_served else near(Path(place.path)))
    open_address(place.address)


COMMANDS = (annotate, archive, delete, export, open_run)
