"""The verbs of policies."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Protocol

from workbench.config import Settings
from workbench.errors import WorkbenchError
from workbench.policies.policy import Known, Policy, parse_policy
from workbench.policies.policy_files import find_policy
from workbench.policies.registering import know_own_metrics


class Parts(Protocol):
    """What the verbs need of a project."""

    @property
    def settings(self) -> Settings:
        """Where a project keeps what, and its usual policy."""

    @property
    def known(self) -> Callable[[], Known]:
        """What policies may name."""


class PolicyVerbs:
    """By which rules runs are judged."""

    def read_policy(self: Parts, name: str | None = None) -> tuple[Policy, bytes]:
        """Return a policy (default: the project's) and its exact bytes; raises UsageError naming each line to correct."""
        content = find_policy(name or self.settings.policy, self.settings.project)
        return parse_policy(content, known=know_own_metrics(self.known(), self.settings.project)), content

    def list_deciding(self: Parts, tasks: Collection[str | None] = ()) -> list[str]:
        """Return the metrics that the project's policy decides by, those of these tasks first; none where it cannot be read."""
        with suppress(WorkbenchError):
            rules = PolicyVerbs.read_policy(self)[0].metrics.items()
            return [rule.name for _, rule in sorted(rules, key=lambda each: each[0] not in tasks)]
        return []
