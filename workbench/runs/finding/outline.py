"""Runs as far as conditions ask for them: thousands at a time, so what is long stays text until somebody asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from workbench.records.clock import count_seconds
from workbench.runs.finding.annotations import NOTHING_SAID, Annotations


class _Missing:
    """That there is no value; nothing holds of it."""


MISSING = _Missing()
_DIGITS = 12


@dataclass(slots=True)
class Outline:
    """What is known of a run, or of a draft, without reading its record; `parameters`, `metrics`, `datasets` are JSON texts.

    `pairing` tells the rows it was scored on (see `Scorecard`). Times are ISO 8601 in UTC, `state` is in small letters.
    """

    id: str
    state: str
    created: str
    notebook: str = ""
    author: str | None = None
    sweep: str | None = None
    started: str | None = None
    ended: str | None = None
    attempt: int | None = None
    error: str | None = None
    parameters: str = "{}"
    metrics: str | None = None
    datasets: str | None = None
    replay_of: str | None = None
    pairing: str | None = None
    annotations: Annotations = NOTHING_SAID

    @property
    def took_s(self) -> float | None:
        """How many seconds its last attempt took."""
        return count_seconds(self.started, self.ended)

    @property
    def holdout(self) -> str | None:
        """The name of its holdout."""
        return self._read_holdout("name")

    @property
    def scored_rows(self) -> str | None:
        """A digest of the rows it was scored on: by their ids and truth where they are kept, else that of its holdout."""
        digest = self.pairing or (self._read_holdout("digest") if self.state == "finished" else None)
        return digest[:_DIGITS] if digest else None

    def _read_holdout(self, key: str) -> str | None:
        tables = json.loads(self.datasets or "[]")
        return next((str(table[key]) for table in tables if table["role"] == "holdout" and key in table), None)


class Outlines:
    """Outlines side by side; values are read by the column."""

    def __init__(self, runs: Sequence[Outline]) -> None:
        self.runs = runs

    def __len__(self) -> int:
        return len(self.runs)

    def id_at(self, place: int) -> str:
        """Return the id of a run by its place."""
        return self.runs[place].id

    def read(self, of: str, key: str) -> list[Any]:
        """Return a value of each run, `MISSING` where it has none; what is no number among the metrics is none."""
        match of:
            case "run":
                read = FIELDS[key].read
                return [MISSING if (value := read(run)) is None else value for run in self.runs]
            case "tags":
                return [run.annotations.tags.get(key, MISSING) for run in self.runs]
            case "params":
                return [values.get(key, MISSING) for values in self._parameters]
        values = [values.get(key, MISSING) for values in self._metrics]
        return [MISSING if value != value else value for value in values]

    def list_keys(self, of: str) -> set[str]:
        """Return the names that any run has of something: of run, metrics, params or tags."""
        match of:
            case "run":
                return {*FIELDS}
            case "tags":
                return {key for run in self.runs for key in run.annotations.tags}
        return {key for values in (self._parameters if of == "params" else self._metrics) for key in values}

    @cached_property
    def _parameters(self) -> list[dict[str, Any]]:
        return _parse([run.parameters for run in self.runs])

    @cached_property
    def _metrics(self) -> list[dict[str, Any]]:
        return _parse([run.metrics or "{}" for run in self.runs])


def _parse(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Parse many objects at once: of ten thousand short ones the calls would take longer than the reading."""
    found: list[dict[str, Any]] = json.loads(f"[{','.join(texts)}]")
    return found


@dataclass(frozen=True)
class Field:
    """Something that every run may have: of which kind it is, what it says, how it is read."""

    kind: str
    says: str
    read: Callable[[Outline], Any]


def _read_time(name: str) -> Callable[[Outline], datetime | None]:
    def read(outline: Outline) -> datetime | None:
        text: str | None = getattr(outline, name)
        return datetime.fromisoformat(text) if text else None

    return read


FIELDS: Mapping[str, Field] = {
    "id": Field("text", "its id", lambda run: run.id),
    "name": Field("text", "its name", lambda run: run.annotations.name),
    "note": Field("text", "its note", lambda run: run.annotations.note),
    "notebook": Field("text", "the path of its notebook", lambda run: run.notebook or None),
    "experiment": Field("text", "its experiment in MLflow, of runs read from there", lambda _: None),
    "state": Field("text", "its state, in whichever letters; `draft` of a draft", lambda run: run.state),
    "author": Field("text", "who ran it", lambda run: run.author),
    "sweep": Field("text", "the id of its sweep", lambda run: run.sweep),
    "holdout": Field("text", "the name of its holdout", lambda run: run.holdout),
    "scored_rows": Field(
        "text",
        "a digest of the rows it was scored on: the same of runs that can be compared row by row",
        lambda run: run.scored_rows,
    ),
    "error": Field("text", "why it failed", lambda run: run.error),
    "replay_of": Field("text", "the id of the run it repeats", lambda run: run.replay_of),
    "created": Field("time", "when it was written down", _read_time("created")),
    "started": Field("time", "when it began", _read_time("started")),
    "ended": Field("time", "when it ended", _read_time("ended")),
    "took_s": Field("number", "how many seconds its last attempt took", lambda run: run.took_s),
    "attempt": Field("number", "how many attempts it took", lambda run: run.attempt),
    "archived": Field("flag", "whether it is archived", lambda run: run.annotations.archived is not None),
}
