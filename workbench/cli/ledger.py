"""The commands of the ledger: show, verify, export, accept."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli import records, terminal
from workbench.cli.options import JSON, near, open_bench
from workbench.ledger.ledger import Checkpoint, parse_checkpoint


@click.group(invoke_without_command=True)
@JSON
@click.pass_context
def ledger(context: click.Context, as_json: bool) -> None:
    """Show every decision, and whether the chain is whole."""
    if context.invoked_subcommand is None:
        context.invoke(show, as_json=as_json, limit=None)


@ledger.command()
@click.option("--limit", type=click.IntRange(1), help="Only so many of the newest (default: all).")
@JSON
def show(limit: int | None, as_json: bool) -> None:
    """Show decisions, the newest last, and whether the chain is whole."""
    entries, faults = open_bench().inspect_ledger()
    shown = entries[-limit:] if limit else entries
    if as_json:
        terminal.print_json({"entries": shown, "faults": faults})
    else:
        records.print_ledger(shown, faults, of=len(entries))
    if faults:
        raise click.exceptions.Exit(3)


def _read_checkpoint(_: click.Context, __: click.Parameter, text: str | None) -> Checkpoint | None:
    return parse_checkpoint(text) if text else None


@ledger.command()
@click.option(
    "--checkpoint",
    metavar="SEQUENCE:DIGEST",
    callback=_read_checkpoint,
    help="What you noted of it: the ledger must still hold that.",
)
@JSON
def verify(checkpoint: Checkpoint | None, as_json: bool) -> None:
    """Verify the chain, every signature, the checkpoints that approvals sign, and that it holds what was seen before."""
    audit = open_bench().verify_ledger(checkpoint=checkpoint)
    terminal.print_json(audit) if as_json else records.print_ledger_audit(audit)
    if audit.faults:
        raise click.exceptions.Exit(3)


@ledger.command()
@click.argument("file", type=click.Path(path_type=Path))
def export(file: Path) -> None:
    """Write the ledger to FILE, one line an entry, to be verified without the workbench."""
    count = open_bench().export_ledger(file)
    terminal.say(f"Wrote {count} entries to {near(file)}.")
    terminal.suggest(f"python -m workbench.ledger_verifier {near(file)}")


@ledger.command()
@click.option("--head", required=True, metavar="DIGEST", help="The last digest of the ledger that is there now.")
def accept(head: str) -> None:
    """Go on with a ledger that was rolled back on purpose: what was seen before is forgotten."""
    accepted = open_bench().accept_ledger(head)
    terminal.say(f"Accepted the ledger that ends with entry {accepted.sequence}, digest {accepted.digest}.")


COMMANDS = (ledger,)
