"""The command line: parse, one Workbench call, print."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from importlib import import_module

import click

from workbench.cli import terminal
from workbench.errors import Interrupted, Unavailable, UsageError, WorkbenchError

_AGAIN_S = 0.05
# A command lives shortly and holds what it reads: of ten thousand runs, looking for garbage took a third of the time.
_FEW_COLLECTIONS = (50_000, 20, 100)


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong usage, 3 refused by a gate."""
    dropped, sys.unraisablehook = sys.unraisablehook, _interrupt_again
    collected = gc.get_threshold()
    gc.set_threshold(*_FEW_COLLECTIONS)
    try:
        # A scheduler that ends us must leave nothing running either.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        # Ctrl-C in the middle of a query is told as every other, without what it did to a cursor.
        logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
        _require_text(arguments)
        return int(main.main(list(arguments), prog_name="workbench", standalone_mode=False) or 0)
    except WorkbenchError as exc:
        terminal.print_error(exc)
        return exc.exit_code
    except click.ClickException as exc:
        exc.show()
        return 2
    except OSError as exc:
        terminal.print_error(Unavailable("A file could not be read or written.", why=str(exc)))
        return Unavailable.exit_code
    except (KeyboardInterrupt, click.Abort):
        terminal.print_error(
            Interrupted("Stopped.", next_step="Run the same command again; nothing was left half-done.")
        )
        return 1
    finally:
        gc.set_threshold(*collected)
        sys.unraisablehook = dropped


def _interrupt_again(ignored: sys.UnraisableHookArgs) -> None:
    """Raise Ctrl-C once more where Python drops it: in a destructor, or in what is called when garbage is collected."""
    if not issubclass(ignored.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(ignored)
        return
    main_thread, over = threading.main_thread().ident or 0, threading.Event()

    def interrupt() -> None:
        over.wait()  # in here it would be dropped for good, however busy the machine is
        time.sleep(_AGAIN_S)
        signal.pthread_kill(main_thread, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    over.set()


def _require_text(arguments: Sequence[str]) -> None:
    """Refuse bytes that are no text at the door: no record could hold them."""
    wrong = [repr(text) for text in arguments if any("\ud800" <= character <= "\udfff" for character in text)]
    if wrong:
        raise UsageError("The command cannot be read.", why=[f"{text} is not UTF-8." for text in wrong])


# By name, in the order of the story: the file that has the command (imported when it is asked for), and what `--help` says.
_TABLE: Mapping[str, tuple[str, str]] = {
    "init": ("beginning", "Make a folder a project of the workbench."),
    "signer": ("beginning", "Say who may sign as what."),
    "new": ("beginning", "Make a notebook from a template that runs as it is."),
    "check": ("checking", "Say what will stop a notebook when nobody watches."),
    "run": ("running", "Run a notebook once and record it."),
    "sweep": ("running", "Run it for every combination, or those a search chooses."),
    "runs": ("listing", "List runs, newest first, or ask something of all of them."),
    "show": ("running", "Show one run: results, parameters, origin, files."),
    "open": ("finding", "Open a run's report in the browser."),
    "annotate": ("finding", "Name runs, note something of them, tag them."),
    "archive": ("finding", "Put runs aside, with nothing lost, or back."),
    "delete": ("finding", "Delete runs with their files; their tries still count."),
    "export": ("finding", "Write runs to a CSV or Parquet file."),
    "stop": ("running", "End one run that goes on; the others of its sweep go on."),
    "replay": ("running", "Run a finished run again and say what is the same."),
    "compare": ("comparing", "Compare runs on their common holdout, with verdicts."),
    "diff": ("comparing", "Say how one run differs from another, in one view."),
    "models": ("comparing", "List which models can be served, by family."),
    "nominate": ("reviewing", "Make a run the next version of a model, with evidence."),
    "review": ("reviewing", "Show a nominee's findings; answer its questions."),
    "approve": ("reviewing", "Sign a nominee as it is now."),
    "object": ("reviewing", "Object to a nominee, signed: it is blocked until cleared."),
    "waive": ("reviewing", "Except one check that did not pass, signed, until a date."),
    "policy": ("reviewing", "Show and check policies: what must hold, who must sign."),
    "promote": ("releasing", "Make an approved nominee the release that is served."),
    "rollback": ("releasing", "Serve an earlier release again, if it still holds."),
    "serve": ("releasing", "Serve a release, if its signatures verify."),
    "verify": ("releasing", "Say whether a release's bytes may be served."),
    "ledger": ("ledger", "Show every decision, and whether the chain is whole."),
    "kernels": ("kernels", "See or stop what lets the next run start fast."),
    "lab": ("caring", "Open JupyterLab and the MLflow page, on loopback."),
    "doctor": ("caring", "Check what the workbench stands on, and mend it."),
    "help": ("chapters", "Read about a chapter of the workbench, or a command."),
}


class _Commands(MutableMapping[str, click.Command]):
    """The commands by name, each imported when it is asked for first."""

    def __init__(self) -> None:
        self._imported: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._imported and name in _TABLE:
            commands: Sequence[click.Command] = import_module(f"workbench.cli.{_TABLE[name][0]}").COMMANDS
            self._imported |= {each.name: each for each in commands if each.name}
        return self._imported[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._imported[name] = command

    def __delitem__(self, name: str) -> None:
        del self._imported[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*_TABLE, *self._imported]))

    def __len__(self) -> int:
        return len({*_TABLE, *self._imported})


COMMANDS = _Commands()


class _Group(click.Group):
    """A group whose help imports none of its commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in _TABLE.items()])


@click.group(
    cls=_Group, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="workbench")
def main() -> None:
    """From notebook to signed, served model."""
