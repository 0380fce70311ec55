"""A run: one execution of a notebook with fixed parameters, and the states its attempts go through."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from workbench.errors import WorkbenchError
from workbench.records.clock import count_seconds
from workbench.runs.finding.annotations import NOTHING_SAID, Annotations
from workbench.runs.local_files import UNCOMMITTED, Standing
from workbench.runs.points import describe_summary


class RunState(StrEnum):
    """Where a run stands; the last four are final for its attempt."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"
    LOST = "LOST"


FINAL_STATES = frozenset({RunState.FINISHED, RunState.FAILED, RunState.KILLED, RunState.LOST})

TRANSITIONS: Mapping[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.KILLED, RunState.LOST}),
    RunState.RUNNING: FINAL_STATES,
    **{state: frozenset() for state in FINAL_STATES},
}

# Runs of before have eight digits.
RUN_ID = re.compile(r"[0-9a-f]{12}|[0-9a-f]{8}")
_PREFIX = re.compile(r"[0-9a-f]{1,12}")


class IllegalTransition(WorkbenchError):
    """An attempt was asked to move where its state does not lead."""


def require_transition(current: RunState, target: RunState) -> None:
    """Raise IllegalTransition unless an attempt may go from `current` to `target`."""
    if target not in TRANSITIONS[current]:
        allowed = ", ".join(sorted(TRANSITIONS[current])) or "nothing: it is final"
        raise IllegalTransition(
            f"An attempt cannot go from {current} to {target}.",
            why=f"From {current} it may go to {allowed}.",
            next_step="Start a new attempt of the run.",
        )


def new_run_id() -> str:
    """Return a fresh run id: twelve hex characters, never derived from user input; two of a million are one in 560 stores."""
    return secrets.token_hex(6)


def is_run_prefix(text: str) -> bool:
    """True for what may be the beginning of a run's id, or all of it."""
    return _PREFIX.fullmatch(text) is not None


@dataclass(frozen=True)
class Run:
    """One run as the store knows it; times are ISO 8601 in UTC.

    `record` is the completion record of the finished attempt (metrics, the courses of those with several points or
    steps, datasets, files and their digests). `annotations` are what people say of it, beside all that.
    """

    id: str
    notebook: str
    notebook_digest: str
    parameters: Mapping[str, Any]
    provenance: Mapping[str, Any]
    author: str
    created: str
    state: RunState = RunState.QUEUED
    attempt: int = 1
    started: str | None = None
    ended: str | None = None
    sweep: str | None = None
    error: str | None = None
    tracked_as: str | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    annotations: Annotations = NOTHING_SAID

    @property
    def is_finished(self) -> bool:
        """True when the run may be relied on."""
        return self.state is RunState.FINISHED

    @property
    def took_s(self) -> float | None:
        """How many seconds its last attempt took; None where it did not start or has not ended."""
        return count_seconds(self.started, self.ended)

    @property
    def git_dirty(self) -> bool | None:
        """True when git's commit does not hold the notebook and all local code as they ran; None when nobody can tell."""
        modules = (self.record.get("local_files") or {}).get("modules", ())
        is_known_dirty = any(module["standing"] in UNCOMMITTED for module in modules)
        is_told = all(module["standing"] != Standing.UNKNOWN for module in modules)
        dirty: bool | None = self.provenance.get("git_dirty")
        if dirty is None:
            return None
        return True if dirty or is_known_dirty else False if is_told else None

    @property
    def metrics(self) -> Mapping[str, float]:
        """The metrics the notebook logged."""
        return self.record.get("metrics", {})

    @cached_property
    def holdout(self) -> Mapping[str, Any] | None:
        """The holdout it declared (name, digest, rows), None when it declared none."""
        return next((item for item in self.record.get("datasets", []) if item["role"] == "holdout"), None)

    @property
    def scored_rows(self) -> str | None:
        """A digest of the rows it was scored on: by their ids and truth where they are kept, else that of its holdout."""
        found: str | None = self._scores.get("pairing") or (self.holdout or {}).get("digest")
        return found if self.is_finished else None

    @property
    def task(self) -> str | None:
        """The task its scores are of; None where it kept none."""
        return self._scores.get("task")

    @property
    def _scores(self) -> Mapping[str, Any]:
        return self.record.get("scores") or {}

    def describe_course(self, metric: str) -> str:
        """Say at which step the value of a metric was logged and how many points it has; nothing of a single value."""
        return describe_summary(self.record.get("history", {}).get(metric))
