"""Comparing and nominating real runs: what cannot be held against each other never gets a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS
from workbench.comparisons.difference.part import Likeness
from workbench.config import Settings
from workbench.errors import Refused, RunFailed, UsageError
from workbench.evidence.evidence import Status
from workbench.nominations.nominating import plan_nomination
from workbench.policies.policy_files import find_policy
from workbench.reviews.review import Review
from workbench.runs.run import Run
from workbench.stats.units import DrawnUnits
from workbench.workflow import Workbench

SOURCE = (NOTEBOOKS / "logs_everything.ipynb").read_text(encoding="utf-8")
TRAIN = 'wb.log_dataset(train, role=\\"train\\")'
HOLDOUT = 'wb.log_dataset(holdout, role=\\"holdout\\", target=\\"bought\\")'


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    opened = Workbench.open(Settings(make_project(tmp_path_factory.mktemp("compared") / "project"), author=AUTHOR))
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def good(bench: Workbench) -> Run:
    return bench.run(NOTEBOOKS / "logs_everything.ipynb", {})


def run_changed(bench: Workbench, folder: Path, old: str, new: str) -> Run:
    """Run the notebook that logs everything, with one place in it changed."""
    assert old in SOURCE
    path = folder / "changed.ipynb"
    path.write_text(SOURCE.replace(old, new), encoding="utf-8")
    try:
        return bench.run(path, {})
    except RunFailed as exc:
        return bench.show(exc.what.split()[1])


def finding(review: Review, check: str) -> tuple[Status, str]:
    found = next(item for item in review.findings if item.check == check)
    return found.status, found.reason


def test_a_run_named_twice_is_compared_once(bench: Workbench, good: Run) -> None:
    assert [run.run_id for run in bench.compare([good.id, good.id[:6]]).runs] == [good.id]


def test_a_run_that_failed_is_neither_reference_nor_baseline(bench: Workbench, good: Run, tmp_path: Path) -> None:
    failed = run_changed(bench, tmp_path, "wb.log_model(", "raise ValueError; wb.log_model(")
    assert not failed.is_finished
    for call in (
        lambda: bench.compare([good.id], reference=failed.id),
        lambda: bench.nominate(good.id, "shop", baseline=failed.id),
    ):
        with pytest.raises(Refused, match=f"Run {failed.id} is FAILED"):
            call()


def test_a_run_on_another_holdout_is_neither_reference_nor_baseline(
    bench: Workbench, good: Run, tmp_path: Path
) -> None:
    other = run_changed(bench, tmp_path, "default_rng(7)", "default_rng(8)")
    assert other.is_finished
    for call in (
        lambda: bench.compare([good.id], reference=other.id),
        lambda: bench.nominate(good.id, "shop", baseline=other.id),
    ):
        with pytest.raises(UsageError, match="cannot be compared"):
            call()


def test_a_run_with_a_truth_of_its_own_beats_nobody(bench: Workbench, good: Run, tmp_path: Path) -> None:
    liar = run_changed(bench, tmp_path, "holdout.bought, score)", "(score > 0.9).astype(int), score)")
    assert liar.is_finished
    for call in (
        lambda: bench.compare([liar.id], reference=good.id),
        lambda: bench.nominate(liar.id, "shop", baseline=good.id),
    ):
        with pytest.raises(UsageError, match=r"The truth differs on \d+ of 200 rows"):
            call()
    compared = bench.compare()
    assert liar.id not in {run.run_id for run in compared.runs}
    assert compared.left_out >= 1
    assert compared.tried >= 2


def test_other_rules_on_the_rows_count_in_a_comparison_as_at_nomination(
    bench: Workbench, good: Run, tmp_path: Path
) -> None:
    own = tmp_path / "own.yaml"
    own.write_bytes(find_policy("minimal", bench.settings.project) + b"# own\n")
    before = bench.compare([good.id], policy=str(own))
    other = Workbench.open(replace(bench.settings, policy="minimal"))
    with closing(other.store):
        other.run(NOTEBOOKS / "logs_everything.ipynb", {})
    compared = bench.compare([good.id], policy=str(own))
    assert (compared.tried, compared.other_rules) == (before.tried + 1, 1)
    parts = {"model": "shop", "policy_name": str(own), "policy_bytes": own.read_bytes(), "nominator": AUTHOR}
    tries = plan_nomination(bench, good, replay=bench.replay, baseline=None, last_version=0, **parts).tries
    assert tries is not None and (tries.distinct, len(tries.other_rules)) == (compared.tried, 1)
    assert tries.other_rules[0].startswith("minimal (sha256 ")


@pytest.mark.parametrize(
    ("logged", "status", "says"),
    [
        ("table", Status.FAIL, "200 holdout rows also stand in the training data"),
        ("table.astype({'bought': float})", Status.FAIL, "200 holdout rows also stand in the training data"),
        ("table[features]", Status.UNKNOWN, "Log both with the same columns, the label included"),
        ("table.astype('float32')", Status.UNKNOWN, "Log both with the same columns, the label included"),
    ],
)
def test_training_on_the_holdout_is_never_green(
    bench: Workbench, tmp_path: Path, logged: str, status: Status, says: str
) -> None:
    run = run_changed(bench, tmp_path, TRAIN, TRAIN.replace("train,", f"{logged},"))
    found, reason = finding(bench.nominate(run.id, "leak"), "holdout_untouched")
    assert found is status
    assert says in reason


def test_a_metric_that_is_not_defined_is_unknown_and_costs_no_version(bench: Workbench, tmp_path: Path) -> None:
    changed = "holdout = holdout[holdout.bought == 0]\\n" + HOLDOUT
    path = tmp_path / "one_class.ipynb"
    path.write_text(SOURCE.replace(HOLDOUT, changed).replace("wb.log_metrics(", "dict("), encoding="utf-8")
    run = bench.run(path, {})
    review = bench.nominate(run.id, "oneclass")
    assert (review.evidence.score, review.evidence.baseline) == (None, None)
    for check in ("metric_limit", "metric_recomputed", "beats_baseline"):
        assert finding(review, check)[0] is Status.UNKNOWN
    assert bench.nominate(run.id, "oneclass").evidence.identity.version == 2


def test_groups_that_the_holdout_names_are_drawn_whole_in_comparison_and_evidence(
    bench: Workbench, tmp_path: Path
) -> None:
    logged = HOLDOUT.replace("target=", 'group=\\"customer\\", target=')
    grouped = (
        f"train, holdout = (each.assign(customer=each.index // 4) for each in (train, holdout))\\n{TRAIN}\\n{logged}"
    )
    run = run_changed(bench, tmp_path, f"{TRAIN}\\n{HOLDOUT}", grouped)
    compared = bench.compare([run.id])
    assert (compared.rows, compared.units) == (200, DrawnUnits("group", 50, 1))
    review = bench.nominate(run.id, "grouped")
    baseline = review.evidence.baseline
    assert baseline is not None
    assert (baseline.units, baseline.best.advantage) == (compared.units, compared.best.advantage)
    assert finding(review, "holdout_untouched")[0] is Status.PASS
    assert "200 rows in 50 groups, each drawn whole" in next(
        item.value for item in review.findings if item.check == "beats_baseline"
    )
    assert bench.review("grouped/1").evidence == review.evidence


def test_what_was_changed_is_what_differs_and_what_was_tampered_with_is_said(
    bench: Workbench, good: Run, tmp_path: Path
) -> None:
    logged = f"train, holdout = train[:200], holdout.assign(age=1.0)\\n{TRAIN}"
    other = run_changed(bench, tmp_path, TRAIN, logged)
    found = bench.diff(good.id, other.id[:8])
    parts = {part.name: part for part in found.parts}
    assert "They differ in data (holdout, train 300 → 200 rows), 1 cell" in found.headline.replace(
        " and 1 cell", ", 1 cell"
    )
    assert [(row["table"], row["in common"]) for row in parts["data"].tables[0].rows] == [
        ("holdout", 200),
        ("train", 200),
    ]
    assert {"+train, holdout = train[:200], holdout.assign(age=1.0)", " train, holdout = table[:300], table[300:]"} < {
        *parts["source"].excerpts[0].lines
    }
    coefficients = next(table for table in parts["model"].tables if table.title.startswith("Coefficients"))
    assert {row["coefficient"] for row in coefficients.rows} == {"x0", "x1", "x2", "x3", "intercept"}
    assert {parts[name].likeness for name in ("parameters", "environment")} == {Likeness.SAME}
    assert found.comparison is not None
    assert found.comparison.tried == bench.compare([other.id], reference=good.id).tried

    stored = bench.settings.runs_folder / other.id / "predictions.parquet"
    content = stored.read_bytes()
    stored.write_bytes(content[::-1])
    spoilt = bench.diff(good.id, other.id)
    stored.write_bytes(content)
    predictions = next(part for part in spoilt.parts if part.name == "predictions")
    assert (spoilt.comparison, predictions.likeness) == (None, Likeness.UNKNOWN)
    assert "is not the file that was recorded when the run ended" in predictions.unknown[0]
    with pytest.raises(UsageError, match="cannot be held against itself"):
        bench.diff(good.id, good.id)
