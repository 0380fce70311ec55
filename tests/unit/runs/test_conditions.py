"""What `--where` says: read whole or refused with the place, judged honestly, and never for long."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.errors import UsageError
from workbench.runs.finding.annotations import Annotations
from workbench.runs.finding.conditions import parse_condition
from workbench.runs.finding.judging import STATES, choose_runs
from workbench.runs.finding.names import list_near
from workbench.runs.finding.outline import FIELDS, Outline, Outlines
from workbench.runs.run import RunState


def build(number: int, *, parameters=None, metrics=None, said=None, **facts) -> Outline:
    outline = Outline(
        f"{number:012x}", "finished", "2026-11-20T09:12:31+00:00", "notebooks/train.ipynb", "ada@example.org"
    )
    outline.parameters, outline.metrics = json.dumps(parameters or {}), json.dumps(metrics or {})
    outline.annotations = Annotations(**(said or {}))
    for name, value in facts.items():
        setattr(outline, name, value)
    return outline


RUNS = [
    build(
        0,
        parameters={"family": "forest", "strength": 0.1, "depth": None, "layers": [8, 16]},
        metrics={"roc_auc": 0.95, "val loss": 0.2},
        said={"name": "best try", "note": "Größe: 100%", "tags": {"team": "blue", "quick": ""}},
        started="2026-11-20T09:12:31+00:00",
        ended="2026-11-20T09:13:31+00:00",
    ),
    build(
        1,
        parameters={"family": "ridge", "strength": 1, "depth": 3, "balanced": True},
        metrics={"roc_auc": 0.85, "train/roc_auc": 0.99},
        sweep="5eeb",
        created="2026-11-21T09:12:31+00:00",
    ),
    build(2, parameters={"family": "forest"}, metrics={"roc_auc": float("nan")}, state="failed", error="Cell 3 raised"),
    build(
        3, said={"tags": {"team": "red"}, "archived": "2026-11-22T00:00:00+00:00"}, replay_of="0" * 12, state="queued"
    ),
]


def choose(text: str, runs=RUNS) -> list[int]:
    return list(choose_runs(parse_condition(text), Outlines(runs)))


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ('roc_auc > 0.9 and family = "forest"', [0]),
        ("family = 'forest'", [0, 2]),
        ("FAMILY = 'forest' or family = 'forest'", None),
        ("roc_auc >= 0.85", [0, 1]),
        ("roc_auc < 1e0", [0, 1]),
        ("-1 < roc_auc", [0, 1]),
        ("roc_auc != 0.95", [1]),
        ("not roc_auc = 0.95", [1]),
        ("metrics.roc_auc > .9", [0]),
        ("metrics.train/roc_auc > roc_auc", [1]),
        ("`val loss` < 0.5", [0]),
        ("metrics.`val loss` < 0.5", [0]),
        ("params.strength = 1", [1]),
        ("strength = 1.0", [1]),
        ("balanced = true", [1]),
        ("balanced != true", []),
        ("depth = none", [0]),
        ("depth != none", [1]),
        ("depth > 2", [1]),
        ("depth != 3", [0]),
        ("has depth", [0, 1]),
        ("not has depth", [2, 3]),
        ("family in ('ridge', 'tree')", [1]),
        ("family not in ('ridge', 'tree')", [0, 2]),
        ("not family in ('ridge')", [0, 2]),
        ("family like 'f%'", [0, 2]),
        ("family not like 'f%'", [1]),
        ("family like '_orest'", [0, 2]),
        ("name ilike 'BEST%'", [0]),
        ("note contains '100%'", [0]),
        ("note like '%100%'", [0]),
        ("layers contains 16", [0]),
        ("layers contains 3", []),
        ("state = FAILED or state = 'failed'", None),
        ("state = 'FAILED'", [2]),
        ("state in ('failed', 'Queued')", [2, 3]),
        ("error contains 'Cell 3'", [2]),
        ("sweep = '5eeb'", [1]),
        ("tags.team = 'blue' or tags.team = 'red'", [0, 3]),
        ("team = 'red'", [3]),
        ("has quick and quick = ''", [0]),
        ("archived = true", [3]),
        ("replay_of = '000000000000'", [3]),
        ("id like '00000000%' and created = '2026-11-21T09:12:31+00:00'", [1]),
        ("created > '2026-11-21T00:00:00Z'", [1]),
        ("created >= '2026-11-20T09:12:31+00:00' and took_s = 60", [0]),
        ("ended < '2030-01-01'", [0]),
        ("created < '1 h ago'", [0, 1, 2, 3]),
        ("created < 'yesterday'", [0, 1, 2, 3]),
        ("created > '30 d ago'", None),
        ("author = 'ada@example.org' and not (state = 'failed' or archived = true)", [0, 1]),
        ("run.notebook = 'notebooks/train.ipynb'", [0, 1, 2, 3]),
        ("attributes.state = 'finished'", [0, 1]),
        ("1 = 1", [0, 1, 2, 3]),
        ("'a' = 'b' or family = 'ridge' and roc_auc > 0.8", [1]),
    ],
)  # fmt: skip
def test_a_condition_chooses_the_runs_of_which_it_is_true(text, chosen):
    if chosen is not None:
        assert choose(text) == chosen


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "At character 1: a name, a number or a text in quotes is expected, not the end."),
        ("roc_auc", "At character 8: after roc_auc one of =, !=, <"),
        ("roc_auc >", "At character 10: a name, a number"),
        ("roc_auc > 0.9 family = 'forest'", "At character 15: 'family' is one too many; `and` or `or` is missing"),
        ("(roc_auc > 0.9", "At character 15: ')' is expected, not the end."),
        ("family = 'forest", "At character 10: the ' that begins there does not end."),
        ("roc_auc > 0.9 & x", "At character 15: '& x' is neither a name"),
        ("family in ('a', forest)", "At character 17: forest must be a number or a text in quotes: 'forest'."),
        ("has 3", "At character 5: a name is expected, not 3."),
        ("roc_acu > 0.9", "At character 1: no run has anything called 'roc_acu'. Near it: roc_auc, train/roc_auc."),
        ("metrics.family = 'x'", "At character 1: no run has a metric 'family'."),
        ("family = forest", "At character 10: no run has anything called 'forest'."),
        ("family = forest", "A text stands in quotes: 'forest'."),
        ("not (run.name = 'a' or family = forest)", "A text stands in quotes: 'forest'."),
        ("zz > 0.9", "called 'zz'. There are: balanced, depth, family, layers, strength, roc_auc, "),
        ("roc_auc = 'high'", "At character 9: They are of different kinds: roc_auc is a number (0.95 in 000000000000), 'high' is"),
        ("family > 'a'", "> compares two numbers or two times; family is text ('forest' in 000000000000), 'a' is text."),
        ("roc_auc like '0.9%'", "like compares two texts; roc_auc is a number"),
        ("roc_auc = none", "A run without it is found by `not has roc_auc`."),
        ("state = 'finishd'", "At character 9: 'finishd' is no state; there are queued, running, finished"),
        ("created > 'last week'", "At character 11: 'last week' is no time; write '2026-11-20'"),
        ("created = 'today'", "At character 11: created is a moment, never a whole day. Write created >= 'today'."),
        ("run.created != '2026-11-20 09:30'", "created is a moment, never a whole day."),
        ("id in ('0000')", "At character 8: '0000' is no whole id. Write id like '0000%'."),
        ("family in ('ridge', 3)", "They are of different kinds: family is text ('forest' in 000000000000), 3 is a number."),
        ("metrix.`val loss` < 1", "metrix. is not one of run., metrics., params. and tags."),
        ("(" * 60 + "roc_auc > 1", "It is nested more than 50 deep."),
        ("not " * 60 + "roc_auc > 1", "It is nested more than 50 deep."),
        ("x" * 10_001, "It has 10,001 characters; 10,000 are read."),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told_with_its_place(text, said):
    with pytest.raises(UsageError) as caught:
        choose(text)
    assert said in " ".join(caught.value.reasons)
    assert "workbench help runs" in caught.value.next_step


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("lr", ["learning_rate"]),
        ("auc", ["roc_auc", "averageUnderCurve", "mac"]),
        ("LR", ["learning_rate"]),
        ("rate", ["learning_rate", "state"]),
        ("learning_rate_init", ["learning_rate"]),
        ("zz", []),
    ],
)
def test_near_a_name_are_those_of_its_first_letters_those_it_is_a_piece_of_and_those_spelled_alike(asked, near):
    every = ["learning_rate", "averageUnderCurve", "roc_auc", "mac", "state"]
    assert sorted(list_near(asked, every)) == sorted(near)


def test_no_name_before_a_sign_is_taken_for_a_text():
    with pytest.raises(UsageError) as caught:
        choose("zz > 0.9 or 'a' = zzz")
    assert "quotes" not in " ".join(caught.value.reasons)


def test_all_unknown_names_are_told_at_once():
    with pytest.raises(UsageError) as caught:
        choose("roc_acu > 0.9 and familiy = 'forest'")
    assert len(caught.value.reasons) == 2


def test_a_name_that_means_two_things_must_say_which():
    runs = [build(0, parameters={"loss": "hinge", "name": "x"}, metrics={"loss": 0.3})]
    with pytest.raises(UsageError, match="cannot be used") as caught:
        choose("loss < 1", runs)
    assert caught.value.reasons == (
        "At character 1: 'loss' means more than one thing here. Write metrics.loss or params.loss.",
    )
    assert choose("metrics.loss < 1 and params.loss = 'hinge' and params.name = 'x' and not has run.name", runs) == [0]


def test_where_some_values_are_of_another_kind_they_are_other_values_and_have_no_order():
    runs = [
        build(0, parameters={"depth": 3}),
        build(1, parameters={"depth": "auto"}),
        build(2, parameters={"depth": True}),
    ]
    assert choose("depth > 2", runs) == [0]
    assert choose("depth = 'auto'", runs) == [1]
    assert choose("not depth = 'auto'", runs) == choose("depth != 'auto'", runs) == [0, 2]
    assert choose("depth not in ('auto', 3)", runs) == [2]
    assert choose("not depth > 2", runs) == []
    assert choose("depth = 1 or depth = true", runs) == [2]


def test_of_no_runs_none_is_chosen_whatever_is_asked():
    assert choose("whatever = 3", []) == []


def test_the_states_are_those_of_runs_and_drafts():
    assert {*STATES} == {str(state).lower() for state in RunState} | {"draft"}


@given(st.text(max_size=40))
@example("has `" + "a" * 30)
def test_every_text_is_read_or_refused_in_words(text):
    try:
        choose(text)
    except UsageError as exc:
        assert exc.reasons


_piece = st.sampled_from(
    ["and", "or", "not", "(", ")", "has", "in", "=", "<", "!=", "like", ",", "roc_auc", "family", "'forest'", "0.9", "none",
     "depth", "state", "created", "run.", "`a b`", "contains", "tags.team", "true"]
)  # fmt: skip


@given(st.lists(_piece, max_size=14))
def test_every_row_of_words_is_read_or_refused_in_words(words):
    try:
        choose(" ".join(words))
    except UsageError as exc:
        assert exc.reasons


@given(st.text("ab%_", max_size=8), st.text("ab", max_size=10))
def test_like_means_what_the_database_means_by_it(pattern, text):
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.execute("pragma case_sensitive_like = on")
    expected = bool(connection.execute("select ? like ?", (text, pattern)).fetchone()[0])
    connection.close()
    runs = [build(0, parameters={"word": text})]
    assert (choose(f"word like '{pattern}'", runs) == [0]) is expected


def test_no_pattern_takes_long():
    runs = [build(0, said={"note": "a" * 5_000})]
    began = time.process_time()
    assert choose(f"note like '{'a%' * 200}b'", runs) == []
    assert time.process_time() - began < 5


def test_every_fact_can_be_asked_for():
    for name, field in FIELDS.items():
        value = {"text": "'finished'", "number": "3", "flag": "true", "time": "'2026-11-20'"}[field.kind]
        sign = ">" if field.kind == "time" else "="
        choose(f"run.{name} {sign} {value}")
