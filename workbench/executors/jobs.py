"""The seam between the workflow and whatever executes notebooks: a job goes in, a status comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from workbench.executors.limits import Limits
from workbench.notebooks.execution import Execution


@dataclass(frozen=True)
class Job:
    """One notebook to execute in its own folder; plain values only, so that it can be sent to another process.

    `folder` receives the kernel's log, `live` the notebook as far as it was executed, again and again, `journal` what the kernel
    says of the local code it ran and the files it read (None: it is not asked); `working_dir` is where the notebook's relative
    paths start; `environment` is the whole environment of the kernel, and `mark` (NAME=VALUE) the one variable of it by which
    everything the notebook starts is found and ended with it. Whatever opens a file below `roots` is noted, but for the
    workbench's own `home`. `cold` asks for an ordinary kernel; what a warm one is forked from is kept for `kept_min` minutes
    after it was last used. A kernel that `times_imports` says how long they took. `secrets` are values that must not reach the
    disk.
    """

    id: str
    source: dict[str, Any]
    parameters: Mapping[str, Any]
    folder: Path
    live: Path
    working_dir: Path
    environment: Mapping[str, str] = field(repr=False)
    mark: str
    limits: Limits = field(default_factory=Limits)
    roots: tuple[Path, ...] = ()
    home: Path | None = None
    journal: Path | None = None
    cold: bool = False
    kept_min: int = 0
    times_imports: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)


class Cause(StrEnum):
    """Why an execution did not finish: the notebook's own doing, a limit, a kernel or worker that died, or somebody's wish."""

    NOTEBOOK = "notebook"
    LIMIT = "limit"
    DIED = "died"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Opened:
    """The files below a job's roots that were opened for reading while it ran, by whatever program, and what could not be seen.

    `written` are those that were opened to be written.
    """

    files: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How an execution ended: the executed notebook, what it shows, and why it stopped when it did not finish."""

    document: dict[str, Any]
    execution: Execution
    failure: str | None
    cause: Cause = Cause.NOTEBOOK
    kernel: str = "cold"
    opened: Opened = Opened()
    imports_s: float | None = None

    @property
    def is_worth_retrying(self) -> bool:
        """True when the same notebook may well finish the next time: its kernel or worker died."""
        return self.failure is not None and self.cause is Cause.DIED


class Phase(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True)
class Status:
    """Where a job is: in RUNNING at `cell` of `cells`, as their author counts them (0: none yet), in ENDED with its outcome."""

    phase: Phase
    cell: int = 0
    cells: int = 0
    outcome: Outcome | None = None


class Executor(Protocol):
    """A way to execute notebooks, `slots` at a time. Another one needs only these."""

    slots: int

    def submit(self, job: Job) -> None:
        """Queue a job."""

    def status(self, job_id: str) -> Status:
        """Say where a job is; once it was said to have ended it is forgotten. Never raises for what the notebook did."""

    def cancel(self, job_id: str) -> None:
        """End one job: its outcome says that it was stopped."""

    def wait(self, timeout_s: float) -> None:
        """Return when a status may have changed, or after `timeout_s`."""

    def close(self) -> None:
        """End whatever runs, and leave no process, thread or folder behind."""
