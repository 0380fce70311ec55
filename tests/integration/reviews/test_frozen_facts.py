"""What was fixed and measured at nomination is computed again, and must be the same."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import NOTEBOOKS
from tests.integration.governed import MODEL, Governed
from workbench.errors import Refused, UsageError
from workbench.evidence.evidence import Status
from workbench.ledger.ledger import Event
from workbench.nominations import recomputing


def test_a_template_policy_that_changes_later_does_not_change_what_was_nominated(
    nominated: Governed, tmp_path: Path
) -> None:
    run = nominated.bench.show(nominated.bench.review("shop/1").evidence.identity.run_id)
    policy = tmp_path / "strict.yaml"
    policy.write_bytes((nominated.project / "runs/models/shop/1/policy.yaml").read_bytes())
    subject = nominated.bench.nominate(run.id, MODEL, policy=str(policy)).subject
    before = nominated.bench.review(subject).policy_digest
    policy.write_text(policy.read_text().replace("owner: 1", "owner: 0"), encoding="utf-8")
    assert nominated.bench.review(subject).policy_digest == before


@pytest.mark.parametrize("name", ["policy.yaml", "facts.json", "predictions.parquet"])
def test_what_was_fixed_at_nomination_cannot_be_changed_afterwards(nominated: Governed, name: str) -> None:
    nominated.approve("shop/1")
    path = nominated.bench.settings.models_folder / MODEL / "1" / name
    path.write_bytes(path.read_bytes() + b" ")
    for verb in (nominated.bench.review, nominated.bench.promote):
        with pytest.raises(Refused, match=f"{name} was changed since the nomination"):
            verb("shop/1")


def test_a_changed_byte_of_the_frozen_bundle_is_refused_at_promotion(nominated: Governed) -> None:
    nominated.approve("shop/1")
    path = nominated.bench.settings.models_folder / MODEL / "1" / "bundle" / "release" / "model" / "model.onnx"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(Refused, match=r"release/model/model.onnx was changed"):
        nominated.bench.promote("shop/1")
    assert nominated.bench.store.read_ledger()[-1].event is Event.REFUSED


def test_a_nominee_whose_run_is_gone_can_be_reviewed_and_not_promoted(nominated: Governed) -> None:
    before = nominated.bench.review("shop/1").evidence_digest
    shutil.rmtree(nominated.bench.settings.runs_folder)
    assert nominated.bench.review("shop/1").evidence_digest == before
    nominated.approve("shop/1")
    with pytest.raises(Refused, match="cannot be computed again"):
        nominated.bench.promote("shop/1")


@pytest.mark.parametrize("name", ["../escaped", "a/b", ".", "Ümlaut", "a b", "", "x" * 64])
def test_a_model_whose_name_would_leave_its_folder_is_refused(nominated: Governed, name: str) -> None:
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    with pytest.raises(UsageError, match="cannot name a model"):
        nominated.bench.nominate(run_id, name)


@pytest.mark.parametrize(
    ("notebook", "words"),
    [("no_predictions", "stored no predictions"), ("no_model", "logged no"), ("no_holdout", "names no holdout")],
)
def test_a_run_that_kept_too_little_cannot_be_nominated(nominated: Governed, notebook: str, words: str) -> None:
    run = nominated.bench.run(NOTEBOOKS / f"{notebook}.ipynb", {})
    with pytest.raises(UsageError, match=words) as refused:
        nominated.bench.nominate(run.id, MODEL)
    assert any(f"run {which} again" in refused.value.next_step for which in ("it", "that"))
    assert nominated.bench.list_nominees() == ["shop/2", "shop/1"]


def test_files_of_a_run_that_changed_since_it_finished_do_not_pass(nominated: Governed) -> None:
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    path = nominated.bench.settings.runs_folder / run_id / "metrics.jsonl"
    path.write_text(path.read_text().replace("0.9", "0.99"), encoding="utf-8")
    findings = {finding.check: finding for finding in nominated.bench.nominate(run_id, MODEL).findings}
    assert findings["run_unmodified"].status is Status.FAIL


# Facts that are measured at nomination


def test_a_nomination_replays_the_run_once_and_the_next_one_finds_that_replay(nominated: Governed) -> None:
    evidence = nominated.bench.review("shop/1").evidence
    assert evidence.replay is not None
    replay = nominated.bench.show(str(evidence.replay.run_id))
    assert replay.provenance["replay_of"] == evidence.identity.run_id
    assert (evidence.replay.verdict, evidence.replay.largest_difference) == ("identical", 0.0)
    before = len(nominated.bench.list_runs())
    again = nominated.bench.nominate(evidence.identity.run_id, MODEL).evidence
    assert again.replay == evidence.replay
    assert len(nominated.bench.list_runs()) == before


def test_a_run_and_its_replay_are_one_look_at_the_holdout(nominated: Governed) -> None:
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    tries = nominated.bench.nominate(run_id, MODEL).evidence.tries
    assert tries is not None
    assert (tries.runs, tries.distinct, tries.scored) == (4, 2, 2)
    assert tries.best is not None and tries.median is not None and tries.best > tries.median


def test_a_notebook_that_changed_meanwhile_leaves_reproduction_unknown_with_the_reason(
    nominated: Governed, tmp_path: Path
) -> None:
    notebook = tmp_path / "copy.ipynb"
    shutil.copy(NOTEBOOKS / "logs_everything.ipynb", notebook)
    run = nominated.bench.run(notebook, {})
    notebook.write_text(notebook.read_text().replace("scale=0.5", "scale=0.6"), encoding="utf-8")
    findings = {finding.check: finding for finding in nominated.bench.nominate(run.id, MODEL).findings}
    assert findings["replay_agrees"].status is Status.UNKNOWN
    assert "The notebook changed since" in findings["replay_agrees"].reason


def test_facts_computed_again_are_the_frozen_ones_until_the_run_is_changed(nominated: Governed) -> None:
    nominee = nominated.bench.load_nominee("shop/1")
    assert recomputing.find_changed_facts(nominated.bench, nominee) == []
    path = nominated.bench.settings.runs_folder / nominee.evidence.identity.run_id / "features.parquet"
    table = pd.read_parquet(path)
    table.loc[0, "x0"] += 1
    table.to_parquet(path, index=False)
    changed = recomputing.find_changed_facts(nominated.bench, nominee)
    assert "files_unmodified was True at its nomination and is False now." in changed


def test_facts_that_were_exchanged_after_they_were_read_are_not_read_again(nominated: Governed) -> None:
    nominee = nominated.bench.load_nominee("shop/1")
    (nominee.folder / "facts.json").unlink()
    assert recomputing.find_changed_facts(nominated.bench, nominee) == []


def test_what_is_measured_again_must_still_pass(nominated: Governed) -> None:
    nominee = nominated.bench.load_nominee("shop/1")
    checks = {name: dict(limits) for name, limits in nominee.policy.checks.items()}
    slow = replace(nominee.facts.cost, p99_ms=1e9) if nominee.facts.cost else None
    assert "fast_enough" in checks
    failing = recomputing._find_failing(nominee, replace(nominee.facts, cost=slow))
    assert [reason.partition(":")[0] for reason in failing] == ["Measured again, fast_enough"]
    assert recomputing._find_failing(nominee, nominee.facts) == []


def test_slices_are_held_against_the_champion_once_there_is_one(released: Governed) -> None:
    slices = {version: released.bench.review(f"shop/{version}").evidence.slices for version in (1, 2)}
    assert all(fact is not None for fact in slices.values())
    assert {version: fact.reference for version, fact in slices.items() if fact} == {
        1: "the champion, version 2",
        2: "the champion, version 1",
    }
