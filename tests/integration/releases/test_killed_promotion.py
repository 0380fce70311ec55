"""A promotion that is stopped or killed anywhere leaves the old release or the new one, and a ledger that tells the story."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from tests.conftest import AUTHOR, examples, own_environment, start_command, wait_until
from tests.integration.governed import ANSWERS, MODEL, OWNER, Governed
from workbench.errors import NotFound, Unavailable
from workbench.ledger.ledger import Event
from workbench.reviews.request import ApprovalRequest
from workbench.signing.key import Key
from workbench.workflow import Workbench


def require_whole(governed: Governed) -> None:
    """Ledger, Bento and alias agree once the same command was run again, and nothing is left over."""
    assert governed.bench.promote("shop/1").decision.is_allowed
    assert governed.bench.find_served(MODEL) == "shop/1"
    assert governed.alias() == 1
    assert governed.bench.verify("shop/1").decision.is_allowed
    assert list(governed.bench.settings.bento_home.glob(".build-*")) == []
    promoted = [entry for entry in governed.bench.store.read_ledger() if entry.event is Event.PROMOTED]
    assert len(promoted) == 1


@pytest.mark.parametrize("how", examples([signal.SIGINT, signal.SIGTERM, signal.SIGKILL], []))
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
        assert next(s.is_well for s in nominated.bench.examine() if s.part == "alias of shop")
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
