"""What makes runs heavy to read and to keep."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from workbench.readiness.kinds.trace import Find, Trace
from workbench.readiness.notebook_code import Call, NotebookCode, Place
from workbench.readiness.surroundings import Surroundings

_ROWS = frozenset({"display.max_rows", "display.min_rows", "max_rows", "display.max_seq_items"})
_MOST_ROWS = 1000
_SHOW = frozenset({"print", "display", "IPython.display.display"})


def outputs_too_large(code: NotebookCode, around: Surroundings) -> Iterator[Trace]:
    """Yield it where the notebook was saved with more than a run may show."""
    shown, most = sum(cell.shown_bytes for cell in code.cells), around.output_bytes
    if most is not None and shown > most:
        largest = max(code.cells, key=lambda cell: cell.shown_bytes)
        what = f"It was saved with {shown / 1e6:,.0f} MB of outputs, and a run may show {most / 1e6:,.0f} MB."
        advice = "Show less, most of all in this cell, or give --output-size."
        yield Trace(what, advice, Place(largest, 1))


def shows_every_row(code: NotebookCode, _: Surroundings) -> Iterator[Trace]:
    """Yield what makes tables be shown whole, however long they are."""
    lifting = [call.place for call in code.calls if _lifts_limit(code, call)]
    lifting += [place for place, statement, _ in code.statements() if _sets_endless(code, statement)]
    advice = "Leave the limit, and show what is to be seen: table.head(), table.describe()."
    yield from (Trace("Every row of every table is shown from here on.", advice, place) for place in lifting)
    for call in code.calls:
        if call.name in _SHOW and any(_is_whole_table(each) for each in call.node.args):
            yield Trace("Every row of a table is printed.", "Show table.head(), or keep it as a file.", call.place)


def _sets_endless(code: NotebookCode, statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Assign):
        return False
    return any(map(_is_row_option, statement.targets)) and _is_endless(code.constant_of(statement.value))


def _lifts_limit(code: NotebookCode, call: Call) -> bool:
    if call.name != "pandas.set_option":
        return False
    texts = [code.constant_of(each) for each in call.node.args]
    return any(
        isinstance(name, str) and name in _ROWS and _is_endless(value)
        for name, value in zip(texts[::2], texts[1::2], strict=False)
    )


def _is_row_option(target: ast.expr) -> bool:
    return ast.unparse(target).endswith(("options.display.max_rows", "options.display.min_rows"))


def _is_endless(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and value > _MOST_ROWS)


def _is_whole_table(node: ast.expr) -> bool:
    """True for `table.to_string()`, but not for a few rows of it."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name() | ast.Attribute(), attr="to_string" | "to_markdown"), args=[]
        ):
            return True
    return False


FINDS: Sequence[Find] = (outputs_too_large, shows_every_row)
