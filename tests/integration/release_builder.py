"""A whole release made from real parts: a trained model, inspected, staged, and signed by two people with real keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.unit.evidence.builders import build_evidence, build_identity
from tests.unit.models.builders import build_contract
from tests.unit.policies.builders import build_policy_bytes
from workbench.models.contract import Contract
from workbench.models.model_facts import ModelFact
from workbench.models.model_files import CONTRACT_FILE, ONNX_FILE, SKOPS_FILE
from workbench.models.model_inspection import HoldoutFiles, Tolerance, try_model
from workbench.models.served_code import stage_bundle
from workbench.records.digest import sha256_hex
from workbench.releases.bentoml_packager import build_bento
from workbench.releases.release import approval_paths
from workbench.reviews.approval import Statement
from workbench.reviews.bundle import CARD, EVIDENCE, MANIFEST, POLICY, SUBJECTS, write_manifest
from workbench.signing.key import Key
from workbench.signing.namespaces import signing_namespace
from workbench.signing.ssh_signatures import allowed_signer, make_key, sign_bytes
from workbench.signing.statement import Signed

BENTOFILE = Path(__file__).parents[2] / "bentofile.yaml"
SIGNERS = {"validator": "vera@example.org", "owner": "otto@example.org"}
COLUMNS = ("x0", "x1", "x2", "x3")
HOLDOUT_ROWS = 200


@dataclass(frozen=True)
class TrainedModel:
    """A fitted classifier with its holdout and the scores it gave there."""

    model: Any
    contract: Contract
    holdout: pd.DataFrame
    scores: np.ndarray

    @property
    def rows(self) -> list[dict[str, float]]:
        """The holdout as a caller would send it."""
        return self.holdout.to_dict("records")


@dataclass(frozen=True)
class InspectedModel:
    """The files of a model and what inspecting them found."""

    files: dict[str, bytes]
    fact: ModelFact
    trained: TrainedModel


@dataclass(frozen=True)
class Signers:
    """Keys by role, and the allowed-signers file that grants them."""

    keys: Mapping[str, Path]
    allowed_signers: Path


def train_model(estimator: Any = None) -> TrainedModel:
    """Fit a classifier (default: a logistic regression on scaled columns) to a table that can be learned."""
    generator = np.random.default_rng(7)
    table = pd.DataFrame(generator.normal(size=(600, len(COLUMNS))), columns=list(COLUMNS))
    truth = (table.x0 + table.x1 + generator.normal(scale=0.3, size=len(table)) > 0).astype(int)
    # An ensemble has a length, which it does not know before it is fitted: "or" would ask for it.
    model = make_pipeline(StandardScaler(), LogisticRegression()) if estimator is None else estimator
    model.fit(table[HOLDOUT_ROWS:], truth[HOLDOUT_ROWS:])
    holdout = table[:HOLDOUT_ROWS]
    contract = build_contract([(name, "f", False) for name in COLUMNS], "classification", positive_class="1")
    return TrainedModel(model, contract, holdout, model.predict_proba(holdout)[:, 1])


def write_model(trained: TrainedModel, folder: Path) -> Path:
    """Write what a notebook would leave behind: the model folder, the holdout's features and its scores."""
    model_folder = folder / "model"
    model_folder.mkdir(parents=True)
    (model_folder / SKOPS_FILE).write_bytes(skops.io.dumps(trained.model))
    (model_folder / CONTRACT_FILE).write_bytes(trained.contract.to_bytes())
    trained.holdout.to_parquet(folder / "features.parquet")
    pd.DataFrame({"score": trained.scores}).to_parquet(folder / "scores.parquet")
    return model_folder


def inspect(folder: Path, **changes: Any) -> ModelFact:
    """Inspect the model that `write_model` wrote into a folder; the compiled model lands beside it."""
    asked = {"data": holdout_files(folder), "tolerance": Tolerance(), "onnx_path": folder / ONNX_FILE}
    return try_model(folder / "model", **{**asked, **changes}).model


def holdout_files(folder: Path) -> HoldoutFiles:
    """Name the files that `write_model` wrote beside the model; there are no training rows."""
    return HoldoutFiles(folder / "features.parquet", folder / "scores.parquet", folder / "training.parquet")


def prepare_model(trained: TrainedModel, folder: Path, **changes: Any) -> InspectedModel:
    """Write and inspect a model and return the files that would be released."""
    model_folder = write_model(trained, folder)
    fact = inspect(folder, **changes)
    files = {CONTRACT_FILE: (model_folder / CONTRACT_FILE).read_bytes()}
    if fact.served_as == "onnx":
        files[ONNX_FILE] = (folder / ONNX_FILE).read_bytes()
    else:
        files[SKOPS_FILE] = (model_folder / SKOPS_FILE).read_bytes()
    return InspectedModel(files, fact, trained)


def make_signers(folder: Path) -> Signers:
    """Make a key for each role and the file that trusts them."""
    keys, lines = {}, []
    for role, principal in SIGNERS.items():
        keys[role] = folder / role
        lines.append(allowed_signer(principal, [role], make_key(keys[role], principal)))
    trusted = folder / "allowed_signers"
    trusted.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Signers(keys, trusted)


def build_unsigned_release(inspected: InspectedModel, *, version: int = 3, **facts: Any) -> dict[str, bytes]:
    """Return the files of a release with everything but approvals; `facts` replace some of the evidence."""
    files = stage_bundle(inspected.files)
    manifest = write_manifest(files)
    identity = build_identity(bundle_digest=sha256_hex(manifest), version=version)
    evidence = build_evidence(identity=identity, model=inspected.fact, **facts).to_bytes()
    return {**files, MANIFEST: manifest, EVIDENCE: evidence, POLICY: build_policy_bytes(), CARD: b"# Card\n"}


def sign_release(files: Mapping[str, bytes], signers: Signers, *, version: int = 3) -> dict[str, bytes]:
    """Return the files with one approval by each signer."""
    signed = dict(files)
    for number, (role, key) in enumerate(sorted(signers.keys.items()), start=1):
        approval = _approve(files, role, key, version)
        statement_path, signature_path = approval_paths(number)
        signed |= {statement_path: approval.statement, signature_path: approval.signature}
    return signed


def _approve(files: Mapping[str, bytes], role: str, key: Path, version: int) -> Signed:
    now = datetime.now(UTC)
    statement = Statement(
        subjects={path: sha256_hex(files[path]) for path in SUBJECTS},
        principal=SIGNERS[role],
        role=role,
        model="tumour",
        version=version,
        endpoint="tumour",
        previous=version - 1,
        sequence=9,
        head=sha256_hex(b"entry 9"),
        issued=(now - timedelta(minutes=1)).isoformat(),
        expires=(now + timedelta(days=30)).isoformat(),
    )
    content = statement.to_bytes()
    return Signed(content, sign_bytes(content, Key(key), signing_namespace(role)))


def build_signed_bento(inspected: InspectedModel, signers: Signers, home: Path, *, version: int = 3) -> Path:
    """Return the folder of a Bento that may be served."""
    files = sign_release(build_unsigned_release(inspected, version=version), signers, version=version)
    return build_bento(files, name="tumour", version=str(version), bentofile=BENTOFILE.read_bytes(), home=home)
