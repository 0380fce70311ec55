"""The same data split anew: a champion is not compared on rows that it was trained on, for of these it knows the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.comparisons.builders import build_comparison
from tests.unit.evidence.builders import build_datasets, build_evidence, build_holdout, build_identity, write_in_format
from tests.unit.people import RUN_ID
from tests.unit.policies.builders import STRICT_POLICY, read_policy
from workbench.checks import CHECKS
from workbench.evidence.evidence import FORMAT, Evidence, Finding, Status
from workbench.evidence.holdout_rows import HoldoutRows
from workbench.evidence.measures.sample import SampleFact
from workbench.files.trees import read_tree
from workbench.models.predictions import Predictions, spell_predictions
from workbench.policies.policy import Policy
from workbench.records.row_digests import encode_value
from workbench.reviews.challenging import Asked, Before, Challenger, hold_against_champion
from workbench.runs.tables import read_tables
from workbench.runs.tabulating import Named, keep_table
from workbench.runs.training_rows import TrainingTable, find_training

DRAW = np.random.default_rng(11)
TABLE = pd.DataFrame(
    {"x": DRAW.normal(size=1000), "y": DRAW.normal(size=1000), "town": DRAW.choice(["Bern", "Ulm"], 1000)}
)
CHANCE = DRAW.normal(size=(2, 1000))
TABLE["bought"] = (TABLE.x + CHANCE[0] > 0).astype(int)
TRAINED = np.sort(DRAW.permutation(1000)[:700])
KNOWN, NEW = set(TRAINED.tolist()), sorted(set(range(1000)) - set(TRAINED.tolist()))
STANDARD = read_policy(STRICT_POLICY.with_stem("standard").read_bytes())
MINIMAL = read_policy(STRICT_POLICY.with_stem("minimal").read_bytes())


def allowing(most: float) -> Policy:
    return replace(STANDARD, checks={**STANDARD.checks, "holdout_untouched": {"most_shared_rows": most}})


@cache
def train_champion() -> tuple[TrainingTable, ...]:
    """What is kept of the rows it was trained on, with the tables of its run."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        keep_table(TABLE.iloc[TRAINED], folder, Named("train"), is_run=True)
        training = find_training(read_tables(read_tree(folder)))
    assert training is not None
    return training


def split(known: int, new: int) -> list[int]:
    """A holdout with so many rows that the champion was trained on, and so many that nobody was."""
    return sorted([*TRAINED[:known].tolist(), *NEW[:new]])


def predict(places: list[int], score: Any) -> Predictions:
    truth = TABLE.bought.to_numpy()[places].astype(float)
    label = (score > 0.5).astype(float)
    names = {"label": label, "classes": (0, 1), "positive_class": 1, "response": "predict_proba"}
    order = np.argsort([str(place) for place in places])
    whole = Predictions(tuple(str(place) for place in places), truth, score, "classification", **names)
    return whole.take(order)


def squash(score: Any) -> Any:
    return 1 / (1 + np.exp(-score))


def ask_champion(places: list[int]) -> Predictions:
    """It learnt by heart what it was trained on, and knows a little of other rows."""
    x, noise = TABLE.x.to_numpy()[places], CHANCE[1][places]
    by_heart, truth = np.array([place in KNOWN for place in places]), TABLE.bought.to_numpy()[places]
    return predict(places, np.where(by_heart, 0.02 + 0.96 * truth, squash(x + 1.5 * noise)))


def nominee(places: list[int], *, noise: float) -> Predictions:
    """What is known of x, with so much noise in it: the champion's is 1.5 on rows that are new to it."""
    return predict(places, squash(TABLE.x.to_numpy()[places] + noise * CHANCE[1][places]))


BETTER, AS_GOOD, WORSE = 0.0, -1.5, 9.0


@dataclass(frozen=True)
class Held:
    evidence: Evidence
    policy: Policy

    def find(self, check: str = "not_worse_than_champion") -> Finding:
        return CHECKS[check](self.evidence, self.policy)


def facts_of(own: Predictions, **changes: Any) -> Evidence:
    rows = len(own.rows)
    known = {"champion": None, "champion_version": None, "champion_overlap": None, "slices": None}
    sample, compared = SampleFact(rows, own.count_rarest(), 0), build_comparison(rows=rows)
    facts: dict[str, Any] = {"holdout": build_holdout(rows=rows), "sample": sample, "baseline": compared, **known}
    return build_evidence(**{**facts, **changes})


