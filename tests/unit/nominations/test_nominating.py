"""What is refused before anything of a run is read."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.unit.evidence.builders import build_evidence, build_tries
from tests.unit.nominations.test_planning import build_run
from workbench.errors import Refused
from workbench.nominations.nominating import plan_nomination
from workbench.nominations.recomputing import find_untold_tries
from workbench.runs.looks import look_of_run


def test_a_run_that_ended_later_than_this_machine_says_it_is_cannot_be_nominated():
    """Its approvals would be older than what they sign: either this clock was set back, or that of the run was ahead."""
    ledger = SimpleNamespace(clock=lambda: "2026-11-20T09:59:49+00:00")
    project = cast("Any", SimpleNamespace(store=SimpleNamespace(ledger=ledger)))
    run = replace(build_run(), ended="2026-11-20T10:00:00+00:00")
    with pytest.raises(Refused, match=f"Refused: nominate run {run.id}") as refused:
        plan_nomination(project, run, replay=cast("Any", None))
    assert refused.value.reasons == (f"It ended at {run.ended}, and this machine's clock says {ledger.clock()}.",)
    assert "run the notebook again" in refused.value.next_step


def test_tries_that_can_still_be_counted_were_counted_at_the_nomination(tmp_path):
    """More were, where drafts are gone since."""
    looks = [look_of_run(build_run(f"aaaa111{number}"), tmp_path) for number in range(3)]
    assert find_untold_tries(build_evidence(tries=build_tries(distinct=4)), looks) == []
    assert find_untold_tries(build_evidence(tries=build_tries(distinct=3)), looks) == []
    (said,) = find_untold_tries(build_evidence(tries=build_tries(distinct=2)), looks)
    assert said == "tries.distinct was 2 at its nomination, and by then its holdout had been seen 3 times."
