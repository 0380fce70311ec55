"""What a kernel of a notebook may have imported before it starts: read from the notebook's own imports."""

from __future__ import annotations

import ast
import importlib.util
import re
import site
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

# What the functions wb.log_... import when they are called; `log_` is in the name of each.
_TABLES = ("pandas", "workbench.interactive", "workbench.runs.labelling", "workbench.runs.tabulating")
_SCORES = (
    "pandas", "pyarrow.parquet", "workbench.models.logged_task", "workbench.runs.labelling", "workbench.stats.holdout_columns",
)  # fmt: skip
_MODELS = (
    "pandas", "pandas.core.methods.to_dict", "pyarrow.parquet", "pyarrow.vendored.version", "skops.io",
    "workbench.models.boosters.substituting", "workbench.models.compiler.onnx_compiler", "workbench.models.compiler.proof",
    "workbench.models.fitted_model", "workbench.models.own_code", "workbench.models.servability",
    "workbench.models.skops_predictor", "workbench.runs.blaming", "workbench.runs.labelling", "workbench.runs.tabulating",
)  # fmt: skip
LOGGING_PRELOADS = {
    "log_": ("workbench.runs.spool",),
    "log_dataset": _TABLES,
    "log_predictions": _SCORES,
    "log_model": _MODELS,
    "log_evaluation": (*_TABLES, *_SCORES, *_MODELS, "workbench.runs.evaluating"),
}
# What packages import on their way, the first time something common is done with them.
COMPANIONS = {
    "matplotlib": ("matplotlib.backends.backend_agg", "PIL.PngImagePlugin", "PIL.BmpImagePlugin", "PIL.GifImagePlugin",
                   "PIL.JpegImagePlugin", "PIL.PpmImagePlugin"),
    "pandas": ("pandas.io.formats.html", "pandas.io.formats.string", "pandas.core.arrays.arrow.extension_types"),
    "pyarrow": ("pyarrow.pandas_compat",),
    "skops": ("workbench.models.skops_canonical",),
    "sklearn": ("narwhals.stable.v2._namespace", "narwhals._interchange.dataframe", "narwhals._pandas_like.dataframe",
                "narwhals._pandas_like.namespace", "workbench.executors.narwhals_plugins"),
}  # fmt: skip
# A notebook that changes where modules are found may mean others by the same names.
_MOVES = re.compile(r"sys\s*\.\s*path|addsitedir|\bchdir\b|^\s*%?cd\s|sys\s*\.\s*meta_path|import_path", re.MULTILINE)
_MAGIC_LINE = re.compile(r"^\s*[%!].*$", re.MULTILINE)
_IMPORT_LINE = re.compile(r"^\s*((?:import|from)\s+[\w.]+.*)$", re.MULTILINE)
_BUILT_IN = ("built-in", "frozen")


def find_preloads(source: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the modules to import ahead for a notebook (its document), sorted: of installed packages, never files beside it.

    The standard library's are as good as there, and left out: so notebooks that need no package share one parent. A name
    taken `from` a module may be a module too and is returned as well; what cannot be parsed is left out.
    """
    sources = [_read_source(cell) for cell in source.get("cells", ()) if cell.get("cell_type") == "code"]
    if any(map(_MOVES.search, sources)):
        return ()
    return _find_preloads(tuple(_MAGIC_LINE.sub("", text) for text in sources))


@lru_cache(maxsize=16)
def _find_preloads(cells: tuple[str, ...]) -> tuple[str, ...]:
    names = {name for cell in cells for name in _find_imports(cell)}
    if any(name.partition(".")[0] == "workbench" for name in names):
        code = "\n".join(cells)
        names.update(module for call, modules in LOGGING_PRELOADS.items() if call in code for module in modules)
    tops = {name.partition(".")[0] for name in names}
    names.update(module for top in tops for module in COMPANIONS.get(top, ()))
    return tuple(sorted(filter(_is_package, names)))


def _is_package(name: str) -> bool:
    top = name.partition(".")[0]
    return top not in sys.stdlib_module_names and is_installed(top)


def _read_source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _find_imports(code: str) -> Iterator[str]:
    try:
        yield from _read_imports(code)
    except (SyntaxError, ValueError, RecursionError):
        for line in _IMPORT_LINE.findall(code):
            with suppress(SyntaxError, ValueError):
                yield from _read_imports(line)


def _read_imports(code: str) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the compiler thinks of the cell, its kernel will say
        tree = ast.parse(code)
    return [name for node in ast.walk(tree) for name in _names_of(node)]


def _names_of(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        members = [f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*"]
        return [node.module, *members]
    return []


def is_installed(name: str) -> bool:
    """True for a top-level module of the standard library, of an installed package, or the workbench itself."""
    if name == "workbench" or name in sys.builtin_module_names:
        return True
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return False
    if spec is None:
        return False
    places = [spec.origin] if spec.has_location else list(spec.submodule_search_locations or ())
    return spec.origin in _BUILT_IN or (bool(places) and all(_is_inside_installation(place) for place in places))


def _is_inside_installation(place: str | None) -> bool:
    return place is not None and any(Path(place).is_relative_to(folder) for folder in installation_folders())


@cache
def installation_folders() -> tuple[Path, ...]:
    """Return the folders of the standard library and of installed packages."""
    known = sysconfig.get_paths()
    folders = [known[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    personal = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return tuple(dict.fromkeys(Path(folder) for folder in (*folders, *site.getsitepackages(), *personal)))
