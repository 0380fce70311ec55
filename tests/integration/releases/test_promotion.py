"""What becomes served, what it is put back to, and what a kill at any step leaves: the old release or the new one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, examples, own_environment, run_command, start_command, wait_until
from tests.integration.governed import ANSWERS, MODEL, OWNER, VALIDATOR, Governed, reasons_of
from workbench.errors import NotFound, Refused, Unavailable
from workbench.ledger.ledger import Event
from workbench.releases.aliases import CHAMPION
from workbench.releases.release_lock import one_at_a_time
from workbench.reviews.request import ApprovalRequest
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.signing.key import Key
from workbench.workflow import Workbench

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


# Going back


def test_a_rollback_serves_the_version_before_and_only_a_named_version_goes_forward(released: Governed) -> None:
    released.bench.rollback(MODEL)
    assert (released.bench.find_served(MODEL), released.alias()) == ("shop/1", 1)
    with pytest.raises(NotFound, match="no version to go back to"):
        released.bench.rollback(MODEL)
    released.bench.rollback(MODEL, to=2)
    assert (released.bench.find_served(MODEL), released.alias()) == ("shop/2", 2)
    assert [entry.event for entry in released.bench.store.read_ledger()][-2:] == [Event.ROLLED_BACK] * 2


def test_a_rollback_to_changed_bytes_is_refused_and_recorded(released: Governed) -> None:
    path = released.bento(1) / "src" / "release" / "model" / "contract.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Refused, match=r"release/model/contract.json was changed"):
        released.bench.rollback(MODEL)
    assert released.bench.find_served(MODEL) == "shop/2"
    assert released.refusals()[-1] == (AUTHOR, "roll back to", "shop/1")


@pytest.mark.parametrize("version", [3, 99])
def test_a_rollback_to_what_never_was_is_refused(released: Governed, version: int) -> None:
    with pytest.raises(NotFound):
        released.bench.rollback(MODEL, to=version)
    assert released.bench.find_served(MODEL) == "shop/2"


def test_a_rollback_to_what_is_served_moves_nothing_and_finishes_what_was_interrupted(released: Governed) -> None:
    before = released.bench.store.read_ledger()
    released.bench.tracker.point_alias(MODEL, CHAMPION, 1)
    notes = released.bench.rollback(MODEL, to=2).notes
    assert notes[0] == "shop serves version 2 already; nothing was moved."
    assert "pointed to version 1 while the ledger served version 2" in notes[1]
    assert released.bench.store.read_ledger() == before
    assert released.alias() == 2


def test_a_second_rollback_from_the_same_version_is_told_who_was_first(released: Governed) -> None:
    released.acting(OWNER).rollback(MODEL, served=2)
    with pytest.raises(Refused, match=r"shop changed meanwhile\.") as refused:
        released.bench.rollback(MODEL, served=2)
    assert refused.value.reasons[0].startswith(f"{OWNER} rolled back to version 1 at ")
    assert "workbench ledger" in refused.value.next_step
    assert released.bench.find_served(MODEL) == "shop/1"


def test_a_revoked_signer_takes_the_release_with_them(released: Governed) -> None:
    signers = released.bench.settings.signers_file
    signers.write_text(
        "".join(line for line in signers.read_text().splitlines(keepends=True) if OWNER not in line), encoding="utf-8"
    )
    reasons = "\n".join(released.bench.verify("shop/2").decision.reasons)
    assert f"The signature of {OWNER} (owner) does not hold" in reasons
    with pytest.raises(Refused):
        released.bench.serve(MODEL, port=free_port())


def test_an_alias_that_was_moved_behind_our_back_is_mended_by_the_doctor(released: Governed) -> None:
    released.bench.tracker.point_alias(MODEL, CHAMPION, 1)
    found = {symptom.part: symptom for symptom in released.bench.examine()}
    assert found["endpoint shop"].found == "the alias pointed to version 1; the ledger serves 2; mended"
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_port_in_use_is_told_before_anything_is_started(released: Governed) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=str(port)) as refused:
            released.bench.serve(MODEL, port=port)
    assert refused.value.next_step


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
    assert next(symptom for symptom in released.bench.examine() if symptom.part == "endpoint shop").is_well
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
    assert found["endpoint shop"].found.endswith("the ledger serves 1; mended")
    assert nominated.alias() == 1
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    assert nominated.bench.nominate(run_id, MODEL).subject == "shop/3"


def test_a_version_that_mlflow_cannot_number_so_again_is_told_plainly(released: Governed) -> None:
    released.bench.tracker._client.delete_registered_model(MODEL)
    run_id = released.bench.review("shop/1").evidence.identity.run_id
    assert released.bench.nominate(run_id, MODEL).subject == "shop/3"
    found = {symptom.part: symptom for symptom in released.bench.examine()}
    assert "MLflow has no more and cannot number so again" in found["endpoint shop"].found
    assert released.bench.verify("shop/2").decision.is_allowed


# Killed in the middle


def require_whole(governed: Governed) -> None:
    """Ledger, Bento and alias agree once the same command was run again, and nothing is left over."""
    assert governed.bench.promote("shop/1").decision.is_allowed
    assert governed.bench.find_served(MODEL) == "shop/1"
    assert governed.alias() == 1
    assert governed.bench.verify("shop/1").decision.is_allowed
    assert list(governed.bench.settings.bento_home.glob(".build-*")) == []
    promoted = [entry for entry in governed.bench.store.read_ledger() if entry.event is Event.PROMOTED]
    assert len(promoted) == 1


@pytest.mark.parametrize("how", examples([signal.SIGINT, signal.SIGTERM, signal.SIGKILL], [signal.SIGKILL]))
def test_a_promotion_stopped_while_it_builds_changed_nothing_and_can_be_repeated(
    nominated: Governed, how: signal.Signals
) -> None:
    nominated.approve("shop/1")
    process = start_command(nominated.project, "promote", "shop/1")
    wait_until(lambda: list(nominated.bench.settings.bento_home.glob(".build-*/context/release")))
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if how is signal.SIGKILL else 1), err
    assert "Traceback" not in err
    assert not nominated.bento(1).exists()
    with pytest.raises(NotFound, match="serves nothing yet"):
        nominated.bench.find_served(MODEL)
    require_whole(nominated)


def test_a_build_that_outlived_its_promotion_is_ended_even_where_its_folder_is_gone(nominated: Governed) -> None:
    nominated.approve("shop/1")
    home = nominated.bench.settings.bento_home
    left = home / ".build-left"
    late = f"import time, pathlib; time.sleep(60); pathlib.Path({str(left)!r}).mkdir()"
    environment = {**os.environ, "BENTOML_HOME": str(left.resolve() / "home")}
    with subprocess.Popen([sys.executable, "-c", late], env=environment) as orphan:
        try:
            require_whole(nominated)
            assert orphan.wait(timeout=10) == -signal.SIGKILL
        finally:
            orphan.kill()


DIES = """
import os, sys
from pathlib import Path
from workbench.config import Settings
from workbench.runs.sqlalchemy_store import Store
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.workflow import Workbench
from workbench.releases import releases

