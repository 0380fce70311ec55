"""Nominating: from a finished run to frozen bytes and facts that do not change any more."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.checks import read_policy
from workbench.comparisons.comparing import (
    Reference,
    compare_runs,
    constant_reference,
    count_tries,
    find_holdout,
    find_scored,
    read_recorded,
)
from workbench.comparisons.comparison import Comparison, name_run
from workbench.comparisons.slicing import describe_slices
from workbench.config import Settings, find_template
from workbench.errors import Refused, UsageError
from workbench.evidence.disclosing import find_disclosures
from workbench.evidence.disturbing import describe_robustness
from workbench.evidence.evidence import Evidence, HoldoutFact, Identity, PlanFact, ScoreFact
from workbench.evidence.evidencing import (
    describe_calibration,
    describe_leakage,
    describe_sample,
    describe_tables,
    describe_tries,
    read_features,
)
from workbench.evidence.facts import TriesFact
from workbench.evidence.tabulating import describe_classes, read_threshold
from workbench.files.trees import read_tree, write_tree
from workbench.models.model_files import CONTRACT_FILE, ONNX_FILE, SKOPS_FILE
from workbench.models.model_inspection import HoldoutFiles, Inspection, Tolerance, try_model
from workbench.models.own_modules import is_own_file
from workbench.models.predictions import Predictions, parse_slices, read_predictions
from workbench.models.served_code import stage_bundle
from workbench.models.served_model import FILES
from workbench.nominations.planning import describe_plan
from workbench.notebooks.execution import Execution
from workbench.notebooks.notebook import extract_source
from workbench.policies.policy import MetricRule, Policy
from workbench.records.digest import sha256_hex, strict_json
from workbench.replays.replay import Replay, ReplayFact
from workbench.replays.replaying import describe_replay
from workbench.reviews.bundle import MANIFEST, write_manifest
from workbench.reviews.nominees import CARD_TEMPLATE, CHECKLIST, FACTS, FROZEN_POLICY, SOURCE
from workbench.runs import spool
from workbench.runs.collecting import NOTEBOOK, RECORD, LoggedTable, count_shared_rows, read_tables
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.project import Project
from workbench.runs.run import Run
from workbench.runs.tables import DatasetFact
from workbench.stats.metrics import METRICS

_RUN_AGAIN = "Run the notebook again, then nominate that run."


@dataclass(frozen=True)
class Nomination:
    """What is to be nominated: a finished run, for which model (its endpoint has the same name), under which policy.

    `baseline` is the run it is held against, None for a constant prediction; `tried` counts the tries on its holdout that ended by
    `known_until`; `last_version` is the highest that was nominated before. `planned` is what the ledger said of it before it ran,
    `replay` and `tries` what other runs say about it.
    """

    run: Run
    model: str
    policy_name: str
    policy_bytes: bytes
    nominator: str
    baseline: Run | None
    last_version: int
    tried: int = 0
    known_until: str = ""
    planned: PlanFact | None = None
    replay: ReplayFact | None = None
    tries: TriesFact | None = None
    code_authors: tuple[str, ...] = ()

    @property
    def authors(self) -> tuple[str, ...]:
        """Everybody who made it: who ran it, wrote and committed the last change of its notebook and own code, and nominates it."""
        git_authors = self.run.provenance.get("git_authors", ())
        return tuple(sorted({self.run.author, self.nominator, *git_authors, *self.code_authors}))


def plan_nomination(project: Project, run: Run, *, replay: Callable[[str], Replay], **parts: Any) -> Nomination:
    """Return the nomination of a run once its policy and its predictions are known to be readable.

    Where the policy asks whether the run can be reproduced, the newest replay of it says so, or one that `replay` makes now.
    """
    plan, folder = Nomination(run, **parts), project.settings.runs_folder / run.id
    _require_holdout(run)
    _require_model(folder)
    policy, predictions = read_policy(plan.policy_bytes), read_predictions(folder)
    runs = project.store.list_runs()
    scored = find_scored(run, runs)
    tries = describe_tries(
        scored, policy.rule_of(predictions.task), lambda each: project.settings.runs_folder / each.id
    )
    return replace(
        plan,
        tried=count_tries(run, runs),
        known_until=max(filter(None, (each.ended for each in runs)), default=""),
        planned=describe_plan(run, predictions.task, project.store.read_ledger(), runs),
        tries=tries,
        code_authors=read_code_authors(folder),
        replay=describe_replay(project, run, runs, replay) if "replay_agrees" in policy.checks else None,
    )


def read_code_authors(run_folder: Path) -> tuple[str, ...]:
    """Return who wrote the own code of a run's model; raises Refused when what the run kept of it cannot be read."""
    path = run_folder / spool.CODE_AUTHORS
    if not path.exists():
        return ()
    try:
        return tuple(str(author) for author in strict_json(path.read_bytes()))
    except (OSError, ValueError, TypeError) as exc:
        raise Refused(
            f"{path.name} of run {run_folder.name} cannot be read.", why=str(exc), next_step=_RUN_AGAIN
        ) from exc


