"""Plans (pre-registration): by which rules rows will be judged is in the ledger before the first score on them is known."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.checks import KNOWN
from workbench.comparisons.tries import find_newest_plan, find_start, list_plans
from workbench.errors import Refused, Unavailable, UsageError, WorkbenchError
from workbench.evidence.evidence import PlanFact
from workbench.ledger.ledger import Entry, Event
from workbench.policies.policy import Policy, parse_policy
from workbench.policies.policy_files import find_policy
from workbench.policies.registering import know_own_metrics
from workbench.runs.looks import Look
from workbench.runs.project import Project
from workbench.runs.run import Run

_LOG = logging.getLogger(__name__)


def record_plan(project: Project, notebook: str) -> None:
    """Write down by which rules runs of a notebook will be judged, unless the newest plan says just that.

    A run is no privileged deed: one whose plan cannot be written goes on, with a warning. Raises UsageError for an author who
    could not be a principal.
    """
    author = project.settings.acting_author
    try:
        folder = project.settings.project
        body = _describe_plan(read_own_policy(find_policy(project.settings.policy, folder), folder))
        known = find_plan(project.store.read_ledger(), notebook)
        if known is None or known.body != body:
            project.store.append_entry(Event.PLANNED, actor=author, subject=notebook, body=body)
    except (Refused, Unavailable, UsageError) as exc:
        _LOG.warning("%s", _explain(exc))


def read_own_policy(content: bytes, project: Path) -> Policy:
    """Read a policy that may name metrics of a project's own, too; nothing of them is executed."""
    return parse_policy(content, known=know_own_metrics(KNOWN, project))


def _explain(exc: WorkbenchError) -> WorkbenchError:
    return WorkbenchError(
        "How these runs will be judged is not in the ledger; they run all the same.",
        why=[exc.what, *exc.reasons, "Under a policy that asks for a plan they cannot be promoted."],
        next_step=exc.next_step,
    )


def _describe_plan(policy: Policy) -> dict[str, Any]:
    metrics = {
        task: {
            "metric": rule.name,
            "direction": rule.metric.direction,
            "margin": rule.margin,
            **({"code": rule.metric.code} if rule.metric.code else {}),
        }
        for task, rule in policy.metrics.items()
    }
    named = {"policy": policy.digest, "policy_name": policy.name}
    return {**named, "metrics": metrics, "slices": list(policy.slices)}


def find_plan(entries: Sequence[Entry], notebook: str, *, before: str | None = None) -> Entry | None:
    """Return the newest plan of a notebook, or the newest from before a time (ISO 8601 UTC); None when there is none."""
    plan = find_newest_plan(list_plans(entries), notebook, before)
    return plan[0] if plan else None


def describe_plan(
    run: Run,
    task: str,
    policy: str,
    entries: Sequence[Entry],
    looks: Sequence[Look],
    *,
    code: str | None = None,
    drafted: str | None = None,
) -> PlanFact | None:
    """Return since when the ledger has had the rules a run is judged by: those of a policy, by its digest.

    With it goes the `code` (sha256) of a metric of the project's own.
    Rules belong to rows, not to a notebook: a second notebook on the same holdout goes by what stood there before the first. Where
    the ledger did not have them before the run started (a replay: before the run it repeats), what it did say then of its notebook;
    None when that is nothing. `drafted` is when a draft had the rows at hand that may be gone by now.
    """
    plans, since = list_plans(entries), find_start(run, looks)
    under = next((plan for plan in plans if _says(plan[0].body, task, policy, code)), None)
    is_known = under is not None and since is not None and under[1] <= since
    found = under if is_known else find_newest_plan(plans, run.notebook, since)
    if found is None or run.started is None:
        return None
    planned, time = found
    rule = planned.body["metrics"].get(task)
    if rule is None:
        return None
    drafts = [look.since for look in looks if look.run is None]
    return PlanFact(
        sequence=planned.sequence,
        time=time,
        policy_digest=planned.body["policy"],
        metric=rule["metric"],
        direction=rule["direction"],
        margin=rule["margin"],
        slices=tuple(planned.body["slices"]),
        holdout_digest=planned.body.get("holdout"),
        started=run.started,
        first_scored=min([run.started, *(look.since for look in looks), *filter(None, [drafted])]),
        code=rule.get("code"),
        drafted=min([*drafts, *filter(None, [drafted])], default=None),
    )


def _says(body: Mapping[str, Any], task: str, policy: str, code: str | None) -> bool:
    """True for a plan by this policy, whose metric of the project's own was this one."""
    return body.get("policy") == policy and body["metrics"].get(task, {}).get("code") == code
