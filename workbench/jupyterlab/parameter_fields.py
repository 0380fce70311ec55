"""Parameter fields: how each parameter of a notebook is asked for in a form; what is filled in is the text of `-p NAME=`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from workbench.notebooks.parameters import Parameter, spell_value, split_values
from workbench.notebooks.value_types import ValueType
from workbench.secrets.references import SECRET

NONE = "none"
# By kind: the control of HTML that fits. A text field takes all others.
_CONTROLS = {"int": "number", "float": "number", "date": "date", "datetime": "datetime-local"}
_NATIVE_BOUNDS = {"Ge": "min", "Le": "max"}


def describe_fields(declared: Sequence[Parameter]) -> list[dict[str, Any]]:
    """Return a field for each parameter, in their order.

    `value` is what it is when nothing is filled in, `axis` the same as one value of a sweep; a field that is left empty says
    `empty`, and has to be filled in where that is None.
    """
    return [_describe_field(each) for each in declared]


def _describe_field(parameter: Parameter) -> dict[str, Any]:
    type_, value = parameter.type, spell_value(parameter.default)
    control = _choose_control(type_)
    is_typed_empty = control not in ("text", "select") and parameter.default is None
    return {
        "name": parameter.name,
        "control": control,
        "value": "" if is_typed_empty else value,
        "axis": _spell_axis(parameter, value),
        "options": _list_options(type_),
        "attributes": {**_say_none(type_, control), **_list_attributes(type_, control)},
        "empty": "" if control == "text" and type_.kind == "str" else NONE if type_.optional else None,
        "expects": _say_expected(type_),
    }


def _choose_control(type_: ValueType) -> str:
    if type_.choices or type_.kind == "bool":
        return "select"
    return _CONTROLS.get(type_.kind or "", "text")


def _list_options(type_: ValueType) -> list[str]:
    """Return what there is to choose from, none where anything that fits may be written."""
    values = type_.choices or ((True, False) if type_.kind == "bool" else ())
    others = [NONE] if values and type_.optional and None not in values else []
    return [*map(spell_value, values), *others]


def _say_none(type_: ValueType, control: str) -> dict[str, str]:
    """Let an empty field say what it means; an empty text is a text."""
    return {"placeholder": NONE} if type_.optional and control != "select" and type_.kind != "str" else {}


def _list_attributes(type_: ValueType, control: str) -> dict[str, str]:
    """Return what the control itself can hold a value against; the rest is judged when it is sent."""
    if control == "datetime-local":
        return {"step": "1"}
    if control != "number":
        return {"placeholder": "env:NAME"} if type_.kind == SECRET else {}
    bounds = {_NATIVE_BOUNDS[each.kind]: f"{each.value:.17g}" for each in type_.bounds if each.kind in _NATIVE_BOUNDS}
    return {"step": "any", **bounds} if type_.kind == "float" else {"step": "1", **_whole(bounds)}


def _whole(bounds: dict[str, str]) -> dict[str, str]:
    # Steps are counted from the least value: one that is no whole number would shift them all.
    return {name: text for name, text in bounds.items() if float(text).is_integer()}


def _spell_axis(parameter: Parameter, value: str) -> str:
    """Return the default as one value of a sweep: a text that would be read as several is quoted."""
    is_one = split_values(value) == [value] and not value.startswith('"')
    return value if is_one or not parameter.type.is_text else json.dumps(value, ensure_ascii=False)


def _say_expected(type_: ValueType) -> str:
    said = type_.expects
    return said[:1].upper() + said[1:]
