"""By which rules rows are judged stands in the ledger before their first score, for whichever notebook scores them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS
from tests.integration.governed import Governed
from tests.unit.policies.builders import STANDARD_POLICY
from workbench.config import Settings
from workbench.evidence.evidence import Finding, Status
from workbench.reviews.review import Review
from workbench.workflow import Workbench

SOURCE = (NOTEBOOKS / "logs_everything.ipynb").read_text(encoding="utf-8")


def find(review: Review, check: str) -> Finding:
    return next(finding for finding in review.findings if finding.check == check)


def write_policy(folder: Path, name: str, *, margin: str = "0.005") -> Path:
    """Write the standard policy with another margin."""
    path = folder / name
    path.write_text(
        STANDARD_POLICY.read_text(encoding="utf-8").replace("margin: 0.005", f"margin: {margin}"), encoding="utf-8"
    )
    return path


def test_a_second_notebook_on_the_same_holdout_passes_with_its_first_run(nominated: Governed, tmp_path: Path) -> None:
    other = Path(shutil.copy(NOTEBOOKS / "logs_everything.ipynb", tmp_path / "another_notebook.ipynb"))
    run = nominated.bench.run(other, {"strength": 0.25})
    finding = find(nominated.bench.nominate(run.id, "another"), "planned_first")
    assert (finding.status, finding.value.partition(",")[0]) == (Status.PASS, "entry 1")


def test_a_policy_that_was_written_after_the_first_score_does_not_pass_by_running_again_and_that_is_said_early(
    nominated: Governed, caplog: pytest.LogCaptureFixture
) -> None:
    policy = write_policy(nominated.project, "written_later.yaml", margin="0.004")
    bench = Workbench.open(Settings(nominated.project, author=AUTHOR, policy=str(policy)))
    run = bench.run(nominated.project / "logs_everything.ipynb", {"strength": 0.75})
    # Before the kernel starts: what just these cells scored before were rows whose rules are others.
    assert caplog.text.count(f"cannot pass planned_first under policy {policy}.") == 1
    (told,) = bench.foresee_obstacles([run])
    review = bench.nominate(run.id, "later")
    assert caplog.text.count("cannot pass planned_first") == 1  # and not of the replay
    finding = find(review, "planned_first")
    assert finding.status is Status.FAIL
    assert "scored on since" in finding.reason
    assert (told.about, told.runs) == ("planned_first", (run.id,))
    assert told.text.startswith(finding.reason)
    assert told.text.endswith("What stood there is standard: `workbench nominate RUN --model NAME --policy standard`.")
    before = nominated.bench.nominate(run.id, "before", policy="standard")
    assert find(before, "planned_first").status is Status.PASS
    assert before.evidence.tries.distinct == len({1.0, 0.5, 0.75}) + 1  # and the other rules
    bench.store.close()


def test_a_file_of_the_name_of_a_shipped_policy_does_not_stand_in_for_it(
    nominated: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_policy(nominated.project, "standard", margin="0.5")
    monkeypatch.chdir(nominated.project)
    review = nominated.bench.nominate(nominated.bench.review("shop/1").evidence.identity.run_id, "named")
    assert review.policy_digest == nominated.bench.review("shop/1").policy_digest


def test_a_truth_that_is_not_the_holdouts_is_never_green(nominated: Governed, tmp_path: Path) -> None:
    turned = tmp_path / "turned.ipynb"
    logged = "(holdout.index, holdout.bought, score)"
    turned.write_text(SOURCE.replace(logged, logged.replace("holdout.bought", "1 - holdout.bought")), encoding="utf-8")
    assert turned.read_text(encoding="utf-8") != SOURCE
    run = nominated.bench.run(turned, {})
    finding = find(nominated.bench.nominate(run.id, "turned"), "holdout_untouched")
    assert finding.status is Status.UNKNOWN
    assert "target=" in finding.reason
