"""Records runs, files and model versions in MLflow, where everybody's tools find them. It is told; it is never asked to decide."""

from __future__ import annotations

import fcntl
import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from textwrap import shorten
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from workbench.errors import Unavailable
from workbench.runs.artifacts import find_artifacts, link_files, write_file
from workbench.runs.finding.mlflow_annotations import MlflowAnnotations, spell_annotations
from workbench.runs.logged_calls import LONGEST_TAG, LoggedCalls, spell_parameters, spool_address
from workbench.runs.mlflow_entities import batch_entries, facts_of_call, spell_input, spell_points, spell_texts
from workbench.runs.mlflow_facts import EXPERIMENT_TAGS, PAGE_MODE, describe_dirt, describe_source, describe_tables
from workbench.runs.profiling import timed
from workbench.runs.run import Run, RunState
from workbench.secrets.addresses import hide_passwords

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_STATUS = {
    RunState.FINISHED: "FINISHED",
    RunState.FAILED: "FAILED",
    RunState.KILLED: "KILLED",
    RunState.LOST: "FAILED",
}
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    # A server that does not answer is told after seconds, not after MLflow's minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
# What a queue still holds when its kernel ends is lost.
_AT_ONCE = {"MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"}
# The first question is asked once and briefly: who started a run waits for the answer.
_BRIEF = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
# Whose exceptions come out of MLflow's client: its own, and those of its database that it lets through.
_SPEAK_FOR_MLFLOW = frozenset({"mlflow", "sqlalchemy", "alembic", "sqlite3"})
_MODEL_PATH, _NOTES_TAG = "model", "workbench.notes"
# What MLflow takes in one call.
_MOST_IDS = 100


