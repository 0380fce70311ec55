"""Metrics of a project's own: what it says of each by name, and every fault of that."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, Literal

from workbench.errors import NotFound, UsageError
from workbench.policies.policy_problems import EXAMPLE_RULES
from workbench.records.digest import canonical_json, sha256_hex, strict_json
from workbench.records.document import build_record
from workbench.stats.task import Direction, Task

# How people spell them, by the name that is meant.
ALIASES: Mapping[str, str] = {
    "acc": "accuracy",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "brier": "brier_score",
    "logloss": "log_loss",
    "mae": "mean_absolute_error",
    "rmse": "root_mean_squared_error",
}
_EXAMPLE = "profit_per_thousand"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_FUNCTION = re.compile(r"(?P<file>[^:\0]+\.py):(?P<function>[A-Za-z_]\w*)")
_REQUIRED, _OPTIONAL = ("function", "direction", "tasks"), ("reads", "each", "unit")
_TASKS = tuple(EXAMPLE_RULES)


@dataclass(frozen=True)
class Declared:
    """A metric as a project declares it: its `function` in a `file` below the project, and how it is read.

    `each` names a column whose equal values are judged together; None: rows are judged one by one, or all at once.
    """

    name: str
    file: str
    function: str
    direction: Direction
    tasks: tuple[Task, ...]
    reads: Literal["score", "label"] = "score"
    each: str | None = None
    unit: str = ""


@dataclass(frozen=True)
class FrozenMetric:
    """A metric of a project's own as it was when a run was nominated under it: as declared, and the bytes of its file."""

    declared: Declared
    source: bytes

    @property
    def code(self) -> str:
        """The sha256 of the file."""
        return sha256_hex(self.source)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes it is frozen as."""
        return canonical_json({"declared": asdict(self.declared), "source": self.source.decode()})


def parse_frozen(content: bytes) -> FrozenMetric:
    """Read a frozen metric back; raises UsageError for anything else."""
    try:
        document = strict_json(content)
        return FrozenMetric(build_record(Declared, document["declared"]), document["source"].encode())
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise UsageError(
            "The frozen metric cannot be read.", why=str(exc), next_step="Nominate the run again."
        ) from exc


def parse_declared(table: Mapping[str, Any], built_in: Mapping[str, Any]) -> dict[str, Declared]:
    """Return the metrics of a table by name; raises UsageError with every fault, and what to write instead."""
    faults = [fault for name, said in table.items() for fault in _faults_of(name, said, built_in)]
    if faults:
        step = f"Correct these lines, such as: `{spell_line()}`. `workbench help stats` says more."
        raise UsageError("The metrics of this project cannot be used.", why=sorted(faults), next_step=step)
    return {name: _build(name, said) for name, said in table.items()}


def _build(name: str, said: Mapping[str, Any]) -> Declared:
    file, function = _FUNCTION.fullmatch(said["function"]).groups()  # type: ignore[union-attr]
    own = {key: said[key] for key in ("direction", *_OPTIONAL) if key in said}
    return Declared(name=name, file=file, function=function, tasks=tuple(said["tasks"]), **own)


def _faults_of(name: str, said: Any, built_in: Mapping[str, Any]) -> Iterator[str]:
    place = f"metrics.{name}"
    if not _NAME.fullmatch(name):
        yield f"{place}: this is no name of a metric: write lower-case letters, digits and _."
    elif name in built_in or name in ALIASES:
        yield f"{place}: there is a built-in metric of this name; take another one."
    if not isinstance(said, dict):
        yield f"{place}: it is no table with {', '.join(_REQUIRED)}."
        return
    unknown = sorted({*said} - {*_REQUIRED, *_OPTIONAL})
    yield from (f"{place}.{key}: is no key; known are {', '.join((*_REQUIRED, *_OPTIONAL))}." for key in unknown)
    yield from (f"{place}.{key}: is missing." for key in _REQUIRED if key not in said)
    yield from (f"{place}.{key}: {_MUST[key]}" for key in said if key in _MUST and not _fits(key, said[key]))


_MUST = {
    "function": "write a file below the project and a function in it, as metrics.py:profit_per_thousand.",
    "direction": "write higher or lower, whichever is better.",
    "tasks": f"write a list of {', '.join(_TASKS)}.",
    "reads": "write score, or label for what the model decides for.",
    "each": "write the name of a column of the holdout whose equal values belong together.",
    "unit": "write a short text, as EUR per 1,000 rows.",
}


def _fits(key: str, value: Any) -> bool:
    if key == "tasks":
        return isinstance(value, list) and bool(value) and all(each in _TASKS for each in value)
    if not isinstance(value, str) or not value.isprintable() or not value:
        return False
    if key == "function":
        found = _FUNCTION.fullmatch(value)
        return found is not None and ".." not in found["file"].split("/") and not value.startswith(("/", "~"))
    return value in {"direction": ("higher", "lower"), "reads": ("score", "label")}.get(key, (value,))


def find_sentence(source: bytes, declared: Declared) -> str:
    """Return the first line of a function's docstring, without executing anything.

    Raises UsageError, naming the line, where the file is no Python, has no such function, or one that takes other things.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as exc:
        line = f", line {exc.lineno}" if isinstance(exc, SyntaxError) and exc.lineno else ""
        raise unusable(declared, f"{declared.file}{line}: {getattr(exc, 'msg', exc)}.") from exc
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    node = functions.get(declared.function)
    if node is None:
        known = ", ".join(functions) or "none"
        raise unusable(declared, f"{declared.file} has no function {declared.function}; it has {known}.")
    given = len([*node.args.posonlyargs, *node.args.args])
    if not given - len(node.args.defaults) <= _ARGUMENTS <= given and node.args.vararg is None:
        why = f"{declared.file}, line {node.lineno}: {declared.function} takes {given}, not truth, score and rows."
        raise unusable(declared, why)
    return (ast.get_docstring(node) or "").partition("\n")[0]


