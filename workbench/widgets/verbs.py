"""The verbs that write pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.files.disk import disk_answers
from workbench.reviews.review import Review
from workbench.reviews.verbs import ReviewVerbs

if TYPE_CHECKING:
    from workbench.comparisons.comparison import ComparedRun, Comparison
    from workbench.runs.table.question import Question
    from workbench.runs.table.reading import Answer


class PageVerbs(ReviewVerbs):
    """What is shown without Jupyter."""

    def write_review_page(self, review: Review, path: Path) -> None:
        """Write a review as one HTML page that needs neither Jupyter nor a network."""
        from workbench.widgets.review_page import review_page

        with disk_answers(path):
            path.write_text(review_page(review), encoding="utf-8")

    def write_comparison_page(
        self, comparison: Comparison, path: Path, runs: Sequence[ComparedRun] | None = None
    ) -> None:
        """Write a comparison, or these of its runs in their order, as one HTML page that needs neither Jupyter nor a network.

        Raises UsageError where a file is there that is no page of the workbench.
        """
        from workbench.widgets.comparison_page import comparison_page
        from workbench.widgets.page_files import write_page

        write_page(path, comparison_page(comparison, runs=runs))

    def write_runs_page(self, answer: Answer, question: Question, path: Path, *, mlflow: str = "") -> None:
        """Write all runs of an answer, or its groups, as one HTML page; `mlflow` is the store that was asked, if not the project's.

        Raises UsageError where a file is there that is no page of the workbench.
        """
        from workbench.widgets.page_files import write_page
        from workbench.widgets.run_pictures import RunPictures
        from workbench.widgets.runs_page import runs_page
        from workbench.widgets.runs_state import runs_state
        from workbench.words.places import describe_store

        place = f"MLflow at {mlflow}" if mlflow else describe_store(self.settings)
        state = runs_state(answer, question, place=place, mlflow=mlflow)
        write_page(path, runs_page(state, RunPictures(state["columns"], state["rows"], state["is_grouped"])))

    def write_card_page(self, subject: str, path: Path) -> None:
        """Write a nominee's model card as one HTML page; the same card as Markdown is part of the release."""
        from workbench.reviews.model_card import build_model_card
        from workbench.widgets.card_page import card_page

        nominee = self.load_nominee(subject)
        with disk_answers(path):
            path.write_text(card_page(build_model_card(nominee.evidence, nominee.policy.questions)), encoding="utf-8")
