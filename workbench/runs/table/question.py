"""A question about very many runs: which of them, what is shown of each, in which order or groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """What is asked of runs: names as `RunTable.find_column` takes them, `sort` with a minus before it for the other way round.

    `group_by` names what the runs of a group share; `all_but` the parameters they may differ in, where they share all others and
    the notebook, which may differ where it is named, too. Archived runs are left out, but for `archived`, or where the condition
    speaks of it.
    """

    columns: Sequence[str] = ()
    where: str | None = None
    search: str = ""
    sort: str = ""
    group_by: Sequence[str] = ()
    all_but: Sequence[str] = ()
    notebook: str | None = None
    archived: bool = False

    @property
    def is_descending(self) -> bool:
        """True where the largest comes first."""
        return self.sort.startswith("-")

    @property
    def is_grouped(self) -> bool:
        """True where groups are asked for."""
        return bool(self.group_by or self.all_but)
