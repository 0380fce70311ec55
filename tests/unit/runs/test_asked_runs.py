"""Questions about runs are answered over all of them: rows chosen, sorted, searched and grouped, with what is shown."""

from __future__ import annotations

import json
import math
import shlex
import sys

import pytest

from workbench.cli.asked_runs import print_answer, spell_condition
from workbench.errors import UsageError
from workbench.runs.finding.outline import MISSING, Outline
from workbench.runs.table.columns import OWN, Columns, build_columns
from workbench.runs.table.groups import summarize
from workbench.runs.table.question import Question
from workbench.runs.table.reading import RunTableReader
from workbench.words.commands import spell_question

FAMILIES = ["forest", "ridge", "forest", "forest", "ridge", None]
SEEDS = [0, 0, 1, 2, 1, 3]
AUC = [0.9, 0.8, 0.92, math.nan, 0.84, None]


class Kept:
    """Runs in memory: what any source returns."""

    place = ""

    def __init__(self, spelling="json", **columns):
        self.columns, self.spelling = columns, spelling
        self.asked = []

    def refresh(self, kept, asked):
        self.asked.append([*asked])
        count = len(next(iter(self.columns.values())))
        own = {f"run.{name}": [None] * count for name in OWN}
        own |= {
            "run.id": [f"{number:012x}" for number in range(count)],
            "run.created": [f"2026-11-20T09:{50 - number}:00+00:00" for number in range(count)],
            "run.state": ["finished"] * count,
        }
        own |= {name.replace("_", ".", 1): values for name, values in self.columns.items() if name.startswith("run_")}
        every = {
            name.replace("_", ".", 1): values for name, values in self.columns.items() if not name.startswith("run_")
        }
        names = {
            of: [name.partition(".")[2] for name in every if name.startswith(of)]
            for of in ("metrics", "params", "tags")
        }
        chosen = {name: every[name] for name in dict.fromkeys([*(kept.asked if kept else ()), *asked])}
        return Columns(build_columns({**own, **chosen}), {}, names, self.spelling)


def build(**columns):
    facts = {
        "params_family": [None if name is None else f'"{name}"' for name in FAMILIES],
        "params_seed": [str(seed) for seed in SEEDS],
        "metrics_roc_auc": AUC,
    }
    return Kept(**{**facts, **columns})


def ask(source=None, **question):
    source = source or build()
    return RunTableReader(lambda: source, None, ["roc_auc"]).ask(Question(**question))


def numbers(answer):
    return [int(run_id, 16) for run_id in answer.table.ids]


def test_all_runs_are_shown_with_what_decides_and_what_differs():
    source = build(params_same=["1"] * 6)
    answer = ask(source)
    assert answer.columns == ["metrics.roc_auc", "params.family", "params.seed"]
    assert (numbers(answer), answer.known) == ([0, 1, 2, 3, 4, 5], 6)


@pytest.mark.parametrize(
    ("question", "chosen"),
    [
        ({"where": "roc_auc > 0.85"}, [0, 2]),
        ({"search": "RIDGE"}, [1, 4]),
        ({"search": "0.84"}, [4]),
        ({"sort": "roc_auc"}, [1, 4, 0, 2, 3, 5]),
        ({"sort": "-metrics.roc_auc"}, [2, 0, 4, 1, 3, 5]),
        ({"sort": "family"}, [0, 2, 3, 1, 4, 5]),
        ({"where": "seed = 1", "sort": "-roc_auc", "search": "forest"}, [2]),
        ({"notebook": "a.ipynb"}, [2]),
        ({}, [0, 1, 2, 3, 4]),
        ({"archived": True}, [0, 1, 2, 3, 4, 5]),
        ({"where": "archived = true"}, [5]),
    ],
)
def test_rows_are_chosen_and_sorted(question, chosen):
    aside = [None] * 5 + ["2026-11-22T00:00:00+00:00"]
    hidden = {"run_archived": aside} if chosen in ([0, 1, 2, 3, 4], [5]) or question == {"archived": True} else {}
    source = build(run_notebook=["b.ipynb"] * 2 + ["a.ipynb"] + ["b.ipynb"] * 3, **hidden)
    assert numbers(ask(source, **question)) == chosen


