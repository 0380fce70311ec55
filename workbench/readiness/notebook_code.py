"""The code of a notebook as a whole: what it imports, calls, assigns and defines, and which text a path comes to."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.notebooks.parameters import Parameter
from workbench.readiness.cells import Cell, Magic, read_cells

_SKIPPED = "skip-execution"
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_LONGEST_PATH = 12  # pieces a path is put together from


@dataclass(frozen=True)
class Place:
    """Where something stands: the cell, and the line in it."""

    cell: Cell
    line: int


@dataclass(frozen=True)
class Call:
    """A call: where, under which full name (None for a method of who knows what), and whether it is certain to happen."""

    place: Place
    node: ast.Call
    name: str | None
    is_certain: bool

    @property
    def method(self) -> str:
        """The last part of what is called."""
        return _last_name(self.node.func)

    @property
    def own_name(self) -> str:
        """The name it has where it comes from, whatever it was imported as."""
        return (self.name or self.method).rpartition(".")[2]

    def argument(self, name: str, position: int | None = None) -> ast.expr | None:
        """Return an argument by its name, or its position where it is given by that."""
        named = next((each.value for each in self.node.keywords if each.arg == name), None)
        given = self.node.args
        return given[position] if named is None and position is not None and position < len(given) else named

    @property
    def arguments(self) -> list[ast.expr]:
        """Every expression that is given to it."""
        return [*self.node.args, *(each.value for each in self.node.keywords)]

    @property
    def first(self) -> ast.expr | None:
        """What is given to it first, not by name."""
        return self.node.args[0] if self.node.args else None

    @property
    def listed(self) -> list[ast.expr | None]:
        """What is given to it first, or the parts of that where it is a list."""
        return list(getattr(self.first, "elts", [self.first]))

    @property
    def is_open(self) -> bool:
        """Whether it takes arguments from a mapping or list, so that nobody can tell which."""
        return any(each.arg is None for each in self.node.keywords) or any(
            isinstance(each, ast.Starred) for each in self.node.args
        )


@dataclass(frozen=True)
class Import:
    """An import: where, of which module, which name from it (None for the module itself), and whether it must succeed."""

    place: Place
    module: str
    member: str | None
    is_certain: bool

    @property
    def top(self) -> str:
        """The module at the top, which is what is installed."""
        return self.module.partition(".")[0]

    @property
    def full_name(self) -> str:
        """Module and name."""
        return f"{self.module}.{self.member}" if self.member else self.module


@dataclass(frozen=True)
class _Met:
    place: Place
    node: ast.AST
    is_guarded: bool
    is_deferred: bool

    @property
    def is_certain(self) -> bool:
        return not (self.is_guarded or self.is_deferred)


class NotebookCode:
    """What a notebook's cells say, skipped ones left out; names mean the same in all cells."""

    def __init__(self, document: Mapping[str, Any], parameters: tuple[Parameter, ...] = ()) -> None:
        every = read_cells(document)
        self.cells = tuple(cell for cell in every if _SKIPPED not in cell.tags)
        self.skipped = tuple(cell for cell in every if _SKIPPED in cell.tags)
        self.parameters = parameters
        self._met = [met for cell in self.cells for met in _walk(cell, cell.tree, False, False)]
        self.imports = tuple(found for met in self._met for found in _read_import(met))
        self.imports += tuple(_read_extensions(self.magics))
        self.names = {name: full for met in self._met for name, full in _bind_imports(met.node)}
        self.defined = {met.node.name: met.node for met in self._met if isinstance(met.node, _NAMED)}
        self.assigned: dict[str, list[ast.expr | None]] = {}
        for met in self._met:
            for name, value in _bind(met.node):
                if name not in self.names:
                    self.assigned.setdefault(name, []).append(value)
        self.calls = tuple(self._read_call(met) for met in self._met if isinstance(met.node, ast.Call))

    @property
    def magics(self) -> Iterator[tuple[Place, Magic]]:
        """Every line for IPython, with its place."""
        return ((Place(cell, magic.line), magic) for cell in self.cells for magic in cell.magics)

    def nodes(self) -> Iterator[tuple[Place, ast.AST, bool]]:
        """Yield every node of the code with its place and whether it is certain to run."""
        return ((met.place, met.node, met.is_certain) for met in self._met)

    def statements(self) -> Iterator[tuple[Place, ast.stmt, bool]]:
        """Yield every statement with its place and whether it stands at the top, where it is certain to run."""
        for met in self._met:
            if isinstance(met.node, ast.stmt):
                yield met.place, met.node, met.is_certain

    def _read_call(self, met: _Met) -> Call:
        node = met.node
        assert isinstance(node, ast.Call)
        return Call(met.place, node, self.spell(node.func), met.is_certain)

    def spell(self, node: ast.AST) -> str | None:
        """Return the full name of what was imported or built in; None for everything else."""
        if isinstance(node, ast.Attribute):
            base = self.spell(node.value)
            return f"{base}.{node.attr}" if base else None
        if not isinstance(node, ast.Name):
            return None
        if node.id in self.names:
            return self.names[node.id]
        is_own = node.id in self.assigned or node.id in self.defined
        return node.id if hasattr(builtins, node.id) and not is_own else None

    def list_calls(self, *names: str) -> Iterator[Call]:
        """Yield the calls under these full names."""
        return (call for call in self.calls if call.name in names)

    # Texts

    def text_of(self, node: ast.AST | None, depth: int = _LONGEST_PATH) -> str | None:
        """Return the text, or the path as text, that an expression always has; None where nobody can tell."""
        if node is None or depth == 0:
            return None
        match node:
            case ast.Constant(value=str() as text):
                return text
            case ast.Name(id=name):
                texts = {self.text_of(value, depth - 1) for value in self.assigned.get(name, [])}
                return texts.pop() if len(texts) == 1 else None
            case ast.BinOp(left=left, op=ast.Add() | ast.Div() as sign, right=right):
                return self._join([left, right], "" if isinstance(sign, ast.Add) else "/", depth)
            case ast.JoinedStr(values=values):
                return self._join([_inside(each) for each in values], "", depth)
            case ast.Call(func=function, args=args, keywords=[]) if self.spell(function) in _JOINS:
                return self._join(args, "/", depth)
        return None

    def _join(self, nodes: Iterable[ast.expr | None], between: str, depth: int) -> str | None:
        texts = [self.text_of(node, depth - 1) for node in nodes]
        return between.join(text for text in texts if text is not None) if texts and None not in texts else None

    def constant_of(self, node: ast.AST | None) -> Any:
        """Return the literal an expression is; `...` where it is none."""
        try:
            return ast.literal_eval(node) if isinstance(node, ast.expr) else ...
        except (ValueError, TypeError, MemoryError, RecursionError):
            return ...

    # What becomes of what

    def trace_back(self, nodes: Iterable[ast.AST]) -> set[ast.AST]:
        """Return every node of these expressions, and of all that was ever assigned to the names in them, function bodies too."""
        found: set[ast.AST] = set()
        names: set[str] = set()
        waiting = list(nodes)
        while waiting:
            for node in ast.walk(waiting.pop()):
                found.add(node)
                if isinstance(node, ast.Name) and node.id not in names:
                    names.add(node.id)
                    waiting += self.values_of(node.id)
        return found

    def trace_name(self, node: ast.AST) -> list[ast.AST]:
        """Return what a name was assigned, or the expression itself where it is none."""
        return self.values_of(node.id) if isinstance(node, ast.Name) else [node]

    def values_of(self, name: str) -> list[ast.AST]:
        """Return what a name was assigned, or the function or class it was defined as."""
        values: list[ast.AST] = [value for value in self.assigned.get(name, []) if value is not None]
        return [*values, self.defined[name]] if name in self.defined else values


