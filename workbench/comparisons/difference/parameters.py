"""Parameters: which values the two runs were given that are not the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.comparisons.difference.pair import Pair
from workbench.comparisons.difference.part import Likeness, Part, count_of, enumerate_all, lay_out
from workbench.notebooks.parameters import spell_value

NOT_THERE = "not there"
_MOST_NAMED, _LONGEST = 3, 40


def compare_parameters(pair: Pair) -> Part:
    """Compare the parameters; one that a run does not have is told from one that is none."""
    before, after = pair.a.run.parameters, pair.b.run.parameters
    names = list(dict.fromkeys([*before, *after]))
    differing = [name for name in names if _tell(before, name) != _tell(after, name)]
    same = len(names) - len(differing)
    if not differing:
        says = f"{count_of(same, 'parameter')}, the same." if names else "Neither run has a parameter."
        return Part("parameters", Likeness.SAME, says)
    rows = [{"parameter": name, **pair.row(*_spell(before, after, name))} for name in differing]
    kept = f"; {same:,} {'is' if same == 1 else 'are'} the same" if same else ""
    says = f"{len(differing):,} of {count_of(len(names), 'parameter')} {'differs' if len(differing) == 1 else 'differ'}{kept}."
    return Part("parameters", Likeness.DIFFERENT, says, _name(rows), lay_out("Parameters", rows))


def _tell(values: Mapping[str, Any], name: str) -> tuple[bool, str, str]:
    """Return what tells two values apart: 1 is not 1.0, nor True, and none is not missing."""
    return name in values, type(values.get(name)).__name__, repr(values.get(name))


def _spell(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> tuple[str, str]:
    """Return both values; where they read alike with their types."""
    shown = _value(before, name), _value(after, name)
    if shown[0] != shown[1]:
        return shown
    kinds = (type(values.get(name)).__name__ for values in (before, after))
    return tuple(f"{value} ({kind})" for value, kind in zip(shown, kinds, strict=True))  # type: ignore[return-value]


def _value(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if name not in values:
        return NOT_THERE
    return spell_value(value)


def _name(rows: list[dict[str, Any]]) -> str:
    if len(rows) > _MOST_NAMED:
        return f"{len(rows):,} parameters"
    named = [f"{row['parameter']} ({_short(row['A'])} → {_short(row['B'])})" for row in rows]
    return f"{'parameter' if len(rows) == 1 else 'parameters'} {enumerate_all(named)}"


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
