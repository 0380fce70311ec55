"""The difference of two runs in JupyterLab: one sentence, then what differs, the most consequential first."""

from __future__ import annotations

import traitlets

from workbench.comparisons.difference.run_difference import RunDifference
from workbench.drawings.markup import Markup
from workbench.widgets.difference_page import difference_body
from workbench.widgets.snapshot import read_module, read_style
from workbench.widgets.snapshot_view import SnapshotView
from workbench.words.differences import difference_state


class DifferenceView(SnapshotView):
    """Shows how one run differs from another; `difference` is the record of it."""

    _esm = read_module("difference_view")
    _css = read_style()
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, difference: RunDifference) -> None:
        super().__init__(state=difference_state(difference))
        self.difference = difference

    def body(self) -> Markup:
        """Return the twin's content."""
        return difference_body(self.state)

    def summary(self) -> str:
        """Return the headline."""
        return str(self.state["headline"])
