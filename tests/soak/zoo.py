"""What is served in place of a model, asked rows the gate has not seen, answers as the model does, whatever the model is."""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from tests.soak.customers import AS_TEXT, make_customers, spell_rows
from tests.soak.families import USED_MOST, ZOO
from tests.soak.odd_rows import make_jumps, make_odd
from tests.soak.proof import SEED, Proof, timed_proof
from tests.soak.zoo_parts import Member
from workbench.errors import UsageError
from workbench.models.compiler.choosing import ORIGINAL, choose_form, predictor_of_form
from workbench.models.compiler.compile_worker import Compiler
from workbench.models.compiler.onnx_compiler import PREPARED
from workbench.models.confinement import Limits
from workbench.models.contract import MOST_ROWS, Contract, Predict, parse_contract
from workbench.models.frames import to_rows
from workbench.models.model_inspection import HoldoutFiles, Tolerance, try_model
from workbench.models.served_model import load_served
from workbench.models.skops_loader import load_model
from workbench.models.skops_predictor import predictor_of

Rows = Sequence[dict[str, Any]]
HOLDOUT = 400
LARGEST, LAST_BITS = 1e-9, 1e-12
CONFINED_EACH, LONGEST_MS = 12, 0.1
_WHOLE, _FEW = 1_000, 16  # fewer rows are asked of every sixteenth model only
_ALONE, _TRIES, _TIMED, _ASKED_AGAIN = 30, 30, 200, 200


@dataclass(frozen=True)
class Served:
    """What answers in place of a model, and its form in words."""

    model: Any
    contract: Contract
    predict: Predict
    form: str

    @property
    def is_compiled(self) -> bool:
        """Whether scikit-learn has no part in the answers."""
        return self.form not in (ORIGINAL, PREPARED)


@dataclass(frozen=True)
class Outcome:
    """What became of one member of the zoo."""

    name: str
    family: str
    rows: int = 0
    form: str = ""
    refused: str = ""
    row_ms: float = 0.0
    faults: tuple[str, ...] = ()


# Fitting and serving


def split_customers(member: Member) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows to fit on and the holdout."""
    table = make_customers(2_000 + HOLDOUT, SEED)
    return table.iloc[HOLDOUT : HOLDOUT + member.rows], table.iloc[:HOLDOUT]


def fit(member: Member) -> Any:
    """Return the model, fitted on its columns of the customers."""
    table, _ = split_customers(member)
    features = table[list(member.columns)]
    with _quiet():
        given = features.to_numpy() if member.options.get("arrays") else features
        return member.make().fit(given, table[member.target].to_numpy())


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def log(model: Any, member: Member, folder: Path) -> None:
    """Log a model as a notebook does; raises what a notebook is told."""
    import workbench as wb
    from workbench.models.servability import RefusedModel

    training, holdout = split_customers(member)
    names = list(member.columns)
    before = os.environ.get("WORKBENCH_SPOOL")
    os.environ["WORKBENCH_SPOOL"] = str(folder)
    try:
        wb.log_dataset(training[names], role="train")
        logged = wb.log_model(model, holdout[names], as_text=[name for name in names if name in AS_TEXT])
    finally:
        os.environ.pop("WORKBENCH_SPOOL")
        os.environ.update({"WORKBENCH_SPOOL": before} if before is not None else {})
    if isinstance(logged, RefusedModel):
        raise UsageError(logged.why)


def serve(model: Any, member: Member, folder: Path, *, confined: bool) -> Served:
    """Return what the gate would serve in place of a model, by the gate's own choice; raises whatever says no."""
    log(model, member, folder)
    content = (folder / "model/contract.json").read_bytes()
    contract = parse_contract(content)
    form, predict = (_serve_confined if confined else _serve_here)(model, contract, folder)
    return Served(model, contract, predict, form)


