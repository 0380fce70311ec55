"""What is measured here from what a run left behind, and what is not taken from its word."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.unit.evidence.logged_rows import table
from tests.unit.policies.builders import build_policy
from tests.unit.runs.kept_runs import keep, read_predictions
from workbench.comparisons.comparing import constant_reference
from workbench.comparisons.slicing import describe_slices
from workbench.evidence.features import FeatureColumn, read_features
from workbench.evidence.measures.calibration import measure_calibration
from workbench.evidence.measures.leakage import measure_leakage
from workbench.evidence.measures.profiles import measure_profiles
from workbench.evidence.measures.sample import measure_sample
from workbench.evidence.measures.tries import measure_tries
from workbench.files.trees import read_tree
from workbench.models.predictions import Predictions, parse_slices
from workbench.policies.policy import MetricRule
from workbench.records.digest import canonical_json, sha256_hex
from workbench.runs import spool
from workbench.runs.folder import DATASETS
from workbench.runs.keeping import read_recorded
from workbench.runs.looks import Look
from workbench.runs.tables import read_tables

RULE = MetricRule("roc_auc", 0.005, 0.8)


def leakage(folder: Path):
    return measure_leakage(read_features(keep(folder)), read_predictions(folder))


def profiles(folder: Path):
    return measure_profiles(read_tables(read_tree(folder)), read_features(keep(folder)))


# Tables


def test_the_holdouts_columns_are_counted_here_whatever_the_notebook_says(leave):
    data = table()
    data.loc[data.index[:50], "x"] = np.nan
    folder = leave(data.assign(score=0.5))
    path = next((folder / DATASETS).glob("*.json"))
    document = json.loads(path.read_bytes())
    document["profile"] = [{**item, "missing": 0} for item in document["profile"]]
    path.write_text(json.dumps(document))
    (profile,) = profiles(folder)
    assert profile.recomputed
    assert {column.name: column.missing for column in profile.columns} == {"x": 50, "kind": 0}


def test_without_feature_rows_the_counts_are_the_notebooks_and_said_to_be(leave):
    folder = leave(table())
    (folder / spool.FEATURES).unlink()
    (profile,) = profiles(folder)
    assert not profile.recomputed
    assert [column.name for column in profile.columns] == ["x", "kind", "bought"]


def test_feature_rows_that_are_not_those_of_the_predictions_are_not_used(leave):
    folder = leave(table())
    table(199)[["x", "kind"]].to_parquet(folder / spool.FEATURES)
    assert read_features(keep(folder)) is None
    assert leakage(folder) is None


def test_rows_that_stand_twice_are_counted_by_their_digests(leave):
    data = table(60)
    folder = leave(pd.concat([data, data[:7]], ignore_index=True))
    assert profiles(folder)[0].duplicates == 7


def test_a_table_logged_before_anything_was_counted_has_no_columns(leave):
    folder = leave(table())
    path = next((folder / DATASETS).glob("*.json"))
    document = {key: value for key, value in json.loads(path.read_bytes()).items() if key != "profile"}
    path.write_text(json.dumps(document))
    (profile,) = measure_profiles(read_tables(read_tree(folder)), None)
    assert profile.columns is None


@pytest.mark.parametrize(
    "profile",
    [[], [{"name": "x"}], [{"name": "x", "missing": -1, "distinct": 1}], [{"name": 1, "missing": 0, "distinct": 0}], 3],
)
def test_counts_that_cannot_be_are_refused(leave, profile):
    folder = leave(table()[["x", "bought", "score"]], features=("x",))
    path = next((folder / DATASETS).glob("*.json"))
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "profile": profile}))
    with pytest.raises((ValueError, TypeError)):
        read_tables(read_tree(folder))


def test_values_that_cannot_be_hashed_are_counted_too(leave):
    folder = leave(table(3).assign(x=[[1], [1], [2]], kind="a", bought=[0, 1, 0]), features=("kind",))
    (profile,) = measure_profiles(read_tables(read_tree(folder)), None)
    assert {column.name: column.distinct for column in profile.columns} == {"x": 2, "kind": 1, "bought": 2}


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("unit", ["s", "ns"])
def test_dates_and_durations_are_judged_by_when_and_how_long_and_are_no_names_of_rows(leave, zone, unit):
    data = table()
    lasts = pd.to_timedelta((data.bought * 1000 + np.arange(200)), unit="s")
    data["when"] = (pd.Timestamp("2026-01-01", tz=zone) + lasts).dt.as_unit(unit)
    data["lasts"] = lasts.where(np.arange(200) > 0).dt.as_unit(unit)
    found = leakage(leave(data, features=("x", "when", "lasts")))
    assert found.id_like == ()
    strengths = {each.name: each.strength for each in found.strongest}
    assert strengths["when"] == 1.0
    assert strengths["lasts"] > 0.98


# Leakage


def test_an_honest_feature_does_not_leak(leave):
    found = leakage(leave(table()))
    assert found.strongest[0].name == "x"
    assert 0.6 < found.strongest[0].strength < 0.95
    assert found.id_like == ()


def test_a_feature_made_of_the_outcome_is_the_strongest(leave):
    data = table().assign(after=lambda d: d.bought * 10 + d.x / 100, code=lambda d: d.bought.map({0: "n", 1: "y"}))
    found = leakage(leave(data, features=("x", "after", "code")))
    assert {item.name: item.strength for item in found.strongest[:2]} == {"after": 1.0, "code": 1.0}


def test_columns_that_name_rows_are_told(leave):
    data = table().sample(frac=1, random_state=1)
    named = data.assign(
        number=np.arange(1000, 1200),
        text=[f"p{n}" for n in range(200)],
        index_=data.index.astype(float),
        age=data.index % 50,
    )
    assert leakage(leave(named, features=("x", "number", "text", "index_", "age"))).id_like == (
        "index_",
        "number",
        "text",
    )


def test_the_order_of_the_rows_in_the_file_is_nothing_to_what_a_feature_knows(leave):
    data = table()
    first = leakage(leave(data))
    second = leakage(leave(data.sample(frac=1, random_state=5)))
    assert first == second


@pytest.mark.parametrize("rows", [1, 2, 12])
def test_few_rows_tell_nothing(leave, rows):
    folder = leave(table(rows))
    assert leakage(folder) is None
    assert measure_calibration(read_predictions(folder)) is None
    assert measure_sample(read_predictions(folder)).rows == rows


def test_one_class_tells_nothing(leave):
    folder = leave(table().assign(bought=1))
    assert leakage(folder) is None
    assert measure_calibration(read_predictions(folder)) is None
    assert measure_sample(read_predictions(folder)).rarer_class == 0


# Calibration


def test_scores_that_are_no_probabilities_have_no_calibration(leave):
    folder = leave(table().assign(score=lambda d: d.score * 3))
    assert measure_calibration(read_predictions(folder)) is None


def test_scores_that_mean_what_they_say_are_told_from_those_that_do_not(leave):
    honest = measure_calibration(read_predictions(leave(table(2_000, seed=3))))
    extreme = table(2_000, seed=3).assign(score=lambda d: 1 / (1 + np.exp(-8 * d.x)))
    told = measure_calibration(read_predictions(leave(extreme)))
    assert honest.slope > told.slope
    assert told.ece - told.ece_by_chance > 0.05
    assert honest.bins == told.bins == 15


def test_a_regression_is_told_by_its_bias(leave):
    data = table().assign(bought=lambda d: d.x * 5 + 40, score=lambda d: d.x * 5 + 41)
    fact = measure_calibration(read_predictions(leave(data)))
    assert fact.slope == pytest.approx(1)
    assert fact.bias == pytest.approx(-1 / np.std(data.bought))
    assert (fact.ece, fact.brier) == (None, None)


# Tries


def look(number, digest):
    record = {"files": {spool.PREDICTIONS: digest}}
    run = SimpleNamespace(id=f"{number:012x}", record=record, is_finished=True, attempt=1, metrics={})
    return Look(Path(), "d", 9, "2026-11-20T09:00:00+00:00", run=run)


def test_runs_that_predict_the_same_are_one_look_at_the_holdout(leave):
    folder = leave(table())
    digest = sha256_hex((folder / spool.PREDICTIONS).read_bytes())
    tries = measure_tries(
        [look(1, digest), look(2, digest), look(3, "b")], RULE, lambda run: read_recorded(run, folder)
    )
    assert (tries.runs, tries.distinct, tries.scored) == (3, 2, 1)
    assert tries.best == tries.median is not None


def test_runs_that_are_gone_count_and_have_no_value(leave, tmp_path):
    tries = measure_tries([look(1, "a"), look(2, "b")], RULE, lambda run: read_recorded(run, tmp_path / "gone"))
    assert (tries.distinct, tries.scored, tries.best, tries.median) == (2, 0, None, None)


# Slices


def sliced(folder, named=()):
    predictions = read_predictions(folder)
    policy = build_policy(slices=named)
    slices = parse_slices((folder / spool.PREDICTIONS).read_bytes(), folder.name)
    return describe_slices(slices, predictions, constant_reference(predictions), policy)


def test_each_value_of_a_slice_is_held_against_the_reference(leave):
    data = table(400)
    slices = sliced(leave(data, slices={"kind": data.kind, "id": data.index}), named=("kind",))
    assert [(each.slice, each.value) for each in slices.values] == [("kind", "a"), ("kind", "b")]
    assert slices.left_out == ("id",)
    assert sum(each.rows for each in slices.values) == 400
    assert all(each.reference_score == 0.5 and each.advantage > 0.2 and each.adjusted > 0.9 for each in slices.values)


def test_where_the_model_ranks_backwards_it_is_worse_beyond_chance(leave):
    data = table(400)
    data["score"] = np.where(data.kind == "b", 1 - data.score, data.score)
    worse = {each.value: each for each in sliced(leave(data, slices={"kind": data.kind}), named=("kind",)).values}
    assert worse["b"].adjusted < 0.001
    assert worse["b"].advantage < -0.05
    assert worse["a"].adjusted > 0.9


def test_only_slices_that_were_named_are_tests(leave):
    data = table(400)
    slices = sliced(leave(data, slices={"kind": data.kind}))
    assert [each.adjusted for each in slices.values] == [None, None]
    assert all(each.p_value is not None for each in slices.values)


def test_a_slice_of_one_class_or_few_rows_has_no_value_and_no_test(leave):
    data = table(200)
    group = np.where(data.bought == 1, "yes", np.where(data.index < 9, "few", "no"))
    for each in sliced(leave(data, slices={"group": group}), named=("group",)).values:
        assert (each.score, each.advantage, each.p_value, each.adjusted) == (None, None, None, None)


def test_predictions_without_slices_have_none(leave):
    assert sliced(leave(table())).values == ()


def test_nothing_measured_is_a_number_that_is_none(leave):
    data = table(400)
    folder = leave(data, slices={"kind": data.kind})
    for fact in (leakage(folder), measure_calibration(read_predictions(folder)), sliced(folder)):
        assert "nan" not in str(fact).lower()
        assert not any(isinstance(value, float) and not math.isfinite(value) for value in vars(fact).values())


# Whatever was left behind


_OUTCOMES, _PROBABILITIES = [0.0, 1.0], [0.0, 1.0, 0.5, 0.2, 0.9, 1e-300]
_MODEST, _ODD = [0.5, -3.0, 7.0, 1e-300], [0.0, 1.0, 0.5, -3.0, 1e308, -1e308, 1e-300]
# The truth and the score are drawn from these; only where neither is odd is there a calibration to measure.
_KINDS = {
    "classification": (_OUTCOMES, _PROBABILITIES),
    "odd classification": (_OUTCOMES, _ODD),
    "regression": (_MODEST, _MODEST),
    "odd regression": (_MODEST, _ODD),
    "one score": (_OUTCOMES, [0.5]),
    "all odd": (_ODD, _ODD),
}


@pytest.mark.parametrize("kinds", _KINDS.values(), ids=_KINDS)
@settings(max_examples=20, deadline=None, phases=[Phase.generate])
@given(data=st.data(), size=st.integers(50, 60) | st.integers(1, 60))
def test_no_rows_are_too_odd_to_be_measured(kinds, data, size):
    columns = [data.draw(st.lists(st.sampled_from(kind), min_size=size, max_size=size)) for kind in (*kinds, _ODD)]
    truth, score, values = map(np.array, columns)
    task = "classification" if set(truth) <= {0.0, 1.0} else "regression"
    predictions = Predictions(tuple(map(str, range(size))), truth, score, task)
    column = FeatureColumn("x", values.tolist(), values, None, is_whole=False)
    facts = [
        measure_sample(predictions),
        measure_calibration(predictions),
        measure_leakage([column], predictions),
    ]
    for fact in facts:
        canonical_json(fact)  # no number that is none
