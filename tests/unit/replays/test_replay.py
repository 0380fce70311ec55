"""A replay says the same only of what is the same; a model has the same bytes wherever it is written."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from workbench.cli.records import print_replay
from workbench.models.skops_canonical import find_model_difference, to_canonical
from workbench.notebooks.cell_output import Shown, read_outputs
from workbench.records.closeness import find_difference, find_text_difference
from workbench.records.digest import sha256_hex
from workbench.replays.replay import (
    Facts,
    Predicted,
    Replay,
    Sameness,
    compare_replay,
    find_changes,
    find_notes,
    headline,
)
from workbench.replays.resumption import (
    Resumption,
    find_parameter_changes,
    find_prefix_changes,
    find_promotion_faults,
    find_state_fault,
    find_stop,
    is_cell_changed,
    replays_of,
)
from workbench.runs.run import Run, RunState

SAME, CLOSE, DIFFERENT = Sameness.IDENTICAL, Sameness.WITHIN_TOLERANCE, Sameness.DIFFERENT
ROWS = 120


# Models


def fitted(model):
    table, target = load_breast_cancer(return_X_y=True, as_frame=True)
    return model.fit(table[:ROWS], target[:ROWS])


def features():
    return load_breast_cancer(as_frame=True).data[ROWS : 2 * ROWS]


MODELS = {
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "forest": lambda: RandomForestClassifier(10, random_state=0),
    "extra_trees_with_a_random_state": lambda: ExtraTreesClassifier(5, random_state=np.random.RandomState(3)),
    "gradient_boosting": lambda: GradientBoostingClassifier(n_estimators=5, random_state=0),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=5, random_state=0),
    "pipeline": lambda: make_pipeline(
        ColumnTransformer([("few", StandardScaler(), ["mean radius", "mean texture"])], remainder="drop"),
        LogisticRegression(),
    ),
    "function": lambda: make_pipeline(FunctionTransformer(np.log1p), DecisionTreeClassifier(random_state=0)),
}


def load(content: bytes):
    return skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_written_in_the_same_bytes_twice_and_loads_as_it_was(name):
    model = fitted(MODELS[name]())
    first = to_canonical(skops.io.dumps(model))
    assert first == to_canonical(skops.io.dumps(model)) == to_canonical(first)
    loaded = load(first)
    assert type(loaded) is type(model)
    assert loaded.predict_proba(features()).tolist() == model.predict_proba(features()).tolist()
    assert loaded.get_params().keys() == model.get_params().keys()


def nested() -> dict:
    shared = {"words": {"one", "two", "three"}, "table": np.arange(6.0).reshape(2, 3)}
    return {
        "first": shared,
        "again": shared,
        "frozen": frozenset({("a", 1), ("b", 2), ("c", 3)}),
        "bytes": [b"abc", b"abc", bytearray(b"xyz")],
        "sparse": scipy.sparse.csr_matrix(np.eye(3)),
        "objects": np.array(["a", None, 2], dtype=object),
        "generator": np.random.default_rng(4),
        "state": np.random.RandomState(5),
        "treacherous": {"__id__": 7, "file": "schema.json", "__loader__": "SetNode"},
        "half": "\ud800",
        "slice": slice(1, None, 2),
    }


def test_what_is_nested_loads_with_everything_in_it_and_shared_where_it_was():
    value, loaded = nested(), load(to_canonical(skops.io.dumps(nested())))
    assert list(loaded) == list(value)
    assert loaded["first"] is loaded["again"]
    assert loaded["first"]["words"] == value["first"]["words"]
    assert loaded["first"]["table"].tolist() == value["first"]["table"].tolist()
    for name in ("frozen", "bytes", "treacherous", "half", "slice"):
        assert loaded[name] == value[name], name
    assert loaded["objects"].tolist() == value["objects"].tolist()
    assert loaded["sparse"].toarray().tolist() == value["sparse"].toarray().tolist()
    assert loaded["generator"].integers(1000, size=5).tolist() == value["generator"].integers(1000, size=5).tolist()
    assert loaded["state"].randint(1000, size=5).tolist() == value["state"].randint(1000, size=5).tolist()


_IN_ANOTHER_PROCESS = """
import skops.io
from tests.unit.replays import test_replay as ours
from workbench.records.digest import sha256_hex
from workbench.models.skops_canonical import to_canonical
for name, make in ours.MODELS.items():
    print(name, sha256_hex(to_canonical(skops.io.dumps(ours.fitted(make())))))
