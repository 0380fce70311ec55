"""What somebody who looks on sees of a run: its cells, what they show, what is measured, each once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workbench.notebooks.notebook import cell_source, number_cells, written_cells
from workbench.runs.points import Point, describe_summary, find_latest, summarize_points

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Kind(StrEnum):
    """What is seen: a cell that begins, what was printed, shown, raised or measured."""

    CELL = "cell"
    STDOUT = "stdout"
    STDERR = "stderr"
    SHOWN = "shown"
    ERROR = "error"
    METRIC = "metric"


@dataclass(frozen=True)
class Seen:
    """One thing to be told; of a stream the text that came, which may begin and end in the middle of a line."""

    kind: Kind
    text: str


class SeenNotebook:
    """Says of a notebook that is being executed, each time it is looked at, what is new; an earlier output that changes is not.

    `cell` is the number of the cell it is at, of `cells` that somebody wrote (0: at none yet).
    """

    def __init__(self) -> None:
        self.cell = self.cells = 0
        # By cell: how many outputs were told, and how many characters of the last of them.
        self._told: dict[int, tuple[int, int]] = {}

    def look(self, document: Mapping[str, Any]) -> Iterator[Seen]:
        """Yield what a document (nbformat 4) has that the one before had not; one of a new attempt is told from its beginning."""
        cells, numbers = document["cells"], number_cells(document)
        self.cells = len(written_cells(document))
        begun = [index for index, cell in enumerate(cells) if _has_begun(cell)]
        if not self._told.keys() <= set(begun):
            self._told.clear()
        for index in begun:
            if index not in self._told:
                yield from self._tell_cell(cells[index], numbers[index])
            yield from self._tell_outputs(index, cells[index].get("outputs", ()))

    def _tell_cell(self, cell: Mapping[str, Any], number: int) -> Iterator[Seen]:
        if written_cells({"cells": [cell]}):
            self.cell = number
            first = next(line for line in cell_source(cell).splitlines() if line.strip())
            yield Seen(Kind.CELL, f"{number} of {self.cells}: {first}")

    def _tell_outputs(self, index: int, outputs: Sequence[Mapping[str, Any]]) -> Iterator[Seen]:
        """Yield what came to the outputs of a cell; the last one may go on."""
        told, characters = self._told.setdefault(index, (0, 0))
        if len(outputs) < told:  # it was cleared
            told = characters = 0
        for number in range(max(told, 1), len(outputs) + 1):
            seen = _spell(outputs[number - 1])
            new = seen.text[characters:] if number == told else seen.text
            self._told[index] = number, len(seen.text)
            if new:
                yield Seen(seen.kind, new)


def _has_begun(cell: Mapping[str, Any]) -> bool:
    return cell["cell_type"] == "code" and (
        cell.get("execution_count") is not None or cell["metadata"].get("papermill", {}).get("start_time") is not None
    )


def _spell(output: Mapping[str, Any]) -> Seen:
    match output["output_type"]:
        case "stream":
            return Seen(Kind.STDERR if output["name"] == "stderr" else Kind.STDOUT, _join(output["text"]))
        case "error":
            trace = "\n".join(output.get("traceback") or [f"{output['ename']}: {output['evalue']}"])
            return Seen(Kind.ERROR, _COLOUR.sub("", trace))
    return Seen(Kind.SHOWN, _spell_data(output["data"]))


def _spell_data(data: Mapping[str, Any]) -> str:
    """Return what a line can say of an output: a picture by its kind, everything else by its text."""
    pictures = [kind for kind in data if kind.startswith("image/")]
    if pictures or "text/plain" not in data:
        return f"[{', '.join(pictures or data)}]"
    return _join(data["text/plain"])


def _join(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


class SeenMetrics:
    """Says which metrics have another value, or more points, than when they were looked at before; `values` has all so far."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self._told: dict[str, tuple[object, ...]] = {}

    def look(self, points: Sequence[Point]) -> Iterator[Seen]:
        """Yield each metric that changed, by its value and course."""
        summaries = summarize_points(points)
        for name, point in find_latest(points).items():
            summary = summaries.get(name, {})
            self.values[name] = point.value
            if self._told.get(name) != (told := (point.rank, *summary.values())):
                self._told[name] = told
                yield Seen(Kind.METRIC, _spell_metric(point, summary))


def _spell_metric(point: Point, summary: Mapping[str, int]) -> str:
    return f"{point.name} {point.value:.4g} {describe_summary(summary or None)}".rstrip()
