"""A policy: a versioned file that says which checks with which limits, what may be waived, and who must sign for how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.errors import Refused, UsageError
from workbench.policies.policy_problems import EXAMPLE_RULES, FORMATS, AuthorRule, Known, find_problems
from workbench.policies.severity import Severity
from workbench.records.digest import sha256_hex
from workbench.records.yaml_documents import read_yaml
from workbench.stats.task import Task

if TYPE_CHECKING:
    from workbench.stats.metrics import Metric

__all__ = ["FORMATS", "AuthorRule", "Known", "MetricRule", "Policy", "Task", "WaiverRule", "parse_policy"]

# What a file of format 1 did not say.
_BEFORE_TIERS = 2


@dataclass(frozen=True)
class MetricRule:
    """The metric a task is judged by: the margin of indifference and the worst value allowed, in its own units."""

    name: str
    margin: float
    limit: float

    @property
    def metric(self) -> Metric:
        """What computes it; raises UsageError for a metric of a project's own where that is not at hand."""
        from workbench.stats.metrics import METRICS

        if self.name in METRICS:
            return METRICS[self.name]
        why = "It is none of the built-in ones, and this project registers none of its name."
        step = f"Register it under [metrics.{self.name}] in workbench.toml; `workbench help stats` says how."
        raise UsageError(f"There is no metric {self.name}.", why=why, next_step=step)


class OwnRule(MetricRule):
    """The same by a metric of the project's own; what is printed of it is what stands in the file."""

    def __init__(self, metric: Metric, margin: float, limit: float) -> None:
        super().__init__(metric.name, margin, limit)
        object.__setattr__(self, "_metric", metric)

    @property
    def metric(self) -> Metric:
        """The function of the project."""
        found: Metric = vars(self)["_metric"]
        return found


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

    def limit_of(self, check: str, key: str) -> float | None:
        """Return a limit that a check asks for; None where it asks for none, or for what is no finite number of at least zero."""
        limits = self.checks.get(check)
        value = limits.get(key) if isinstance(limits, Mapping) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return value if 0 <= value < math.inf else None

    @property
    def most_shared_rows(self) -> float:
        """How many rows of a holdout may stand in training data too; none where the policy does not say."""
        return self.limit_of("holdout_untouched", "most_shared_rows") or 0

    def severity_of(self, check: str) -> Severity:
        """Return what it means that a check does not pass: it blocks unless the policy says otherwise."""
        return self.severities.get(check, Severity.BLOCKING)


def parse_policy(content: bytes, *, known: Known | None) -> Policy:
    """Read a policy from YAML bytes; without `known` the names of checks and metrics are not judged.

    Raises UsageError with every problem found, each with its line and what to write instead: unknown keys, checks or metrics, a
    metric of the other task, missing parts, counts below one.
    """
    try:
        document = read_yaml(content)
    except UsageError as exc:
        raise _invalid(list(exc.reasons)) from exc
    if problems := find_problems(document, known):
        raise _invalid(problems)
    return _build_policy(document.value, sha256_hex(content), known.own if known else {})


def _build_rule(said: Mapping[str, Any], own: Mapping[str, Metric]) -> MetricRule:
    metric = own.get(said["name"])
    return MetricRule(**said) if metric is None else OwnRule(metric, said["margin"], said["limit"])


def _build_policy(document: Mapping[str, Any], digest: str, own: Mapping[str, Metric]) -> Policy:
    approvals, waivers = document["approvals"], document.get("waivers") or {"allowed": False}
    checks = {name: dict(limits or {}) for name, limits in document["checks"].items()}
    severities = {name: Severity(limits.pop("severity")) for name, limits in checks.items() if "severity" in limits}
    return Policy(
        name=str(document["name"]),
        digest=digest,
        metrics={task: _build_rule(rule, own) for task, rule in document["metrics"].items()},
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
        next_step="Correct these lines (templates/policies/strict.yaml shows every key), `workbench policy check` it again"
        " and nominate under it.",
    )
