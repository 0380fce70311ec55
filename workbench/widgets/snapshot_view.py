"""A live view that leaves its static twin in the notebook, so a decision stays readable when no kernel runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import anywidget

from workbench.drawings.markup import Markup
from workbench.widgets.snapshot import twin

_WIDGET_MIME = "application/vnd.jupyter.widget-view+json"


class SnapshotView(anywidget.AnyWidget):
    """Shows itself as two outputs, live view then twin; the shared style sheet lets the reader see only one."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._twins: list[Any] = []

    def body(self) -> Markup:
        """Return what the twin shows now."""
        raise NotImplementedError

    def summary(self) -> str:
        """Return the one sentence for displays without HTML."""
        raise NotImplementedError

    def snapshot(self, at: datetime | None = None) -> dict[str, str]:
        """Return the twin as a MIME bundle."""
        return {"text/html": twin(self.body(), at or datetime.now(UTC)), "text/plain": self.summary()}

    def refresh_snapshots(self) -> None:
        """Bring the twins in the open notebook up to date, so that saving it saves the newest state."""
        for handle in self._twins:
            handle.update(self.snapshot(), raw=True)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        # Without text beside it, the output of a dead or untrusted view is empty instead of an object's address.
        live = {_WIDGET_MIME: {"version_major": 2, "version_minor": 0, "model_id": self.model_id}}
        display(live, raw=True)
        self._twins.append(display(self.snapshot(), raw=True, display_id=True))