owner, name = {"build": (releases, "build_release"), "ledger": (Store, "append_entry"),
               "alias": (MlflowTracker, "point_alias")}[sys.argv[1]]
step = getattr(owner, name)

def die_after(*arguments, **options):
    step(*arguments, **options)
    os._exit(137)

setattr(owner, name, die_after)
Workbench.open(Settings(Path.cwd(), author="ada@example.org")).promote("shop/1")
"""


STEPS = [("build", None), ("ledger", "shop/1"), ("alias", "shop/1")]


@pytest.mark.parametrize(("step", "served"), examples(STEPS, STEPS[1:2]))
def test_a_promotion_that_dies_after_any_step_is_the_old_or_the_new_one(
    nominated: Governed, step: str, served: str | None
) -> None:
    nominated.approve("shop/1")
    died = subprocess.run(
        [sys.executable, "-c", DIES, step], cwd=nominated.project, env=own_environment(), check=False, timeout=120
    )
    assert died.returncode == 137
    moves = [entry.subject for entry in nominated.bench.store.read_ledger() if entry.event is Event.PROMOTED]
    assert moves == ([served] if served else [])
    if served:
        assert nominated.bench.verify(served).decision.is_allowed
        assert next(s.is_well for s in nominated.bench.examine() if s.part == "endpoint shop")
        assert nominated.alias() == 1
    require_whole(nominated)


def test_a_ledger_that_cannot_be_written_stops_every_decision_but_no_reading(nominated: Governed) -> None:
    nominated.approve("shop/1")
    store = nominated.project / "runs" / "workbench.db"
    settings = replace(nominated.bench.settings, store_url=f"sqlite:///{store}?timeout=0.2")
    held = Governed(Workbench.open(settings), nominated.keys)
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert held.bench.review("shop/1").decision.is_allowed
        assert len(held.bench.list_runs()) == 4  # each with the replay its nomination asked for
        assert held.bench.inspect_ledger()[1] == []
        decisions: list[Callable[[], object]] = [
            lambda: held.bench.promote("shop/1"),
            lambda: held.approve("shop/2", OWNER),
            lambda: held.object("shop/1", "Nobody looked at visitors without a name"),
            lambda: held.waive("shop/1", "beats_baseline"),
            lambda: held.bench.answer("shop/1", "harm", "Nobody can be harmed by a newsletter."),
            lambda: held.acting(AUTHOR).approve("shop/1", ApprovalRequest("owner"), Key(held.keys / "ada")),
        ]
        for decide in decisions:
            with pytest.raises(Unavailable, match="did not answer"):
                decide()
    assert nominated.bench.review("shop/1").decision.is_allowed
    require_whole(nominated)


def test_the_ledger_tells_the_whole_story_in_order(released: Governed) -> None:
    entries, faults = released.bench.inspect_ledger()
    assert faults == []
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    story = [entry.event for entry in entries if entry.subject == "shop/2"]
    answers = [Event.ANSWERED] * len(ANSWERS)
    assert story == [Event.NOMINATED, *answers, Event.APPROVED, Event.APPROVED, Event.PROMOTED]
    assert entries[0].event is Event.PLANNED
    nominated = next(entry for entry in entries if entry.event is Event.NOMINATED)
    assert json.loads(json.dumps(nominated.body))["run"] == released.bench.list_runs()[-1].id
