"""Where plain MLflow calls of a run's kernel go: lines of JSON and files in the run's folder, in place of the team's database.

MLflow finds `SpoolStore` by the entry point for addresses that begin with `workbench-spool:`. Nobody reads along while the
notebook runs; `logged_calls` reads what was written when it has ended.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mlflow.entities import (
    DatasetInput,
    Experiment,
    LoggedModel,
    LoggedModelTag,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunTag,
    TraceInfo,
)
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.tracing.constant import TraceMetadataKey
from mlflow.utils.mlflow_tags import MLFLOW_ARTIFACT_LOCATION
from mlflow.utils.validation import _validate_batch_log_data, _validate_dataset_inputs, _validate_param_keys_unique

from workbench.records.digest import sha256_hex
from workbench.runs.call_journal import CallJournal
from workbench.runs.logged_calls import (
    ARTIFACTS,
    CALLS,
    FURTHER,
    INPUT_LIMITS,
    NO_AUTOLOGGED_MODEL,
    can_be_named,
    can_label,
    id_of_further_run,
    parse_spool_address,
    spell_parameters,
)
from workbench.runs.point_clock import now_ms, wait_past
from workbench.runs.points import Point, find_latest, is_whole

_EXPERIMENT = "0"
_NAME_TAG, _PARENT_TAG, _CONTEXT_TAG = "mlflow.runName", "mlflow.parentRunId", "mlflow.data.context"
_PARAMETERS, TRACES = "parameters.json", "traces"


def _refuse(what: str, code: int = INVALID_PARAMETER_VALUE) -> None:
    raise MlflowException(
        f"Inside of a run of the workbench, MLflow only records what this notebook logs; it cannot touch {what}. "
        "Do that outside of a run.",
        code,
    )


def _refusing(what: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> None:
        _refuse(what)

    return refuse


def refuse_registry(store_uri: str, tracking_uri: str | None = None) -> None:
    """Raise MlflowException for every use of MLflow's model registry inside of a run: models get there by being nominated."""
    _refuse(f"the model registry at {tracking_uri or store_uri} (a model gets there by `workbench nominate`)")


