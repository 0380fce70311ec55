"""What is approved is promoted whole, once, by what the ledger says and the run still shows."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import AUTHOR, NOTEBOOKS
from tests.integration.governed import MODEL, OWNER, VALIDATOR, Governed, reasons_of
from workbench.errors import NotFound, Refused, Unavailable
from workbench.ledger.ledger import Event
from workbench.releases.release_lock import one_at_a_time

# Promoting


def test_what_is_promoted_is_served_by_ledger_and_alias_and_its_bytes_hold(released: Governed) -> None:
    assert released.bench.find_served(MODEL) == "shop/2"
    assert released.alias() == 2
    for subject in ("shop/1", "shop/2"):
        assert released.bench.verify(subject).decision.is_allowed
    assert released.bench.verify("shop/2").approved_by == (VALIDATOR, OWNER)
    assert released.bench.inspect_ledger()[1] == []


def test_the_second_of_two_that_were_approved_against_the_same_champion_is_refused(nominated: Governed) -> None:
    for subject in ("shop/1", "shop/2"):
        assert nominated.approve(subject).decision.is_allowed
    nominated.bench.promote("shop/1")
    with pytest.raises(Refused) as refused:
        nominated.bench.promote("shop/2")
    assert "stale: release/evidence.json" in reasons_of(refused)
    assert f"shop changed since it was approved: {AUTHOR} promoted version 1 at " in reasons_of(refused)
    assert nominated.bench.find_served(MODEL) == "shop/1"
    assert nominated.alias() == 1
    review = nominated.approve("shop/2")
    assert review.evidence.champion_version == 1
    assert review.decision.is_allowed


def test_an_answer_that_comes_while_it_is_promoted_stops_the_promotion(
    nominated: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.releases import releases

    nominated.approve("shop/1")
    build = releases.build_release

    def answer_meanwhile(*arguments: object) -> Path:
        nominated.acting(OWNER).answer("shop/1", "harm", "Wait, somebody could indeed be harmed by this.")
        return build(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(releases, "build_release", answer_meanwhile)
    with pytest.raises(Refused, match=r"shop/1 changed meanwhile\."):
        nominated.bench.promote("shop/1")
    with pytest.raises(NotFound, match="serves nothing yet"):
        nominated.bench.find_served(MODEL)


def test_two_cannot_promote_at_the_same_time(nominated: Governed) -> None:
    nominated.approve("shop/1")
    going_on = one_at_a_time(nominated.bench.settings, "promotes shop/2")
    with going_on, pytest.raises(Unavailable, match="Another promotion") as refused:
        nominated.bench.promote("shop/1")
    assert f"{AUTHOR} promotes shop/2 since 2" in refused.value.reasons[0]
    assert f"process {os.getpid()} on " in refused.value.reasons[0]
    assert nominated.bench.promote("shop/1").decision.is_allowed


def test_promoting_what_is_served_again_changes_nothing(released: Governed) -> None:
    before = released.bench.store.read_ledger()
    assert released.bench.promote("shop/2").decision.is_allowed
    assert released.bench.store.read_ledger() == before


def test_promoting_what_was_replaced_is_refused_and_names_the_rollback(released: Governed) -> None:
    with pytest.raises(Refused, match="It was promoted before and then replaced") as refused:
        released.bench.promote("shop/1")
    assert "workbench rollback shop --to 1" in refused.value.next_step


def test_a_release_is_built_once_and_never_written_again(released: Governed) -> None:
    manifest = released.bento(2) / "src" / "release" / "manifest.json"
    manifest.write_bytes(b"{}")
    with pytest.raises(Refused):
        released.bench.promote("shop/2")
    assert manifest.read_bytes() == b"{}"


# Computed again


def test_what_is_promoted_says_when_its_facts_were_recomputed(released: Governed) -> None:
    promoted = [entry for entry in released.bench.store.read_ledger() if entry.event is Event.PROMOTED]
    assert promoted
    assert all(entry.body["recomputed"] <= entry.time for entry in promoted)


def change_predictions(folder: Path) -> None:
    table = pd.read_parquet(folder / "predictions.parquet")
    pd.DataFrame({**table, "score": 1 - table["score"]}).to_parquet(folder / "predictions.parquet")


def change_metrics(folder: Path) -> None:
    path = folder / "metrics.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("0.9", "0.99"), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (change_predictions, "Its file is not the one that was recorded when the run ended."),
        (change_metrics, "files_unmodified was True at its nomination and is False now."),
    ],
)
def test_a_run_that_was_changed_after_it_was_approved_is_not_promoted_and_it_is_said_how(
    nominated: Governed, change: Callable[[Path], None], said: str
) -> None:
    nominated.approve("shop/1")
    identity = nominated.bench.review("shop/1").evidence.identity
    change(nominated.bench.settings.runs_folder / identity.run_id)
    with pytest.raises(Refused, match="promote shop/1") as refused:
        nominated.bench.promote("shop/1")
    assert said in reasons_of(refused)
    assert nominated.refusals()[-1] == (AUTHOR, "promote", "shop/1")
    assert not nominated.bento(1).exists()


def test_a_run_that_is_gone_cannot_be_recomputed_and_the_refusal_says_what_to_do(nominated: Governed) -> None:
    nominated.approve("shop/1")
    identity = nominated.bench.review("shop/1").evidence.identity
    shutil.rmtree(nominated.bench.settings.runs_folder / identity.run_id)
    with pytest.raises(Refused, match="promote shop/1") as refused:
        nominated.bench.promote("shop/1")
    assert f"there is no {nominated.bench.settings.runs_folder / identity.run_id}" in reasons_of(refused)
    assert "nominate that run" in refused.value.next_step


def test_later_runs_on_the_same_holdout_change_nothing_about_a_nominee(nominated: Governed) -> None:
    nominated.approve("shop/1")
    nominated.bench.run(NOTEBOOKS / "logs_everything.ipynb", {"strength": 0.7})
    assert nominated.bench.promote("shop/1").decision.is_allowed


@pytest.mark.soak
def test_another_model_is_another_endpoint(nominated: Governed) -> None:
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    assert nominated.bench.nominate(run_id, "other").subject == "other/1"
    nominated.answer_all("other/1")
    for subject in ("shop/1", "other/1"):
        nominated.approve(subject)
        nominated.bench.promote(subject)
    assert (nominated.bench.find_served(MODEL), nominated.bench.find_served("other")) == ("shop/1", "other/1")
    with pytest.raises(NotFound, match="no version to go back to"):
        nominated.bench.rollback("other")


def test_a_port_in_use_is_told_before_anything_is_started(released: Governed) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=str(port)) as refused:
            released.bench.serve(MODEL, port=port)
    assert refused.value.next_step
