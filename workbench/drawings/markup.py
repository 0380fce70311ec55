"""HTML built from elements: whatever is not an element is text, so no value can become markup."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

_VOID = frozenset({"meta", "br", "col", "line", "circle", "rect", "path"})


@dataclass(frozen=True)
class Markup:
    """Finished HTML; made by `element` and `join` only."""

    html: str


Content = Markup | str | None


def element(tag: str, /, *children: Content, **attributes: str | int | bool | None) -> Markup:
    """Return one HTML element; text and attribute values are escaped.

    Attribute names drop a trailing underscore (`class_`) and spell others as hyphens; None and False leave one out.
    """
    given = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{given}/>")
    return Markup(f"<{tag}{given}>{join(*children).html}</{tag}>")


def _attribute(name: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    spelled = name.rstrip("_").replace("_", "-")
    return f" {spelled}" if value is True else f' {spelled}="{escape(str(value))}"'


def join(*children: Content) -> Markup:
    """Return children one after the other; None is left out."""
    return Markup("".join(_html(child) for child in children if child is not None))


def _html(child: Markup | str) -> str:
    return child.html if isinstance(child, Markup) else escape(child)


def style_sheet(css: str) -> Markup:
    """Return our own style sheet as an element; it is never made of values."""
    return Markup(f"<style>{css}</style>")
