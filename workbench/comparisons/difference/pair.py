"""A pair of runs as their folders have them: what is compared is computed from these bytes alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.comparisons.comparison import Comparison
from workbench.comparisons.difference.part import Part
from workbench.comparisons.difference.shared_rows import NOTHING_KNOWN, SharedRows
from workbench.models.predictions import Predictions
from workbench.runs.run import Run, RunState


@dataclass(frozen=True)
class Side:
    """One of two runs, and the bytes of its files by their path that were held against its record.

    `faults` says of a file that is not among them why it cannot be used. `notebook` is the executed one, None where there is none;
    `settings` are those of its model's parts, `coefficients` its numbers by name, None where it has none that can be read;
    `takes` are the columns it takes, in its order.
    """

    name: str
    run: Run
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    faults: Mapping[str, str] = field(default_factory=dict)
    notebook: Mapping[str, Any] | None = field(default=None, repr=False)
    predictions: Predictions | None = field(default=None, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    coefficients: Mapping[str, Sequence[float]] | None = field(default=None, repr=False)
    takes: Sequence[str] = ()

    def explain(self, path: str) -> str:
        """Say why a file is not there to be compared."""
        return self.faults.get(path, f"Run {self.name} has none.")

    def digest_of(self, path: str) -> str | None:
        """Return the digest a file had when the run ended; None where none was recorded."""
        found: str | None = self.run.record.get("files", {}).get(path)
        return found


@dataclass(frozen=True)
class Pair:
    """Two runs, the second held against the first; `comparison` is that of their scores, `unpaired` says why there is none.

    `shared` says on which rows both were scored.
    """

    a: Side
    b: Side
    comparison: Comparison | None = None
    unpaired: str = ""
    shared: SharedRows = NOTHING_KNOWN

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both of them."""
        return self.a, self.b

    def row(self, before: Any, after: Any) -> dict[str, Any]:
        """Return two values as the columns of a table, named A and B as in the head of the difference."""
        return {"A": before, "B": after}


_STATES = {
    RunState.QUEUED: "waits",
    RunState.RUNNING: "goes on",
    RunState.FINISHED: "finished",
    RunState.FAILED: "failed",
    RunState.KILLED: "was killed",
    RunState.LOST: "was lost",
}


def describe_state(side: Side) -> str:
    """Say what became of a run."""
    return f"run {side.name} {_STATES[side.run.state]}"


# One thing that two runs are compared by.
ComparePart = Callable[[Pair], Part]
