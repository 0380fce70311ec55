"""What a notebook logs: written to a folder beside the run, collected by the parent process when the notebook is done.

The kernel needs neither MLflow nor the store. Without a run around it (a notebook opened by hand) the folder is a draft's: shown as
such and never promotable.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.config import Settings, read_settings
from workbench.errors import UsageError
from workbench.models.model_files import CONTRACT_FILE, SKOPS_FILE
from workbench.records.clock import utc_now
from workbench.runs.drafting import begin_draft
from workbench.runs.folder import (
    CODE_AUTHORS,
    DELETED_DRAFT,
    FEATURES,
    FIRST_ANSWERS,
    KEPT,
    LOGGED_METRICS,
    LOOKS,
    MODEL,
    PARAMETERS,
    PREDICTIONS,
    REFUSAL,
    TRAINING,
)
from workbench.runs.point_clock import PointClock
from workbench.runs.points import LONGEST_METRIC_NAME, can_name_metric, is_finite, is_step
from workbench.runs.refusal import describe_refusal

if TYPE_CHECKING:
    import pandas as pd

    from workbench.models.contract import Column
    from workbench.models.first_answers import FirstAnswers
    from workbench.models.fitted_model import Fitted
    from workbench.models.logged_task import Said
    from workbench.models.own_code import OwnCode
    from workbench.models.servability import LoggedModel, RefusedModel
    from workbench.stats.units import Units

FOLDER_VARIABLE = "WORKBENCH_SPOOL"
PROJECT_VARIABLE = "WORKBENCH_PROJECT"
MOST_TRAINING_ROWS = 5_000
_CLOCK, _LOG = PointClock(), logging.getLogger(__name__)


def log_metrics(metrics: Mapping[str, float], *, step: int = 0) -> None:
    """Record metrics of the run by name, each as a point with its step (an epoch, say) and the time; all points are kept.

    The run's value of a name is the one MLflow shows, also where `mlflow.log_metric` logged some of its points: of the largest
    step the latest, and of several in one millisecond the largest. Without steps that is the last one. Two calls with one name
    and step get different milliseconds, so the later call counts; only processes side by side can share one.

    Raises UsageError listing every name MLflow could not keep, every value that is not a finite number, and a step that is not
    a whole number of at most 64 bits.
    """
    problems = [f"{name!r} cannot name a metric." for name in metrics if not can_name_metric(name)]
    problems += [f"{name} is {value!r}." for name, value in metrics.items() if not is_finite(value)]
    problems += [] if is_step(step) else [f"The step is {step!r}."]
    if problems:
        raise UsageError(
            "The metrics cannot be logged.",
            why=problems,
            next_step=f"A name is letters, digits, _ - . / and spaces, up to {LONGEST_METRIC_NAME}, and begins with one of the"
            " first three, before and after each /; a value is a finite number; a step is a whole"
            " number, so count batches instead of parts of an epoch.",
        )
    values = {name: float(value) for name, value in metrics.items()}
    said = {"step": int(step), "time_ms": _CLOCK.stamp({(name, int(step)) for name in values})}
    with (_folder() / LOGGED_METRICS).open("a", encoding="utf-8") as lines:
        lines.writelines(json.dumps({"name": name, "value": value, **said}) + "\n" for name, value in values.items())


def log_dataset(
    table: pd.DataFrame,
    *,
    role: str,
    name: str = "",
    target: str | None = None,
    group: str | None = None,
    time: str | None = None,
) -> str:
    """Record which rows were used as `train`, `validation` or `holdout`: a content digest, which is returned, and one digest a row.

    The frozen evaluation rows are the one dataset with the role `holdout`; its index must name each row once, and its rows are
    kept: what is scored is held against them, the truth against the column named as `target`. Log every table with the same
    columns, the target included: only then can be seen whether training had rows of the holdout. Where rows of the holdout hang
    together, name the column: of a `group` (a customer) all rows are drawn at once, of a `time` (numbers, dates, texts that begin
    with the year) those of blocks of times that follow each other.
    """
    from workbench.runs.tabulating import Named, keep_table, require_table

    said = Named(role, name, target, group, time)
    units = require_table(table, said)
    digest = keep_table(table, _folder(), said, is_run=is_run())
    if role == "holdout":
        _note_look(holdout=digest, rows=len(table))
        _label_again(str(group or time), units)
    else:
        _TRAINING_TABLES[_folder(), role, name] = table
    return digest


def _label_again(column: str, units: Units | None) -> None:
    """Put the units of the holdout beside what was predicted, where that was logged first."""
    from workbench.runs.labelling import describe_few

    if (folder := _folder()) in _SAID:
        _settle(folder, _SAID[folder], *_FITTED.get(folder, (None, ())))
    if units is not None and (few := describe_few(column, units)):
        _LOG.warning("Note: %s", few)


def _note_look(**said: Any) -> None:
    """Note that a holdout is at hand, or what was scored on it: whatever becomes of this kernel, it was seen."""
    with (_folder() / LOOKS).open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"time": utc_now(), **said}) + "\n")


# What a model was fitted on is known when it is logged, and which columns it takes only then.
_TRAINING_TABLES: dict[tuple[Path, str, str], pd.DataFrame] = {}


def log_predictions(
    rows: Sequence[Any],
    truth: Sequence[Any],
    score: Any,
    *,
    classes: Sequence[Any] | None = None,
    positive: Any = None,
    slices: Mapping[str, Sequence[Any]] | None = None,
) -> None:
    """Record one prediction for each holdout row: its id, the truth, the score, and the slices it belongs to.

    Truth, shape (n,), is what it is: a number, or of classes the label (text, 1 and 2, true and false) or 1 for the positive
    class. A score, shape (n,), is a number in the target's unit, or the probability (or decision function) of the positive class;
    of several classes shape (n, classes), in the order of `classes` (default: the model's). Labels, as `model.predict` gives
    them, do too: of several classes the model's own scores on the same rows are then kept. `positive` names the positive class
    of two (default: the one the scores are for, else the second). Raises UsageError listing what differs in length, is missing,
    is no finite number, names a row twice or does not fit the model that was logged.
    """
    from workbench.models.logged_task import read_said

    said = read_said(rows, truth, score, slices or {}, classes, positive)
    folder = _folder()
    _NEW[folder].add("said")
    _settle(folder, said, *_FITTED.get(folder, (None, ())))
    _SAID[folder] = said
    _note_look(predicted=said.digest)


# Truth, score and model are read in the light of each other, whichever is logged first.
_SAID: dict[Path, Said] = {}
_FITTED: dict[Path, tuple[Fitted, tuple[Column, ...]]] = {}
_NEW: defaultdict[Path, set[str]] = defaultdict(set)


def _settle(folder: Path, said: Said | None, fitted: Fitted | None, columns: tuple[Column, ...]) -> None:
    """Write the predictions and the contract of a run, as far as they were logged, in the terms of one task."""
    from workbench.models.fitted_model import describe_contract
    from workbench.models.logged_task import describe_replaced, settle
    from workbench.models.predictions import spell_predictions
    from workbench.models.servability import compare_first_answers
    from workbench.runs.labelling import read_units

    predictions = replace(settle(said, fitted), units=read_units(folder, said.rows)) if said else None
    contract = describe_contract(fitted, columns, predictions) if fitted else None
    if said and predictions:
        (folder / PREDICTIONS).write_bytes(spell_predictions(predictions, said.slices))
    if contract:
        (folder / MODEL).mkdir(exist_ok=True)
        (folder / MODEL / CONTRACT_FILE).write_bytes(contract.to_bytes())
    if said and fitted and contract and predictions:
        first = compare_first_answers(fitted, contract, predictions)
        first = replace(first, instead=describe_replaced(said, predictions))
        (folder / FIRST_ANSWERS).write_bytes(first.to_bytes())
        _warn_of_pair(folder, first)


def _warn_of_pair(folder: Path, first: FirstAnswers) -> None:
    """Say what is to be known of model and scores once both are new: who runs cells again logs one of them before the other."""
    if len(_NEW[folder]) > 1:
        _NEW[folder].clear()
        if first.note:
            _LOG.warning("Note: %s.", first.note)
        if first.advice:
            _LOG.warning("The model does not give the scores that were logged.\n  - %s", first.advice)


def log_model(
    model: Any, features: pd.DataFrame, *, as_text: Collection[str] = (), flag_unseen: bool = False
) -> LoggedModel | RefusedModel:
    """Record the fitted scikit-learn model, with the holdout's feature rows in the order of the predictions.

    Returns what a notebook shows: how it will likely be served. The model is written with skops, never pickled: the same model in
    the same bytes wherever it was fitted; own classes and functions it holds bring the source of their modules along. The rows,
    with up to 5,000 of those logged as training rows, give the endpoint its contract, and let the workbench prove that the served
    model answers as this one did. Requests carry the whole numbers of the columns `as_text` as text, which keeps those beyond 2^53;
    with `flag_unseen` answers name the columns whose value lies outside of what these rows held. What no endpoint could take or
    answer is not recorded: that is said here and in the run's record, with what to write instead, and the run goes on. Raises
    UsageError for features that are no frame with rows, and where truth and model do not fit.
    """
    from workbench.models.own_code import write_files
    from workbench.models.servability import require_frame
    from workbench.runs.blaming import write_authorship
    from workbench.runs.tabulating import write_table

    require_frame(features)
    folder, training = _folder(), _find_training(features)
    try:
        judged = _judge_model(model, features, training, as_text, flag_unseen=flag_unseen)
    except UsageError as exc:
        return _refuse(model, exc)
    _NEW[folder].add("fitted")
    _settle(folder, _SAID.get(folder), judged.fitted, judged.columns)
    _FITTED[folder] = judged.fitted, judged.columns
    write_table(features, folder / FEATURES)
    if training is not None:
        write_table(_keep_some(training), folder / TRAINING)
    write_files(folder / MODEL, {**judged.own.files, SKOPS_FILE: judged.content})
    write_authorship(folder / CODE_AUTHORS, judged.own.paths, _project())
    (folder / REFUSAL).unlink(missing_ok=True)
    return judged.logged


@dataclass(frozen=True)
class _Judged:
    """A model that can be served: as it is written, the own code it needs, and what it says of itself."""

    content: bytes
    own: OwnCode
    columns: tuple[Column, ...]
    fitted: Fitted
    logged: LoggedModel


def _judge_model(
    model: Any, features: pd.DataFrame, training: pd.DataFrame | None, as_text: Collection[str], *, flag_unseen: bool
) -> _Judged:
    """Return the model as it is recorded; raises UsageError for what no endpoint could take or answer."""
    from workbench.models.boosters.substituting import put_texts_for_boosters
    from workbench.models.fitted_model import decide_task, describe_contract
    from workbench.models.frames import describe_columns
    from workbench.models.own_code import record_own_code
    from workbench.models.servability import judge_answers, require_names, require_predict, require_reviewed
    from workbench.models.skops_canonical import write_model

    require_predict(model)
    require_names(features)
    answering = put_texts_for_boosters(model, features, *([] if training is None else [_keep_some(training)]))
    content = write_model(answering)
    own = record_own_code(answering, content, _own_folders())
    require_reviewed(answering, content, own.modules)
    columns = describe_columns(features, training, longest_text=read_own_settings().longest_text, as_text=as_text)
    fitted = replace(decide_task(answering, features), model=model, flags_unseen=flag_unseen)
    contract = describe_contract(fitted, columns, None)
    logged = judge_answers(answering, content, features, contract, own.modules)
    return _Judged(content, own, columns, fitted, replace(logged, name=type(model).__name__))


def _refuse(model: Any, error: UsageError) -> RefusedModel:
    """Say and note why a model is not logged; one that was logged before is not this run's any more."""
    from workbench.models.servability import RefusedModel

    folder, refusal = _folder(), describe_refusal(error)
    shutil.rmtree(folder / MODEL, ignore_errors=True)
    for name in (FEATURES, TRAINING, CODE_AUTHORS, FIRST_ANSWERS):
        (folder / name).unlink(missing_ok=True)
    _FITTED.pop(folder, None)
    (folder / REFUSAL).write_bytes(refusal.to_bytes())
    _LOG.warning("%s\n  The notebook goes on; without a model its run cannot be nominated.", error)
    return RefusedModel(type(model).__name__, str(refusal))


def _keep_some(training: pd.DataFrame) -> pd.DataFrame:
    import numpy as np

    most = min(len(training), MOST_TRAINING_ROWS)
    return training.iloc[np.linspace(0, max(len(training) - 1, 0), most).astype(int)]


def _own_folders() -> list[Path]:
    """Return where a module is the user's own: in the project, or beside the notebook, whose folder this process started in."""
    folders = [_project()]
    with suppress(FileNotFoundError):
        folders.append(Path.cwd())
    return folders


def _find_training(features: pd.DataFrame) -> pd.DataFrame | None:
    """Return the rows that were logged as training tables and have all columns of the features; None where none have."""
    import pandas as pd

    names = list(features.columns)
    own = [table for (folder, *_), table in _TRAINING_TABLES.items() if folder == _folder()]
    fitting = [table[names] for table in own if set(names) <= set(table.columns)]
    return pd.concat(fitting, ignore_index=True) if fitting else None


def log_file(path: str | os.PathLike[str], name: str | None = None) -> None:
    """Keep a copy of a file, or of all below a folder, with the run as it is now; nothing of it is ever loaded or executed.

    `name` is its path there (default: `path` where it is relative and leads down, else its last part). A later file of the same
    name takes the place of an earlier one, and the notebook shows that it did. Raises UsageError for what is not there or is no
    plain file, and for a name that leads elsewhere.
    """
    from workbench.runs.filing import keep_file

    for note in keep_file(Path(path), run_folder(), name):
        _LOG.warning("%s", note)


def run_folder() -> Path:
    """Return a folder that is there, and whose files are kept with the run as they lie in it when it ends; of a draft as well."""
    folder = _folder() / KEPT
    folder.mkdir(exist_ok=True)
    return folder


def run_parameters() -> dict[str, Any]:
    """Return the parameters of this run; of a draft, the values the notebook's variables have now."""
    return json.loads((_folder() / PARAMETERS).read_text(encoding="utf-8")) if is_run() else _draft_parameters()


def _draft_parameters() -> dict[str, Any]:
    from IPython import get_ipython

    from workbench.notebooks.notebook import parse_notebook

    path, shell = Path(os.environ.get("JPY_SESSION_NAME", "")), get_ipython()
    if shell is None or not path.is_file():
        raise UsageError(
            "The parameters are not known here.", why="This is neither a run nor a notebook in JupyterLab."
        )
    declared = parse_notebook(path.name, path.read_bytes()).parameters
    return {parameter.name: shell.user_ns.get(parameter.name, parameter.default) for parameter in declared}


def secret(reference: str) -> str:
    """Return the value of a secret parameter (`env:NAME`, `file:PATH` below the project, `keyring:SERVICE/USER`).

    Raises UsageError saying why there is none.
    """
    from workbench.secrets.sources import resolve_secret

    return resolve_secret(reference, environment=os.environ, project=_project())


def read_own_settings() -> Settings:
    """Return the settings of the project this kernel's notebook lies in; of a run, with the home it is kept in.

    The folder a notebook works in leads nowhere else.
    """
    given = os.environ.get(PROJECT_VARIABLE)
    if is_run():
        return replace(read_settings(Path(given) if given else None), home=str(_folder().parents[1]))
    notebook = Path(os.environ.get("JPY_SESSION_NAME", ""))
    return read_settings(notebook.parent if notebook.is_absolute() and notebook.is_file() else None)


def _project() -> Path:
    return Path(os.environ.get(PROJECT_VARIABLE) or read_own_settings().project)


def is_run() -> bool:
    """True in the kernel of a run, false where a notebook is opened by hand."""
    return bool(os.environ.get(FOLDER_VARIABLE))


def find_folder() -> Path:
    """Return the folder this notebook logs into: its run's, or a draft's, which is made for it."""
    return _folder()


def _folder() -> Path:
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return Path(given)
    if not (folder := _draft_folder()).is_dir() or (folder / DELETED_DRAFT).exists():
        _draft_folder.cache_clear()  # somebody deleted it while the notebook is open
    return _draft_folder()


@cache
def _draft_folder() -> Path:
    return begin_draft(read_own_settings(), os.environ.get("JPY_SESSION_NAME", ""))
