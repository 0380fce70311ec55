"""Tries: how often rows were looked at, and by which other rules, counted once for compare, review and model card."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from workbench.comparisons.other_splits import NO_SPLITS, OtherSplits
from workbench.ledger.ledger import Entry, Event
from workbench.records.digest import short
from workbench.runs.looks import Look, count_distinct
from workbench.runs.run import Run

# A plan of the ledger, with the time from which it counts.
Plan = tuple[Entry, str]


def count_tries(looks: Sequence[Look], other_rules: Sequence[str], splits: OtherSplits = NO_SPLITS) -> int:
    """Return how many chances there were to be lucky: what was seen differently, on other splits too, and each other policy."""
    return count_distinct([*looks, *splits.anew]) + len(other_rules)


def list_plans(entries: Sequence[Entry]) -> list[Plan]:
    """Return the plans of a ledger with the times from which they count: one dated back is as late as the latest entry before."""
    latest = accumulate((entry.time for entry in entries), max)
    return [(entry, time) for entry, time in zip(entries, latest, strict=True) if entry.event is Event.PLANNED]


def find_newest_plan(plans: Sequence[Plan], notebook: str, before: str | None) -> Plan | None:
    """Return the newest plan of a notebook, or the newest from before a time (ISO 8601 UTC); None when there is none."""
    own = [plan for plan in plans if plan[0].subject == notebook]
    count = len(own) if before is None else bisect_right(own, before, key=lambda plan: plan[1])
    return own[count - 1] if count else None


def find_start(run: Run, looks: Iterable[Look]) -> str | None:
    """Return when a run started, of a replay when the run did that it repeats: nothing that was planned since is a rule of it."""
    return _find_start(run, _index(looks))


def _index(looks: Iterable[Look]) -> dict[str, Run]:
    return {look.run.id: look.run for look in looks if look.run is not None}


def _find_start(run: Run, by_id: Mapping[str, Run]) -> str | None:
    passed = set[str]()
    while (origin := by_id.get(run.provenance.get("replay_of", ""))) and origin.id not in passed:
        passed.add(origin.id)
        run = origin
    return run.started


def find_other_rules(policy: str, entries: Sequence[Entry], looks: Sequence[Look]) -> tuple[str, ...]:
    """Return the policies besides this one (a digest) that runs on one holdout were planned under once it had been scored.

    Each is spelled by its name and digest, and is a try more.
    """
    plans = list_plans(entries)
    if not plans:
        return ()
    alike = [look.run for look in looks if look.run is not None and look.run.started]
    first, by_id = min((other.started or "" for other in alike), default=""), _index(looks)
    asked = {(other.notebook, _find_start(other, by_id)) for other in alike}
    newest = (find_newest_plan(plans, notebook, start) for notebook, start in asked)
    later = {_digest_of(plan): _spell(plan) for plan in newest if plan is not None and plan[1] > first}
    stood = {policy, *(_digest_of(plan) for plan in plans if plan[1] <= first)}
    return tuple(sorted(spelled for digest, spelled in later.items() if digest not in stood))


def _digest_of(plan: Plan) -> str:
    return str(plan[0].body.get("policy"))


def _spell(plan: Plan) -> str:
    return f"{plan[0].body.get('policy_name')} (sha256 {short(_digest_of(plan))})"
