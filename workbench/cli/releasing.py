"""The commands about releases: promote, rollback, serve, verify."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import click

from workbench.cli import progress, records, terminal
from workbench.cli.options import JSON, near, open_bench
from workbench.errors import Unavailable, WorkbenchError

if TYPE_CHECKING:
    from workbench.releases.release import Release


@click.command()
@click.argument("subject", metavar="MODEL/VERSION")
@JSON
def promote(subject: str, as_json: bool) -> None:
    """Make an approved nominee the release its endpoint serves."""
    with progress.show_waiting("Auditing and building the release"):
        release = open_bench().promote(subject)
    _print_released(release, as_json=as_json)
    terminal.suggest(f"workbench serve {subject.partition('/')[0]}")


@click.command()
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


@click.command()
@click.argument("endpoint")
@click.option("--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="Where it answers.")
def serve(endpoint: str, port: int) -> None:
    """Serve an endpoint's release on loopback; refuses unless the signatures over its exact bytes verify."""
    bench = open_bench()
    with progress.show_waiting("Verifying and starting"):
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


@click.command()
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


COMMANDS = (promote, rollback, serve, verify)
