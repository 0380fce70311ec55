"""A condition on runs: what `--where` says, as parts that can be judged. Total: every text is read or refused, every run is judged.

condition  = all ("or" all)*
all        = each ("and" each)*
each       = "not" each | "(" condition ")" | "has" name | operand comparison
comparison = ("=" | "!=" | "<" | "<=" | ">" | ">=" | ["not"] ("like" | "ilike" | "contains")) operand
           | ["not"] "in" "(" literal ("," literal)* ")"
operand    = name | literal
literal    = number | 'text' | "text" | "true" | "false" | "none"
name       = [("run" | "metrics" | "params" | "tags") "."] (word | `any text`)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Literal:
    """A value as it was written, and at which character; None is the literal `none`."""

    value: Any
    at: int


@dataclass(frozen=True)
class Name:
    """Something of a run: `of` says of what it is (run, metrics, params, tags), empty where the text does not."""

    of: str
    key: str
    at: int

    @property
    def text(self) -> str:
        """How it is written."""
        return f"{self.of}.{self.key}" if self.of else self.key


Operand = Literal | Name


@dataclass(frozen=True)
class Comparison:
    """Two operands and how they are to stand to each other."""

    sign: str
    left: Operand
    right: Operand
    at: int


@dataclass(frozen=True)
class Among:
    """An operand that is to be one of some literals."""

    left: Operand
    items: Sequence[Literal]
    at: int


@dataclass(frozen=True)
class Has:
    """Something that a run is to have, whatever its value."""

    name: Name


@dataclass(frozen=True)
class Not:
    """What is not to hold."""

    part: Condition


@dataclass(frozen=True)
class Every:
    """What is to hold together."""

    parts: Sequence[Condition]


@dataclass(frozen=True)
class Some:
    """Of what one at least is to hold."""

    parts: Sequence[Condition]


Condition = Comparison | Among | Has | Not | Every | Some


def list_names(condition: Condition) -> list[Name]:
    """Return every name in a condition, in its order."""
    match condition:
        case Has(name):
            return [name]
        case Not(part):
            return list_names(part)
        case Every(parts) | Some(parts):
            return [name for part in parts for name in list_names(part)]
        case Among(left, _, _):
            return [left] if isinstance(left, Name) else []
        case Comparison(_, left, right, _):
            return [operand for operand in (left, right) if isinstance(operand, Name)]
