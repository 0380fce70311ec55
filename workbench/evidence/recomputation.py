"""Facts that were computed twice: which are not the same, but for what is measured and differs each time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.evidence.evidence import Evidence

# Another number on another day or processor: whether it still passes is for the checks to say.
MEASURED = ("cost", "model.largest_difference", "serving", "classes.differing_labels")
_LONGEST = 60
# Absolute too, unlike `closeness`: a difference of two scores that is nothing may be 1e-17 on another processor.
_ROUNDING = 1e-9


def find_differing_facts(frozen: Evidence, now: Evidence) -> list[str]:
    """Return each fact that is another now, by its path, with both values; what is measured is left out."""
    then, again = (dict(_flatten(json.loads(facts.to_bytes()))) for facts in (frozen, now))
    changed = sorted(name for name in {*then, *again} if not _is_same(then.get(name), again.get(name)))
    return [
        f"{name} was {_spell(then.get(name))} at its nomination and is {_spell(again.get(name))} now."
        for name in changed
        if not any(f"{name}.".startswith(f"{measured}.") for measured in MEASURED)
    ]


def _is_same(then: Any, now: Any) -> bool:
    """True for equal facts; another processor may round a number in its last digits."""
    if isinstance(then, float) and isinstance(now, float):
        return math.isclose(then, now, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
    return type(then) is type(now) and bool(then == now)


def _flatten(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Return each fact by its path, as `score.value`."""
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    if not parts:
        yield name, value
    for key, part in parts:
        yield from _flatten(part, f"{name}.{key}" if name else str(key))


def _spell(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
