"""A policy: a versioned file that says which checks with which limits, and who must sign for how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from workbench.domain.approval import ROLE
from workbench.domain.digest import sha256_hex
from workbench.errors import UsageError

FORMAT = 1
Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class MetricRule:
    """The metric a task is judged by: the margin of indifference and the worst value allowed, in its own units."""

    name: str
    margin: float
    limit: float


@dataclass(frozen=True)
class Policy:
    """One policy as read from its exact bytes; `digest` is theirs."""

    name: str
    digest: str
    metrics: Mapping[Task, MetricRule]
    checks: Mapping[str, Mapping[str, Any]]
    questions: Mapping[str, str]
    roles: Mapping[str, int]
    principals: int
    valid_days: int


class _UniqueKeys(yaml.SafeLoader):
    """YAML without duplicate keys: a reviewer and a parser must read the same limit."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if any(keys.count(key) > 1 for key in keys):
            raise yaml.constructor.ConstructorError(None, None, "found a duplicate key", node.start_mark)
        return super().construct_mapping(node, deep)


_KEYS = frozenset({"format", "name", "metrics", "checks", "questions", "approvals"})


@dataclass(frozen=True)
class Known:
    """What a policy may name: checks, and metrics with the task each judges."""

    checks: frozenset[str]
    metrics: Mapping[str, Task]


def parse_policy(content: bytes, *, known: Known | None) -> Policy:
    """Read a policy from YAML bytes; without `known` the names of checks and metrics are not judged.

    Raises UsageError with every problem found: unknown keys, checks or metrics, a metric of the other task, missing parts,
    counts below one.
    """
    try:
        document = yaml.load(content, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise _invalid([f"It is not YAML: {' '.join(str(exc).split())}"]) from exc
    problems = list(_problems(document, known))
    if problems:
        raise _invalid(problems)
    approvals = document["approvals"]
    return Policy(
        name=str(document["name"]),
        digest=sha256_hex(content),
        metrics={task: MetricRule(**rule) for task, rule in document["metrics"].items()},
        checks={name: limits or {} for name, limits in document["checks"].items()},
        questions=document["questions"],
        roles=approvals["roles"],
        principals=approvals["principals"],
        valid_days=approvals["valid_days"],
    )


def _invalid(problems: list[str]) -> UsageError:
    return UsageError(
        "The policy cannot be used.",
        why=sorted(problems),
        next_step="Correct the file; templates/policies/standard.yaml shows every key.",
    )


def _problems(document: Any, known: Known | None) -> Any:
    if not isinstance(document, dict):
        yield "The file must be a mapping of keys."
        return
    yield from (f"Unknown key {key!r}." for key in document if key not in _KEYS)
    missing = sorted(_KEYS - set(document))
    yield from (f"Key {key!r} is missing." for key in missing)
    if missing:
        return
    if document["format"] != FORMAT:
        yield f"Format {document['format']!r} is not known; this version reads format {FORMAT}."
    yield from _section_problems(document, known)


def _section_problems(document: dict[str, Any], known: Known | None) -> Any:
    sections = {key: document[key] for key in ("metrics", "checks", "questions", "approvals")}
    wrong = [key for key, value in sections.items() if not isinstance(value, dict) or not value]
    yield from (f"{key!r} must be a mapping with at least one entry." for key in wrong)
    if wrong:
        return
    yield from (
        f"Key {name!r} of {key!r} must be a text; write it in quotes."
        for key, value in sections.items()
        for name in value
        if not isinstance(name, str)
    )
    yield from (
        f"Unknown check {name!r}; known are {', '.join(sorted(known.checks))}."
        for name in (sections["checks"] if known else ())
        if known and name not in known.checks
    )
    yield from (
        f"Limits of check {name!r} must be a mapping."
        for name, limits in sections["checks"].items()
        if not isinstance(limits, dict | None)
    )
    yield from (
        f"Question {name!r} must be a text."
        for name, text in sections["questions"].items()
        if not isinstance(text, str)
    )
    yield from _metric_problems(sections["metrics"], known)
    yield from _approval_problems(sections["approvals"])


def _metric_problems(metrics: dict[str, Any], known: Known | None) -> Any:
    for task, rule in metrics.items():
        if task not in ("classification", "regression"):
            yield f"Unknown task {task!r}; known are classification and regression."
        elif not isinstance(rule, dict) or set(rule) != {"name", "margin", "limit"}:
            yield f"Metric of {task} needs exactly name, margin and limit."
        elif not _judges(rule["name"], task, known):
            yield f"Unknown metric {rule['name']!r} of {task}; known are {', '.join(_metrics_of(task, known))}."
        elif not all(_is_number(rule[key]) for key in ("margin", "limit")) or rule["margin"] <= 0:
            yield f"Metric of {task}: margin must be a number above 0 and limit a number."


def _judges(name: Any, task: str, known: Known | None) -> bool:
    return isinstance(name, str) and (known is None or name in _metrics_of(task, known))


def _metrics_of(task: str, known: Known | None) -> list[str]:
    return sorted(name for name, judged in known.metrics.items() if judged == task) if known else []


def _approval_problems(approvals: dict[str, Any]) -> Any:
    if set(approvals) != {"roles", "principals", "valid_days"}:
        yield "'approvals' needs exactly roles, principals and valid_days."
        return
    roles = approvals["roles"]
    if not isinstance(roles, dict) or not roles or not all(_is_count(n) for n in roles.values()):
        yield "'approvals.roles' must map each role to how many must sign, at least 1."
    elif not all(isinstance(role, str) and ROLE.fullmatch(role) for role in roles):
        yield "'approvals.roles': a role is lower-case letters, digits, - and _."
    yield from (
        f"'approvals.{key}' must be a whole number of at least 1."
        for key in ("principals", "valid_days")
        if not _is_count(approvals[key])
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
