"""The verbs that write pages."""

from __future__ import annotations

from pathlib import Path

from workbench.files.disk import disk_answers
from workbench.reviews.review import Review
from workbench.reviews.verbs import ReviewVerbs


class PageVerbs(ReviewVerbs):
    """What is shown without Jupyter."""

    def write_review_page(self, review: Review, path: Path) -> None:
        """Write a review as one HTML page that needs neither Jupyter nor a network."""
        from workbench.widgets.review_page import review_page

        with disk_answers(path):
            path.write_text(review_page(review), encoding="utf-8")

    def write_card_page(self, subject: str, path: Path) -> None:
        """Write a nominee's model card as one HTML page; the same card as Markdown is part of the release."""
        from workbench.reviews.model_card import build_model_card
        from workbench.widgets.card_page import card_page

        nominee = self.load_nominee(subject)
        with disk_answers(path):
            path.write_text(card_page(build_model_card(nominee.evidence, nominee.policy.questions)), encoding="utf-8")
