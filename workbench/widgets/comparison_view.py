"""The comparison in JupyterLab: one sentence, then intervals beside the numbers, sortable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import traitlets

from workbench.comparisons.comparison import Comparison, RunComparison
from workbench.drawings.markup import Markup, join
from workbench.drawings.picture import Picture, show_pictures
from workbench.drawings.series import choose_series
from workbench.widgets.acting_view import ActingView, Deeds, read_runs
from workbench.widgets.comparison_page import comparison_body, say_cut
from workbench.widgets.comparison_sight import (
    FIRST_MEASURED,
    Sight,
    choose_in_sight,
    find_columns,
    find_in_sight,
)
from workbench.widgets.comparison_state import comparison_state, is_whole
from workbench.widgets.snapshot import read_module, read_style

# The ids of the runs that are measured.
ChooseRuns = Callable[[RunComparison], Sequence[str]]
# So many runs are measured before somebody else is heard.
_MOST_AT_ONCE = 10


class ComparisonView(ActingView):
    """Shows a comparison; `order` is the column it is sorted by and the direction.

    `compare` compares again, with the runs that are there by then, and with a reference: a run's id, or None for the one it had;
    those that are chosen are measured. `draw` returns pictures of the runs that are selected; `command`
    compares the same on a terminal. Of more than a hundred runs a
    hundred are shown; search, order and measuring of all of them are asked for from the view.
    """

    _esm = read_module("picture_files", "pointing", "kernel", "run_deeds", "compared_runs", "comparison_view")
    _css = read_style()
    state = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)
    order = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        comparison: Comparison,
        deeds: Deeds | None = None,
        compare: Callable[[str | None, ChooseRuns], Comparison] | None = None,
        draw: Callable[[Sequence[str]], Sequence[Picture]] | None = None,
        command: str = "workbench compare",
    ) -> None:
        self._command = command
        self._all_reports = deeds.reports if deeds else {}
        self._sight, self._times = Sight(), 0
        self._take(comparison)
        state = self._build_state()
        ours = replace(deeds, reports=self._find_reports(state)) if deeds else None
        super().__init__(ours, state=state, order=state.get("first_order", {}))
        self._compare, self._draw = compare, draw
        self._pictures: Sequence[Picture] = ()
        self._reference: str | None = None

    def body(self) -> Markup:
        """Return the twin's content."""
        return join(comparison_body(self.state, say_cut(self.state, self._command)), show_pictures(self._pictures))

    def summary(self) -> str:
        """Return the headline."""
        return str(self.state["headline"])

    def look_again(self) -> None:
        """Show what is there now."""
        if self._compare:
            self._take(self._compare(self._reference, self._choose_anew))
            self._times += 1
            self._show()

    def _take(self, comparison: Comparison) -> None:
        self.comparison, self._columns = comparison, find_columns(comparison)
        self._in_sight = find_in_sight(comparison, self._sight, self._columns)

    def _build_state(self) -> dict[str, Any]:
        """Return what is shown; the number tells the view whether it is of the runs it knew, with more of them measured."""
        state = comparison_state(self.comparison, self._in_sight, self._columns)
        return {**state, "times": self._times}

    def _show(self) -> None:
        with self.hold_sync():
            self.state = self._build_state()
            paths = {run: str(path) for run, path in self._find_reports(self.state).items()}
            self.reports = {**self.reports, "paths": paths}
        self.refresh_snapshots()

    def _find_reports(self, state: Mapping[str, Any]) -> dict[str, Path]:
        """Return the reports of the runs that are shown alone: of ten thousand they are a megabyte."""
        shown = (row["copy"] for row in state.get("rows", ()))
        return {run: self._all_reports[run] for run in shown if run in self._all_reports}

    def _list_measured(self) -> list[str]:
        return [run.run_id for run in self.comparison.runs if run.verdict is not None]

    def _choose_anew(self, found: RunComparison) -> Sequence[str]:
        shown = find_in_sight(found, self._sight, find_columns(found)).run_ids
        wanted = [*shown[:FIRST_MEASURED], *self._list_measured()]
        return choose_in_sight(found, self.comparison, shown, wanted)

    def _measure(self, runs: Sequence[str]) -> None:
        """Measure runs that came into view; none of those shown moves, whatever comes out."""
        if not self._compare:
            return
        wanted = [*self._list_measured(), *runs[:_MOST_AT_ONCE]]
        self.comparison = self._compare(
            self._reference, lambda found: choose_in_sight(found, self.comparison, self._in_sight.run_ids, wanted)
        )
        self._show()

    def _arrange(self, sight: Sight) -> None:
        """Show other runs, or in another order."""
        self._sight = sight
        self._in_sight = find_in_sight(self.comparison, sight, self._columns)
        with self.hold_sync():
            self._show()
            self.order = {"key": sight.key, "direction": self.state["sight"]["direction"]} if sight.key else self.order

    def _show_pictures(self, runs: Sequence[str]) -> None:
        """Show pictures of runs; `shown` says of each which colour it has."""
        self._pictures = self._draw(runs) if self._draw and runs else ()
        drawn = choose_series(runs)
        self.shown = {
            "runs": list(runs),
            "series": drawn,
            "pictures": [picture.to_state() for picture in self._pictures],
        }
        self.refresh_snapshots()
        count = len(self._pictures)
        is_grouped = isinstance(self.comparison, RunComparison) and bool(self.comparison.all_but)
        of = " of the newest run of each row" if is_grouped else ""
        shown = f"{count} picture{'' if count == 1 else 's'}{of} below."
        self._say(shown if count else "These runs stored nothing to be drawn.")

    def _do(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        match content.get("kind"):
            case "draw":
                self._show_pictures(read_runs(content["runs"]))
            case "hold against":
                self._hold_against(str(content["run"]))
            case "measure":
                self._measure(read_runs(content["runs"]))
                self._say(f"{len(self._list_measured()):,} of {len(self.comparison.runs):,} runs are measured.")
            case "arrange" if not is_whole(self.comparison):
                self._arrange(_read_sight(content))
                self._say(self.state["sight"]["says"])
            case _:
                super()._do(content, buffers)

    def _hold_against(self, run: str) -> None:
        before, self._reference = self._reference, run
        try:
            self.look_again()
        except Exception:
            self._reference = before
            raise
        self._say(str(self.state["headline"]))


def _read_sight(given: Mapping[str, Any]) -> Sight:
    is_descending = given.get("direction") == "descending"
    return Sight(str(given.get("search", "")).strip(), str(given.get("key", "")), is_descending, int(given["first"]))
