"""A release holds with the waivers that its evidence names and while they last, and no statement is older than what it signs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.comparisons.builders import build_champion_comparison, build_compared_run
from tests.unit.evidence.builders import build_evidence, build_identity, build_objection_fact
from tests.unit.people import AUTHOR, ENDED, ISSUED, NOW, OWNER
from tests.unit.policies.builders import STANDARD_POLICY, read_policy
from tests.unit.releases.audits import FILES, audit, reasons, signed
from tests.unit.releases.builders import build_release_files
from tests.unit.reviews.builders import (
    build_statements,
    build_waiver,
    build_waiver_fact,
)
from tests.unit.signing.builders import seal
from workbench.records.digest import sha256_hex
from workbench.releases.release import find_seal_faults, seal_signed_files, waiver_paths
from workbench.releases.release_audit import find_unmet
from workbench.reviews.bundle import EVIDENCE, MANIFEST
from workbench.signing.statement import Signed
from workbench.stats.interval import Interval

# Exceptions that the evidence names


def waived(*kept, named=None):
    """Return a release whose evidence names these waivers (default: those it carries), each sealed."""
    sealed = [seal(waiver) for waiver in kept]
    facts = tuple(w.to_fact(sha256_hex(w.to_bytes())) for w in (kept if named is None else named))
    return build_release_files(evidence=build_evidence(waivers=facts), waivers=sealed)


WAIVER = build_waiver()
WAIVED = waived(WAIVER)
THE_WAIVER = f"The waiver of beats_baseline by {OWNER}"


def test_a_release_with_the_waivers_that_its_evidence_names_may_be_served():
    assert audit(WAIVED).decision.is_allowed
    assert audit(waived(WAIVER, build_waiver(check="metric_limit"))).decision.is_allowed


def test_a_waiver_that_is_not_there_is_missing():
    assert reasons(waived(named=[WAIVER])) == (f"{THE_WAIVER} is missing.",)


@pytest.mark.parametrize("now", [WAIVER.expires, "2026-12-20T11:00:00+01:00", "2027-01-01T00:00:00+00:00"])
def test_an_expired_waiver_ends_the_release(now):
    assert reasons(WAIVED, now=now) == (f"{THE_WAIVER} expired at {WAIVER.expires}; it is {now}.",)


def test_a_waiver_holds_until_the_second_before_it_expires():
    assert audit(WAIVED, now="2026-12-20T09:59:59+00:00").decision.is_allowed


@pytest.mark.parametrize("named", [[], [build_waiver(check="metric_limit")]])
def test_a_waiver_that_the_evidence_does_not_name_is_refused(named):
    path, _ = waiver_paths(1)
    assert f"{path} is not a waiver that the evidence names." in reasons(waived(WAIVER, named=named))


def test_a_waiver_put_into_an_approved_release_is_refused():
    statement, signature = waiver_paths(2)
    other = seal(build_waiver(check="metric_limit"))
    added = {**WAIVED, statement: other.statement, signature: other.signature}
    assert reasons(added) == (f"{statement} is not a waiver that the evidence names.",)


def test_a_waiver_with_a_broken_signature_is_refused():
    _, signature = waiver_paths(1)
    assert reasons({**WAIVED, signature: b"forged"}) == (
        f"{THE_WAIVER} is not signed well: Could not verify signature.",
    )


@pytest.mark.parametrize("kept", [0, 1])
def test_half_a_waiver_is_refused(kept):
    dropped = waiver_paths(1)[1 - kept]
    found = reasons({path: content for path, content in WAIVED.items() if path != dropped})
    assert found == (f"{THE_WAIVER} is missing.", "Waiver 1 is incomplete.")


def test_a_waiver_cut_in_two_is_refused():
    path, _ = waiver_paths(1)
    cut = {**WAIVED, path: WAIVED[path][: len(WAIVED[path]) // 2]}
    assert reasons(cut) == (f"{THE_WAIVER} is missing.", f"{path} is not a waiver that the evidence names.")


@pytest.mark.parametrize("said", [{"expires": "2099-01-01T00:00:00+00:00"}, {"check": "safe_format"}, {"role": "x"}])
def test_evidence_that_says_of_a_waiver_what_was_not_signed_is_refused(said):
    fact = replace(WAIVER.to_fact(sha256_hex(WAIVER.to_bytes())), **said)
    found = reasons(build_release_files(evidence=build_evidence(waivers=(fact,)), waivers=[seal(WAIVER)]))
    assert found == (f"The waiver of {fact.check} by {OWNER} says something else than the evidence says of it.",)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"principal": AUTHOR}, "does not count: it is given by a second person, never by an author of the run."),
        ({"role": "validator"}, "does not count: policy standard lets owner waive, not validator."),
        ({"version": 2}, "does not count: it was given for tumour/2, not for tumour/3."),
        ({"expires": "2999-01-01T00:00:00+00:00"}, "was given for longer than the 90 days of the policy."),
        ({"subjects": {MANIFEST: "0" * 64}}, "is stale: it was given for other files or another policy."),
    ],
)
def test_a_waiver_that_no_review_would_take_is_refused_where_the_release_is_audited(said, reason):
    waiver = build_waiver(**said)
    assert reasons(waived(waiver)) == (f"The waiver of beats_baseline by {waiver.principal} {reason}",)


def test_an_open_objection_in_the_evidence_refuses_the_release():
    raised, cleared = build_objection_fact(), build_objection_fact(cleared=ISSUED, resolution="They were looked at.")
    assert audit(build_release_files(evidence=build_evidence(objections=(cleared,)))).decision.is_allowed
    (reason,) = reasons(build_release_files(evidence=build_evidence(objections=(cleared, raised))))
    assert reason.startswith(f"Objection {raised.number} of {raised.principal} is open: ")


def test_evidence_that_names_what_is_no_waiver_is_refused():
    fact = replace(WAIVER.to_fact(""), digest=sha256_hex(b"{}"))
    files = build_release_files(evidence=build_evidence(waivers=(fact,)), waivers=[Signed(b"{}", b"")])
    assert any(reason.startswith(f"{THE_WAIVER} cannot be read: ") for reason in reasons(files))


def test_evidence_without_a_waiver_that_was_approved_with_it_makes_the_approvals_stale():
    found = reasons({**WAIVED, EVIDENCE: build_evidence().to_bytes()})
    assert sum(f"is stale: {EVIDENCE}" in reason for reason in found) == 2


def test_waivers_are_sealed_at_promotion():
    statement, signature = waiver_paths(1)
    sealed = seal_signed_files(WAIVED)
    assert {statement, signature} <= {*sealed}
    kept = {path: content for path, content in WAIVED.items() if path != signature}
    assert find_seal_faults(kept, sealed) == [f"{signature} is not what was promoted."]


@pytest.mark.parametrize("path", ["release/waivers/1.sig", "release/waivers/001.sig.bak", "release/waivers/note.txt"])
def test_nothing_but_waivers_lies_among_them(path):
    assert reasons({**WAIVED, path: b"x"}) == (f"{path} was added.",)


@settings(max_examples=100)
@given(st.sampled_from(sorted(set(WAIVED) - set(FILES))), st.integers(0, 10**6), st.integers(1, 255))
def test_any_changed_byte_of_a_waiver_is_refused(path, position, change):
    content = bytearray(WAIVED[path])
    content[position % len(content)] ^= change
    assert reasons({**WAIVED, path: bytes(content)})


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"model": "other"}, "The approval of otto@example.org (owner) is for other/3, not tumour/3."),
        ({"version": 4}, "The approval of otto@example.org (owner) is for tumour/4, not tumour/3."),
        ({"previous": 1}, "was given while version 1 was served; the evidence compares with version 2."),
        ({"previous": 0}, "was given while nothing was served; the evidence compares with version 2."),
    ],
)
def test_an_approval_that_names_another_target_does_not_count_though_it_binds_these_bytes(said, reason):
    validator, owner = build_statements()
    files = build_release_files(signed(validator, replace(owner, **said)))
    assert any(reason in each for each in reasons(files))


@pytest.mark.parametrize(("bounds", "unmet"), [((-0.03, 0.03), []), ((-0.03, -0.01), ["not_worse_than_champion"])])
def test_a_waiver_excuses_what_nobody_could_tell_and_nothing_that_is_worse_whoever_signed_it(bounds, unmet):
    interval = Interval(sum(bounds) / 2, *bounds, 0.95)
    champion = build_champion_comparison(runs=(build_compared_run(advantage=interval),))
    waived = tuple(build_waiver_fact(check=check) for check in ("not_worse_than_champion", "enough_data"))
    evidence = build_evidence(champion=champion, waivers=waived)
    found = find_unmet(evidence, read_policy(STANDARD_POLICY.read_bytes()), ())
    assert [reason.partition(":")[0] for reason in found] == unmet


# Time goes one way


@pytest.mark.parametrize(
    "evidence",
    [
        build_evidence(identity=build_identity(ended=NOW)),
        build_evidence(identity=build_identity(ended=None)),
        build_evidence(objections=(build_objection_fact(cleared=NOW, resolution="They were looked at."),)),
    ],
    ids=["the run ended later", "nobody knows when it ended", "an objection was cleared later"],
)
def test_approvals_that_are_older_than_the_evidence_they_sign_do_not_count(evidence):
    found = reasons(build_release_files(evidence=evidence))
    assert sum(f"says it was issued at {ISSUED}, and the evidence is of" in reason for reason in found) == 2
    assert "Role owner: 0 of 1 approvals." in found


def test_an_approval_that_is_older_than_a_waiver_it_signs_does_not_count():
    found = reasons(waived(build_waiver(issued="2026-11-20T12:00:00+00:00")))
    assert sum("and the evidence is of 2026-11-20T12:00:00+00:00." in reason for reason in found) == 2


def test_a_waiver_that_is_older_than_the_run_does_not_count_wherever_its_release_is_audited():
    (reason,) = reasons(waived(build_waiver(issued="2026-11-20T09:12:20+00:00")))
    assert reason == f"{THE_WAIVER} says it was issued at 2026-11-20T09:12:20+00:00, and the run ended at {ENDED}."
    assert audit(waived(build_waiver(issued="2026-11-20T09:12:21+00:00"))).decision.is_allowed