_ARGUMENTS = 3


def unusable(declared: Declared, why: str) -> UsageError:
    """Return the error of a metric whose function cannot be had."""
    step = f"Correct {declared.file}: `def {declared.function}(truth, score, rows):` returns a number, or one for each row."
    return UsageError(f"The metric {declared.name} cannot be used.", why=why, next_step=step)


def spell_line(name: str = _EXAMPLE, task: Task = "classification") -> str:
    """Return a line that registers a metric, as it can stand first in workbench.toml whatever tables follow."""
    return f'metrics.{name} = {{function = "metrics.py:{name}", direction = "higher", tasks = ["{task}"]}}'


def _say_how_to_register(name: str, task: Task | None) -> str:
    name = name if _NAME.fullmatch(name) else _EXAMPLE
    return (
        f"Name one of these, or write `def {name}(truth, score, rows):` in metrics.py beside workbench.toml "
        "(`workbench help stats` shows one that runs) and register it: put this line first in workbench.toml (direction "
        f'"lower" where less is better): `{spell_line(name, task or "classification")}`'
    )


def choose_names(asked: str, known: Mapping[str, Any], task: Task | None) -> str:
    """Return the name of the metric that is meant by what was typed; raises NotFound, or UsageError for one of another task."""
    name = asked if asked in known else ALIASES.get(asked.lower(), asked.lower().replace("-", "_"))
    fitting = sorted(each for each, metric in known.items() if task is None or task in metric.tasks)
    if name not in known:
        near = get_close_matches(name, [*fitting, *ALIASES], n=2)
        step = f"Did you mean {' or '.join(near)}?" if near else _say_how_to_register(name, task)
        raise NotFound(f"There is no metric {asked!r}.", why=f"There are {', '.join(fitting)}.", next_step=step)
    if task is not None and task not in known[name].tasks:
        why = f"It judges {' and '.join(known[name].tasks)}, and these runs are {task}."
        raise UsageError(
            f"The metric {name} does not judge these runs.", why=why, next_step=f"Name one of {', '.join(fitting)}."
        )
    return name
