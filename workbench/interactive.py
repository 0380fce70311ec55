"""What a notebook asks the workbench to show: comparisons and reviews as views in JupyterLab."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from workbench.errors import NotFound
from workbench.workflow import Workbench

if TYPE_CHECKING:
    from workbench.widgets.comparison_view import ComparisonView
    from workbench.widgets.requests import Requests
    from workbench.widgets.review_view import ReviewView


def compare(
    runs: Sequence[str] | None = None, reference: str | None = None, *, notebook: str | None = None
) -> ComparisonView:
    """Show runs side by side (default: all finished ones on the newest holdout) against a run or a constant prediction."""
    from workbench.widgets.comparison_view import ComparisonView

    return ComparisonView(Workbench.open().compare(runs or (), reference=reference or None, notebook=notebook or None))


def review(subject: str = "") -> ReviewView:
    """Show a nominee (`model/version`; default: the newest) with its findings, questions and a place to object and to sign."""
    from workbench.widgets.review_view import ReviewView

    bench = Workbench.open()
    name = subject or _newest_nominee(bench)
    return ReviewView(bench.review(name), _requests_on(bench, name))


def _requests_on(bench: Workbench, name: str) -> Requests:
    from workbench.widgets.requests import Requests

    return Requests(
        answer=partial(bench.answer, name),
        approve=partial(bench.approve, name),
        object_to=partial(bench.object, name),
        waive=partial(bench.waive, name),
        find_keyholder=bench.find_keyholder,
    )


def _newest_nominee(bench: Workbench) -> str:
    nominees = bench.list_nominees()
    if not nominees:
        raise NotFound("There is no nominee to review.", next_step="workbench nominate RUN --model NAME")
    return nominees[0]
