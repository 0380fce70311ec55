"""What changed between two versions of a model: parameters, data, score, people and the code of the notebook."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from workbench.evidence.evidence import Evidence
from workbench.notebooks.notebook import cell_source, written_cells
from workbench.records.digest import short
from workbench.runs.local_files import LocalFilesFact
from workbench.runs.tables import DatasetFact

Mark = Literal["+", "-", " "]
# Beyond these a diff would take longer to compute, and to read, than opening both notebooks.
LONGEST_SOURCE = 5_000
MOST_LINES = 1_000
WIDEST_LINE = 400
_CONTEXT = 3


@dataclass(frozen=True)
class Changed:
    """One thing that is not as it was; None where it was not there at all."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class ChangedData:
    """The table in one role that is not the one it was: another digest, or there in one version only."""

    role: str
    before: DatasetFact | None
    after: DatasetFact | None


@dataclass(frozen=True)
class DiffLine:
    """One line of a diff: added, removed or unchanged."""

    mark: Mark
    text: str


@dataclass(frozen=True)
class Hunk:
    """Lines that changed together, with those around them; `cell` is the one of the newer notebook they begin in, from 1."""

    cell: int
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True)
class CodeDiff:
    """How the notebook's source differs; `fault` says why that cannot be shown (then there are no hunks).

    `added` and `removed` count all lines, shown or not; `left_out` counts the lines of the diff that are not shown.
    """

    hunks: tuple[Hunk, ...] = ()
    added: int = 0
    removed: int = 0
    left_out: int = 0
    fault: str | None = None


@dataclass(frozen=True)
class Changes:
    """What is not as in the version that is served now (in the one before, for that itself).

    `score_before` and `score_after` are of the metric that decides, None where there is none or it is another metric.
    """

    version: int
    parameters: tuple[Changed, ...]
    datasets: tuple[ChangedData, ...]
    facts: tuple[Changed, ...]
    metric: str | None
    score_before: float | None
    score_after: float | None
    code: CodeDiff


def find_changes(
    before: Evidence, after: Evidence, *, source_before: bytes | None, source_after: bytes | None
) -> Changes:
    """Return what changed from one version to another; the sources are notebooks as frozen at nomination (None: not kept)."""
    score_before, score_after = before.score, after.score
    is_same_metric = score_before is not None and score_after is not None and score_before.metric == score_after.metric
    return Changes(
        version=before.identity.version,
        parameters=_compare(before.identity.parameters, after.identity.parameters),
        datasets=_compare_datasets(before.datasets, after.datasets),
        facts=_compare(_describe(before), _describe(after)),
        metric=score_after.metric if score_after else None,
        score_before=score_before.value if score_before and is_same_metric else None,
        score_after=score_after.value if score_after else None,
        code=_compare_sources(source_before, source_after, before.identity.version, after.identity.version),
    )


def _compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Changed, ...]:
    return tuple(
        Changed(name, _tell(before, name), _tell(after, name))
        for name in dict.fromkeys([*after, *before])
        if (name in before, before.get(name)) != (name in after, after.get(name))
        or type(before.get(name)) is not type(after.get(name))
    )


def _tell(values: Mapping[str, Any], name: str) -> Any:
    return "none" if name in values and values[name] is None else values.get(name)


def _describe(evidence: Evidence) -> dict[str, str]:
    identity = evidence.identity
    return {
        "authors": ", ".join(identity.authors),
        "notebook": identity.notebook,
        "packages": f"lock file {short(identity.lock_digest)}" if identity.lock_digest else "no lock file",
        "served as": evidence.model.served_as or "unknown",
        "local code": _name_local(evidence.local_files),
        "own code": ", ".join(f"{each.name} sha256 {short(each.digest)}" for each in evidence.own_code) or "none",
    }


def _name_local(files: LocalFilesFact | None) -> str:
    if files is None:
        return "not known"
    return ", ".join(f"{each.path} sha256 {short(each.digest or '')}" for each in files.modules) or "none"


def _compare_datasets(before: Sequence[DatasetFact], after: Sequence[DatasetFact]) -> tuple[ChangedData, ...]:
    then, now = ({f"{item.role} {item.name}": item for item in items} for items in (before, after))
    lone_then = {item.role: item for name, item in then.items() if name not in now}
    found = []
    for name, item in now.items():
        # A table under another name in the same role took its place.
        other = then.get(name) or lone_then.pop(item.role, None)
        if other is None or other.digest != item.digest:
            found.append(ChangedData(item.role, other, item))
    return (*found, *(ChangedData(item.role, item, None) for item in lone_then.values()))


def _compare_sources(before: bytes | None, after: bytes | None, *versions: int) -> CodeDiff:
    for source, version in zip((before, after), versions, strict=True):
        if source is None:
            return CodeDiff(fault=f"The code of version {version} was not kept.")
    then, now = (_read_lines(source or b"") for source in (before, after))
    longest = max(len(then), len(now))
    if longest > LONGEST_SOURCE:
        return CodeDiff(fault=f"The notebook has {longest:,} lines; differences are shown up to {LONGEST_SOURCE:,}.")
    return compare_lines(then, now)


def _read_lines(source: bytes) -> list[tuple[int, str]]:
    """Return each line of a notebook's source with the number of its cell, or of the code before it; each cell is headed."""
    heads = {"code": "# %%", "markdown": "# %% [markdown]", "raw": "# %% [raw]"}
    cells = json.loads(source)["cells"]
    numbers = itertools.accumulate(len(written_cells({"cells": [cell]})) for cell in cells)
    return [
        (max(number, 1), line)
        for number, cell in zip(numbers, cells, strict=True)
        for line in (heads[cell["cell_type"]], *cell_source(cell).splitlines())
    ]


def compare_lines(then: Sequence[tuple[int, str]], now: Sequence[tuple[int, str]]) -> CodeDiff:
    """Return how lines differ; each stands with the number of the cell, or of the line, a hunk is named by."""
    before, after = ([line for _, line in lines] for lines in (then, now))
    groups = list(SequenceMatcher(None, before, after).get_grouped_opcodes(_CONTEXT))
    hunks = [Hunk(_cell_at(now, group[0][3]), tuple(_spell(group, before, after))) for group in groups]
    marks = [line.mark for hunk in hunks for line in hunk.lines]
    shown = tuple(_shorten(hunks))
    left_out = len(marks) - sum(len(hunk.lines) for hunk in shown)
    return CodeDiff(shown, added=marks.count("+"), removed=marks.count("-"), left_out=left_out)


def _cell_at(lines: Sequence[tuple[int, str]], index: int) -> int:
    return lines[min(index, len(lines) - 1)][0] if lines else 1


def _spell(
    group: Sequence[tuple[str, int, int, int, int]], before: Sequence[str], after: Sequence[str]
) -> Iterator[DiffLine]:
    for kind, begin, end, new_begin, new_end in group:
        if kind == "equal":
            yield from (DiffLine(" ", _cut(line)) for line in before[begin:end])
        else:
            yield from (DiffLine("-", _cut(line)) for line in before[begin:end])
            yield from (DiffLine("+", _cut(line)) for line in after[new_begin:new_end])


def _cut(line: str) -> str:
    return line if len(line) <= WIDEST_LINE else f"{line[:WIDEST_LINE]}… ({len(line):,} characters)"


def _shorten(hunks: Sequence[Hunk]) -> Iterator[Hunk]:
    left = MOST_LINES
    for hunk in hunks:
        if left > 0:
            yield Hunk(hunk.cell, hunk.lines[:left])
        left -= len(hunk.lines)