class SpoolStore(AbstractStore):
    """One run's folder as MLflow's tracking store: what a notebook logs is kept, what it asks about other runs is refused."""

    def __init__(self, store_uri: str, artifact_uri: str | None = None) -> None:
        super().__init__()
        self._folder, self._tracked_as = parse_spool_address(store_uri)
        self._journal = CallJournal(self._folder / CALLS)
        self._models: dict[str, LoggedModel] = {}
        self._traces: dict[str, TraceInfo] = {}
        self._started_ms = now_ms()
        # MLflow's own page is not there to be told; the artifacts are files.
        self.artifact_root_uri = artifact_uri or (self._folder / ARTIFACTS).as_uri()

    # Experiments: a run belongs to the one of its notebook

    def search_experiments(self, *_: Any, **__: Any) -> PagedList:
        """Return the one experiment there is."""
        return PagedList([self.get_experiment(_EXPERIMENT)], None)

    def create_experiment(self, name: str, *_: Any, **__: Any) -> str:
        """Make nothing, note the name, and return the id of the one experiment."""
        return str(self.get_experiment_by_name(name).experiment_id)

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the one experiment, whatever id is asked for."""
        return Experiment(_EXPERIMENT, f"experiment {experiment_id}", self.artifact_root_uri, "active")

    def get_experiment_by_name(self, experiment_name: str, *_: Any, **__: Any) -> Experiment:
        """Return the one experiment under the name that is asked for, and note that the name was ignored."""
        self._note(f"experiment {experiment_name!r} is ignored: a run belongs to the experiment of its notebook")
        return Experiment(_EXPERIMENT, experiment_name, self.artifact_root_uri, "active")

    def set_experiment_tag(self, experiment_id: str, tag: Any) -> None:
        """Note that an experiment's tag is ignored."""
        self._note(f"tag {tag.key!r} of experiment {experiment_id} is ignored")

    # Runs

    def get_run(self, run_id: str) -> Run:
        """Return a run of this notebook as far as it has logged; raises MlflowException for any other."""
        label = self._label(run_id)
        data = RunData(self._latest_metrics(label), self._params(label), self._tags(label))
        return Run(self._info(run_id, label), data)

    def create_run(self, *_: Any, tags: Sequence[RunTag] = (), run_name: str | None = None, **__: Any) -> Run:
        """Begin a further run of this notebook; it is kept inside of the notebook's own."""
        given = {tag.key: tag.value for tag in tags}
        with self._journal.alone():
            label = self._new_label(run_name or given.get(_NAME_TAG))
            self._journal.append([{"call": "run", "run": label, "nested": _PARENT_TAG in given}])
        run_id = self._id(label)
        self.log_batch(run_id, [], [], list(tags))
        return self.get_run(run_id)

    def update_run_info(self, run_id: str, *_: Any, run_name: str | None = None, **__: Any) -> RunInfo:
        """Change nothing: how a run ended and what it is called is not for its notebook to say."""
        if run_name:
            self._note(f"the name {run_name!r} of the run is ignored")
        return self._info(run_id, self._label(run_id))

    # What is logged

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        """Keep metrics, parameters and tags; raises MlflowException for what MLflow would refuse, too."""
        label = self._label(run_id)
        metrics, params, tags = _validate_batch_log_data(metrics, params, tags)
        _validate_param_keys_unique(params)
        _require_names([*metrics, *params, *tags])
        _require_steps(metrics)
        params = self._unchanged(label, params)
        entries = [(entry, {"run": label, "name": entry.key}) for entry in (*metrics, *params, *tags)]
        self._journal.append([{**_spell(entry), **place} for entry, place in entries])
        # Without a step only the time tells which value is the last: the next one gets another millisecond.
        wait_past(max((int(metric.timestamp) for metric in metrics if not metric.step), default=-1))

    def delete_tag(self, run_id: str, key: str) -> None:
        """Take a tag back."""
        _require_names([RunTag(key, "")])
        self._journal.append([{"call": "tag removed", "run": self._label(run_id), "name": key}])

    def log_inputs(
        self, run_id: str, datasets: list[DatasetInput] | None = None, models: Sequence[Any] | None = None
    ) -> None:
        """Keep which datasets were used; models of other runs are not looked up."""
        label = self._label(run_id)
        _validate_dataset_inputs(datasets or [])
        self._journal.append([_spell_input(label, each) for each in datasets or ()])
        if models:
            self._note(f"{len(models)} model inputs are ignored")

    def get_metric_history(self, run_id: str, metric_key: str, *_: Any, **__: Any) -> PagedList:
        """Return every value of a metric, in the order it was logged."""
        points = self._points(self._label(run_id))
        return PagedList([_as_metric(point) for point in points if point.name == metric_key], None)

    # Models that are logged with MLflow: files among the artifacts, never what is nominated

    def create_logged_model(
        self, *_: Any, name: str | None = None, source_run_id: str | None = None, **said: Any
    ) -> LoggedModel:
        """Give a model its place among the artifacts; autologging gets none, for it would pickle."""
        if _is_autologging():
            self._note(NO_AUTOLOGGED_MODEL)
            raise _autologging_keeps_no_model()
        label = self._label(source_run_id) if source_run_id else ""
        name = self._new_model_name(name, label)
        facts = {key: said.get(key) for key in ("tags", "params", "model_type")}
        model_id, location = (
            f"m-{sha256_hex(f'{label}/{name}'.encode())[:32]}",
            (self._artifacts(label) / name).as_uri(),
        )
        model = LoggedModel(_EXPERIMENT, model_id, name, location, now_ms(), now_ms(), **facts)
        return self._models.setdefault(model_id, model)

    def get_logged_model(self, model_id: str, *_: Any, **__: Any) -> LoggedModel:
        """Return a model this notebook logged; raises MlflowException for any other."""
        if model_id not in self._models:
            raise MlflowException(f"This run has logged no model {model_id}.", RESOURCE_DOES_NOT_EXIST)
        return self._models[model_id]

    def finalize_logged_model(self, model_id: str, *_: Any, **__: Any) -> LoggedModel:
        """Return the model; it is complete when its files are."""
        return self.get_logged_model(model_id)

    def set_logged_model_tags(self, model_id: str, tags: Sequence[LoggedModelTag]) -> None:
        """Keep tags of a model as long as the kernel lives."""
        self.get_logged_model(model_id).tags.update({tag.key: tag.value for tag in tags})

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Take a tag of a model back."""
        self.get_logged_model(model_id).tags.pop(key, None)

    def log_outputs(self, run_id: str, models: Sequence[Any]) -> None:
        """Nothing to keep: a logged model's files are below the run."""

    def record_logged_model(self, run_id: str, mlflow_model: Any) -> None:
        """Nothing to keep: a logged model's files are below the run."""

    def _new_model_name(self, name: str | None, label: str) -> str:
        plain = name if can_label(name) else "model"
        taken = {path.name for path in self._artifacts(label).glob("*")} | {m.name for m in self._models.values()}
        return str(plain) if plain not in taken else next(n for n in _numbered(str(plain)) if n not in taken)

    # Traces: files among the artifacts, whole when a call that is traced has ended

    def start_trace(self, trace_info: TraceInfo) -> TraceInfo:
        """Keep what is known of a trace as `traces/<id>/info.json`, and say that its spans belong beside it."""
        if not can_label(trace_info.trace_id):
            raise MlflowException(f"{trace_info.trace_id!r} cannot name a trace.", INVALID_PARAMETER_VALUE)
        run_id = trace_info.trace_metadata.get(TraceMetadataKey.SOURCE_RUN)
        folder = self._artifacts(self._label(run_id) if run_id else "") / TRACES / trace_info.trace_id
        if not self._traces:
            self._note(f"traces are kept as files below {TRACES}/; MLflow's page of traces does not list them")
        trace_info.tags[MLFLOW_ARTIFACT_LOCATION] = folder.as_uri()
        self._traces[trace_info.trace_id] = trace_info
        self._write_trace(trace_info)
        return trace_info

    def get_trace_info(self, trace_id: str) -> TraceInfo:
        """Return what is known of a trace of this kernel; raises MlflowException for any other."""
        if trace_id not in self._traces:
            raise MlflowException(f"This run has no trace {trace_id}.", RESOURCE_DOES_NOT_EXIST)
        return self._traces[trace_id]

    def set_trace_tag(self, trace_id: str, key: str, value: str) -> None:
        """Keep a tag of a trace."""
        self.get_trace_info(trace_id).tags[key] = value
        self._write_trace(self._traces[trace_id])

    def delete_trace_tag(self, trace_id: str, key: str) -> None:
        """Take a tag of a trace back."""
        self.get_trace_info(trace_id).tags.pop(key, None)
        self._write_trace(self._traces[trace_id])

    def _write_trace(self, trace_info: TraceInfo) -> None:
        folder = Path(unquote(urlsplit(trace_info.tags[MLFLOW_ARTIFACT_LOCATION]).path))
        folder.mkdir(parents=True, exist_ok=True)
        # Where it lies is no fact about it, and would be another one in every place the run is copied to.
        tags = {key: value for key, value in trace_info.tags.items() if key != MLFLOW_ARTIFACT_LOCATION}
        (folder / "info.json").write_text(
            json.dumps({**trace_info.to_dict(), "tags": tags}, indent=1), encoding="utf-8"
        )

    # What is not its own is not there to be touched

    delete_experiment = restore_experiment = rename_experiment = _refusing("other experiments")
    search_runs = _search_runs = delete_run = restore_run = _refusing("other runs")
    search_logged_models = delete_logged_model = _refusing("models of other runs")
    search_traces = delete_traces = link_traces_to_run = unlink_traces_from_run = _refusing("other traces")
    create_assessment = update_assessment = delete_assessment = get_assessment = _refusing("assessments of traces")
    create_dataset = get_dataset = search_datasets = _refusing("datasets of a server")

    # Runs by their labels

    def _id(self, label: str) -> str:
        return id_of_further_run(self._tracked_as, label) if label else self._tracked_as

    def _label(self, run_id: str) -> str:
        labels = {self._id(label): label for label in ("", *self._journal.labels())}
        if run_id not in labels:
            _refuse(f"run {run_id}, which is not this notebook's", RESOURCE_DOES_NOT_EXIST)
        return labels[run_id]

    def _new_label(self, wanted: str | None) -> str:
        taken = self._journal.labels()
        if wanted and can_label(wanted) and wanted not in taken:
            return wanted
        return next(label for label in _numbered("run", len(taken) + 2) if label not in taken)

    def _artifacts(self, label: str) -> Path:
        return self._folder / FURTHER / label if label else self._folder / ARTIFACTS

    def _info(self, run_id: str, label: str) -> RunInfo:
        location, name = self._artifacts(label).as_uri(), label or self._folder.name
        return RunInfo(run_id, _EXPERIMENT, "", "RUNNING", self._started_ms, None, "active", location, name)

    def _points(self, label: str) -> list[Point]:
        calls = self._journal.read("metric", label)
        return [Point(call["name"], float(call["value"]), call["step"], call["time_ms"]) for call in calls]

    def _latest_metrics(self, label: str) -> list[Metric]:
        return [_as_metric(point) for point in find_latest(self._points(label)).values()]

    def _params(self, label: str) -> list[Param]:
        logged = {call["name"]: call["value"] for call in self._journal.read("parameter", label)}
        own = {} if label else self._own_parameters()
        return [Param(name, value) for name, value in {**own, **logged}.items()]

    def _tags(self, label: str) -> list[RunTag]:
        tags: dict[str, str] = {}
        for call in self._journal.read("tag", label):
            tags.pop(call["name"], None) if call["call"] == "tag removed" else tags.update(
                {call["name"]: call["value"]}
            )
        return [RunTag(name, value) for name, value in tags.items()]

    def _own_parameters(self) -> dict[str, str]:
        try:
            parameters = json.loads((self._folder / _PARAMETERS).read_bytes())
        except (OSError, ValueError):
            return {}
        return spell_parameters(parameters)

    def _unchanged(self, label: str, params: Sequence[Param]) -> list[Param]:
        """Return the parameters that have no other value yet; only autologging may log the others for all that."""
        known = {param.key: param.value for param in self._params(label)} if params else {}
        kept = [param for param in params if known.get(param.key, param.value) == param.value]
        changed = ", ".join(param.key for param in params if param not in kept)
        if changed and not _is_autologging():
            text = f"Changing param values is not allowed: {changed} had other values before in this run."
            raise MlflowException(text, INVALID_PARAMETER_VALUE)
        if changed:
            self._note(f"autologged parameters keep the values they had: {changed}")
        return kept

    def _note(self, text: str) -> None:
        self._journal.append([{"call": "note", "text": text}])


