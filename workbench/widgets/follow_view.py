"""A run in JupyterLab while it goes on: looked at from a thread, so that the kernel stays free, and stopped by a button."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from workbench.drawings.markup import Markup
from workbench.errors import WorkbenchError
from workbench.widgets.follow_page import follow_body
from workbench.widgets.follow_state import FollowedRun, follow_state
from workbench.widgets.snapshot import read_module, read_style
from workbench.widgets.snapshot_view import SnapshotView


class FollowView(SnapshotView):
    """Shows what `read` returns, again after `pause` seconds until the run is over; `stop` asks for the end of this run alone.

    `reply` says what became of that wish. Both callbacks run in threads.
    """

    _esm = read_module("follow_view")
    _css = read_style()
    state = traitlets.Dict().tag(sync=True)
    reply = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, read: Callable[[], FollowedRun], stop: Callable[[], object], *, pause_s: Callable[[], float]
    ) -> None:
        super().__init__(state=follow_state(read()))
        self._read, self._stop, self._pause_s = read, stop, pause_s
        self._closed = threading.Event()
        self.on_msg(self._receive)
        self._thread = threading.Thread(target=self._follow, name="follow", daemon=True)
        self._thread.start()

    def body(self) -> Markup:
        """Return the twin's content."""
        return follow_body(self.state)

    def summary(self) -> str:
        """Return the headline."""
        return str(self.state["headline"])

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        super().close()

    def _follow(self) -> None:
        while not (self.state["is_over"] or self._closed.wait(self._pause_s())):
            self._look()

    def _look(self) -> None:
        before = self.state["headline"]
        try:
            self.state = follow_state(self._read())
        except WorkbenchError as exc:  # the store may answer the next time
            self.reply = str(exc)
            return
        if self.state["headline"] != before:
            self.refresh_snapshots()

    def _receive(self, _view: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, Mapping) and content.get("kind") == "stop":
            # Whoever holds the database may keep us waiting, and the kernel is to stay free.
            threading.Thread(target=self._ask_for_end, daemon=True).start()

    def _ask_for_end(self) -> None:
        try:
            self._stop()
            self.reply = "Asked for its end; the process that runs it looks every second."
        except Exception as exc:  # one that leaves this function is lost to who pressed the button
            self.reply = str(exc)
