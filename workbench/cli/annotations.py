"""What people say of runs, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.cli.terminal import format_age, say
from workbench.runs.annotations import Annotations, spell_tags
from workbench.runs.run import Run


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
