"""A tracker in memory: what MlflowTracker promises, without MLflow, for tests that need a tracker and not its four seconds."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workbench.domain.run import Run
from workbench.errors import Unavailable

LONGEST_PARAMETER = 6_000


@dataclass
class Recorded:
    """One run as a tracker shows it; `status` is MLflow's word."""

    status: str
    parameters: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, float] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


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
        parameters = {name: str(value)[:LONGEST_PARAMETER] for name, value in run.parameters.items()}
        tags = {"mlflow.user": run.author, "workbench.run": run.id, "workbench.sweep": run.sweep or ""}
        self.runs[tracked_as] = Recorded("RUNNING", parameters, tags)
        return tracked_as

    def finish_run(self, run: Run, *, files: Path | None = None, mlmodel: str | None = None) -> bool:
        recorded = self.runs.get(str(run.tracked_as))
        if recorded is None:
            return False
        recorded.metrics |= run.metrics
        recorded.files |= (
            {str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()} if files else set()
        )
        recorded.files |= {"model/MLmodel"} if mlmodel is not None else set()
        recorded.status = "FAILED" if run.state == "LOST" else str(run.state)
        return True

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

    def kernel_variables(self, tracked_as: str) -> Mapping[str, str]:
        return {"MLFLOW_TRACKING_URI": self.address, "MLFLOW_RUN_ID": tracked_as}

    def delete_run(self, tracked_as: str) -> None:
        """What somebody may do in MLflow's own page."""
        del self.runs[tracked_as]

    def delete_model(self, model: str) -> None:
        """The same, of a registered model with all its versions."""
        del self.versions[model]
