"""Sweeps: planned before the first run, kept as a plan, and gone on with from what the store knows of their runs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import Interrupted, NotFound, Refused, RunFailed, Unavailable, UsageError, WorkbenchError
from workbench.files.disk import disk_answers
from workbench.notebooks.notebook import Notebook, cell_source
from workbench.notebooks.parameters import bind_parameters
from workbench.policies.policy import Policy
from workbench.records.clock import utc_now
from workbench.runs.batch import Batch, OnProgress, Progress
from workbench.runs.project import Project, read_notebook
from workbench.runs.reaping import reap_lost_runs
from workbench.runs.run import Run, RunState, is_run_prefix, new_run_id
from workbench.runs.trials import Aim, Goal, ListedTrials, Trials
from workbench.stats.task import Direction
from workbench.sweeps.search import (
    SEARCHES,
    Search,
    Space,
    SweepPlan,
    count_sets,
    distinct_sets,
    missing_sets,
    name_set,
    parse_plan,
    require_count,
    require_space,
    settled_runs,
)

if TYPE_CHECKING:
    from workbench.config import Settings
    from workbench.runs.sqlalchemy_store import Store

PLAN = "plan.json"
DEFAULT_TRIALS = 20

# Planning


def plan_sweep(
    notebook: Notebook, space: Space, *, search: Search, trials: int | None, seed: int, goal: Goal | None
) -> SweepPlan:
    """Decide what a sweep will run; raises UsageError, with every reason, before anything is started or written."""
    require_space(notebook.parameters, space, search)
    if not SEARCHES[search].draws and trials is not None:
        raise UsageError("A grid runs every combination.", why="--trials is for --search random and optuna.")
    if SEARCHES[search].learns and goal is None:
        raise UsageError(
            "Optuna needs to know what to look for.",
            why="No --goal is given, and the notebook's code names none or several of the metrics of the policy.",
            next_step="Add --goal METRIC --direction maximize (or minimize): a metric the notebook logs.",
        )
    sets = _list_sets(notebook, space, search, trials or DEFAULT_TRIALS, seed)
    return SweepPlan(
        id=new_run_id(),
        created=utc_now(),
        notebook=notebook.name,
        notebook_digest=notebook.digest,
        search=search,
        space=dict(space),
        trials=_count_trials(space, trials or DEFAULT_TRIALS) if sets is None else len(sets),
        seed=seed,
        goal=goal,
        sets=sets,
    )


def _list_sets(
    notebook: Notebook, space: Space, search: Search, trials: int, seed: int
) -> tuple[Mapping[str, Any], ...] | None:
    if SEARCHES[search].learns:
        return None
    sets = _module_of(search).propose(space, trials, seed)
    return distinct_sets(bind_parameters(notebook.parameters, values) for values in sets)


def _module_of(search: Search) -> Any:
    """Return the file of a search: one that learns has `open_trials`, another one `propose`."""
    return import_module(f"workbench.sweeps.{search}_search")


def _count_trials(space: Space, trials: int) -> int:
    size = count_sets(space)
    count = trials if size is None else min(trials, size)
    require_count(count)
    return count


def find_goal(
    notebook: Notebook,
    read_policy: Callable[[], Policy],
    metric: str | None,
    direction: Aim | None,
    folder: Path | None = None,
) -> Goal | None:
    """Return what is asked for, else the one metric of the policy that the notebook's code names; None for none or several.

    `folder` is that of the project, which may register metrics of its own. Raises UsageError where it is not known which way
    the metric is better.
    """
    metric = metric or _find_usual_metric(notebook, read_policy)
    return Goal(metric, direction or _usual_direction(metric, folder)) if metric else None


def find_goal_of(run: Run, read_policy: Callable[[], Policy]) -> Goal | None:
    """Return the metric of the policy that decides the task a run was scored in; None where it logged none, or nobody can tell.

    A notebook that calls `wb.log_evaluation` names no metric: which one decides is known when its first run was scored.
    """
    if run.task is None:
        return None
    with suppress(WorkbenchError):
        rule = next((rule for task, rule in read_policy().metrics.items() if task == run.task), None)
        if rule and rule.name in run.metrics:
            return Goal(rule.name, _AIMS[rule.metric.direction])
    return None


_AIMS: Mapping[Direction, Aim] = {"higher": "maximize", "lower": "minimize"}


def _find_usual_metric(notebook: Notebook, read_policy: Callable[[], Policy]) -> str | None:
    code = "\n".join(cell_source(cell) for cell in notebook.document["cells"] if cell["cell_type"] == "code")
    named: set[str] = set()
    with suppress(UsageError):  # a policy that cannot be used is no reason not to run a notebook
        # Several tasks may be judged by one metric.
        rules = read_policy().metrics.values()
        named = {rule.name for rule in rules if f'"{rule.name}"' in code or f"'{rule.name}'" in code}
    return named.pop() if len(named) == 1 else None


def _usual_direction(metric: str, folder: Path | None) -> Aim:
    from workbench.policies.registering import list_own_metrics
    from workbench.stats.metrics import METRICS

    known = {**METRICS, **(list_own_metrics(folder) if folder else {})}
    if metric not in known:
        raise UsageError(
            f"Which way is {metric!r} better?",
            why=f"It is known of {', '.join(known)} only.",
            next_step="Add --direction maximize or --direction minimize.",
        )
    return _AIMS[known[metric].direction]


# Keeping plans


def write_plan(plan: SweepPlan, settings: Settings) -> Path:
    """Write a plan whole and to the disk, and return the sweep's folder."""
    folder = settings.sweeps_folder / plan.id
    with disk_answers(folder):
        folder.mkdir(parents=True)
        temporary = folder / f".{PLAN}"
        with temporary.open("xb") as file:
            file.write(plan.to_bytes())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / PLAN)
    return folder


