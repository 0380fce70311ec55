"""YAML as people write it, read in one way: what two readers could read differently is refused, with its line and what to write."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from workbench.errors import UsageError

LARGEST_BYTES = 1_000_000
_DEEPEST = 20
_CORE_VALUES = {"": None, "~": None} | dict.fromkeys(("null", "Null", "NULL"))
_CORE_VALUES |= {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_CORE_NUMBERS = (
    (re.compile(r"[-+]?[0-9]+", re.ASCII), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text, 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)"), lambda text: float(text.replace(".", ""))),
    (re.compile(r"\.(nan|NaN|NAN)"), lambda _: math.nan),
)


@dataclass(frozen=True)
class YamlDocument:
    """A file as Python values (texts, numbers, true, false, null, lists, mappings by text or whole number) that knows its lines."""

    value: Any
    root: yaml.Node | None

    def line_of(self, place: Iterable[Any]) -> int:
        """Return the line of the deepest key on the way to a place (the keys that lead there) that the file has."""
        node, line = self.root, 1 if self.root is None else _line(self.root)
        for key in place:
            pairs = node.value if isinstance(node, yaml.MappingNode) else ()
            found = next((pair for pair in pairs if pair[0].value == str(key)), None)
            if found is None:
                return line
            line, node = _line(found[0]), found[1]
        return line


def read_yaml(content: bytes) -> YamlDocument:
    """Read one document; raises UsageError with every line to correct.

    YAML 1.1 and 1.2 must read each value alike (`010`, `1:00:00`, `yes`, `1e5` and dates they do not), numbers are finite, keys
    are texts or whole numbers and stand once, and there is no anchor, alias, merge, tag, or character that a reader does not see.
    """
    if problem := _find_unseen(content):
        raise _refuse([problem])
    try:
        root = _Composer(content).get_single_node()
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError, TypeError) as exc:
        raise _refuse([f"{_place(exc)}: it is not YAML: {_say(exc)}"]) from exc
    if problems := list(_find_problems(root)):
        raise _refuse(problems)
    return YamlDocument(None if root is None else _read(root), root)


def _refuse(problems: list[str]) -> UsageError:
    return UsageError("The file cannot be read.", why=problems, next_step="Correct these lines.")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _place(exc: Exception) -> str:
    mark = getattr(exc, "problem_mark", None)
    return f"Line {mark.line + 1}" if mark else "The file"


def _say(exc: Exception) -> str:
    parts = [getattr(exc, "context", None), getattr(exc, "problem", None)]
    return ", ".join(" ".join(part.split()) for part in parts if part) or str(exc)


def _find_unseen(content: bytes) -> str | None:
    """Return why bytes are no plain text: their size, or the first character that nobody sees or only parsers end a line at."""
    if len(content) > LARGEST_BYTES:
        return f"The file: it has {len(content):,} bytes; at most {LARGEST_BYTES:,} are read."
    try:
        text = content.decode()
    except UnicodeDecodeError as exc:
        return f"Line {content[: exc.start].count(10) + 1}: it is not YAML: it is no UTF-8. Write plain text."
    for number, line in enumerate(text.split("\n"), 1):
        odd = next((letter for letter in line.rstrip("\r") if not letter.isprintable() and letter != "\t"), None)
        if odd is not None:
            return f"Line {number}: it is not YAML: it holds {odd!a}, which a reader does not see. Write plain text."
    return None


class _Composer(yaml.SafeLoader):
    """Composes plain nodes only: what stands in a place is what holds there."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse(event, "found an alias or its anchor; write the value where it holds")
        if event.tag is not None:
            self._refuse(event, f"found the tag {event.tag}; leave it out")
        if self.depth == _DEEPEST:
            self._refuse(event, f"it is nested deeper than {_DEEPEST} levels")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refuse(self, event: Any, said: str) -> None:
        raise yaml.composer.ComposerError(None, None, said, event.start_mark)


