"""The checklist says of each of its questions what answers it, and never more than that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.policies.builders import build_policy
from tests.unit.reviews.builders import CHECKLIST
from workbench.checks import CHECKS
from workbench.errors import UsageError
from workbench.evidence.evidence import Finding, Status
from workbench.reviews.checklist import ItemStatus, count_statuses, judge_checklist, parse_checklist

ITEMS = parse_checklist(CHECKLIST.read_bytes())
STATUSES = {status: Finding("run_finished", status, "6 of 6", "all", "It ran.") for status in Status}


def judge(item_id, *, tier=3, findings=(), answered=None, gate=None):
    rows = judge_checklist(ITEMS, tier=tier, findings=findings, answered=answered or {}, gate=gate or {})
    return next(row for row in rows if row.id == item_id)


def test_it_has_48_items_in_eight_sections_each_with_references():
    assert len(ITEMS) == len({item.id for item in ITEMS}) == 48
    assert len({item.section for item in ITEMS}) == 8
    assert all(item.references and item.question.endswith("?") for item in ITEMS)


def test_every_check_answers_an_item_and_every_item_names_real_checks():
    named = {check for item in ITEMS for check in item.checks}
    assert named == set(CHECKS)


def test_every_question_of_the_standard_policy_answers_an_item():
    assert set(build_policy().questions) <= {name for item in ITEMS for name in item.asks}


@pytest.mark.parametrize("status", Status)
def test_a_finding_is_told_as_it_is(status):
    row = judge("C1", findings=[STATUSES[status]])
    assert (row.status.upper(), row.by) == (status, ("run_finished",))


def test_a_waived_finding_is_told_as_waived():
    finding = Finding("run_finished", Status.FAIL, "5 of 6", "all", "It did not run.", waiver="otto, until 2027-01-01")
    assert judge("C1", findings=[finding]).status is ItemStatus.WAIVED


def test_what_nobody_asks_is_told_as_such():
    assert judge("C1").status is ItemStatus.NOT_ASKED
    assert judge("B8", tier=3).status is ItemStatus.NOT_NEEDED
    assert judge("B8", tier=1).status is ItemStatus.NOT_ASKED


def test_an_open_question_outweighs_a_passed_check():
    passed = Finding("data_known", Status.PASS, "2 tables", "known", "They are known.")
    assert judge("B1", findings=[passed], answered={"data_rights": False}).status is ItemStatus.OPEN
    assert judge("B1", findings=[passed], answered={"data_rights": True}).status is ItemStatus.PASS


def test_the_gate_answers_what_is_its_own():
    assert judge("H1", gate={"approvals": False}).status is ItemStatus.OPEN
    assert judge("H1", gate={"approvals": True}).status is ItemStatus.PASS


@pytest.mark.parametrize(("tier", "severity"), [(3, "waivable"), (2, "blocking"), (1, "blocking")])
def test_severity_is_that_of_the_nearest_tier(tier, severity):
    assert judge("C2", tier=tier).severity == severity


@given(st.lists(st.sampled_from(list(Status)), max_size=1), st.booleans(), st.integers(1, 3))
def test_nothing_but_passes_and_answers_is_green(statuses, is_answered, tier):
    findings = [STATUSES[status] for status in statuses]
    rows = judge_checklist(ITEMS, tier=tier, findings=findings, answered={"intended_use": is_answered}, gate={})
    green = {row.id for row in rows if row.status in (ItemStatus.PASS, ItemStatus.ANSWERED)}
    expected = ({"C1"} if statuses == [Status.PASS] else set()) | ({"A3"} if is_answered else set())
    assert green == expected


def test_counts_leave_out_what_none_has():
    rows = judge_checklist(ITEMS, tier=3, findings=[], answered={}, gate={})
    assert set(count_statuses(rows)) == {ItemStatus.NOT_ASKED, ItemStatus.NOT_NEEDED}
    assert sum(count_statuses(rows).values()) == 48


@pytest.mark.parametrize("content", [b"", b"format: 2", b"format: 1", b"- a", b"format: 1\nitems: {A1: {}}", b"{"])
def test_a_file_that_is_no_checklist_is_refused(content):
    with pytest.raises(UsageError):
        parse_checklist(content)
