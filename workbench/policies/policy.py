"""A policy: a versioned file that says which checks with which limits, what may be waived, and who must sign for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from workbench.errors import Refused, UsageError
from workbench.policies.policy_problems import EXAMPLE_RULES, FORMATS, AuthorRule, Known, find_problems
from workbench.policies.severity import Severity
from workbench.records.digest import sha256_hex
from workbench.stats.task import Task

__all__ = ["FORMATS", "AuthorRule", "Known", "MetricRule", "Policy", "Task", "WaiverRule", "parse_policy"]

# What a file of format 1 did not say.
_BEFORE_TIERS = 2


@dataclass(frozen=True)
class MetricRule:
    """The metric a task is judged by: the margin of indifference and the worst value allowed, in its own units."""

    name: str
    margin: float
    limit: float


@dataclass(frozen=True)
class WaiverRule:
    """Who may except a finding from blocking, by role (none: nobody), and for how long at most."""

    roles: tuple[str, ...] = ()
    most_days: int = 0


@dataclass(frozen=True)
class Policy:
    """One policy as read from its exact bytes; `digest` is theirs.

    `tier` is the risk it is for: 1 high, 2 medium, 3 low. `severities` names the checks that may be waived (`waivable`), may be
    where nobody can tell (`waivable_if_unknown`), or are only said (`advisory`); all others block. `slices` are the groups of rows
    each of which must hold. `allows_own_code` says whether a model may bring code of its author, `authors` whose lines make one of
    somebody.
    """

    name: str
    digest: str
    metrics: Mapping[Task, MetricRule]
    checks: Mapping[str, Mapping[str, Any]]
    questions: Mapping[str, str]
    roles: Mapping[str, int]
    principals: int
    valid_days: int
    tier: int = _BEFORE_TIERS
    severities: Mapping[str, Severity] = field(default_factory=dict)
    slices: tuple[str, ...] = ()
    waivers: WaiverRule = WaiverRule()
    allows_own_code: bool = False
    authors: AuthorRule = "changed_lines"

    def rule_of(self, task: Task) -> MetricRule:
        """Return the rule that judges a task; raises Refused where the policy has none."""
        if task in self.metrics:
            return self.metrics[task]
        raise Refused(
            f"Policy {self.name} does not say how {task} is judged.",
            why=f"Its metrics are for {', '.join(sorted(self.metrics))}; this run's task is {task}.",
            next_step=f"Add a line such as `{task}: {EXAMPLE_RULES[task]}` under metrics: in it, or name another with --policy.",
        )

    def severity_of(self, check: str) -> Severity:
        """Return what it means that a check does not pass: it blocks unless the policy says otherwise."""
        return self.severities.get(check, Severity.BLOCKING)


class _PlainYaml(yaml.SafeLoader):
    """YAML without duplicate keys and aliases: a reviewer and a parser must read the same limit, where it stands."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            said = "found an alias; write the value where it holds"
            raise yaml.composer.ComposerError(None, None, said, self.get_mark())
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, (key, _) in enumerate(node.value):
            if keys[number] in keys[:number]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"found a duplicate key {keys[number]!r}", key.start_mark
                )
        return super().construct_mapping(node, deep)


def parse_policy(content: bytes, *, known: Known | None) -> Policy:
    """Read a policy from YAML bytes; without `known` the names of checks and metrics are not judged.

    Raises UsageError with every problem found, each with its line and what to write instead: unknown keys, checks or metrics, a
    metric of the other task, missing parts, counts below one.
    """
    if hidden := _find_hidden(content):
        raise _invalid([hidden])
    try:
        loader = _PlainYaml(content)
        root = loader.get_single_node()
        document: Any = None if root is None else loader.construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError, LookupError, AttributeError, TypeError) as exc:
        raise _invalid([f"{_line_of(exc)}it is not YAML: {' '.join(str(exc).split())}"]) from exc
    problems = find_problems(document, root, known)
    if problems:
        raise _invalid(problems)
    return _build_policy(document, sha256_hex(content))


def _find_hidden(content: bytes) -> str | None:
    """Return the first character that ends a line for a parser, or shows nothing, where a reader sees neither; None: none."""
    for number, line in enumerate(content.decode(errors="ignore").split("\n"), 1):
        odd = next((letter for letter in line.rstrip("\r") if not letter.isprintable() and letter != "\t"), None)
        if odd is not None:
            return f"Line {number}: it is not YAML: it holds {odd!a}, which a reader does not see. Write plain text."
    return None


def _line_of(exc: Exception) -> str:
    mark = getattr(exc, "problem_mark", None)
    return f"Line {mark.line + 1}: " if mark else "The file: "


def _build_policy(document: Mapping[str, Any], digest: str) -> Policy:
    approvals, waivers = document["approvals"], document.get("waivers") or {"allowed": False}
    checks = {name: dict(limits or {}) for name, limits in document["checks"].items()}
    severities = {name: Severity(limits.pop("severity")) for name, limits in checks.items() if "severity" in limits}
    return Policy(
        name=str(document["name"]),
        digest=digest,
        metrics={task: MetricRule(**rule) for task, rule in document["metrics"].items()},
        checks=checks,
        questions=document["questions"],
        roles=approvals["roles"],
        principals=approvals["principals"],
        valid_days=approvals["valid_days"],
        tier=document.get("tier", _BEFORE_TIERS),
        severities=severities,
        slices=tuple(document.get("slices") or ()),
        waivers=WaiverRule(tuple(waivers["roles"]), waivers["most_days"]) if waivers["allowed"] else WaiverRule(),
        # A file that says nothing of it was written before there was any.
        allows_own_code=document.get("own_code", {"allowed": False})["allowed"],
        authors=approvals.get("authors", "changed_lines"),
    )


def _invalid(problems: list[str]) -> UsageError:
    return UsageError(
        "The policy cannot be used.",
        why=problems,
        next_step="Correct these lines (templates/policies/strict.yaml shows every key), then `workbench policy check` it again.",
    )
