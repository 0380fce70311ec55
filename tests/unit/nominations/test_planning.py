"""How a notebook's runs will be judged is written down once before they start, and again only when the rules changed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import change_database
from tests.unit.people import AUTHOR
from tests.unit.policies.builders import build_policy_bytes
from workbench.comparisons.tries import count_tries, find_other_rules
from workbench.config import Settings
from workbench.ledger.ledger import Event, seal_entry
from workbench.nominations.planning import describe_plan, find_plan, record_plan
from workbench.runs.looks import look_of_run
from workbench.runs.run import Run, RunState
from workbench.runs.sqlalchemy_store import Store

NOTEBOOK = "train.ipynb"


def build_run(
    run_id="aaaa1111", *, notebook=NOTEBOOK, digest="d" * 64, started="2026-11-20T09:00:00+00:00", replay_of=None
):
    holdout = {"name": "holdout", "role": "holdout", "digest": digest, "rows": 9, "columns": 3}
    record = {"datasets": [holdout] if digest else []}
    created, origin = "2026-11-20T08:00:00+00:00", {"replay_of": replay_of} if replay_of else {}
    ended = {"state": RunState.FINISHED, "started": started, "record": record}
    return Run(run_id, notebook, "ab" * 32, {}, origin, AUTHOR, created, **ended)


@pytest.fixture
def bench(tmp_path):
    """What planning sees of a bench: the settings, with a policy file of its own, and the store."""
    policy = tmp_path / "policy.yaml"
    policy.write_bytes(build_policy_bytes())
    with closing(Store(f"sqlite:///{tmp_path / 'workbench.db'}")) as store:
        yield SimpleNamespace(settings=Settings(tmp_path, author=AUTHOR, policy=str(policy)), store=store)


def policy_of(bench) -> Path:
    return Path(bench.settings.policy)


def plans(bench):
    return [entry for entry in bench.store.read_ledger() if entry.event is Event.PLANNED]


def add(bench, run):
    bench.store.add_run(replace(run, state=RunState.QUEUED, started=None, record={}))
    bench.store.move_run(replace(run, state=RunState.RUNNING, record={}))
    bench.store.move_run(run)


def test_the_plan_names_the_policy_and_its_rules(bench):
    record_plan(bench, NOTEBOOK)
    (entry,) = plans(bench)
    assert (entry.actor, entry.subject) == (AUTHOR, NOTEBOOK)
    assert entry.body["policy_name"] == "standard"
    assert entry.body["metrics"]["classification"] == {"metric": "roc_auc", "direction": "higher", "margin": 0.005}
    assert entry.body["metrics"]["regression"]["metric"] == "r2"
    assert entry.body["slices"] == []


def test_the_same_rules_are_written_once(bench):
    for _ in range(3):
        record_plan(bench, NOTEBOOK)
    assert len(plans(bench)) == 1


def test_each_notebook_has_a_plan_of_its_own(bench):
    for notebook in (NOTEBOOK, "other.ipynb", NOTEBOOK):
        record_plan(bench, notebook)
    assert [entry.subject for entry in plans(bench)] == [NOTEBOOK, "other.ipynb"]


def test_a_changed_policy_is_another_plan_and_so_is_the_way_back(bench):
    record_plan(bench, NOTEBOOK)
    for content in (build_policy_bytes().replace(b"margin: 0.005", b"margin: 0.01"), build_policy_bytes()):
        policy_of(bench).write_bytes(content)
        record_plan(bench, NOTEBOOK)
    assert [entry.body["metrics"]["classification"]["margin"] for entry in plans(bench)] == [0.005, 0.01, 0.005]


def test_rows_that_were_scored_on_make_no_other_plan(bench):
    record_plan(bench, NOTEBOOK)
    add(bench, build_run("aaaa1111", digest="1" * 64))
    record_plan(bench, NOTEBOOK)
    assert len(plans(bench)) == 1


@pytest.mark.parametrize("content", [b"", b"format: 9", b"[", b"\xff\xfe\x00\xd8"])
def test_a_policy_that_cannot_be_used_keeps_no_run_from_starting_but_is_told(bench, content, caplog):
    policy_of(bench).write_bytes(content)
    record_plan(bench, NOTEBOOK)
    assert plans(bench) == []
    assert caplog.text.count("they run all the same") == caplog.text.count("they cannot be promoted") == 1


@pytest.mark.parametrize("policy", ["nowhere/policy.yaml", "no-such-policy", "/proc/self/mem", ".", "x" * 5000, "a\0b"])
def test_a_policy_that_cannot_be_read_keeps_no_run_from_starting(bench, policy):
    bench.settings = Settings(bench.settings.project, author=AUTHOR, policy=policy)
    record_plan(bench, NOTEBOOK)
    assert plans(bench) == []


def test_a_broken_ledger_keeps_no_run_from_starting_and_gets_no_entry(bench):
    record_plan(bench, NOTEBOOK)
    change_database(
        f"sqlite:///{bench.settings.project / 'workbench.db'}", "update ledger set actor = 'mallory@example.org'"
    )
    policy_of(bench).write_bytes(build_policy_bytes() + b"\n")
    record_plan(bench, NOTEBOOK)
    entries, faults = bench.store.inspect_ledger()
    assert (len(entries), len(faults)) == (1, 1)


# What evidence says of a plan

RULES = {"classification": {"metric": "roc_auc", "direction": "higher", "margin": 0.005}}


def ledger(*plans_at, notebook=NOTEBOOK, metrics=RULES):
    """Return a ledger with a plan at each of these seconds past nine; the margin tells them apart."""
    entries = []
    for number, second in enumerate(plans_at):
        rules = {task: {**rule, "margin": number} for task, rule in metrics.items()}
        body = {"policy": "p" * 64, "policy_name": "standard", "metrics": rules, "slices": ["age"], "holdout": None}
        entries.append(
            seal_entry(
                entries[-1] if entries else None,
                time=at(second),
                event=Event.PLANNED,
                actor=AUTHOR,
                subject=notebook,
                body=body,
            )
        )
    return entries


def test_a_plan_by_another_code_of_the_same_metric_is_another_one():
    coded = [{"classification": {**RULES["classification"], "code": code}} for code in ("a" * 64, "b" * 64)]
    entries = [entry for metrics in coded for entry in ledger(1, metrics=metrics)]
    run = build_run(started=at(5))
    plans = {code: describe(run, entries, policy="p" * 64, code=code) for code in ("a" * 64, "b" * 64)}
    assert {code: plan.code for code, plan in plans.items()} == {code: code for code in plans}
    assert describe(run, ledger(1), policy="p" * 64).code is None


def at(second):
    return f"2026-11-20T09:00:{second:02d}.000001+00:00"


def describe(run, entries, runs=(), task="classification", policy="q" * 64, code=None):
    return describe_plan(run, task, policy, entries, looks_of(run, runs), code=code)


def looks_of(run, runs):
    """The looks that runs were at the holdout of one of them."""
    looks = [look_of_run(each, Path()) for each in runs if each.started]
    return [look for look in looks if look.digest == look_of_run(run, Path()).digest]


def test_the_newest_plan_from_before_the_start_counts():
    plan = describe(build_run(started=at(25)), ledger(10, 20, 30))
    assert (plan.sequence, plan.time, plan.margin) == (2, at(20), 1)
    assert (plan.metric, plan.direction, plan.slices) == ("roc_auc", "higher", ("age",))
    assert (plan.started, plan.holdout_digest, plan.policy_digest) == (at(25), None, "p" * 64)


@pytest.mark.parametrize(
    ("entries", "run", "task"),
    [
        ([], build_run(started=at(5)), "classification"),
        (ledger(10), build_run(started=at(5)), "classification"),
        (ledger(10, notebook="other.ipynb"), build_run(started=at(20)), "classification"),
        (ledger(10), build_run(started=at(20)), "regression"),
        (ledger(10), build_run(started=None), "classification"),
    ],
)
def test_where_the_ledger_said_nothing_before_there_is_no_plan(entries, run, task):
    assert describe(run, entries, task=task) is None


def test_a_plan_that_is_dated_back_is_as_late_as_the_entries_before_it():
    assert describe(build_run(started=at(25)), ledger(30, 20)) is None
    assert describe(build_run(started=at(25)), ledger(10, 30, 20)).sequence == 1
    assert describe(build_run(started=at(35)), ledger(30, 20)).sequence == 2


def test_the_first_score_is_that_of_the_first_run_on_the_same_rows():
    own = build_run(started=at(30))
    runs = [
        own,
        build_run("bbbb2222", started=at(20)),
        build_run("cccc3333", started=at(25)),
        build_run("dddd4444", started=at(5), digest="e" * 64),
        build_run("eeee5555", started=None),
    ]
    assert describe(own, ledger(10), runs).first_scored == at(20)
    assert describe(own, ledger(10), [own]).first_scored == at(30)
    assert describe(own, ledger(10), []).first_scored == at(30)


@given(st.lists(st.integers(0, 59), max_size=8).map(sorted), st.integers(0, 59))
def test_no_later_plan_is_taken_and_no_newer_one_is_passed_over(seconds, started):
    found = find_plan(ledger(*seconds), NOTEBOOK, before=at(started))
    before = [second for second in seconds if second <= started]
    assert (found.time if found else None) == (at(before[-1]) if before else None)


# The rules belong to the rows


def plan_under(*planned):
    """Return a ledger with a plan at each second, for a notebook, under a policy."""
    entries = []
    for second, notebook, policy in planned:
        body = {"policy": policy, "policy_name": policy, "metrics": RULES, "slices": [], "holdout": None}
        before = entries[-1] if entries else None
        entries.append(
            seal_entry(before, time=at(second), event=Event.PLANNED, actor=AUTHOR, subject=notebook, body=body)
        )
    return entries


def test_a_second_notebook_goes_by_what_stood_there_before_the_first():
    first, second = build_run(started=at(15)), build_run("bbbb2222", notebook="other.ipynb", started=at(35))
    entries = plan_under((10, NOTEBOOK, "p"), (30, "other.ipynb", "p"))
    plan = describe(second, entries, [first, second], policy="p")
    assert (plan.sequence, plan.time < plan.first_scored) == (1, True)


def test_rules_that_came_after_the_first_score_are_told_with_their_own_time_whoever_runs_again():
    first, again = build_run(started=at(15)), build_run("bbbb2222", started=at(35))
    entries = plan_under((10, NOTEBOOK, "p"), (30, NOTEBOOK, "q"))
    plan = describe(again, entries, [first, again], policy="q")
    assert (plan.policy_digest, plan.time, plan.first_scored) == ("q", at(30), at(15))


def test_rules_that_are_dated_back_count_from_the_entries_before_them():
    runs = [build_run(started=at(15)), build_run("bbbb2222", started=at(35))]
    entries = plan_under((10, NOTEBOOK, "p"), (30, NOTEBOOK, "p"), (5, "other.ipynb", "q"))
    plan = describe(runs[1], entries, runs, policy="q")
    assert (plan.policy_digest, plan.time) == ("q", at(30))


def test_a_policy_nobody_planned_under_is_told_by_the_plan_there_was():
    run = build_run(started=at(15))
    assert describe(run, plan_under((10, NOTEBOOK, "p")), [run], policy="q").policy_digest == "p"


def test_other_rules_on_rows_that_were_scored_are_named_once_each_and_are_tries():
    runs = [build_run(str(number) * 8, started=at(second)) for number, second in enumerate((15, 25, 35, 45))]
    elsewhere = build_run("eeee5555", notebook="other.ipynb", digest="e" * 64, started=at(50))
    entries = plan_under((10, NOTEBOOK, "p"), (20, NOTEBOOK, "q"), (30, NOTEBOOK, "r"), (40, NOTEBOOK, "q"))
    entries += plan_under((48, "other.ipynb", "s"))
    looks = looks_of(runs[0], [*runs, elsewhere])
    assert find_other_rules("p", entries, looks) == ("q (sha256 q)", "r (sha256 r)")
    assert find_other_rules("q", entries, looks) == ("r (sha256 r)",)
    assert find_other_rules("p", entries, looks[:1]) == ()
    assert count_tries(looks, find_other_rules("p", entries, looks)) == count_tries(looks, ()) + 2


def test_a_replay_goes_by_what_stood_before_the_run_that_it_repeats():
    entries = plan_under((10, NOTEBOOK, "p"), (30, NOTEBOOK, "q"))
    run, replay = build_run(started=at(15)), build_run("bbbb2222", started=at(35), replay_of="aaaa1111")
    once_more = build_run("cccc3333", started=at(45), replay_of="bbbb2222")
    looks = looks_of(run, [once_more, replay, run])
    assert find_other_rules("p", entries, looks) == ()
    assert {
        describe_plan(each, "classification", "r", entries, looks).policy_digest for each in (replay, once_more)
    } == {"p"}
    assert describe_plan(replay, "classification", "q", entries, looks).policy_digest == "p"


def test_a_run_anew_after_a_replay_goes_by_the_rules_of_its_own_time():
    entries = plan_under((10, NOTEBOOK, "p"), (30, NOTEBOOK, "q"))
    run, replay = build_run(started=at(15)), build_run("bbbb2222", started=at(35), replay_of="aaaa1111")
    looks = looks_of(run, [build_run("cccc3333", started=at(40)), replay, run])
    assert find_other_rules("p", entries, looks) == ("q (sha256 q)",)


def test_a_replay_whose_run_is_not_there_goes_by_its_own_time_and_so_do_two_that_claim_to_repeat_each_other():
    entries = plan_under((10, NOTEBOOK, "p"), (30, NOTEBOOK, "q"))
    lost = build_run("bbbb2222", started=at(35), replay_of="eeee5555")
    assert describe_plan(lost, "classification", "q", entries, looks_of(lost, [lost])).policy_digest == "q"
    round_ = [
        build_run("aaaa1111", started=at(35), replay_of="bbbb2222"),
        build_run("bbbb2222", started=at(36), replay_of="aaaa1111"),
    ]
    assert describe_plan(round_[0], "classification", "q", entries, looks_of(round_[0], round_)).policy_digest == "q"
