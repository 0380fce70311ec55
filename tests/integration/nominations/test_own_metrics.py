"""A policy that judges by a metric of the project's own: which code did is evidence, and that code goes on judging."""

from __future__ import annotations

import os

import pytest

from tests.integration.governed import Governed
from tests.unit.policies.builders import STANDARD_POLICY
from workbench.errors import UsageError
from workbench.nominations.planning import find_plan, record_plan
from workbench.nominations.recomputing import find_changed_facts
from workbench.records.digest import sha256_hex
from workbench.runs.keeping import read_recorded

TABLE = '[metrics.gain]\nfunction = "metrics.py:gain"\ndirection = "higher"\ntasks = ["classification"]\n'
SOURCE = """
import os

def gain(truth, score, rows):
    os.environ["GAIN_WAS_EXECUTED"] = "here"
    return (score >= 0.5) * (rows["x0"] + truth - 0.5)
"""


def test_a_metric_of_the_project_judges_a_nominee_and_its_champion_by_the_bytes_that_were_frozen(
    released: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, folder = released.bench, released.project
    monkeypatch.delenv("GAIN_WAS_EXECUTED", raising=False)
    policy = STANDARD_POLICY.read_text("utf-8").replace(
        "name: roc_auc, margin: 0.005, limit: 0.80", "name: gain, margin: 0.1, limit: 0", 1
    )
    (folder / "own.yaml").write_text(policy, encoding="utf-8")
    run = bench.show(bench.load_nominee("shop/1").facts.identity.run_id)
    with pytest.raises(UsageError, match="'gain' is no metric of it"):
        bench.nominate(run.id, "shop", policy="./own.yaml")
    (folder / "workbench.toml").write_text(TABLE, encoding="utf-8")
    (folder / "metrics.py").write_text(SOURCE, encoding="utf-8")

    bench.nominate(run.id, "shop", policy="./own.yaml")
    nominee = bench.load_nominee("shop/3")
    predictions = read_recorded(run, bench.settings.runs_folder / run.id)
    expected = (predictions.score >= 0.5) * (predictions.columns["x0"] + predictions.truth - 0.5)
    score, champion = nominee.facts.score, nominee.evidence.champion
    assert score is not None
    assert (score.metric, score.direction, score.code) == ("gain", "higher", sha256_hex(SOURCE.encode()))
    assert score.value == pytest.approx(expected.mean())
    assert champion is not None
    assert (champion.metric, champion.reference) == ("gain", "the champion, version 2")
    assert champion.runs[0].advantage is not None
    assert nominee.evidence.slices is None or nominee.evidence.slices.metric == "gain"
    assert find_changed_facts(bench, nominee) == []
    assert "GAIN_WAS_EXECUTED" not in os.environ
    assert nominee.policy_fault is None

    (folder / "metrics.py").write_text(SOURCE.replace("0.5)\n", "0.6)\n"), encoding="utf-8")
    again = bench.load_nominee("shop/3")
    assert (again.evidence.score, again.evidence.champion) == (score, champion)
    assert "The metric gain was" in str(again.policy_fault)
    (folder / "workbench.toml").unlink()
    assert "registered no more" in str(bench.load_nominee("shop/3").policy_fault)


def test_the_plan_names_the_code_of_the_metric_and_another_code_is_another_plan(nominated: Governed) -> None:
    folder, bench = nominated.project, nominated.bench
    policy = STANDARD_POLICY.read_text("utf-8").replace("name: roc_auc, margin", "name: gain, margin", 1)
    (folder / "own.yaml").write_text(policy, encoding="utf-8")
    (folder / "workbench.toml").write_text(TABLE, encoding="utf-8")
    object.__setattr__(bench.settings, "policy", "./own.yaml")
    codes = []
    for source in (SOURCE, SOURCE, SOURCE + "\n"):
        (folder / "metrics.py").write_text(source, encoding="utf-8")
        record_plan(bench, "n.ipynb")
        plan = find_plan(bench.store.read_ledger(), "n.ipynb")
        assert plan is not None
        codes.append((plan.sequence, plan.body["metrics"]["classification"]["code"]))
    assert codes[0] == codes[1]
    assert codes[2][0] > codes[1][0]
    assert [code for _, code in codes] == [sha256_hex(text.encode()) for text in (SOURCE, SOURCE, SOURCE + "\n")]