def _spell(entry: Metric | Param | RunTag) -> dict[str, Any]:
    """Return one entry as a call; what no JSON number can say is text."""
    if isinstance(entry, Metric):
        value = float(entry.value)
        said = value if math.isfinite(value) else str(value)
        return {"call": "metric", "value": said, "step": int(entry.step), "time_ms": int(entry.timestamp)}
    return {"call": "parameter" if isinstance(entry, Param) else "tag", "value": str(entry.value)}


def _spell_input(label: str, each: DatasetInput) -> dict[str, str]:
    context = next((tag.value for tag in each.tags or () if tag.key == _CONTEXT_TAG), "")
    facts = {name: str(getattr(each.dataset, name, None) or "") for name in INPUT_LIMITS}
    return {"call": "input", "run": label, **facts, "context": str(context)}


def _require_names(entries: Iterable[Metric | Param | RunTag]) -> None:
    wrong = [entry.key for entry in entries if not can_be_named(entry.key)]
    if wrong:
        raise MlflowException(f"{', '.join(map(repr, wrong))} cannot be names in MLflow.", INVALID_PARAMETER_VALUE)


def _require_steps(metrics: Iterable[Metric]) -> None:
    wrong = [f"{metric.key} has step {metric.step!r}" for metric in metrics if not is_whole(metric.step)]
    if wrong:
        text = f"{', '.join(wrong)}: a step is a whole number. Count batches instead of parts of an epoch."
        raise MlflowException(text, INVALID_PARAMETER_VALUE)


def _as_metric(point: Point) -> Metric:
    return Metric(point.name, point.value, point.time_ms, point.step)


def _numbered(name: str, first: int = 2) -> Iterator[str]:
    return (f"{name}-{number}" for number in count(first))


def _is_autologging() -> bool:
    from mlflow.utils.autologging_utils.safety import _AutologgingSessionManager

    return _AutologgingSessionManager.active_session() is not None


def _autologging_keeps_no_model() -> Exception:
    """Return the one exception after which scikit-learn's autologging still logs its metrics."""
    text = f"In a run of the workbench {NO_AUTOLOGGED_MODEL}."
    kind = getattr(sys.modules.get("mlflow.sklearn"), "_SklearnCustomModelPicklingError", None)
    if kind is None:
        return MlflowException(text)
    error: Exception = kind(None, text)
    error.args = (text,)
    return error
