"""What a check says of local code, of who wrote it, and of what people answered."""

from __future__ import annotations

import pytest

from tests.unit.checks.cases import POLICY, answered, find
from tests.unit.evidence.builders import (
    ANSWERS,
    build_authorship,
    build_evidence,
    build_identity,
    build_local_files,
    build_written,
)
from tests.unit.people import AUTHOR, OWNER, VALIDATOR
from workbench.checks import CHECKS
from workbench.checks.model_card_complete import find_answer_fault, list_settled
from workbench.evidence.evidence import AnswerFact, Status
from workbench.runs.local_files import LocalModule, Standing


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"git_commit": None, "git_dirty": None}, "not under git"),
        ({"git_dirty": True}, "uncommitted changes"),
        ({"git_dirty": False}, "committed"),
    ],
)
def test_the_state_of_the_checkout_is_told_but_the_notebook_digest_decides(changes, said):
    finding = find("run_unmodified", identity=build_identity(**changes))
    assert finding.status is Status.PASS
    assert said in finding.reason


def module(name: str, standing: Standing) -> LocalModule:
    return LocalModule(name, "ab" * 32, standing)


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ((), "No other local code ran."),
        ((module("a.py", Standing.COMMITTED),), "1 local module ran with it."),
        (
            (module("a.py", Standing.COMMITTED), module("b.py", Standing.UNTRACKED), module("c.py", Standing.CHANGED)),
            "3 local modules ran with it, not in the commit: b.py (not in git), c.py (changed).",
        ),
        (tuple(module(f"{name}.py", Standing.UNTRACKED) for name in "abcdef"), "e.py (not in git) and others."),
    ],
)
def test_local_code_is_told_and_its_digests_decide(modules, said):
    finding = find("run_unmodified", local_files=build_local_files(modules=modules))
    assert finding.status is Status.PASS
    assert finding.reason.endswith(said)


@pytest.mark.parametrize("check", ["run_unmodified", "authors_known"])
def test_a_run_whose_local_code_is_not_known_says_why_and_what_to_do(check):
    for files, why in ((None, "from before"), (build_local_files(is_complete=False), "did not tell to the end")):
        finding = find(check, local_files=files)
        assert finding.status is Status.UNKNOWN
        assert why in finding.reason
        assert "Run the notebook again" in finding.reason


def test_a_module_whose_authors_nobody_can_tell_says_whether_it_is_git_or_that_it_is_not_what_ran():
    files = [build_written(), *(build_written(path=name, commits=()) for name in ("a.py", "b.py"))]
    ran = (module("a.py", Standing.REPLACED), module("b.py", Standing.COMMITTED))
    finding = find(
        "authors_known", authorship=build_authorship(files=tuple(files)), local_files=build_local_files(modules=ran)
    )
    assert finding.status is Status.UNKNOWN
    assert "Git did not say who wrote b.py." in finding.reason
    assert "who wrote a.py, changed or removed after it ran" in finding.reason
    assert "Leave it as it is meanwhile, and run the notebook again." in finding.reason


def test_space_does_not_make_an_answer_longer():
    padded = "None." + " " * 40
    assert find("model_card_complete", answers=answered(harm=padded)).status is Status.FAIL
    assert find_answer_fault(padded, POLICY) == "It has 5 visible characters of at least 20."
    assert find_answer_fault(ANSWERS["harm"], POLICY) is None


def drafted(*vouched_by):
    said_by = tuple(AnswerFact(name, AUTHOR, vouched_by if name == "harm" else (VALIDATOR,)) for name in ANSWERS)
    return build_evidence(said_by=said_by)


def test_what_an_author_drafted_says_whose_it_is_and_counts_once_somebody_else_confirmed_it():
    draft = CHECKS["model_card_complete"](drafted(), POLICY)
    assert (draft.status, draft.value) == (Status.UNKNOWN, "4 of 4 answered, 1 by nobody but an author")
    assert f"Drafted: harm ({AUTHOR}). Whoever approves confirms it" in draft.reason
    assert list_settled(drafted(), POLICY) == {*ANSWERS} - {"harm"}
    confirmed = drafted().confirmed_by([OWNER])
    assert CHECKS["model_card_complete"](confirmed, POLICY).status is Status.PASS
    assert list_settled(confirmed, POLICY) == {*ANSWERS}
    (fact,) = [each for each in confirmed.said_by if each.question == "harm"]
    assert fact.whose == f"Drafted by {AUTHOR}, confirmed by {OWNER}"


def test_nobody_confirms_nothing():
    assert drafted().confirmed_by([]) == drafted()


def test_who_confirms_answers_does_not_give_the_missing_ones():
    evidence = build_evidence(answers=answered(harm="." * 40)).confirmed_by([OWNER])
    assert CHECKS["model_card_complete"](evidence, POLICY).status is Status.FAIL


def test_answers_of_before_it_was_recorded_whose_they_are_count_once_somebody_approved_them():
    older = build_evidence(format=3)
    assert "nobody knows who" in CHECKS["model_card_complete"](older, POLICY).reason
    assert CHECKS["model_card_complete"](older.confirmed_by([OWNER]), POLICY).status is Status.PASS


def test_an_answer_to_another_question_counts_for_nothing():
    answers = {**{name: text for name, text in ANSWERS.items() if name != "harm"}, "harms": ANSWERS["harm"]}
    assert find("model_card_complete", answers=answers).status is Status.UNKNOWN
