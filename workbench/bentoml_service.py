"""The served process, put together: it answers only when the audit allows the exact bytes it is about to serve.

`bentoml serve` imports this file; importing defines, starting decides. Before a port is opened the hook `audit` runs
in the supervising process, so that a refusal ends the command with every reason; each worker then reads the folder
once, audits those bytes again and loads the model from them. Until that has happened every request is answered with
503.

Trust comes from outside of the bundle: `WORKBENCH_ALLOWED_SIGNERS` names the allowed-signers file and
`WORKBENCH_LEAST_PRINCIPALS` (default 2) how many people must have approved at least. `WORKBENCH_SUBJECT` says which
release is to be served, as model/version; `workbench serve` always says it (default: the one in the folder, for whoever
starts it by hand). `WORKBENCH_ALLOWED_HOSTS` lists the host names requests may ask for, with commas between (default: any).
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bentoml

from workbench.errors import Refused
from workbench.models.contract import Predict, parse_contract
from workbench.models.model_files import CONTRACT_FILE, find_refused_files
from workbench.models.served_model import FILES, load_served
from workbench.releases.release_audit import MODEL, SUBJECT, AuditedRelease, audit_folder, read_own_code
from workbench.serving.answering import DESCRIBING, PREDICT, Access, Observe, ServedModel, build_application
from workbench.serving.counting import make_observer
from workbench.serving.in_front import put_in_front
from workbench.serving.problems import RequestError, describe_problem

ALLOWED_SIGNERS = "WORKBENCH_ALLOWED_SIGNERS"
ALLOWED_HOSTS = "WORKBENCH_ALLOWED_HOSTS"
LEAST_PRINCIPALS = "WORKBENCH_LEAST_PRINCIPALS"
FOLDER = Path(__file__).resolve().parents[1]
REQUEST_TIMEOUT_S = 30


def read_trust() -> tuple[Path, int]:
    """Return the allowed-signers file and the least number of approvers; raises Refused when nobody is trusted."""
    signers, least = os.environ.get(ALLOWED_SIGNERS, ""), os.environ.get(LEAST_PRINCIPALS, "2")
    reasons = []
    if signers and not Path(signers).is_absolute():
        reasons.append(
            f"{ALLOWED_SIGNERS} is {signers!r}, a relative path: what it names depends on who starts this where."
        )
    elif not Path(signers).is_file():
        reasons.append(f"{ALLOWED_SIGNERS} does not name a file: nobody is trusted to approve.")
    if not re.fullmatch(r"[1-9][0-9]{0,3}", least):
        reasons.append(f"{LEAST_PRINCIPALS} is {least!r}, not a whole number of at least 1.")
    if reasons:
        raise Refused(
            "Refused: serve.", why=reasons, next_step=f"Set {ALLOWED_SIGNERS} to a file outside of the release."
        )
    return Path(signers), int(least)


def audit_own_folder() -> AuditedRelease:
    """Return the release this file belongs to; raises Refused with every reason when it may not be served."""
    signers, least_principals = read_trust()
    now = datetime.now(UTC).isoformat()
    subject = os.environ.get(SUBJECT) or None
    return audit_folder(FOLDER, allowed_signers=signers, least_principals=least_principals, now=now, subject=subject)


def load_predictor(audited: AuditedRelease) -> Predict:
    """Return the function from rows to scores, from the audited bytes; raises Refused when it cannot be loaded."""
    files = audited.model_files()
    refused = find_refused_files(files)
    if refused:
        raise Refused("The model has files that are not allowed.", why=refused)
    evidence = audited.release.evidence
    served_as = evidence.model.served_as if evidence else None
    needed = FILES.get(served_as or "")
    missing = [name for name in needed or () if name not in files]
    if needed is None or missing:
        why = f"There is no {' and no '.join(missing) or 'form it is known by'}: it is served as {served_as}."
        raise Refused("The model cannot be loaded.", why=why)
    if CONTRACT_FILE not in files:
        raise Refused("The model cannot be loaded.", why=f"There is no {CONTRACT_FILE}.")
    return load_served(str(served_as), files, parse_contract(files[CONTRACT_FILE]), read_own_code(audited))


def open_application(audited: AuditedRelease, observe: Observe) -> Any:
    """Return the ASGI application of an audited release; raises Refused when its model cannot be loaded."""
    release = audited.release
    if release.evidence is None:
        raise Refused("The model cannot be loaded.", why="The release has no evidence.")
    predict = load_predictor(audited)
    identity = release.evidence.identity
    model = ServedModel(identity.model, identity.version, release.digest, release.approved_by)
    contract = parse_contract(audited.files[f"{MODEL}{CONTRACT_FILE}"])
    hosts = tuple(filter(None, os.environ.get(ALLOWED_HOSTS, "").lower().split(",")))
    return build_application(predict, contract, model, Access(hosts=hosts), observe)


class _Slot:
    """The place an application is put once it may answer."""

    def __init__(self) -> None:
        self.application: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request with the application, or with 503 while there is none."""
        if scope["type"] == "http" and self.application:
            await self.application(scope, receive, send)
        elif scope["type"] == "http":
            await describe_problem(RequestError(503, "No approved model is loaded.")).send(send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})


_SLOT = _Slot()


@bentoml.asgi_app(_SLOT)
@bentoml.service(
    name="endpoint",
    workers=1,
    traffic={"timeout": REQUEST_TIMEOUT_S},
    logging={"access": {"enabled": False}},
)
class Endpoint:
    """A BentoML service that serves the release in its own folder, or nothing."""

    @bentoml.on_deployment
    @staticmethod
    def audit() -> None:
        """Refuse, before anything is started, what may not be served."""
        audit_own_folder()

    def __init__(self) -> None:
        _SLOT.application = open_application(audit_own_folder(), make_observer())

    def __is_ready__(self) -> bool:
        """Say whether a model is loaded (BentoML's /readyz)."""
        return _SLOT.application is not None


# Whether it lives is BentoML's to say.
put_in_front(Endpoint, _SLOT, {PREDICT, *DESCRIBING} - {"/healthz"})
