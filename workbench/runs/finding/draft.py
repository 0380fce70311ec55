"""A draft: what is kept of a notebook that somebody ran by hand. It is shown as such, and never promotable."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.runs.finding.outline import Outline


@dataclass(frozen=True)
class Draft:
    """A notebook that was run by hand: which (empty: nobody knows), when it began and logged last, what it logged so far.

    Times are ISO 8601 in UTC; `holdouts` are the digests and row counts of those it had at hand.
    """

    id: str
    notebook: str
    created: str
    changed: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    holdouts: Sequence[Mapping[str, Any]] = ()

    def outline(self) -> Outline:
        """Return it as conditions see it."""
        return Outline(
            self.id,
            "draft",
            self.created,
            self.notebook,
            started=self.created,
            ended=self.changed,
            metrics=json.dumps(dict(self.metrics)),
        )
