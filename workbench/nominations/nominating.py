"""Nominating: from a finished run to frozen bytes and facts that do not change any more."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from workbench.comparisons.comparing import Reference, compare_runs, constant_reference
from workbench.comparisons.comparison import name_run
from workbench.comparisons.looking import find_looks, find_other_splits
from workbench.comparisons.tries import find_other_rules
from workbench.config import Settings, find_template
from workbench.errors import Refused
from workbench.evidence.evidence import Evidence
from workbench.evidence.holdout_rows import HoldoutRows, find_rows, spell_rows
from workbench.evidence.measures.tries import measure_tries
from workbench.evidence.measuring import MeasuredRun, measure_run
from workbench.files.trees import write_tree
from workbench.ledger.history import served_version
from workbench.models.judging import confine_frozen
from workbench.models.model_inspection import Inspection
from workbench.models.predictions import Predictions, spell_predictions
from workbench.nominations.freezing import freeze_bundle
from workbench.nominations.nomination import Nomination
from workbench.nominations.obstacles import require_holdout, require_model
from workbench.nominations.planning import describe_plan, read_own_policy
from workbench.notebooks.notebook import extract_source
from workbench.policies.own_metrics import FrozenMetric
from workbench.policies.registering import freeze_metric
from workbench.records.clock import is_since
from workbench.records.digest import canonical_json, sha256_hex
from workbench.replays.replay import Replay
from workbench.replays.replaying import describe_replay
from workbench.reviews.bundle import MANIFEST
from workbench.reviews.challenging import Asked, Before, Challenger, Unanswered, ask_champion, describe_fault
from workbench.reviews.nominees import (
    ASKED,
    CARD_TEMPLATE,
    CHAMPION_PREDICTIONS,
    CHECKLIST,
    FACTS,
    FROZEN_POLICY,
    LOCAL_CODE,
    OWN_METRIC,
    SOURCE,
    TRAINING_ROWS,
    find_approved,
    read_before,
)
from workbench.runs.folder import HOLDOUT, NOTEBOOK, PREDICTIONS
from workbench.runs.keeping import read_kept_run, read_recorded
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.project import Project
from workbench.runs.run import Run
from workbench.runs.training_rows import find_training, spell_training
from workbench.stats.task import Task


def plan_nomination(project: Project, run: Run, *, replay: Callable[[str], Replay], **parts: Any) -> Nomination:
    """Return the nomination of a run once its policy and its predictions are known to be readable.

    Where the policy asks whether the run can be reproduced, the newest replay of it says so, or one that `replay` makes now.
    """
    require_holdout(run)
    _require_ended(run, project.store.ledger.clock())
    kept = read_kept_run(run, project.settings.runs_folder / run.id)
    require_model(run, kept.files)
    metric = _freeze_metric(project, kept.predictions.task, parts["policy_bytes"])
    plan, predictions = Nomination(kept, metric=metric, judge=confine_frozen(metric), **parts), kept.predictions
    runs = project.store.list_runs()
    entries = project.store.read_ledger()
    looks = find_looks(project, run)
    splits = find_other_splits(project, run, looks)
    others = find_other_rules(plan.policy.digest, entries, looks)

    def read(other: Run) -> Predictions:
        return predictions if other.id == run.id else read_recorded(other, project.settings.runs_folder / other.id)

    tries = measure_tries(looks, plan.policy.rule_of(predictions.task), read, other_rules=others, splits=splits)
    return replace(
        plan,
        approved=find_approved(plan.model, settings=project.settings, entries=entries),
        known_until=max(filter(None, (each.ended for each in runs)), default=""),
        planned=describe_plan(
            run, predictions.task, plan.policy.digest, entries, looks, code=metric.code if metric else None
        ),
        tries=tries,
        replay=describe_replay(project, kept, runs, replay) if "replay_agrees" in plan.policy.checks else None,
    )


def _freeze_metric(project: Project, task: str, policy: bytes) -> FrozenMetric | None:
    """Return the metric of the project's own that a policy judges a task by, as it is now; None where it is a built-in one."""
    folder = project.settings.project
    rule = read_own_policy(policy, folder).metrics.get(cast("Task", task))
    return freeze_metric(folder, rule.name) if rule else None


def _require_ended(run: Run, now: str) -> None:
    """Raise Refused for a run that ended later than it is now by this machine's clock: one of the two times is wrong."""
    if run.ended and not is_since(now, run.ended):
        raise Refused(
            f"Refused: nominate run {run.id}.",
            why=f"It ended at {run.ended}, and this machine's clock says {now}.",
            next_step="Set this machine's clock right; if the other one was wrong, run the notebook again.",
        )


def find_champion(project: Project, model: str) -> Before | None:
    """Return the version a nominee of now is held against, None where nothing is served yet."""
    entries = project.store.read_ledger()
    version = served_version(entries, model)
    return read_before(model, version, project.settings, entries) if version else None


