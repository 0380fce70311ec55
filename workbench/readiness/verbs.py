"""The verb of readiness: check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.runs.project import Project

if TYPE_CHECKING:
    from workbench.readiness.hindrance import Readiness


class ReadinessVerbs(Project):
    """What can be told of a notebook before it runs."""

    def check(self, notebook: Path) -> Readiness:
        """Read a notebook, of which nothing is run or imported, and say what is in the way of running, comparing and serving it."""
        from workbench.readiness.checking import check_file

        return check_file(notebook, self.settings)
