"""Evidence has one spelling in bytes; what is not that spelling is not evidence."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.comparisons.builders import build_compared_run, build_comparison, build_interval, build_shift
from tests.unit.evidence.builders import (
    build_evidence,
    build_execution,
    build_holdout,
    build_identity,
    build_model,
    build_objection_fact,
    build_plan,
    build_score,
    build_tries,
)
from tests.unit.evidence.measure_builders import build_cost
from tests.unit.policies.builders import build_policy
from tests.unit.reviews.builders import build_waiver_fact
from workbench.checks import run_checks
from workbench.comparisons.verdict import Verdict
from workbench.errors import UsageError
from workbench.evidence.evidence import Finding, Status, parse_evidence
from workbench.records.digest import canonical_json, sha256_hex
from workbench.runs.tables import DatasetFact

BYTES = build_evidence().to_bytes()

_finite = st.floats(allow_nan=False, allow_infinity=False)
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_counts = st.integers(0, 10**9)
_comparisons = st.builds(
    build_comparison,
    margin=_finite,
    rows=_counts,
    reference=_text,
    runs=st.lists(
        st.builds(
            build_compared_run,
            parameters=st.dictionaries(_text, _text | _finite | st.booleans() | st.none(), max_size=3),
            value=_finite,
            advantage=st.none() | st.builds(build_interval, estimate=_finite, low=_finite, high=_finite),
            verdict=st.none() | st.sampled_from(Verdict),
        ),
        max_size=3,
    ).map(tuple),
)
EVIDENCE = st.builds(
    build_evidence,
    identity=st.builds(
        build_identity,
        authors=st.lists(_text, max_size=3).map(tuple),
        parameters=st.dictionaries(_text, _text | _finite, max_size=3),
        git_commit=st.none() | _text,
        git_dirty=st.none() | st.booleans(),
        ended=st.none() | _text,
    ),
    execution=st.builds(build_execution, error=st.none() | _text, failed_cell=st.none() | _counts),
    files_unmodified=st.booleans(),
    datasets=st.lists(st.builds(DatasetFact, _text, _text, _text, _counts, _counts), max_size=3).map(tuple),
    holdout=st.none() | st.builds(build_holdout, shared_rows=st.none() | _counts, covered=st.booleans()),
    score=st.none() | st.builds(build_score, value=_finite, logged=st.none() | _finite),
    baseline=st.none() | _comparisons,
    champion=st.none() | _comparisons,
    champion_version=st.none() | _counts,
    model=st.builds(
        build_model, formats=st.lists(_text, max_size=3).map(tuple), largest_difference=st.none() | _finite
    ),
    answers=st.dictionaries(_text, _text, max_size=3),
    plan=st.none()
    | st.builds(
        build_plan, margin=_finite, slices=st.lists(_text, max_size=2).map(tuple), holdout_digest=st.none() | _text
    ),
    waivers=st.lists(st.builds(build_waiver_fact, reason=_text), max_size=2).map(tuple),
    objections=st.lists(
        st.builds(build_objection_fact, text=_text, cleared=st.none() | _text, resolution=st.none() | _text), max_size=2
    ).map(tuple),
)


@settings(max_examples=60)
@given(EVIDENCE)
def test_what_is_written_is_what_is_read(evidence):
    content = evidence.to_bytes()
    assert parse_evidence(content) == evidence
    assert parse_evidence(content).to_bytes() == content
    assert evidence.digest == sha256_hex(content)


def test_the_order_of_keys_in_memory_does_not_change_the_digest():
    forth, back = {"seed": 7, "alpha": 0.5}, {"alpha": 0.5, "seed": 7}
    one, other = (build_evidence(identity=build_identity(parameters=parameters)) for parameters in (forth, back))
    assert one.digest == other.digest


@pytest.mark.parametrize("field", [field.name for field in fields(build_evidence()) if field.name != "format"])
def test_every_part_counts_for_the_digest(field):
    other = {
        "identity": build_identity(version=4),
        "execution": build_execution(executed_cells=8),
        "files_unmodified": False,
        "datasets": (),
        "holdout": None,
        "score": None,
        "baseline": None,
        "champion": None,
        "champion_version": 1,
        "model": build_model(served_as="skops"),
        "answers": {},
        "cost": build_cost(calls=201),
        "plan": None,
        "checklist_digest": "c" * 64,
        "waivers": (build_waiver_fact(),),
        "champion_unscored": "It has no column plan.",
        "champion_shift": build_shift(),
        "objections": (build_objection_fact(),),
    }
    # What was measured and what was not are not the same.
    assert build_evidence(**{field: other.get(field)}).digest != build_evidence().digest


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_fact_that_is_no_number_cannot_be_written(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        build_evidence(score=build_score(value=value)).to_bytes()


DOCUMENT = json.loads(BYTES)


def _edited(edit):
    document = json.loads(BYTES)
    edit(document)
    return canonical_json(document)


TAMPERED = {
    "a space": BYTES.replace(b":", b": ", 1),
    "a line at the end": BYTES + b"\n",
    "keys in another order": json.dumps(dict(reversed(DOCUMENT.items())), separators=(",", ":")).encode(),
    "a key twice": BYTES.replace(b'{"answers"', b'{"format":1,"answers"', 1),
    "an escape": BYTES.replace(b"tumour", b"\\u0074umour", 1),
    "NaN": BYTES.replace(b'"version":3', b'"version":NaN', 1),
    "infinity": BYTES.replace(b'"version":3', b'"version":Infinity', 1),
    "another format": _edited(lambda d: d.update(format=5)),
    "a format that is no number": _edited(lambda d: d.update(format=True)),
    "an older format with later facts": _edited(lambda d: d.update(format=1)),
    "the format before with later facts": _edited(lambda d: d.update(format=3)),
    "code that stands otherwise than there is a word for": _edited(
        lambda d: d["local_files"]["modules"][0].update(standing="x")
    ),
    "a scenario less": _edited(lambda d: d["robustness"]["scenarios"][0].pop("drop")),
    "columns that are no list": _edited(lambda d: d["profiles"][0].update(columns={})),
    "a count that is a text": _edited(lambda d: d["sample"].update(rows="143")),
    "a count that is true": _edited(lambda d: d["sample"].update(rows=True)),
    "no format": _edited(lambda d: d.pop("format")),
    "a key more": _edited(lambda d: d.update(waived=True)),
    "a key less": _edited(lambda d: d.pop("score")),
    "a fact more": _edited(lambda d: d["identity"].update(owner="x")),
    "a fact less": _edited(lambda d: d["holdout"].pop("covered")),
    "a verdict nobody knows": _edited(lambda d: d["baseline"]["runs"][0].update(verdict="GREAT")),
    "an interval without level": _edited(lambda d: d["baseline"]["runs"][0]["advantage"].pop("level")),
    "authors as one text": _edited(lambda d: d["identity"].update(authors="ada")),
    "no identity": _edited(lambda d: d.update(identity=None)),
    "runs that are no list": _edited(lambda d: d["champion"].update(runs=3)),
    "a list": b"[]",
    "a text": b'"evidence"',
    "a number": b"1",
    "nothing": b"",
    "no JSON": b"{",
    "a number beyond all numbers": BYTES.replace(b'"version":3', b'"version":1e999', 1),
    "half a character": BYTES.replace(b"tumour", b"\\ud800", 1),
    "a model that is a list": _edited(lambda d: d.update(model=[])),
    "no UTF-8": b"\xff" + BYTES,
    "half of it": BYTES[: len(BYTES) // 2],
}


@pytest.mark.parametrize("case", TAMPERED)
def test_bytes_that_this_version_would_not_write_are_refused(case):
    assert TAMPERED[case] != BYTES
    with pytest.raises(UsageError, match="evidence cannot be read"):
        parse_evidence(TAMPERED[case])


@settings(max_examples=150)
@given(st.integers(0, len(BYTES) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_seen_in_the_digest(position, change):
    content = bytearray(BYTES)
    content[position] ^= change
    try:
        evidence = parse_evidence(bytes(content))
    except UsageError:
        return
    assert evidence.to_bytes() == bytes(content)
    assert evidence.digest != sha256_hex(BYTES)


@pytest.mark.parametrize(("status", "blocks"), [(Status.PASS, False), (Status.FAIL, True), (Status.UNKNOWN, True)])
def test_only_a_pass_does_not_block(status, blocks):
    assert Finding("data_known", status, "", "", "").blocks is blocks


def test_an_absent_comparison_stays_absent():
    evidence = replace(build_evidence(), champion=None, champion_version=None)
    assert parse_evidence(evidence.to_bytes()).champion is None


# Formats

DIGEST_OF_FORMAT_4 = "5930015c5591ade7dccde21eccd2f33dbf81c853ee4c76a03ff249bfd1cea209"
DIGEST_OF_FORMAT_3 = "8e3223fce3a552b563bf1ffa19dfe6f9af7321e320f9663d92ab8640f8cb9414"
DIGEST_OF_FORMAT_2 = "ca3d11b5bb9b7e74e994313c74b98956b399bf43c472f22ad85cca5a24993127"
FORMAT_1 = (Path(__file__).parent / "evidence_format_1.json").read_bytes()
LATER = {
    "profiles", "leakage", "replay", "tries", "sample", "slices", "calibration", "robustness", "numerics", "disclosures", "cost",
    "serving", "classes", "authorship", "local_files",
}  # fmt: skip


def test_the_bytes_of_this_format_do_not_change_unseen():
    """Who changes this digest changes what every signature over evidence means: raise the format instead."""
    evidence = build_evidence(plan=build_plan(policy_digest=sha256_hex(b"policy")))
    assert evidence.digest == DIGEST_OF_FORMAT_4


def test_evidence_of_the_third_format_is_read_and_written_as_it_was():
    holdout = build_holdout(alike_rows=None)
    evidence = build_evidence(
        plan=build_plan(policy_digest=sha256_hex(b"policy")),
        holdout=holdout,
        authorship=None,
        local_files=None,
        format=3,
    )
    assert evidence.digest == DIGEST_OF_FORMAT_3
    assert parse_evidence(evidence.to_bytes()) == evidence
    with pytest.raises(
        ValueError, match=r"format 3 cannot hold authorship, holdout\.alike_rows, local_files, tries\.drafts"
    ):
        build_evidence(tries=build_tries(drafts=1), format=3).to_bytes()
    with pytest.raises(ValueError, match="format 3 cannot hold champion_unscored"):
        replace(evidence, champion_unscored="It has no column plan.").to_bytes()
    with pytest.raises(ValueError, match="format 3 cannot hold said_by"):
        replace(evidence, said_by=build_evidence().said_by).to_bytes()


def test_evidence_of_the_second_format_is_read_and_written_as_it_was():
    evidence = build_evidence(
        plan=build_plan(policy_digest=sha256_hex(b"policy")),
        holdout=build_holdout(alike_rows=None),
        serving=None,
        classes=None,
        authorship=None,
        local_files=None,
        format=2,
    )
    assert evidence.digest == DIGEST_OF_FORMAT_2
    assert parse_evidence(evidence.to_bytes()) == evidence
    with pytest.raises(
        ValueError, match=r"format 2 cannot hold authorship, classes, holdout\.alike_rows, local_files, serving"
    ):
        build_evidence(format=2).to_bytes()


def test_evidence_of_the_first_format_is_read_and_written_as_it_was():
    evidence = parse_evidence(FORMAT_1)
    assert evidence.format == 1
    assert evidence.to_bytes() == FORMAT_1
    assert {name for name in LATER if getattr(evidence, name) is not None} == set()


def test_evidence_of_the_first_format_holds_no_later_fact():
    evidence = replace(parse_evidence(FORMAT_1), cost=build_cost())
    with pytest.raises(ValueError, match="format 1 cannot hold cost"):
        evidence.to_bytes()


def test_what_was_not_measured_then_is_unknown_and_what_was_is_judged_as_ever():
    findings = {finding.check: finding for finding in run_checks(parse_evidence(FORMAT_1), build_policy())}
    unknown = {name for name, finding in findings.items() if finding.status is Status.UNKNOWN}
    assert unknown == {
        "planned_first", "replay_agrees", "data_quality", "no_leaking_feature", "holdout_wear", "enough_data", "calibrated",
        "robust", "numerically_sound", "fast_enough", "no_secrets_shown", "holdout_untouched", "authors_known", "run_unmodified",
        "model_card_complete",
    }  # fmt: skip
    assert {findings[name].status for name in set(findings) - unknown} == {Status.PASS}
    assert all(findings[name].reason.count(". ") >= 1 for name in unknown)
