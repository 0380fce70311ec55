"""The heartbeat of a process that runs something: its leases are renewed, and what was taken from it is noticed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from workbench.errors import Unavailable
from workbench.runs.sqlalchemy_store import HEARTBEAT_S, Store

# How soon whoever asks for the end of a run is heard.
_LOOK_S = 1.0


class HeldAttempts:
    """Which attempts this process holds by the store, as of the last heartbeat; `stops` says who wants which run ended."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._taken: frozenset[str] = frozenset()
        self.stops: Mapping[str, str] = {}

    def note(self, held: frozenset[tuple[str, int]]) -> None:
        """Note what the store says; what was held before and is not any more ended here or was taken."""
        now = frozenset(f"{run_id}-{attempt}" for run_id, attempt in held)
        # Put in place whole: this is the heartbeat's thread, and another one reads.
        self._taken |= self._known - now
        self._known = now

    def lost(self, running: Mapping[str, object]) -> list[str]:
        """Return the jobs that still run here although the store took their attempts away."""
        return list(self._taken & running.keys())


@contextmanager
def keep_leases(store: Store) -> Iterator[HeldAttempts]:
    """Keep saying that this process is at work, from a thread: writing down a run may take longer than a lease."""
    held, over = HeldAttempts(), threading.Event()

    def beat() -> None:
        due = time.monotonic() + HEARTBEAT_S / 2
        while not over.wait(min(_LOOK_S, max(due - time.monotonic(), 0))):
            with suppress(Unavailable):  # the next beat may be heard
                held.stops = store.list_stop_requests()
                if time.monotonic() >= due:
                    due = time.monotonic() + HEARTBEAT_S / 2
                    held.note(store.renew_leases())

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join()
