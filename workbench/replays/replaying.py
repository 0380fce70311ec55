"""Replaying and resuming: what a run was made with is held against what is there now; what came out, against what came out then."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.config import Settings
from workbench.errors import Refused, RunFailed, Unavailable, UsageError, WorkbenchError
from workbench.models.predictions import Predictions
from workbench.models.skops_canonical import find_model_difference
from workbench.notebooks.cell_output import read_outputs
from workbench.notebooks.notebook import Notebook, find_notebook_fault, parse_notebook
from workbench.records.digest import sha256_hex
from workbench.replays.kept_files import compare_kept
from workbench.replays.replay import (
    TOLERANCE,
    Facts,
    Predicted,
    Replay,
    Sameness,
    compare_replay,
    find_changes,
    find_notes,
)
from workbench.replays.replay_fact import ReplayFact
from workbench.replays.resumption import (
    Resumption,
    find_parameter_changes,
    find_prefix_changes,
    find_promotion_faults,
    find_state_fault,
    find_stop,
    is_cell_changed,
    replays_of,
    resumed_from,
)
from workbench.runs.folder import MODEL, NOTEBOOK, PREDICTIONS
from workbench.runs.keeping import read_kept_run
from workbench.runs.kept_files import KeptFile, read_kept_files
from workbench.runs.kept_run import KeptRun
from workbench.runs.logged_calls import LoggedCalls, id_of_further_run
from workbench.runs.metric_points import calls_of, order_points
from workbench.runs.project import Project
from workbench.runs.provenance import read_provenance
from workbench.runs.run import Run
from workbench.stats.task import spell_class

_SKOPS_MODEL = f"{MODEL}/model.skops"


@dataclass(frozen=True)
class Kept:
    """What is kept of a run: its facts, the bytes of its model (None: it logged none), and what else its notebook kept."""

    facts: Facts
    model: bytes | None
    files: tuple[KeptFile, ...] = ()


@dataclass(frozen=True)
class ReplayPlan:
    """A run that may be replayed: its notebook, what is kept of it, and what is to be told beside the verdict."""

    run: Run
    path: Path
    kept: Kept
    notes: tuple[str, ...]


def find_source(run: Run, settings: Settings) -> Path:
    """Return where the notebook of a run was, whether or not it still is."""
    return settings.project / str(run.provenance.get("notebook_path", run.notebook))


# Replay


def plan_replay(run: Run, settings: Settings) -> ReplayPlan:
    """Return how a run is replayed; raises Refused, with every difference, when its code or environment is no longer the same."""
    if not run.is_finished:
        raise Refused(
            f"Run {run.id} cannot be replayed.",
            why=f"It is {run.state}; only a finished run has something to be held against.",
            next_step=f"`workbench run --resume {run.id}` goes on with a run that failed." if run.error else "",
        )
    path = find_source(run, settings)
    then = {**run.provenance, "notebook_digest": run.notebook_digest}
    now = {**read_provenance(path, settings.project), "notebook_digest": _read_digest(path)}
    changes = find_changes(then, now)
    if changes:
        raise Refused(
            f"Run {run.id} cannot be replayed: it was made with something else.",
            why=sorted(changes),
            next_step=_say_how_to_go_back(run, path),
        )
    return ReplayPlan(run, path, read_kept(_read_run(run, settings)), tuple(find_notes(then, now)))


def _read_digest(path: Path) -> str | None:
    try:
        return parse_notebook(path.name, path.read_bytes()).digest
    except (OSError, WorkbenchError):
        return None


def _say_how_to_go_back(run: Run, path: Path) -> str:
    commit = run.provenance.get("git_commit")
    if not commit or run.git_dirty:
        return f"What was executed is kept as {NOTEBOOK} in the folder of run {run.id}; `workbench run` runs what is there now."
    return f"`git checkout {commit}` brings back the code and the lock file; install from it, then replay {path.name} again."


def compare_with(plan: ReplayPlan, again: Run, settings: Settings, *, tolerance: float = TOLERANCE) -> Replay:
    """Compare a run with the run that replayed it."""
    return _compare(plan.kept, read_kept(_read_run(again, settings)), tolerance=tolerance, notes=plan.notes)


def _compare(then: Kept, now: Kept, *, tolerance: float = TOLERANCE, notes: Iterable[str] = ()) -> Replay:
    is_pair = then.model is not None and now.model is not None
    difference = find_model_difference(then.model or b"", now.model or b"") if is_pair else None
    said = [*compare_kept(then.files, now.files), *notes]
    return compare_replay(then.facts, now.facts, tolerance=tolerance, model_difference=difference, notes=said)


def read_kept(kept: KeptRun) -> Kept:
    """Return what is kept of a run; raises Refused when the files of a finished one are not those it ended with."""
    run, files = kept.run, kept.files if kept.run.is_finished else {}
    if files:
        _require_unchanged(kept)
    has_predictions = PREDICTIONS in files
    document = json.loads(files.get(NOTEBOOK, b'{"cells": []}'))
    datasets = {f"{item['role']} {item['name']}": item["digest"] for item in run.record.get("datasets", [])}
    calls = calls_of(kept) if files else LoggedCalls()
    facts = Facts(
        run_id=run.id,
        state=run.state,
        error=run.error,
        notebook_digest=run.notebook_digest,
        parameters=run.parameters,
        metrics=run.metrics,
        histories={
            name: sorted((each.step, each.value) for each in course)
            for name, course in order_points(run, calls).items()
        },
        datasets=datasets,
        predictions=_pair_by_row(kept.predictions) if has_predictions else {},
        predictions_digest=sha256_hex(files[PREDICTIONS]) if has_predictions else None,
        outputs=read_outputs(document, own_names=_list_own_names(run, calls)),
        model={path: sha256_hex(files[path]) for path in sorted(files) if path.startswith(f"{MODEL}/")},
        code=_list_code(kept) if files else None,
    )
    return Kept(facts, files.get(_SKOPS_MODEL), tuple(read_kept_files(run.record)))


def _list_code(kept: KeptRun) -> dict[str, str | None] | None:
    return {module.path: module.digest for module in kept.local_files.modules} if kept.local_files else None


def _list_own_names(run: Run, calls: LoggedCalls) -> list[str]:
    """Return the ids that the run, and what MLflow runs it began, have in its outputs; no other execution has them."""
    further = [id_of_further_run(run.tracked_as, label) for label in calls.further] if run.tracked_as else []
    return [name for name in (run.id, run.tracked_as, *further) if name]


def _require_unchanged(kept: KeptRun) -> None:
    if kept.changed:
        raise Refused(
            f"Run {kept.run.id} cannot be held against another one.",
            why=[f"{path} was changed since the run ended." for path in kept.changed],
            next_step="Run the notebook again; what is not as it was recorded proves nothing.",
        )


def _pair_by_row(stored: Predictions) -> dict[str, Predicted]:
    names = [""] if stored.score.ndim == 1 else [f" [{spell_class(each)}]" for each in stored.classes or ()]
    columns = stored.score.reshape(len(stored.rows), -1).T.tolist()
    truth = stored.truth.tolist()
    return {
        f"{row}{name}": Predicted(true, score)
        for name, scores in zip(names, columns, strict=True)
        for row, true, score in zip(stored.rows, truth, scores, strict=True)
    }


def _read_run(run: Run, settings: Settings) -> KeptRun:
    """Read a run; of one that did not finish there is nothing to be read."""
    return read_kept_run(run, settings.runs_folder / run.id) if run.is_finished else KeptRun(run, {})


# Resume


def plan_resumption(run: Run, notebook: Notebook, given: Mapping[str, Any], settings: Settings) -> Resumption:
    """Return how a failed run is gone on with; raises Refused, with every reason, when that would not be the same run.

    `notebook` is the notebook as it is now, `given` the parameters somebody asked for.
    """
    executed = _read_executed(settings.runs_folder / run.id)
    cell = find_stop(executed)
    reasons = find_state_fault(run, cell)
    if cell and not reasons:
        reasons = find_prefix_changes(executed, notebook.document, cell) + find_parameter_changes(run.parameters, given)
    if reasons or not cell:
        raise Refused(
            f"Run {run.id} cannot be gone on with.",
            why=reasons,
            next_step="`workbench run NOTEBOOK` executes it from the start, as it is now.",
        )
    return Resumption(run.id, cell, is_cell_changed(executed, notebook.document, cell), run.parameters)


def _read_executed(folder: Path) -> Mapping[str, Any]:
    """Return the executed notebook of a run; one without cells when there is none that can be read."""
    try:
        document = json.loads((folder / NOTEBOOK).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {"cells": []}
    return {"cells": []} if find_notebook_fault(document) else dict(document)


# Nominating what was resumed


def require_replayed(run: Run, runs: Iterable[Run], settings: Settings) -> None:
    """Raise Refused for a resumed run unless one of the runs is a replay of it that came out the same; compared anew, now."""
    if resumed_from(run) is None:
        return
    replays, faults = _compare_replays(run, runs, settings)
    missing = find_promotion_faults(run, replays)
    if missing:
        raise Refused(
            f"Run {run.id} cannot be nominated: it was resumed.",
            why=[*missing, *faults],
            next_step=f"workbench replay {run.id}",
        )


def _compare_replays(run: Run, runs: Iterable[Run], settings: Settings) -> tuple[list[Replay], list[str]]:
    """Return how the replays of a run came out, and why some of them say nothing."""
    kept = read_kept(_read_run(run, settings))
    replays, faults = [], []
    for other in replays_of(run, runs):
        changes = find_changes(run.provenance, other.provenance)
        if changes:
            faults += [f"Run {other.id} is no replay of it: {change}" for change in changes]
            continue
        try:
            replays.append(_compare(kept, read_kept(_read_run(other, settings))))
        except WorkbenchError as exc:
            faults.append(" ".join([exc.what, *exc.reasons]))
    return replays, faults


def describe_replay(project: Project, kept: KeptRun, runs: Iterable[Run], make: Callable[[str], Replay]) -> ReplayFact:
    """Return what the newest replay of a run says; one is made (`make`) when none was made with the same code and environment.

    A replay that cannot be made now leaves the reason, and no verdict.
    """
    try:
        replay = _find_newest_replay(kept, runs, project.settings) or make(kept.run.id)
    except (Refused, UsageError, RunFailed, Unavailable) as exc:
        return ReplayFact(None, None, None, (), (exc.what, *exc.reasons))
    different = sorted({line.kind for line in replay.lines if line.sameness is Sameness.DIFFERENT})
    return ReplayFact(
        run_id=replay.replay_id,
        verdict=replay.verdict.value,
        largest_difference=_largest_difference(replay),
        different=tuple(different),
        reasons=replay.reasons,
    )


def _find_newest_replay(kept: KeptRun, runs: Iterable[Run], settings: Settings) -> Replay | None:
    """Compare the newest replay anew, now; whether it or an older one came out better is not asked."""
    run = kept.run
    made_alike = [other for other in replays_of(run, runs) if not find_changes(run.provenance, other.provenance)]
    newest = max(made_alike, key=lambda other: other.created, default=None)
    return _compare(read_kept(kept), read_kept(_read_run(newest, settings))) if newest else None


def _largest_difference(replay: Replay) -> float | None:
    """Return by how much the scores of one row differ at most; None when the rows cannot be paired."""
    line = next((line for line in replay.lines if line.kind == "predictions"), None)
    if line is None or (line.sameness is Sameness.DIFFERENT and not replay.worst_predictions):
        return None
    largest = max((each.difference for each in replay.worst_predictions), default=0.0)
    return largest if math.isfinite(largest) else None
