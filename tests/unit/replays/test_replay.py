"""A replay says the same only of what is the same; a model has the same bytes wherever it is written."""

from __future__ import annotations

import pytest

from tests.unit.replays.builders import again, build_facts, code, outputs, stream
from workbench.cli.records import print_replay
from workbench.notebooks.cell_output import Shown
from workbench.replays.replay import (
    Predicted,
    Replay,
    Sameness,
    compare_replay,
    find_changes,
    find_notes,
    headline,
)
from workbench.runs.run import RunState

SAME, CLOSE, DIFFERENT = Sameness.IDENTICAL, Sameness.WITHIN_TOLERANCE, Sameness.DIFFERENT


def lines(replay: Replay) -> dict[str, Sameness]:
    return {line.name: line.sameness for line in replay.lines}


def test_a_run_that_came_out_the_same_is_identical_in_every_line():
    replay = compare_replay(build_facts(), again())
    assert set(lines(replay).values()) == {SAME}
    assert set(lines(replay)) >= {
        "roc_auc",
        "predictions",
        "cell 2 stdout",
        "train train",
        "model/model.skops",
        "strength",
    }
    assert (replay.verdict, replay.is_clean, replay.reasons, replay.worst_predictions) == (SAME, True, (), ())
    assert headline(replay) == "Run bbbb2222 repeats run aaaa1111: everything is identical."


ONE, OTHER = "1" * 64, "2" * 64


@pytest.mark.parametrize(
    ("then", "now", "reasons"),
    [
        ({"nb/h.py": ONE}, {"nb/h.py": ONE}, ()),
        ({"nb/h.py": ONE}, {"nb/h.py": OTHER}, ("code nb/h.py: 111111111111 then, 222222222222 now",)),
        ({"nb/h.py": ONE}, {}, ("code nb/h.py: 111111111111 then, none now",)),
        ({}, {"nb/h.py": OTHER}, ("code nb/h.py: none then, 222222222222 now",)),
        ({"/tmp/a/made.py": ONE}, {"/tmp/b/made.py": ONE}, ()),
        (None, {"nb/h.py": ONE}, ()),
    ],
)
def test_other_local_code_is_told_and_the_same_elsewhere_or_of_a_run_that_did_not_tell_is_not(then, now, reasons):
    replay = compare_replay(build_facts(code=then), again(code=now))
    assert (replay.is_clean, replay.reasons) == (not reasons, reasons)


COURSE = [(1, 0.9), (5, 0.5), (10, 0.1)]


@pytest.mark.parametrize(
    ("now", "sameness", "said"),
    [
        (COURSE, SAME, "history loss: 3 points then, 3 points now"),
        ([(1, 0.9), (5, 0.5 + 1e-12), (10, 0.1)], CLOSE, "history loss: step 5: 0.5 then, "),
        (
            [(1, 0.9), (5, 0.6), (10, 0.1)],
            DIFFERENT,
            "history loss: step 5: 0.5 then, 0.6 now, relative difference 0.17",
        ),
        ([(1, 0.9), (6, 0.5), (10, 0.1)], DIFFERENT, "history loss: 3 points in both, at other steps"),
        ([(10, 0.1)], DIFFERENT, "history loss: 3 points then, 1 point now"),
    ],
)
def test_every_point_of_a_metric_is_compared_with_its_step(now, sameness, said):
    replay = compare_replay(build_facts(histories={"loss": COURSE}), again(histories={"loss": now}))
    (line,) = [line for line in replay.lines if line.kind == "history"]
    assert (line.sameness, replay.verdict) == (sameness, sameness)
    assert str(line).startswith(said)


@pytest.mark.parametrize("then", [{}, {"loss": []}, {"loss": [(0, 0.1)]}])
def test_a_single_value_and_one_that_was_recorded_before_steps_were_kept_have_no_history_to_compare(then):
    now = COURSE if not then.get("loss") else [(0, 0.1)]
    replay = compare_replay(build_facts(histories=then), again(histories={"loss": now}))
    assert [line for line in replay.lines if line.kind == "history"] == []


