"""A tracker in memory: what MlflowTracker promises, without MLflow, for tests that need a tracker and not its four seconds."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isnan
from pathlib import Path

from workbench.errors import Unavailable
from workbench.runs.artifacts import find_artifacts
from workbench.runs.finding.annotations import Annotations
from workbench.runs.finding.mlflow_annotations import spell_annotations
from workbench.runs.logged_calls import LoggedCalls, choose_points, spell_parameters, spool_address
from workbench.runs.points import Point
from workbench.runs.run import FINAL_STATES, Run, RunState


def _order(point: Point) -> tuple[int, int, float]:
    return point.step, point.time_ms, 0.0 if isnan(point.value) else point.value


def _milliseconds(time: str | None) -> int:
    return int((datetime.fromisoformat(time) if time else datetime.now(UTC)).timestamp() * 1000)


def _status(run: Run) -> str:
    return "FAILED" if run.state is RunState.LOST else str(run.state)


@dataclass
class Recorded:
    """One run as a tracker shows it; `status` is MLflow's word."""

    status: str
    parameters: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, float] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    points: dict[str, list[Point]] = field(default_factory=dict)


class MemoryTracker:
    """Runs, versions and aliases in dictionaries."""

    address = "memory:"

    def __init__(self) -> None:
        self.runs: dict[str, Recorded] = {}
        self.versions: dict[str, dict[int, str]] = {}
        self.aliases: dict[tuple[str, str], int] = {}

    def require_answer(self) -> None:
        """Memory always answers."""

    def start_run(self, run: Run) -> str:
        tracked_as = secrets.token_hex(16)
        tags = {"mlflow.user": run.author, "workbench.run": run.id, "workbench.sweep": run.sweep or ""}
        tags |= spell_annotations(run.annotations) | {"mlflow.runName": run.annotations.name or run.id}
        self.runs[tracked_as] = Recorded("RUNNING", {}, tags)
        return tracked_as

    def annotate(self, run: Run, *, before: Annotations, logged: Mapping[str, str]) -> bool:
        recorded = self.runs.get(str(run.tracked_as))
        if recorded is None:
            return False
        for key in spell_annotations(before):
            del recorded.tags[key]
        recorded.tags |= {key: value for key, value in logged.items() if key in spell_annotations(before)}
        recorded.tags |= spell_annotations(run.annotations) | {"mlflow.runName": run.annotations.name or run.id}
        return True

    def find_page(self, tracked_as: str) -> str | None:
        return f"experiments/1/runs/{tracked_as}" if tracked_as in self.runs else None

    def find_registered(self, tracked_as: str) -> list[str]:
        return [
            f"{name}/{each}" for name, known in self.versions.items() for each, of in known.items() if of == tracked_as
        ]

    def log_parameters(self, run: Run) -> None:
        self.runs[str(run.tracked_as)].parameters |= spell_parameters(run.parameters)

    def finish_run(
        self,
        run: Run,
        *,
        files: Path | None = None,
        described: Mapping[str, str] | None = None,
        logged: LoggedCalls | None = None,
    ) -> bool:
        recorded = self.runs.get(str(run.tracked_as))
        if recorded is None:
            return False
        calls = logged or LoggedCalls()
        self._keep(recorded, choose_points(run, calls, ended_ms=_milliseconds(run.ended)))
        recorded.parameters = {**calls.parameters, **spell_parameters(run.parameters), **recorded.parameters}
        recorded.tags |= calls.tags
        recorded.files |= set(find_artifacts(files, calls)) if files else set()
        recorded.files |= {f"model/{name}" for name in described or ()}
        recorded.status = _status(run)
        return True

    def _keep(self, recorded: Recorded, points: Sequence[Point]) -> None:
        for point in points:
            course = recorded.points.setdefault(point.name, [])
            course += [point] if point not in course else []
        # The rule in other words than the code it is held against.
        for name, course in recorded.points.items():
            recorded.metrics[name] = sorted(course, key=_order)[-1].value

    def repair_statuses(self, runs: Sequence[Run]) -> list[Run]:
        wrong = [run for run in runs if run.state in FINAL_STATES and self._says_otherwise(run)]
        for run in wrong:
            self.runs[str(run.tracked_as)].status = _status(run)
        return wrong

    def _says_otherwise(self, run: Run) -> bool:
        recorded = self.runs.get(str(run.tracked_as))
        return recorded is not None and recorded.status != _status(run)

    def register_version(self, model: str, run: Run, *, after: int) -> int:
        known = self.versions.setdefault(model, {})
        version = max(after, *known, 0) + 1
        known[version] = str(run.tracked_as)
        return version

    def restore_version(self, model: str, run: Run, version: int) -> bool:
        known = self.versions.setdefault(model, {})
        if max(known, default=0) < version:
            known[version] = str(run.tracked_as)
        return version in known

    def point_alias(self, model: str, alias: str, version: int) -> None:
        if version not in self.versions.get(model, {}):
            raise Unavailable(
                "The tracker did not answer.", why=f"There is no {model}/{version}.", next_step="Register it first."
            )
        self.aliases[model, alias] = version

    def read_alias(self, model: str, alias: str) -> int | None:
        return self.aliases.get((model, alias))

    def find_start_page(self, run: Run | None) -> str:
        return "#/experiments/1" if run and str(run.tracked_as) in self.runs else "#/experiments"

    def kernel_variables(self, folder: Path, tracked_as: str) -> Mapping[str, str]:
        return {"MLFLOW_TRACKING_URI": spool_address(folder, tracked_as), "MLFLOW_RUN_ID": tracked_as}

    def set_status(self, tracked_as: str, status: str) -> None:
        """What somebody may do with MLflow's client."""
        self.runs[tracked_as].status = status

    def delete_run(self, tracked_as: str) -> None:
        """What somebody may do in MLflow's own page."""
        self.runs.pop(tracked_as, None)

    def delete_model(self, model: str) -> None:
        """The same, of a registered model with all its versions."""
        del self.versions[model]
