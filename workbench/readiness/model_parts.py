"""Of what a notebook builds its model: the classes, functions and lambdas that end up in what is logged, or fitted."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from workbench.readiness.notebook_code import NotebookCode, Place

_LOGS_MODEL, LOGS_ALL = "workbench.log_model", "workbench.log_evaluation"
_LOGS = frozenset({_LOGS_MODEL, LOGS_ALL, "workbench.log_dataset", "workbench.log_predictions"})
_FITS = frozenset({"fit", "fit_generator", "fit_predict", "fit_resample", "fit_transform", "partial_fit", "train"})
LOGS_WITH_MLFLOW = re.compile(r"mlflow(\.\w+)*\.(log_model|save_model|autolog)")
_SEARCHES = ("CV", "Search", "SearchCV")


@dataclass(frozen=True)
class ModelPart:
    """One part: its full name, or that of the notebook's own class or function (`is_own`), and where it stands."""

    name: str
    place: Place
    is_own: bool = False


def is_to_be_nominated(code: NotebookCode) -> bool:
    """True where a notebook fits or logs something: who only explores is told nothing about nominating."""
    return any(
        call.name in _LOGS
        or (call.name is None and call.method in _FITS)
        or LOGS_WITH_MLFLOW.fullmatch(call.name or "")
        for call in code.calls
    )


def _find_models(code: NotebookCode) -> list[ast.expr]:
    """Return the expressions that are a model: what is logged, or, where nothing is, what is fitted."""
    calls = list(code.list_calls(_LOGS_MODEL, LOGS_ALL))
    logged = [node for call in calls if (node := call.argument("model", 0))]
    fitted = [
        call.node.func.value
        for call in code.calls
        if call.method == "fit" and isinstance(call.node.func, ast.Attribute)
    ]
    return logged or fitted


def list_parts(code: NotebookCode, packages: Collection[str]) -> list[ModelPart]:
    """Return what models are built from, in the order of the notebook, each once.

    What is given to a part of any but these packages, or of Python itself, is not looked into: it is nobody's business here.
    """
    walk = _Walk(code, {*packages, *sys.stdlib_module_names, "builtins"})
    parts = [part for model in _find_models(code) for part in walk.parts_of(model)]
    unique = {(part.name, part.place.cell.number, part.place.line): part for part in parts}
    return sorted(unique.values(), key=lambda part: (part.place.cell.number, part.place.line, part.name))


class _Walk:
    """Goes from a model to what it was made of: names to what they were assigned, calls to what they are given."""

    def __init__(self, code: NotebookCode, packages: Collection[str]) -> None:
        self._code, self._packages = code, packages
        self._places: dict[ast.AST, Place] = {call.node: call.place for call in code.calls}
        self._seen: set[ast.AST] = set()

    def parts_of(self, node: ast.AST, place: Place | None = None) -> Iterator[ModelPart]:
        """Yield the parts of an expression."""
        if node not in self._seen:
            self._seen.add(node)
            yield from self._parts_of(node, place)

    def _parts_of(self, node: ast.AST, place: Place | None) -> Iterator[ModelPart]:
        match node:
            case ast.Name(id=name):
                yield from self._parts_of_name(name, place)
            case ast.Call():
                yield from self._parts_of_call(node, self._places.get(node, place))
            case ast.Attribute(value=inner, attr="best_estimator_"):
                yield from self._parts_of_found(inner, place)
            case ast.Attribute(value=inner) | ast.Subscript(value=inner):
                yield from self.parts_of(inner, place)
            case ast.Lambda() if place is not None:
                yield ModelPart("__main__.<lambda>", Place(place.cell, node.lineno), is_own=True)
            case ast.FunctionDef():
                yield from self._parts_of_all(
                    [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value], place
                )
            case ast.List() | ast.Tuple() | ast.Dict() | ast.IfExp() | ast.BoolOp() | ast.Starred() | ast.NamedExpr():
                yield from self._parts_of_all(ast.iter_child_nodes(node), place)

    def _parts_of_all(self, nodes: Iterable[ast.AST], place: Place | None) -> Iterator[ModelPart]:
        for node in nodes:
            yield from self.parts_of(node, place)

    def _parts_of_name(self, name: str, place: Place | None) -> Iterator[ModelPart]:
        """Yield what a name stands for; a function that is given to a part, and not called, is a part itself."""
        defined = self._code.defined.get(name)
        if defined is not None and place is not None:
            yield ModelPart(f"__main__.{name}", place, is_own=True)
        for value in self._code.assigned.get(name, []):
            if value is not None:
                yield from self.parts_of(value, self._places.get(value))

    def _parts_of_call(self, node: ast.Call, place: Place | None) -> Iterator[ModelPart]:
        full, function = self._code.spell(node.func), node.func
        if full is None and isinstance(function, ast.Attribute):
            yield from self.parts_of(function.value)
        elif full is None and isinstance(function, ast.Name) and (defined := self._code.defined.get(function.id)):
            yield from self._parts_of_own(defined, node, place)
        elif full is not None:
            if _is_class(full) and place is not None:
                yield ModelPart(full, place)
            if full.partition(".")[0] in self._packages or "." not in full:
                yield from self._parts_of_all([*node.args, *(each.value for each in node.keywords)], place)

    def _parts_of_own(self, defined: ast.AST, node: ast.Call, place: Place | None) -> Iterator[ModelPart]:
        if isinstance(defined, ast.ClassDef):
            if place is not None:
                yield ModelPart(f"__main__.{defined.name}", place, is_own=True)
            yield from self._parts_of_all([*node.args, *(each.value for each in node.keywords)], place)
        else:
            yield from self.parts_of(defined)

    def _parts_of_found(self, search: ast.AST, place: Place | None) -> Iterator[ModelPart]:
        """Yield the parts of what a search found: of the search itself only the estimator it was given."""
        for value in self._code.trace_name(search):
            made = value
            while (
                isinstance(made, ast.Call)
                and isinstance(made.func, ast.Attribute)
                and self._code.spell(made.func) is None
            ):
                made = made.func.value
            name = self._code.spell(made.func) if isinstance(made, ast.Call) else None
            if isinstance(made, ast.Call) and name and name.endswith(_SEARCHES):
                given = [*made.args[:1], *(each.value for each in made.keywords if each.arg == "estimator")]
                yield from self._parts_of_all(given, self._places.get(made, place))
            else:
                yield from self.parts_of(value, place)


def _is_class(name: str) -> bool:
    return name.rpartition(".")[2][:1].isupper()
