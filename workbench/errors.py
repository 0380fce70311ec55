"""What can go wrong, as one tree; each branch has its exit code.

WorkbenchError            1  failed
├── UsageError            2  the call, the notebook or its parameters are wrong
│   └── NotFound          2  nothing has that name
├── RunFailed             1  a notebook did not finish
├── Unavailable           1  a part we stand on (store, MLflow, disk, port) did not answer
├── Interrupted           1  stopped from outside; what was finished is kept
└── Refused               3  a gate said no, with every reason
"""

from __future__ import annotations

from collections.abc import Iterable


class WorkbenchError(Exception):
    """A failure told in three parts: what happened, why (one line a reason), what to do next."""

    exit_code = 1

    def __init__(self, what: str, *, why: str | Iterable[str] = (), next_step: str = "") -> None:
        super().__init__(what, why, next_step)
        self.what = what
        self.reasons = (why,) if isinstance(why, str) else tuple(why)
        self.next_step = next_step

    @property
    def in_one_line(self) -> str:
        """What happened and why."""
        return " ".join([self.what, *self.reasons])

    def _render_traceback_(self) -> list[str]:
        """Show the three parts in a notebook; where our own code stood when it said no helps nobody there."""
        return str(self).splitlines()

    def __str__(self) -> str:
        lines = [self.what, *(f"  - {reason}" for reason in self.reasons if reason)]
        return "\n".join([*lines, f"  Next: {self.next_step}"] if self.next_step else lines)


class UsageError(WorkbenchError):
    """The call, the notebook or its parameters are wrong; nothing was started."""

    exit_code = 2


class NotFound(UsageError):
    """Nothing has that name, or more than one thing begins with it."""


class RunFailed(WorkbenchError):
    """A notebook was started and did not finish."""


class Unavailable(WorkbenchError):
    """A part the workbench stands on did not answer; nothing was half-done."""


class Interrupted(WorkbenchError):
    """Somebody stopped the work; what was finished before is kept."""


class Refused(WorkbenchError):
    """A gate said no; the reasons are complete and sorted."""

    exit_code = 3
