"""The parameters cell: declarations read with `ast`; it is never run.

It may hold imports, a docstring and assignments of literals:

    C: Annotated[float, Ge(0.001), Le(1000)] = 1.0
    model: Literal["ridge", "random_forest"] = "ridge"
    depth: int | None = None
    columns: list[str] = []
    start: date = date(2026, 1, 31)
    table: Path = Path("data/birds.csv")
    token: wb.Secret = "env:API_TOKEN"
    seed = 0
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import PurePosixPath
from types import EllipsisType
from typing import Any

from workbench.errors import UsageError
from workbench.notebooks.parameters import Parameter
from workbench.notebooks.value_types import BOUNDS, Bound, ValueType, find_fault, is_json, is_number, kind_of
from workbench.secrets.references import SECRET

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_FAULTS = (ValueError, TypeError, RecursionError, MemoryError)
_TIMES: Mapping[str | None, type[date]] = {"date": date, "datetime": datetime}
# What stands in the notebook as a call of a class that the notebook names as it likes.
_SPELLED_KINDS = {"date", "datetime", "path"}
_BUILT_IN = ("int", "float", "str", "bool", "list", "tuple", "dict")
# Classes by their last name, from wherever they were imported.
_WORDS: Mapping[str | None, str | None] = {
    "List": "list",
    "Sequence": "list",
    "Tuple": "tuple",
    "Dict": "dict",
    "Mapping": "dict",
    "date": "date",
    "datetime": "datetime",
    "Path": "path",
    "PurePath": "path",
    "Secret": SECRET,
    "Any": None,
}


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
            return _declare(name, *_read_default(name, value), _read_annotation(name, annotation))
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return _declare(name, *_read_default(name, value))
        case ast.ImportFrom():
            raise ValueError("`import *` could redefine a parameter unseen; name what is imported.")
    raise ValueError("only `name = literal` or `name: type = literal` declares a parameter.")


def _declare(name: str, default: Any, written: ValueType, annotated: ValueType | None = None) -> Parameter:
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or name.startswith("__"):
        raise ValueError(f"{name!r} cannot be the name of a parameter.")
    chosen = annotated or written
    parameter = Parameter(name, replace(chosen, optional=chosen.optional or default is None), default)
    if fault := find_fault(parameter.type, default):
        raise ValueError(f"the default of {name} is {fault}")
    if annotated and _is_otherwise(annotated, written, default):
        raise ValueError(f"the default of {name} is not what its type says; write `{annotated.spell(default)}`.")
    return parameter


def _is_otherwise(annotated: ValueType, written: ValueType, value: Any) -> bool:
    """True where a run would get a date or a path and the notebook run by hand a text, or the other way round."""
    if value is None:
        return False
    if annotated.kind != written.kind and {annotated.kind, written.kind} & _SPELLED_KINDS:
        return True
    inside = [type_ for type_, _ in written.parts(value)]
    return any(
        _is_otherwise(type_, inside[at] if inside else ValueType(kind_of(item)), item)
        for at, (type_, item) in enumerate(annotated.parts(value))
    )


# Defaults


def _read_default(name: str, node: ast.expr) -> tuple[Any, ValueType]:
    value, written = _read_value(name, node)
    if not is_json(value):
        raise ValueError(
            f"the default of {name} must be a JSON value (number, text, list, mapping, true/false, None), a date or a path."
        )
    return value, written


def _read_value(name: str, node: ast.expr) -> tuple[Any, ValueType]:
    """Return a literal as JSON, and what it is in the notebook."""
    if made := _read_path(node) or _read_time(name, node):
        return made
    match node:
        case ast.List(elts=elements):
            read = [_read_value(name, element) for element in elements]
            return [value for value, _ in read], ValueType("list", items=_items_of(name, read))
        case ast.Tuple(elts=elements):
            read = [_read_value(name, element) for element in elements]
            types = tuple(type_ for _, type_ in read)
            return [value for value, _ in read], _tuple_of(types)
        case ast.Dict(keys=keys, values=values) if all(keys):
            read = [_read_value(name, value) for value in values]
            names = [_literal(name, key) for key in keys if key]
            if all(isinstance(key, str) for key in names):
                inside = dict(zip(names, (value for value, _ in read), strict=True))
                return inside, ValueType("dict", items=_items_of(name, read))
    value = _literal(name, node)
    return value, ValueType(kind_of(value))


def _literal(name: str, node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except _FAULTS as exc:
        raise ValueError(f"the default of {name} must be a literal, not computed.") from exc


def _items_of(name: str, read: Sequence[tuple[Any, ValueType]]) -> ValueType | None:
    """Return what all items are where some are no JSON; None where all are."""
    types = {type_ for value, type_ in read if value is not None}
    if not any(type_.is_code for type_ in types):
        return None
    if len(types) > 1:
        raise ValueError(f"the items of {name} must be of one type, for some are dates, paths or tuples.")
    return replace(types.pop(), optional=any(value is None for value, _ in read))


def _tuple_of(types: tuple[ValueType, ...]) -> ValueType:
    return ValueType("tuple", fields=types if any(type_.is_code for type_ in types) else ())


def _read_path(node: ast.expr) -> tuple[str, ValueType] | None:
    match node:
        case ast.Call(func=named, args=parts, keywords=[]) if _last_name(named) in ("Path", "PurePath"):
            texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            if len(texts) == len(parts):
                return str(PurePosixPath(*texts)), ValueType("path", spelled=ast.unparse(named))
        case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=str(text))):
            if folder := _read_path(left):
                return str(PurePosixPath(folder[0], text)), folder[1]
    return None


def _read_time(name: str, node: ast.expr) -> tuple[str, ValueType] | None:
    match node:
        case ast.Call(
            func=ast.Attribute(value=named, attr="fromisoformat"), args=[ast.Constant(value=str(text))], keywords=[]
        ):
            kind = _last_name(named)
            arguments: tuple[Any, ...] | None = None
        case ast.Call(func=named, args=args, keywords=keywords):
            kind, text = _last_name(named), ""
            given = {each.arg: each.value for each in keywords if each.arg}
            arguments = (args, given)
        case _:
            return None
    if kind not in _TIMES:
        return None
    try:
        made = _TIMES[kind].fromisoformat(text) if arguments is None else _make_time(_TIMES[kind], *arguments)
    except _FAULTS as exc:
        raise ValueError(f"the default of {name} is no {kind} in literals: {exc}.") from exc
    return made.isoformat(), ValueType(kind, spelled=ast.unparse(named))


def _make_time(made: type[date], args: Sequence[ast.expr], keywords: Mapping[str, ast.expr]) -> date:
    given: dict[str, Any] = {
        key: UTC if _last_name(node) in ("utc", "UTC") else ast.literal_eval(node) for key, node in keywords.items()
    }
    return made(*map(ast.literal_eval, args), **given)


def _last_name(node: ast.expr) -> str | None:
    """Return the last of dotted names, `date` of `datetime.date`; None for what is no name."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name) if _last_name(inner):
            return name
    return None


