"""What was compared is shown in part and in another order, and nothing of what was said of it changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.comparisons.builders import build_compared_run, build_comparison, build_interval, build_many
from workbench.comparisons.arrangement import Arrangement, arrange_runs
from workbench.comparisons.gathering import Asked, choose_shown
from workbench.errors import UsageError

RUNS = (
    build_compared_run(run_id="a" * 12, parameters={"family": "forest", "depth": 3}, value=0.9),
    build_compared_run(run_id="b" * 12, parameters={"family": "ridge"}, value=0.8, advantage=build_interval(low=0.6)),
    build_compared_run(run_id="c" * 12, parameters={"family": "Forest", "depth": 10}, value=0.7, advantage=None),
)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({}, "abc"),
        ({"search": "FOREST"}, "ac"),
        ({"search": "bbb"}, "b"),
        ({"search": "nowhere"}, ""),
        ({"sort": "depth"}, "acb"),
        ({"sort": "-params.depth"}, "cab"),
        ({"sort": "roc_auc"}, "cba"),
        ({"sort": "-advantage"}, "bac"),
        ({"sort": "family", "search": "e"}, "acb"),
    ],
)
def test_runs_are_chosen_and_sorted(asked, shown):
    found = arrange_runs(build_comparison(runs=RUNS), Arrangement(**asked))
    assert "".join(run.run_id[0] for run in found) == shown


def test_a_parameter_that_is_called_like_the_metric_is_named_with_its_kind():
    runs = [replace(run, parameters={"roc_auc": place}) for place, run in enumerate(RUNS)]
    for sort, shown in (("-params.roc_auc", "cba"), ("-roc_auc", "abc"), ("-metrics.roc_auc", "abc")):
        found = arrange_runs(build_comparison(runs=tuple(runs)), Arrangement(sort=sort))
        assert "".join(run.run_id[0] for run in found) == shown


def test_only_the_named_parameters_are_shown():
    found = arrange_runs(build_comparison(runs=RUNS), Arrangement(columns=["depth"]))
    assert [run.parameters for run in found] == [{"depth": 3}, {}, {"depth": 10}]


def test_a_name_that_no_run_has_is_told_with_those_there_are():
    with pytest.raises(UsageError, match="'dept'") as caught:
        arrange_runs(build_comparison(runs=RUNS), Arrangement(sort="-dept", columns=["family"]))
    assert "roc_auc, advantage, depth, family" in caught.value.in_one_line


def test_what_is_sorted_by_its_advantage_is_measured_first():
    found = build_many(120)
    for sort, count in {"advantage": 100, "-advantage": 100, "": 3}.items():
        assert len(choose_shown(Asked(Arrangement(sort=sort), 3), found)) == count


def test_runs_are_sorted_by_a_further_metric_that_is_not_defined_on_all():
    beside = build_many(2, metric="log_loss", runs=tuple(replace(run, value=1 - run.value) for run in RUNS[:2]))
    found = build_many(3, runs=RUNS, beside=(beside,))
    for sort, shown in (("log_loss", "abc"), ("-log_loss", "bac"), ("metrics.log_loss", "abc")):
        assert "".join(run.run_id[0] for run in arrange_runs(found, Arrangement(sort=sort))) == shown
    with pytest.raises(UsageError, match=r"no 'params\.log_loss'"):
        arrange_runs(found, Arrangement(sort="params.log_loss"))
