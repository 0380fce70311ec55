"""A finished run as its folder has it, read once: whatever is computed of a run is computed from these bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from workbench.errors import Refused, UsageError
from workbench.models.predictions import (
    HOW_TO_STORE,
    Predictions,
    find_order,
    parse_predictions,
    parse_slices,
    unusable,
)
from workbench.records.digest import sha256_hex, strict_json
from workbench.records.document import build_record
from workbench.runs.authorship import Authorship, join_authorships
from workbench.runs.columns import add_columns
from workbench.runs.folder import CODE_AUTHORS, JOURNAL, MODEL, PREDICTIONS, RECORD
from workbench.runs.local_files import LocalFilesFact, find_sources, is_as_told, read_journal
from workbench.runs.run import Run
from workbench.runs.tables import LoggedTable, read_tables

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What a run predicted; raises UsageError where that cannot be said.
Read = Callable[[Run], Predictions]
RUN_AGAIN = "Run the notebook again, then nominate that run."


@dataclass(frozen=True)
class KeptRun:
    """A run and the bytes of its files by their path; what is read of them was held against the run's record.

    `larger` are the digests of those its notebook kept whose bytes are too many to be held.
    """

    run: Run
    files: Mapping[str, bytes] = field(repr=False)
    larger: Mapping[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """The files that are not as they were recorded when the run ended, in the order of their names."""
        found = {path: sha256_hex(content) for path, content in self.files.items() if path != RECORD} | {**self.larger}
        recorded: Mapping[str, str] = self.run.record.get("files", {})
        return tuple(sorted(path for path in {*found, *recorded} if found.get(path) != recorded.get(path)))

    @cached_property
    def predictions(self) -> Predictions:
        """What it predicted; raises UsageError when it stored nothing that can be scored, or not what was recorded."""
        return add_columns(parse_predictions(self._stored, self.run.id), self.run, self.files.get)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Where in the file of predictions (and of feature rows) each row of `predictions` stands, shape (n,)."""
        return find_order(self._stored, self.run.id)

    @cached_property
    def slices(self) -> dict[str, list[str]]:
        """The value of each slice for each row of `predictions`, by the slice's name."""
        return parse_slices(self._stored, self.run.id)

    @property
    def _stored(self) -> bytes:
        return require_recorded(self.run, self.files.get(PREDICTIONS))

    @cached_property
    def tables(self) -> list[LoggedTable]:
        """The tables it logged; raises Refused when they are not those its record names."""
        try:
            tables = read_tables(self.files)
        except (ValueError, KeyError, TypeError) as exc:
            what = f"The datasets of run {self.run.id} cannot be read."
            raise Refused(what, why=repr(exc), next_step=RUN_AGAIN) from exc
        if [vars(table.fact) for table in tables] != self.run.record["datasets"]:
            why = "They are not the ones that were recorded when it ended."
            raise Refused(f"The datasets of run {self.run.id} were changed.", why=why, next_step=RUN_AGAIN)
        return tables

    @cached_property
    def model_files(self) -> dict[str, bytes]:
        """The files of the model it logged, by their path among these."""
        inside = f"{MODEL}/"
        return {path.removeprefix(inside): each for path, each in self.files.items() if path.startswith(inside)}

    @cached_property
    def local_files(self) -> LocalFilesFact | None:
        """What it took from local files, as recorded when it ended; None for a run of before that was.

        Raises Refused where that is not what its kernel told. A journal that was changed since tells nothing: `changed` says so.
        """
        recorded = self.run.record.get("local_files")
        if recorded is None:
            return None
        fact = build_record(LocalFilesFact, recorded)
        if JOURNAL not in self.changed and not is_as_told(fact, read_journal(self.files.get(JOURNAL, b""))):
            what = f"What run {self.run.id} is said to have taken from local files is not what its kernel told."
            raise Refused(what, why="Its record names other modules than its journal.", next_step=RUN_AGAIN)
        return fact

    @cached_property
    def local_sources(self) -> dict[str, str]:
        """The text of its local modules by path, as far as it was kept."""
        modules = self.local_files.modules if self.local_files else ()
        return find_sources(self.files.get(JOURNAL, b""), modules)

    @cached_property
    def authorship(self) -> Authorship | None:
        """Who wrote what it ran, the own code of its model with it; None for a run of before that was asked.

        A module that ran and of which nobody asked, as in a run of before, is told to nobody. Raises Refused when what it kept of
        that cannot be read.
        """
        if "authorship" not in self.run.provenance:
            return None
        try:
            own = [strict_json(self.files[CODE_AUTHORS])] if CODE_AUTHORS in self.files else []
            ran = [self.run.record["authorship"]] if "authorship" in self.run.record else []
            said = (self.run.provenance["authorship"], *ran, *own)
            asked = join_authorships(*(build_record(Authorship, each) for each in said))
            return asked.naming(module.path for module in (self.local_files.modules if self.local_files else ()))
        except (ValueError, TypeError) as exc:
            what = f"Who wrote what run {self.run.id} ran cannot be read."
            raise Refused(what, why=str(exc), next_step=RUN_AGAIN) from exc


def require_recorded(run: Run, content: bytes | None) -> bytes:
    """Return the bytes of a run's predictions; raises UsageError where there are none, or not those recorded when it ended."""
    if content is None:
        raise UsageError(
            f"Run {run.id} stored no predictions.",
            why="Scores are only compared on stored predictions.",
            next_step=HOW_TO_STORE,
        )
    if sha256_hex(content) != run.record.get("files", {}).get(PREDICTIONS):
        raise unusable(run.id, ["Its file is not the one that was recorded when the run ended."])
    return content