def read_plan(sweep: str, settings: Settings) -> SweepPlan:
    """Return the plan of the one sweep whose id is this, or begins with it; raises NotFound for none or several."""
    fits = is_run_prefix(sweep)
    found = list(settings.sweeps_folder.glob(f"{sweep}*/{PLAN}")) if fits else []
    found = [path for path in found if path.parent.name == sweep] or found
    if len(found) != 1:
        count = "No sweep begins" if not found else "More than one sweep begins"
        raise NotFound(
            f"{count} with {sweep!r}.",
            next_step="`workbench sweep --resume` goes on with the newest one that is not finished.",
        )
    return parse_plan(found[0].read_bytes())


def find_unfinished(settings: Settings, store: Store, *, retry_failed: bool = False) -> SweepPlan:
    """Return the newest plan of which something is missing; raises NotFound when there is none."""
    for plan in sorted(_read_plans(settings), key=lambda plan: plan.created, reverse=True):
        if count_missing(plan, list_runs_of(plan, store), retry_failed=retry_failed):
            return plan
    raise NotFound("No sweep is unfinished.", next_step="`workbench runs` lists what they ran.")


def _read_plans(settings: Settings) -> Iterator[SweepPlan]:
    for path in settings.sweeps_folder.glob(f"*/{PLAN}"):
        with suppress(UsageError):  # one that cannot be read must not hide the others
            yield parse_plan(path.read_bytes())


def list_runs_of(plan: SweepPlan, store: Store) -> list[Run]:
    """Return the runs of a sweep, oldest first."""
    return store.list_runs(sweep=plan.id)[::-1]


def count_missing(plan: SweepPlan, runs: Sequence[Run], *, retry_failed: bool = False) -> int:
    """Return how many runs of a sweep are still to be made."""
    if plan.sets is None:
        if plan.goal is not None and plan.goal.is_hopeless(runs):
            return 0
        return max(plan.trials - len(settled_runs(runs, retry_failed=retry_failed)), 0)
    return len(missing_sets(plan.sets, runs, retry_failed=retry_failed))


# Running them

# Who executes a batch: `Workbench.execute`.
Execute = Callable[[Batch], list[Run]]


def run_sweep(
    project: Project,
    plan: SweepPlan,
    *,
    execute: Execute,
    find_goal: Callable[[Run], Goal | None] = lambda _: None,
    retry_failed: bool = False,
    cold: bool = False,
    on_progress: OnProgress,
) -> list[Run]:
    """Run what is missing of a sweep and return all its runs, in the order of the plan.

    Where the plan has no goal, the best value is told of what `find_goal` finds a run to be after.

    Raises Refused when its notebook is not what was planned, Unavailable when another process is running it, and Interrupted on
    Ctrl-C with the command that goes on.
    """
    path = project.settings.project / plan.notebook
    notebook = read_notebook(project, path)
    _require_same(notebook, plan)
    with _hold(project.settings.sweeps_folder / plan.id, plan):
        reap_lost_runs(project.settings, project.store)
        runs = list_runs_of(plan, project.store)
        _require_idle(plan, runs)
        settled = list(settled_runs(runs, retry_failed=retry_failed).values())
        if not count_missing(plan, runs, retry_failed=retry_failed):
            _require_goal(plan, settled)
            return _in_order(plan, settled)
        trials = _open_trials(plan, notebook, project.settings, runs, retry_failed=retry_failed)
        with _says_how_to_go_on(plan):
            goal = plan.goal or next(filter(None, map(find_goal, settled)), None)
            told = _counting_on(settled, goal, on_progress)
            # Runs may have been deleted since: no number is given twice, or a name would stand for two runs.
            before = max(len(runs), plan.said.find_last_number(run.annotations for run in runs))
            batch = Batch(path, notebook, trials, plan.id, goal, find_goal, annotations=plan.said, before=before)
            done = execute(replace(batch, cold=cold, on_progress=told))
    _require_goal(plan, [*settled, *done])
    return _in_order(plan, [*settled, *done])