# Annotations


def _read_annotation(name: str, node: ast.expr) -> ValueType:
    match node:
        case ast.Name(id=word) if word in _BUILT_IN:
            return ValueType(word)
        case ast.Name() | ast.Attribute() if (last := _last_name(node)) in _WORDS:
            kind = _WORDS[last]
            return ValueType(kind, spelled=ast.unparse(node) if kind in _SPELLED_KINDS else "")
        case ast.BinOp(left=inner, op=ast.BitOr(), right=ast.Constant(value=None)):
            return replace(_read_annotation(name, inner), optional=True)
        case ast.BinOp(left=ast.Constant(value=None), op=ast.BitOr(), right=inner):
            return replace(_read_annotation(name, inner), optional=True)
        case ast.BinOp(op=ast.BitOr()):
            raise ValueError(f"{name}: a union may only be `type | None`.")
        case ast.Subscript(value=ast.Name() | ast.Attribute() as generic, slice=inside):
            if found := _read_subscript(name, generic, inside):
                return found
    raise ValueError(
        f"{name}: type `{ast.unparse(node)}` is not known; use int, float, str, bool, date, datetime, Path, list[int], "
        "tuple[int, ...], dict[str, float], `int | None`, Literal[...], Annotated[float, Ge(0), Le(1)] or wb.Secret."
    )