def test_how_many_are_left_out_because_they_are_put_aside_is_told():
    aside = ["2026-11-22T00:00:00+00:00"] * 2 + [None] * 4
    source = build(run_archived=aside)
    asked = [
        {},
        {"archived": True},
        {"where": "family = 'ridge'"},
        {"where": "archived = true"},
        {"group_by": ["seed"]},
    ]
    assert [ask(source, **question).aside for question in asked] == [2, 0, 1, 0, 2]


def test_only_the_columns_that_are_asked_for_are_read():
    source = build(metrics_loss=[1.0] * 6, tags_team=["x"] * 6)
    answer = ask(source, columns=["roc_auc"], where="team = 'x'")
    assert source.asked == [[], ["metrics.roc_auc", "tags.team"]]
    assert answer.columns == ["metrics.roc_auc"]


def test_groups_say_what_their_metrics_are_like_over_every_run():
    answer = ask(group_by=["family"])
    assert [(group.values["params.family"], group.runs) for group in answer.groups] == [
        ("forest", 3),
        ("ridge", 2),
        (MISSING, 1),
    ]
    forest, ridge, none = (group.summaries.get("metrics.roc_auc") for group in answer.groups)
    assert (forest.n, forest.mean, forest.last) == (2, pytest.approx(0.91), 0.9)
    assert (ridge.n, ridge.min, ridge.max) == (2, 0.8, 0.84)
    assert none is None


def test_equal_values_are_one_group_and_others_are_not():
    values = ["NaN", "NaN", "1", "1.0", "true", '"1"', "null", None, "10000000000000000", "1e16", "9007199254740993"]
    lists = ["[1]", "[true]", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}']
    found = [group.places for group in ask(Kept(params_x=values + lists), group_by=["x"], sort="x").groups]
    assert sorted(found) == [(0, 1), (2, 3), (4,), (5,), (6,), (7,), (8, 9), (10,), (11,), (12,), (13, 14)]
    moments = [f"2026-11-20T09:00:00.{digit}+00:00" for digit in "19"]
    assert len(ask(Kept(params_x=["1", "1"], run_created=moments), group_by=["run.created"]).groups) == 2


def test_the_last_of_runs_of_one_moment_is_the_one_that_is_listed_first():
    for moment in ("2026-11-20T09:00:00+00:00", None):
        source = Kept(params_x=["1", "1"], metrics_loss=[0.3, 0.1], run_created=[moment] * 2)
        assert ask(source, group_by=["x"], columns=["loss"]).groups[0].summaries["metrics.loss"].last == 0.3


def test_metrics_that_are_infinite_or_as_large_as_can_be_are_summarized():
    largest = sys.float_info.max
    found = summarize([largest, largest])
    assert (found.mean, found.se, found.high) == (largest, 0, largest)
    assert summarize([0.0, largest]).mean == pytest.approx(largest / 2)
    assert (summarize([1.0, math.inf]).mean, summarize([1.0, math.inf]).se) == (math.inf, None)
    assert math.isnan(summarize([math.inf, -math.inf]).mean)
    same = summarize([0.1] * 3)
    assert (same.mean, same.se, same.low, same.high) == (0.1, 0, 0.1, 0.1)


def test_what_is_no_number_stands_behind_the_numbers():
    source = Kept(params_x=["3", "NaN", "1", "NaN", "2", None])
    assert numbers(ask(source, sort="x")) == [2, 4, 0, 1, 3, 5]


def test_texts_that_only_look_like_numbers_stay_texts():
    for texts in (["007", "7"], ["1_000", "1000"], [" 12", "12"], ["9" * 5_000, "1"], ["\u0663", "3"]):
        assert ask(Kept("plain", params_x=texts), columns=["x"]).table.read_column("params.x") == texts


def test_a_column_is_named_as_in_a_condition():
    source = build(**{"metrics_val loss": [1.0] * 6, "params_val loss": ["1"] * 6})
    named = ["metrics.`val loss`", "params.val loss", "param.seed", "metric.roc_auc"]
    assert ask(source, columns=named).columns == [
        "metrics.val loss",
        "params.val loss",
        "params.seed",
        "metrics.roc_auc",
    ]


def test_runs_that_differ_in_the_seed_alone_are_one_group():
    answer = ask(build(params_same=["1"] * 6), all_but=["seed"])
    assert answer.by == ["params.family"]
    assert [group.runs for group in answer.groups] == [3, 2, 1]