def _serve_confined(model: Any, contract: Contract, folder: Path) -> tuple[str, Predict]:
    """Serve by the inspection in a process of its own."""
    scores = answer_frame(model, contract, pd.read_parquet(folder / "features.parquet"))[0]
    names = ["score"] if scores.ndim < 2 else [f"score_{place}" for place in range(scores.shape[1])]
    pd.DataFrame(dict(zip(names, scores.reshape(len(scores), -1).T, strict=True))).to_parquet(folder / "scores.parquet")
    data = HoldoutFiles(folder / "features.parquet", folder / "scores.parquet", folder / "training.parquet")
    compiled = folder / "model.onnx"
    tried = try_model(folder / "model", data=data, tolerance=Tolerance(), onnx_path=compiled)
    if tried.serving is None:
        raise ValueError(tried.model.load_error)
    files = {place.name: place.read_bytes() for place in (compiled, folder / "model/model.skops") if place.is_file()}
    return tried.serving.form, load_served(str(tried.model.served_as), files, contract)


def _serve_here(_: Any, contract: Contract, folder: Path) -> tuple[str, Predict]:
    """Serve by the same choice, made here, which is fast."""
    loaded = load_model((folder / "model/model.skops").read_bytes())
    features, training = (
        to_rows(pd.read_parquet(folder / f"{name}.parquet"), contract) for name in ("features", "training")
    )
    compiler = Compiler(lambda: (loaded, contract), str(folder), Limits())
    compiler.start()
    limits = {"largest": Tolerance().score, "largest_batch": Tolerance().batch}
    try:
        choice = choose_form(loaded, contract, (features, training), compiler.forms(), **limits)
    finally:
        compiler.stop()
    form = choice.form
    return choice.serving.form, (
        predictor_of(loaded, contract) if form is None else predictor_of_form(form, loaded, contract)
    )


# Asking both


def answer_frame(model: Any, contract: Contract, frame: pd.DataFrame) -> tuple[Any, list[Any] | None]:
    """Return the estimator's own scores and, of classes, labels for a frame as people have it."""
    with _quiet():
        if contract.task == "regression":
            return np.asarray(model.predict(frame), dtype=float).reshape(len(frame), -1).squeeze(1), None
        labels = np.asarray(model.predict(frame)).tolist()
        if contract.response == "predict":
            scores = np.array([[float(label == each) for each in contract.classes or ()] for label in labels])
        else:
            scores = np.asarray(getattr(model, contract.response)(frame), dtype=float)
    if scores.ndim == 2 and scores.shape[1] == 2:
        return scores[:, contract.positive_place], labels
    return scores if contract.positive_place or scores.ndim == 2 else -scores, labels


def ask_estimator(model: Any, contract: Contract, frame: pd.DataFrame) -> list[tuple[Any, Any] | None]:
    """Return (score, label) for each row of a frame, None where the estimator raises or has no number."""
    try:
        scores, labels = answer_frame(model, contract, frame)
    except Exception:
        if len(frame) == 1:
            return [None]
        half = len(frame) // 2
        return [*ask_estimator(model, contract, frame[:half]), *ask_estimator(model, contract, frame[half:])]
    return _pair(scores, labels)


def ask_served(predict: Predict, rows: Sequence[Any]) -> list[tuple[Any, Any] | None]:
    """Return the same of what is served, asked with rows of JSON."""
    try:
        with _quiet():
            answers = predict(rows)
    except Exception:
        if len(rows) == 1:
            return [None]
        half = len(rows) // 2
        return [*ask_served(predict, rows[:half]), *ask_served(predict, rows[half:])]
    return _pair(answers.scores, answers.labels)


def _pair(scores: Any, labels: Sequence[Any] | None) -> list[tuple[Any, Any] | None]:
    found = np.asarray(scores, dtype=float)
    usable = np.isfinite(found.reshape(len(found), -1)).all(axis=1)
    said = labels if labels is not None else [None] * len(found)
    return [(score, label) if fine else None for score, label, fine in zip(found, said, usable, strict=True)]


def find_differences(served: Served, frame: pd.DataFrame, rows: Sequence[Any], scale: tuple[float, float]) -> list[str]:
    """Return in words each row on which what is served does not answer as the estimator; `scale`: spread, own difference."""
    pieces = range(0, len(rows), MOST_ROWS)
    own = [one for at in pieces for one in ask_estimator(served.model, served.contract, frame[at : at + MOST_ROWS])]
    got = [one for at in pieces for one in ask_served(served.predict, rows[at : at + MOST_ROWS])]
    limit = _limit(scale)
    wrong = [at for at, (a, b) in enumerate(zip(own, got, strict=True)) if not _agree(a, b, limit)]
    # Where the estimator asked alone says what is served, it differs from itself.
    alone = {at: ask_estimator(served.model, served.contract, frame[at : at + 1])[0] for at in wrong[:_ASKED_AGAIN]}
    wrong = [at for at in wrong if at not in alone or not _agree(alone[at], got[at], limit)]
    return [f"{_say(got[at])} for {_say(own[at])} on {rows[at]}" for at in wrong]


