"""Putting texts in place of boosters when a model is logged, and proving on the rows at hand that they answer the same.

Here, and only here, the library is at work: it writes its own text and is asked for its own answers.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.errors import Refused, UsageError
from workbench.models.boosters.watching import LIMIT, Watching, watch
from workbench.models.boosters.writing import find_library
from workbench.models.model_parts import parts_of

SINGLE_LIMIT = 1e-6  # of a model around boosters that add up in single precision
_METHODS = ("predict_proba", "predict")


def put_texts_for_boosters(model: Any, *tables: Any) -> Any:
    """Return the model with a text in place of each booster; one without boosters as it is. The model itself is not changed.

    `tables` are frames the model answers: on all their rows each text must answer as its booster does, to the bounds that
    `differ_from` states, and the whole model as before. Raises UsageError naming the setting that is not supported, or the numbers.
    """
    boosters = [part for part in parts_of(model) if find_library(part)]
    if not boosters:
        return model
    try:
        watched = {id(each): watch(each) for each in boosters}
    except Refused as exc:
        raise _cannot_log([exc.what, *exc.reasons], exc.next_step) from exc
    trial = copy.deepcopy(model, dict(watched))
    whole = [fault for table in tables for fault in _compare_whole(model, trial, table)]
    faults = [fault for each in watched.values() for fault in each.faults]
    if faults or whole:
        raise _cannot_log([*faults, *whole], "Report it with these numbers; another setting named here may do.")
    return copy.deepcopy(trial, {id(each): each.stand_in for each in watched.values()})


def _cannot_log(why: list[str], next_step: str = "") -> UsageError:
    return UsageError("The model cannot be logged.", why=why, next_step=next_step)


def _compare_whole(model: Any, trial: Any, table: Any) -> Iterator[str]:
    """Yield how a model answers otherwise around the texts; that also lets those who watch see what reaches the boosters."""
    is_watched = isinstance(trial.steps[-1][1] if hasattr(trial, "steps") else trial, Watching)
    limit = SINGLE_LIMIT if _adds_up_in_single(trial) else LIMIT
    for name in _METHODS:
        if hasattr(model, name):
            ours, theirs = _ask(trial, name, table), None if is_watched else _ask(model, name, table)
            if theirs is not None and not _is_same(np.asarray(theirs), np.asarray(ours), limit):
                yield f"{type(model).__name__}.{name} answers otherwise around the text: a last bit decides what it makes of it."


def _adds_up_in_single(trial: Any) -> bool:
    texts = [part for part in parts_of(trial) if isinstance(part, Watching) and part.stand_in.text]
    return any(each.stand_in.booster.sums_single for each in texts)


def _ask(model: Any, name: str, table: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return getattr(model, name)(table)
        # Whatever a model raises on the rows it is logged with, it cannot be logged with them.
        except Exception as exc:
            said = f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}"
            raise _cannot_log([f"It does not answer the rows it is logged with. {said}"]) from exc


def _is_same(theirs: Any, ours: Any, limit: float) -> bool:
    from workbench.models.compiler.proof import find_spread

    if theirs.dtype.kind != "f":
        return theirs.ravel().tolist() == ours.ravel().tolist()
    return bool((np.abs(theirs - ours) <= limit * find_spread(theirs.astype(float).ravel())).all())
