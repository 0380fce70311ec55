"""Bentos that are started as `workbench serve` does, and the processes that they are."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.conftest import free_port
from tests.integration.release_builder import Signers
from workbench.releases.release_audit import audit_folder
from workbench.serving.bentoml_server import BentoServer, serve_bento


def auditor(signers: Signers) -> Callable[[Path], Mapping[str, bytes]]:
    now = datetime.now(UTC).isoformat()
    trusted = signers.allowed_signers
    return lambda folder: audit_folder(folder, allowed_signers=trusted, least_principals=2, now=now).files


def trust(signers: Signers) -> dict[str, str]:
    return {"WORKBENCH_ALLOWED_SIGNERS": str(signers.allowed_signers)}


def start(bento: Path, signers: Signers, log: Path, **changes: Any) -> BentoServer:
    asked = {"audit": auditor(signers), "port": free_port(), "log": log, "environment": trust(signers)}
    return serve_bento(bento, **{**asked, **changes})
