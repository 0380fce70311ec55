"""The commands a project begins with: init, signer, new."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli import records, terminal
from workbench.cli.options import JSON, near, open_bench, open_new
from workbench.config import expand_path


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@JSON
def init(folder: Path, as_json: bool) -> None:
    """Make a folder (the current one) a project of the workbench; what is there stays as it is."""
    from workbench.workflow.starting import start_project

    started = start_project(expand_path(folder))
    terminal.print_json(started) if as_json else records.print_started(started)
    place = "" if Path(started.project) == Path.cwd() else f"cd {near(Path(started.project))} && "
    terminal.suggest(f"{place}workbench new my-experiment")


@click.group()
def signer() -> None:
    """Say who may sign as what."""


@signer.command()
@click.argument("principal", metavar="NAME")
@click.option(
    "--key", required=True, type=click.Path(path_type=Path), help="Their public SSH key, or the key it lies beside."
)
@click.option("--role", "roles", required=True, metavar="ROLE,...", help="As what they sign, such as validator,owner.")
def add(principal: str, key: Path, roles: str) -> None:
    """Let somebody approve, waive and object in roles with their SSH key."""
    bench = open_bench()
    names = [name for part in roles.split(",") if (name := part.strip())]
    is_new = bench.add_signer(principal, expand_path(key), names)
    said = "may sign" if is_new else "could sign already"
    terminal.say(f"{principal} {said} as {' and '.join(names)}, by {near(bench.settings.signers_file)}.")
    for note in bench.find_unasked_roles(names):
        terminal.say(f"Warning. {note}")


@signer.command("list")
@JSON
def list_(as_json: bool) -> None:
    """List who may sign as what."""
    bench = open_bench()
    found = bench.list_signers()
    terminal.print_json(found) if as_json else records.print_signers(found, near(bench.settings.signers_file))


@click.command()
@click.argument("name")
@click.option("--template", default="classification", show_default=True, help="Which experiment to start from.")
def new(name: str, template: str) -> None:
    """Make notebooks/NAME.ipynb from a template that runs as it is."""
    path = open_new().new(name, template)
    terminal.say(f"Made {near(path)}.")
    terminal.suggest(f"workbench run {near(path)}")


COMMANDS = (init, signer, new)
