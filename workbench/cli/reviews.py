"""Reviews as text: the findings, what people said of a nominee, the checklist, and the policy behind them."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.cli.terminal import escape, new_table, open_console, say
from workbench.evidence.class_words import say_accuracy, say_confusion, say_decision
from workbench.evidence.evidence import Finding, Status
from workbench.evidence.measures.classes import ClassesFact, Share
from workbench.evidence.serving_form import describe_form
from workbench.policies.policy import AuthorRule, Policy
from workbench.records.digest import short
from workbench.reviews.checklist import ItemStatus, count_statuses
from workbench.reviews.review import Review
from workbench.reviews.review import headline as review_headline
from workbench.words.changes import changes_state
from workbench.words.findings import can_be_waived, sort_findings, tally
from workbench.words.local_files import NOTHING_READ, describe_reads
from workbench.words.own_code import describe_own_code

_LOOKS = {
    ItemStatus.FAIL: ("red", "✕"),
    ItemStatus.UNKNOWN: ("yellow", "?"),
    ItemStatus.OPEN: ("yellow", "○"),
    ItemStatus.WAIVED: ("yellow", "~"),
    ItemStatus.PASS: ("green", "✓"),
    ItemStatus.ANSWERED: ("green", "✓"),
    ItemStatus.NOT_ASKED: ("dim", "·"),
    ItemStatus.NOT_NEEDED: ("dim", "·"),
}


def print_review(review: Review) -> None:
    """Print where a review stands: the sentence, what changed, the findings, the questions, the approvals."""
    console = open_console()
    console.print(f"[bold]{escape(review_headline(review))}[/]", soft_wrap=True)
    identity = review.evidence.identity
    console.print(
        f"Run {identity.run_id} by {escape(', '.join(identity.authors))}; evidence {short(review.evidence_digest)}, "
        f"policy {escape(review.policy_name)} {short(review.policy_digest)}",
        soft_wrap=True,
    )
    if review.policy_note:
        console.print(f"[yellow]{escape(review.policy_note)}[/]", soft_wrap=True)
    if review.evidence.serving:
        console.print(escape(describe_form(review.evidence.serving)), soft_wrap=True)
    _print_changes(review)
    _print_classes(review.evidence.classes)
    table = new_table(("finding", ""), ("", ""), ("value and reason", "wrap"))
    for finding in sort_findings(review.findings):
        table.add_row(escape(finding.check), _mark_finding(finding), _describe_finding(finding, review))
    console.print(table)
    for objection in review.evidence.objections:
        mark = "[green]✓[/]" if objection.cleared else "[red]✕[/]"
        said = f", cleared: {objection.resolution}" if objection.cleared else ""
        where = f", to {review.raised_on[objection.number]}" if objection.number in review.raised_on else ""
        console.print(
            f"{mark} objection {objection.number}  {escape(objection.text + said)} [dim]({escape(objection.principal + where)})[/]"
        )
    _print_questions(review)
    _print_approvals(review)
    answered = f"{len(review.questions) - len(review.open_questions)} of {len(review.questions)} questions answered"
    console.print(f"{len(review.findings)} checks: {tally(review.findings)}; {answered}")
    counted = ", ".join(f"{count} {status.lower()}" for status, count in count_statuses(review.checklist).items())
    told = (
        f"Checklist of {len(review.checklist)} items, each settled by several checks and answers or by none: {counted}"
    )
    console.print(f"[dim]{told} (--checklist shows them)[/]", soft_wrap=True)


def _print_changes(review: Review) -> None:
    """Print what changed but for the lines of code, of which it is said how many there are."""
    console, state = open_console(), changes_state(review.changes, review.evidence)
    console.print(f"{escape(state['title'])}: {escape(state['text'])}", soft_wrap=True)
    if state["rows"]:
        table = new_table(*((column.lower(), "wrap") for column in state["columns"]))
        for row in state["rows"]:
            table.add_row(*(escape(row[key]) for key in ("name", "before", "after")))
        console.print(table)
    if state["code"]:
        shown = " (--html FILE shows them)" if state["code"]["hunks"] else ""
        console.print(f"{escape(state['code']['summary'])}{shown}", soft_wrap=True)
    for kind, modules in (("Local code", review.local_code), ("Own code", review.own_code)):
        for module in modules:
            said = describe_own_code(module, review.changes.version if review.changes else None)
            note = f", {module.note}" if module.note else ""
            text = f"{escape(said)}{note}; sha256 {short(module.digest)} (--html FILE shows it)"
            console.print(f"[yellow]{kind}:[/] {text}", soft_wrap=True)
    if (read := describe_reads(review.evidence.local_files)) != NOTHING_READ:
        console.print(f"[dim]Also read: {escape(read)}[/]", soft_wrap=True)


_AUTHORS: Mapping[AuthorRule, str] = {
    "changed_lines": "a line of its code that is new since the model's last release",
    "all_lines": "a line of its code, whenever that was",
}
# What names may take of 80 columns beside two shares with their bounds.
_WIDEST_NAMES, _LONGEST_NAME = 40, 16


def _print_classes(fact: ClassesFact | None) -> None:
    """Print how often each class was called what; where that is too wide, for what each is mistaken the most."""
    if fact is None:
        return
    console = open_console()
    console.print(f"{say_accuracy(fact)} {escape(say_decision(fact))}")
    names = [each.name for each in fact.classes]
    is_narrow = max(map(len, names)) + sum(len(name) + 1 for name in names) <= _WIDEST_NAMES
    side = "wrap" if max(map(len, names)) > _LONGEST_NAME else ""
    called = [(name, "right") for name in names] if is_narrow else [("mistaken for", "wrap")]
    table = new_table(("is, called" if is_narrow else "class", side), *called, ("recall", ""), ("precision", ""))
    for place, each in enumerate(fact.classes):
        counts = [f"{count:,}" for count in fact.confusion[place]]
        cells = counts if is_narrow else [escape(say_confusion(fact, place) or "none")]
        table.add_row(escape(each.name), *cells, _say_share(each.recall), _say_share(each.precision))
    console.print(table)


def _say_share(share: Share | None) -> str:
    return "no rows" if share is None else f"{share.value:.3f} ({share.low:.2f}…{share.high:.2f})"


def _mark(status: ItemStatus) -> str:
    colour, shape = _LOOKS[status]
    return f"[{colour}]{shape} {status.value}[/]"


def _mark_finding(finding: Finding) -> str:
    """Return the status by shape and word; what does not block although it did not pass says why."""
    if finding.waiver:
        return _mark(ItemStatus.WAIVED)
    mark = _mark(ItemStatus[finding.status.name])
    return mark if finding.blocks or finding.status is Status.PASS else f"{mark} (advice)"


def _describe_finding(finding: Finding, review: Review) -> str:
    """Return the value; what it was held to when it passed, and otherwise why not, and who may waive it."""
    if finding.status is Status.PASS:
        return f"{escape(finding.value)} [dim](asked: {escape(finding.limit)})[/]"
    waived = f" Waived by {finding.waiver}." if finding.waiver else ""
    waivable = f" May be waived by {' or '.join(review.waiver_roles)}." if can_be_waived(finding, review) else ""
    return escape(f"{finding.value}. {finding.reason}{waived}{waivable}")


def _print_questions(review: Review) -> None:
    console = open_console()
    for question in review.questions:
        if question.answer is None:
            console.print(f"[yellow]? {escape(question.name)}[/]  {escape(question.text)}")
        else:
            colour, shape = ("yellow", "○") if question.is_draft else ("green", "✓")
            console.print(
                f"[{colour}]{shape} {escape(question.name)}[/]  {escape(question.answer)} [dim]({escape(question.whose)})[/]"
            )


def _print_approvals(review: Review) -> None:
    console = open_console()
    for role, needed in review.roles.items():
        given = [item for item in review.approvals if item.role == role]
        valid = review.signers(role)
        mark = "[green]✓[/]" if len(valid) >= needed else "[yellow]?[/]"
        console.print(
            f"{mark} {role}: {len(valid)} of {needed} signed{': ' + escape(', '.join(valid)) if valid else ''}"
        )
        # Once a role is complete, what an earlier signature lacked is history.
        for fault in dict.fromkeys(fault for item in given for fault in item.faults if len(valid) < needed):
            console.print(f"    [red]{escape(fault)}[/]", soft_wrap=True)


def print_review_state(review: Review) -> None:
    """Print in short what a review still lacks."""
    say(review_headline(review))
    _print_approvals(review)


def print_checklist(review: Review) -> None:
    """Print every question of the checklist: how it stands, and what of the policy answers it."""
    table = new_table(("", ""), ("question", "wrap"), ("", ""), ("answered by", "wrap"))
    for row in review.checklist:
        table.add_row(row.id, escape(row.question), _mark(row.status), escape(", ".join(row.by)))
    open_console().print(table)


def print_policy(policy: Policy) -> None:
    """Print a policy: what must hold with which limits, what people are asked, and who must sign."""
    console = open_console()
    console.print(f"[bold]Policy {escape(policy.name)}[/], tier {policy.tier}, sha256 {short(policy.digest)}")
    for task, rule in policy.metrics.items():
        console.print(f"{task}: {rule.name}, margin {rule.margin:g}, limit {rule.limit:g}")
    if policy.slices:
        console.print(f"slices that must hold: {escape(', '.join(policy.slices))}")
    table = new_table(("check", ""), ("severity", ""), ("limits", "wrap"))
    for name, limits in policy.checks.items():
        table.add_row(
            escape(name),
            policy.severity_of(name),
            escape(", ".join(f"{k} {v}" for k, v in limits.items())),
        )
    console.print(table)
    console.print(f"own code: {'allowed, and approved with the model' if policy.allows_own_code else 'not allowed'}")
    for name, text in policy.questions.items():
        console.print(f"? {escape(name)}  {escape(text)}")
    for role, needed in policy.roles.items():
        console.print(f"{role}: {needed} must sign")
    console.print(f"{policy.principals} different people, never an author; an approval holds {policy.valid_days} days")
    console.print(f"an author ran or nominated it, or wrote {_AUTHORS[policy.authors]}", soft_wrap=True)
    waiving = (
        f"{', '.join(policy.waivers.roles)}, for {policy.waivers.most_days} days at most"
        if policy.waivers.roles
        else "nobody"
    )
    console.print(f"who may waive: {escape(waiving)}")
