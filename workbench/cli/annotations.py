"""What people say of runs, and what becomes of those put aside or deleted, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workbench.cli.terminal import format_age, note, say
from workbench.executors.limits import format_size
from workbench.runs.finding.annotations import Annotations, spell_tags
from workbench.runs.run import Run

if TYPE_CHECKING:
    from workbench.runs.finding.removal import Removal


def list_said(said: Annotations) -> Iterator[tuple[str, str]]:
    """Yield what is said of a run as names and texts, with who said it last and when; nothing where nothing is."""
    yield from _list_texts(said)
    if said.by:
        yield "said by", f"{said.by}, {format_age(said.at)}"
    if said.archived:
        yield "archived", format_age(said.archived)


def _list_texts(said: Annotations) -> Iterator[tuple[str, str]]:
    every = (("name", said.name), ("note", said.note), ("tags", spell_tags(said.tags)))
    return ((name, text) for name, text in every if text)


def print_annotated(runs: Sequence[Run]) -> None:
    """Say of each run what is said of it now."""
    for run in runs:
        texts = [f"{name} {text if name == 'tags' else repr(text)}" for name, text in _list_texts(run.annotations)]
        say(f"Run {run.id}: {'; '.join(texts) or 'nothing is said of it'}.")


def name_runs(runs: Sequence[Run]) -> str:
    """Return a few runs by their ids, and many by their number."""
    named = ", ".join(run.id for run in runs)
    return f"Run {named}" if len(runs) == 1 else f"Runs {named}" if len(runs) <= _FEW else f"{len(runs):,} runs"


_FEW = 4


def _name_drafts(ids: Sequence[str]) -> list[str]:
    if not ids:
        return []
    return [f"{len(ids):,} drafts"] if len(ids) > _FEW else [f"draft{'s' if len(ids) > 1 else ''} {', '.join(ids)}"]


def print_removal(removal: Removal, *, is_done: bool, err: bool = False) -> None:
    """Say what was deleted, or what would be, and what of looks at a holdout stays; `err` says it beside the result."""
    tell, count = note if err else say, len(removal.looks)
    size, kept = format_size(removal.freed_bytes), format_size(removal.kept_bytes)
    does = "would be" if not is_done else "is" if len(removal.names) == 1 else "are"
    named = [*([name_runs(removal.runs)] if removal.runs else []), *_name_drafts(removal.drafts)]
    who = " and ".join(named)
    tell(
        f"{who[:1].upper()}{who[1:]} {does} deleted with {size} of files{', here and in MLflow' if removal.runs else ''}."
    )
    if count:
        which = "It" if len(removal.names) == 1 else f"{count:,} of them"
        tell(f"{which} had seen a holdout: the rows and scores it is known by ({kept}) stay, and still count as tries.")