OTHER = "9" * 64
CHANGES = [
    ("roc_auc", {"metrics": {"roc_auc": 0.9 * (1 + 1e-12)}}, CLOSE),
    ("roc_auc", {"metrics": {"roc_auc": 0.91}}, DIFFERENT),
    ("roc_auc", {"metrics": {}}, DIFFERENT),
    ("loss", {"metrics": {"roc_auc": 0.9, "loss": 0.1}}, DIFFERENT),
    ("train train", {"datasets": {"train train": OTHER, "holdout holdout": "b" * 64}}, DIFFERENT),
    ("holdout holdout", {"datasets": {"train train": "a" * 64}}, DIFFERENT),
    ("strength", {"parameters": {"strength": 2.0}}, DIFFERENT),
    ("notebook", {"notebook_digest": OTHER}, DIFFERENT),
    ("cell 2 stdout", {"outputs": {"cell 2 stdout": Shown("auc 0.900000000000001")}}, CLOSE),
    ("cell 2 stdout", {"outputs": {"cell 2 stdout": Shown("AUC 0.9")}}, DIFFERENT),
    ("cell 2 stdout", {"outputs": {}}, DIFFERENT),
    ("cell 3 stdout", {"outputs": {"cell 2 stdout": Shown("auc 0.9"), "cell 3 stdout": Shown("more")}}, DIFFERENT),
    ("model/contract.json", {"model": {"model/model.skops": "e" * 64, "model/contract.json": OTHER}}, DIFFERENT),
    ("model/model.skops", {"model": {"model/model.skops": OTHER, "model/contract.json": "f" * 64}}, DIFFERENT),
    ("predictions", {"predictions": {}, "predictions_digest": None}, DIFFERENT),
]


@pytest.mark.parametrize(("name", "change", "expected"), CHANGES)
def test_each_thing_is_judged_for_itself_and_the_worst_is_the_verdict(name, change, expected):
    replay = compare_replay(build_facts(), again(**change))
    found = lines(replay)
    assert found.pop(name) is expected
    assert {other for other, sameness in found.items() if sameness is not SAME} == set()
    assert replay.verdict is expected
    assert bool(replay.reasons) is (expected is DIFFERENT)


def predicted(*scores: float) -> dict:
    rows = {str(number): Predicted(float(number - 1), score) for number, score in enumerate(scores, 1)}
    return {"predictions": rows, "predictions_digest": OTHER}


@pytest.mark.parametrize(
    ("change", "expected", "says"),
    [
        (predicted(0.25, 0.75 + 1e-12), CLOSE, "1 of 2 rows have another score"),
        (predicted(0.25, 0.5), DIFFERENT, "largest absolute difference 0.25 (row 2)"),
        (predicted(0.25), DIFFERENT, "2 rows then, 1 now, 1 of them the same"),
        (predicted(0.25, 0.75), DIFFERENT, "what else is stored with them is not"),
        (
            {"predictions": {"1": Predicted(1.0, 0.25), "2": Predicted(1.0, 0.75)}, "predictions_digest": OTHER},
            DIFFERENT,
            "the truth is another one for 1 of 2 rows",
        ),
    ],
)
def test_predictions_are_compared_row_by_row(change, expected, says):
    replay = compare_replay(build_facts(), again(**change))
    line = next(line for line in replay.lines if line.kind == "predictions")
    assert (line.sameness, replay.verdict) == (expected, expected)
    assert says in line.detail


def test_rows_of_another_truth_or_number_are_not_held_against_each_other():
    turned = {"1": Predicted(1.0, 0.25), "2": Predicted(1.0, 0.75 + 1e-12)}
    for changed in (turned, predicted(0.25 + 1e-12)["predictions"]):
        replay = compare_replay(build_facts(), again(predictions=changed, predictions_digest=OTHER))
        assert (replay.verdict, replay.worst_predictions) == (DIFFERENT, ())


def test_what_was_not_compared_is_listed_with_how_often(capsys):
    then = outputs(code("x", stream("at 0x7f3a5c0d1e20, at 0x7f3a5c0d1e20")), code("y", stream("ipykernel_1/2.py")))
    now = outputs(code("x", stream("at 0x7fffb2c3d4e5, at 0x7fffb2c3d4e6")), code("y", stream("ipykernel_3/4.py")))
    replay = compare_replay(build_facts(outputs=then), again(outputs=now))
    assert (replay.verdict, replay.normalised) == (SAME, {"address in memory": 2, "file of a cell": 1})
    print_replay(replay)
    text = " ".join(capsys.readouterr().out.split())
    assert "for every execution has its own: address in memory (2), file of a cell (1)." in text


