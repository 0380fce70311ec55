"""A retrain on new data: the champion's frozen model is asked about the new holdout, and is not fitted again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io

from tests.conftest import NOTEBOOKS, MakeOnce
from tests.integration.governed import MODEL, Governed, open_governed, reasons_of
from tests.integration.nominations.test_rules import find
from tests.unit.evidence.builders import write_in_format
from workbench.checks import CHECKS
from workbench.comparisons.overlap import OverlapFact
from workbench.comparisons.verdict import Verdict
from workbench.errors import Refused
from workbench.evidence.evidence import Status
from workbench.evidence.holdout_rows import HoldoutRows
from workbench.ledger.ledger import Event
from workbench.models.predictions import Predictions, parse_predictions, spell_predictions
from workbench.nominations import recomputing
from workbench.reviews import challenging
from workbench.reviews.challenging import Before, find_changed_answers, hold_against_champion, score_champion
from workbench.reviews.nominees import Nominee, read_before

SOURCE = (NOTEBOOKS / "logs_everything.ipynb").read_text(encoding="utf-8")
COLUMNS = ("x0", "x1", "x2", "x3")


def write_later(folder: Path, *, rows: int = 500, draw: int = 8) -> Path:
    """The notebook a month later: other rows come in, and there may be few of them."""
    changes = {"default_rng(7)": f"default_rng({draw})", "size=(500, 4)": f"size=({300 + rows}, 4)"}
    text = SOURCE
    for then, now in changes.items():
        assert then in text
        text = text.replace(then, now)
    path = folder / f"a_month_later_{draw}.ipynb"
    path.write_text(text, encoding="utf-8")
    return path


def draw_later(rows: int) -> pd.DataFrame:
    """The holdout of that notebook."""
    generator = np.random.default_rng(8)
    table = pd.DataFrame(generator.normal(size=(300 + rows, 4)), columns=list(COLUMNS))
    table["bought"] = (table.x0 + table.x1 + generator.normal(scale=0.5, size=len(table)) > 0).astype(int)
    return table[300:]


@pytest.fixture(scope="session")
def retrained_once(make_once: MakeOnce, released_once: Path, reviewers_keys: Path) -> Path:
    """The released project, in which the run of a month later is nominated as shop/3; it takes two of the champion's columns."""

    def make(folder: Path) -> None:
        governed = open_governed(Path(shutil.copytree(released_once, folder / "project")), reviewers_keys)
        run = governed.bench.run(write_later(governed.project), {"columns": 2})
        governed.answer_all(governed.bench.nominate(run.id, MODEL).subject)
        governed.bench.store.close()

    return make_once("retrained", make) / "project"


@pytest.fixture
def retrained(retrained_once: Path, tmp_path: Path, reviewers_keys: Path) -> Governed:
    return open_governed(Path(shutil.copytree(retrained_once, tmp_path / "project")), reviewers_keys)