def list_styles(code: NotebookCode) -> Iterator[tuple[Place, str]]:
    """Yield the styles of Matplotlib that are named, with their places."""
    module = ("matplotlib.style", "matplotlib.pyplot.style")
    for call in code.list_calls(*(f"{name}.{verb}" for name in module for verb in ("use", "context"))):
        for each in call.listed:
            if text := code.text_of(each):
                yield call.place, text


_NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_JOINS = frozenset({"pathlib.Path", "pathlib.PurePath", "os.path.join", "str", "os.fspath"})


def _last_name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _inside(node: ast.expr) -> ast.expr | None:
    """Return what a part of a formatted text stands for; None where it is formatted in a way of its own."""
    if not isinstance(node, ast.FormattedValue):
        return node
    return node.value if node.conversion == -1 and node.format_spec is None else None


# Walking


def _walk(cell: Cell, node: ast.AST, guarded: bool, deferred: bool) -> Iterator[_Met]:
    """Yield every node below one, with whether it runs only under a condition or only where it is called."""
    waiting = [(node, guarded, deferred)]
    while waiting:
        node, guarded, deferred = waiting.pop()
        yield _Met(Place(cell, getattr(node, "lineno", 1)), node, guarded, deferred)
        kept = _kept_of(node)
        inner = deferred or isinstance(node, _FUNCTIONS)
        children = [
            (child, guarded or name in kept, inner)
            for name, value in ast.iter_fields(node)
            for child in (value if isinstance(value, list) else [value])
            if isinstance(child, ast.AST)
        ]
        waiting.extend(reversed(children))


