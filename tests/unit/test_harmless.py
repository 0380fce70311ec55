"""Nothing that is kept here harms whoever reads it with other software: no text or file of it is vast, deep or without end.

Limits are tried by setting them low, readers that give up by one that raises, converters that do not end by one that sleeps.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
LARGEST_TEXT, LARGEST_SIZE, DEEPEST = 16 * 1024**2, 128 * 1024**2, 100
# A file without end, an address nobody has, and how far Python goes: spelled so that this file does not hold them.
FORBIDDEN = ("/dev/" + "zero", "string_" + "at(", "setrecursion" + "limit")
_OPENS = frozenset("[({<>-+~|&*!.")


def read_sources() -> Iterator[tuple[str, str]]:
    """Yield the name and the code of every test, and of every notebook that tests run."""
    for path in sorted(TESTS.rglob("*.py")):
        yield path.name, path.read_text(encoding="utf-8")
    for path in sorted((TESTS / "notebooks").glob("*.ipynb")):
        if path.stem != "broken":
            cells = json.loads(path.read_bytes())["cells"]
            yield path.name, "\n".join(str(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def find_harm(source: str) -> list[str]:
    """Return what a source makes that is vast, deep or without end: a text so many times, a file or memory of such a size."""
    try:
        nodes = [*ast.walk(ast.parse(source))]
    except SyntaxError:  # magic commands, or no Python on purpose
        nodes = []
    return [*(word for word in FORBIDDEN if word in source), *(ast.unparse(node) for node in nodes if _is_harm(node))]


def _is_harm(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).rpartition(".")[2] in ("truncate", "bytes"):
        size = read_constant(node.args[0])
        return isinstance(size, int) and size > LARGEST_SIZE
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        text, count = read_constant(node.left), read_constant(node.right)
        if isinstance(text, str | bytes) and isinstance(count, int):
            return len(text) * count > LARGEST_TEXT or (count > DEEPEST and _opens(text))
    return False


def _opens(text: str | bytes) -> bool:
    words = text if isinstance(text, str) else text.decode(errors="replace")
    return len(words) <= 8 and bool(_OPENS & set(words))


def read_constant(node: ast.expr) -> Any:
    """Return what an expression of constants, their products and powers is; None for any other."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Pow):
        left, right = read_constant(node.left), read_constant(node.right)
        if isinstance(left, int) and isinstance(right, int):
            return left * right if isinstance(node.op, ast.Mult) else left ** min(right, 100)
    return None


def test_no_test_makes_what_is_vast_deep_or_without_end() -> None:
    assert {name: harm for name, source in read_sources() if (harm := find_harm(source))} == {}


@pytest.mark.parametrize(
    "source", ["'[' * 101", "b'<a>' * 5_000", "'x' * (17 * 1024**2)", "file.truncate(64 * 1024**3)", "bytes(2**40)"]
)
def test_what_is_vast_or_deep_would_be_noticed(source: str) -> None:
    assert find_harm(source) == [ast.unparse(ast.parse(source, mode="eval"))]


@pytest.mark.parametrize("word", FORBIDDEN)
def test_what_is_without_end_would_be_noticed(word: str) -> None:
    assert find_harm(f"'{word}'") == [word]
