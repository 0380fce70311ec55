"""The verbs around everything: begin a notebook, open JupyterLab or a review, look whether all is well."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import NotFound
from workbench.reviews.verbs import ReviewVerbs

if TYPE_CHECKING:
    from workbench.workflow.doctor import Symptom
    from workbench.workflow.opening import Place, What


class WorkflowVerbs(ReviewVerbs):
    """What belongs to no one chapter."""

    def new(self, name: str, template: str) -> Path:
        """Copy an experiment notebook from the templates to notebooks/NAME.ipynb and return its path."""
        from workbench.workflow.starting import write_experiment

        return write_experiment(self.settings.project, name, template)

    def open_review(self, subject: str, *, port: int, say: Callable[[str], None]) -> None:
        """Serve a nominee's review on a page of its own, on loopback with a token, until Ctrl-C."""
        from workbench.workflow.voila_server import open_review

        self.load_nominee(subject)  # what cannot be reviewed is said here, not in a browser
        open_review(subject, self.settings, port=port, say=say)

    def lab(self, *, port: int | None, mlflow_port: int | None, say: Callable[[str], None]) -> None:
        """Run JupyterLab and MLflow's page on loopback until one of them ends or Ctrl-C."""
        from workbench.workflow.lab import run_lab

        self.tracker.require_answer()  # makes a database that is not there yet, before two programs would at once
        page = self.tracker.find_start_page(next(iter(self.store.list_runs(limit=1)), None))
        run_lab(self.settings, port=port, mlflow_port=mlflow_port, say=say, page=page)

    def find_place(self, run_id: str, what: What = "report") -> Place:
        """Return where a run's report, notebook, folder or page in MLflow is, or a draft's notebook or folder.

        Raises NotFound for what is not there, Unavailable where nobody serves it.
        """
        from workbench.runs.finding.drafting import find_draft
        from workbench.workflow.opening import find_place, place_draft

        try:
            run = self.store.find_run(run_id)
        except NotFound:
            draft = find_draft(self.settings, run_id)
            if draft is None or what == "mlflow":
                raise
            return place_draft(self.settings, draft, what, os.environ)
        return find_place(self, run, what, os.environ)

    def examine(self) -> list[Symptom]:
        """Look at everything the workbench stands on and mend what can be mended."""
        from workbench.workflow.doctor import examine

        return examine(self)