def _kept_of(node: ast.AST) -> Collection[str]:
    """Return the fields of a node whose parts may be left out, or may fail, without an end to the cell."""
    match node:
        case ast.If() | ast.IfExp() | ast.While() | ast.For() | ast.AsyncFor():
            return ("body", "orelse")
        case ast.Try(handlers=[_, *_]):
            return ("body", "orelse", "handlers")
        case ast.With(items=items) if any(_is_suppressing(each.context_expr) for each in items):
            return ("body",)
        case ast.match_case():
            return ("body",)
    return ()


def _is_suppressing(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _last_name(node.func) in ("suppress", "raises", "assertRaises")


# Binding


def _read_import(met: _Met) -> Iterator[Import]:
    node, certain = met.node, not met.is_guarded
    if isinstance(node, ast.Import):
        yield from (Import(met.place, alias.name, None, certain) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module != "__future__":
        for alias in node.names:
            yield Import(met.place, node.module, None if alias.name == "*" else alias.name, certain)


def _read_extensions(magics: Iterable[tuple[Place, Magic]]) -> Iterator[Import]:
    """Yield what `%load_ext` imports, but for the extensions that IPython brings along."""
    for place, magic in magics:
        name = magic.rest.strip()
        if magic.name == "load_ext" and name.replace(".", "_").isidentifier() and name not in _OF_IPYTHON:
            yield Import(place, name, None, True)


_OF_IPYTHON = frozenset({"autoreload", "deduperreload", "storemagic"})


def _bind_imports(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _bind(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the names a node gives values to, with the expression the value is or comes from."""
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((name, value) for target in targets for name in _names_in(target))
        case ast.AnnAssign(target=target, value=value) if value is not None:
            yield from ((name, value) for name in _names_in(target))
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            yield from ((name, value) for name in _names_in(target))
        case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
            yield from (pair for name in _names_in(target) for pair in ((name, value), (name, None)))
        case ast.With(items=items) | ast.AsyncWith(items=items):
            yield from (
                (name, item.context_expr)
                for item in items
                if item.optional_vars
                for name in _names_in(item.optional_vars)
            )
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=args)) if (
            method in _FILLS
        ):
            # What is put into it becomes part of it.
            yield from ((name, value) for value in args)
        case ast.arg(arg=name):
            yield name, None


_FILLS = frozenset({"add", "append", "extend", "insert", "setdefault", "update"})


def _names_in(target: ast.AST) -> Iterator[str]:
    """Yield the names a target assigns to, of which it assigns a part too (`table["x"]`)."""
    match target:
        case ast.Name(id=name):
            yield name
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            yield from (name for part in parts for name in _names_in(part))
        case ast.Starred(value=inner) | ast.Subscript(value=inner) | ast.Attribute(value=inner):
            yield from _names_in(inner)
