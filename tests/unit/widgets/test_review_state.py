"""The review without a browser: what it shows of findings, changes and exceptions."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from tests.unit.evidence.builders import build_evidence
from tests.unit.evidence.measure_builders import build_class, build_classes
from tests.unit.people import AUTHOR, NOW, OWNER, VALIDATOR
from tests.unit.reviews.builders import build_changes, build_questions, build_review, build_source
from tests.unit.widgets.test_widgets import AT, Tags
from workbench.drawings import markup
from workbench.drawings.markup import Markup, join
from workbench.evidence.evidence import AnswerFact, Finding, ObjectionFact, Severity, Status
from workbench.reviews.decision import decide
from workbench.reviews.review import GivenApproval, GivenWaiver, Question
from workbench.widgets.review_page import review_page
from workbench.widgets.review_state import review_state
from workbench.widgets.snapshot import read_module

# What the live view makes as elements of SVG; others would be elements of HTML, and not be seen.
DRAWN_LIVE = set(re.findall(r'"(\w+)"', re.search(r"SVG_TAGS = new Set\((.*)\);", read_module("review_view"))[1]))


def element(node: dict[str, Any] | str) -> Markup:
    """A node of a picture's state as markup."""
    if isinstance(node, str):
        return join(node)
    return markup.element(node["tag"], *map(element, node["children"]), **node["attributes"])


def tags_of(node: dict[str, Any] | str) -> set[str]:
    return set() if isinstance(node, str) else {node["tag"]}.union(*map(tags_of, node["children"]))


