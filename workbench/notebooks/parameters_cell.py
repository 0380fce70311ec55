"""The parameters cell: declarations read with `ast`; it is never run.

It may hold imports, a docstring and assignments of literals:

    C: Annotated[float, Ge(0.001), Le(1000)] = 1.0
    model: Literal["ridge", "random_forest"] = "ridge"
    depth: int | None = None
    columns: list[str] = []
    token: wb.Secret = "env:API_TOKEN"
    seed = 0
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from collections.abc import Mapping
from typing import Any

from workbench.errors import UsageError
from workbench.notebooks.parameters import BOUNDS, TYPES, Bound, Parameter, find_fault, is_json, is_number, type_of
from workbench.secrets.references import SECRET

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_FAULTS = (ValueError, TypeError, RecursionError, MemoryError)


def read_parameters(source: str) -> tuple[Parameter, ...]:
    """Read the declarations of a parameters cell; raises UsageError listing every line that is not one."""
    found: list[Parameter] = []
    imported: list[str] = []
    problems: list[str] = []
    for statement in _parse(source):
        imported += _imported_names(statement)
        if _is_passive(statement):
            continue
        try:
            found.append(_read_statement(statement))
        except RecursionError:
            problems.append(f"Line {statement.lineno}: it is nested too deeply.")
        except ValueError as exc:
            problems.append(f"Line {statement.lineno}: {exc}")
    names = [parameter.name for parameter in found]
    problems += [f"{name} is declared more than once." for name in sorted({n for n in names if names.count(n) > 1})]
    problems += [f"{name} is declared and imported." for name in sorted({*names} & {*imported})]
    if problems:
        raise _unreadable(problems)
    return tuple(found)


def _parse(source: str) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(source).body
    except SyntaxError as exc:
        is_magic = (exc.text or "").lstrip().startswith(("%", "!"))
        says = "a magic command is not Python; move it to another cell" if is_magic else exc.msg
        raise _unreadable([f"Line {exc.lineno}: {says}." if exc.lineno else f"It is not Python: {says}."]) from exc
    except _FAULTS as exc:
        raise _unreadable([f"It is not Python: {' '.join(str(exc).split()) or type(exc).__name__}."]) from exc


def _unreadable(problems: list[str]) -> UsageError:
    return UsageError(
        "The parameters cell cannot be read.",
        why=problems,
        next_step="Keep only imports and lines like `seed: int = 0` there; derive other values in a later cell.",
    )


def _imported_names(statement: ast.stmt) -> list[str]:
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return []
    return [(alias.asname or alias.name).partition(".")[0] for alias in statement.names]


def _is_passive(statement: ast.stmt) -> bool:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or (isinstance(statement, ast.Import | ast.ImportFrom) and "*" not in _imported_names(statement))


def _read_statement(statement: ast.stmt) -> Parameter:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value) if value is not None:
            return _declare(name, _literal(name, value), _read_annotation(name, annotation))
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            default = _literal(name, value)
            return _declare(name, default, {"type": type_of(default)})
        case ast.ImportFrom():
            raise ValueError("`import *` could redefine a parameter unseen; name what is imported.")
    raise ValueError("only `name = literal` or `name: type = literal` declares a parameter.")


def _declare(name: str, default: Any, parts: Mapping[str, Any]) -> Parameter:
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or name.startswith("__"):
        raise ValueError(f"{name!r} cannot be the name of a parameter.")
    parameter = Parameter(name, default=default, **{"optional": default is None, **parts})
    fault = find_fault(parameter, default)
    if fault:
        raise ValueError(f"the default of {name} is {fault}")
    return parameter


def _literal(name: str, node: ast.expr) -> Any:
    try:
        value = ast.literal_eval(node)
    except _FAULTS as exc:
        raise ValueError(f"the default of {name} must be a literal, not computed.") from exc
    if isinstance(value, tuple):
        value = list(value)
    if not is_json(value):
        raise ValueError(f"the default of {name} must be a JSON value (number, text, list, mapping, true/false, None).")
    return value


def _read_annotation(name: str, node: ast.expr) -> dict[str, Any]:
    match node:
        case ast.Name(id=kind) if kind in TYPES:
            return {"type": kind}
        case ast.Name(id="Any"):
            return {"type": None}
        case ast.Name(id="Secret") | ast.Attribute(value=ast.Name(), attr="Secret"):
            return {"type": SECRET}
        case ast.BinOp(left=inner, op=ast.BitOr(), right=ast.Constant(value=None)):
            return {**_read_annotation(name, inner), "optional": True}
        case ast.BinOp(left=ast.Constant(value=None), op=ast.BitOr(), right=inner):
            return {**_read_annotation(name, inner), "optional": True}
        case ast.BinOp(op=ast.BitOr()):
            raise ValueError(f"{name}: a union may only be `type | None`.")
        case ast.Subscript(value=ast.Name(id=kind), slice=inside):
            return _read_subscript(name, kind, inside)
    raise _unknown_type(name, node)


def _read_subscript(name: str, kind: str, inside: ast.expr) -> dict[str, Any]:
    match kind, inside:
        case "Optional", _:
            return {**_read_annotation(name, inside), "optional": True}
        case "Literal", _:
            return _read_choices(name, inside)
        case "Annotated", ast.Tuple(elts=[inner, *limits]) if limits:
            return _read_limits(name, inner, limits)
        case ("list", item) | ("dict", ast.Tuple(elts=[ast.Name(id="str"), item])):
            if isinstance(item, ast.Name) and item.id in {*TYPES, "Any"}:
                return {"type": kind, "items": None if item.id == "Any" else item.id}
    raise _unknown_type(name, ast.Subscript(ast.Name(kind), inside))


def _unknown_type(name: str, node: ast.expr) -> ValueError:
    return ValueError(
        f"{name}: type `{ast.unparse(node)}` is not known; use int, float, str, bool, list, dict, list[str], `int | None`, "
        "Literal[...], Annotated[float, Ge(0), Le(1)] or wb.Secret."
    )


def _read_choices(name: str, node: ast.expr) -> dict[str, Any]:
    try:
        values = ast.literal_eval(node)
    except _FAULTS as exc:
        raise ValueError(f"{name}: the choices of Literal must be literals.") from exc
    values = values if isinstance(values, tuple) else (values,)
    choices = tuple(value for value in values if value is not None)
    if not choices or not all(_is_choice(value) for value in choices):
        raise ValueError(f"{name}: the choices of Literal must be text, numbers or true/false, at least one.")
    kinds = {type_of(choice) for choice in choices}
    return {"type": kinds.pop() if len(kinds) == 1 else None, "choices": choices} | (
        {"optional": True} if None in values else {}
    )


def _is_choice(value: Any) -> bool:
    return isinstance(value, str | int | float) and is_json(value)


def _read_limits(name: str, inner: ast.expr, limits: list[ast.expr]) -> dict[str, Any]:
    parts = _read_annotation(name, inner)
    if parts["type"] not in ("int", "float"):
        raise ValueError(f"{name}: Annotated limits need int or float.")
    return {**parts, "bounds": tuple(_read_bound(name, limit) for limit in limits)}


def _read_bound(name: str, node: ast.expr) -> Bound:
    match node:
        case ast.Call(func=ast.Name(id=kind), args=[value], keywords=[]) if kind in BOUNDS:
            limit = _literal(name, value)
            if is_number(limit):
                return Bound(kind, float(limit))
    raise ValueError(f"{name}: limit `{ast.unparse(node)}` is not known; use Ge, Gt, Le or Lt with a number.")
