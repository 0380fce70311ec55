"""The commands about the processes kernels and commands are forked from: kernels status, kernels stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from workbench.cli.options import JSON
from workbench.cli.terminal import new_table, open_console, print_json, say
from workbench.errors import Unavailable
from workbench.executors.kept_parents import KeptParent, list_kept, stop_kept
from workbench.executors.limits import format_size

_FORKS = {"workbench.executors.kernel_parent": "kernels", "workbench.cli.command_parent": "commands"}


@click.group()
def kernels() -> None:
    """See or stop the processes that let the next run start fast."""


@kernels.command()
@JSON
def status(as_json: bool) -> None:
    """List the processes kernels are forked from: what they imported, how many processes are below them, their memory."""
    found = _ask(list_kept)
    print_json(found) if as_json else _print_kept(found)


@kernels.command()
@JSON
def stop(as_json: bool) -> None:
    """Let them go: at once where no kernel of theirs is in use, else after the last."""
    found = _ask(stop_kept)
    print_json(found) if as_json else say(_tell_stopped(len(found)))


def _ask(ask: Callable[[], list[KeptParent]]) -> list[KeptParent]:
    try:
        return ask()
    except PermissionError as exc:
        raise Unavailable(
            "No process can be kept, and none can be asked.",
            why=str(exc),
            next_step="Make it a folder of your own with mode 700, or remove it; commands work without, and start slower.",
        ) from exc


def _print_kept(parents: Sequence[KeptParent]) -> None:
    if not parents:
        say("No process is kept. `workbench run` starts some, so that the next run is fast.")
        return
    total = format_size(sum(parent.memory_bytes for parent in parents))
    minutes = max(parent.kept_min for parent in parents)
    count = "1 process is" if len(parents) == 1 else f"{len(parents)} processes are"
    say(f"{count} kept for {minutes} min after the last use, {total} in all")
    table = new_table(
        ("process", "right"), ("forks", ""), ("processes", "right"), ("memory", "right"), ("imported", "wrap")
    )
    for parent in parents:
        forks = _FORKS.get(parent.program, parent.program) + (", leaving" if parent.is_leaving else "")
        table.add_row(
            str(parent.pid), forks, str(parent.processes), format_size(parent.memory_bytes), _list_imported(parent)
        )
    open_console().print(table)


def _list_imported(parent: KeptParent) -> str:
    return ", ".join(sorted({name.partition(".")[0] for name in parent.modules})) or "what every kernel imports"


def _tell_stopped(count: int) -> str:
    if not count:
        return "No process was kept."
    return f"{'1 process goes' if count == 1 else f'{count} processes go'}, after what is in use."


COMMANDS = (kernels,)