NOTEBOOKS = ["a.ipynb", "a.ipynb", "b.ipynb", "b.ipynb", "a.ipynb", "b.ipynb"]


def test_runs_of_different_notebooks_are_one_group_only_where_that_is_asked_for():
    answer = ask(build(run_notebook=NOTEBOOKS), all_but=["seed"])
    assert answer.by == ["run.notebook", "params.family"]
    assert sorted(group.places for group in answer.groups) == [(0,), (1, 4), (2, 3), (5,)]
    answer = ask(build(run_notebook=NOTEBOOKS), all_but=["seed", "notebook"])
    assert answer.by == ["params.family"]
    answer = ask(build(run_experiment=NOTEBOOKS), all_but=["seed"])
    assert answer.by == ["run.experiment", "params.family"]
    for group in ask(build(run_notebook=NOTEBOOKS), all_but=["seed"]).groups:
        assert numbers(ask(build(run_notebook=NOTEBOOKS), where=spell_condition(group))) == sorted(group.places)


@pytest.mark.parametrize("name", ["author", "roc_auc", "run.state"])
def test_what_tells_no_groups_apart_cannot_be_left_out(name):
    with pytest.raises(UsageError, match=f"Runs are not put together by all but {name}"):
        ask(all_but=["seed", name])


def test_a_mean_over_different_rows_has_no_interval_and_the_holdouts_are_counted():
    rows = ["x", "x", "y", "y", "x", None]
    forest, ridge, none = ask(build(run_scored_rows=rows), group_by=["family"]).groups
    mixed, alone = forest.summaries["metrics.roc_auc"], ridge.summaries["metrics.roc_auc"]
    assert (mixed.holdouts, mixed.mean, mixed.se, mixed.low, mixed.high) == (2, pytest.approx(0.91), None, None, None)
    assert (alone.holdouts, alone.low is not None) == (1, True)
    assert none.summaries == {}
    # Run 3 lies on other rows and has no value: it counts for nothing.
    rows = ["x", "x", "x", "y", "x", "x"]
    found = ask(build(run_scored_rows=rows), group_by=["family"]).groups[0].summaries["metrics.roc_auc"]
    assert (found.holdouts, found.low is not None) == (1, True)
    # Of runs that nobody knows the rows of the interval is told as before.
    assert ask(group_by=["family"]).groups[0].summaries["metrics.roc_auc"].holdouts == 0


def test_several_holdouts_and_notebooks_are_said_beside_their_groups(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    paths = [f"notebooks/{name}" for name in NOTEBOOKS]
    source = build(run_notebook=paths, run_scored_rows=["x", "x", "y", "y", "z", None], metrics_loss=[1.0, *[None] * 5])
    question = Question(["roc_auc", "loss"], all_but=["seed"])
    answer = RunTableReader(lambda: source, None).ask(question)
    print_answer(answer, question, 30)
    text = capsys.readouterr().out
    assert "6 runs in 4 groups by notebook, family" in text
    assert "roc_auc: 3 of 4 groups have it" in text
    assert "loss: 1 of 4 groups have it" in text
    (row,) = [line.split() for line in text.splitlines() if "ridge" in line]
    assert row == ["a", "ridge", "2", "2", "0.82", "0.8", "0.84", "0.8"]
    assert "scored on different rows" in text
    assert "95 %: where the mean" not in text
    assert max(map(len, text.splitlines())) <= 110


def test_groups_too_wide_for_a_terminal_say_what_they_leave_out(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    source = build(params_family=[f'"{"long" * 6}"'] * 3 + ['"ridge"'] * 3, metrics_roc_auc=[0.91234, 0.81234] * 3)
    question = Question(["roc_auc"], all_but=["seed"])
    print_answer(RunTableReader(lambda: source, None).ask(question), question, 30)
    text = capsys.readouterr().out
    assert "No room here for last, min, max" in text
    assert "95 %" in text


def test_the_rows_a_run_was_scored_on_are_known_by_its_scores_or_by_its_holdout():
    tables = json.dumps([{"role": "train", "name": "t", "digest": "aa"}, {"role": "holdout", "digest": "bb" * 32}])
    run = Outline("0" * 12, "finished", "2026-11-20T09:12:31+00:00", datasets=tables)
    assert (run.scored_rows, run.holdout) == ("bb" * 6, None)
    run.pairing = "cc" * 32
    assert run.scored_rows == "cc" * 6
    assert Outline("0" * 12, "finished", "2026-11-20T09:12:31+00:00").scored_rows is None


def test_groups_are_sorted_by_a_mean_or_by_what_they_share():
    values = [group.values["params.family"] for group in ask(group_by=["family"], sort="-roc_auc").groups]
    assert values == ["forest", "ridge", MISSING]
    values = [group.values["params.family"] for group in ask(group_by=["family"], sort="-family").groups]
    assert values == ["ridge", "forest", MISSING]
    with pytest.raises(UsageError, match="no 'seed' to be sorted by"):
        ask(group_by=["family"], sort="seed")


def test_a_summary_is_students():
    from scipy import stats

    values = [0.9, 0.92, 0.87, 0.95]
    found = summarize(values)
    low, high = stats.t.interval(0.95, 3, loc=found.mean, scale=stats.sem(values))
    assert found.se == pytest.approx(stats.sem(values), rel=1e-12)
    assert (found.low, found.high) == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))
    assert (summarize([math.inf, 0.5]).mean, summarize([math.inf, 0.5]).se) == (math.inf, None)
    assert math.isnan(summarize([math.inf, -math.inf]).mean)
    assert summarize([1.7e308, 1.7e308]).mean == 1.7e308
    alone = summarize([0.5])
    assert (alone.n, alone.mean, alone.se, alone.low, alone.high) == (1, 0.5, None, None, None)