def spell(places: list[int], table: pd.DataFrame = TABLE) -> HoldoutRows:
    order = sorted(places, key=str)
    columns = {str(name): [encode_value(value) for value in table[name].iloc[order].tolist()] for name in table}
    return HoldoutRows(columns, "bought")


def hold(
    places: list[int],
    *,
    noise: float,
    policy: Policy = STANDARD,
    rows: HoldoutRows | None = None,
    champion: Mapping[str, Any] | None = None,
    slices: Mapping[str, list[str]] | None = None,
    written: int = FORMAT,
) -> Held:
    """Hold a nominee that was judged on these rows against the champion; `champion` changes what was frozen of it."""
    own, its = nominee(places, noise=noise), ask_champion(NEW[:200])
    facts = facts_of(own, slices=build_evidence().slices if slices else None)
    facts = write_in_format(facts, written) if written < FORMAT else facts
    its_facts = build_evidence(identity=build_identity(version=2), holdout=build_holdout(digest="f" * 64))
    before: dict[str, Any] = {
        "facts": its_facts,
        "predictions": spell_predictions(its, {}),
        "source": None,
        "modules": {},
        "local_code": {},
        "allows_own_code": False,
        "read_rows": lambda: None,
        "read_training": train_champion,
        "read_model": dict,
        **(champion or {}),
    }
    said = Asked(2, spell_predictions(ask_champion(places), {}), None)
    challenger = Challenger(RUN_ID, spell_predictions(own, slices or {}), lambda: rows or spell(places), said)
    return Held(hold_against_champion(facts, policy, challenger, Before(**before)), policy)


# Another split of the same data


def test_an_honest_nominee_on_another_split_is_compared_on_the_rows_that_are_new_to_the_champion_too() -> None:
    places = split(260, 140)
    held = hold(places, noise=BETTER)
    finding = held.find()
    assert finding.status is Status.PASS
    assert "The champion was trained on 260 of the 400 rows; compared on the other 140." in finding.reason
    assert "on 140 rows, against version 2 (trained on 260 of all 400)" in finding.value
    assert held.evidence.champion is not None
    assert held.evidence.champion.rows == 140
    assert held.find("enough_data").status is Status.PASS
    # On all of them what was learnt by heart wins.
    unfair = hold(places, noise=BETTER, policy=allowing(1000)).find()
    assert unfair.status is Status.FAIL
    assert "trained on 260 of the 400 rows, no more than the policy allows." in unfair.reason


def test_one_that_really_is_worse_on_rows_that_both_had_not_seen_fails() -> None:
    finding = hold(split(260, 140), noise=WORSE).find()
    assert finding.status is Status.FAIL
    assert "compared on the other 140. Keep the champion" in finding.reason


def test_what_the_rows_left_do_not_show_is_unknown_with_how_many_would() -> None:
    held = hold(split(260, 110), noise=AS_GOOD)
    for check in ("not_worse_than_champion", "enough_data"):
        finding = held.find(check)
        assert finding.status is Status.UNKNOWN
        assert "110 rows tell a difference of" in finding.reason
        assert "compared on the other 110. Keep the split: hold out the rows that it was judged on" in finding.reason


@pytest.mark.parametrize(("known", "new"), [(400, 0), (400, 12), (300, 99)])
@pytest.mark.parametrize("noise", [BETTER, WORSE])
def test_no_split_that_leaves_too_few_is_decided_either_way(known: int, new: int, noise: float) -> None:
    held = hold(split(known, new), noise=noise)
    finding = held.find()
    assert finding.status is Status.UNKNOWN
    told = (
        f"was trained on {known} of the {known + new} rows of this holdout; the other {new} are too few to compare on."
    )
    assert f"The champion, version 2, {told} It takes 100 rows, 20 of each class; the rarest has" in finding.reason
    assert finding.reason.endswith("or rows that are new to it, and run the notebook again.")
    assert held.find("enough_data").status is Status.UNKNOWN
    assert held.evidence.to_bytes()


def test_what_the_policy_asks_of_a_holdout_it_asks_of_the_rows_left() -> None:
    places = split(260, 60)
    assert hold(places, noise=BETTER).find().status is Status.UNKNOWN
    assert hold(places, noise=BETTER, policy=MINIMAL).find().status is Status.PASS
    few = hold(split(260, 9), noise=WORSE, policy=MINIMAL).find()
    assert few.status is Status.UNKNOWN
    assert "It takes 10 rows, 1 of each class" in few.reason


def test_rows_shared_by_chance_are_compared_as_far_as_the_policy_allows_it_of_a_nominee() -> None:
    places = split(3, 200)
    for most, rows in ((0, 200), (2, 200), (3, 203)):
        evidence = hold(places, noise=BETTER, policy=allowing(most)).evidence
        assert evidence.champion is not None
        assert (evidence.champion.rows, evidence.champion_overlap.shared_rows) == (rows, 3)  # type: ignore[union-attr]