class MlflowTracker(MlflowAnnotations):
    """One MLflow tracking store and registry; connects when first used."""

    def __init__(self, address: str, artifacts_folder: Path) -> None:
        self.address = address
        self._artifacts_folder = artifacts_folder

    def require_answer(self) -> None:
        """Raise Unavailable within seconds when MLflow is not there, before anything is begun that it must record."""
        with self._answers():
            _ask_briefly(self._client)

    def start_run(self, run: Run) -> str:
        """Begin a run in the experiment of its notebook and return MLflow's id for it; its parameters are logged separately."""
        tags = {
            **describe_source(run),
            "workbench.run": run.id,
            "workbench.notebook_digest": run.notebook_digest,
            "workbench.sweep": run.sweep or "",
            **spell_annotations(run.annotations),
        }
        with self._answers():
            experiment, name = self._experiment(Path(run.notebook).stem), run.annotations.name or run.id
            return str(self._client.create_run(experiment, tags=tags, run_name=name).info.run_id)

    def log_parameters(self, run: Run) -> None:
        """Log the parameters of a run that was begun."""
        with self._answers():
            for _, params, _ in batch_entries([], spell_texts(spell_parameters(run.parameters), "Param"), []):
                self._client.log_batch(run.tracked_as, params=params)

    def finish_run(
        self,
        run: Run,
        *,
        files: Path | None = None,
        described: Mapping[str, str] | None = None,
        logged: LoggedCalls | None = None,
    ) -> bool:
        """Record what a run left and set MLflow's status to agree with ours; `described` are texts beside its model, by file name.

        `logged` is what its notebook logged; where that says another value of a metric than the record, the record's is shown.
        Returns False when MLflow has no such run any more: somebody deleted it, and there is nothing to agree about.
        """
        with self._answers():
            shown = self._find_run(str(run.tracked_as))
            if shown is None:
                return False
            calls = logged or LoggedCalls()
            left_out = self._log_all(run, calls, shown)
            self._keep_files(run, shown, find_artifacts(files, calls) if files is not None else {}, described or {})
            self._log_inputs(run, calls, files)
            self._say_left_out(run, left_out)
            self._set_status(run)
        return True

    def _log_all(self, run: Run, calls: LoggedCalls, shown: Any) -> list[str]:
        """Log metrics, parameters and tags in as few batches as MLflow takes; return what was left out."""
        known = shown.data.params
        # Who was stopped between beginning a run and logging its parameters left that to us.
        given = {**calls.parameters, **spell_parameters(run.parameters), **known}
        changed = [name for name, value in calls.parameters.items() if given[name] != value]
        parameters = {name: value for name, value in given.items() if name not in known}
        tags = {**calls.tags, **describe_dirt(run)}
        entries = (spell_points(run, calls), spell_texts(parameters, "Param"), spell_texts(tags, "RunTag"))
        for metrics, params, texts in batch_entries(*entries):
            self._client.log_batch(run.tracked_as, metrics=metrics, params=params, tags=texts)
        return [*calls.notes, *(f"parameter {name} keeps the value it had" for name in changed)]

    def _log_inputs(self, run: Run, calls: LoggedCalls, folder: Path | None) -> None:
        inputs = [*describe_tables(run, folder), *map(facts_of_call, calls.inputs)]
        if inputs:
            self._client.log_inputs(run.tracked_as, datasets=[spell_input(each) for each in inputs])

    def _keep_files(self, run: Run, shown: Any, files: Mapping[str, Path], described: Mapping[str, str]) -> None:
        folder = self._local_folder(shown.info.artifact_uri)
        if folder is not None:
            link_files(files, folder)
        else:
            for path, file in files.items():
                self._client.log_artifact(run.tracked_as, str(file), str(PurePosixPath(path).parent).lstrip("."))
        for name, text in described.items():
            if folder is not None:
                write_file(folder / _MODEL_PATH / name, text.encode())
            else:
                self._client.log_text(run.tracked_as, text, f"{_MODEL_PATH}/{name}")

    def _local_folder(self, location: str) -> Path | None:
        """Return where MLflow keeps a run's files when that is below our own folder, so that they need not be copied."""
        if not self.address.startswith("sqlite:") or not location.startswith(f"{self._artifacts_folder.as_uri()}/"):
            return None
        return Path(unquote(urlsplit(location).path))

    def _say_left_out(self, run: Run, left_out: Sequence[str]) -> None:
        if left_out:
            self._client.set_tag(run.tracked_as, _NOTES_TAG, "\n".join(left_out)[:LONGEST_TAG])

    def _set_status(self, run: Run) -> None:
        ended_ms = int(datetime.fromisoformat(run.ended).timestamp() * 1000) if run.ended else None
        self._client.set_terminated(run.tracked_as, _STATUS[run.state], end_time=ended_ms)

    def _find_run(self, tracked_as: str) -> Any:
        """Return a run as MLflow shows it; None when it is not there, or somebody deleted it."""
        from mlflow.exceptions import MlflowException

        try:
            shown = self._client.get_run(tracked_as)
        except MlflowException as exc:
            if exc.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return shown if str(shown.info.lifecycle_stage) == "active" else None

    def repair_statuses(self, runs: Sequence[Run]) -> list[Run]:
        """Make MLflow's status of runs that ended agree with ours, and return those of which it said something else."""
        ours = {str(run.tracked_as): run for run in runs if run.tracked_as and run.state in _STATUS}
        with self._answers():
            said = self._search_statuses("attributes.status != 'FINISHED'")
            # Few ended otherwise; only of those need be asked whether MLflow calls them finished.
            doubtful = [key for key, run in ours.items() if not run.is_finished and key not in said]
            for start in range(0, len(doubtful), _MOST_IDS):
                ids = ", ".join(f"'{key}'" for key in doubtful[start : start + _MOST_IDS])
                said |= self._search_statuses(f"attributes.run_id IN ({ids})")
            wrong = [run for key, run in ours.items() if said.get(key, _STATUS[run.state]) != _STATUS[run.state]]
            for run in wrong:
                self._set_status(run)
        return wrong

    def _search_statuses(self, condition: str) -> dict[str, str]:
        """Return the status of every run that fulfils a condition, by MLflow's id of the run."""
        experiments = [str(each.experiment_id) for each in self._client.search_experiments()]
        found: dict[str, str] = {}
        token = None
        while True:
            page = self._client.search_runs(experiments, condition, max_results=1000, page_token=token)
            found |= {str(shown.info.run_id): str(shown.info.status) for shown in page}
            token = page.token
            if not token:
                return found

    def register_version(self, model: str, run: Run, *, after: int) -> int:
        """Register the model a run logged as the next version of a named model and return its number, above `after`.

        `after` is the last number that was given: where somebody deleted the model, MLflow would give it again.
        """
        with self._answers():
            self._require_model(model)
            while (version := self._create_version(model, run)) <= after:
                self._client.delete_model_version(model, str(version))
            return version

    def restore_version(self, model: str, run: Run, version: int) -> bool:
        """Make a version anew that somebody deleted; False when MLflow has given higher numbers since, and cannot."""
        with self._answers():
            known = [int(found.version) for found in self._client.search_model_versions(f"name='{model}'")]
            if version in known or max(known, default=0) > version:
                return version in known
            self._require_model(model)
            while (made := self._create_version(model, run)) < version:
                self._client.delete_model_version(model, str(made))
            if made > version:
                self._client.delete_model_version(model, str(made))
            return made == version

    def _create_version(self, model: str, run: Run) -> int:
        made = self._client.create_model_version(
            model,
            source=f"runs:/{run.tracked_as}/{_MODEL_PATH}",
            run_id=run.tracked_as,
            tags={"workbench.run": run.id},
        )
        return int(made.version)

    def _require_model(self, model: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(model)
        except MlflowException as exc:
            if exc.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def point_alias(self, model: str, alias: str, version: int) -> None:
        """Make an alias of a model name point to a version: a pointer published from the ledger, not an authority."""
        with self._answers():
            self._client.set_registered_model_alias(model, alias, str(version))

    def read_alias(self, model: str, alias: str) -> int | None:
        """Return the version an alias points to, None when there is no such alias."""
        from mlflow.exceptions import MlflowException

        with self._answers():
            try:
                return int(self._client.get_model_version_by_alias(model, alias).version)
            except MlflowException as exc:
                if exc.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise

    def find_start_page(self, run: Run | None) -> str:
        """Return where MLflow's page shows the runs of a notebook, one of them given, as models that are trained; of none, all."""
        with self._answers():
            shown = None if run is None else self._find_run(str(run.tracked_as))
        return f"#/experiments{'' if shown is None else f'/{shown.info.experiment_id}'}?{PAGE_MODE}"

    def kernel_variables(self, folder: Path, tracked_as: str) -> dict[str, str]:
        """Return the environment that makes plain `mlflow.log_*` calls in a kernel land in its run's folder."""
        address = {"MLFLOW_TRACKING_URI": spool_address(folder, tracked_as), "MLFLOW_RUN_ID": tracked_as}
        return {**_QUIET, **_AT_ONCE, **address}

    @cached_property
    def _client(self) -> MlflowClient:
        os.environ.update(_QUIET)
        # MLflow warns about its own code while it is imported and prepares its tables.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mlflow.tracking import MlflowClient

            for name in ("mlflow", "alembic"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
            if self.address.startswith("sqlite:///"):
                path = Path(unquote(self.address.removeprefix("sqlite:///").partition("?")[0]))
                _create_database(path, self._artifacts_folder)
            client = MlflowClient(self.address, self.address)
            _ask_briefly(client)
        return client

    def _experiment(self, name: str) -> str:
        """Return the experiment of a notebook; one of that name which keeps its files elsewhere is somebody else's."""
        local = self.address.startswith("sqlite:")
        found = self._client.get_experiment_by_name(name)
        if found is None:
            return self._create_experiment(name, (self._artifacts_folder / name).as_uri() if local else None)
        for tag in EXPERIMENT_TAGS.keys() - found.tags.keys():
            self._client.set_experiment_tag(found.experiment_id, tag, EXPERIMENT_TAGS[tag])
        if local and not found.artifact_location.startswith(f"{self._artifacts_folder.as_uri()}/"):
            return self._experiment(f"{name} (workbench)")
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _create_experiment(self, name: str, location: str | None) -> str:
        from mlflow.exceptions import MlflowException

        try:
            return str(self._client.create_experiment(name, artifact_location=location, tags=EXPERIMENT_TAGS))
        except MlflowException as exc:
            if exc.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return self._experiment(name)

    @contextmanager
    def _answers(self) -> Iterator[None]:
        try:
            with timed("tracking (MLflow)"):
                yield
        except Exception as exc:
            if not isinstance(exc, OSError) and type(exc).__module__.partition(".")[0] not in _SPEAK_FOR_MLFLOW:
                raise
            raise Unavailable(
                f"MLflow at {hide_passwords(self.address, self.address)} did not answer.",
                # The lines after the first are SQL, and where to read about it.
                why=hide_passwords(
                    shorten(str(exc).strip().partition("\n")[0] or type(exc).__name__, 160, placeholder=" …"),
                    self.address,
                ),
                next_step="Check that it is reachable and not locked by another program, then run the same command again.",
            ) from exc


def _create_database(path: Path, artifacts: Path) -> None:
    """Make MLflow's SQLite database, whole or not at all, by one process at a time.

    MLflow creates its tables in dozens of migrations; two at once, or one that is killed, leave a database that no later
    command can open. Its experiment `Default` is written down with them, and would keep its files where this process works.
    """
    if path.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return
        fresh = path.with_name(f".{path.name}.new")
        for left in (fresh, fresh.with_name(f"{fresh.name}-journal")):
            left.unlink(missing_ok=True)
        SqlAlchemyStore(f"sqlite:///{quote(str(fresh))}", artifacts.as_uri()).search_experiments(max_results=1)
        fresh.rename(path)


def _ask_briefly(client: MlflowClient) -> None:
    with _with_variables(_BRIEF):
        client.search_experiments(max_results=1)


@contextmanager
def _with_variables(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