def test_parameters_of_mlflow_are_numbers_where_all_of_them_are():
    texts = ["0.1", "1", "1e-3", None, "True", "None"]
    source = Kept("plain", params_lr=texts, params_size=["10", "9", "x", "8", "7", "6"])
    answer = ask(source)
    assert answer.table.read_column("params.lr") == [0.1, 1, 0.001, MISSING, True, None]
    assert answer.table.read_column("params.size") == ["10", "9", "x", "8", "7", "6"]
    assert numbers(ask(source, where="lr > 0.05")) == [0, 1]


@pytest.mark.parametrize(
    ("question", "what"),
    [
        ({"columns": ["roc_acu"]}, "There is no column 'roc_acu'.*Near it: roc_auc"),
        ({"sort": "-nothing"}, "There is no column 'nothing'"),
        ({"columns": ["seed"]}, "'seed' means more than one column.*params.seed or tags.seed"),
        ({"group_by": ["family"], "all_but": ["params.seed"]}, "Both were asked for"),
        ({"where": "roc_auc >"}, "cannot be used"),
    ],
)
def test_what_cannot_be_asked_is_told(question, what):
    with pytest.raises(UsageError) as caught:
        ask(build(tags_seed=["x"] * 6), **question)
    import re

    assert re.search(what, caught.value.in_one_line)


def test_the_runs_of_a_group_are_found_by_the_condition_that_is_told():
    odd = build(params_family=['"it\'s"', '"a\\\\b"', "1", "1.5", "true", None])
    for by in (["family"], ["family", "seed"]):
        for group in ask(odd, group_by=by).groups:
            assert numbers(ask(odd, where=spell_condition(group))) == sorted(group.places)
    silent = build(params_family=["[1]", "NaN", "Infinity", "[1]", "NaN", "Infinity"])
    assert [spell_condition(group) for group in ask(silent, group_by=["family"]).groups] == ["", "", ""]


def test_the_command_that_is_told_asks_the_same():
    asked = Question(["roc_auc", "a,b"], "lr > 1", "it's", "-lr", ["family"], notebook="a b.ipynb", archived=True)
    words = shlex.split(spell_question(asked, "sqlite:///x.db"))
    given = dict(zip(words[2::2], words[3::2], strict=False))
    assert words[:2] == ["workbench", "runs"]
    assert words[-1] == "--all"
    assert (given["--columns"], given["--where"], given["--search"]) == ("roc_auc,`a,b`", "lr > 1", "it's")
    assert "--sort=-lr" in words


def test_no_runs_are_an_answer_too():
    empty = Kept(params_x=[], metrics_m=[])
    for question in ({}, {"group_by": ["x"]}, {"all_but": ["x"]}, {"sort": "x"}, {"search": "a"}, {"where": "x > 1"}):
        answer = ask(empty, **question)
        assert (len(answer.table), answer.groups) == (0, [] if "group_by" in question or "all_but" in question else ())