def _limit(scale: tuple[float, float]) -> float:
    spread, own_difference = scale
    return max(LARGEST * spread, 2 * own_difference)


def _agree(own: tuple[Any, Any] | None, got: tuple[Any, Any] | None, limit: float) -> bool:
    if own is None or got is None:
        return own is got
    largest = np.maximum(limit, LAST_BITS * np.abs(own[0]))
    return bool(np.all(np.abs(own[0] - got[0]) <= largest)) and (got[1] == own[1])


def _say(answer: tuple[Any, Any] | None) -> str:
    return "no answer" if answer is None else f"{answer[0]!r} ({answer[1]!r})"


def measure_scale(served: Served, frame: pd.DataFrame, most: int) -> tuple[float, float]:
    """Return how far scores lie apart, and the most the estimator differs from itself between one row and a batch."""
    among = ask_estimator(served.model, served.contract, frame)
    alone = [ask_estimator(served.model, served.contract, frame[at : at + 1])[0] for at in range(most)]
    gaps = [np.max(np.abs(a[0] - b[0])) for a, b in zip(alone, among, strict=False) if a is not None and b is not None]
    scores = np.array([each[0] for each in among if each is not None], dtype=float)
    spread = float(np.ptp(scores)) if len(scores) else 0.0
    return spread or float(np.abs(scores).max(initial=0.0)) or 1.0, float(max(gaps, default=0.0))


# The proof


def examine(name: str, n: int, *, confined: bool = False) -> Outcome:
    """Fit, serve and ask one member of the zoo."""
    member = ZOO[name]
    outcome = Outcome(name, member.family)
    with tempfile.TemporaryDirectory(prefix="zoo-") as scratch:
        try:
            served = serve(fit(member), member, Path(scratch), confined=confined)
        # A model that is refused is counted, with the reason; what is served must then answer.
        except Exception as exc:
            return replace(outcome, refused=f"{type(exc).__name__}: {' '.join(str(exc).split())[:200]}")
    faults, rows = compare(served, member, n)
    row_ms = time_rows(served) if served.is_compiled else math.nan
    return replace(outcome, rows=rows, form=served.form, row_ms=row_ms, faults=tuple(faults))


def compare(
    served: Served, member: Member, n: int, *, tries: int = _TRIES, alone: int = _ALONE
) -> tuple[list[str], int]:
    """Return what was false on fresh, threshold and odd rows, in batches and alone, and how many rows were asked."""
    names = list(member.columns)
    fresh = make_customers(n, SEED + 1)[names]
    scale = measure_scale(served, fresh[:1_000], alone)
    draw = np.random.default_rng(SEED)
    # What is computed of several columns differs in its last bits: a tree on it has its jumps there, whoever computes it.
    tries = 0 if member.options.get("computed") else tries
    jumps = make_jumps(lambda frame: _scores(served, frame), fresh[:1_000], tries, draw)
    odd = make_odd(fresh[:500], split_customers(member)[0][names], draw)
    rows = {"fresh": _spell_fresh(n, tuple(names)), "jumps": spell_rows(jumps), "odd": spell_rows(odd)}
    faults = find_faults(served, {"fresh": fresh, "jumps": jumps, "odd": odd}, rows, scale, alone)
    return faults, sum(map(len, rows.values()))


def find_faults(
    served: Served, frames: Mapping[str, pd.DataFrame], rows: Mapping[str, Rows], scale: tuple[float, float], alone: int
) -> list[str]:
    """Return what was false on each kind of rows, asked in batches and some of them alone."""
    faults = [
        f"{kind}: {len(found)} of {len(rows[kind])}, e.g. {found[0]}"
        for kind, frame in frames.items()
        if (found := find_differences(served, frame, rows[kind], scale))
    ]
    for kind in frames if served.is_compiled else ():
        faults += [f"{kind}, alone: {each}" for each in _differ_alone(served, rows[kind][:alone], scale)[:1]]
    return faults