def _read_subscript(name: str, generic: ast.expr, inside: ast.expr) -> ValueType | None:
    word = generic.id if isinstance(generic, ast.Name) and generic.id in _BUILT_IN else None
    match word or _WORDS.get(_last_name(generic) or "", _last_name(generic)), inside:
        case "Optional", _:
            return replace(_read_annotation(name, inside), optional=True)
        case "Union", ast.Tuple(elts=[inner, ast.Constant(value=None)] | [ast.Constant(value=None), inner]):
            return replace(_read_annotation(name, inner), optional=True)
        case "Literal", _:
            return _read_choices(name, inside)
        case "Annotated", ast.Tuple(elts=[inner, *limits]) if limits:
            return _read_limits(name, inner, limits)
        case (
            ("list", item)
            | ("dict", ast.Tuple(elts=[ast.Name(id="str"), item]))
            | (
                "tuple",
                ast.Tuple(elts=[item, ast.Constant(value=EllipsisType())]),
            )
        ):
            kind = word or _WORDS[_last_name(generic) or ""]
            return ValueType(kind, items=_read_part(name, item))
        case "tuple", ast.Tuple(elts=[_, *_] as fields):
            return ValueType("tuple", fields=tuple(_read_part(name, field) for field in fields))
        case "tuple", ast.Name() | ast.Attribute() | ast.Subscript():
            return ValueType("tuple", fields=(_read_part(name, inside),))
    return None


def _read_part(name: str, node: ast.expr) -> ValueType:
    part = _read_annotation(name, node)
    if part.kind == SECRET:  # only what is a parameter of its own is cut out of whatever is kept
        raise ValueError(f"{name}: a secret is a parameter of its own, not a part of one.")
    return part


def _read_choices(name: str, node: ast.expr) -> ValueType:
    try:
        values = ast.literal_eval(node)
    except _FAULTS as exc:
        raise ValueError(f"{name}: the choices of Literal must be literals.") from exc
    values = values if isinstance(values, tuple) else (values,)
    choices = tuple(value for value in values if value is not None)
    if not choices or not all(_is_choice(value) for value in choices):
        raise ValueError(f"{name}: the choices of Literal must be text, numbers or true/false, at least one.")
    kinds = {kind_of(choice) for choice in choices}
    return ValueType(kinds.pop() if len(kinds) == 1 else None, optional=None in values, choices=choices)


def _is_choice(value: Any) -> bool:
    return isinstance(value, str | int | float) and is_json(value)


def _read_limits(name: str, inner: ast.expr, limits: list[ast.expr]) -> ValueType:
    limited = _read_annotation(name, inner)
    if limited.kind not in ("int", "float"):
        raise ValueError(f"{name}: Annotated limits need int or float.")
    return replace(limited, bounds=tuple(_read_bound(name, limit) for limit in limits))


def _read_bound(name: str, node: ast.expr) -> Bound:
    match node:
        case ast.Call(func=ast.Name(id=kind), args=[value], keywords=[]) if kind in BOUNDS:
            limit = _literal(name, value)
            if is_number(limit):
                return Bound(kind, float(limit))
    raise ValueError(f"{name}: limit `{ast.unparse(node)}` is not known; use Ge, Gt, Le or Lt with a number.")