def _require_holdout(run: Run) -> None:
    if find_holdout(run) is None:
        raise UsageError(
            f"Run {run.id} names no holdout.",
            why="What a model is judged by are rows that everybody knows.",
            next_step="Declare them with `wb.log_dataset(holdout, role='holdout')` in the notebook and run it again.",
        )


def _require_model(run_folder: Path) -> None:
    if not (run_folder / spool.MODEL).is_dir():
        raise UsageError(
            f"Run {run_folder.name} logged no model.",
            next_step="Call `wb.log_model(model, features)` in the notebook and run it again.",
        )


def freeze_nominee(plan: Nomination, settings: Settings, tracker: MlflowTracker) -> tuple[str, dict[str, Any]]:
    """Freeze the bytes that would be served, compute the facts and register the version.

    Returns the nominee's name and what the ledger is to say about it. The folder appears whole or not at all.
    """
    folder = settings.models_folder / plan.model
    folder.mkdir(parents=True, exist_ok=True)
    run_folder = settings.runs_folder / plan.run.id
    with tempfile.TemporaryDirectory(prefix=".inspect-", dir=folder) as scratch:
        inspection, bundle = _freeze_bundle(Path(scratch), run_folder, read_policy(plan.policy_bytes))
    facts = _compute_facts(plan, settings, inspection, bundle_digest=sha256_hex(bundle[MANIFEST]))
    checklist = find_template("checklist.yaml").read_bytes()
    facts = replace(facts, checklist_digest=sha256_hex(checklist))
    facts.to_bytes()  # what cannot be written down must not leave a version in MLflow
    version = tracker.register_version(plan.model, plan.run, after=plan.last_version)
    facts = replace(facts, identity=replace(facts.identity, version=version))
    frozen = {
        FACTS: facts.to_bytes(),
        FROZEN_POLICY: plan.policy_bytes,
        CHECKLIST: checklist,
        CARD_TEMPLATE: find_template(CARD_TEMPLATE).read_bytes(),
        SOURCE: extract_source(json.loads((run_folder / NOTEBOOK).read_bytes())),
        spool.PREDICTIONS: (run_folder / spool.PREDICTIONS).read_bytes(),
    }
    write_tree({**{f"bundle/{path}": content for path, content in bundle.items()}, **frozen}, folder / str(version))
    body = {
        "run": plan.run.id,
        "endpoint": plan.model,
        "policy": plan.policy_name,
        "manifest": facts.identity.bundle_digest,
        "baseline": plan.baseline.id if plan.baseline else None,
        "known_until": plan.known_until,
    }
    return f"{plan.model}/{version}", body | {name: sha256_hex(content) for name, content in frozen.items()}


def recompute_facts(plan: Nomination, frozen: Evidence, settings: Settings) -> Evidence:
    """Compute the facts of a nomination again from the run's folder; bundle, version and checklist stay the frozen ones."""
    with tempfile.TemporaryDirectory(prefix="recompute-") as scratch:
        inspection, _ = _freeze_bundle(
            Path(scratch), settings.runs_folder / plan.run.id, read_policy(plan.policy_bytes)
        )
    facts = _compute_facts(plan, settings, inspection, bundle_digest=frozen.identity.bundle_digest)
    identity = replace(facts.identity, version=frozen.identity.version)
    return replace(facts, identity=identity, checklist_digest=frozen.checklist_digest)


def _compute_facts(plan: Nomination, settings: Settings, inspection: Inspection, *, bundle_digest: str) -> Evidence:
    """Return the facts about a run that hold whatever people answer and whatever is served; the version is not known yet."""
    folder = settings.runs_folder / plan.run.id
    files, policy = read_tree(folder), read_policy(plan.policy_bytes)
    predictions, score, baseline = _score(plan, settings)
    tables, features = _read_recorded_tables(plan.run, files), read_features(folder)
    reference = _find_reference(plan, settings, predictions)
    return Evidence(
        identity=_identify(plan, bundle_digest),
        execution=Execution(**plan.run.record["execution"]),
        files_unmodified=_is_unmodified(plan.run, files),
        datasets=tuple(DatasetFact(**item) for item in plan.run.record["datasets"]),
        holdout=_describe_holdout(tables, predictions),
        score=score,
        baseline=baseline,
        champion=None,
        champion_version=None,
        model=inspection.model,
        serving=inspection.serving,
        answers={},
        plan=plan.planned,
        profiles=describe_tables(tables, features),
        leakage=describe_leakage(features, predictions),
        replay=plan.replay,
        tries=plan.tries,
        sample=describe_sample(predictions, tables, features),
        slices=describe_slices(parse_slices(files[spool.PREDICTIONS], plan.run.id), predictions, reference, policy),
        calibration=describe_calibration(predictions),
        robustness=describe_robustness(folder, inspection, policy.rule_of(predictions.task)),
        numerics=inspection.numerics,
        disclosures=find_disclosures(files, known=plan.authors),
        cost=inspection.cost,
        classes=describe_classes(predictions, read_threshold(files), inspection.differing_labels),
        own_code=inspection.own_code,
    )


