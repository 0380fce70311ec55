"""The comparison in JupyterLab: one sentence, then intervals beside the numbers, sortable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import traitlets

from workbench.comparisons.comparison import Comparison
from workbench.drawings.markup import Markup
from workbench.widgets.comparison_page import comparison_body
from workbench.widgets.comparison_state import comparison_state
from workbench.widgets.snapshot import read_module, read_style
from workbench.widgets.snapshot_view import SnapshotView


class ComparisonView(SnapshotView):
    """Shows a comparison; `order` is the column it is sorted by and the direction.

    `reports` are the paths of the runs' reports, by run: where JupyterLab serves them a run leads to its own.
    """

    _esm = read_module("comparison_view")
    _css = read_style()
    state = traitlets.Dict().tag(sync=True)
    order = traitlets.Dict().tag(sync=True)

    reports = traitlets.Dict().tag(sync=True)

    def __init__(self, comparison: Comparison, reports: Mapping[str, Path] = MappingProxyType({})) -> None:
        state, home = comparison_state(comparison), str(Path.home())
        paths = {run_id: str(path) for run_id, path in reports.items()}
        super().__init__(state=state, order=state.get("first_order", {}), reports={"home": home, "paths": paths})
        self.comparison = comparison

    def body(self) -> Markup:
        """Return the twin's content."""
        return comparison_body(self.comparison)

    def summary(self) -> str:
        """Return the headline."""
        return str(self.state["headline"])