print("nested", sha256_hex(to_canonical(skops.io.dumps(ours.nested()))))
print("words", sha256_hex(to_canonical(skops.io.dumps(ours.vectorizer()))))
"""


def vectorizer() -> TfidfVectorizer:
    return TfidfVectorizer(stop_words=["the"]).fit(["the cat or a dog", "a fish and the cat"])


def digests_of_another_process(seed: str) -> dict[str, str]:
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", _IN_ANOTHER_PROCESS]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


def test_a_model_has_the_same_bytes_in_every_process():
    first, second = digests_of_another_process("1"), digests_of_another_process("2")
    assert first == second
    assert set(first) == {*MODELS, "nested", "words"}


def test_what_was_learnt_otherwise_has_other_bytes():
    one, other = (fitted(RandomForestClassifier(3, random_state=seed)) for seed in (0, 1))
    assert to_canonical(skops.io.dumps(one)) != to_canonical(skops.io.dumps(other))


def canonical_regression(shift: float = 0.0) -> bytes:
    model = fitted(LogisticRegression(max_iter=5000))
    model.coef_ = model.coef_ * (1 + shift)
    return to_canonical(skops.io.dumps(model))


def test_how_far_two_models_are_apart_is_measured_number_by_number():
    assert find_model_difference(canonical_regression(), canonical_regression()) == 0
    assert find_model_difference(canonical_regression(), canonical_regression(1e-12)) == pytest.approx(1e-12, rel=0.01)
    assert find_model_difference(canonical_regression(), canonical_regression(0.5)) == pytest.approx(1 / 3)


def test_two_models_that_differ_in_more_than_numbers_have_no_distance():
    tree = to_canonical(skops.io.dumps(fitted(DecisionTreeClassifier(random_state=0))))
    assert find_model_difference(canonical_regression(), tree) is None
    assert find_model_difference(canonical_regression(), b"no zip") is None


# Numbers and texts


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_difference_is_the_same_from_both_sides_and_zero_only_for_equals(one, other):
    assert find_difference(one, other) == find_difference(other, one)
    assert (find_difference(one, one), find_difference(one, other) >= 0) == (0, True)


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ("auc 0.5", "auc 0.5", 0),
        ("auc 0.50", "auc 0.55", pytest.approx(0.0909, abs=1e-4)),
        ("auc 0.5 of 3", "auc 0.5 of 4", None),
        ("auc 0.5", "AUC 0.5", None),
        ("1e-3 and 2.0", "1e-3 and 2.5", pytest.approx(0.2)),
        ("version 1.2.3", "version 1.2.4", None),
        ("0.5", "0.5 0.5", None),
    ],
)
def test_two_texts_are_close_when_only_computed_numbers_differ(then, now, expected):
    assert find_text_difference(then, now) == expected


# Outputs


def code(source: str, *outputs: dict, tags: tuple[str, ...] = (), started: str | None = "2026-01-01T00:00:00") -> dict:
    metadata = {"tags": list(tags), "papermill": {"status": "completed", "start_time": started}}
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": list(outputs)}


def stream(text, name: str = "stdout") -> dict:
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data) -> dict:
    kinds = {"plain": "text/plain", "html": "text/html", "png": "image/png", "svg": "image/svg+xml"}
    return {"output_type": "display_data", "metadata": {}, "data": {kinds[key]: value for key, value in data.items()}}


def outputs(*cells: dict, own_names=()) -> dict[str, Shown]:
    return read_outputs({"cells": list(cells)}, own_names=own_names)


def test_what_a_stream_said_is_one_text_however_it_came():
    found = outputs(code("a = 1"), code("b", stream("one "), stream("oh", "stderr"), stream(["two", "\n"])))
    assert found == {"cell 2 stdout": Shown("one two\n"), "cell 2 stderr": Shown("oh")}


def test_cells_are_numbered_as_the_author_sees_them():
    injected = code("a = 2", stream("never counted"), tags=("injected-parameters",))
    found = outputs(
        {"cell_type": "markdown", "source": "#"}, code("a = 1"), injected, code("  "), code("a", stream("2"))
    )
    assert found == {"cell 2 stdout": Shown("2")}


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (stream("<object object at 0x7f3a5c0d1e20>"), stream("<object object at 0x7fffb2c3d4e5>")),
        (stream("kept in runs/aaaa1111"), stream("kept in runs/bbbb2222")),
        (shown(html="<style>#T_1a2b3 {}</style>"), shown(html="<style>#T_ffe01 {}</style>")),
        (shown(png="aGVs\nbG8=\n"), shown(png="aGVsbG8=")),
    ],
)
def test_what_is_another_one_at_every_execution_does_not_count(then, now):
    names = ("aaaa1111", "bbbb2222")
    assert outputs(code("x", then), own_names=names) == outputs(code("x", now), own_names=names)


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (stream("0.5"), stream("0.6")),
        (stream("1"), stream("1", "stderr")),
        (shown(plain="3"), shown(plain="4")),
        (shown(png=base64.b64encode(b"one").decode()), shown(png=base64.b64encode(b"two").decode())),
        (stream("colour 0xff"), stream("colour 0xfe")),
        (stream("3f2504e0-4f89-11d3-9a0c-0305e82c3301"), stream("3f2504e0-4f89-11d3-9a0c-0305e82c3302")),
    ],
)
def test_what_a_notebook_means_to_show_counts(then, now):
    assert outputs(code("x", then)) != outputs(code("x", now))


def test_a_picture_is_known_by_its_bytes():
    assert outputs(code("x", shown(png="aGVsbG8="))) == {
        "cell 1 output 1 image/png": Shown(sha256_hex(b"hello"), is_text=False)
    }


# Replays


def build_facts(**changes) -> Facts:
    values = {
        "run_id": "aaaa1111",
        "state": RunState.FINISHED,
        "error": None,
        "notebook_digest": "d" * 64,
        "parameters": {"strength": 1.0},
        "metrics": {"roc_auc": 0.9},
        "datasets": {"train train": "a" * 64, "holdout holdout": "b" * 64},
        "predictions": {"1": Predicted(0.0, 0.25), "2": Predicted(1.0, 0.75)},
        "predictions_digest": "c" * 64,
        "outputs": {"cell 2 stdout": Shown("auc 0.9")},
        "model": {"model/model.skops": "e" * 64, "model/contract.json": "f" * 64},
    }
    return Facts(**{**values, **changes})


def again(**changes) -> Facts:
    return build_facts(run_id="bbbb2222", **changes)


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


# Resuming


def build_run(**changes) -> Run:
    values = {
        "id": "aaaa1111",
        "notebook": "a.ipynb",
        "notebook_digest": "d" * 64,
        "parameters": {},
        "provenance": {},
        "author": "ada@example.org",
        "created": "2026-01-01T00:00:00+00:00",
        "state": RunState.FAILED,
    }
    return Run(**{**values, **changes})


ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "x"}


def test_a_run_stopped_in_the_cell_with_the_error_or_in_the_last_one_that_was_started():
    parameters, injected = code("a = 1", tags=("parameters",)), code("a = 2", tags=("injected-parameters",))
    pending = code("c", started=None)
    may_fail = code("a", ERROR) | {"metadata": {"tags": ["raises-exception"]}}
    assert find_stop({"cells": [parameters, may_fail, code("b", ERROR), pending]}) == 3
    assert find_stop({"cells": [parameters, injected, code("b", ERROR), pending]}) == 2
    assert find_stop({"cells": [parameters, injected, code("b"), pending]}) == 2
    assert find_stop({"cells": [code("a = 1", started=None), pending]}) is None
    assert find_stop({"cells": []}) is None


@pytest.mark.parametrize("state", sorted(set(RunState) - {RunState.FAILED}))
def test_only_a_failed_run_is_gone_on_with(state):
    assert str(state) in find_state_fault(build_run(state=state), 2)[0]


def test_a_run_that_stopped_in_no_known_cell_is_not_gone_on_with():
    assert find_state_fault(build_run(), 2) == []
    assert "no cell that is known" in find_state_fault(build_run(), None)[0]


def test_only_what_came_before_the_failed_cell_must_be_unchanged():
    then = {
        "cells": [
            code("a = 1", tags=("parameters",)),
            code("a = 2", tags=("injected-parameters",)),
            code("b"),
            code("c"),
        ]
    }
    now = {
        "cells": [
            code("a = 1", tags=("parameters",)),
            {"cell_type": "markdown", "source": "new"},
            code(["b"]),
            code("d"),
        ]
    }
    assert find_prefix_changes(then, now, 3) == []
    assert is_cell_changed(then, now, 3)
    assert not is_cell_changed(then, then, 3)
    changed = {"cells": [code("a = 1"), code("b + 1")]}
    assert find_prefix_changes(then, changed, 3) == ["Cell 1 was changed.", "Cell 2 was changed."]
    assert find_prefix_changes(then, {"cells": now["cells"][:1]}, 3) == ["Cell 2 is gone."]


def test_parameters_may_be_repeated_and_not_changed():
    then = {"strength": 1.0, "seed": 3}
    assert find_parameter_changes(then, {"seed": 3}) == []
    assert find_parameter_changes(then, {"strength": 1, "colour": "red"}) == [
        "Parameter strength was 1.0, is 1.",
        "Parameter colour was not there.",
    ]


@pytest.mark.parametrize(
    ("cell", "is_changed", "says"),
    [
        (4, True, "Cells 1-3 are unchanged and are executed again; it goes on from cell 4, which was changed."),
        (2, False, "Cell 1 is unchanged and is executed again; it goes on from cell 2, which was not changed."),
        (1, True, "Run aaaa1111 failed in its first cell, which is changed; everything is executed again."),
    ],
)
def test_a_resumption_says_what_is_executed_again(cell, is_changed, says):
    resumption = Resumption("aaaa1111", cell, is_changed, {})
    assert str(resumption) == says
    assert resumption.provenance == {"resumed_from": {"run": "aaaa1111", "cell": cell, "how": "re-executed"}}
    assert json.dumps(resumption.provenance)


RESUMED = build_run(
    id="cccc3333",
    state=RunState.FINISHED,
    provenance={"resumed_from": {"run": "aaaa1111", "cell": 3, "how": "re-executed"}},
)


def replay_of_resumed(**changes) -> Replay:
    return compare_replay(build_facts(run_id=RESUMED.id), again(**changes))


def test_a_resumed_run_is_promotable_only_after_a_clean_replay_of_itself():
    different = replay_of_resumed(metrics={"roc_auc": 0.1})
    assert find_promotion_faults(build_run(), []) == []
    assert "never replayed" in find_promotion_faults(RESUMED, [])[0]
    assert "bbbb2222 is different" in find_promotion_faults(RESUMED, [different])[0]
    assert "is different" in find_promotion_faults(RESUMED, [replace(replay_of_resumed(), run_id="dddd4444")])[0]
    assert find_promotion_faults(RESUMED, [different, replay_of_resumed()]) == []
    assert find_promotion_faults(RESUMED, [replay_of_resumed(metrics={"roc_auc": 0.9 * (1 + 1e-12)})]) == []


def test_only_finished_runs_that_name_it_are_replays_of_a_run():
    finished = build_run(id="1", state=RunState.FINISHED, provenance={"replay_of": RESUMED.id})
    others = [replace(finished, state=RunState.FAILED), replace(finished, provenance={"replay_of": "x"}), build_run()]
    assert list(replays_of(RESUMED, [finished, *others])) == [finished]
