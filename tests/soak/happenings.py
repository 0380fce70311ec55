"""What happened around a holdout, minute by minute (rules that were written down, runs, drafts), and what is told of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import pandas as pd

from tests.unit.people import AUTHOR
from workbench.checks import read_policy
from workbench.comparisons.looking import find_looks
from workbench.comparisons.tries import find_other_rules
from workbench.config import Settings
from workbench.evidence.measures.tries import measure_tries
from workbench.ledger.ledger import Entry, seal_entry
from workbench.models.predictions import Predictions
from workbench.nominations.planning import describe_plan, record_plan
from workbench.records.digest import sha256_hex
from workbench.runs import spool
from workbench.runs.folder import DATASETS, HOLDOUT, LOOKS
from workbench.runs.project import Project
from workbench.runs.run import Run, RunState
from workbench.runs.tables import DatasetFact

NOTEBOOK, OTHER_NOTEBOOK, STANDARD = "train.ipynb", "another.ipynb", "standard"
Body = dict[str, Any]


def at(minute: float) -> str:
    """Return a time so many minutes past eight, in ISO 8601."""
    return f"2026-11-20T08:{int(minute):02d}:{round(minute % 1 * 60):02d}+00:00"


@dataclass(frozen=True)
class Plan:
    """The rules are written down at a minute, before a notebook runs: those of a policy by its name or path."""

    minute: float
    policy: str = STANDARD
    notebook: str = NOTEBOOK
    edit: Callable[[Body], Body] = field(default=lambda body: body)


@dataclass(frozen=True)
class Scored:
    """A notebook runs at a minute and scores the holdout of the story, or another one; `scored` counts what it scored there."""

    minute: float
    notebook: str = NOTEBOOK
    holdout: str | None = None
    scored: int = 0


@dataclass(frozen=True)
class Seen:
    """What else had the holdout at hand at a minute, `often` times: attempts that ended so, or drafts (None).

    Each scored so many things on it, and logged `rows`, which were kept (None: those of the story).
    """

    minute: float
    how: RunState | None = RunState.FAILED
    often: int = 1
    scored: int = 1
    rows: pd.DataFrame | None = None


Act = Plan | Scored | Seen


class Happenings:
    """The ledger, runs and drafts of a project, in memory but for rows that were logged; the last run is told of."""

    def __init__(self, project: Path, logged: Path, holdout: DatasetFact, predictions: Predictions) -> None:
        self._settings = Settings(project, author=AUTHOR)
        self._logged, self._own, self._predictions = logged, holdout, predictions
        self._ledger, self._runs = _Ledger(), list[Run]()

    def tell(self, acts: Sequence[Act], policy: bytes) -> dict[str, Any]:
        """Let everything happen in its order; return what ledger and looks say then of the last run."""
        for number, act in enumerate(acts):
            if isinstance(act, Plan):
                self._write_plan(act)
            elif isinstance(act, Scored):
                self._runs.append(self._run_of(act, number))
            else:
                self._look(act, number)
        own = next(run for run in reversed(self._runs) if run.is_finished)
        shutil.copytree(self._logged, self._settings.runs_folder / own.id)
        return self._describe(own, policy)

    def _describe(self, own: Run, policy: bytes) -> dict[str, Any]:
        attempts = sorted(self._runs, key=lambda run: run.created, reverse=True)
        project = SimpleNamespace(settings=self._settings, store=SimpleNamespace(list_attempts=lambda: attempts))
        looks, read, task = find_looks(cast("Project", project), own), read_policy(policy), self._predictions.task
        others = find_other_rules(read.digest, self._ledger.entries, looks)

        def rescore(_: Run) -> Predictions:
            return self._predictions

        return {
            "plan": describe_plan(own, task, read.digest, self._ledger.entries, looks),
            "tries": measure_tries(looks, read.rule_of(task), rescore, other_rules=others),
        }

    def _write_plan(self, plan: Plan) -> None:
        self._ledger.minute, self._ledger.edit = plan.minute, plan.edit
        settings = replace(self._settings, policy=plan.policy)
        record_plan(cast("Project", SimpleNamespace(settings=settings, store=self._ledger)), plan.notebook)

    def _run_of(self, act: Scored, number: int) -> Run:
        digest = act.holdout or self._own.digest
        record = {"datasets": [_describe_holdout(digest, self._own.rows)], "predicted": _predict(number, act.scored)}
        return _make_run(f"{number:012x}", act.notebook, at(act.minute), RunState.FINISHED, record)

    def _look(self, act: Seen, number: int) -> None:
        digest, rows = self._log(act.rows, number)
        for each in range(act.often):
            named, predicted = f"{number:06x}{each:06x}", _predict(number * 1_000 + each, act.scored)
            if act.how is None:
                self._draft(named, act.minute, digest, rows, predicted)
            else:
                record = {"datasets": [_describe_holdout(digest, rows)], "predicted": predicted}
                self._runs.append(_make_run(named, OTHER_NOTEBOOK, at(act.minute), act.how, record))

    def _log(self, table: pd.DataFrame | None, number: int) -> tuple[str, int]:
        """Log a table as the first of these does; return its digest and how many rows it has."""
        if table is None:
            return self._own.digest, self._own.rows
        folder = self._settings.runs_folder / f"{number:06x}{0:06x}"
        folder.mkdir(parents=True)
        with patch.dict(os.environ, {spool.FOLDER_VARIABLE: str(folder)}):
            spool.log_dataset(table, role="holdout")
        (path,) = (folder / DATASETS).glob("*.json")
        return str(json.loads(path.read_bytes())["digest"]), len(table)

    def _draft(self, named: str, minute: float, digest: str, rows: int, predicted: Sequence[str]) -> None:
        folder = self._settings.drafts_folder / named
        folder.mkdir(parents=True)
        kept = self._settings.runs_folder / f"{named[:6]}{0:06x}"
        if (kept / HOLDOUT).is_file():
            shutil.copytree(kept, folder, dirs_exist_ok=True)
        lines: list[Body] = [{"time": at(minute), "holdout": digest, "rows": rows}]
        lines += [{"time": at(minute), "predicted": each} for each in predicted]
        (folder / LOOKS).write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def _describe_holdout(digest: str, rows: int) -> Body:
    return {"name": "holdout", "role": "holdout", "digest": digest, "rows": rows, "columns": 3}


def _predict(number: int, count: int) -> list[str]:
    """Return the digests of what was scored, each another."""
    return [sha256_hex(f"{number} {each}".encode()) for each in range(count)]


def _make_run(named: str, notebook: str, time: str, state: RunState, record: Body) -> Run:
    said: dict[str, Any] = {"state": state, "started": time, "record": record}
    return Run(named, notebook, "ab" * 32, {}, {}, AUTHOR, time, **said)


class _Ledger:
    """The ledger in memory: the entries in the order in which they were written, at the time its writer's clock shows."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.minute, self.edit = 0.0, lambda body: body

    def read_ledger(self) -> list[Entry]:
        return self.entries

    def append_entry(self, event: Any, *, actor: str, subject: str, body: Body) -> None:
        last = self.entries[-1] if self.entries else None
        said = {"event": event, "actor": actor, "subject": subject, "body": self.edit(body)}
        self.entries.append(seal_entry(last, time=at(self.minute), **said))
