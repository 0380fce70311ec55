"""What an author drafts counts once somebody else stands for it."""

from __future__ import annotations

from tests.conftest import AUTHOR, run_command
from tests.integration.governed import HARM, OWNER, VALIDATOR, Governed
from tests.unit.evidence.builders import write_in_format
from workbench.evidence.evidence import Status, parse_evidence
from workbench.releases import releases
from workbench.releases.release_audit import find_unmet
from workbench.reviews import nominees
from workbench.reviews.checklist import ItemStatus
from workbench.reviews.review import Review


def card_of(review: Review) -> tuple[Status, str, str]:
    """Return how complete the model card is, whose the answer on harm is, and how it stands in the checklist."""
    (finding,) = [each for each in review.findings if each.check == "model_card_complete"]
    (question,) = [each for each in review.questions if each.name == "harm"]
    (row,) = [each for each in review.checklist if each.id == "A3"]
    return finding.status, question.whose, row.status


def test_an_author_drafts_an_answer_and_whoever_approves_confirms_it(nominated: Governed) -> None:
    drafted = nominated.bench.answer("shop/1", "harm", HARM)
    whose = f"Drafted by {AUTHOR}, an author of the run; whoever approves confirms it"
    assert card_of(drafted) == (Status.UNKNOWN, whose, ItemStatus.UNKNOWN)
    assert f"{whose}." in nominated.bench.load_nominee("shop/1").card.decode()
    assert drafted.drafts == ("harm",)
    confirmed = nominated.approve("shop/1", VALIDATOR)
    whose = f"Drafted by {AUTHOR}, confirmed by {VALIDATOR}"
    assert card_of(confirmed) == (Status.PASS, whose, ItemStatus.PASS)
    assert (confirmed.drafts, confirmed.confirmed) == ((), ("harm",))  # this the terminal says after signing
    owner = ("--role", "owner", "--key", str(nominated.key_of(OWNER)))
    signed = run_command(nominated.project, "approve", "shop/1", *owner).stdout
    assert "Signed shop/1 as owner.\n" in signed  # the validator had confirmed it
    assert nominated.bench.review("shop/1").decision.is_allowed
    shown = " ".join(run_command(nominated.project, "review", "shop/1").stdout.split())
    assert f"(Drafted by {AUTHOR}, confirmed by {VALIDATOR}, {OWNER})" in shown


def test_what_was_confirmed_is_a_draft_again_once_its_author_writes_it_anew(nominated: Governed) -> None:
    nominated.bench.answer("shop/1", "harm", HARM)
    nominated.approve("shop/1")
    assert card_of(nominated.bench.answer("shop/1", "harm", f"{HARM} Or two."))[0] is Status.UNKNOWN


def test_a_second_person_who_gives_the_same_answer_confirms_it_and_a_second_author_does_not(
    nominated: Governed,
) -> None:
    nominated.bench.answer("shop/1", "harm", HARM)
    assert card_of(nominated.acting(AUTHOR.upper()).answer("shop/1", "harm", HARM))[0] is Status.UNKNOWN
    review = nominated.acting(OWNER).answer("shop/1", "harm", HARM)
    assert card_of(review) == (Status.PASS, f"Drafted by {AUTHOR}, confirmed by {OWNER}", ItemStatus.PASS)


def test_a_release_of_drafts_is_served_because_of_who_approved_it(nominated: Governed) -> None:
    for question in nominated.bench.load_nominee("shop/1").policy.questions:
        nominated.bench.answer("shop/1", question, HARM)
    nominee = nominated.bench.load_nominee("shop/1")
    (unmet,) = find_unmet(nominee.evidence, nominee.policy, ())
    assert unmet.startswith("model_card_complete: UNKNOWN. Drafted: ")
    nominated.approve("shop/1")
    files = releases.assemble_release(nominated.bench.load_nominee("shop/1"))
    release = releases.audit_files(files, "shop/1", nominated.bench.settings)
    assert release.evidence is not None and release.decision.is_allowed
    assert find_unmet(release.evidence, nominee.policy, release.approved_by) == []


def test_what_was_nominated_before_answers_said_whose_they_are_needs_nothing_but_its_approvals(
    nominated: Governed,
) -> None:
    nominee = nominated.bench.load_nominee("shop/1")
    evidence = nominees._add_said(write_in_format(nominee.facts, 3), nominee.said)
    assert (evidence.said_by, evidence.answers) == ((), nominee.evidence.answers)
    assert parse_evidence(evidence.to_bytes()) == evidence
    unmet = {reason.partition(":")[0] for reason in find_unmet(evidence, nominee.policy, (VALIDATOR,))}
    assert unmet == {"authors_known", "holdout_untouched", "run_unmodified"}  # nobody had measured these
