"""The comparison in JupyterLab: one sentence, then intervals beside the numbers, sortable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import traitlets

from workbench.comparisons.comparison import Comparison
from workbench.drawings.markup import Markup, join
from workbench.drawings.picture import Picture, show_pictures
from workbench.widgets.acting_view import ActingView, Deeds
from workbench.widgets.comparison_page import comparison_body
from workbench.widgets.comparison_state import comparison_state
from workbench.widgets.snapshot import read_module, read_style


class ComparisonView(ActingView):
    """Shows a comparison; `order` is the column it is sorted by and the direction.

    `compare` compares again, with the runs that are there by then, and with a reference: a run's id, or None for the one it had.
    `draw` returns pictures of the runs that are selected.
    """

    _esm = read_module("picture_files", "run_deeds", "comparison_view")
    _css = read_style()
    state = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)
    order = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        comparison: Comparison,
        deeds: Deeds | None = None,
        compare: Callable[[str | None], Comparison] | None = None,
        draw: Callable[[Sequence[str]], Sequence[Picture]] | None = None,
    ) -> None:
        state = comparison_state(comparison)
        super().__init__(deeds, state=state, order=state.get("first_order", {}))
        self.comparison = comparison
        self._compare, self._draw = compare, draw
        self._pictures: Sequence[Picture] = ()
        self._reference: str | None = None

    def body(self) -> Markup:
        """Return the twin's content."""
        return join(comparison_body(self.comparison), show_pictures(self._pictures))

    def summary(self) -> str:
        """Return the headline."""
        return str(self.state["headline"])

    def look_again(self) -> None:
        """Show what is there now."""
        if self._compare:
            self.comparison = self._compare(self._reference)
            self.state = comparison_state(self.comparison)
            self.refresh_snapshots()

    def _show_pictures(self, runs: Sequence[str]) -> None:
        """Show pictures of runs; `shown` says of each which colour it has, in the order they were selected."""
        self._pictures = self._draw(runs) if self._draw and runs else ()
        self.shown = {"runs": list(runs), "pictures": [picture.to_state() for picture in self._pictures]}
        self.refresh_snapshots()
        count = len(self._pictures)
        self._say(
            f"{count} picture{'' if count == 1 else 's'} below." if count else "These runs stored nothing to be drawn."
        )

    def _do(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        if content.get("kind") == "draw":
            self._show_pictures([str(run) for run in content["runs"]])
        elif content.get("kind") == "hold against":
            before, self._reference = self._reference, str(content["run"])
            try:
                self.look_again()
            except Exception:
                self._reference = before
                raise
            self._say(f"{self.state['headline']}.")
        else:
            super()._do(content, buffers)
