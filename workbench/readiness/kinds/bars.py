"""What keeps a notebook from being swept, and its runs from being nominated and served."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache

from workbench.models.advice import advise_on
from workbench.models.evaluation import EVALUATE
from workbench.models.reviewed_types import FAMILIES
from workbench.notebooks.value_types import kind_of
from workbench.readiness.kinds.trace import Find, Trace
from workbench.readiness.model_parts import LOGS_ALL, LOGS_WITH_MLFLOW, is_to_be_nominated, list_parts
from workbench.readiness.notebook_code import Call, NotebookCode
from workbench.readiness.surroundings import Surroundings

_MOST_NAMED = 4
_WORD = re.compile(r"[\w-]{1,24}")
# Of these nothing can be in a model but values.
_NO_MODELS = frozenset({"builtins", "collections", "datetime", "functools", "numpy", "pandas", "pathlib", "workbench"})


def no_parameters(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield it where nothing of the notebook can be set from outside, with what looks as if it should."""
    if code.parameters or not code.cells:
        return
    found = [f"`{text}` (cell {number})" for text, number in _find_settable(code)]
    named = f", such as {', '.join(found[:_MOST_NAMED])}" if found else ", such as `seed: int = 0`"
    advice = f"Tag one cell `parameters` (JupyterLab: property inspector, cell tags) and put there what varies{named}."
    yield Trace("It declares no parameters, so it always runs alike and cannot be swept.", advice)


def _find_settable(code: NotebookCode) -> Iterator[tuple[str, int]]:
    """Yield the assignments of one plain value to a name that nothing else gives a value, and their cells."""
    for place, statement, is_certain in code.statements():
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_certain:
                if len(code.assigned.get(name, ())) == 1 and _is_setting(name, code.constant_of(value)):
                    yield f"{name} = {ast.unparse(value)}", place.cell.number


def _is_setting(name: str, value: object) -> bool:
    """True for a number, a switch or a short word under a name that says something."""
    is_plain = kind_of(value) in ("int", "float", "bool") or (isinstance(value, str) and bool(_WORD.fullmatch(value)))
    return is_plain and len(name) > 1 and not name.startswith("_")


def no_holdout(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield it where no rows are named that every run is judged on, or not what is to be predicted in them."""
    if not is_to_be_nominated(code):
        return
    held = list(_find_tables(code, "holdout"))
    call = "wb.log_dataset(holdout, role='holdout', target='…')"
    if not held:
        yield Trace("It names no holdout: what a model is judged by are rows that everybody knows.", f"Add {call}.")
    elif not any(each.argument("target") or each.is_open for each in held):
        yield Trace("Nobody can tell which column of the holdout is the truth.", "Name it: target='…'.", held[0].place)


def no_train(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield it where no training rows are named."""
    if is_to_be_nominated(code) and not any(_find_tables(code, "train")):
        what = "It names no training rows, so nobody can tell whether the holdout was among them."
        yield Trace(what, "Add wb.log_dataset(train, role='train').")


def _find_tables(code: NotebookCode, role: str) -> Iterator[Call]:
    """Yield the calls that log a table in a role, those whose role cannot be told among them."""
    for call in code.list_calls(LOGS_ALL):
        if call.is_open or role == "holdout" or call.argument("training"):
            yield call
    for call in code.list_calls("workbench.log_dataset"):
        if call.is_open or code.text_of(call.argument("role")) in (role, None):
            yield call


def no_predictions(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield it where no predictions of the holdout are logged."""
    if is_to_be_nominated(code) and not any(code.list_calls("workbench.log_predictions", LOGS_ALL)):
        what = "It logs no predictions, so nobody can compute its score again or compare its runs."
        yield Trace(what, "Add wb.log_predictions(holdout.index, truth, score).")


def no_model(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield it where no model is logged, or only as MLflow's own calls do."""
    if not is_to_be_nominated(code) or any(code.list_calls("workbench.log_model", LOGS_ALL)):
        return
    plain = next((call for call in code.calls if LOGS_WITH_MLFLOW.fullmatch(call.name or "")), None)
    what = "A model that MLflow logged is kept as a file, and cannot be nominated." if plain else "It logs no model."
    has_others = any(_find_tables(code, "holdout")) or any(code.list_calls("workbench.log_predictions"))
    line = "wb.log_model(model, holdout[features])" if has_others else EVALUATE
    yield Trace(what, f"Add {line}.", plain.place if plain else None)


def unreviewed_type(code: NotebookCode, around: Surroundings) -> Iterator[Trace]:
    """Yield the parts of models that nobody reviewed, with what to write instead; of a package nobody reviewed, one."""
    told: set[str] = set()
    for part in list_parts(code, _packages()):
        package, name = part.name.partition(".")[0], part.name.rpartition(".")[2]
        if part.is_own or (package, name) in _reviewed() or package in _NO_MODELS | around.beside | told:
            continue
        if package in _packages():
            yield Trace(f"Nobody reviewed {part.name}, so no model with it can be served.", _say(part.name), part.place)
        else:
            told.add(package)
            what = f"Nobody reviewed the types of {package}, so no model with one can be served."
            yield Trace(what, "Build what is to be served from what `workbench models` lists.", part.place)


@cache
def _reviewed() -> frozenset[tuple[str, str]]:
    """Return package and last name of every reviewed type, however deep in the package it lies."""
    every = [name for family in FAMILIES for name in (*(name for name, _ in family.forms()), *family.stands_for)]
    return frozenset((name.partition(".")[0], name.rpartition(".")[2]) for name in every)


@cache
def _packages() -> frozenset[str]:
    return frozenset(package for package, _ in _reviewed())


def own_code(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield the classes, functions and lambdas of the notebook itself that a model is built with."""
    for part in list_parts(code, _packages()):
        if part.is_own:
            name = part.name.removeprefix("__main__.")
            what = f"{'A lambda' if name == '<lambda>' else name} is defined in the notebook, so no model with it can be served."
            yield Trace(what, _say(part.name), part.place)


def _say(name: str) -> str:
    """Return the advice that logging such a model gives, without the name it is about."""
    advice = advise_on([name]).partition(": ")[2]
    return advice[:1].upper() + advice[1:]


FINDS: Sequence[Find] = (no_parameters, no_holdout, no_train, no_predictions, no_model, unreviewed_type, own_code)