@pytest.fixture
def never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model is asked: whoever tries fails."""

    def ask(*_: object, **__: object) -> None:
        raise AssertionError("a model was asked")

    monkeypatch.setattr(challenging, "score_rows", ask)


def champion_of(governed: Governed, version: int = 2) -> Before:
    return read_before(MODEL, version, governed.bench.settings, governed.bench.store.read_ledger())


def fitted_model(governed: Governed, subject: str) -> Any:
    run = governed.bench.review(subject).evidence.identity.run_id
    path = governed.bench.settings.runs_folder / run / "model" / "model.skops"
    return skops.io.loads(path.read_bytes())


def runs_by_notebook(governed: Governed) -> list[str]:
    return [Path(run.notebook).stem for run in governed.bench.list_runs()]


# The honest story


@pytest.mark.usefixtures("never_asked")
def test_a_retrain_on_new_data_is_compared_with_the_champion_and_released_without_a_waiver(retrained: Governed) -> None:
    review = retrained.bench.review("shop/3")
    assert review.evidence.champion_version == 2
    assert review.evidence.champion is not None
    assert (review.evidence.champion.rows, review.evidence.champion_overlap) == (500, OverlapFact(500, 0))
    assert {finding.status for finding in review.findings} == {Status.PASS}
    assert find(review, "not_worse_than_champion").value.startswith(("BETTER", "NOT WORSE"))
    assert review.waivers == ()
    assert retrained.approve("shop/3").decision.is_allowed
    later = [name for name in runs_by_notebook(retrained) if name.startswith("a_month_later")]
    assert len(later) == 2  # the run, and the replay of it: nothing was fitted for the champion


def test_what_the_champion_is_said_to_answer_is_what_its_model_answers_to_those_rows(retrained: Governed) -> None:
    nominee = retrained.bench.load_nominee("shop/3")
    asked = nominee.challenger.asked
    assert asked is not None
    assert asked.predictions is not None
    served = parse_predictions(asked.predictions, "the champion")
    holdout = draw_later(500)
    order = [list(served.rows).index(str(row)) for row in holdout.index]
    expected = fitted_model(retrained, "shop/2").predict_proba(holdout[list(COLUMNS)])[:, 1]
    np.testing.assert_allclose(served.score[order], expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(served.truth[order], holdout.bought)
    assert served.label is not None
    np.testing.assert_array_equal(served.label[order], expected > 0.5)
    assert (served.classes, served.positive_class) == ((0, 1), 1)


def test_another_champion_than_at_the_nomination_is_asked_when_the_review_is_opened(retrained: Governed) -> None:
    retrained.bench.rollback(MODEL)
    evidence = retrained.bench.review("shop/3").evidence
    assert evidence.champion_version == 1
    assert evidence.champion is not None
    assert evidence.champion.reference == "the champion, version 1"


def test_what_is_small_and_not_worse_as_far_as_anybody_can_tell_is_waived_by_an_owner_and_released(
    released: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = released.bench.run(write_later(released.project, rows=110, draw=10), {"columns": 2})
    review = released.bench.nominate(run.id, MODEL)
    finding = find(review, "not_worse_than_champion")
    assert finding.value.startswith(Verdict.INCONCLUSIVE)
    assert "110 rows tell a difference of" in finding.reason
    assert "would decide by the margin of 0.005" in finding.reason
    released.answer_all("shop/3")
    with pytest.raises(Refused, match="ends within 90 days"):
        released.waive("shop/3", "not_worse_than_champion", days=91)
    unknown = ["enough_data", "not_worse_than_champion"]
    blocking = {each.check: each.status for each in released.bench.review("shop/3").findings if each.blocks}
    assert blocking == dict.fromkeys(unknown, Status.UNKNOWN)
    for check in unknown:
        released.waive("shop/3", check, days=30)
    assert released.approve("shop/3").decision.is_allowed
    asked: list[object] = []
    score = challenging.score_rows
    monkeypatch.setattr(challenging, "score_rows", lambda *a, **k: (asked.append(a), score(*a, **k))[1])
    released.bench.promote("shop/3")
    assert len(asked) == 1  # again, when it counts
    assert released.bench.find_served(MODEL) == "shop/3"
    assert released.bench.verify("shop/3").decision.is_allowed


# Nothing but what was nominated and approved is asked


def test_a_champion_whose_frozen_bytes_were_changed_is_not_loaded(retrained: Governed) -> None:
    own, rows = predicted(retrained)
    path = retrained.bench.settings.models_folder / MODEL / "2" / "bundle" / "release" / "model" / "contract.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Refused, match="frozen files of version 2 are not what was nominated") as refused:
        score_champion(own, rows, champion_of(retrained))
    assert reasons_of(refused) == "release/model/contract.json is not what was nominated."


@pytest.mark.parametrize("name", ["manifest", "added"])
def test_nor_one_with_another_manifest_or_a_file_more(retrained: Governed, name: str) -> None:
    bundle = retrained.bench.settings.models_folder / MODEL / "2" / "bundle" / "release"
    path = bundle / "manifest.json" if name == "manifest" else bundle / "model" / "model.skops"
    path.write_bytes(b"{}")
    with pytest.raises(Refused, match="not what was nominated"):
        champion_of(retrained).read_model()


@pytest.mark.parametrize("name", ["holdout.parquet", "bundle"])
def test_what_is_gone_of_it_is_put_back_and_is_never_written_down_as_its_answer(retrained: Governed, name: str) -> None:
    nominee, before = retrained.bench.load_nominee("shop/3"), champion_of(retrained)
    path = retrained.bench.settings.models_folder / MODEL / "2" / name
    path.rename(path.with_name("away"))
    for ask in (challenging.ask_champion, find_changed_answers):
        with pytest.raises(Refused, match=f"models/{MODEL}/2 back from a copy") as refused:
            ask(nominee.facts, nominee.challenger, before)
        assert not isinstance(refused.value, challenging.Unanswered)
        assert str(retrained.project) not in str(refused.value)


@pytest.mark.usefixtures("never_asked")
def test_what_it_said_cannot_be_changed_afterwards(retrained: Governed) -> None:
    path = retrained.bench.settings.models_folder / MODEL / "3" / "champion.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Refused) as refused:
        retrained.bench.review("shop/3")
    assert reasons_of(refused) == "champion.parquet was changed since the nomination."


@pytest.mark.usefixtures("never_asked")
def test_nor_can_the_rows_it_is_asked_about(retrained: Governed) -> None:
    path = retrained.bench.settings.models_folder / MODEL / "3" / "holdout.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Refused) as refused:
        retrained.bench.load_nominee("shop/3").challenger.read_rows()
    assert reasons_of(refused) == "holdout.parquet was changed since the nomination."


def exchange(nominee: Nominee, **changes: Any) -> Nominee:
    asked = nominee.challenger.asked
    assert asked is not None
    return replace(nominee, challenger=replace(nominee.challenger, asked=replace(asked, **changes)))


def say_otherwise(predictions: Predictions, by: float) -> bytes:
    return spell_predictions(replace(predictions, score=predictions.score + by), {})


def test_what_it_said_at_the_nomination_is_asked_again_when_it_counts(
    retrained: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    nominee = retrained.bench.load_nominee("shop/3")
    again = challenging.score_champion(*predicted(retrained), champion_of(retrained))
    monkeypatch.setattr(challenging, "score_champion", lambda *_: again)
    said = parse_predictions(nominee.challenger.asked.predictions, "x")  # type: ignore[union-attr, arg-type]

    def changed(told: Nominee) -> list[str]:
        return find_changed_answers(told.facts, told.challenger, told.before)

    assert changed(nominee) == []
    assert changed(exchange(nominee, predictions=say_otherwise(said, by=1e-8))) == []  # another processor
    (found,) = changed(exchange(nominee, predictions=say_otherwise(said, by=0.01)))
    assert found.startswith("The champion's scores at the nomination differ from those of now by up to 0.01")
    turned = spell_predictions(replace(said, label=1 - said.places()), {})
    assert changed(exchange(nominee, predictions=turned)) == [
        "The champion's labels at the nomination are not those of now."
    ]
    (found,) = changed(exchange(nominee, predictions=None, fault="It was not there."))
    assert found == "The champion could be scored now, and was not at the nomination: It was not there."


def test_a_champion_that_answers_otherwise_than_at_the_nomination_stops_the_promotion(
    retrained: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    nominee = retrained.bench.load_nominee("shop/3")
    monkeypatch.setattr(recomputing.nominating, "recompute_facts", lambda *_: nominee.facts)
    said = parse_predictions(nominee.challenger.asked.predictions, "x")  # type: ignore[union-attr, arg-type]
    changed = exchange(nominee, predictions=say_otherwise(said, by=0.01))
    assert len(recomputing.find_changed_facts(retrained.bench, changed)) == 1


# What it is not asked, and what it cannot answer


def predicted(governed: Governed) -> tuple[Predictions, HoldoutRows]:
    """What the nominee predicted, and the rows."""
    nominee = governed.bench.load_nominee("shop/3")
    rows = nominee.challenger.read_rows()
    assert rows is not None
    return parse_predictions(nominee.challenger.predictions, "shop/3"), rows


def fault_of(own: Predictions, rows: HoldoutRows | None, before: Before) -> str:
    with pytest.raises(Refused) as refused:
        score_champion(own, rows, before)
    assert refused.value.next_step
    return challenging.describe_fault(refused.value)


@pytest.mark.usefixtures("never_asked")
def test_another_question_is_not_compared(retrained: Governed) -> None:
    own, rows = predicted(retrained)
    before = champion_of(retrained)
    named = {"classes": ("no", "yes"), "positive_class": "yes"}
    numbers = replace(own, task="regression", label=None, classes=None, positive_class=None, response=None)
    renamed = fault_of(own, replace(rows, target="returned"), before)
    assert (
        "Its target is 'bought', that of this run 'returned'. Where only the column was renamed, log it as" in renamed
    )
    assert "tells no, yes apart and is scored for yes, the other 0, 1" in fault_of(replace(own, **named), rows, before)
    assert "is scored for 0, the other" in fault_of(replace(own, positive_class=0), rows, before)
    assert "a run of regression, the other of classification" in fault_of(numbers, rows, before)
    assert "were not kept with the nominee" in fault_of(own, None, before)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda columns: {name: columns[name] for name in ("x0", "x1", "x2", "bought")},
            "no column x3, which the model",
        ),
        (
            lambda columns: {**columns, "x3": ["null", *columns["x3"][1:]]},
            "Row 0, column 'x3': expected a finite number",
        ),
    ],
)
def test_rows_it_cannot_take_leave_it_unscored_with_the_reason(
    retrained: Governed, change: Callable[[Any], dict[str, list[str]]], said: str
) -> None:
    own, rows = predicted(retrained)
    fault = fault_of(own, replace(rows, columns=change(rows.columns)), champion_of(retrained))
    assert said in fault
    assert fault.startswith("The champion, version 2, has no answer to this holdout.")
    assert "Log the holdout with every column it takes" in fault


def test_what_could_not_be_asked_at_the_nomination_is_told_in_the_review_and_its_facts_stay_whole(
    retrained: Governed,
) -> None:
    nominee = exchange(retrained.bench.load_nominee("shop/3"), predictions=None, fault="It takes a column. It is gone.")
    assert nominee.before is not None
    held = hold_against_champion(nominee.facts, nominee.policy, nominee.challenger, nominee.before)
    assert (held.champion, held.champion_version, held.champion_unscored) == (None, 2, "It takes a column. It is gone.")
    assert held.to_bytes()
    old = write_in_format(nominee.facts, 3)
    assert hold_against_champion(old, nominee.policy, nominee.challenger, nominee.before).to_bytes()


@pytest.mark.usefixtures("never_asked")
def test_how_it_does_here_stands_beside_its_own_holdout_and_answers_turned_round_are_another_question(
    retrained: Governed,
) -> None:
    nominee = retrained.bench.load_nominee("shop/3")
    shift = nominee.evidence.champion_shift
    assert shift is not None
    assert (shift.rows_here, shift.rows_own, shift.is_strange) == (500, 200, False)
    assert f"which has {shift.told}" in find(retrained.bench.review("shop/3"), "not_worse_than_champion").value
    assert f"The champion, version 2, has {shift.told}." in nominee.card.decode()
    said = parse_predictions(nominee.challenger.asked.predictions, "x")  # type: ignore[union-attr, arg-type]
    turned = exchange(nominee, predictions=spell_predictions(replace(said, score=1 - said.score), {}))
    assert nominee.before is not None
    held = hold_against_champion(nominee.facts, nominee.policy, turned.challenger, nominee.before)
    found = CHECKS["not_worse_than_champion"](held, nominee.policy)
    assert found.status is Status.UNKNOWN
    assert "seem to mean something else here" in found.reason


@pytest.mark.usefixtures("never_asked")
def test_a_champion_that_was_judged_on_the_same_rows_is_not_asked_again(released: Governed) -> None:
    nominee = released.bench.load_nominee("shop/1")
    assert (nominee.challenger.asked, nominee.evidence.champion_shift) == (None, None)
    assert nominee.evidence.champion_overlap == OverlapFact(200, 0)
    assert nominee.evidence.champion is not None
    assert nominee.evidence.champion.reference == "the champion, version 2"


@pytest.mark.parametrize("difference", [None, 1e-3])
def test_it_is_where_nobody_saw_that_what_is_served_answers_as_its_run_said(
    released: Governed, monkeypatch: pytest.MonkeyPatch, difference: float | None
) -> None:
    nominee = released.bench.load_nominee("shop/1")
    assert nominee.before is not None
    asked: list[object] = []
    monkeypatch.setattr(challenging, "score_champion", lambda own, *_: (asked.append(own), own)[1])
    model = replace(nominee.before.facts.model, largest_difference=difference)
    unseen = replace(nominee.before, facts=replace(nominee.before.facts, model=model))
    held = hold_against_champion(nominee.facts, nominee.policy, nominee.challenger, unseen)
    assert len(asked) == 1
    assert held.champion is not None
    assert held.champion.runs[0].advantage is not None
    assert held.champion.runs[0].advantage.high == 0.0  # it was held against itself


def test_the_ledger_says_whom_a_nomination_asked_and_binds_what_was_said(retrained: Governed) -> None:
    nominated = [entry for entry in retrained.bench.store.read_ledger() if entry.event is Event.NOMINATED]
    first, last = nominated[0].body, nominated[-1].body
    assert last["champion"] == {"version": 2, "fault": None}
    assert {"champion.parquet", "holdout.parquet", "training_rows.json"} <= set(last)
    assert "champion" not in first
    assert "holdout.parquet" in first


def test_values_are_asked_as_they_were_spelled(retrained: Governed) -> None:
    _, rows = predicted(retrained)
    holdout = draw_later(500)
    order = sorted(range(len(holdout)), key=lambda place: str(holdout.index[place]))
    assert list(map(float, rows.columns["x3"])) == holdout.x3.iloc[order].tolist()
    assert rows.target == "bought"


def test_fewer_tries_than_can_be_counted_stop_the_promotion(
    retrained: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    nominee = retrained.bench.load_nominee("shop/2")
    told = replace(nominee, facts=replace(nominee.facts, tries=replace(nominee.facts.tries, distinct=1)))  # type: ignore[type-var]
    monkeypatch.setattr(recomputing.nominating, "recompute_facts", lambda *_: told.facts)
    assert recomputing.find_changed_facts(retrained.bench, told) == [
        "tries.distinct was 1 at its nomination, and by then its holdout had been seen 2 times."
    ]