def _find_reference(plan: Nomination, settings: Settings, predictions: Predictions) -> Reference:
    if plan.baseline is None:
        return constant_reference(predictions)
    return Reference(name_run(plan.baseline.id), read_recorded(plan.baseline, settings.runs_folder / plan.baseline.id))


def _identify(plan: Nomination, bundle_digest: str) -> Identity:
    run, provenance = plan.run, plan.run.provenance
    return Identity(
        model=plan.model,
        version=0,
        endpoint=plan.model,
        run_id=run.id,
        run_state=run.state,
        draft=False,
        authors=plan.authors,
        notebook=run.notebook,
        notebook_digest=run.notebook_digest,
        parameters=run.parameters,
        git_commit=provenance.get("git_commit"),
        git_dirty=provenance.get("git_dirty"),
        lock_digest=provenance.get("lock_digest"),
        bundle_digest=bundle_digest,
        ended=run.ended,
    )


def _score(plan: Nomination, settings: Settings) -> tuple[Predictions, ScoreFact | None, Comparison | None]:
    """Return what was predicted, its score and the comparison with the baseline; None where the metric is not defined."""
    policy = read_policy(plan.policy_bytes)
    predictions = read_predictions(settings.runs_folder / plan.run.id)
    score = _describe_score(plan.run, predictions, policy.rule_of(predictions.task))
    compared = compare_runs(
        [plan.run],
        against=plan.baseline,
        policy=policy,
        tried=plan.tried,
        folder_of=lambda run: settings.runs_folder / run.id,
    )
    return predictions, score, compared if compared.is_defined else None


def _is_unmodified(run: Run, files: Mapping[str, bytes]) -> bool:
    found = {path: sha256_hex(content) for path, content in files.items() if path != RECORD}
    return found == run.record.get("files")


def _describe_holdout(tables: Sequence[LoggedTable], predictions: Predictions) -> HoldoutFact:
    own = next(table for table in tables if table.fact.role == "holdout")
    return HoldoutFact(
        digest=own.fact.digest,
        rows=own.fact.rows,
        shared_rows=count_shared_rows(tables),
        covered=sorted(own.row_ids) == sorted(predictions.rows),
    )


def _read_recorded_tables(run: Run, files: Mapping[str, bytes]) -> list[LoggedTable]:
    """Return the tables of a run; raises Refused when they are not those its record names."""
    try:
        tables = read_tables(files)
    except (ValueError, KeyError, TypeError) as exc:
        raise Refused(f"The datasets of run {run.id} cannot be read.", why=repr(exc), next_step=_RUN_AGAIN) from exc
    if [vars(table.fact) for table in tables] != run.record["datasets"]:
        why = "They are not the ones that were recorded when it ended."
        raise Refused(f"The datasets of run {run.id} were changed.", why=why, next_step=_RUN_AGAIN)
    return tables


def _describe_score(run: Run, predictions: Predictions, rule: MetricRule) -> ScoreFact | None:
    metric = METRICS[rule.name]
    value = metric.score(predictions.truth, predictions.read_by(metric))
    if value is None:
        return None
    return ScoreFact(predictions.task, rule.name, metric.direction, value, run.metrics.get(rule.name))


def _find_tolerance(policy: Policy) -> Tolerance:
    """Return what the policy's own checks will ask of what is served, where that is less than what is allowed anyway."""
    usual = Tolerance()
    asked = {
        name: policy.checks.get(name, {}).get("largest_difference") for name in ("model_loads", "numerically_sound")
    }
    score, batch = asked["model_loads"], asked["numerically_sound"]
    return Tolerance(min(usual.score, usual.score if score is None else score), usual.batch if batch is None else batch)


def _freeze_bundle(scratch: Path, run_folder: Path, policy: Policy) -> tuple[Inspection, dict[str, bytes]]:
    """Inspect a run's model in a process of its own and return the facts with the files that would be served."""
    compiled = scratch / ONNX_FILE
    _require_model(run_folder)
    logged = run_folder / spool.MODEL
    inspection = try_model(
        logged,
        data=HoldoutFiles(run_folder / spool.FEATURES, run_folder / spool.PREDICTIONS, run_folder / spool.TRAINING),
        tolerance=_find_tolerance(policy),
        onnx_path=compiled,
        allows_own_code=policy.allows_own_code,
    )
    files = read_tree(logged)
    served = {CONTRACT_FILE: files[CONTRACT_FILE]} if CONTRACT_FILE in files else {}
    # Of a model that cannot be served, what was logged is kept for whoever looks why.
    for name in FILES.get(inspection.model.served_as or "", (SKOPS_FILE,)):
        if name == ONNX_FILE:
            served[name] = compiled.read_bytes()
        elif name in files:
            served[name] = files[name]
    if SKOPS_FILE in served:
        served |= {name: content for name, content in files.items() if is_own_file(name)}
    bundle = stage_bundle(served)
    return inspection, {**bundle, MANIFEST: write_manifest(bundle)}