def freeze_nominee(
    plan: Nomination, settings: Settings, tracker: MlflowTracker, champion: Before | None = None
) -> tuple[str, dict[str, Any]]:
    """Freeze the bytes that would be served, compute the facts, ask the champion about the same rows and register the version.

    Returns the nominee's name and what the ledger is to say about it. The folder appears whole or not at all.
    """
    folder = settings.models_folder / plan.model
    folder.mkdir(parents=True, exist_ok=True)
    inspection, bundle = freeze_bundle(plan.kept, plan.policy, folder)
    facts = compute_facts(plan, settings, inspection, sha256_hex(bundle[MANIFEST]))
    checklist = find_template("checklist.yaml").read_bytes()
    facts = replace(facts, checklist_digest=sha256_hex(checklist))
    facts.to_bytes()  # what cannot be written down must not leave a version in MLflow
    rows, training = find_rows(plan.kept), find_training(plan.kept.tables)
    asked = _ask_champion(plan, facts, rows, champion) if champion else None
    version = tracker.register_version(plan.model, plan.run, after=plan.last_version)
    facts = replace(facts, identity=replace(facts.identity, version=version))
    frozen = {
        FACTS: facts.to_bytes(),
        FROZEN_POLICY: plan.policy_bytes,
        CHECKLIST: checklist,
        CARD_TEMPLATE: find_template(CARD_TEMPLATE).read_bytes(),
        LOCAL_CODE: canonical_json(plan.kept.local_sources),
        SOURCE: extract_source(json.loads(plan.kept.files[NOTEBOOK])),
        PREDICTIONS: plan.kept.files[PREDICTIONS],
        **({OWN_METRIC: plan.metric.to_bytes()} if plan.metric else {}),
        **({HOLDOUT: spell_rows(rows)} if rows else {}),
        **({TRAINING_ROWS: spell_training(training)} if training else {}),
        **({CHAMPION_PREDICTIONS: asked.predictions} if asked and asked.predictions else {}),
    }
    write_tree({**{f"bundle/{path}": content for path, content in bundle.items()}, **frozen}, folder / str(version))
    body = {
        "run": plan.run.id,
        "endpoint": plan.model,
        "policy": plan.policy_name,
        "manifest": facts.identity.bundle_digest,
        "baseline": plan.baseline.id if plan.baseline else None,
        "known_until": plan.known_until,
        "authors": list(plan.authors),
        "ended": plan.run.ended,
        **({ASKED: {"version": asked.version, "fault": asked.fault}} if asked else {}),
    }
    return f"{plan.model}/{version}", body | {name: sha256_hex(content) for name, content in frozen.items()}


def _ask_champion(plan: Nomination, facts: Evidence, rows: HoldoutRows | None, champion: Before) -> Asked | None:
    """Return what the champion says about the nominee's rows, None where its own run was judged on them."""
    try:
        predictions = ask_champion(facts, Challenger(plan.run.id, plan.kept.files[PREDICTIONS], lambda: rows), champion)
    except Unanswered as exc:
        return Asked(champion.version, None, describe_fault(exc))
    return Asked(champion.version, spell_predictions(predictions, {}), None) if predictions else None


def recompute_facts(plan: Nomination, frozen: Evidence, settings: Settings) -> Evidence:
    """Compute the facts of a nomination again from what the run kept; bundle, version and checklist stay the frozen ones."""
    with tempfile.TemporaryDirectory(prefix="recompute-") as scratch:
        inspection, _ = freeze_bundle(plan.kept, plan.policy, Path(scratch))
    facts = compute_facts(plan, settings, inspection, frozen.identity.bundle_digest)
    identity = replace(facts.identity, version=frozen.identity.version)
    return replace(facts, identity=identity, checklist_digest=frozen.checklist_digest)


def compute_facts(plan: Nomination, settings: Settings, inspection: Inspection, bundle_digest: str) -> Evidence:
    """Return the facts about a run that hold whatever people answer and whatever is served; the version is not known yet."""
    kept, other = plan.kept, plan.baseline
    known = {plan.run.id: kept.predictions}
    if other is not None:
        known |= {other.id: read_recorded(other, settings.runs_folder / other.id)}
    compared = compare_runs(
        [plan.run],
        against=other,
        policy=plan.policy,
        tried=plan.tries.distinct if plan.tries else 1,
        other_rules=len(plan.tries.other_rules) if plan.tries else 0,
        other_splits=plan.tries.other_splits if plan.tries else 0,
        read=lambda run: known[run.id],
    )
    reference = Reference(name_run(other.id), known[other.id]) if other else constant_reference(kept.predictions)
    measured = MeasuredRun(kept, plan.policy, inspection, reference, compared, plan.named, plan.approved)
    return Evidence(
        identity=plan.identify(bundle_digest),
        champion=None,
        champion_version=None,
        answers={},
        plan=plan.planned,
        replay=plan.replay,
        tries=plan.tries,
        **measure_run(measured),
    )
