"""Runs in JupyterLab: thousands of rows that are searched, sorted, chosen and grouped, and what can be done with those chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import traitlets

from workbench.drawings.markup import Markup, join
from workbench.drawings.picture import Picture, show_pictures
from workbench.runs.table.question import Question
from workbench.runs.table.reading import Answer, RunTableReader
from workbench.widgets.acting_view import ActingView, Deeds
from workbench.widgets.run_pictures import RunPictures, read_rows
from workbench.widgets.runs_page import runs_body
from workbench.widgets.runs_state import draw_worth, runs_state, say_group
from workbench.widgets.snapshot import read_module, read_style


class RunsView(ActingView):
    """Shows what a reader answers; a new question is asked from the view, by whoever looks at it.

    `pictures` is what is drawn of all rows, `told` what those in sight are like, in words and numbers.
    """

    _esm = read_module(
        *(
            "density",
            "picture_files",
            "pointing",
            "series",
            "parallel_coordinates",
            "axis_settings",
            "scatter",
            "run_pictures",
            "run_grid",
            "run_deeds",
            "runs_view",
        )
    )
    _css = read_style()
    state = traitlets.Dict().tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)
    told = traitlets.Dict().tag(sync=True)
    worth = traitlets.Dict().tag(sync=True)

    def __init__(
        self, reader: RunTableReader, question: Question, *, place: str, mlflow: str = "", deeds: Deeds | None = None
    ) -> None:
        self._reader, self._place, self._mlflow = reader, place, mlflow
        self._question, self._answer = question, reader.ask(question)
        self._within = ""
        self._worth: Picture | None = None
        state = self._build_state()
        self._pictures = RunPictures(state["columns"], state["rows"], state["is_grouped"])
        drawn = {"pictures": self._pictures.to_state(), "told": self._pictures.describe()}
        super().__init__(deeds, state=state, **drawn)

    @property
    def answer(self) -> Answer:
        """What is shown now."""
        return self._answer

    def body(self) -> Markup:
        """Return the twin's content."""
        return join(runs_body(self.state, self._pictures), show_pictures([self._worth] if self._worth else []))

    def summary(self) -> str:
        """Return the headline."""
        return str(self.state["headline"])

    def ask(self, question: Question) -> None:
        """Show the answer to another question; raises UsageError and leaves what is shown where it cannot be asked."""
        answer = self._reader.ask(question)
        self._question, self._answer, self._within = question, answer, ""
        self._worth, self.worth = None, {}
        self._show()

    def look_again(self) -> None:
        """Show what is there now."""
        self.ask(self._question)

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
        return runs_state(self._answer, self._question, place=self._place, within=self._within, mlflow=self._mlflow)

    def _explain(self, metric: str) -> None:
        """Show what the parameters of these runs are worth to a metric."""
        self._worth = draw_worth(self._reader.explain(self._answer.table, metric), metric)
        self.worth = self._worth.to_state()
        self.refresh_snapshots()
        self._say(f"{self._worth.title} is drawn below.")

    def _open_group(self, number: int) -> None:
        """Show the runs of a group as they were counted in it; a double click asks for it more than once."""
        if self._within:
            return
        group, answer = self._answer.groups[number], self._answer
        columns = [name for name in answer.columns if name not in group.values]
        self._answer = replace(answer, table=answer.table.take(group.places), columns=columns)
        self._within = say_group(group)
        self._show()

    def _do(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        match content.get("kind"):
            case "describe" | "scale" | "choose":
                self._do_with_pictures(content, buffers)
            case "ask":
                asked = content["question"]
                self.ask(_read_question(asked, self._question, self.state["question"]))
                self._say(f"{self.state['headline']}.")
            case "explain":
                self._explain(str(content["metric"]))
            case "open group":
                self._open_group(int(content["group"]))
                self._say(f"{self.state['headline']}.")
            case _:
                super()._do(content, buffers)

    def _do_with_pictures(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        if content["kind"] == "describe":
            self._describe(content, buffers)
        else:
            self._draw(self._pictures.scale(content) if content["kind"] == "scale" else self._pictures.choose(content))


def _read_question(asked: Mapping[str, Any], before: Question, shown: Mapping[str, Any]) -> Question:
    """Return the question that the view asks; what it does not speak of stays as it was, but an order that other groups lack."""
    names = {key: [str(name) for name in asked.get(key, ())] for key in ("columns", "group_by", "all_but")}
    is_same = all(names[key] == shown[key] for key in names)
    return replace(
        before,
        columns=names["columns"],
        group_by=names["group_by"],
        all_but=names["all_but"],
        where=str(asked.get("where") or "") or None,
        sort=before.sort if is_same or not (names["group_by"] or names["all_but"]) else "",
    )
