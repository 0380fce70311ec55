"""Freezing: the bytes that would be served, from what a run kept of its model, and what a confined process saw of them."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import Unavailable
from workbench.files.scratch_folders import scratch_folder
from workbench.files.trees import write_tree
from workbench.models.model_files import CONTRACT_FILE, ONNX_FILE, SKOPS_FILE
from workbench.models.model_inspection import HoldoutFiles, Inspection, Tolerance, try_model
from workbench.models.own_modules import is_own_file
from workbench.models.served_code import stage_bundle
from workbench.models.served_model import FILES
from workbench.nominations.obstacles import require_model
from workbench.policies.policy import Policy
from workbench.reviews.bundle import MANIFEST, write_manifest
from workbench.runs.folder import FEATURES, MODEL, PREDICTIONS, TRAINING
from workbench.runs.kept_run import KeptRun

INSPECTED = ".inspect-"


def _find_tolerance(policy: Policy) -> Tolerance:
    """Return what the policy's own checks will ask of what is served, where that is less than what is allowed anyway."""
    usual = Tolerance()
    asked = {
        name: policy.checks.get(name, {}).get("largest_difference") for name in ("model_loads", "numerically_sound")
    }
    score, batch = asked["model_loads"], asked["numerically_sound"]
    return Tolerance(min(usual.score, usual.score if score is None else score), usual.batch if batch is None else batch)


def freeze_bundle(kept: KeptRun, policy: Policy, folder: Path) -> tuple[Inspection, dict[str, bytes]]:
    """Inspect a run's model in a process of its own and return the facts with the files that would be served.

    The process reads a copy, in a temporary folder below `folder`, of the bytes that were read of the run.
    """
    require_model(kept.run, kept.files)
    data = {name: kept.files[name] for name in (FEATURES, PREDICTIONS, TRAINING) if name in kept.files}
    with scratch_folder(folder, INSPECTED) as scratch:
        copy, compiled = scratch / "run", scratch / ONNX_FILE
        write_tree({**data, **{f"{MODEL}/{path}": content for path, content in kept.model_files.items()}}, copy)
        inspection = try_model(
            copy / MODEL,
            data=HoldoutFiles(copy / FEATURES, copy / PREDICTIONS, copy / TRAINING),
            tolerance=_find_tolerance(policy),
            onnx_path=compiled,
            allows_own_code=policy.allows_own_code,
        )
        graph = compiled.read_bytes() if compiled.is_file() else b""
    bundle = stage_bundle(_choose_served(kept.model_files, graph, inspection))
    return inspection, {**bundle, MANIFEST: write_manifest(bundle)}


def _choose_served(files: dict[str, bytes], graph: bytes, inspection: Inspection) -> dict[str, bytes]:
    """Return the files of the model that would be served; of one that cannot be, what was logged is kept for whoever looks why."""
    served = {CONTRACT_FILE: files[CONTRACT_FILE]} if CONTRACT_FILE in files else {}
    for name in FILES.get(inspection.model.served_as or "", (SKOPS_FILE,)):
        if name == ONNX_FILE and not graph:
            raise Unavailable("The compiled model was not written.", next_step="Nominate the run again.")
        if name == ONNX_FILE:
            served[name] = graph
        elif name in files:
            served[name] = files[name]
    if SKOPS_FILE in served:
        served |= {name: content for name, content in files.items() if is_own_file(name)}
    return served
