"""The same data split anew: the champion was trained on rows that are held out now, and is not compared on these."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MakeOnce
from tests.integration.governed import MODEL, Governed, open_governed, reasons_of
from tests.integration.nominations.test_champion import SOURCE, exchange
from tests.integration.nominations.test_rules import find
from tests.unit.policies.builders import STANDARD_POLICY, read_policy
from workbench.checks import CHECKS
from workbench.comparisons.verdict import Verdict
from workbench.errors import Refused
from workbench.evidence.evidence import Status
from workbench.models.predictions import parse_predictions, spell_predictions
from workbench.reviews.challenging import hold_against_champion

STANDARD = read_policy(STANDARD_POLICY.read_bytes())


def write_anew(folder: Path) -> Path:
    """The notebook with another seed for the split: of the 200 rows held out now the champion was trained on three in five."""
    then = "train, holdout = table[:300], table[300:]"
    now = "order = np.random.default_rng(3).permutation(500)\ntrain, holdout = table.iloc[order[:300]], table.iloc[order[300:]]"
    assert then in SOURCE
    path = folder / "split_anew.ipynb"
    path.write_text(SOURCE.replace(then, now.replace("\n", "\\n")), encoding="utf-8")
    return path


def known_rows() -> set[str]:
    """The rows of that holdout which the champion was trained on."""
    return {str(row) for row in np.random.default_rng(3).permutation(500)[300:] if row < 300}


@pytest.fixture(scope="session")
def split_anew_once(make_once: MakeOnce, released_once: Path, reviewers_keys: Path) -> Path:
    """The released project, in which the run of another split is nominated as shop/3, under a policy that asks for no replay."""

    def make(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(folder / "state"))  # others go on with the released project, too
            governed = open_governed(Path(shutil.copytree(released_once, folder / "project")), reviewers_keys)
            governed.bench.nominate(governed.bench.run(write_anew(governed.project), {}).id, MODEL, policy="minimal")
            governed.bench.store.close()

    return make_once("split-anew", make) / "project"


@pytest.fixture
def split_anew(split_anew_once: Path, tmp_path: Path, reviewers_keys: Path) -> Governed:
    return open_governed(Path(shutil.copytree(split_anew_once, tmp_path / "project")), reviewers_keys)


def test_what_the_champion_knows_by_heart_of_rows_it_was_trained_on_does_not_count(split_anew: Governed) -> None:
    nominee, known = split_anew.bench.load_nominee("shop/3"), known_rows()
    finding = find(split_anew.bench.review("shop/3"), "not_worse_than_champion")
    told = f"The champion was trained on {len(known)} of the 200 rows; compared on the other {200 - len(known)}."
    assert told in finding.reason
    assert told in nominee.card.decode()
    # The runs that became shop/1 and shop/2 had other splits of these data.
    tries = nominee.evidence.tries
    assert tries is not None
    scored = set(map(str, range(300, 500))) & set(parse_predictions(nominee.challenger.predictions, "x").rows)
    assert (tries.distinct, tries.other_splits, tries.scored_rows) == (3, 2, len(scored))
    assert "3 tries, 2 of them on other splits of the data" in CHECKS["holdout_wear"](nominee.evidence, STANDARD).value
    assert finding.status is not Status.FAIL
    assert nominee.evidence.champion is not None
    assert nominee.evidence.champion.rows == 200 - len(known)
    said = parse_predictions(nominee.challenger.asked.predictions, "x")  # type: ignore[union-attr, arg-type]
    by_heart = np.where([row in known for row in said.rows], said.truth, said.score)
    better = exchange(nominee, predictions=spell_predictions(replace(said, score=by_heart), {}))
    assert nominee.before is not None
    held = hold_against_champion(nominee.facts, nominee.policy, better.challenger, nominee.before)
    again = CHECKS["not_worse_than_champion"](held, nominee.policy)
    assert (again.status, again.reason) == (finding.status, finding.reason)
    # Where its training rows were not kept, that it knows them cannot be told from that it is better.
    unknown = replace(nominee.before, read_training=lambda: None)
    held = hold_against_champion(nominee.facts, nominee.policy, better.challenger, unknown)
    found = CHECKS["not_worse_than_champion"](held, nominee.policy)
    assert (found.status, found.value.partition(":")[0]) == (Status.UNKNOWN, Verdict.WORSE)


def test_one_that_is_worse_on_the_rows_left_fails_and_too_few_of_them_decide_nothing(split_anew: Governed) -> None:
    nominee, known = split_anew.bench.load_nominee("shop/3"), known_rows()
    own = parse_predictions(nominee.challenger.predictions, "x")
    score = np.where([row in known for row in own.rows], own.truth, 0.6 * own.score[::-1])
    worse = replace(nominee.challenger, predictions=spell_predictions(replace(own, score=score), {}))
    assert nominee.before is not None
    for policy, status in ((nominee.policy, Status.FAIL), (STANDARD, Status.UNKNOWN)):
        held = hold_against_champion(nominee.facts, policy, worse, nominee.before)
        assert CHECKS["not_worse_than_champion"](held, policy).status is status
    assert held.champion_unscored is not None
    assert (
        f"{len(known)} of the 200 rows of this holdout; the other {200 - len(known)} are too few"
        in held.champion_unscored
    )
    assert "It takes 100 rows, 20 of each class" in held.champion_unscored


def test_by_which_rows_it_was_trained_on_cannot_be_changed_afterwards(split_anew: Governed) -> None:
    path = split_anew.bench.settings.models_folder / MODEL / "2" / "training_rows.json"
    path.write_bytes(path.read_bytes().replace(b'"rounded":["', b'"rounded":["0'))
    with pytest.raises(Refused) as refused:
        split_anew.bench.review("shop/3")
    assert reasons_of(refused) == "training_rows.json was changed since the nomination."
    path.unlink()
    with pytest.raises(Refused, match=f"models/{MODEL}/2 back from a copy"):
        split_anew.bench.review("shop/3")
