"""The command line: parse, one Workbench call, print."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from workbench.cli import beginning, ledger, records, reviewing, running, terminal
from workbench.cli.chapters import help_
from workbench.cli.options import JSON, POLICY, near, open_bench
from workbench.errors import Interrupted, Unavailable, UsageError, WorkbenchError

if TYPE_CHECKING:
    from workbench.releases.release import Release

_AGAIN_S = 0.05


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong usage, 3 refused by a gate."""
    dropped, sys.unraisablehook = sys.unraisablehook, _interrupt_again
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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="workbench")
def main() -> None:
    """From notebook to signed, served model."""


for each in (*beginning.COMMANDS, *running.COMMANDS, *reviewing.COMMANDS):
    main.add_command(each)


@main.command()
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


@main.command()
@JSON
def models(as_json: bool) -> None:
    """List which models can be served, by family."""
    found = open_bench().list_models()
    terminal.print_json(found) if as_json else records.print_models(found)


@main.command()
@click.argument("subject", metavar="MODEL/VERSION")
@JSON
def promote(subject: str, as_json: bool) -> None:
    """Make an approved nominee the release its endpoint serves."""
    with terminal.show_waiting("Auditing and building the release"):
        release = open_bench().promote(subject)
    _print_released(release, as_json=as_json)
    terminal.suggest(f"workbench serve {subject.partition('/')[0]}")


@main.command()
@click.argument("endpoint")
@click.option("--to", type=click.IntRange(1), help="The version to serve (default: the one before).")
@click.option("--from", "served", type=click.IntRange(1), help="Only if this version is still the served one.")
@JSON
def rollback(endpoint: str, to: int | None, served: int | None, as_json: bool) -> None:
    """Serve an earlier release again, if its bytes and approvals still hold."""
    _print_released(open_bench().rollback(endpoint, to=to, served=served), as_json=as_json)
    terminal.suggest(f"workbench serve {endpoint}")


def _print_released(release: Release, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(release)
        return
    records.print_release(release, release.decision.subject)
    for note in release.notes:
        terminal.say(note)


@main.command()
@click.argument("endpoint")
@click.option("--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="Where it answers.")
def serve(endpoint: str, port: int) -> None:
    """Serve an endpoint's release on loopback; refuses unless the signatures over its exact bytes verify."""
    bench = open_bench()
    with terminal.show_waiting("Verifying and starting"):
        served = bench.serve(endpoint, port=port)
    try:
        with served:  # whatever is interrupted from here on, nothing of it goes on
            terminal.say(f"Serving {bench.find_served(endpoint)} at {served.url} (Ctrl-C stops it)")
            signers, least = near(bench.settings.signers_file), bench.settings.least_principals
            terminal.say(f"Trusted are those named in {signers}, and at least {least} of them approved it")
            # What MLflow imports may swallow an interrupt: only this thread hears them, and it waits.
            threading.Thread(target=_mend_alias, args=(endpoint,), daemon=True).start()
            code = served.wait(terminal.print_error)
    except KeyboardInterrupt:
        terminal.say("Stopped.")
        return
    raise Unavailable(f"The service ended with {code}.", next_step=f"Read {served.log}.")


def _mend_alias(endpoint: str) -> None:
    try:
        for note in open_bench().mend_alias(endpoint):
            terminal.say(note)
    except WorkbenchError as exc:
        terminal.print_error(exc)


@main.command()
@click.argument("subject", metavar="MODEL/VERSION")
@JSON
def verify(subject: str, as_json: bool) -> None:
    """Say whether a release's bytes may be served: files, signatures, ledger."""
    bench = open_bench()
    release = bench.verify(subject)
    terminal.print_json(release) if as_json else records.print_release(release, subject)
    if not release.decision.is_allowed:
        terminal.advise(bench.find_remedy(subject))
        raise click.exceptions.Exit(3)


main.add_command(ledger.ledger)
main.add_command(help_)


@main.command()
@click.option("--port", default=8888, show_default=True, type=click.IntRange(1, 65535), help="JupyterLab's.")
@click.option("--mlflow-port", default=5000, show_default=True, type=click.IntRange(1, 65535), help="MLflow's.")
def lab(port: int, mlflow_port: int) -> None:
    """Open JupyterLab and the MLflow page, both on loopback."""
    open_bench().lab(port=port, mlflow_port=mlflow_port, say=terminal.say)


@main.command()
@JSON
def doctor(as_json: bool) -> None:
    """Check what the workbench stands on and mend what can be mended."""
    symptoms = open_bench().examine()
    terminal.print_json(symptoms) if as_json else records.print_symptoms(symptoms)
    if not all(symptom.is_well for symptom in symptoms):
        raise click.exceptions.Exit(1)


COMMANDS: Mapping[str, Callable[..., Any]] = main.commands
