"""Everything that was ever run of notebooks: runs, also those put aside, and drafts."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.runs.finding.draft import Draft
from workbench.runs.run import Run


@dataclass(frozen=True)
class Everything:
    """Runs and drafts, the newest of each first."""

    runs: tuple[Run, ...]
    drafts: tuple[Draft, ...] = ()
