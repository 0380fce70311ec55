"""An alias is MLflow's word: it is mended where it is harmed, and MLflow may be away while the ledger decides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conftest import run_command
from tests.integration.governed import MODEL, Governed
from workbench.releases.aliases import CHAMPION
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.workflow import Workbench


def test_an_alias_that_was_moved_behind_our_back_is_mended_by_the_doctor(released: Governed) -> None:
    released.bench.tracker.point_alias(MODEL, CHAMPION, 1)
    found = {symptom.part: symptom for symptom in released.bench.examine()}
    assert found["alias of shop"].found == "the alias pointed to version 1; the ledger serves 2; mended"
    assert released.alias() == 2


@pytest.mark.parametrize("harm", ["moved", "deleted", "version deleted"])
def test_an_alias_somebody_harmed_is_told_and_mended_by_the_next_rollback(released: Governed, harm: str) -> None:
    client = released.bench.tracker._client
    if harm == "moved":
        client.create_model_version(MODEL, source="elsewhere")
        released.bench.tracker.point_alias(MODEL, CHAMPION, 3)
    elif harm == "deleted":
        client.delete_registered_model_alias(MODEL, CHAMPION)
    else:
        client.delete_model_version(MODEL, "2")
    notes = released.bench.rollback(MODEL).notes
    was = "version 3" if harm == "moved" else "nothing"
    assert f"pointed to {was} while the ledger served version 2: somebody moved it" in notes[1]
    assert released.alias() == 1


def test_starting_to_serve_tells_and_mends_an_alias_that_was_moved(released: Governed) -> None:
    released.bench.tracker.point_alias(MODEL, CHAMPION, 1)
    assert "It points to version 2 now" in released.bench.mend_alias(MODEL)[0]
    assert released.bench.mend_alias(MODEL) == []
    assert without_mlflow(released).mend_alias(MODEL)[0].startswith("MLflow's alias champion is not set yet")


def without_mlflow(governed: Governed) -> Workbench:
    """The same project while MLflow's server is away."""
    return replace(governed.bench, tracker=MlflowTracker("http://127.0.0.1:1", governed.project))


def test_a_promotion_while_mlflow_is_away_is_done_and_the_doctor_sets_the_alias(nominated: Governed) -> None:
    nominated.approve("shop/1")
    release = without_mlflow(nominated).promote("shop/1")
    assert "The facts were recomputed at 2" in release.notes[0]
    assert "alias champion is not set yet; `workbench doctor` sets it" in release.notes[1]
    assert nominated.bench.find_served(MODEL) == "shop/1"
    assert nominated.alias() is None
    assert "pointed to nothing while the ledger served version 1" in nominated.bench.promote("shop/1").notes[0]
    assert nominated.alias() == 1
    assert nominated.bench.promote("shop/1").notes == ()


def test_a_rollback_while_mlflow_is_away_is_done_once_and_says_so(released: Governed) -> None:
    done = run_command(released.project, "rollback", MODEL, WORKBENCH_TRACKING_URI="http://127.0.0.1:1")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "shop went back from version 2 to version 1." in said
    assert "alias champion is not set yet; `workbench doctor` sets it" in said
    assert released.bench.find_served(MODEL) == "shop/1"
    assert released.alias() == 2
    assert next(symptom for symptom in released.bench.examine() if symptom.part == "alias of shop").is_well
    assert released.alias() == 1


def test_a_rollback_stopped_while_mlflow_is_told_is_done_and_does_not_ask_to_be_repeated(
    released: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MlflowTracker, "point_alias", stop)
    release = released.bench.rollback(MODEL)
    assert release.notes[-1].endswith("`workbench doctor` sets it. You stopped it.")
    assert released.bench.find_served(MODEL) == "shop/1"


def test_a_model_that_somebody_deleted_in_mlflow_stops_nothing(nominated: Governed) -> None:
    nominated.approve("shop/1")
    nominated.bench.tracker._client.delete_registered_model(MODEL)
    nominated.bench.promote("shop/1")
    assert nominated.alias() == 1
    nominated.bench.tracker._client.delete_registered_model(MODEL)
    found = {symptom.part: symptom for symptom in nominated.bench.examine()}
    assert found["alias of shop"].found.endswith("the ledger serves 1; mended")
    assert nominated.alias() == 1
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    assert nominated.bench.nominate(run_id, MODEL).subject == "shop/3"


def test_a_version_that_mlflow_cannot_number_so_again_is_told_plainly(released: Governed) -> None:
    released.bench.tracker._client.delete_registered_model(MODEL)
    run_id = released.bench.review("shop/1").evidence.identity.run_id
    assert released.bench.nominate(run_id, MODEL).subject == "shop/3"
    found = {symptom.part: symptom for symptom in released.bench.examine()}
    assert "MLflow has no more and cannot number so again" in found["alias of shop"].found
    assert released.bench.verify("shop/2").decision.is_allowed