class TestReview:
    def test_failed_checks_stand_before_unknown_ones_and_those_before_passed_ones(self) -> None:
        findings = tuple(Finding(name, Status(name), "", "", "") for name in ("PASS", "UNKNOWN", "FAIL", "PASS"))
        words = [finding["status"]["word"] for finding in review_state(build_review(findings=findings))["findings"]]
        assert words == ["Fail", "Unknown", "Pass", "Pass"]

    def test_what_came_out_is_said_in_plain_counts_and_drawn_alike_by_page_and_view(self) -> None:
        review = build_review()
        outcome, html = review_state(review)["outcome"], review_page(review, AT)
        assert outcome["text"].startswith("Of 143 rows 5 are named wrong at a threshold of 0.5: ")
        assert outcome["worth"].startswith("Shuffling a column lowers roc_auc from 0.995: worst area by 0.12")
        drawn = json.loads(json.dumps([picture["drawing"] for picture in outcome["pictures"]]))
        assert [element(each).html in html for each in drawn] == [True] * 4
        assert {tag for each in drawn for tag in tags_of(each)} <= DRAWN_LIVE

    def test_evidence_of_before_has_no_pictures(self) -> None:
        nothing = build_evidence(classes=None, diagnostics=None, importance=None)
        assert review_state(build_review(evidence=nothing))["outcome"] is None
        assert "wb-pictures" not in review_page(build_review(evidence=nothing), AT).partition("</style>")[2]

    def test_unknown_is_not_green(self) -> None:
        finding = Finding("model_loads", Status.UNKNOWN, "", "", "")
        shown = review_state(build_review(findings=(finding,)))["findings"][0]["status"]
        assert (shown["shape"], shown["tone"]) == ("?", "open")

    def test_every_reason_against_promotion_is_there(self) -> None:
        review = build_review()
        page = Tags(review_page(review, AT))
        assert review.decision.reasons
        assert all(reason in page.text for reason in review.decision.reasons)

    def test_a_review_that_may_be_promoted_says_the_next_command(self) -> None:
        review = build_review(decision=decide("promote", "tumour/3", []))
        assert review_state(review)["needed"][1] == "workbench promote tumour/3"

    def test_a_command_in_a_reason_is_set_as_code(self) -> None:
        finding = Finding("model_card_complete", Status.FAIL, "", "", "Answer with `workbench review`.")
        html = review_page(build_review(findings=(finding,)), AT)
        assert "Answer with <code>workbench review</code>." in html

    def test_a_lone_backtick_is_only_a_backtick(self) -> None:
        finding = Finding("model_card_complete", Status.FAIL, "", "", "It`s open.")
        assert "It`s open." in Tags(review_page(build_review(findings=(finding,)), AT)).text

    def test_an_approval_with_a_fault_does_not_count_and_says_why(self) -> None:
        stale = GivenApproval(VALIDATOR, "validator", NOW, NOW, ("The approval is stale.",))
        state = review_state(build_review(approvals=(stale,)))
        role = next(role for role in state["roles"] if role["role"] == "validator")
        assert role["status"]["word"] == "0 of 1"
        assert role["given"][0]["faults"] == ["The approval is stale."]

    def test_two_signatures_of_one_person_count_once(self) -> None:
        twice = (GivenApproval(VALIDATOR, "validator", NOW, NOW, ()),) * 2
        state = review_state(build_review(approvals=twice, roles={"validator": 2}))
        assert state["roles"][0]["status"]["word"] == "1 of 2"

    def test_roles_still_missing_are_offered_first_for_signing(self) -> None:
        assert review_state(build_review())["sign"]["roles"] == ["owner", "validator"]

    def test_who_signs_early_is_warned(self) -> None:
        review = build_review(questions=(Question("harm", "Who?"),))
        assert any("Questions are still open" in caution for caution in review_state(review)["sign"]["cautions"])

    def test_who_signs_is_told_what_only_an_author_said_and_that_it_counts_then(self) -> None:
        drafts = tuple(replace(question, answered_by=AUTHOR, vouched_by=()) for question in build_questions())
        evidence = build_evidence(said_by=tuple(AnswerFact(each.name, AUTHOR, ()) for each in drafts))
        state = review_state(build_review(evidence=evidence, questions=drafts))
        told = "You confirm what only authors said: intended use, data rights, limitations, harm."
        assert state["sign"]["cautions"] == [told]
        assert all(
            each["answered"]["text"].startswith(f"Drafted by {AUTHOR}, an author") for each in state["questions"]
        )

    def test_the_score_is_shown_against_baseline_and_champion(self) -> None:
        names = [score["name"] for score in review_state(build_review())["scores"]]
        assert names == ["Baseline", "Champion, version 2"]

    def test_the_classes_are_shown_with_their_confusions_and_the_bounds_of_their_shares(self) -> None:
        state = review_state(build_review())["classes"]
        shares, confusion = state["tables"]
        assert [row["name"] for row in shares["rows"]] == ["benign", "malignant"]
        assert (shares["rows"][1]["cells"][2]["text"], shares["rows"][1]["cells"][2]["bounds"]) == (
            "0.943",
            "(0.85 to 0.98)",
        )
        assert [cell["text"] for cell in confusion["rows"][1]["cells"]] == ["3", "50"]
        assert [cell["right"] for cell in confusion["rows"][1]["cells"]] == [False, True]
        page = Tags(review_page(build_review(), AT)).text
        assert "(0.85 to 0.98)" in page
        assert "the positive class is malignant" in page

    def test_of_many_classes_there_is_no_matrix_but_what_each_is_mistaken_for(self) -> None:
        confusion = tuple(tuple(int(at in (0, place)) for at in range(9)) for place in range(9))
        classes = build_classes(classes=tuple(build_class(name=f"c{n}") for n in range(9)), confusion=confusion)
        (shares,) = review_state(build_review(evidence=build_evidence(classes=classes)))["classes"]["tables"]
        assert shares["rows"][3]["cells"][-1]["text"] == "c0, 1 time"

    def test_a_model_of_numbers_has_no_classes_to_show(self) -> None:
        review = build_review(evidence=build_evidence(classes=None))
        assert review_state(review)["classes"] is None
        assert "Confusion matrix" not in review_page(review, AT)

    def test_a_class_of_hostile_name_is_only_its_name(self) -> None:
        classes = build_classes(classes=(build_class(name="<b>bold"), build_class()), positive_class="<b>bold")
        assert "<b>bold" not in review_page(build_review(evidence=build_evidence(classes=classes)), AT)

    def test_without_a_champion_nothing_is_said_to_be_served(self) -> None:
        review = build_review(evidence=build_evidence(champion=None, champion_version=None))
        state = review_state(review)
        assert [score["name"] for score in state["scores"]] == ["Baseline"]
        assert any(fact["text"] == "tumour, which served nothing when this was measured" for fact in state["facts"])

    def test_without_a_score_the_review_says_why(self) -> None:
        review = build_review(evidence=build_evidence(score=None, holdout=None, baseline=None, champion=None))
        assert "No score could be computed" in Tags(review_page(review, AT)).text


