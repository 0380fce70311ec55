"""What people say of runs, and what becomes of those put aside or deleted, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workbench.cli.terminal import format_age, note, say
from workbench.runs.finding.annotations import Annotations, spell_tags
from workbench.runs.run import Run

if TYPE_CHECKING:
    from workbench.runs.finding.removal import Removal


def list_said(said: Annotations) -> Iterator[tuple[str, str]]:
    """Yield what is said of a run as names and texts, with who said it last and when; nothing where nothing is."""
    for name, text in (("name", said.name), ("note", said.note), ("tags", spell_tags(said.tags))):
        if text:
            yield name, text
    if said.by:
        yield "said by", f"{said.by}, {format_age(said.at)}"
    if said.archived:
        yield "archived", format_age(said.archived)


def print_annotated(runs: Sequence[Run]) -> None:
    """Say of each run what is said of it now."""
    for run in runs:
        texts = [f"{name} {text!r}" if name != "tags" else f"tags {text}" for name, text in list_said(run.annotations)]
        texts = [text for text in texts if not text.startswith(("said by", "archived"))]
        say(f"Run {run.id}: {'; '.join(texts) or 'nothing is said of it'}.")


def name_runs(runs: Sequence[Run]) -> str:
    """Return a few runs by their ids, and many by their number."""
    named = ", ".join(run.id for run in runs)
    return f"Run {named}" if len(runs) == 1 else f"Runs {named}" if len(runs) <= _FEW else f"{len(runs):,} runs"


_FEW = 4


def print_removal(removal: Removal, *, is_done: bool, err: bool = False) -> None:
    """Say what was deleted, or what would be, and what of looks at a holdout stays; `err` says it beside the result."""
    tell, count = note if err else say, len(removal.looks)
    size, kept = format_size(removal.freed_bytes), format_size(removal.kept_bytes)
    does = "would be" if not is_done else "is" if len(removal.runs) == 1 else "are"
    tell(f"{name_runs(removal.runs)} {does} deleted with {size} of files, here and in MLflow.")
    if count:
        which = "It" if len(removal.runs) == 1 else f"{count:,} of them"
        tell(f"{which} had seen a holdout: the rows and scores it is known by ({kept}) stay, and still count as tries.")


def format_size(size: int) -> str:
    """Return a number of bytes in the largest fitting unit."""
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return f"{size} bytes"
