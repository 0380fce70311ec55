"""Nothing to show, in a notebook: which cause, where was looked, what to do; and nothing is made by looking."""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest

import workbench as wb
from tests.contract.stores import build_run
from tests.unit.widgets.test_widgets import HOSTILE
from workbench.config import Settings
from workbench.errors import NotFound, Refused
from workbench.runs.run import RunState
from workbench.widgets.empty_view import EmptyView
from workbench.words.places import describe_store

HOLDOUT = {"datasets": [{"role": "holdout", "name": "holdout", "digest": "ab" * 32, "rows": 600}]}


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a notebook that is open in JupyterLab, in no project."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "asks.ipynb").touch()
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "asks.ipynb"))
    return folder


def shown_by(view: object) -> str:
    assert isinstance(view, EmptyView)
    return view._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize("ask", [wb.compare, wb.review, wb.follow])
def test_in_no_project_that_is_said_and_no_store_is_made(opened: Path, ask: Callable[[], object]) -> None:
    said = shown_by(ask())
    assert f"This notebook lies in no project: neither {opened} nor a folder above it is one." in said
    assert "`workbench init FOLDER` makes a project." in said
    assert [path.name for path in opened.iterdir()] == ["asks.ipynb"]


@pytest.mark.parametrize(("ask", "what"), [(wb.compare, "compare"), (wb.review, "review"), (wb.follow, "follow")])
def test_in_a_project_without_runs_the_store_is_named(opened: Path, ask: Callable[[], object], what: str) -> None:
    (opened / "workbench.toml").touch()
    said = shown_by(ask())
    assert f"to {what}." in said.splitlines()[0]
    assert "There is no run yet." in said
    assert said.endswith(f"Looked in {opened}/runs/workbench.db.")


def test_runs_without_a_nominee_say_what_would_make_one(opened: Path) -> None:
    (opened / "workbench.toml").touch()
    bench = wb.Workbench.open(Settings(opened))
    bench.store.add_run(build_run(id="b07d5e10a4c8"))
    assert "Of 1 run none finished." in shown_by(wb.review())
    for state in (RunState.RUNNING, RunState.FINISHED):
        bench.store.move_run(build_run(id="b07d5e10a4c8", state=state, record=HOLDOUT))
    bench.store.close()
    assert "`workbench nominate b07d5e10a4c8 --model NAME` nominates the newest." in shown_by(wb.review())


def test_what_was_asked_for_by_name_and_is_not_there_is_an_error(opened: Path) -> None:
    (opened / "workbench.toml").touch()
    with pytest.raises(NotFound):
        wb.review("shop/1")
    with pytest.raises(NotFound):
        wb.follow("b07d5e10a4c8")
    with pytest.raises(NotFound):
        wb.compare(["b07d5e10a4c8"])


def test_code_that_goes_on_with_nothing_is_told_the_same_and_so_is_a_run(
    opened: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (opened / "workbench.toml").touch()
    with pytest.raises(Refused, match="There is nothing to compare"):
        wb.compare().comparison  # noqa: B018 - asking is what is tried
    monkeypatch.setenv("WORKBENCH_SPOOL", str(opened / "runs" / "by-id" / "b07d5e10a4c8"))
    monkeypatch.setenv("WORKBENCH_PROJECT", str(opened))
    with pytest.raises(Refused, match="There is nothing to compare"):
        wb.compare()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "/srv/shop/runs/workbench.db"),
        ("sqlite:////srv/other/kept.db", "/srv/other/kept.db"),
        (
            "postgresql+psycopg://ada:pa/ss@w@db.example:5432/bench?sslpassword=secret",
            "db.example:5432/bench (postgresql)",
        ),
        ("postgresql://db.example/bench", "db.example/bench (postgresql)"),
    ],
)
def test_where_was_looked_is_said_without_what_lets_somebody_in(url: str, said: str) -> None:
    assert describe_store(Settings(Path("/srv/shop"), store_url=url)) == said


def test_hostile_texts_stay_text() -> None:
    html = EmptyView(Refused(HOSTILE, why=HOSTILE, next_step=HOSTILE), HOSTILE)._repr_mimebundle_()["text/html"]
    assert HOSTILE not in html
    assert html.count(escape(HOSTILE)) == 4