def _find_problems(node: yaml.Node | None) -> Iterator[str]:
    if isinstance(node, yaml.ScalarNode):
        yield from _find_in_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _find_problems(item)
    elif isinstance(node, yaml.MappingNode):
        yield from _find_in_keys([key for key, _ in node.value])
        for key, value in node.value:
            yield from _find_problems(key)
            yield from _find_problems(value)


def _find_in_keys(keys: list[yaml.Node]) -> Iterator[str]:
    seen = set[str]()
    for key in keys:
        if not isinstance(key, yaml.ScalarNode) or not (_is_unclear(key) or type(_read(key)) in (str, int)):
            yield f"Line {_line(key)}: a key is neither text nor a whole number. Write it in quotes."
        elif (name := str(_read(key))) in seen:
            yield f"Line {_line(key)}: it is not YAML: found a duplicate key {name!r}. Write it once."
        else:
            seen.add(name)


def _find_in_scalar(node: yaml.ScalarNode) -> Iterator[str]:
    if odd := next((letter for letter in node.value if not letter.isprintable() and letter not in "\n\t"), None):
        yield f"Line {_line(node)}: it spells {odd!a}, which a reader does not see. Write plain text."
    if _is_unclear(node):
        older, newer = _read_1_1(node), _read_1_2(node.value)
        said = f"{_describe(older)} in YAML 1.1 and {_describe(newer)} in YAML 1.2"
        said = _describe(older) if older == newer else said
        instead = " or ".join(_spell(node.value, older, newer))
        yield f"Line {_line(node)}: {node.value:.60} is {said}. Write {instead}."


def _is_unclear(node: yaml.ScalarNode) -> bool:
    """True for a value without quotes that two readers read differently, or that is no finite number."""
    if node.style:
        return False
    older, newer = _read_1_1(node), _read_1_2(node.value)
    return isinstance(newer, _Other) or type(older) is not type(newer) or older != newer


def _read(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.style else _read_1_2(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_read(item) for item in node.value]
    return {_read(key): _read(value) for key, value in node.value}


# The two readings of a value without quotes


@dataclass(frozen=True)
class _Other:
    """What no document holds: a time, a merge, a number that is infinite or thousands of digits long."""

    what: str


def _read_1_1(node: yaml.ScalarNode) -> Any:
    if node.value in ("y", "Y", "n", "N"):  # flags in YAML 1.1, if not to PyYAML
        return node.value in "yY"
    kind = node.tag.rpartition(":")[2]
    if kind not in ("null", "bool", "int", "float", "str"):
        return _Other({"timestamp": "a time", "merge": "a merge"}.get(kind, "a default"))
    return _held(yaml.constructor.SafeConstructor().construct_object, node)


def _read_1_2(text: str) -> Any:
    if text in _CORE_VALUES:
        return _CORE_VALUES[text]
    return _held(next((read for pattern, read in _CORE_NUMBERS if pattern.fullmatch(text)), str), text)


def _held(read: Callable[[Any], Any], given: Any) -> Any:
    try:
        value = read(given)
    except ValueError:
        return _Other("a number of too many digits")
    return _Other("no finite number") if isinstance(value, float) and not math.isfinite(value) else value


def _describe(value: Any) -> str:
    if isinstance(value, _Other):
        return value.what
    return "text" if isinstance(value, str) else _write(value)


def _spell(text: str, *readings: Any) -> list[str]:
    """Return what can be written instead, so that both read it alike: the values it may have meant, or the text in quotes."""
    meant = [_write(value) for value in readings if not isinstance(value, str | _Other)]
    return [*dict.fromkeys(meant), f'"{text:.60}" for the text']


def _write(value: Any) -> str:
    if not isinstance(value, float):
        return "null" if value is None else str(value).lower()
    number, sign, exponent = repr(value).partition("e")
    return f"{number}{'' if '.' in number else '.0'}{sign}{exponent}"
