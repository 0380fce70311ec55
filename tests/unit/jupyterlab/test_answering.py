"""Answering the panel: what is asked of which notebook, what is refused before anything starts, what a started command said."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NOTEBOOKS, wait_until
from workbench.errors import UsageError, WorkbenchError
from workbench.jupyterlab.answering import Panels, parse_error
from workbench.jupyterlab.intents import INTENTS, act_on, open_in
from workbench.jupyterlab.panel_state import panel_state
from workbench.jupyterlab.started_commands import StartedCommands

SEED = "finishes.ipynb"


@pytest.fixture
def panels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Panels:
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)
    (tmp_path / "shop").mkdir()
    shutil.copy(NOTEBOOKS / SEED, tmp_path / "shop")
    return Panels(tmp_path / "shop")


def files_of(panels: Panels) -> list[str]:
    return sorted(path.name for path in panels.find_path("").rglob("*"))


def test_looking_makes_nothing(panels: Panels) -> None:
    state = panel_state(panels.look(SEED))
    assert state["empty"].startswith(f"No run of {SEED} that ended is kept in {panels.find_path('')}/runs.")
    assert files_of(panels) == [SEED]


@pytest.mark.parametrize("path", ["../other/train.ipynb", "a/../../train.ipynb", "a\0.ipynb"])
def test_a_path_that_leads_out_is_refused(panels: Panels, path: str) -> None:
    with pytest.raises(UsageError, match="leads out of what JupyterLab shows"):
        panels.look(path)


def test_a_notebook_behind_a_link_is_shown_as_the_server_shows_it(panels: Panels, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(NOTEBOOKS / SEED, tmp_path / "elsewhere" / "linked.ipynb")
    (panels.find_path("") / "linked").symlink_to(tmp_path / "elsewhere")
    assert panels.look("linked/linked.ipynb").project == str(tmp_path / "elsewhere")


WRONG: Mapping[str, Any] = {"path": SEED, "values": {"seed": "many", "nothing": "1"}, "search": "grid", "trials": ""}


@pytest.mark.parametrize("kind", ["run", "sweep"])
def test_values_that_do_not_fit_are_refused_before_anything_starts(panels: Panels, kind: str) -> None:
    with pytest.raises(UsageError, match="do not fit the notebook"):
        act_on(panels, {**WRONG, "kind": kind})
    assert [name for name in files_of(panels) if name.endswith(".json")] == []
    assert panels.look(SEED).starting == ()


@pytest.mark.parametrize(
    "request_",
    [
        {"kind": "delete"},
        {"kind": ["run"]},
        {"kind": "run", "values": {"seed": 3}},
        {"kind": "run", "values": "seed=3"},
        {"kind": "sweep", "values": {}, "search": "grid", "trials": "-1"},
        {"kind": "sweep", "values": {}, "search": "wild", "trials": ""},
        {"kind": "stop_run", "id": 3},
        {"kind": "stop_sweep", "id": "5eeb12345678"},
        {"kind": "stop_run", "id": "5eeb12345678"},
    ],
)
def test_what_a_browser_sends_is_trusted_in_nothing(panels: Panels, request_: Mapping[str, Any]) -> None:
    with pytest.raises(UsageError):
        act_on(panels, {"path": SEED, **request_})
    assert panels.look(SEED).starting == ()


def test_a_card_is_opened_by_the_name_jupyterlab_has_for_it(panels: Panels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    opened = open_in(panels, {"card": "tour", "folder": ""})
    assert (opened["path"], opened["runs"]) == ("notebooks/00_tour.ipynb", False)


def test_a_started_command_goes_on_by_itself_and_what_it_said_last_is_an_error_in_three_parts(tmp_path: Path) -> None:
    commands, notebook = StartedCommands(), tmp_path / "train.ipynb"
    started = commands.start(notebook, ["help", "nothing_of_this_name"], folder=tmp_path)
    assert commands.list_of(notebook) == [started]
    assert os.getsid(started.process.pid) != os.getsid(0)
    wait_until(lambda: started.is_over)
    assert commands.list_of(notebook) == [started]
    error = parse_error(started.read_said())
    commands.forget_failed(notebook)
    assert commands.list_of(notebook) == []
    assert error.what.startswith("There is no chapter")
    assert error.next_step.startswith("`workbench help`")


def test_what_was_said_before_an_error_is_no_part_of_it() -> None:
    told = WorkbenchError("It failed.", why=["One reason.", "Another."], next_step="Mend it.")
    parsed = parse_error(f"A note.\ntrain: 1 of 1 ended, 1 failed\n{told}\n")
    assert (parsed.what, parsed.reasons, parsed.next_step) == ("It failed.", ("One reason.", "Another."), "Mend it.")
    assert parse_error("").what == "It ended without a word."


def test_each_intent_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[3] / "workbench" / "jupyterlab" / "README.md").read_text(encoding="utf-8")
    assert [name for name in INTENTS if f"| `{name}` |" not in readme] == []
