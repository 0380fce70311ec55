"""Runs are compared by the groups or times that the holdout names: what rows share is not taken for evidence twice."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from tests.unit.comparisons.test_comparing import ROW_IDS, ROWS, SCORE, TRUTH, build_run, compare
from tests.unit.policies.builders import build_policy
from tests.unit.runs.kept_runs import read_predictions
from workbench.comparisons.comparing import (
    Reference,
    Scored,
    choose_units,
    compare_scored,
    measure_advantages,
    measure_shift,
)
from workbench.comparisons.comparison import headline
from workbench.comparisons.drawn_rows import describe_rows, say_too_few
from workbench.comparisons.needed_rows import describe_needed_rows, find_needed_rows
from workbench.comparisons.remembering import KeptResults
from workbench.comparisons.screening import compare_alike
from workbench.comparisons.slicing import describe_slices
from workbench.models.predictions import Predictions, spell_predictions
from workbench.runs import spool
from workbench.runs.concluding import describe_scores
from workbench.runs.keeping import read_recorded
from workbench.stats.holdout_columns import HoldoutColumns
from workbench.stats.own_metric import make_metric
from workbench.stats.units import DrawnUnits, Units

PAIRS, FOURS, TWO = (Units("group", np.arange(ROWS) // size) for size in (2, 4, 20))


def predict(units=None, score=SCORE, **changes):
    return Predictions(ROW_IDS, TRUTH * 1.0, score, "classification", units=units, **changes)


def leave(folder, run_id, units=None, score=SCORE):
    (folder / run_id).mkdir()
    content = spell_predictions(predict(units, score), {})
    (folder / run_id / spool.PREDICTIONS).write_bytes(content)


def screen(folder, *run_ids, kept=None, against=None):
    runs = [build_run(run_id, folder=folder) for run_id in run_ids]
    for run in runs:
        run.record.update(
            describe_scores(run.id, {spool.PREDICTIONS: (folder / run.id / spool.PREDICTIONS).read_bytes()})
        )
    return compare_alike(
        runs, against=against, policy=build_policy(), tried=1, row_ids=None, kept=kept,
        read=lambda run: read_recorded(run, folder / run.id),
    )  # fmt: skip


def interval_of(found, run_id):
    return next(run.advantage for run in found.runs if run.run_id == run_id)


def test_rows_over_reject_and_groups_do_not_from_the_notebook_to_the_verdict(tmp_path, monkeypatch):
    """200 rows of 20 customers, an intraclass correlation of 0.3, no difference: 10 % of the verdicts may see one."""
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(tmp_path))
    module = importlib.import_module("workbench.stats.paired_bootstrap")
    monkeypatch.setattr(module, "paired_bootstraps", partial(module.paired_bootstraps, resamples=300))
    generator, rule = (
        np.random.default_rng(5),
        replace(build_policy().metrics["regression"], name="mean_absolute_error"),
    )
    customer = generator.permutation(200) % 20
    holdout = pd.DataFrame({"x": generator.normal(size=200), "customer": customer, "y": generator.normal(size=200)})
    spool.log_dataset(holdout, role="holdout", target="y", group="customer")

    def log(score):
        spool.log_predictions(holdout.index, holdout.y, score)
        return read_predictions(tmp_path)

    reference = log(holdout.y + 50)
    rejected = {"groups": 0, "rows": 0}
    for _ in range(80):
        differing = 0.3**0.5 * generator.normal(size=20)[customer] + 0.7**0.5 * generator.normal(size=200)
        named = log(holdout.y + 50 - differing)
        alone = [replace(each, units=None) for each in (named, reference)]
        for drawn, one, other in (("groups", named, reference), ("rows", *alone)):
            found = compare_scored(
                [Scored("a", {}, one)], holdout_digest="d", reference=Reference("b", other), rule=rule, tried=1
            )
            rejected[drawn] += not found.best.advantage.low < 0 < found.best.advantage.high
    assert rejected["groups"] / 80 <= 0.10 + 2 * (0.1 * 0.9 / 80) ** 0.5
    assert rejected["rows"] / 80 > 0.3


def test_a_run_that_names_no_groups_is_drawn_by_those_of_another_and_of_several_by_the_most_careful(tmp_path):
    leave(tmp_path, "aaaaaaaa", score=SCORE**2)
    leave(tmp_path, "bbbbbbbb")
    plain = screen(tmp_path, "aaaaaaaa", "bbbbbbbb")
    leave(tmp_path, "cccccccc", PAIRS)
    pairs = screen(tmp_path, "aaaaaaaa", "bbbbbbbb", "cccccccc")
    leave(tmp_path, "dddddddd", FOURS)
    fours = screen(tmp_path, "dddddddd", "aaaaaaaa", "cccccccc", "bbbbbbbb")
    assert [each.units for each in (plain, pairs, fours)] == [
        None,
        DrawnUnits("group", 20, 1),
        DrawnUnits("group", 10, 1),
    ]
    assert len({interval_of(each, "bbbbbbbb") for each in (plain, pairs, fours)}) == 3
    assert interval_of(pairs, "bbbbbbbb") == interval_of(pairs, "cccccccc")
    both = compare(tmp_path, "aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd")
    assert both.units == fours.units
    assert choose_units([predict(PAIRS), predict(), predict(FOURS)]) is FOURS


def test_a_reference_that_names_groups_has_the_others_drawn_by_them(tmp_path):
    leave(tmp_path, "aaaaaaaa", score=SCORE**2)
    leave(tmp_path, "bbbbbbbb", PAIRS)
    found = screen(tmp_path, "aaaaaaaa", against=build_run("bbbbbbbb", folder=tmp_path))
    assert found.units == DrawnUnits("group", 20, 1)


def test_what_is_remembered_of_rows_is_not_taken_for_what_groups_say(tmp_path):
    kept = KeptResults(tmp_path / "results.db")
    leave(tmp_path, "aaaaaaaa")
    rows = screen(tmp_path, "aaaaaaaa", kept=kept)
    leave(tmp_path, "bbbbbbbb", PAIRS)
    fresh = screen(tmp_path, "aaaaaaaa", "bbbbbbbb")
    assert interval_of(rows, "aaaaaaaa") != interval_of(fresh, "aaaaaaaa")
    for _ in range(2):
        assert screen(tmp_path, "aaaaaaaa", "bbbbbbbb", kept=kept) == fresh
    (tmp_path / "bbbbbbbb" / spool.PREDICTIONS).write_bytes(b"changed")
    assert interval_of(screen_without(tmp_path, "bbbbbbbb", kept), "aaaaaaaa") == interval_of(rows, "aaaaaaaa")


def screen_without(folder, spoilt, kept):
    """Screen as where the record knows of units whose file is not as it was."""
    card = describe_scores("r", {spool.PREDICTIONS: spell_predictions(predict(PAIRS), {})})
    runs = [build_run(run_id, folder=folder) for run_id in ("aaaaaaaa", spoilt)]
    runs[1].record.update(card)
    runs[1].record["files"] = {spool.PREDICTIONS: "0" * 64}
    return compare_alike(
        runs, against=None, policy=build_policy(), tried=1, row_ids=None, kept=kept,
        read=lambda run: read_recorded(run, folder / run.id),
    )  # fmt: skip


def test_too_few_groups_are_inconclusive_and_it_is_said_what_it_takes(tmp_path):
    leave(tmp_path, "aaaaaaaa", TWO)
    found = screen(tmp_path, "aaaaaaaa")
    assert found.best.advantage is None
    assert "no interval could be computed on 40 rows (2 groups, and fewer than 10 carry none)." in headline(found)
    assert say_too_few(DrawnUnits("time", 30, 7)) == "30 different times are 5 blocks, and fewer than 10 carry none"


def test_it_is_said_what_was_drawn(tmp_path):
    leave(tmp_path, "aaaaaaaa", PAIRS)
    found = screen(tmp_path, "aaaaaaaa")
    assert "(40 holdout rows in 20 groups, each drawn whole, corrected for 1 try)" in headline(found)
    assert (
        describe_rows(1_000, DrawnUnits("time", 300, 14)) == "1,000 rows at 300 different times, drawn in blocks of 14"
    )
    assert describe_rows(1_000, None, "holdout rows") == "1,000 holdout rows"
    needed = find_needed_rows(found.best.advantage, found.rows, found.units, 0.0005)
    assert describe_needed_rows(needed, 0.0005).startswith("20 groups tell a difference of ")
    needed = find_needed_rows(found.best.advantage, found.rows, None, 0.0005)
    assert describe_needed_rows(needed, 0.0005).startswith("40 rows tell")


def test_slices_and_the_skill_of_a_champion_leave_out_and_draw_whole_groups():
    policy = build_policy()
    many = [np.concatenate([each] * 4) for each in (TRUTH * 1.0, SCORE + np.tile([0, 0.01, 0.3, 0], 10))]
    names = tuple(f"{row:03}" for row in range(4 * ROWS))
    alone = Predictions(names, *many, "classification")
    grouped = replace(alone, units=Units("group", np.arange(4 * ROWS) % ROWS))
    reference = Reference("b", replace(alone, score=many[1][::-1]))
    sides = {"half": ["one"] * (2 * ROWS) + ["other"] * (2 * ROWS)}
    found = [describe_slices(sides, each, reference, policy).values for each in (alone, grouped)]
    assert [each.score for each in found[0]] == [each.score for each in found[1]]
    assert [each.p_value for each in found[0]] != [each.p_value for each in found[1]]
    rule = policy.metrics["classification"]
    shifts = [measure_shift(each, each, rule) for each in (alone, grouped)]
    widths = [each.skill_here.high - each.skill_here.low for each in shifts]
    assert widths[1] > 1.5 * widths[0]


def test_a_metric_that_judges_queries_is_drawn_by_the_groups_the_holdout_names():
    query, customer = np.arange(ROWS) // 2, np.arange(ROWS) // 4
    columns = HoldoutColumns(lambda: {"query": [str(each) for each in query]})
    told = {"direction": "higher", "tasks": ("classification",), "each": "query"}
    metric = make_metric("share", lambda truth, score, rows: float((score * truth).sum()), **told)
    sides = [predict(score=score, columns=columns) for score in (SCORE, SCORE**2)]
    by_query, by_customer, by_equal = (
        measure_advantages([[sides[0]]], [sides[1]], metric, level=0.95, units=units)[0]
        for units in (None, Units("group", customer), Units("group", query))
    )
    assert by_query.estimate == pytest.approx(by_customer.estimate) == pytest.approx(by_equal.estimate)
    assert by_query != by_customer
    assert by_equal.low == pytest.approx(by_query.low, abs=0.1 * (by_query.high - by_query.low))
