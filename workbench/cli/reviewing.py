"""The commands of review: nominate, look, answer, object, waive, sign, and the policies behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from workbench.cli import progress, reviews, terminal
from workbench.cli.options import JSON, POLICY, near, open_bench, pairs, typed_policy
from workbench.errors import UsageError
from workbench.reviews.request import ApprovalRequest, ObjectionRequest, WaiverRequest
from workbench.reviews.review import Review, find_next_command
from workbench.signing.key import Key

KEY = click.option(
    "--key", required=True, type=click.Path(path_type=Path), help="Your SSH key, or its public half for an agent."
)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--model", required=True, help="The name of the model this becomes the next version of.")
@click.option("--baseline", metavar="RUN", help="The run it must beat (default: a constant prediction).")
@POLICY
@JSON
def nominate(run_id: str, model: str, baseline: str | None, policy: str | None, as_json: bool) -> None:
    """Make a finished run the next version of a model and compute its evidence."""
    with progress.show_waiting("Loading the model in a process of its own and freezing what would be served"):
        review = open_bench().nominate(run_id, model, policy=policy, baseline=baseline)
    terminal.print_json(review) if as_json else reviews.print_review(review)
    terminal.suggest(find_next_command(review))


@click.command(epilog="Holdout digest, tries, reviewed types, waiver: `workbench help WORD` says what a word means.")
@click.argument("subject", metavar="MODEL/VERSION")
@click.option("--answer", "answers", multiple=True, metavar="QUESTION=TEXT", help="Answer a question; repeatable.")
@click.option("--checklist", is_flag=True, help="Show all 48 questions of the checklist and what answers them.")
@click.option("--html", type=click.Path(path_type=Path), help="Write the review as a page that needs no Jupyter.")
@click.option("--card", type=click.Path(path_type=Path), help="Write the model card as a page.")
@click.option("--open", "is_opened", is_flag=True, help="Open the review in the browser, to answer, object and sign.")
@click.option("--port", default=8866, show_default=True, type=click.IntRange(1, 65535), help="Where --open serves it.")
@JSON
def review(
    subject: str,
    answers: Sequence[str],
    checklist: bool,
    html: Path | None,
    card: Path | None,
    is_opened: bool,
    port: int,
    as_json: bool,
) -> None:
    """Show a nominee's findings, questions and approvals; answer its questions."""
    bench = open_bench()
    if answers:
        bench.answer_all(subject, pairs(answers, "answers"))
    if is_opened:
        bench.open_review(subject, port=port, say=terminal.say)
        return
    found = bench.review(subject)
    if html:
        bench.write_review_page(found, html)
    if card:
        bench.write_card_page(subject, card)
    _print_looked_at(found, [page for page in (html, card) if page], checklist=checklist, as_json=as_json)
    terminal.suggest(find_next_command(found))


def _print_looked_at(found: Review, pages: Sequence[Path], *, checklist: bool, as_json: bool) -> None:
    """Print a review, its checklist, or only where the pages are that were written of it."""
    if as_json:
        terminal.print_json(found)
        return
    if checklist:
        reviews.print_checklist(found)
    elif not pages:
        reviews.print_review(found)
    for path in pages:
        terminal.say(f"Wrote {near(path)}.")


@click.command()
@click.argument("subject", metavar="MODEL/VERSION")
@click.option("--role", required=True, help="The role you sign in; the policy names them.")
@KEY
def approve(subject: str, role: str, key: Path) -> None:
    """Sign a nominee as it is now."""
    found = open_bench().approve(subject, ApprovalRequest(role), Key(key))
    confirmed = f"; that confirms what only authors said: {', '.join(found.confirmed)}" if found.confirmed else ""
    terminal.say(f"Signed {subject} as {role}{confirmed}.")
    reviews.print_review_state(found)
    terminal.suggest(find_next_command(found))


@click.command("object")
@click.argument("subject", metavar="MODEL/VERSION")
@click.option("--text", required=True, help="What must change; with --clear, what settled it.")
@click.option("--clear", "clears", type=click.IntRange(1), help="Take back your own objection of this number.")
@KEY
def object_to(subject: str, text: str, clears: int | None, key: Path) -> None:
    """Object to a nominee, signed: it cannot be promoted until you clear that."""
    found = open_bench().object(subject, ObjectionRequest(text, clears or 0), Key(key))
    number = clears or max(item.number for item in found.evidence.objections)
    terminal.say(
        f"Cleared objection {number} to {subject}." if clears else f"Objected to {subject}: objection {number}."
    )
    reviews.print_review_state(found)
    terminal.suggest(find_next_command(found) if clears else f"workbench object {subject} --clear {number} --text …")


@click.command()
@click.argument("subject", metavar="MODEL/VERSION")
@click.argument("check")
@click.option("--reason", required=True, help="Why the risk is bearable until then.")
@click.option("--role", required=True, help="The role you waive in; the policy names them.")
@click.option("--until", required=True, metavar="DATE", help="The last day it holds, such as 2026-12-31, or a time.")
@KEY
def waive(subject: str, check: str, reason: str, role: str, until: str, key: Path) -> None:
    """Except one check that did not pass from blocking, signed, until a date."""
    found = open_bench().waive(subject, WaiverRequest(check, reason, role, until), Key(key))
    terminal.say(f"Waived {check} of {subject} until {until}.")
    reviews.print_review_state(found)
    terminal.suggest(find_next_command(found))


@click.group()
def policy() -> None:
    """Show and check policies: what must hold, and who must sign."""


@policy.command("show")
@click.argument("name", required=False)
@JSON
def show_policy(name: str | None, as_json: bool) -> None:
    """Show a policy in words: a file, one of templates/policies, or the project's."""
    found, _ = open_bench().read_policy(typed_policy(name))
    terminal.print_json(found) if as_json else reviews.print_policy(found)


@policy.command("check")
@click.argument("names", metavar="[POLICY]...", nargs=-1)
def check_policy(names: Sequence[str]) -> None:
    """Read policies (default: the project's), name every line to correct, and warn where nobody would be left to approve."""
    bench = open_bench()
    problems = []
    for name in names or [bench.settings.policy]:
        try:
            found, _ = bench.read_policy(typed_policy(name) if names else None)
            _ = [rule.metric.code for rule in found.metrics.values()]  # that the files of own metrics can be used
        except UsageError as exc:
            problems += [f"{name}: {reason}" for reason in exc.reasons or (exc.what,)]
        else:
            terminal.say(f"{name}: {found.name}, tier {found.tier}, {len(found.checks)} checks, sha256 {found.digest}")
            for warning in bench.foresee_quorum(found):
                terminal.say(f"{name}: Warning. {warning}")
    if problems:
        raise UsageError("Policies cannot be used.", why=problems, next_step="Correct these lines.")


COMMANDS = (nominate, review, approve, object_to, waive, policy)
