"""The comparison in JupyterLab: one sentence, then intervals beside the numbers, sortable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from workbench.comparisons.comparison import Comparison
from workbench.drawings.markup import Markup
from workbench.widgets.acting_view import ActingView, Deeds
from workbench.widgets.comparison_page import comparison_body
from workbench.widgets.comparison_state import comparison_state
from workbench.widgets.snapshot import read_module, read_style


class ComparisonView(ActingView):
    """Shows a comparison; `order` is the column it is sorted by and the direction.

    `compare` compares again, with the runs that are there by then, and with a reference: a run's id, or None for the one it had.
    """

    _esm = read_module("run_deeds", "comparison_view")
    _css = read_style()
    state = traitlets.Dict().tag(sync=True)
    order = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        comparison: Comparison,
        deeds: Deeds | None = None,
        compare: Callable[[str | None], Comparison] | None = None,
    ) -> None:
        state = comparison_state(comparison)
        super().__init__(deeds, state=state, order=state.get("first_order", {}))
        self.comparison = comparison
        self._compare = compare
        self._reference: str | None = None

    def body(self) -> Markup:
        """Return the twin's content."""
        return comparison_body(self.comparison)

    def summary(self) -> str:
        """Return the headline."""
        return str(self.state["headline"])

    def look_again(self) -> None:
        """Show what is there now."""
        if self._compare:
            self.comparison = self._compare(self._reference)
            self.state = comparison_state(self.comparison)
            self.refresh_snapshots()

    def _do(self, content: Mapping[str, Any]) -> None:
        if content.get("kind") == "hold against":
            before, self._reference = self._reference, str(content["run"])
            try:
                self.look_again()
            except Exception:
                self._reference = before
                raise
            self._say(f"{self.state['headline']}.")
        else:
            super()._do(content)
