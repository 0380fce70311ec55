"""How many cells of the runs of a batch are done, and which has been running the longest."""

from __future__ import annotations

from workbench.runs.batch import CurrentCell


class CellCount:
    """Counts the cells of runs that have `each` cells, and one step more each: writing down how it ended."""

    def __init__(self, each: int) -> None:
        self.each = each
        self.done = 0
        self._done: dict[str, int] = {}
        self._current: dict[str, tuple[int, float]] = {}

    def enter(self, run_id: str, cell: int, now_s: float) -> None:
        """Note that a run is at a cell (the first is 1; 0: at none yet); whatever stands before it is done."""
        if self._current.get(run_id, (-1, 0.0))[0] != cell:
            self._current[run_id] = cell, now_s
            self._count(run_id, max(cell - 1, 0))

    def leave(self, run_id: str) -> None:
        """Note that no cell of a run is executed any more."""
        self._current.pop(run_id, None)
        self._count(run_id, self.each)

    def end(self, run_id: str) -> None:
        """Note that it is written down how a run ended."""
        self._current.pop(run_id, None)
        self._count(run_id, self.each + 1)

    def find_longest(self, now_s: float) -> CurrentCell | None:
        """Return the cell that has been running the longest, None when none runs."""
        if not self._current:
            return None
        run_id, (cell, since_s) = min(self._current.items(), key=lambda item: item[1][1])
        return CurrentCell(run_id, cell, self.each, int(now_s - since_s))

    def _count(self, run_id: str, cells: int) -> None:
        self.done += cells - self._done.get(run_id, 0)
        self._done[run_id] = cells
