"""Cells: the code of a notebook as Python reads it, with IPython's own lines (magics, `!`, `?`) taken out and told apart."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from workbench.notebooks.notebook import cell_source, tags_of, written_cells

# What follows these on their line, or in their cell, is Python.
_PYTHON_FOLLOWS = frozenset({"capture", "lprun", "memit", "mprun", "prun", "snakeviz", "time", "timeit"})
_SHELLS = frozenset({"!", "bash", "cmd", "script", "sh", "sx", "system", "zsh"})
# Typed alone in a cell, these are taken for magics without a sign.
_WITHOUT_SIGN = re.compile(r"(?:cd|conda|ls|mamba|mkdir|pip|pwd|uv|who|whos)\b(?!\s*[=(.\[])")
_MAGIC = re.compile(r"(\s*)(?:([A-Za-z_][\w.,\[\]'\" ]*?)\s*=\s*)?(%%?|!!?)\s*(.*)")
_HELP = re.compile(r"\s*(?:\?{1,2}[\w.*%]+|[%\w.*]+(?:\(.*\))?(?:\.\w+)*\?{1,2})\s*(?:#.*)?")
_OPTIONS = re.compile(r"(?:\s*-(?:[a-zA-Z]\s*\d+|[a-zA-Z]+\b(?!\s*\()))*\s*")
_PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.) ?", re.MULTILINE)
_ONE_BY_ONE = 50
_COMPILE = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


@dataclass(frozen=True)
class Magic:
    """A line for IPython: its line, its name (`!` for a shell), what follows; of a magic of the whole cell the `body` too."""

    line: int
    name: str
    rest: str
    body: str = ""

    @property
    def commands(self) -> str:
        """What a shell is told; empty for what is not for a shell."""
        return f"{self.rest}\n{self.body}" if self.name in _SHELLS else ""


@dataclass(frozen=True)
class Cell:
    """One cell that somebody wrote, numbered as `written_cells` does; `fault` is the line and the reason why it is not Python."""

    number: int
    source: str
    tags: frozenset[str]
    tree: ast.Module
    magics: tuple[Magic, ...]
    fault: tuple[int, str] | None
    shown_bytes: int

    def line(self, number: int) -> str:
        """Return one line of it (the first is 1), without what is around it."""
        lines = self.source.splitlines()
        return lines[number - 1].strip() if 1 <= number <= len(lines) else ""


def read_cells(document: Mapping[str, Any]) -> tuple[Cell, ...]:
    """Read the code cells of a notebook that somebody wrote; nothing of them is run."""
    return tuple(_read_cell(number, cell) for number, cell in enumerate(written_cells(document), 1))


def _read_cell(number: int, cell: Mapping[str, Any]) -> Cell:
    source = cell_source(cell)
    tree, magics, fault = read_code(source)
    shown = sum(len(json.dumps(output)) for output in cell.get("outputs", ()))
    return Cell(number, source, frozenset(tags_of(cell)), tree, magics, fault, shown)


def read_code(source: str) -> tuple[ast.Module, tuple[Magic, ...], tuple[int, str] | None]:
    """Return the Python of a cell with lines as they are numbered in it, its magics, and why it is not Python (line, reason)."""
    lines = dedent(_without_prompts(source)).split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    magics: list[Magic] = []
    if lines[first].startswith("%%"):
        name, _, rest = lines[first][2:].partition(" ")
        magics.append(Magic(first + 1, "!" if name == "!" else name, rest, "\n".join(lines[first + 1 :])))
        lines[first] = "pass"
        if name not in _PYTHON_FOLLOWS:
            return ast.Module([], []), tuple(magics), None
    if len(lines) == 1 and _WITHOUT_SIGN.match(lines[0]):
        lines[0] = f"%{lines[0]}"
    tree, fault = _parse(lines, magics)
    return tree, tuple(sorted(magics, key=lambda magic: magic.line)), fault


def _without_prompts(source: str) -> str:
    return _PROMPT.sub("", source) if source.lstrip().startswith(">>>") else source


def _parse(lines: list[str], magics: list[Magic]) -> tuple[ast.Module, tuple[int, str] | None]:
    """Parse lines, taking out those for IPython where they are in the way: what looks like one in a text stays."""
    for count in range(len(lines) + 2):
        try:
            return _parse_python("\n".join(lines)), None
        except SyntaxError as exc:
            fault = exc.lineno or 1, exc.msg
        except (ValueError, RecursionError, MemoryError) as exc:
            return ast.Module([], []), (1, str(exc) or type(exc).__name__)
        found = list(_find_magic_lines(lines, fault[0]))
        if not found:
            break
        for number in found[:1] if count < _ONE_BY_ONE else found:
            magics += _take_out(lines, number)
    return ast.Module([], []), fault


def _parse_python(code: str) -> ast.Module:
    with warnings.catch_warnings(action="ignore"):
        tree = ast.parse(code)
        compile(tree, "<cell>", "exec", flags=_COMPILE, dont_inherit=True)  # a `return` outside of a function parses
    return tree


def _find_magic_lines(lines: list[str], failed: int) -> Iterator[int]:
    """Yield the indexes of lines for IPython, the one at which parsing failed first."""
    found = [number for number, line in enumerate(lines) if _MAGIC.fullmatch(line) or _HELP.fullmatch(line)]
    yield from sorted(found, key=lambda number: (number != failed - 1, number))


def _take_out(lines: list[str], number: int) -> Iterator[Magic]:
    """Replace a line for IPython, with those it goes on in, by what it means in Python, and yield it where it is a magic."""
    text = lines[number]
    for after in range(number + 1, len(lines)):
        if not text.endswith("\\"):
            break
        text, lines[after] = text[:-1] + lines[after], ""
    found = _MAGIC.fullmatch(text)
    if found is None:
        lines[number] = _indent(text) + "pass"
        return
    indent, target, sign, rest = found.groups()
    name, _, said = ("!", "", rest) if "!" in sign else rest.partition(" ")
    lines[number] = f"{indent}{f'{target} = None' if target else _to_python(name, said.strip())}"
    yield Magic(number + 1, name, said.strip())


def _indent(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _to_python(name: str, rest: str) -> str:
    code = _OPTIONS.sub("", rest, count=1) if name in _PYTHON_FOLLOWS else "pass"
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return "pass"
    return code or "pass"
