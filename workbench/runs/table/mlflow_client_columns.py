"""Columns out of an MLflow tracking server: it tells nobody what changed, so all its runs are asked for, once for each reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.table.columns import KINDS, OWN, Columns, build_columns
from workbench.runs.table.mlflow_sqlalchemy_columns import NOTE, STATES, is_own_tag, read_metric, spell_times

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun
    from mlflow.store.entities import PagedList

# As many as MLflow gives at once; more names of experiments than these make an address too long for servers.
_PAGE, _MOST_EXPERIMENTS = 1_000, 50


class MlflowClientColumns(MlflowTracker):
    """The runs in all active experiments of one tracking server."""

    # Nothing of it is kept: what a server has now only the server knows.
    place = ""

    def refresh(self, kept: Columns | None, asked: Sequence[str]) -> Columns:
        """Return the columns as the server had them when it was first asked; raises Unavailable where it goes away meanwhile."""
        found = self._runs
        names = list(dict.fromkeys([*(kept.asked if kept else ()), *asked]))
        values = {name: [_read_value(run, name) for run in found] for name in names}
        known = {of: sorted({key for run in found for key in _values_of(run, of)}) for of in KINDS}
        return Columns(build_columns({**self._describe(found), **values}), {}, known, "plain")

    @cached_property
    def _runs(self) -> list[MlflowRun]:
        with self._answers():
            ids = list(self._experiments)
            found = {
                run.info.run_id: run
                for start in range(0, len(ids), _MOST_EXPERIMENTS)
                for run in self._search_runs(ids[start : start + _MOST_EXPERIMENTS])
            }
        return sorted(found.values(), key=lambda run: (-(run.info.start_time or -1), run.info.run_id))

    @cached_property
    def _experiments(self) -> dict[str, str]:
        search = partial(self._client.search_experiments, max_results=_PAGE)
        return {each.experiment_id: each.name for each in _read_pages(search)}

    def _search_runs(self, experiments: Sequence[str]) -> Iterator[MlflowRun]:
        # A run that begins meanwhile moves those behind it to the next page, where they are told again.
        return _read_pages(partial(self._client.search_runs, list(experiments), max_results=_PAGE))

    def _describe(self, runs: Sequence[MlflowRun]) -> dict[str, list[Any]]:
        infos = [run.info for run in runs]
        begun = spell_times([info.start_time for info in infos])
        known = {
            "id": [info.run_id for info in infos],
            "name": [info.run_name for info in infos],
            "note": [run.data.tags.get(NOTE) for run in runs],
            "experiment": [self._experiments[info.experiment_id] for info in infos],
            "state": [STATES[info.status] for info in infos],
            "author": [info.user_id for info in infos],
            "created": begun,
            "started": begun,
            "ended": spell_times([info.end_time for info in infos]),
        }
        return {f"run.{name}": known.get(name) or [None] * len(runs) for name in OWN}


def _read_pages(ask: Callable[..., PagedList[Any]]) -> Iterator[Any]:
    token: str | None = None
    while True:
        page = ask(page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _values_of(run: MlflowRun, of: str) -> Mapping[str, Any]:
    if of == "tags":
        return {key: value for key, value in run.data.tags.items() if is_own_tag(key)}
    values: Mapping[str, Any] = run.data.metrics if of == "metrics" else run.data.params
    return values


def _read_value(run: MlflowRun, name: str) -> Any:
    of, _, key = name.partition(".")
    value = _values_of(run, of).get(key)
    return read_metric(value) if of == "metrics" and value is not None else value
