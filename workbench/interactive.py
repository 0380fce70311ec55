"""What a notebook asks the workbench to show: comparisons and reviews as views in JupyterLab."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from workbench.widgets.requests import Key, Requests

    def signed(key: Key) -> dict[str, Any]:
        return {"key": Path(key.path), "passphrase": key.passphrase}

    return Requests(
        answer=lambda question, text: bench.answer(name, question, text),
        approve=lambda role, key: bench.approve(name, role=role, **signed(key)),
        object_to=lambda text, key: bench.object(name, text=text, **signed(key)),
        clear=lambda number, text, key: bench.object(name, text=text, clears=number, **signed(key)),
        waive=lambda check, reason, role, until, key: bench.waive(
            name, check, reason=reason, role=role, until=until, **signed(key)
        ),
        find_keyholder=lambda path: bench.find_keyholder(Path(path)),
    )


def _newest_nominee(bench: Workbench) -> str:
    nominees = bench.list_nominees()
    if not nominees:
        raise NotFound("There is no nominee to review.", next_step="workbench nominate RUN --model NAME")
    return nominees[0]
