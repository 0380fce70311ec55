"""Reading the run table: of a project's own runs, or of any MLflow tracking store, with no more columns than are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import Refused, UsageError
from workbench.runs.finding.conditions import Condition, list_names, parse_condition
from workbench.runs.finding.judging import choose_runs
from workbench.runs.finding.names import find_meanings
from workbench.runs.finding.notebook_names import find_notebook
from workbench.runs.finding.outline import MISSING
from workbench.runs.table.columns import KINDS, Columns, ColumnSource
from workbench.runs.table.copying import read_columns
from workbench.runs.table.groups import Group, group_rows, sort_groups
from workbench.runs.table.mlflow_client_columns import MlflowClientColumns
from workbench.runs.table.mlflow_sqlalchemy_columns import open_database
from workbench.runs.table.question import Question
from workbench.runs.table.run_table import RunTable
from workbench.secrets.addresses import hide_passwords

if TYPE_CHECKING:
    from workbench.runs.table.attributing import MetricExplained

_SERVERS = ("http://", "https://", "databricks")
# What is shown where nobody said: so many metrics, and so many parameters that are not the same in all runs.
_MOST_METRICS, _MOST_PARAMS = 3, 12
# So many parameters are looked at for that, by name.
_MOST_LOOKED_AT = 100
# What the runs of one setting have in common besides their parameters; MLflow's word for a notebook is experiment.
_SHARED = ("run.notebook", "run.experiment")


@dataclass(frozen=True)
class Answer:
    """The rows that were asked for, all of them, in order; the columns to show; and of how many runs they were chosen.

    `groups` are over all rows; `by` names what tells them apart; so many runs are left out because they are put `aside`.
    """

    table: RunTable
    columns: Sequence[str]
    known: int
    by: Sequence[str] = ()
    groups: Sequence[Group] = ()
    aside: int = 0


class RunTableReader:
    """Answers questions about the runs of one source, each as it is then."""

    def __init__(self, open_source: Callable[[], ColumnSource], folder: Path, deciding: Sequence[str] = ()) -> None:
        self._open_source = open_source
        self._folder = folder
        self._deciding = deciding

    def ask(self, question: Question) -> Answer:
        """Answer a question about the runs as they are now; raises UsageError for what cannot be asked."""
        self._source, self._columns = self._open_source(), None
        table = self._read([])
        condition = parse_condition(question.where) if question.where else None
        asked = [*question.columns, *question.group_by, *question.all_but, question.sort.removeprefix("-")]
        table = self._read([*map(table.find_column, filter(None, asked)), *_find_asked(condition, table)])
        known = len(table)
        table, aside = _filter(table, condition, question)
        table, shown = self._choose_columns(table, question)
        if question.search:
            table = table.search(question.search, ["run.id", "run.name", "run.note", *shown])
        column = table.find_column(question.sort.removeprefix("-")) if question.sort else ""
        if not question.is_grouped:
            table = table.sort(column, descending=question.is_descending) if column else table
            return Answer(table, shown, known, aside=aside)
        by = self._choose_keys(table, question)
        table = self._read_beside(table, by)
        metrics = [name for name in shown if name.startswith("metrics.")]
        if column and column not in (*by, *metrics):
            raise UsageError(
                f"Groups have no {question.sort.removeprefix('-')!r} to be sorted by.",
                why=f"They have {', '.join([*by, *metrics])}.",
                next_step="Sort by one of these, or name it among the columns.",
            )
        groups = sort_groups(group_rows(table, by, metrics), column, descending=question.is_descending)
        return Answer(table, shown, known, by, groups, aside)

    _source: ColumnSource
    _columns: Columns | None

    def explain(self, table: RunTable, metric: str) -> MetricExplained:
        """Return what the parameters of the rows of the last answer tell of a metric; raises Refused where nobody can tell."""
        import numpy as np

        from workbench.runs.table.attributing import FEWEST_RUNS, explain_metric

        column = table.find_column(metric)
        names = [f"params.{name}" for name in sorted(table.list_keys("params"))]
        table = self._read_beside(table, [column, *names])
        values = table.read_column(column)
        places = [place for place, value in enumerate(values) if _is_finite(value)]
        table = table.take(places)
        parameters = {name.partition(".")[2]: list(map(_plain, table.read_column(name))) for name in names}
        found = explain_metric(np.array(table.read_column(column), dtype=float), parameters)
        if found is None:
            raise Refused(
                f"Nobody can tell what decides {metric}.",
                why=f"{len(places):,} runs have it, and it must differ among at least {FEWEST_RUNS}.",
                next_step="Ask of more runs, such as those of a sweep.",
            )
        return found

    def _read(self, asked: Iterable[str]) -> RunTable:
        wanted = [name for name in dict.fromkeys(asked) if name.split(".", 1)[0] in KINDS]
        known = self._columns.asked if self._columns else []
        if self._columns is None or not {*wanted} <= {*known}:
            # What was read before is asked for again: of a source that nothing is kept of it would be gone.
            self._columns = read_columns(self._source, [*known, *wanted], self._folder)
        return RunTable(self._columns)

    def _read_beside(self, table: RunTable, asked: Sequence[str]) -> RunTable:
        """Return the same rows with more columns; a run that is gone by now is left out."""
        whole = self._read(asked)
        places = {run_id: place for place, run_id in enumerate(whole.ids)}
        return whole.take([places[run_id] for run_id in table.ids if run_id in places])

    def _choose_columns(self, table: RunTable, question: Question) -> tuple[RunTable, list[str]]:
        """Return the rows with the columns to show: those asked for, or the metrics that decide and the parameters that differ."""
        if question.columns:
            return table, list(dict.fromkeys(map(table.find_column, question.columns)))
        known = table.list_keys("metrics")
        metrics = [name for name in dict.fromkeys(self._deciding) if name in known] or sorted(known)[:_MOST_METRICS]
        params = sorted(table.list_keys("params"))[:_MOST_LOOKED_AT]
        table = self._read_beside(
            table, [f"metrics.{name}" for name in metrics] + [f"params.{name}" for name in params]
        )
        return table, [
            *(f"metrics.{name}" for name in metrics if table.has_any(f"metrics.{name}")),
            *[f"params.{name}" for name in params if table.differs(f"params.{name}")][:_MOST_PARAMS],
        ]

    def _choose_keys(self, table: RunTable, question: Question) -> list[str]:
        if question.group_by and question.all_but:
            raise UsageError(
                "Runs are grouped by some parameters, or by all but some.",
                why="Both were asked for.",
                next_step="Leave one of them out.",
            )
        if question.group_by:
            return list(dict.fromkeys(map(table.find_column, question.group_by)))
        left_out = {name: table.find_column(name) for name in question.all_but}
        _require_told_apart(left_out)
        every = [*_SHARED, *(f"params.{name}" for name in sorted(table.list_keys("params")))]
        every = [name for name in every if name not in left_out.values()]
        beside = self._read_beside(table, every)
        return [name for name in every if beside.differs(name)]


def _require_told_apart(left_out: Mapping[str, str]) -> None:
    """Raise UsageError for columns that tell no groups apart: to leave them out would change nothing, unsaid."""
    others = [name for name, column in left_out.items() if column not in _SHARED and not column.startswith("params.")]
    if others:
        raise UsageError(
            f"Runs are not put together by all but {', '.join(others)}.",
            why="Runs of one row have the same parameters and the same notebook; nothing else is asked for.",
            next_step="Name parameters such as the seed, and `notebook` where runs of several are to be one row; --group-by takes "
            "anything.",
        )


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _plain(value: Any) -> Any:
    return None if value is MISSING else value


def open_mlflow(address: str, artifacts: Path) -> ColumnSource:
    """Return the runs of an MLflow tracking store by its address; raises UsageError, NotFound or Unavailable."""
    if (database := open_database(address)) is not None:
        return database
    if not address.startswith(_SERVERS):
        raise UsageError(
            f"{hide_passwords(address, address)!r} is no address of an MLflow tracking store.",
            why="It is neither a database nor a server.",
            next_step="Give sqlite:///PATH or http://HOST:PORT. What MLflow kept in a folder `mlruns` becomes a database by "
            "`mlflow migrate-filestore --source FOLDER --target sqlite:///mlflow.db`, with the folder that `mlruns` lies in.",
        )
    server = MlflowClientColumns(address, artifacts)
    server.require_answer()
    return server


def _find_asked(condition: Condition | None, table: RunTable) -> list[str]:
    """Return the columns that a condition speaks of, as far as it is clear which; judging says what is not."""
    named = list_names(condition) if condition else []
    return [f"{of}.{name.key}" for name in named for of in find_meanings(name, table)]


def _filter(table: RunTable, condition: Condition | None, question: Question) -> tuple[RunTable, int]:
    """Return the rows that are chosen, and how many more would be but for being put aside."""
    speaks_of_it = condition is not None and any(
        name.key == "archived" and name.of in ("", "run") for name in list_names(condition)
    )
    places: list[int] = list(choose_runs(condition, table)) if condition else list(range(len(table)))
    if question.notebook:
        notebooks = table.read("run", "notebook")
        wanted = find_notebook(question.notebook, {name for name in notebooks if name is not MISSING})
        places = [place for place in places if notebooks[place] == wanted]
    count = len(places)
    if not question.archived and not speaks_of_it:
        archived = table.read("run", "archived")
        places = [place for place in places if not archived[place]]
    return table if len(places) == len(table) else table.take(places), count - len(places)
