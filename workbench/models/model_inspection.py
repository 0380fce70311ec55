"""What a model's files are and do, found out in a process of its own that a hostile file may crash or stall."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import Refused
from workbench.files.trees import read_tree, write_tree
from workbench.models.confinement import Limits
from workbench.models.confining import read_answer, run_confined
from workbench.models.disturbance import Disturbed
from workbench.models.inspection_child import ANSWERS_FILE, Request, Trial
from workbench.models.model_facts import CostFact, ModelFact, ModuleFact, NumericsFact, ServingFact
from workbench.models.model_files import CONTRACT_FILE, ONNX_FILE, SKOPS_FILE, find_formats, find_refused_files
from workbench.models.own_modules import OwnModules, is_own_file, read_modules
from workbench.models.served_model import FILES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Inspection:
    """What was found out about a model: its facts, and what it did when it was asked in other ways.

    `answers` has one line for each of `disturbed`, shape (ways, rows that were disturbed), of several classes (ways, rows,
    classes). None: it was not tried. `differing_labels` counts rows on which it decides for another class than was kept.
    """

    model: ModelFact
    serving: ServingFact | None = None
    numerics: NumericsFact | None = None
    cost: CostFact | None = None
    disturbed: tuple[Disturbed, ...] = ()
    answers: NDArray[np.float64] | None = None
    differing_labels: int | None = None
    own_code: tuple[ModuleFact, ...] = ()


@dataclass(frozen=True)
class HoldoutFiles:
    """The rows a model is tried on: the holdout as parquet in contract column order, and its stored scores row by row.

    `scores` is a `.npy`, or a parquet file with a column `score` (of several classes `score_0` and so on); `training` are rows it
    was fitted on, if there are any.
    """

    features: Path
    scores: Path
    training: Path


@dataclass(frozen=True)
class Tolerance:
    """How far a served score may be from the stored one, and from itself alone and among others; in units of the scores' spread."""

    score: float = 1e-6
    batch: float = 1e-9


def try_model(
    model_folder: Path,
    *,
    data: HoldoutFiles,
    tolerance: Tolerance,
    onnx_path: Path,
    allows_own_code: bool = False,
    limits: Limits | None = None,
) -> Inspection:
    """Return what a model is and does, and write its compiled form to `onnx_path` when that is what will be served.

    `model_folder` holds `model.skops` and `contract.json`, and the own modules the model needs, which are imported if that is
    allowed. Files of refused kinds are never opened by a library. Whatever the model does, the outcome is a fact: `load_error`
    says it in words.
    """
    try:
        files = read_tree(model_folder)
    except Refused as exc:
        refused = "Its folder holds more than plain files and was not opened."
        return Inspection(ModelFact((), exc.reasons, (), None, None, refused))
    fault, own = _find_fault(files), _read_own(files)
    if own and not fault and not allows_own_code:
        fault = f"It holds own code, which the policy does not allow, and was not loaded: {own.describe()}."
    with tempfile.TemporaryDirectory(prefix="inspection-") as scratch:
        asked = (data, tolerance, limits or Limits())
        trial = Trial(load_error=fault) if fault else _run_trial(Path(scratch), files, *asked)
        # Own code could say anything about itself in there; that it was compiled cannot be.
        if own and _is_compiled(trial):
            trial = Trial(load_error="Its own code said that it was compiled, which own code is not.")
        if _is_compiled(trial):
            _publish(Path(scratch) / "output" / ONNX_FILE, onnx_path)
        answers = _read_answers(Path(scratch) / "output" / ANSWERS_FILE, trial)
    seen = (trial.untrusted_types, trial.served_as, trial.largest_difference, trial.load_error)
    model = ModelFact(find_formats(files), find_refused_files(files), *seen)
    disturbed = trial.disturbed if answers is not None else None
    measured = (trial.serving, trial.numerics, trial.cost)
    return Inspection(model, *measured, disturbed or (), answers, trial.differing_labels, own.to_facts())


def _is_compiled(trial: Trial) -> bool:
    return ONNX_FILE in FILES.get(trial.served_as or "", ())


def _read_own(files: dict[str, bytes]) -> OwnModules:
    try:
        return read_modules(files)
    except Refused:  # what is wrong with them is among the refused files
        return OwnModules()


def _read_answers(path: Path, trial: Trial) -> NDArray[np.float64] | None:
    """Return the answers to what was disturbed; None when they are not one line for each."""
    import numpy as np

    if trial.disturbed is None:
        return None
    try:
        answers = np.load(path, allow_pickle=False).astype(float)
    except (OSError, ValueError, EOFError):
        return None
    return answers if answers.ndim in (2, 3) and len(answers) == len(trial.disturbed) else None


def _find_fault(files: dict[str, bytes]) -> str | None:
    missing = [name for name in (SKOPS_FILE, CONTRACT_FILE) if name not in files]
    if missing:
        return f"It has no {' and no '.join(missing)}."
    if find_refused_files(files):
        return "It has files that are not allowed and was not opened."
    unused = sorted(name for name in files if name not in (SKOPS_FILE, CONTRACT_FILE) and not is_own_file(name))
    return f"It has files that would not be served: {', '.join(unused)[:300]}." if unused else None


def _run_trial(
    scratch: Path, files: dict[str, bytes], data: HoldoutFiles, tolerance: Tolerance, limits: Limits
) -> Trial:
    # The child gets a copy of the bytes judged here: swapping the file meanwhile changes nothing.
    write_tree(files, scratch / "model")
    (scratch / "output").mkdir()
    request = Request(
        model=str(scratch / "model" / SKOPS_FILE),
        contract=str(scratch / "model" / CONTRACT_FILE),
        features=str(data.features.resolve()),
        training=str(data.training.resolve()),
        scores=str(data.scores.resolve()),
        output=str(scratch / "output"),
        largest_difference=tolerance.score,
        largest_batch_difference=tolerance.batch,
        parent=os.getpid(),
        limits=limits,
    )
    return _ask_child(request, scratch)


def _ask_child(request: Request, scratch: Path) -> Trial:
    try:
        return _read_answer(
            *run_confined("workbench.models.inspection_child", request, scratch, wall_s=request.limits.wall_s)
        )
    except subprocess.TimeoutExpired:
        return give_up(request)


def give_up(request: Request) -> Trial:
    """Return what is said of a model that took longer than its limit."""
    return Trial(load_error=f"Loading and predicting took longer than {request.limits.wall_s} s and was stopped.")


def _read_answer(returncode: int, said: bytes, complained: bytes) -> Trial:
    try:
        return read_answer(returncode, said, complained, Trial)
    except Refused as exc:
        return Trial(load_error=exc.what)


def _publish(compiled: Path, onnx_path: Path) -> None:
    """Put the compiled model in place in one step, on disk before it has its name."""
    content = compiled.read_bytes()
    onnx_path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=onnx_path.parent, prefix=f".{onnx_path.name}.", delete=False) as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(onnx_path)
