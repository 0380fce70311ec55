"""What the executed notebook itself shows: did every code cell run, in order, without an error?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Execution:
    """What the executed notebook itself shows: did every code cell run, in order, without an error?

    `completed` is true only when the live kernel answered the completion handshake after the last cell.
    """

    code_cells: int
    executed_cells: int
    in_order: bool
    error: str | None
    failed_cell: int | None
    completed: bool

    @property
    def is_clean(self) -> bool:
        """True when every code cell ran once, in order, without error, and the kernel confirmed it."""
        return self.completed and self.in_order and self.error is None and self.code_cells == self.executed_cells
