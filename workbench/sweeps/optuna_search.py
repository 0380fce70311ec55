"""Optuna's search: each proposal learns from the runs before it (tree-structured Parzen estimator, Bergstra et al. 2011)."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.errors import Unavailable
from workbench.records.digest import canonical_json, sha256_hex
from workbench.runs.run import Run, RunState
from workbench.runs.trials import Goal
from workbench.sweeps.random_search import propose
from workbench.sweeps.search import (
    Interval,
    SweepPlan,
    count_sets,
    distinct_sets,
    distinct_values,
    name_set,
    settled_runs,
)

JOURNAL = "optuna.log"
# A search that proposes what it knows already so often has nothing more to say about a space: something new is drawn for it.
_PATIENCE = 10

Bind = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class OptunaTrials:
    """Parameter sets proposed one by one; the journal in the sweep's folder keeps what was learnt.

    What is proposed depends on the seed and on the runs told so far only, so a sweep that was stopped goes on as it would have.
    """

    is_adaptive = True

    def __init__(
        self,
        plan: SweepPlan,
        folder: Path,
        bind: Bind,
        *,
        runs: Sequence[Run] = (),
        retry_failed: bool = False,
    ) -> None:
        """Open the journal, and settle what an earlier process left open in it by the runs of the sweep, oldest first."""
        if plan.goal is None:
            raise TypeError("Optuna needs a goal.")
        self._goal, self._space, self._seed, self._bind = plan.goal, plan.space, plan.seed, bind
        self._labels = {name: _label_values(axis) for name, axis in plan.space.items() if isinstance(axis, list)}
        settled = settled_runs(runs, retry_failed=retry_failed)
        self._again = deque(values for values in _sets_of(runs) if name_set(values) not in settled)
        self._seen = set(settled)
        self._given = 0
        self._ended = list(settled.values())
        self._open: dict[bytes, Any] = {}
        size = count_sets(plan.space)
        self.total = max((plan.trials if size is None else min(plan.trials, size)) - len(settled), 0)
        with _quiet():
            self._study = _open_study(plan.id, self._goal, folder / JOURNAL)
            self._distributions = {name: self._distribution(name, axis) for name, axis in plan.space.items()}
            self._settle(settled)

    def ask(self) -> Mapping[str, Any] | None:
        """Return the next set of bound parameters, one no run of this sweep has tried; None when there are no more."""
        if self._given >= self.total:
            return None
        with _quiet():
            proposed = (self._propose(tries) for tries in range(_PATIENCE + 2))
            found = next((values for values in proposed if values is not None), None)
        if found is None:
            self.total = self._given
        return found

    def tell(self, run: Run) -> None:
        """Hear how a run ended: its metric teaches, a run without it is a failed trial."""
        name = name_set(run.parameters)
        trial = self._open.pop(name, None)
        if trial is None:
            return
        with _quiet():
            trial.set_user_attr("run", run.id)
            self._close(trial.number, run)
        if run.state in (RunState.KILLED, RunState.LOST):
            self._seen.discard(name)
        self._ended.append(run)
        if self._goal.is_hopeless(self._ended):
            self.total = self._given

    def _propose(self, tries: int) -> Mapping[str, Any] | None:
        from optuna.samplers import TPESampler

        if self._again:
            self._study.enqueue_trial(self._label(self._again.popleft()))
        elif tries >= _PATIENCE:
            self._study.enqueue_trial(self._label(self._draw_new()))
        self._study.sampler = TPESampler(seed=_mix(self._seed, len(self._seen), tries))
        trial = self._study.ask(self._distributions)
        values = self._read(trial.params)
        name = name_set(values)
        if name in self._seen:
            self._close(trial.number, None)
            return None
        self._seen.add(name)
        self._open[name] = trial
        self._given += 1
        return values

    def _draw_new(self) -> Mapping[str, Any]:
        """Return a set nobody tried: among one more than were tried there is one."""
        drawn = propose(self._space, len(self._seen) + 1, self._seed)
        return next((v for v in map(self._bind, drawn) if name_set(v) not in self._seen), self._bind(drawn[0]))

    def _close(self, number: int, run: Run | None) -> None:
        from optuna.trial import TrialState

        value = None if run is None else self._goal.read(run)
        if value is None:
            self._study.tell(number, state=TrialState.FAIL)
        else:
            self._study.tell(number, value)

    def _settle(self, settled: Mapping[bytes, Run]) -> None:
        """Make the journal agree with the runs: what was open has failed, unless its run finished."""
        from optuna.trial import TrialState, create_trial

        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._close(trial.number, None)
        told = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        known = {name_set(self._read(trial.params)) for trial in told}
        for name, run in settled.items():
            score = self._goal.read(run)
            if score is not None and name not in known:
                params = self._label(run.parameters)
                trial = create_trial(params=params, distributions=self._distributions, value=score)
                self._study.add_trial(trial)

    # Between our values and Optuna's

    def _distribution(self, name: str, axis: list[Any] | Interval) -> Any:
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if not isinstance(axis, Interval):
            return CategoricalDistribution(list(self._labels[name]))
        if axis.whole:
            return IntDistribution(int(axis.low), int(axis.high), log=axis.log)
        return FloatDistribution(float(axis.low), float(axis.high), log=axis.log)

    def _read(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._bind({name: self._labels[name][v] if name in self._labels else v for name, v in params.items()})

    def _label(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._label_of(name, values[name]) for name in self._space}

    def _label_of(self, name: str, value: Any) -> Any:
        if name not in self._labels:
            return value
        same = canonical_json(value)
        bound = {label: self._bind({name: known})[name] for label, known in self._labels[name].items()}
        return next(label for label, known in bound.items() if canonical_json(known) == same)


def _sets_of(runs: Iterable[Run]) -> tuple[Mapping[str, Any], ...]:
    return distinct_sets(run.parameters for run in runs)


def _label_values(values: list[Any]) -> dict[str, Any]:
    """Return values by a text for each: Optuna keeps 1, 1.0 and true not apart, and no lists."""
    values = distinct_values(values)
    if all(isinstance(value, str) for value in values):
        return {value: value for value in values}
    return {canonical_json(value).decode(): value for value in values}


def _mix(*numbers: int) -> int:
    return int(sha256_hex(canonical_json(list(numbers)))[:8], 16)


def _open_study(name: str, goal: Goal, journal: Path) -> Any:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    _mend(journal)
    try:
        storage = JournalStorage(JournalFileBackend(str(journal)))
        return optuna.create_study(storage=storage, study_name=name, direction=goal.direction, load_if_exists=True)
    except (ValueError, LookupError, TypeError, AssertionError) as exc:
        raise Unavailable(
            f"The journal of sweep {name} cannot be read.",
            why=f"{journal}: {exc!r}",
            next_step=f"Remove it and run `workbench sweep --resume {name}`: it is written anew from the runs.",
        ) from exc


def _mend(journal: Path) -> None:
    """Remove what a killed process left: its lock, and half a line at the end. The caller holds the sweep, so nobody writes."""
    journal.with_name(f"{journal.name}.lock").unlink(missing_ok=True)
    if journal.exists():
        content = journal.read_bytes()
        if not content.endswith(b"\n"):
            journal.write_bytes(content[: content.rfind(b"\n") + 1])


@contextmanager
def _quiet() -> Iterator[None]:
    """Let Optuna neither log nor warn: what is to be said of a sweep, the sweep says."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


open_trials = OptunaTrials
