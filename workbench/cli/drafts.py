"""Drafts as text: what is kept of notebooks that were run by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.cli.terminal import escape, format_age, format_number, new_table, note, open_console, say

if TYPE_CHECKING:
    from workbench.runs.finding.drafting import Draft

_MOST_METRICS = 2


def print_drafts(drafts: Sequence[Draft], deciding: Sequence[str]) -> None:
    """Print drafts as a table: which notebook, what it logged (of metrics first those that decide), its holdout, when last."""
    if not drafts:
        say("No drafts of notebooks run by hand.")
        return
    say(f"{len(drafts):,} {'draft' if len(drafts) == 1 else 'drafts'} of notebooks run by hand, never promotable")
    table = new_table(
        ("draft", ""), ("notebook", "wrap"), ("logged", "wrap"), ("holdout", "right"), ("changed", "right")
    )
    for draft in drafts:
        rows = ", ".join(f"{each['rows']:,} rows" for each in draft.holdouts)
        logged = escape(_say_metrics(draft, deciding))
        table.add_row(
            draft.id,
            escape(draft.notebook.removesuffix(".ipynb") or "unknown"),
            logged,
            rows,
            format_age(draft.changed),
        )
    open_console().print(table)
    note("`workbench open DRAFT` shows what is kept of one, `workbench delete DRAFT` removes it.")


def _say_metrics(draft: Draft, deciding: Sequence[str]) -> str:
    names = sorted(draft.metrics, key=lambda name: name not in deciding)
    more = f", {len(names) - _MOST_METRICS} more" if len(names) > _MOST_METRICS else ""
    return ", ".join(f"{name} {format_number(draft.metrics[name])}" for name in names[:_MOST_METRICS]) + more


def describe_draft(draft: Draft) -> dict[str, Any]:
    """Return a draft beside runs: with what it has of what they have."""
    return {**vars(draft), "state": "DRAFT", "standing": ["draft"]}
