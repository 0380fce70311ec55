"""The command line: parse, one Workbench call, print."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench import cli_execution, terminal, terminal_views
from workbench.cli_options import JSON, POLICY, open_bench, pairs
from workbench.errors import Interrupted, Unavailable, UsageError, WorkbenchError

if TYPE_CHECKING:
    from workbench.domain.release import Release


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong usage, 3 refused by a gate."""
    try:
        # A scheduler that ends us must leave nothing running either.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
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


def _require_text(arguments: Sequence[str]) -> None:
    """Refuse bytes that are no text at the door: no record could hold them."""
    wrong = [repr(text) for text in arguments if any("\ud800" <= character <= "\udfff" for character in text)]
    if wrong:
        raise UsageError("The command cannot be read.", why=[f"{text} is not UTF-8." for text in wrong])


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="workbench")
def main() -> None:
    """From notebook to signed, served model."""


for each in cli_execution.COMMANDS:
    main.add_command(each)


@main.command()
@click.argument("name")
@click.option("--template", default="classification", show_default=True, help="Which experiment to start from.")
def new(name: str, template: str) -> None:
    """Make notebooks/NAME.ipynb from a template that runs as it is."""
    path = open_bench().new(name, template)
    terminal.say(f"Made {path}.")
    terminal.suggest(f"workbench run {path}")


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
    terminal.print_json(found) if as_json else terminal_views.print_comparison(found)
    terminal.suggest(f"workbench nominate {found.best.run_id} --model NAME")


@main.command()
@click.argument("run_id", metavar="RUN")
@click.option("--model", required=True, help="The name of the model this becomes the next version of.")
@click.option("--baseline", metavar="RUN", help="The run it must beat (default: a constant prediction).")
@POLICY
@JSON
def nominate(run_id: str, model: str, baseline: str | None, policy: str | None, as_json: bool) -> None:
    """Make a finished run the next version of a model and compute its evidence."""
    with terminal.show_waiting("Loading the model in a process of its own and freezing what would be served"):
        review = open_bench().nominate(run_id, model, policy=policy, baseline=baseline)
    terminal.print_json(review) if as_json else terminal_views.print_review(review)
    terminal.suggest(f"workbench review {review.subject} --answer QUESTION=TEXT")


@main.command()
@click.argument("subject", metavar="MODEL/VERSION")
@click.option("--answer", "answers", multiple=True, metavar="QUESTION=TEXT", help="Answer a question; repeatable.")
@click.option("--html", type=click.Path(path_type=Path), help="Write the review as a page that needs no Jupyter.")
@JSON
def review(subject: str, answers: Sequence[str], html: Path | None, as_json: bool) -> None:
    """Show a nominee's findings, questions and approvals; answer its questions."""
    bench = open_bench()
    for question, text in pairs(answers, "answers").items():
        bench.answer(subject, question, text)
    found = bench.review(subject)
    if html:
        bench.write_review_page(found, html)
    terminal.print_json(found) if as_json else terminal_views.print_review(found)
    terminal.suggest(f"workbench approve {subject} --role ROLE --key ~/.ssh/id_ed25519")


@main.command()
@click.argument("subject", metavar="MODEL/VERSION")
@click.option("--role", required=True, help="The role you sign in; the policy names them.")
@click.option(
    "--key", required=True, type=click.Path(path_type=Path), help="Your SSH key, or its public half for an agent."
)
def approve(subject: str, role: str, key: Path) -> None:
    """Sign a nominee as it is now."""
    found = open_bench().approve(subject, role=role, key=key)
    terminal.say(f"Signed {subject} as {role}.")
    terminal_views.print_review_state(found)
    terminal.suggest(f"workbench {'promote' if found.decision.is_allowed else 'review'} {subject}")


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
@JSON
def rollback(endpoint: str, to: int | None, as_json: bool) -> None:
    """Serve an earlier release again, if its bytes and approvals still hold."""
    _print_released(open_bench().rollback(endpoint, to=to), as_json=as_json)
    terminal.suggest(f"workbench serve {endpoint}")


def _print_released(release: Release, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(release)
        return
    terminal_views.print_release(release, release.decision.subject)
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
    terminal.say(f"Serving {bench.find_served(endpoint)} at {served.url} (Ctrl-C stops it)")
    try:
        code = served.wait()
    except KeyboardInterrupt:
        terminal.say("Stopped.")
        return
    raise Unavailable(f"The service ended with {code}.", next_step=f"Read {served.log}.")


@main.command()
@click.argument("subject", metavar="MODEL/VERSION")
@JSON
def verify(subject: str, as_json: bool) -> None:
    """Say whether a release's bytes may be served: files, signatures, ledger."""
    release = open_bench().verify(subject)
    terminal.print_json(release) if as_json else terminal_views.print_release(release, subject)
    if not release.decision.is_allowed:
        raise click.exceptions.Exit(3)


@main.command()
@JSON
def ledger(as_json: bool) -> None:
    """Show every decision, and whether the chain is whole."""
    entries, faults = open_bench().read_ledger()
    terminal.print_json({"entries": entries, "faults": faults}) if as_json else terminal_views.print_ledger(
        entries, faults
    )
    if faults:
        raise click.exceptions.Exit(3)


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
    terminal.print_json(symptoms) if as_json else terminal_views.print_symptoms(symptoms)
    if not all(symptom.is_well for symptom in symptoms):
        raise click.exceptions.Exit(1)


COMMANDS: Mapping[str, Callable[..., Any]] = main.commands
