"""A failed run goes on where it stopped, with nothing before that changed, and is promotable once it was replayed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.unit.replays.builders import again, build_facts, code
from workbench.replays.replay import (
    Replay,
    compare_replay,
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
