"""Nominating: from a finished run to frozen bytes and facts that do not change any more."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench import spool
from workbench.config import Settings
from workbench.domain.comparison import Comparison
from workbench.domain.digest import sha256_hex
from workbench.domain.evidence import DatasetFact, Evidence, HoldoutFact, Identity, ModelFact, ScoreFact
from workbench.domain.policy import MetricRule
from workbench.domain.release import MANIFEST, write_manifest
from workbench.domain.run import Execution, Run
from workbench.errors import Refused, UsageError
from workbench.packaging.bentoml_packager import stage_bundle
from workbench.packaging.model_inspection import inspect_model
from workbench.packaging.release_folder import read_tree, write_tree
from workbench.stats import METRICS
from workbench.tracking.mlflow_tracker import MlflowTracker
from workbench.workflow.collecting import RECORD, LoggedTable, count_shared_rows, read_tables
from workbench.workflow.comparing import Predictions, compare_runs, find_holdout, read_predictions
from workbench.workflow.nominees import FACTS, FROZEN_POLICY, read_policy

_LARGEST_DIFFERENCE = 1e-4
_RUN_AGAIN = "Run the notebook again, then nominate that run."


@dataclass(frozen=True)
class Nomination:
    """What is to be nominated: a finished run, for which model (its endpoint has the same name), under which policy.

    `baseline` is the run it is held against, None for a constant prediction; `tried` counts the runs on its holdout;
    `last_version` is the highest that was nominated before.
    """

    run: Run
    model: str
    policy_bytes: bytes
    nominator: str
    baseline: Run | None
    tried: int
    last_version: int


def plan_nomination(run: Run, **parts: Any) -> Nomination:
    """Return the nomination of a run once its policy is known to be readable."""
    nomination = Nomination(run, **parts)
    read_policy(nomination.policy_bytes)
    return nomination


def freeze_nominee(plan: Nomination, settings: Settings, tracker: MlflowTracker) -> tuple[str, dict[str, Any]]:
    """Freeze the bytes that would be served, compute the facts and register the version.

    Returns the nominee's name and what the ledger is to say about it. The folder appears whole or not at all.
    """
    folder = settings.models_folder / plan.model
    folder.mkdir(parents=True, exist_ok=True)
    run_folder = settings.runs_folder / plan.run.id
    with tempfile.TemporaryDirectory(prefix=".inspect-", dir=folder) as scratch:
        fact, bundle = _freeze_bundle(Path(scratch), run_folder)
    facts = _compute_facts(plan, settings, fact, bundle_digest=sha256_hex(bundle[MANIFEST]))
    facts.to_bytes()  # what cannot be written down must not leave a version in MLflow
    version = tracker.register_version(plan.model, plan.run, after=plan.last_version)
    facts = replace(facts, identity=replace(facts.identity, version=version))
    frozen = {
        FACTS: facts.to_bytes(),
        FROZEN_POLICY: plan.policy_bytes,
        spool.PREDICTIONS: (run_folder / spool.PREDICTIONS).read_bytes(),
    }
    write_tree({**{f"bundle/{path}": content for path, content in bundle.items()}, **frozen}, folder / str(version))
    body = {"run": plan.run.id, "endpoint": plan.model, "manifest": facts.identity.bundle_digest}
    return f"{plan.model}/{version}", body | {name: sha256_hex(content) for name, content in frozen.items()}


def _compute_facts(plan: Nomination, settings: Settings, model: ModelFact, *, bundle_digest: str) -> Evidence:
    """Return the facts about a run that hold whatever people answer and whatever is served; the version is not known yet."""
    folder = settings.runs_folder / plan.run.id
    files = read_tree(folder)
    predictions, score, baseline = _score(plan, settings)
    return Evidence(
        identity=_identify(plan, bundle_digest),
        execution=Execution(**plan.run.record["execution"]),
        files_unmodified=_is_unmodified(plan.run, files),
        datasets=tuple(DatasetFact(**item) for item in plan.run.record["datasets"]),
        holdout=_describe_holdout(plan.run, files, predictions),
        score=score,
        baseline=baseline,
        champion=None,
        champion_version=None,
        model=model,
        answers={},
    )


def _identify(plan: Nomination, bundle_digest: str) -> Identity:
    run, provenance = plan.run, plan.run.provenance
    return Identity(
        model=plan.model,
        version=0,
        endpoint=plan.model,
        run_id=run.id,
        run_state=run.state,
        draft=False,
        authors=tuple(sorted({run.author, plan.nominator})),
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
    score = _describe_score(plan.run, predictions, policy.metrics[predictions.task])
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


def _describe_holdout(run: Run, files: Mapping[str, bytes], predictions: Predictions) -> HoldoutFact | None:
    if find_holdout(run) is None:
        return None
    tables = _read_recorded_tables(run, files)
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
    value = metric.value(predictions.truth, predictions.score)
    if not math.isfinite(value):
        return None
    return ScoreFact(predictions.task, rule.name, metric.direction, value, run.metrics.get(rule.name))


def _freeze_bundle(scratch: Path, run_folder: Path) -> tuple[ModelFact, dict[str, bytes]]:
    """Inspect a run's model in a process of its own and return the facts with the files that would be served."""
    compiled = scratch / "model.onnx"
    logged = run_folder / spool.MODEL
    if not logged.is_dir():
        raise UsageError(
            f"Run {run_folder.name} logged no model.",
            next_step="Call `wb.log_model(model, features)` in the notebook and run it again.",
        )
    fact = inspect_model(
        logged,
        features=run_folder / spool.FEATURES,
        scores=run_folder / spool.PREDICTIONS,
        largest_difference=_LARGEST_DIFFERENCE,
        onnx_path=compiled,
    )
    files = read_tree(logged)
    served = {"contract.json": files["contract.json"]} if "contract.json" in files else {}
    if fact.served_as == "onnx":
        served["model.onnx"] = compiled.read_bytes()
    elif "model.skops" in files:
        served["model.skops"] = files["model.skops"]
    bundle = stage_bundle(served)
    return fact, {**bundle, MANIFEST: write_manifest(bundle)}