class TestChanges:
    def test_parameters_data_score_and_code_are_held_side_by_side(self) -> None:
        state = review_state(build_review())["changes"]
        rows = {row["name"]: (row["before"], row["after"]) for row in state["rows"]}
        assert state["title"] == "What changed since version 2"
        assert state["text"] == "2 parameters, 1 table of data and 4 lines of code changed."
        assert rows["Parameter regularisation"] == ("1", "0.5")
        assert rows["Parameter scale"] == ("not there", "yes")
        assert rows["roc_auc"] == ("0.9941", "0.9952 (+0.0011)")
        assert rows["Train data"][0].startswith("breast_cancer_train, 412 rows, 31 columns, sha256 ")

    def test_lines_of_code_are_marked_by_a_sign_and_by_what_they_are(self) -> None:
        page = review_page(build_review(), AT)
        assert '<ins class="wb-line wb-added">+ model.fit(train, target)</ins>' in page
        assert 'wb-removed">\N{MINUS SIGN} model.fit(train[:412], target[:412])</del>' in page

    def test_code_that_was_not_kept_is_said_to_be_so(self) -> None:
        changes = build_changes(source_before=None)
        assert "The code of version 2 was not kept." in Tags(review_page(build_review(changes=changes), AT)).text

    def test_hostile_code_stays_text(self) -> None:
        hostile = "x = 1\n</pre></ins><script>alert(1)</script><img src=x onerror=alert(2)>\n"
        tags = Tags(review_page(build_review(changes=build_changes(source_after=build_source(hostile))), AT))
        assert "<script>alert(1)</script>" in tags.text
        assert "img" not in tags.tags

    def test_a_first_version_says_that_there_is_nothing_to_hold_it_against(self) -> None:
        state = review_state(build_review(changes=None))["changes"]
        assert "No other version was served at tumour before" in state["text"]
        assert (state["rows"], state["code"]) == ([], None)


class TestExceptions:
    def test_a_finding_that_may_be_waived_says_by_whom_and_how(self) -> None:
        finding = Finding("beats_baseline", Status.FAIL, "", "", "", severity=Severity.WAIVABLE)
        state = review_state(build_review(findings=(finding,)))
        assert state["findings"][0]["severity"] == "Must pass or be waived"
        said, command, _ = state["findings"][0]["waiver"]
        assert said.startswith("The owner may waive it")
        assert command == "workbench waive tumour/3 beats_baseline"
        assert state["requests"]["waive:beats_baseline"]["summary"] == "Waive beats baseline"
        assert state["requests"]["waive:beats_baseline"]["command"] == "workbench waive tumour/3 beats_baseline"

    def test_a_waived_finding_is_neither_failed_nor_green(self) -> None:
        finding = Finding(
            "beats_baseline", Status.FAIL, "", "", "", severity=Severity.WAIVABLE, waiver="otto, until then"
        )
        state = review_state(build_review(findings=(finding,)))
        assert state["findings"][0]["status"] == {"word": "Waived", "shape": "~", "tone": "open"}
        assert state["tally"] == "1 waived"
        assert "waive:beats_baseline" not in state["requests"]

    def test_a_waiver_that_does_not_count_says_why(self) -> None:
        waiver = GivenWaiver("beats_baseline", OWNER, "owner", "A trial for a month.", NOW, NOW, ("It expired.",))
        text = Tags(review_page(build_review(waivers=(waiver,)), AT)).text
        for words in ("Does not count", "A trial for a month.", "It expired.", OWNER):
            assert words in text

    def test_open_objections_stand_before_cleared_ones(self) -> None:
        cleared = ObjectionFact(5, OWNER, "Too few rows.", NOW, NOW, "There are more now.")
        still_open = ObjectionFact(9, VALIDATOR, "Which scanner?", NOW, None, None)
        state = review_state(build_review(evidence=build_evidence(objections=(cleared, still_open))))
        assert [item["number"] for item in state["objections"]] == [9, 5]
        assert {name for name in state["requests"] if name.startswith("clear:")} == {"clear:9"}

    def test_the_checklist_is_counted_and_grouped(self) -> None:
        state = review_state(build_review())["checklist"]
        assert state["summary"].startswith("Checklist: 48 questions; ")
        assert state["sections"][0]["title"] == "Identity and purpose"
