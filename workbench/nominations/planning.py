"""Plans: how a notebook's runs will be judged is in the ledger before the first of them starts."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from workbench.checks import read_policy
from workbench.comparisons.tries import holdout_digest, runs_on_holdout_of
from workbench.errors import Refused, Unavailable, UsageError, WorkbenchError
from workbench.evidence.evidence import PlanFact
from workbench.ledger.ledger import Entry, Event
from workbench.policies.policy import Policy
from workbench.policies.policy_files import find_policy
from workbench.runs.project import Project
from workbench.runs.run import Run
from workbench.stats.metrics import METRICS

_RECENT_RUNS = 20
_LOG = logging.getLogger(__name__)


def record_plan(project: Project, notebook: str) -> None:
    """Write down by which rules runs of a notebook will be judged, unless the newest plan says just that.

    A run is no privileged deed: one whose plan cannot be written goes on, with a warning.
    """
    try:
        policy = read_policy(find_policy(project.settings.policy))
        recent = project.store.list_runs(notebook=notebook, limit=_RECENT_RUNS)
        body = _describe_plan(policy, next(filter(None, map(holdout_digest, recent)), None))
        known = find_plan(project.store.read_ledger(), notebook)
        if known is None or known.body != body:
            project.store.append_entry(Event.PLANNED, actor=project.settings.acting_author, subject=notebook, body=body)
    except (Refused, Unavailable, UsageError) as exc:
        _LOG.warning("%s", _explain(exc))


def _explain(exc: WorkbenchError) -> WorkbenchError:
    return WorkbenchError(
        "How these runs will be judged is not in the ledger; they run all the same.",
        why=[exc.what, *exc.reasons, "Under a policy that asks for a plan they cannot be promoted."],
        next_step=exc.next_step,
    )


def _describe_plan(policy: Policy, holdout: str | None) -> dict[str, Any]:
    metrics = {
        task: {"metric": rule.name, "direction": METRICS[rule.name].direction, "margin": rule.margin}
        for task, rule in policy.metrics.items()
    }
    named = {"policy": policy.digest, "policy_name": policy.name}
    return {**named, "metrics": metrics, "slices": list(policy.slices), "holdout": holdout}


def find_plan(entries: Sequence[Entry], notebook: str, *, before: str | None = None) -> Entry | None:
    """Return the newest plan of a notebook, or the newest from before a time (ISO 8601 UTC); None when there is none.

    An entry is never older than those before it: one that is dated back is as late as the latest of them.
    """
    latest = accumulate((entry.time for entry in entries), max)
    plans = [
        entry
        for entry, time in zip(entries, latest, strict=True)
        if entry.event is Event.PLANNED and entry.subject == notebook and (before is None or time <= before)
    ]
    return plans[-1] if plans else None


def describe_plan(run: Run, task: str, entries: Sequence[Entry], runs: Iterable[Run]) -> PlanFact | None:
    """Return what the ledger said before a run started about how it would be judged; None when it said nothing."""
    planned = find_plan(entries, run.notebook, before=run.started)
    rule = planned.body["metrics"].get(task) if planned else None
    if planned is None or rule is None or run.started is None:
        return None
    alike = [other.started for other in runs_on_holdout_of(run, runs) if other.started]
    return PlanFact(
        sequence=planned.sequence,
        time=planned.time,
        policy_digest=planned.body["policy"],
        metric=rule["metric"],
        direction=rule["direction"],
        margin=rule["margin"],
        slices=tuple(planned.body["slices"]),
        holdout_digest=planned.body["holdout"],
        started=run.started,
        first_scored=min([run.started, *alike]),
    )
