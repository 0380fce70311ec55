"""A governed project for proofs about releases: everything in it is real but small, and what only reads is remembered."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import mlflow.store.db.utils as mlflow_database

from tests.conftest import AUTHOR, NOTEBOOKS
from tests.integration.governed import MODEL, ROLES, STRANGER, Governed, trust
from workbench import checks as policies
from workbench.config import Settings
from workbench.evidence.measures.authorship import measure_authorship
from workbench.files.trees import write_tree
from workbench.ledger import sqlalchemy_database
from workbench.models.model_inspection import HoldoutFiles
from workbench.nominations import freezing, nominating
from workbench.nominations.nomination import Nomination
from workbench.records.digest import sha256_hex
from workbench.releases import bentoml_packager, releases
from workbench.reviews import nominees, said
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.signing import ssh_signatures
from workbench.signing.ssh_signatures import REVOKED_KEYS, make_key
from workbench.signing.statement import Signed, Signer
from workbench.workflow import Workbench

_SERVED_CODE = {"workbench/bentoml_service.py": b'"""Stands for the serving code."""\n'}
SEEN = "seen"
# Not the standard policy: it has a run replayed and dozens of facts computed, which other tests try.
POLICY = Path(__file__).with_name("few_checks.yaml")
_COPIES = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2])"


def make_world(folder: Path, *, nominees: int = 2, blank: Path | None = None) -> Governed:
    """Make a project with reviewers' keys in which shop/1, shop/2, … are nominated and answered, and nothing is served yet.

    `blank` is an MLflow database with its tables, to be copied: making them takes seconds.
    """
    project, keys = folder / "project", folder / "keys"
    (project / "runs").mkdir(parents=True)
    (project / "workbench.toml").write_text(f'author = "{AUTHOR}"\n', encoding="utf-8")
    if blank is not None:
        shutil.copy(blank, project / "runs" / "mlflow.db")
    for principal in (*ROLES, STRANGER, AUTHOR):
        make_key(keys / principal.partition("@")[0], principal)
    governed = Governed(open_project(project), keys)
    trust(governed.bench.settings, keys)
    notebook = Path(shutil.copy(NOTEBOOKS / "logs_everything.ipynb", governed.project))
    run = governed.bench.run(notebook, {"strength": 1.0, "columns": 4})
    for _ in range(nominees):
        governed.answer_all(governed.bench.nominate(run.id, MODEL, policy=str(POLICY)).subject)
    governed.bench.store.close()
    return governed


def open_project(project: Path) -> Workbench:
    """Open a project that keeps within itself what was seen of its ledger: that is killed, torn and put back with it."""
    return Workbench.open(Settings(project, author=AUTHOR, checkpoints=SEEN))


def copy_world(template: Governed, folder: Path) -> Governed:
    """Copy a project to a folder that does not exist yet."""
    return Governed(open_project(Path(shutil.copytree(template.project, folder))), template.keys)


@contextmanager
def quick_parts() -> Iterator[None]:
    """Remember what only reads, and stand in for BentoML, which does nothing with these files but copy them.

    A signature's verdict depends on the statement's bytes, the signature's, the signer (with the time that the statement
    names) and the bytes of the allowed-signers file and of the revoked keys beside it, and on nothing else: with the same five it
    is the same. The facts of a run depend on its folder, which no proof here changes, and on what was known when it was nominated;
    a policy and a checklist on their bytes, and MLflow's newest schema on what is installed.
    """
    with (
        patch.object(said, "find_signature_fault", remember_signatures()),
        patch.object(releases, "find_signature_fault", remember_signatures()),
        patch.object(freezing, "stage_bundle", _stage_little),
        patch.object(freezing, "try_model", _remember_trials()),
        patch.object(nominating, "recompute_facts", _remember_facts()),
        patch.object(nominees, "read_frozen_policy", cache(policies.read_frozen_policy)),
        patch.object(nominees, "parse_checklist", cache(nominees.parse_checklist)),
        patch.object(releases, "read_frozen_policy", cache(policies.read_frozen_policy)),
        patch.object(
            mlflow_database, "_get_latest_schema_revision", cache(mlflow_database._get_latest_schema_revision)
        ),
        patch.object(sqlalchemy_database, "_make_engine", cache(sqlalchemy_database._make_engine)),
        patch.object(bentoml_packager, "_build", _build_quickly),
    ):
        yield


def remember_signatures() -> Callable[..., str | None]:
    """Return `find_signature_fault` with a memory."""
    known: dict[tuple[Any, ...], str | None] = {}

    def find_fault(signed: Signed, signer: Signer, *, allowed_signers: Path) -> str | None:
        files = (allowed_signers, allowed_signers.with_name(REVOKED_KEYS))
        key = (signed, signer, *(path.read_bytes() if path.is_file() else None for path in files))
        if key not in known:
            known[key] = ssh_signatures.find_signature_fault(signed, signer, allowed_signers=allowed_signers)
        return known[key]

    return find_fault


def _stage_little(model_files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {**_SERVED_CODE, **{f"release/model/{name}": content for name, content in model_files.items()}}


def _remember_trials() -> Callable[..., Any]:
    known: dict[str, Any] = {}
    try_model = freezing.try_model

    def try_once(model_folder: Path, *, onnx_path: Path, data: HoldoutFiles, **asked: Any) -> Any:
        given = [path.read_bytes() for path in (model_folder / "model.skops", data.features, data.scores)]
        key = sha256_hex(b"".join(sha256_hex(content).encode() for content in given))
        if key not in known:
            inspection = try_model(model_folder, onnx_path=onnx_path, data=data, **asked)
            known[key] = (inspection, onnx_path.read_bytes() if onnx_path.is_file() else None)
        inspection, compiled = known[key]
        if compiled is not None:
            onnx_path.write_bytes(compiled)
        return inspection

    return try_once


def _remember_facts() -> Callable[..., Any]:
    known: dict[str, Any] = {}
    recompute = nominating.recompute_facts

    def recompute_once(plan: Nomination, frozen: Any, settings: Any) -> Any:
        key = repr((replace(plan, last_version=0, approved=None), sorted(map(sha256_hex, plan.kept.files.values()))))
        if key not in known:
            known[key] = recompute(plan, frozen, settings)
        # These three are taken from what was frozen, as they are when nothing is remembered.
        kept = {"version": frozen.identity.version, "bundle_digest": frozen.identity.bundle_digest}
        identity = replace(known[key].identity, **kept, authors=plan.authors)
        # And this depends on what was released before.
        written = measure_authorship(plan.kept.authorship, plan.approved, plan.policy.authors)
        return replace(known[key], identity=identity, checklist_digest=frozen.checklist_digest, authorship=written)

    return recompute_once


def _build_quickly(scratch: Path, files: Mapping[str, bytes], name: str, version: str, bentofile: bytes) -> Path:
    """Do what the packager does, with a process that copies in BentoML's place."""
    write_tree(files, scratch / "context")
    (scratch / "bentofile.yaml").write_bytes(bentofile)
    built = scratch / "home" / "bentos" / name / version
    built.mkdir(parents=True)
    command = [sys.executable, "-I", "-S", "-c", _COPIES, str(scratch / "context"), str(built / "src")]
    environment = bentoml_packager._environment(scratch)
    subprocess.run(command, cwd=scratch, env=environment, capture_output=True, timeout=60, check=True)
    return built


def read_body(entry: Any) -> dict[str, Any]:
    """Return a copy of an entry's body that may be changed."""
    return dict(json.loads(json.dumps(entry.body)))


def forget_connections(tracker: MlflowTracker) -> None:
    """Close what MLflow's client holds open; it connects again when it is asked."""
    client = tracker._client
    for part in (client._tracking_client, client._get_registry_client()):
        part.store.engine.dispose()
