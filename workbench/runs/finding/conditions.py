"""A condition on runs: what `--where` says, read into parts that can be judged; what is wrong is told with its character.

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

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import UsageError

_HOW_TO_WRITE = "Write it like: roc_auc > 0.9 and family = 'forest' (`workbench help runs` has all)."
_LONGEST, _DEEPEST = 10_000, 50
_OF = {
    "run": "run", "attributes": "run", "metric": "metrics", "metrics": "metrics", "param": "params", "params": "params",
    "parameters": "params", "tag": "tags", "tags": "tags",
}  # fmt: skip
_SIGNS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_TEXT_SIGNS = ("like", "ilike", "contains")
_CONSTANTS = {"true": True, "false": False, "none": None, "null": None}
_KEYWORDS = {"and", "or", "not", "in", "has", *_TEXT_SIGNS}
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    |(?P<name>(?:(?P<of>[A-Za-z]+)\.)?(?:`(?P<quoted>[^`]+)`)|[^\W\d][\w./:\-]*)
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<sign><=|>=|!=|<>|==|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE | re.DOTALL,
)


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


Condition = Comparison | Has | Not | Every | Some


def list_names(condition: Condition) -> list[Name]:
    """Return every name in a condition, in its order."""
    match condition:
        case Has(name):
            return [name]
        case Not(part):
            return list_names(part)
        case Every(parts) | Some(parts):
            return [name for part in parts for name in list_names(part)]
        case Comparison(_, left, right, _):
            return [operand for operand in (left, right) if isinstance(operand, Name)]


# Reading


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int
    of: str = ""

    @property
    def keyword(self) -> str:
        """The word in small letters, where it is one without quotes."""
        return self.text.lower() if self.kind == "name" and not self.of else ""


def parse_condition(text: str) -> Condition:
    """Return the condition that a text says; raises UsageError, with the character, where it says none."""
    if len(text) > _LONGEST:
        raise cannot_read(f"It has {len(text):,} characters; {_LONGEST:,} are read.")
    return _Reader(_split(text), len(text)).read()


def read_name(text: str) -> Name:
    """Return a name that stands alone, where one with blanks or signs may have backticks and needs none."""
    of, dot, key = text.partition(".")
    of, key = (_OF[of], key) if dot and of in _OF else ("", text)
    quoted = re.fullmatch("`([^`]+)`", key)
    return Name(of, quoted[1] if quoted else key, 0)


def cannot_read(*why: str) -> UsageError:
    """Return why a condition cannot be read, or not be asked of these runs."""
    return UsageError("The condition cannot be used.", why=why, next_step=_HOW_TO_WRITE)


def say_at(at: int) -> str:
    """Say at which character something is."""
    return f"At character {at + 1}"


def _split(text: str) -> list[_Token]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _stray(text, at)
        tokens.append(_build_token(found))
        at = found.end()
    return tokens


def _build_token(found: re.Match[str]) -> _Token:
    if found["quoted"] is not None:
        return _Token("quoted", found["quoted"], found.start("name"), found["of"] or "")
    kind = next(kind for kind in ("number", "name", "text", "sign") if found[kind] is not None)
    return _Token(kind, found[kind], found.start(kind))


def _stray(text: str, at: int) -> UsageError:
    at += len(text[at:]) - len(text[at:].lstrip())
    quote = text[at]
    if quote in "'\"`":
        return cannot_read(f"{say_at(at)}: the {quote} that begins there does not end.")
    return cannot_read(
        f"{say_at(at)}: {text[at : at + 12]!r} is neither a name, a number, a text in quotes nor a sign."
    )


class _Reader:
    """Reads tokens by recursive descent."""

    def __init__(self, tokens: Sequence[_Token], length: int) -> None:
        self._tokens, self._next, self._depth, self._length = tokens, 0, 0, length

    def read(self) -> Condition:
        condition = self._read_some()
        if self._next < len(self._tokens):
            token = self._tokens[self._next]
            raise cannot_read(
                f"{say_at(token.at)}: {token.text!r} is one too many; `and` or `or` is missing before it."
            )
        return condition

    def _read_some(self) -> Condition:
        parts = self._read_list("or", self._read_every)
        return parts[0] if len(parts) == 1 else Some(parts)

    def _read_every(self) -> Condition:
        parts = self._read_list("and", self._read_each)
        return parts[0] if len(parts) == 1 else Every(parts)

    def _read_list(self, word: str, read: Callable[[], Condition]) -> list[Condition]:
        parts = [read()]
        while self._take(word):
            parts.append(read())
        return parts

    def _read_each(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise cannot_read(f"It is nested more than {_DEEPEST} deep.")
        found = self._read_part()
        self._depth -= 1
        return found

    def _read_part(self) -> Condition:
        if self._take("not"):
            return Not(self._read_each())
        if self._take("("):
            inner = self._read_some()
            self._require(")")
            return inner
        if self._take("has"):
            return Has(self._read_name())
        return self._read_comparison()

    def _read_comparison(self) -> Condition:
        left, at = self._read_operand(), self._at
        if self._take("not"):
            return Not(self._read_words(left, at))
        token = self._peek()
        if token is not None and token.kind == "sign" and token.text in _SIGNS:
            self._next += 1
            return Comparison(_SIGNS[token.text], left, self._read_operand(), at)
        return self._read_words(left, at)

    def _read_words(self, left: Operand, at: int) -> Condition:
        if self._take("in"):
            return self._read_among(left, at)
        for word in _TEXT_SIGNS:
            if self._take(word):
                return Comparison(word, left, self._read_operand(), at)
        signs = "=, !=, <, <=, >, >=, in, like, ilike or contains"
        shown = left.text if isinstance(left, Name) else repr(left.value)
        raise cannot_read(f"{say_at(self._at)}: after {shown} one of {signs} is expected, not {self._say_next()}.")

    def _read_among(self, left: Operand, at: int) -> Condition:
        self._require("(")
        items = [self._read_literal()]
        while self._take(","):
            items.append(self._read_literal())
        self._require(")")
        return Some([Comparison("=", left, item, at) for item in items])

    def _read_literal(self) -> Literal:
        at, operand = self._at, self._read_operand()
        if isinstance(operand, Name):
            raise cannot_read(f"{say_at(at)}: {operand.text} must be a number or a text in quotes: '{operand.text}'.")
        return operand

    def _read_name(self) -> Name:
        at, operand = self._at, self._read_operand()
        if isinstance(operand, Literal):
            raise cannot_read(f"{say_at(at)}: a name is expected, not {operand.value!r}.")
        return operand

    def _read_operand(self) -> Operand:
        token = self._peek()
        if token is None or token.kind == "sign" or token.keyword in _KEYWORDS:
            raise cannot_read(
                f"{say_at(self._at)}: a name, a number or a text in quotes is expected, not {self._say_next()}."
            )
        self._next += 1
        match token.kind:
            case "number":
                return Literal(_read_number(token.text), token.at)
            case "text":
                return Literal(re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL), token.at)
            case "quoted":
                return self._name_quoted(token)
        if token.keyword in _CONSTANTS:
            return Literal(_CONSTANTS[token.keyword], token.at)
        of, dot, key = token.text.partition(".")
        return Name(_OF[of], key, token.at) if dot and key and of in _OF else Name("", token.text, token.at)

    def _name_quoted(self, token: _Token) -> Name:
        if token.of and token.of not in _OF:
            raise cannot_read(f"{say_at(token.at)}: {token.of}. is not one of run., metrics., params. and tags.")
        return Name(_OF.get(token.of, ""), token.text, token.at)

    @property
    def _at(self) -> int:
        token = self._peek()
        return self._length if token is None else token.at

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _say_next(self) -> str:
        token = self._peek()
        return "the end" if token is None else repr(token.text)

    def _take(self, word: str) -> bool:
        token = self._peek()
        is_it = token is not None and (token.keyword == word or (token.kind == "sign" and token.text == word))
        self._next += is_it
        return is_it

    def _require(self, sign: str) -> None:
        if not self._take(sign):
            raise cannot_read(f"{say_at(self._at)}: {sign!r} is expected, not {self._say_next()}.")


def _read_number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
