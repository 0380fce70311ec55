"""Registering: the metrics of a project, built-in ones and its own, by name; a function is loaded when it is first asked.

The code of a project runs with the rights of whoever asks for its metric. Reading what there is, their names, directions and tasks
executes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from workbench.config import read_metrics_table
from workbench.errors import UsageError
from workbench.policies.own_metrics import (
    Declared,
    FrozenMetric,
    choose_names,
    find_sentence,
    parse_declared,
    unusable,
)
from workbench.policies.policy import Known
from workbench.records.digest import canonical_json, sha256_hex, short

if TYPE_CHECKING:
    from workbench.stats.metrics import Metric
    from workbench.stats.own_metric import Function, OwnMetric
    from workbench.stats.task import Task

LARGEST_BYTES = 1024 * 1024


def list_metrics(project: Path) -> dict[str, Metric]:
    """Return every metric that runs of a project may be judged by; raises UsageError for what it declares and cannot be."""
    from workbench.stats.metrics import METRICS

    return {**METRICS, **list_own_metrics(project)}


def list_own_metrics(project: Path) -> dict[str, OwnMetric]:
    """Return the metrics of a project's own by name, in the order of its file; raises the same."""
    if not (table := read_metrics_table(project)):
        return {}
    from workbench.stats.metrics import METRICS

    return {name: _register(each, project) for name, each in parse_declared(table, METRICS).items()}


def know_own_metrics(known: Known, project: Path) -> Known:
    """Return what policies of a project may name: the metrics of its own, too."""
    own = list_own_metrics(project)
    metrics = {**(known.metrics or {}), **{name: metric.tasks for name, metric in own.items()}}
    return replace(known, metrics=metrics, own=own) if own else known


def find_metrics(project: Path, names: Iterable[str], task: Task | None = None) -> list[Metric]:
    """Return the metrics that are meant by names as people type them, several with commas between, each once.

    `mae`, `rmse`, `auc`, `logloss` are those that are meant by them. Raises NotFound for an unknown name, UsageError for one that
    does not judge the `task` (None: any does) or whose file cannot be used; nothing of it is executed.
    """
    known = list_metrics(project)
    asked = [part.strip() for name in names for part in name.split(",") if part.strip()]
    chosen = dict.fromkeys(choose_names(name, known, task) for name in asked)
    for name in chosen:
        _ = known[name].code  # a file that is gone is told now, and not after a minute of resampling
    return [known[name] for name in chosen]


def _register(declared: Declared, project: Path) -> OwnMetric:
    return build_metric(declared, cache(lambda: _read_source(declared, project)))


def build_metric(declared: Declared, read_source: Callable[[], bytes], function: Function | None = None) -> OwnMetric:
    """Return a metric whose file is read, checked and executed when it is first asked, each once; the same bytes are named.

    With a `function` that one is asked instead, which executes them elsewhere.
    """
    from workbench.stats.own_metric import make_metric

    @cache
    def load() -> Any:
        return function or load_function(declared, read_source())

    return make_metric(
        declared.name,
        lambda truth, score, rows: load()(truth, score, rows),  # noqa: PLW0108 - nothing is loaded before it is asked
        direction=declared.direction,
        tasks=declared.tasks,
        reads=declared.reads,
        each=declared.each,
        unit=declared.unit,
        file=declared.file,
        declared=sha256_hex(canonical_json(declared)),
        find_code=lambda: sha256_hex(read_source()),
        tell=lambda: find_sentence(read_source(), declared),
    )


def freeze_metric(project: Path, name: str) -> FrozenMetric | None:
    """Return a metric of a project's own as it is now, None for a built-in one; raises UsageError as above."""
    if name not in (table := read_metrics_table(project)):
        return None
    declared = parse_declared({name: table[name]}, {})[name]
    return FrozenMetric(declared, _read_source(declared, project))


def find_metric_fault(frozen: FrozenMetric | None, project: Path) -> str | None:
    """Return why a metric that was judged by is not the one of its name any more, None when it is; nothing is executed."""
    if frozen is None:
        return None
    name, again = frozen.declared.name, "Nominate the run again under it."
    try:
        now = freeze_metric(project, name)
    except UsageError as exc:
        return f"{exc.in_one_line} It judged this nominee. Put its file back."
    if now is None:
        return f"The metric {name}, which judged this nominee, is registered no more. Register it as it was."
    if now.declared != frozen.declared:
        return f"The metric {name} was declared otherwise when this was nominated. {again}"
    then, changed = short(sha256_hex(frozen.source)), short(sha256_hex(now.source))
    return (
        None if now == frozen else f"The metric {name} was {then} when this was nominated and is {changed} now. {again}"
    )


def _read_source(declared: Declared, project: Path) -> bytes:
    """Return the bytes of the file of a metric, checked without executing anything; raises UsageError."""
    path = project / declared.file
    try:
        if not path.resolve().is_relative_to(project.resolve()):
            raise unusable(declared, f"{declared.file} leads out of the project.")
        with path.open("rb") as file:
            source = file.read(LARGEST_BYTES + 1)
    except OSError as exc:
        raise unusable(declared, f"{declared.file}: {exc.strerror}.") from exc
    if len(source) > LARGEST_BYTES:
        raise unusable(declared, f"{declared.file} is larger than {LARGEST_BYTES:,} bytes.")
    find_sentence(source, declared)
    return source


def load_function(declared: Declared, source: bytes) -> Any:
    """Return a function of the very bytes that were read; raises UsageError with file and line where they cannot be executed."""
    try:
        module = _execute(source, declared.file)
    except UsageError:
        raise
    except (Exception, SystemExit) as exc:
        raise unusable(declared, _describe_import(exc, declared)) from exc
    if others := _find_others(module):
        why = f"{declared.file} takes {', '.join(others)} from other files, whose changes nobody would notice."
        raise unusable(declared, f"{why} Write what it needs into {declared.file}; installed packages are fine.")
    return getattr(module, declared.function)


@lru_cache(maxsize=32)
def _execute(source: bytes, file: str) -> ModuleType:
    module = ModuleType(f"own_metrics_{sha256_hex(source)[:12]}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # dataclasses look there for the module of a class
    # The project's own code, which it registered; nothing else gets here.
    exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102
    return module


def _describe_import(exc: BaseException, declared: Declared) -> str:
    line, trace = None, exc.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == declared.file else line
        trace = trace.tb_next
    place = f"{declared.file}, line {line}" if line else declared.file
    return f"{place}: {type(exc).__name__}: {' '.join(str(exc).split())[:300]}"


def _find_others(module: ModuleType) -> list[str]:
    """Return the modules of its globals that lie in no folder of installed ones."""
    named = {
        getattr(each, "__module__", None) if not isinstance(each, ModuleType) else each.__name__
        for each in vars(module).values()
    }
    files = {name: getattr(sys.modules.get(str(name)), "__file__", None) for name in named if name != module.__name__}
    return sorted(str(name) for name, file in files.items() if file and not _is_installed(file))


def _is_installed(file: str) -> bool:
    import sysconfig

    parts, ours = {*Path(file).parts}, Path(__file__).parents[1]
    folders = (ours, Path(sysconfig.get_path("stdlib")))
    return bool({"site-packages", "dist-packages"} & parts) or any(map(Path(file).is_relative_to, folders))
