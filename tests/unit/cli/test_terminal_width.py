"""On a terminal of 80 columns runs, comparisons, reviews and the ledger can be read whole."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from rich.cells import cell_len

from tests.unit.cli.printing import _eighty_columns, build_run, printed, widths  # noqa: F401 - a fixture
from tests.unit.comparisons.builders import build_compared_run, build_comparison
from tests.unit.evidence.builders import build_evidence, build_execution
from tests.unit.evidence.measure_builders import build_class, build_classes
from tests.unit.people import ENDED, RUN_ID
from tests.unit.reviews.builders import build_review
from workbench.cli import compared_runs
from workbench.cli import records as terminal_views
from workbench.cli import reviews as terminal_reviews
from workbench.comparisons.comparison import RunComparison
from workbench.comparisons.verdict import Verdict
from workbench.evidence.evidence import Finding, Severity, Status
from workbench.ledger.ledger import Checkpoint, Event, seal_entry
from workbench.reviews.checklist import ItemStatus
from workbench.reviews.ledger_audit import AuditedApproval, LedgerAudit
from workbench.runs.run import RunState
from workbench.runs.written_files import Overwritten


def test_the_table_of_runs_fits_eighty_columns(capsys):
    runs = [build_run(number) for number in range(4)]
    runs += [build_run(9, state=RunState.RUNNING, record={}, parameters={"family": "hist_gradient_boosting " * 9})]
    text = printed(capsys, terminal_views.print_runs, runs)
    table = text.splitlines()[1:]
    assert max(map(cell_len, table)) <= 80
    assert all(run.id in text for run in runs)


def test_a_run_says_at_which_step_a_metric_has_its_value_and_how_many_points_it_has(capsys):
    history = {"loss": {"step": 10, "points": 3}, "f1": {"step": 4, "points": 1}, "auc": {"step": 0, "points": 12_345}}
    metrics = {"loss": 0.1, "f1": 0.5, "auc": 0.99517, "alone": 2.0, "a rather long name": 0.5}
    history["a rather long name"] = {"step": -(2**63), "points": 100_000}
    text = printed(capsys, terminal_views.print_run, build_run(record={"metrics": metrics, "history": history}), "runs")
    assert max(widths(text)) <= 80
    said = [" ".join(line.split()) for line in text.splitlines()]
    assert {"loss 0.1 at step 10 (3 points)", "f1 0.5 at step 4", "auc 0.9952 (12,345 points)", "alone 2"} <= set(said)


@pytest.mark.parametrize("count", [1, 3, 12])
def test_the_table_fits_however_many_parameters_differ(capsys, count):
    runs = [
        build_run(n, parameters={f"a_rather_long_name_{i}": f"value {n}" * 5 for i in range(count)}) for n in (0, 1)
    ]
    text = printed(capsys, terminal_views.print_runs, runs)
    assert max(widths(text.partition("\n")[2])) <= 80
    assert all(run.id in text for run in runs)


MANY = [{**{f"p{i}": 0.5 + n for i in range(12)}, "whiten": None if n else True} for n in (0, 1)]


@pytest.mark.parametrize("print_them", ["runs", "comparison"])
def test_no_parameter_in_which_runs_differ_is_dropped_and_a_wide_terminal_shows_each_in_its_column(
    capsys, monkeypatch, print_them
):
    def table(columns: int) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        if print_them == "runs":
            return printed(capsys, terminal_views.print_runs, [build_run(n, parameters=MANY[n]) for n in (0, 1)])
        runs = tuple(build_compared_run(run_id=f"{n:012x}", parameters=MANY[n]) for n in (0, 1))
        return printed(capsys, compared_runs.print_comparison, build_comparison(runs=runs))

    narrow, wide = table(80), table(240)
    assert "others" in narrow
    assert re.search(r"p\d+=0\.5", narrow)
    assert "parameters more differ; --json shows all" in narrow
    assert "others" not in wide
    assert all(f"p{i} " in wide for i in range(12))
    assert "true" in wide
    assert "none" in wide


def test_what_fits_into_eighty_columns_has_its_columns_and_no_value_is_broken(capsys):
    families = ("logistic_regression", "random_forest", "hist_gradient_boosting")
    sets = [{"family": each, "strength": 0.03} for each in families] + [{"family": "stump", "strength": 1.0}]
    runs = [build_run(n, parameters=each, started=ENDED, ended=ENDED) for n, each in enumerate(sets)]
    assert "hist_gradient_boosting 0.03" in printed(capsys, terminal_views.print_runs, runs)
    compared = tuple(build_compared_run(run_id=f"{n:012x}", parameters=each) for n, each in enumerate(sets))
    text = printed(capsys, compared_runs.print_comparison, build_comparison(runs=compared))
    assert "hist_gradient_boosting 0.03" in text
    assert "others" not in text


def test_runs_that_differ_in_a_fourth_parameter_do_not_look_the_same(capsys):
    sets = [
        {"a": 1, "b": 2, "c": 3, "strength": 0.1},
        {"a": 2, "b": 3, "c": 4, "strength": 0.2},
        {"a": 2, "b": 3, "c": 4},
    ]
    runs = tuple(build_compared_run(run_id=f"{n:012x}", parameters=each) for n, each in enumerate(sets))
    lines = printed(capsys, compared_runs.print_comparison, build_comparison(runs=runs)).splitlines()
    assert {lines[1].split()[-1], *(line.split()[-1] for line in lines[3:5])} == {"strength", "0.1", "0.2"}
    assert lines[5].split()[-3:] == ["2", "3", "4"]


def test_what_differs_in_a_run_that_is_not_printed_is_not_said_to_be_the_same(capsys):
    runs = tuple(build_compared_run(run_id=f"{n:012x}", parameters={"n": 1, "seed": int(n > 15)}) for n in range(20))
    text = printed(capsys, compared_runs.print_comparison, build_comparison(runs=runs))
    assert "the same in all: n=1." in text
    assert "seed" in text.splitlines()[1]


def test_a_comparison_of_a_project_says_what_it_took_what_the_tries_are_and_who_is_left_out(capsys):
    found = RunComparison(
        **{**vars(build_comparison(tried=2)), "left_out": 1},
        notebooks=("wine.ipynb",),
        seen=("run 3f9a1c27d05b", "draft 1a2b3c4d"),
        unpaired=("Run x was not scored on just the holdout's rows.",),
        overwritten=(Overwritten("best.joblib", ("a", "b"), in_turn=False, is_told=True),),
    )
    text = printed(capsys, compared_runs.print_comparison, found)
    assert f"Compared: 1 run of wine.ipynb on holdout {found.holdout_digest[:12]}." in text
    assert "2 tries: run 3f9a1c27d05b, draft 1a2b3c4d." in text
    assert "Left out: Run x was not scored" in text
    assert "wrote the same file: best.joblib, by 2 runs, some at the same time: what is left is of one of them." in text


def test_age_counts_from_the_end_and_how_long_it_took_stands_beside_it(capsys):
    now = datetime.now(UTC)
    started = (now - timedelta(minutes=3)).isoformat()
    run = build_run(created=started, started=started, ended=(now - timedelta(seconds=1)).isoformat())
    assert ": finished just now, took 3 min " in " ".join(printed(capsys, terminal_views.print_run, run, "x").split())
    table = printed(capsys, terminal_views.print_runs, [run]).splitlines()
    assert (table[1].split()[-2:], table[3].split()[-4:]) == (["took", "ended"], ["3", "min", "just", "now"])
    waiting = build_run(created=started, started=started, state=RunState.RUNNING)
    assert ": running, started 3 min ago " in " ".join(printed(capsys, terminal_views.print_run, waiting, "x").split())


def test_runs_show_the_metric_that_decides_and_what_they_are_besides(capsys):
    logged = [{"accuracy": 0.9, "roc_auc": 0.97}, {"accuracy": 0.8, "roc_auc": 0.96}, {"loss": 2.0}]
    runs = [build_run(n, record={"metrics": each}) for n, each in enumerate(logged)]
    show = partial(terminal_views.print_runs, metrics=["roc_auc", "r2"], standings={runs[0].id: ("wine/5 champion",)})
    lines = printed(capsys, show, runs).splitlines()
    assert lines[1].split()[2:4] == ["roc_auc", "loss"]
    assert "accuracy" not in lines[1]
    assert ["wine/5 champion" in line for line in lines[3:6]] == [True, False, False]
    assert max(map(cell_len, lines[1:])) <= 80
    plain = printed(capsys, terminal_views.print_run, runs[0], "x")
    assert " champion" not in plain
    assert "wine/5 champion" in printed(
        capsys, partial(terminal_views.print_run, standing=("wine/5 champion",)), runs[0], "x"
    )


def test_a_comparison_fits_eighty_columns_and_tells_of_the_rest(capsys):
    runs = tuple(build_compared_run(run_id=f"{n:012x}", parameters={"n": n}) for n in range(20))
    text = printed(capsys, compared_runs.print_comparison, build_comparison(runs=runs))
    assert max(widths("\n".join(text.splitlines()[1:-1]))) <= 80
    assert "and 5 more; --top N shows more of them, --json all" in text


def test_a_comparison_without_an_interval_shows_that_it_has_none(capsys):
    runs = (build_compared_run(advantage=None, verdict=Verdict.INCONCLUSIVE),)
    text = printed(capsys, compared_runs.print_comparison, build_comparison(runs=runs))
    assert "? unclear" in text
    assert "none" in text


def test_a_review_fits_eighty_columns_and_shows_what_blocks_it_first(capsys):
    evidence = build_evidence(execution=build_execution(completed=False), answers={})
    text = printed(capsys, terminal_reviews.print_review, build_review(evidence=evidence))
    table = [line for line in text.splitlines() if re.search(r"[✓✕?] (Pass|Fail|Unknown)", line)]
    assert max(map(cell_len, table)) <= 80
    assert [("Pass" in line) for line in table] == sorted("Pass" in line for line in table)
    assert "✕ Fail" in table[0]


def test_a_review_says_at_a_finding_who_may_waive_it_and_counts_checks_answers_and_items_apart(capsys):
    waivable = Finding("metric_limit", Status.FAIL, "0.7", "at least 0.8", "It is too low.", Severity.WAIVABLE)
    blocking = Finding("run_finished", Status.FAIL, "no", "yes", "It failed.")
    review = replace(build_review(), findings=(waivable, blocking))
    text = " ".join(printed(capsys, terminal_reviews.print_review, review).split())
    assert "It is too low. May be waived by owner." in text
    assert text.count("May be waived") == 1
    answered = len(review.questions) - len(review.open_questions)
    assert f"2 checks: 2 failed; {answered} of {len(review.questions)} questions answered" in text
    assert f"Checklist of {len(review.checklist)} items, each settled by several checks and answers or by none:" in text


def test_a_review_tells_what_changed_and_how_many_lines_of_code(capsys):
    text = printed(capsys, terminal_reviews.print_review, build_review())
    before, _, _ = text.partition("138 of")
    assert "What changed since version 2: 2 parameters, 1 table of data and 4 lines of code changed." in before
    assert re.search(r"roc_auc +0\.9941 +0\.9952 \(\+0\.0011\)", before)
    assert re.search(r"Parameter regularisation +1 +0\.5", before)
    assert "breast_cancer_train" in before
    assert "Code of the notebook: 2 lines added, 2 lines removed (--html FILE shows them)" in before
    assert "model.fit" not in text
    assert max(widths(before.split("\n", 4)[4])) <= 80


def test_a_review_shows_what_each_class_was_called_and_by_what_it_is_decided(capsys):
    lines = printed(capsys, terminal_reviews.print_review, build_review()).splitlines()
    assert "138 of 143 rows are called right: 0.965 (0.92 to 0.98)." in " ".join(lines)
    assert any(line.split()[:3] == ["malignant", "3", "50"] for line in lines)
    assert "the positive class is malignant. Labels are the model's own." in " ".join(lines)


def test_many_classes_fit_eighty_columns_by_what_each_is_mistaken_for(capsys):
    names = [f"class number {number}" for number in range(9)]
    confusion = tuple(tuple(9 if at == place else int(at == 0) for at in range(9)) for place in range(9))
    classes = build_classes(classes=tuple(build_class(name=name) for name in names), confusion=confusion)
    text = printed(capsys, terminal_reviews.print_review, build_review(evidence=build_evidence(classes=classes)))
    shown = [line for line in text.splitlines() if line.startswith("class number")]
    assert len(shown) == 9
    assert "class number 0, 1 time" in shown[5]
    assert max(map(len, shown)) <= 80


def test_a_first_version_is_said_to_be_all_new(capsys):
    text = printed(capsys, terminal_reviews.print_review, build_review(changes=None))
    assert "all of it is new" in text
    assert "--html" not in text


def test_what_does_not_apply_is_said_as_on_the_page(capsys):
    review = build_review()
    row = replace(review.checklist[0], status=ItemStatus.NOT_NEEDED)
    text = printed(capsys, terminal_reviews.print_checklist, replace(review, checklist=(row,)))
    assert "Not for this tier" in text


def test_the_ledger_fits_eighty_columns(capsys):
    entry = seal_entry(
        None,
        time=ENDED,
        event=Event.REFUSED,
        actor="a" * 40,
        subject="m/1",
        body={"action": "promote", "reasons": ["because " * 30]},
    )
    text = printed(capsys, terminal_views.print_ledger, [entry], [])
    assert max(widths(text)) <= 80
    assert "✓ The chain of 1 entry is whole" in text


@pytest.mark.parametrize("fault", ["", "Entry 3: the signature of a does not hold"])
def test_what_was_verified_of_a_ledger_is_told_with_its_faults_and_the_head_to_note(capsys, fault):
    head = Checkpoint(20, "ab" * 32)
    approval = AuditedApproval(3, "m/1", "a", "owner", None, (fault,) if fault else ())
    audit = LedgerAudit(20, head, Checkpoint(19, "cd" * 32), head, (approval,), (fault,) if fault else ())
    text = printed(capsys, terminal_views.print_ledger_audit, audit)
    assert max(widths(text)) <= 80
    assert (str(head) in text) is not bool(fault)
    assert "seen here before: entry 19, digest cdcdcdcdcdcd" in text
    assert ("✕ 20 entries: 1 fault" in text) is bool(fault)
    assert f"approvals: {0 if fault else 1} of 1 hold" in text


def test_a_ledger_of_which_more_was_seen_tells_how_to_go_on_and_gives_nothing_to_note(capsys):
    audit = LedgerAudit(
        1, Checkpoint(1, "ab" * 32), Checkpoint(2, "cd" * 32), None, (), ("Seen was entry 2",), is_rewritten=True
    )
    text = printed(capsys, terminal_views.print_ledger_audit, audit)
    assert "✕ 1 entry: 1 fault" in text
    assert "put the newest copy back or, if you started over:" in text
    assert f"workbench ledger accept --head {'ab' * 32}" in text
    assert "another time" not in text


@pytest.mark.parametrize("event", Event)
def test_every_event_of_the_ledger_has_words(capsys, event):
    body = {"run": RUN_ID, "question": "harm", "role": "owner", "action": "promote", "reasons": ["no"], "endpoint": "m"}
    entry = seal_entry(None, time=ENDED, event=event, actor="ada", subject="m/1", body=body)
    assert "m/1" in printed(capsys, terminal_views.print_ledger, [entry], [])
