"""Honest stories whose scores are measured: first models of every task on small data, and retrains against a frozen champion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from tests.soak.forged_champion import freeze
from tests.soak.frozen import Frozen
from tests.soak.happenings import Plan, Scored
from tests.soak.stories import TARGET, Story, World, measure_rows
from tests.soak.tampering_release import Forger
from tests.unit.evidence.builders import ANSWERS, build_evidence
from tests.unit.people import AUTHOR, ENDED, ISSUED, OWNER, RUN_ID
from workbench.checks import run_checks
from workbench.comparisons.comparing import Scored as ScoredRun
from workbench.comparisons.comparing import compare_scored, constant_reference
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.evidence.features import read_features
from workbench.evidence.measures.calibration import measure_calibration
from workbench.evidence.measures.classes import measure_classes
from workbench.evidence.measures.leakage import measure_leakage
from workbench.evidence.measures.profiles import measure_profiles
from workbench.evidence.measures.score import measure_score
from workbench.policies.policy import Policy
from workbench.records.digest import sha256_hex
from workbench.releases.release import waiver_paths
from workbench.reviews.bundle import MANIFEST, POLICY
from workbench.reviews.waiver import Waiver, spell_finding
from workbench.runs.kept_run import KeptRun
from workbench.runs.run import Run, RunState
from workbench.runs.tables import LoggedTable
from workbench.stats.metrics import METRICS

_NOISE, _GOLDEN = 0.5, (5**0.5 - 1) / 2


def measure_scores(kept: KeptRun, tables: Sequence[LoggedTable], policy: Policy) -> dict[str, Any]:
    """Return every fact that is computed of rows and scores, as a nomination does; nothing is served yet."""
    predictions, rule = kept.predictions, policy.rule_of(kept.predictions.task)
    rows, features = measure_rows(kept, tables, policy), read_features(kept)
    metric = METRICS[rule.name]
    logged = {rule.name: metric.score(predictions.truth, predictions.read_by(metric))}
    run = Run(
        RUN_ID, "train.ipynb", "ab" * 32, {}, {}, AUTHOR, ENDED, state=RunState.FINISHED, record={"metrics": logged}
    )
    known = {"holdout_digest": rows["holdout"].digest, "rule": rule, "tried": 1}
    return {
        **rows,
        "score": measure_score(run, predictions, rule),
        "baseline": compare_scored(
            [ScoredRun(RUN_ID, {}, predictions)], reference=constant_reference(predictions), **known
        ),
        "champion": None,
        "champion_version": None,
        "calibration": measure_calibration(predictions),
        "classes": measure_classes(predictions),
        "leakage": measure_leakage(features, predictions),
        "profiles": measure_profiles(tables, features),
    }


# First models, on hardly more rows than the policy asks for


def _draw(world: World) -> Story:
    return replace(world.draw(rows=world.chance.randrange(110, 150)), measure=measure_scores)


def _predict(story: Story, holdout: pd.DataFrame, train: pd.DataFrame, score: Any, classes: Any) -> Story:
    """Return the story of this target, with the scores in the order in which the rows are scored."""
    scores = pd.Series(list(score), index=holdout.index).loc[story.scored.index]
    scored = story.scored.assign(truth=holdout[TARGET].loc[story.scored.index], score=scores)
    return replace(story, holdout=holdout, train=train, scored=scored, classes=classes)


def _hidden(world: World, tables: Sequence[pd.DataFrame]) -> list[Any]:
    """Return what the target depends on: x, and chance.

    Chance is spread evenly over x (by the golden ratio): that `calibrated` calls one of 25 to 100 models that mean what they say
    miscalibrated, on 100 to 150 rows, is a matter of statistics, and tried there.
    """
    return [_blur(table.x.fillna(0).to_numpy(), world.chance.random()) for table in tables]


def _blur(x: Any, start: float) -> Any:
    place = np.empty(len(x))
    place[np.argsort(x)] = (np.arange(len(x)) * _GOLDEN + start) % 1
    return x + _NOISE * norm.ppf(np.clip(place, 1e-6, 1 - 1e-6))


def _of_classes(world: World, names: Sequence[Any], cuts: Sequence[float]) -> Story:
    """Return a story in which the class is where x lies between these cuts, but for chance, and scores are probabilities."""
    story = _draw(world)
    assert story.train is not None
    tables = [story.holdout, story.train]
    labels = [np.array(names, dtype=object)[np.searchsorted(cuts, each)] for each in _hidden(world, tables)]
    holdout, train = (
        table.assign(**{TARGET: each}).infer_objects() for table, each in zip(tables, labels, strict=True)
    )
    below = norm.cdf((np.array([-np.inf, *cuts, np.inf]) - holdout.x.fillna(0).to_numpy()[:, None]) / _NOISE)
    chance = np.diff(below, axis=1)
    return _predict(story, holdout, train, chance if len(names) > 2 else chance[:, 1], tuple(names))


def a_first_model_of_two_classes(world: World) -> Sequence[str]:
    return world.tell(_of_classes(world, world.chance.choice([(0, 1), (False, True)]), (0.0,)))


def a_first_model_with_labels_of_text(world: World) -> Sequence[str]:
    return world.tell(
        _of_classes(world, world.chance.choice([("no", "yes"), ("\u5426", "\u662f"), ("a b", "c")]), (0.0,))
    )


def a_first_model_of_several_classes(world: World) -> Sequence[str]:
    names = world.chance.choice([("high", "low", "mid"), (0, 1, 2), (10, 20, 30)])
    return world.tell(_of_classes(world, names, (-0.4, 0.4)))


def a_first_model_of_a_number(world: World) -> Sequence[str]:
    story = _draw(world)
    assert story.train is not None
    unit = world.chance.choice([1.0, 1000.0, 1e-3])
    tables = [story.holdout, story.train]
    numbers = _hidden(world, tables)
    holdout, train = (table.assign(**{TARGET: unit * (7 + each)}) for table, each in zip(tables, numbers, strict=True))
    return world.tell(_predict(story, holdout, train, unit * (7 + holdout.x.fillna(0)), None))


def a_first_model_in_a_second_notebook(world: World) -> Sequence[str]:
    """Somebody else scored these rows before, under the same rules."""
    acts = (Plan(0, notebook="other.ipynb"), Scored(3, "other.ipynb"), Plan(5), Scored(9))
    return world.tell(replace(_of_classes(world, ("no", "yes"), (0.0,)), acts=acts))


# Retrains: something is served


def a_retrain_on_new_data(world: World) -> Sequence[str]:
    """Only the nominee logged the new holdout, so the champion's frozen model is asked about it."""
    return _challenge(world, freeze(world.forger))