def test_rows_changed_a_little_are_the_same_rows() -> None:
    places = split(260, 140)
    blurred = TABLE.assign(town=TABLE.town.str.upper() + " ", x=TABLE.x * (1 + 1e-9), more="a")
    assert hold(places, noise=BETTER, rows=spell(places, blurred)).evidence.champion.rows == 140  # type: ignore[union-attr]


def test_slices_and_the_score_beside_its_own_are_of_the_rows_left() -> None:
    places = split(260, 240)
    sizes = ["small" if place % 2 else "large" for place in sorted(places, key=str)]
    evidence = hold(places, noise=BETTER, slices={"size": sizes}).evidence
    assert evidence.slices is not None
    assert sum(value.rows for value in evidence.slices.values) == 240
    assert all(value.advantage > 0 for value in evidence.slices.values if value.advantage is not None)
    assert evidence.champion_shift is not None
    assert (evidence.champion_shift.rows_here, evidence.champion_shift.is_strange) == (240, False)


# Where nobody can tell


@pytest.mark.parametrize(
    ("champion", "columns", "why"),
    [
        ({"read_training": lambda: None}, list(TABLE), "Its training rows were not kept with it."),
        (
            {},
            ["x", "y", "bought"],
            "This holdout lacks town, by which its training rows are known. Log it with every column",
        ),
    ],
    ids=["not kept", "a column less"],
)
def test_worse_than_one_that_may_know_the_rows_is_unknown_and_better_is_better(
    champion: Mapping[str, Any], columns: list[str], why: str
) -> None:
    places = split(260, 140)
    rows = spell(places, TABLE[columns])
    worse = hold(places, noise=BETTER, champion=champion, rows=rows).find()
    assert worse.status is Status.UNKNOWN
    assert "WORSE" in worse.value
    assert "(trained on nobody knows which of them)" in worse.value
    told = "Nobody can tell whether the champion was trained on these rows."
    assert f"is worse than champion version 2, which may know these rows. {told} {why}" in worse.reason
    better = hold(split(0, 140), noise=BETTER, champion=champion, rows=spell(split(0, 140), TABLE[columns])).find()
    assert better.status is Status.PASS
    assert (
        "Nobody can tell whether the champion was trained on these rows; that could only flatter it." in better.reason
    )


# The same holdout


def same(**changes: Any) -> dict[str, Any]:
    """A champion that was judged on the very rows; what it was trained on is not looked up."""
    facts = build_evidence(identity=build_identity(version=2), holdout=build_holdout(rows=200, **changes))
    its = spell_predictions(ask_champion(NEW[:200]), {})
    return {"facts": facts, "predictions": its, "read_training": lambda: pytest.fail("its training was looked up")}


@pytest.mark.parametrize("alike", [0, None])
@pytest.mark.parametrize(("noise", "status"), [(BETTER, Status.PASS), (WORSE, Status.FAIL)])
def test_the_rows_it_was_judged_on_itself_are_compared_one_and_all(
    alike: int | None, noise: float, status: Status
) -> None:
    held = hold(NEW[:200], noise=noise, champion=same(alike_rows=alike))
    assert held.find().status is status
    assert held.evidence.champion.rows == 200  # type: ignore[union-attr]
    assert "trained on" not in held.find().value + held.find().reason


def test_unless_its_own_training_had_some_of_them_or_was_not_logged() -> None:
    shared = same(shared_rows=60) | {"read_training": train_champion}
    places = split(60, 140)
    assert hold(places, noise=WORSE, champion=shared).evidence.champion.rows == 140  # type: ignore[union-attr]
    unlogged = same() | {"read_training": lambda: None}
    unlogged["facts"] = replace(unlogged["facts"], datasets=build_datasets()[1:])
    assert hold(NEW[:200], noise=WORSE, champion=unlogged).find().status is Status.UNKNOWN


def test_evidence_of_an_older_format_has_no_place_for_it_and_stays_whole() -> None:
    held = hold(split(260, 140), noise=BETTER, written=3)
    assert (held.evidence.champion_overlap, held.evidence.champion.rows) == (None, 400)  # type: ignore[union-attr]
    assert held.evidence.to_bytes()
    finding = held.find()
    assert finding.status is Status.UNKNOWN
    assert finding.reason.endswith(
        "Nobody asked whether the champion was trained on these rows. Nominate the run again: then it is."
    )
