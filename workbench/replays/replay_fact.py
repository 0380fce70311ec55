"""What evidence says of the replay of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReplayFact:
    """The newest replay of the run: `verdict` on all that came out, and the kinds of things that were different.

    `largest_difference` is that of the holdout scores, absolute; None when they cannot be paired. Without a replay all is None
    and `reasons` say why.
    """

    run_id: str | None
    verdict: str | None
    largest_difference: float | None
    different: tuple[str, ...]
    reasons: tuple[str, ...]
