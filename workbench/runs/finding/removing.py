"""Removing: runs go with files, rows and their run in MLflow, drafts with their files; a look at a holdout still counts.

First the store marks them, all or none; then each is removed step by step, and whoever starts work next goes on where that was
interrupted.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from workbench.config import Settings
from workbench.errors import NotFound, Refused, Unavailable, WorkbenchError
from workbench.ledger.ledger import Entry
from workbench.records.clock import utc_now
from workbench.runs.finding.drafting import find_draft
from workbench.runs.finding.removal import LEFT_OF_A_DRAFT, LEFT_OF_A_LOOK, Removal, is_look, require_deletable
from workbench.runs.folder import DELETED_DRAFT, LOOKS
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.project import Project, find_runs
from workbench.runs.reaping import reap_lost_runs
from workbench.runs.run import Run
from workbench.runs.sqlalchemy_store import Store


def plan_removal(project: Project, run_ids: Sequence[str]) -> Removal:
    """Return what deleting runs would do; raises Refused, with every reason, for what must stay."""
    reap_lost_runs(project.settings, project.store)
    runs, drafts = _find_all(project, run_ids)
    project.tracker.require_answer()
    tracked = {run.id: str(run.tracked_as) for run in runs if run.tracked_as}
    registered = {run_id: project.tracker.find_registered(tracked_as) for run_id, tracked_as in tracked.items()}
    require_deletable(runs, _read_ledger(project), registered)
    attempts = _group_attempts(project.store, [run.id for run in runs])
    looks = tuple(run.id for run in runs if is_look(attempts[run.id]))
    folders = {run.id: _list_folders(project.settings, run.id) for run in runs}
    seen = [folder for folder in drafts if (folder / LOOKS).exists()]
    left = [*(path for run_id in looks for path in _list_left(folders[run_id])), *_list_left(seen, LEFT_OF_A_DRAFT)]
    kept = sum(map(_measure, left))
    every = sum(map(_measure, (*(folder for each in folders.values() for folder in each), *drafts)))
    names = tuple(folder.name for folder in drafts)
    return Removal(tuple(runs), every - kept, (*looks, *(folder.name for folder in seen)), kept, names)


def _find_all(project: Project, texts: Sequence[str]) -> tuple[list[Run], list[Path]]:
    """Return the runs, and the folders of the drafts, that ids, beginnings of ids or names mean; a run goes before a draft."""
    runs, drafts = list[Run](), list[Path]()
    for text in texts:
        try:
            runs += find_runs(project, [text])
        except NotFound:
            folder = find_draft(project.settings, text)
            if folder is None:
                raise
            drafts.append(folder)
    return list({run.id: run for run in runs}.values()), list(dict.fromkeys(drafts))


def remove_runs(project: Project, removal: Removal) -> None:
    """Delete runs as planned; raises Refused where one is nominated or goes on by now.

    Raises Unavailable where something of them could not be removed yet: they are deleted, and whoever starts work next goes on.
    """

    def require() -> None:
        require_deletable(removal.runs, _read_ledger(project), {})

    run_ids = [run.id for run in removal.runs]
    by = project.settings.acting_author
    if run_ids:
        project.store.removals.begin(run_ids, by=by, at=utc_now(), require=require)
    for name in removal.drafts:
        _remove_draft(project.settings.drafts_folder / name, by)
    if left := finish_removals(project.settings, project.store, project.tracker, only=run_ids):
        raise Unavailable(
            f"Of {len(left):,} of {len(run_ids):,} deleted runs something is left.",
            why=[f"{run_id}: {said}" for run_id, said in sorted(left.items())],
            next_step="Whoever starts work next goes on with it; `workbench doctor` does so now.",
        )


def finish_removals(
    settings: Settings, store: Store, tracker: MlflowTracker, *, only: Sequence[str] | None = None
) -> dict[str, str]:
    """Remove what is left of runs that are deleted; return why that could not be, by the run's id, for another time."""
    begun = [each for each in store.removals.list_begun() if only is None or each.run_id in only]
    attempts = _group_attempts(store, [each.run_id for each in begun]) if begun else {}
    left: dict[str, str] = {}
    for each in begun:
        try:
            if each.tracked_as:
                tracker.delete_run(each.tracked_as)
            _remove_files(settings, each.run_id, attempts[each.run_id])
            store.removals.finish(each.run_id, is_look=is_look(attempts[each.run_id]))
        except (WorkbenchError, OSError) as exc:
            said = exc.in_one_line if isinstance(exc, WorkbenchError) else str(exc)
            left[each.run_id] = f"It is deleted, but not all of it is gone: {said}"
    return left


def _read_ledger(project: Project) -> list[Entry]:
    """Return the ledger; raises Refused where it is not the one that was seen here: nobody knows then what it names."""
    entries, faults = project.store.inspect_ledger()
    if faults:
        step = "`workbench ledger verify` says more."
        raise Refused("Nothing is deleted: the ledger cannot be relied on.", why=faults, next_step=step)
    return entries


def _group_attempts(store: Store, run_ids: Sequence[str]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {run_id: [] for run_id in run_ids}
    for attempt in store.list_attempts():
        if attempt.id in found:
            found[attempt.id].append(attempt)
    return found


def _list_folders(settings: Settings, run_id: str) -> list[Path]:
    """Return the folders of a run, and of its attempts before the last."""
    folders = [settings.runs_folder / run_id, *sorted(settings.attempts_folder.glob(f"{run_id}-*"))]
    return [folder for folder in folders if folder.is_dir() and not folder.is_symlink()]


def _list_left(folders: Sequence[Path], names: Collection[str] = LEFT_OF_A_LOOK) -> Iterator[Path]:
    return (folder / name for folder in folders for name in names if os.path.lexists(folder / name))


def _remove_files(settings: Settings, run_id: str, attempts: Sequence[Run]) -> None:
    keep = LEFT_OF_A_LOOK if is_look(attempts) else ()
    for folder in _list_folders(settings, run_id):
        _empty_folder(folder, keep)


def _remove_draft(folder: Path, by: str) -> None:
    """Delete a draft; one that had seen a holdout is marked first, so that it is listed no more however far this comes."""
    is_seen = (folder / LOOKS).exists()
    if is_seen:
        (folder / DELETED_DRAFT).write_text(json.dumps({"by": by, "at": utc_now()}), encoding="utf-8")
    _empty_folder(folder, (*LEFT_OF_A_DRAFT, DELETED_DRAFT) if is_seen else ())


def _empty_folder(folder: Path, keep: Collection[str]) -> None:
    for path in [path for path in folder.iterdir() if path.name not in keep]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def _measure(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder; what is not there has none."""
    if path.is_dir() and not path.is_symlink():
        return sum(_measure(Path(here) / name) for here, _, names in os.walk(path) for name in names)
    return path.lstat().st_size if os.path.lexists(path) else 0
