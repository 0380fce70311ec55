"""Runs in JupyterLab: thousands of rows that are searched, sorted, chosen and grouped, and what can be done with those chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import traitlets

from workbench.drawings.markup import Markup
from workbench.errors import WorkbenchError
from workbench.runs.table.reading import Answer, Question, RunTableReader
from workbench.widgets.run_pictures import RunPictures, read_rows
from workbench.widgets.runs_page import runs_body
from workbench.widgets.runs_state import runs_state, say_group
from workbench.widgets.snapshot import read_module, read_style
from workbench.widgets.snapshot_view import SnapshotView


@dataclass(frozen=True)
class Deeds:
    """What can be done with runs of this project, as callbacks; runs of another store have none of them.

    Each returns what is to be said. `spell_command` returns the command that makes a run again.
    """

    archive: Callable[[Sequence[str]], str]
    nominate: Callable[[str, str], str]
    spell_command: Callable[[str], str]
    reports: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))


class RunsView(SnapshotView):
    """Shows what a reader answers; a new question is asked from the view, by whoever looks at it.

    `reply` says what became of a wish, with a number that rises, so that the same words are heard again; `copy` in it is a
    text for the clipboard. `pictures` is what is drawn of all rows, `told` what those in sight are like, in words and numbers.
    """

    _esm = read_module(
        *(
            "density",
            "picture_files",
            "axis_settings",
            "parallel_coordinates",
            "scatter",
            "run_pictures",
            "run_grid",
            "runs_view",
        )
    )
    _css = read_style()
    state = traitlets.Dict().tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)
    told = traitlets.Dict().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)
    reports = traitlets.Dict().tag(sync=True)
    is_ours = traitlets.Bool().tag(sync=True)

    def __init__(self, reader: RunTableReader, question: Question, *, place: str, deeds: Deeds | None = None) -> None:
        self._reader, self._place, self._deeds = reader, place, deeds
        self._question, self._answer = question, reader.ask(question)
        self._within = ""
        paths = {run_id: str(path) for run_id, path in deeds.reports.items()} if deeds else {}
        reports = {"home": str(Path.home()), "paths": paths}
        state = self._build_state()
        self._pictures = RunPictures(state["columns"], state["rows"], state["is_grouped"])
        drawn = {"pictures": self._pictures.to_state(), "told": self._pictures.describe()}
        super().__init__(state=state, **drawn, reports=reports, is_ours=deeds is not None)
        self.on_msg(self._receive)

    @property
    def answer(self) -> Answer:
        """What is shown now."""
        return self._answer

    def body(self) -> Markup:
        """Return the twin's content."""
        return runs_body(self.state, self._pictures)

    def summary(self) -> str:
        """Return the headline."""
        return str(self.state["headline"])

    def ask(self, question: Question) -> None:
        """Show the answer to another question; raises UsageError and leaves what is shown where it cannot be asked."""
        answer = self._reader.ask(question)
        self._question, self._answer, self._within = question, answer, ""
        self._show()

    def _show(self) -> None:
        state = self._build_state()
        columns, rows, is_grouped = state["columns"], state["rows"], state["is_grouped"]
        with self.hold_sync():  # as one message: what is drawn and its rows belong together
            self._draw(replace(self._pictures, columns=columns, rows=rows, is_grouped=is_grouped))
            self.state = state
        self.refresh_snapshots()

    def _draw(self, pictures: RunPictures) -> None:
        with self.hold_sync():
            self.pictures, self.told = pictures.to_state(), pictures.describe()
        self._pictures = pictures

    def _describe(self, shown: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """Say what the rows in sight are like; which of the view's questions this answers stands beside it."""
        rows = read_rows(buffers if shown.get("are_some") else (), self._pictures.rows)
        self.told = {**self._pictures.describe(rows), "answers": shown.get("number")}

    def _build_state(self) -> dict[str, Any]:
        return runs_state(self._answer, self._question, place=self._place, within=self._within)

    def _open_group(self, number: int) -> None:
        """Show the runs of a group as they were counted in it."""
        group, answer = self._answer.groups[number], self._answer
        columns = [name for name in answer.columns if name not in group.values]
        self._answer = replace(answer, table=answer.table.take(group.places), columns=columns)
        self._within = say_group(group)
        self._show()

    def _receive(self, _view: Any, content: Any, buffers: Any) -> None:
        try:
            if isinstance(content, Mapping):
                self._do(content, buffers or ())
        except WorkbenchError as exc:
            self._say(str(exc), is_refused=True)
        except Exception as exc:  # one that leaves this function is lost to who pressed the button
            self._say(f"{type(exc).__name__}: {exc}", is_refused=True)

    def _do(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        match content.get("kind"):
            case "describe" | "scale" | "choose":
                self._do_with_pictures(content, buffers)
            case "ask":
                asked = content["question"]
                self.ask(_read_question(asked, self._question))
                self._say(f"{self.state['headline']}.")
            case "open group":
                self._open_group(int(content["group"]))
                self._say(f"{self.state['headline']}.")
            case "archive" if self._deeds:
                said = self._deeds.archive(content["runs"])
                self.ask(self._question)
                self._say(said)
            case "nominate" if self._deeds:
                self._say(self._deeds.nominate(str(content["run"]), str(content["model"])))
            case "spell command" if self._deeds:
                self._say(
                    "Copied the command that makes it again.", copy=self._deeds.spell_command(str(content["run"]))
                )

    def _do_with_pictures(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        if content["kind"] == "describe":
            self._describe(content, buffers)
        else:
            self._draw(self._pictures.scale(content) if content["kind"] == "scale" else self._pictures.choose(content))

    def _say(self, text: str, *, is_refused: bool = False, copy: str = "") -> None:
        number = self.reply.get("number", 0) + 1
        self.reply = {"number": number, "text": text, "is_refused": is_refused, "copy": copy}


def _read_question(asked: Mapping[str, Any], before: Question) -> Question:
    """Return the question that the view asks; what it does not speak of stays as it was."""
    return replace(
        before,
        where=str(asked.get("where") or "") or None,
        columns=[str(name) for name in asked.get("columns", ())],
        group_by=[str(name) for name in asked.get("group_by", ())],
        all_but=[str(name) for name in asked.get("all_but", ())],
    )