def _scores(served: Served, frame: pd.DataFrame) -> Any:
    found = [(math.nan if one is None else one[0]) for one in ask_estimator(served.model, served.contract, frame)]
    return np.array([np.max(each) for each in found], dtype=float)


def _spell_fresh(n: int, names: tuple[str, ...]) -> list[dict[str, Any]]:
    whole = _spell_whole(n)
    return [{name: row[name] for name in names} for row in whole]


_SPELLED: dict[int, list[dict[str, Any]]] = {}


def _spell_whole(n: int) -> list[dict[str, Any]]:
    if n not in _SPELLED:
        _SPELLED[n] = spell_rows(make_customers(n, SEED + 1))
    return _SPELLED[n]


def _differ_alone(served: Served, rows: Sequence[Any], scale: tuple[float, float]) -> list[str]:
    """Return the rows that get another answer alone than among all."""
    among, limit = ask_served(served.predict, rows) if rows else [], _limit(scale)
    alone = [ask_served(served.predict, [row])[0] for row in rows]
    return [
        f"{_say(b)} for {_say(a)} on {row}"
        for a, b, row in zip(among, alone, rows, strict=False)
        if not _agree(a, b, limit)
    ]


def time_rows(served: Served) -> float:
    """Return the milliseconds of processor time a row costs, asked one by one."""
    rows = _spell_fresh(1_000, served.contract.names)[:_TIMED]
    served.predict(rows[:1])
    began = time.process_time()
    for row in rows:
        served.predict([row])
    return (time.process_time() - began) * 1000 / len(rows)


def prove(n: int) -> Proof:
    """Ask what is served in place of each model of the zoo `n` fresh rows, rows where its answer jumps, and odd ones."""

    def tries() -> tuple[int, list[str], str]:
        names = list(ZOO)[:: 1 if n >= _WHOLE else _FEW]
        outcomes = [_examine_once(name, n, confined=at % CONFINED_EACH == 0) for at, name in enumerate(names)]
        faults = [f"{each.name} ({each.form}): {fault}" for each in outcomes for fault in each.faults]
        return sum(each.rows for each in outcomes), faults, describe(outcomes)

    return timed_proof("what is served answers as the model does, on rows the gate has not seen", tries)


def _examine_once(name: str, n: int, *, confined: bool) -> Outcome:
    """Return the outcome that was kept of the same sources, else examine and keep it: the proof goes on where it was ended."""
    kept = _kept_folder() / f"{name}-{n}.json"
    if kept.is_file():
        return Outcome(**json.loads(kept.read_text(encoding="utf-8")))
    outcome = examine(name, n, confined=confined)
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(asdict(outcome)), encoding="utf-8")
    said = f"{outcome.form or 'not served'}, {outcome.row_ms:.3f} ms, {len(outcome.faults)} faults {outcome.refused}"
    click.echo(f"{name}: {said}", err=True)
    return outcome


@cache
def _kept_folder() -> Path:
    root = Path(__file__).resolve().parents[2]
    sources = sorted([*root.glob("workbench/**/*.py"), *root.glob("tests/soak/*.py")])
    digest = sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()
    return Path(tempfile.gettempdir()) / f"workbench-zoo-{os.getuid()}-{digest[:16]}"


def describe(outcomes: Sequence[Outcome]) -> str:
    """Return what was served, how, and what was refused for which reason."""
    served = [each for each in outcomes if not each.refused]
    usual = [each for each in outcomes if each.family in USED_MOST and each.form]
    compiled = [each for each in usual if each.form not in (ORIGINAL, PREPARED)]
    slow = [each.name for each in compiled if each.row_ms > LONGEST_MS]
    reasons = Counter(each.refused for each in outcomes if each.refused)
    left = [each.name for each in usual if each.form in (ORIGINAL, PREPARED)]
    return (
        f"{len(served)} of {len(outcomes)} models are servable; {len(compiled)} of {len(usual)} of the families used most are"
        f" compiled (not: {', '.join(left)}), at {np.median([each.row_ms for each in compiled]):.3f} ms a row, more than"
        f" {LONGEST_MS}: {', '.join(slow) or 'none'}. Refused: {'; '.join(f'{count} x {why}' for why, count in reasons.items())}."
    )
