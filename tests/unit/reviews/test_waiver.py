"""A waiver excepts exactly the finding it was given for, by a second person, for a time; nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.people import AUTHOR, ENDED, ISSUED, NOW, OWNER, VALIDATOR
from tests.unit.policies.builders import build_policy
from tests.unit.reviews.builders import build_waived_subjects, build_waiver
from workbench.evidence.evidence import Finding, Severity, Status
from workbench.policies.policy import WaiverRule
from workbench.reviews.bundle import MANIFEST, POLICY
from workbench.reviews.decision import find_blocking
from workbench.reviews.waiver import apply_waivers, decide_waiver, find_waiver_faults, is_needed, spell_finding

RULE = build_policy()
FINDING = Finding("beats_baseline", Status.FAIL, "not better", "better", "It is not better.", Severity.WAIVABLE)
UNKNOWN = replace(FINDING, status=Status.UNKNOWN, value="no baseline")
WHAT = f"The waiver of beats_baseline by {OWNER}"


def faults(
    finding=FINDING, *, now=NOW, fault=None, authors=(AUTHOR,), subject="tumour/3", policy=RULE, ended=ENDED, **changes
):
    return find_waiver_faults(
        build_waiver(**changes),
        finding=finding,
        fault=fault,
        subject=subject,
        subjects=build_waived_subjects(),
        authors=authors,
        policy=policy,
        ended=ended,
        now=now,
    )


def after(days=0, seconds=0):
    return (datetime.fromisoformat(ISSUED) + timedelta(days=days, seconds=seconds)).isoformat()


def test_a_waiver_of_exactly_this_finding_counts():
    assert faults() == []
    assert spell_finding(FINDING) == build_waiver().finding


def given_for(finding):
    return {"finding": spell_finding(finding)}


def test_a_finding_that_is_unknown_may_be_waived_too():
    waiver = build_waiver(**given_for(UNKNOWN))
    assert (
        find_waiver_faults(
            waiver,
            finding=UNKNOWN,
            fault=None,
            subject="tumour/3",
            subjects=build_waived_subjects(),
            authors=(AUTHOR,),
            policy=RULE,
            ended=ENDED,
            now=NOW,
        )
        == []
    )


ONE_FAULT = {
    f"{WHAT} is not signed well: Could not verify signature.": {"fault": "Could not verify signature."},
    f"{WHAT} does not count: it was given for tumour/2, not for tumour/3.": {"version": 2},
    f"{WHAT} does not count: it was given for heart/3, not for tumour/3.": {"model": "heart"},
    f"{WHAT} is stale: it was given for other files or another policy.": {
        "subjects": {**build_waived_subjects(), MANIFEST: "0" * 64}
    },
    f"{WHAT} does not count: it is given by a second person, never by an author of the run.": {"authors": (OWNER,)},
    f"{WHAT} does not count: policy standard lets owner waive, not validator.": {"role": "validator"},
    f"{WHAT} does not count: policy standard does not let this check be waived.": {
        "finding": replace(FINDING, severity=Severity.BLOCKING)
    },
    f"{WHAT} was given for “FAIL: not better”; the finding is now “FAIL: worse”.": {
        "finding": replace(FINDING, value="worse")
    },
    f"{WHAT} was given for “FAIL: not better”; the finding is now “UNKNOWN: not better”.": {
        "finding": replace(FINDING, status=Status.UNKNOWN)
    },
    f"{WHAT} begins at {ISSUED}; it is 2026-11-20T09:59:59+00:00.": {"now": "2026-11-20T09:59:59+00:00"},
    f"{WHAT} expired at {after(30)}; it is {after(30)}.": {"now": after(30)},
    f"{WHAT} was given for longer than the 90 days of the policy.": {"expires": after(90, 1)},
}


@pytest.mark.parametrize("reason", ONE_FAULT)
def test_a_waiver_that_does_not_count_says_why(reason):
    assert faults(**ONE_FAULT[reason]) == [reason]


@pytest.mark.parametrize("name", [MANIFEST, POLICY])
def test_other_files_and_another_policy_make_it_stale(name):
    for subjects in (
        {**build_waived_subjects(), name: "0" * 64},
        {k: v for k, v in build_waived_subjects().items() if k != name},
    ):
        assert any("is stale" in reason for reason in faults(subjects=subjects))


def test_an_unknown_check_cannot_be_waived():
    assert any("does not let this check be waived" in reason for reason in faults(None))


def test_an_advisory_finding_is_nothing_to_waive():
    assert any("does not let this check" in said for said in faults(replace(FINDING, severity=Severity.ADVISORY)))


def test_an_author_is_known_however_the_name_is_capitalised():
    assert any("never by an author" in reason for reason in faults(principal=AUTHOR.upper()))


def test_where_the_policy_lets_nobody_waive_no_waiver_counts():
    said = faults(policy=build_policy(waivers=WaiverRule()))
    assert any("lets nobody waive" in reason for reason in said)
    assert any("longer than the 0 days" in reason for reason in said)


def test_a_finding_that_passes_meanwhile_is_no_fault_of_the_waiver():
    assert faults(replace(FINDING, status=Status.PASS, value="better")) == []


@pytest.mark.parametrize("status", [Status.FAIL, Status.UNKNOWN])
def test_it_is_needed_as_long_as_the_finding_says_what_it_was_given_for(status):
    finding = replace(FINDING, status=status)
    assert is_needed(build_waiver(**given_for(finding)), finding)
    others = [replace(finding, severity=severity) for severity in (Severity.BLOCKING, Severity.ADVISORY)]
    for other in (None, replace(finding, status=Status.PASS), replace(finding, value="worse"), *others):
        assert not is_needed(build_waiver(**given_for(finding)), other)


@given(
    signed=st.booleans(),
    author=st.booleans(),
    role=st.sampled_from(["owner", "validator"]),
    severity=st.sampled_from(Severity),
    same=st.booleans(),
    subject=st.sampled_from(["tumour/3", "tumour/2"]),
    manifest=st.booleans(),
    days=st.integers(0, 120),
    passed=st.integers(-2, 120),
)
def test_a_waiver_counts_exactly_when_everything_about_it_holds(
    signed, author, role, severity, same, subject, manifest, days, passed
):
    finding = replace(FINDING, severity=severity, value=FINDING.value if same else "worse")
    subjects = build_waived_subjects() | ({} if manifest else {MANIFEST: "0" * 64})
    found = faults(
        finding,
        fault=None if signed else "forged",
        authors=(AUTHOR, OWNER) if author else (AUTHOR,),
        subject=subject,
        now=after(passed),
        role=role,
        subjects=subjects,
        expires=after(days),
    )
    holds = (signed, not author, role == "owner", severity is Severity.WAIVABLE, same, subject == "tumour/3", manifest)
    assert (found == []) == (all(holds) and days <= 90 and 0 <= passed < days)


# Giving one


def decide(finding=FINDING, *, principal=OWNER, role="owner", days=30, authors=(AUTHOR,), policy=RULE):
    return decide_waiver(
        finding,
        principal=principal,
        role=role,
        now=ISSUED,
        expires=after(days),
        authors=authors,
        policy=policy,
        subject="beats_baseline of tumour/3",
    )


def test_a_second_person_in_the_role_may_waive_what_is_waivable():
    assert decide().is_allowed
    assert decide(UNKNOWN, days=1).is_allowed
    assert decide(days=90).is_allowed


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"principal": AUTHOR}, f"{AUTHOR} is an author of the run; a waiver is given by a second person."),
        (
            {"principal": AUTHOR.title()},
            f"{AUTHOR.title()} is an author of the run; a waiver is given by a second person.",
        ),
        ({"role": "validator"}, "Policy standard lets owner waive, not validator."),
        ({"days": 0}, f"{after(0)} lies in the past; it is {after(0)}."),
        ({"days": 91}, f"A waiver ends within 90 days under policy standard, not with {after(91)}."),
        ({"finding": None}, "Policy standard has no such check."),
        (
            {"finding": replace(FINDING, severity=Severity.BLOCKING)},
            "Under policy standard it is blocking, not waivable.",
        ),
        (
            {"finding": replace(FINDING, severity=Severity.ADVISORY)},
            "Under policy standard it is advisory, not waivable.",
        ),
        ({"finding": replace(FINDING, status=Status.PASS)}, "It passed; there is nothing to waive."),
    ],
)
def test_whoever_may_not_waive_is_told_why(changes, reason):
    assert decide(**changes).reasons == (reason,)


def test_a_day_that_was_asked_for_is_said_as_it_was_written():
    begun = datetime.fromisoformat(ISSUED)
    (reason,) = decide(days=(datetime(begun.year, 1, 1, tzinfo=begun.tzinfo) - begun) / timedelta(days=1)).reasons
    assert reason == f"{begun.year - 1}-12-31 lies in the past; it is {ISSUED}."


@given(
    st.sampled_from([AUTHOR, OWNER, VALIDATOR]),
    st.sampled_from(["owner", "validator"]),
    st.integers(-3, 120),
    st.sampled_from(Severity),
    st.sampled_from(Status),
)
def test_what_may_be_given_counts_and_what_counts_could_be_given(principal, role, days, severity, status):
    finding = replace(FINDING, severity=severity, status=status)
    allowed = decide(finding, principal=principal, role=role, days=days).is_allowed
    waiver = {"principal": principal, "role": role, "expires": after(days), **given_for(finding)}
    counts = not find_waiver_faults(
        build_waiver(**waiver),
        finding=finding,
        fault=None,
        subject="tumour/3",
        subjects=build_waived_subjects(),
        authors=(AUTHOR,),
        policy=RULE,
        ended=ENDED,
        now=after(seconds=1),
    )
    assert allowed == (counts and status is not Status.PASS)


# What blocks

_findings = st.lists(
    st.builds(
        lambda check, status, severity: Finding(check, status, "value", "limit", "Reason.", severity),
        st.sampled_from("abcd"),
        st.sampled_from(Status),
        st.sampled_from(Severity),
    ),
    unique_by=lambda finding: finding.check,
)


@given(_findings, st.sets(st.sampled_from("abcde")))
def test_only_what_did_not_pass_is_marked_as_waived_and_nothing_else_changes(findings, checks):
    marked = apply_waivers(findings, [build_waiver(check=check) for check in sorted(checks)])
    for before, now in zip(findings, marked, strict=True):
        covered = before.check in checks and before.status is not Status.PASS
        assert now.waiver == (f"{OWNER}, until 2026-12-20" if covered else "")
        assert replace(now, waiver="") == before


@given(_findings, st.sets(st.sampled_from("abcde")))
def test_what_blocks_is_what_did_not_pass_is_not_advisory_and_is_not_waived(findings, checks):
    marked = apply_waivers(findings, [build_waiver(check=check) for check in sorted(checks)])
    blocking = {reason.partition(":")[0] for reason in find_blocking(marked)}
    assert blocking == {
        finding.check
        for finding in findings
        if finding.status is not Status.PASS
        and finding.severity is not Severity.ADVISORY
        and finding.check not in checks
    }


@given(st.sampled_from(Status))
def test_what_is_advisory_never_blocks(status):
    assert not replace(FINDING, severity=Severity.ADVISORY, status=status).blocks


@given(st.sampled_from(Status), st.sampled_from(Severity))
def test_what_is_not_waived_is_green_only_when_it_passed_or_is_only_said(status, severity):
    finding = replace(FINDING, status=status, severity=severity)
    assert finding.blocks == (status is not Status.PASS and severity is not Severity.ADVISORY)
