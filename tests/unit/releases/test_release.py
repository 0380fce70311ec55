"""Only the exact approved bytes are a release; signatures here are stand-ins, to see every other law alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.evidence.builders import build_evidence, build_identity
from tests.unit.models.builders import MODEL_FILES
from tests.unit.people import AUTHOR, EXPIRES, OWNER, VALIDATOR
from tests.unit.releases.audits import FILES, audit, reasons, signed
from tests.unit.releases.builders import build_release_files
from tests.unit.reviews.builders import (
    build_statement,
    build_statements,
    build_subjects,
)
from tests.unit.signing.builders import seal
from workbench.records.digest import canonical_json, sha256_hex
from workbench.releases.release import approval_paths, find_seal_faults, seal_signed_files
from workbench.reviews.bundle import CARD, EVIDENCE, MANIFEST, POLICY, SUBJECTS, write_manifest


def test_a_release_with_its_approvals_may_be_served():
    release = audit(FILES)
    assert release.decision.is_allowed
    assert release.decision.subject == "tumour/3"
    assert release.evidence == build_evidence()
    assert release.digest == sha256_hex(FILES[MANIFEST])
    assert release.approved_by == (OWNER, VALIDATOR)


def test_the_manifest_lists_every_file_by_its_content():
    assert write_manifest(MODEL_FILES) == canonical_json({path: sha256_hex(c) for path, c in MODEL_FILES.items()})
    assert write_manifest(dict(reversed(MODEL_FILES.items()))) == write_manifest(MODEL_FILES) == FILES[MANIFEST]


@pytest.mark.parametrize("path", sorted(MODEL_FILES))
def test_a_changed_file_is_refused(path):
    assert reasons({**FILES, path: FILES[path] + b" "}) == (f"{path} was changed.",)


@pytest.mark.parametrize("path", sorted(MODEL_FILES))
def test_a_missing_file_is_refused(path):
    assert reasons({name: content for name, content in FILES.items() if name != path}) == (f"{path} is missing.",)


@pytest.mark.parametrize(
    "path",
    [
        "release/model/extra.pkl",
        "workbench/serving/.hidden",
        "sitecustomize.py",
        "release/approvals/notes.txt",
        "release/approvals/001.sig.bak",
        "release/approvals/0001.sig",
        "release/approvals/sub/001.sig",
        "release/approvals/\N{ARABIC-INDIC DIGIT ZERO}01.sig",
    ],
)
def test_an_added_file_is_refused(path):
    assert reasons({**FILES, path: b"x"}) == (f"{path} was added.",)


@pytest.mark.parametrize("path", SUBJECTS)
def test_a_release_without_one_of_the_four_signed_files_is_refused(path):
    release = audit({name: content for name, content in FILES.items() if name != path})
    assert release.decision.reasons == (f"{path} is missing.",)
    assert release.evidence is None


def test_an_empty_folder_is_refused_with_all_that_is_missing():
    assert reasons({}) == tuple(sorted(f"{path} is missing." for path in SUBJECTS))


@pytest.mark.parametrize("path", [CARD, POLICY])
def test_words_changed_after_signing_make_the_approvals_stale(path):
    assert any(f"is stale: {path}" in reason for reason in reasons({**FILES, path: FILES[path] + b"\n"}))


def test_evidence_changed_after_signing_makes_the_approvals_stale():
    better = build_evidence(champion=None, champion_version=None).to_bytes()
    assert sum(f"is stale: {EVIDENCE}" in reason for reason in reasons({**FILES, EVIDENCE: better})) == 2


def test_files_and_manifest_changed_together_are_refused():
    files = {**FILES, "release/model/model.onnx": b"another model"}
    files[MANIFEST] = write_manifest({path: files[path] for path in MODEL_FILES})
    found = reasons(files)
    assert f"{MANIFEST} is not the one the evidence was computed for." in found
    assert any(f"is stale: {MANIFEST}" in reason for reason in found)


@pytest.mark.parametrize("manifest", [b"[[]]", b"null", b"3", b'["release/model/model.onnx"]', b"["])
def test_a_manifest_that_is_no_list_of_files_is_refused_although_the_evidence_names_it(manifest):
    evidence = build_evidence(identity=build_identity(bundle_digest=sha256_hex(manifest)))
    found = reasons({**build_release_files(evidence=evidence), MANIFEST: manifest})
    assert any(reason.startswith(f"{MANIFEST} cannot be read") for reason in found)


def test_approvals_for_longer_than_the_policy_allows_do_not_count():
    found = reasons(build_release_files(signed(*build_statements(expires="2999-01-01T00:00:00+00:00"))))
    assert sum("longer than the 180 days" in reason for reason in found) == 2


def test_a_lighter_policy_is_refused_although_it_would_be_satisfied():
    lighter = FILES[POLICY].replace(b"principals: 2", b"principals: 1")
    assert lighter != FILES[POLICY]
    assert any("is stale" in reason for reason in reasons({**FILES, POLICY: lighter}))


def test_the_server_asks_for_its_own_number_of_people():
    assert reasons(FILES, least_principals=3) == ("This server asks for 3 approving people; 2 approved.",)


def test_the_server_counts_only_people_in_roles_that_the_policy_has():
    lighter = FILES[POLICY].replace(b"{validator: 1, owner: 1}", b"{validator: 1}")
    files = {**build_release_files([]), POLICY: lighter.replace(b"principals: 2", b"principals: 1")}
    bound = build_subjects(files)
    signers = [build_statement(subjects=bound), build_statement(subjects=bound, principal=OWNER, role="intern")]
    files |= {
        path: content
        for number, approval in enumerate(signed(*signers), 1)
        for path, content in zip(approval_paths(number), vars(approval).values(), strict=True)
    }
    assert reasons(files) == ("This server asks for 2 approving people; 1 approved.",)
    assert audit(files, least_principals=1).approved_by == (VALIDATOR,)


def test_a_release_in_the_place_of_another_is_refused():
    assert audit(FILES, subject="tumour/3").decision.is_allowed
    for other in ("tumour/2", "heart/3"):
        assert reasons(FILES, subject=other) == (f"These are the files of tumour/3, not of {other}.",)


def test_what_the_manifest_cannot_list_is_sealed_at_promotion():
    sealed = seal_signed_files(FILES)
    assert {*sealed} == {*FILES} - {*MODEL_FILES}
    assert find_seal_faults(FILES, sealed) == []
    statement, signature = approval_paths(2)
    kept = {path: content for path, content in FILES.items() if path != signature}
    changed = {**kept, CARD: b"# Another", approval_paths(3)[0]: FILES[statement]}
    assert find_seal_faults(changed, sealed) == [
        "release/approvals/002.sig is not what was promoted.",
        "release/approvals/003.statement.json is not what was promoted.",
        "release/model_card.md is not what was promoted.",
    ]


@pytest.mark.parametrize("path", [EVIDENCE, POLICY])
def test_unreadable_parts_are_refused_with_the_reason(path):
    release = audit({**FILES, path: b"{"})
    assert len(release.decision.reasons) >= 2
    assert release.evidence is None


def test_no_approvals_are_told_as_such():
    assert reasons(build_release_files([])) == (
        "Approvals come from 0 of 2 distinct people.",
        "Role owner: 0 of 1 approvals.",
        "Role validator: 0 of 1 approvals.",
        "This server asks for 2 approving people; 0 approved.",
    )


def test_forged_signatures_do_not_count():
    found = reasons(build_release_files([replace(seal(s), signature=b"forged") for s in build_statements()]))
    assert sum("does not hold: Could not verify signature." in reason for reason in found) == 2


def test_expired_approvals_do_not_count():
    assert sum("The approval of" in reason for reason in reasons(FILES, now=EXPIRES)) == 2


def test_the_author_of_the_run_does_not_count():
    evidence = build_evidence(identity=build_identity(authors=(AUTHOR, OWNER)))
    found = reasons(build_release_files(evidence=evidence))
    assert f"{OWNER} is an author of the run and cannot approve it." in found


def test_approvals_of_another_endpoint_do_not_count():
    found = reasons(build_release_files(signed(*build_statements(endpoint="other"))))
    assert sum("is for endpoint other, not tumour" in reason for reason in found) == 2


def test_approvals_of_another_model_are_stale():
    other = build_subjects(build_release_files(evidence=build_evidence(identity=build_identity(model="other"))))
    found = reasons(build_release_files(signed(*build_statements(subjects=other))))
    assert sum(f"is stale: {EVIDENCE}" in reason for reason in found) == 2


def test_one_person_under_two_roles_is_not_two_people():
    found = reasons(build_release_files(signed(build_statement(), build_statement(role="owner"))))
    assert "Approvals come from 1 of 2 distinct people." in found


def test_one_approval_copied_is_one_approval():
    assert "Role owner: 0 of 1 approvals." in reasons(build_release_files(signed(build_statement(), build_statement())))


@pytest.mark.parametrize("kept", [0, 1])
def test_half_an_approval_is_refused(kept):
    dropped = approval_paths(2)[1 - kept]
    found = reasons({path: content for path, content in FILES.items() if path != dropped})
    assert "Approval 2 is incomplete." in found


def test_an_approval_that_cannot_be_read_is_refused_by_name():
    path, _ = approval_paths(1)
    assert any(reason.startswith(path) for reason in reasons({**FILES, path: b"{}"}))


@settings(max_examples=150)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 10**6), st.integers(1, 255))
def test_any_changed_byte_of_any_file_is_refused(path, position, change):
    content = bytearray(FILES[path])
    content[position % len(content)] ^= change
    assert reasons({**FILES, path: bytes(content)})


@given(st.sets(st.sampled_from(sorted(FILES)), min_size=1))
def test_any_removed_files_are_refused(removed):
    assert reasons({path: content for path, content in FILES.items() if path not in removed})


@given(st.text(min_size=1, max_size=30))
def test_any_added_path_is_refused(path):
    if path not in FILES:
        assert f"{path} was added." in reasons({**FILES, path: b""})


def test_a_release_keeps_who_approved_even_when_refused():
    release = audit({**FILES, "sitecustomize.py": b""})
    assert release.approved_by == (OWNER, VALIDATOR)


def test_the_order_of_the_approvals_does_not_matter():
    assert audit(build_release_files(signed(*reversed(build_statements())))).decision.is_allowed


def test_the_release_digest_is_of_the_bytes_in_hand():
    changed = {**FILES, MANIFEST: FILES[MANIFEST] + b" "}
    assert audit(changed).digest == sha256_hex(changed[MANIFEST])