def test_the_rows_that_differ_most_come_first():
    replay = compare_replay(build_facts(), again(**predicted(0.5, 0.7)))
    assert [row.row for row in replay.worst_predictions] == ["1", "2"]
    assert replay.worst_predictions[0].difference == 0.25


def test_a_wider_tolerance_lets_more_pass_and_none_nothing():
    changed = again(metrics={"roc_auc": 0.9009})
    assert compare_replay(build_facts(), changed, tolerance=0.01).verdict is CLOSE
    assert compare_replay(build_facts(), changed, tolerance=0).verdict is DIFFERENT


@pytest.mark.parametrize(
    ("difference", "expected"), [(1e-12, CLOSE), (0.0, CLOSE), (0.1, DIFFERENT), (None, DIFFERENT)]
)
def test_a_model_with_other_bytes_is_never_identical(difference, expected):
    changed = again(model={"model/model.skops": OTHER, "model/contract.json": "f" * 64})
    assert compare_replay(build_facts(), changed, model_difference=difference).verdict is expected


def test_other_data_is_the_reason_before_all_that_follows_from_it():
    changed = again(datasets={"train train": OTHER, "holdout holdout": "b" * 64}, metrics={"roc_auc": 0.5})
    replay = compare_replay(build_facts(), changed)
    assert replay.reasons[0] == f"The data is not the same: data train train: {'a' * 12} then, {'9' * 12} now"
    assert headline(replay).endswith("the data is not the same.")


def test_a_replay_that_did_not_finish_is_different():
    replay = compare_replay(build_facts(), again(state=RunState.FAILED, error="Cell 2 raised ValueError: x"))
    assert replay.verdict is DIFFERENT
    assert "Cell 2 raised ValueError: x" in replay.reasons[0]


def test_what_differs_is_printed_first_and_says_then_and_now(capsys):
    changed = again(metrics={"roc_auc": 0.5}, **predicted(0.5, 0.75))
    print_replay(compare_replay(build_facts(), changed, notes=["The machine is another one."]))
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith("Run bbbb2222 does not repeat run aaaa1111: 2 of 9 things differ.")
    assert text.index("✕ different") < text.index("✓ identical")
    assert "row 1: 0.25 then, 0.5 now, difference 0.25" in text
    assert text.endswith("The machine is another one.")


PROVENANCE = {
    "notebook_digest": "a" * 64,
    "lock_digest": "b" * 64,
    "python": "3.11.9",
    "packages_digest": "c" * 64,
    "packages": {"numpy": "2.3", "skops": "0.16"},
    "git_commit": "d" * 40,
    "git_dirty": False,
    "machine": {"system": "Linux", "processors": 2},
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"notebook_digest": OTHER}, f"The notebook changed since: {'a' * 12} then, {'9' * 12} now."),
        ({"lock_digest": None}, f"The lock file changed since: {'b' * 12} then, none now."),
        ({"python": "3.12.0"}, "Python is another one: 3.11.9 then, 3.12.0 now."),
        ({"packages_digest": OTHER, "packages": {"numpy": "2.4", "skops": "0.16"}}, "numpy 2.3 then, 2.4 now"),
        ({"packages_digest": OTHER}, "The installed packages changed since: digest"),
    ],
)
def test_what_is_no_longer_the_same_is_named(change, says):
    (change,) = find_changes(PROVENANCE, {**PROVENANCE, **change})
    assert says in change


def test_every_change_is_named_at_once():
    assert len(find_changes(PROVENANCE, {})) == 4
    assert find_changes(PROVENANCE, PROVENANCE) == []


def test_the_commit_and_the_machine_are_told_and_change_nothing():
    now = {**PROVENANCE, "git_commit": "e" * 40, "git_dirty": True, "machine": {"system": "Linux", "processors": 64}}
    assert find_changes(PROVENANCE, now) == []
    notes = " ".join(find_notes(PROVENANCE, now))
    assert all(word in notes for word in ("commit", "uncommitted changes", "Linux, 64"))
    assert find_notes(PROVENANCE, PROVENANCE) == []