def _in_order(plan: SweepPlan, runs: Sequence[Run]) -> list[Run]:
    """Return runs in the order of the plan, or of their making where a search proposed them."""
    places = {name_set(values): place for place, values in enumerate(plan.sets or ())}
    return sorted(runs, key=lambda run: (places.get(name_set(run.parameters), 0), run.created))


def _open_trials(
    plan: SweepPlan, notebook: Notebook, settings: Settings, runs: Sequence[Run], *, retry_failed: bool
) -> Trials:
    def bind(values: Mapping[str, Any]) -> Mapping[str, Any]:
        return bind_parameters(notebook.parameters, values)

    if plan.sets is not None:
        # Bound once more: what is read from a file is not trusted to fit.
        return ListedTrials(bind(values) for values in missing_sets(plan.sets, runs, retry_failed=retry_failed))
    require_space(notebook.parameters, plan.space, plan.search)
    trials: Trials = _module_of(plan.search).open_trials(
        plan, settings.sweeps_folder / plan.id, bind, runs=runs, retry_failed=retry_failed
    )
    return trials


def _require_same(notebook: Notebook, plan: SweepPlan) -> None:
    if notebook.digest != plan.notebook_digest:
        raise Refused(
            f"Sweep {plan.id} cannot go on: its notebook was changed.",
            why=f"{plan.notebook} was {plan.notebook_digest[:12]} when the sweep was planned and is {notebook.digest[:12]} now.",
            next_step="Start a new sweep, or put the notebook back as it was.",
        )


def _require_idle(plan: SweepPlan, runs: Sequence[Run]) -> None:
    alive = [run.id for run in runs if run.state in (RunState.QUEUED, RunState.RUNNING)]
    if alive:
        raise _is_going_on(plan, f"Its runs {', '.join(alive)} have not ended.")


def _is_going_on(plan: SweepPlan, why: str) -> Unavailable:
    return Unavailable(
        f"Sweep {plan.id} is going on.",
        why=why,
        next_step=f"Wait for it or stop it, then `workbench sweep --resume {plan.id}`.",
    )


@contextmanager
def _hold(folder: Path, plan: SweepPlan) -> Iterator[None]:
    """Keep every other process from running the same sweep, until this one ends, however it does."""
    with disk_answers(folder):
        lock = (folder / ".lock").open("ab")
    with lock:
        try:
            # Not flock: a kernel that is forked from us would go on holding that.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise _is_going_on(plan, "Another process is running it.") from exc
        yield


@contextmanager
def _says_how_to_go_on(plan: SweepPlan) -> Iterator[None]:
    command = f"workbench sweep --resume {plan.id}"
    try:
        yield
    except Interrupted as exc:
        step = f"What finished is kept (`workbench runs`); `{command}` runs the rest."
        raise Interrupted(exc.what, why=exc.reasons, next_step=step) from exc
    except Unavailable as exc:
        step = f"{exc.next_step} `{command}` goes on.".strip()
        raise Unavailable(exc.what, why=exc.reasons, next_step=step) from exc


def _counting_on(before: Sequence[Run], goal: Goal | None, on_progress: OnProgress) -> OnProgress:
    """Count the runs that were there before with those of now."""
    if not before:
        return on_progress
    finished = sum(run.is_finished for run in before)
    best = goal.find_best(before) if goal else None

    def tell(progress: Progress) -> None:
        each = progress.all_cells // max(progress.total, 1)
        found = [value for _, value in filter(None, (best, progress.best))]
        on_progress(
            replace(
                progress,
                total=progress.total + len(before),
                finished=progress.finished + finished,
                failed=progress.failed + len(before) - finished,
                cells=progress.cells + each * len(before),
                all_cells=progress.all_cells + each * len(before),
                best=(goal.metric, goal.pick(found)) if goal and found else progress.best,
            )
        )

    return tell


def _require_goal(plan: SweepPlan, runs: Sequence[Run]) -> None:
    """Raise RunFailed when a search had nothing to learn from: runs finished, and none logged the metric it was after."""
    finished = [run for run in runs if run.is_finished]
    if not SEARCHES[plan.search].learns or plan.goal is None or not finished or plan.goal.find_best(finished):
        return
    logged = sorted({name for run in finished for name in run.metrics})
    raise RunFailed(
        f"The search ended after {len(runs)} runs: none of them logged {plan.goal.metric!r}.",
        why=f"They logged {', '.join(logged) or 'no metric'}.",
        next_step="Start the sweep again with --goal and one of the metrics the notebook logs.",
    )