def a_retrain_on_small_data(world: World) -> Sequence[str]:
    """The rows do not show whether it is worse: an owner bears that for a while, and nothing else has to be waived."""
    return _challenge(world, _freeze_little(world.forger), waived={"enough_data", "not_worse_than_champion"})


_LITTLE: dict[Forger, Frozen] = {}


def _freeze_little(forger: Forger) -> Frozen:
    return _LITTLE.setdefault(forger, Frozen(forger, rows=110, spread=0.1))


def _challenge(world: World, frozen: Frozen, waived: frozenset[str] | set[str] = frozenset()) -> Sequence[str]:
    nominee, _ = frozen.nominate()
    answered = build_evidence().said_by
    evidence = replace(nominee.evidence, answers=dict(ANSWERS), said_by=answered)
    findings = {each.check: each for each in run_checks(evidence, nominee.policy) if each.blocks}
    if set(findings) != waived or any(each.status is not Status.UNKNOWN for each in findings.values()):
        return [f"{each.check}: {each.status}. {each.reason}" for each in findings.values()]
    return world.judge(*_waive(world.forger, evidence, findings))


def _waive(forger: Forger, evidence: Evidence, findings: Mapping[str, Finding]) -> Any:
    """Return the evidence with what an owner waives of these findings, and how it is released then."""
    waivers = [_make_waiver(forger, finding) for finding in findings.values()]
    signed = [forger.sign_waiver(waiver) for waiver in waivers]
    facts = tuple(waiver.to_fact(sha256_hex(each.statement)) for waiver, each in zip(waivers, signed, strict=True))
    more: dict[str, bytes] = {}
    for number, each in enumerate(signed, 1):
        more |= dict(zip(waiver_paths(number), (each.statement, each.signature), strict=True))

    def release_of(forger: Forger, evidence: Evidence, policy: bytes) -> Mapping[str, bytes]:
        return {**forger.release_of(evidence), **more}

    return replace(evidence, waivers=facts), forger.files[POLICY], release_of


def _make_waiver(forger: Forger, finding: Finding) -> Waiver:
    return Waiver(
        subjects={name: sha256_hex(forger.files[name]) for name in (MANIFEST, POLICY)},
        principal=OWNER,
        role="owner",
        model="tumour",
        version=3,
        check=finding.check,
        finding=spell_finding(finding),
        reason="Only the ranking is used, and the clinic has no more rows this year.",
        issued=ISSUED,
        expires="2027-01-20T10:00:00+00:00",
    )


HONEST = (
    a_first_model_of_two_classes,
    a_first_model_with_labels_of_text,
    a_first_model_of_several_classes,
    a_first_model_of_a_number,
    a_first_model_in_a_second_notebook,
    a_retrain_on_new_data,
    a_retrain_on_small_data,
)
