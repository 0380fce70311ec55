"""A project under governance: people with keys, a model to nominate, and verbs in the name of whoever acts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS
from workbench.config import Settings
from workbench.errors import Refused
from workbench.ledger.ledger import Event
from workbench.releases.aliases import CHAMPION
from workbench.reviews.request import ApprovalRequest, ObjectionRequest, WaiverRequest
from workbench.reviews.review import Review
from workbench.signing.key import Key
from workbench.signing.ssh_signatures import allowed_signer
from workbench.workflow import Workbench

VALIDATOR, OWNER, STRANGER = "grace@example.org", "linus@example.org", "mallory@example.org"
ROLES = {VALIDATOR: "validator", OWNER: "owner"}
ANSWERS = {
    "intended_use": "Ranks visitors of the shop for a newsletter, nothing else.",
    "data_rights": "Synthetic rows that were made for this test only.",
    "limitations": "Visitors who were never seen before are ranked at random.",
    "harm": "Somebody may get a newsletter that does not interest them.",
}
MODEL = "shop"
HARM = "Somebody may get a newsletter that is of no interest to them."
WHY = "The shop closes at the end of the month, and the list with it."


@dataclass(frozen=True)
class Governed:
    """A project with reviewers' keys, seen by whoever acts."""

    bench: Workbench
    keys: Path

    @property
    def project(self) -> Path:
        return self.bench.settings.project

    def acting(self, principal: str) -> Workbench:
        return replace(self.bench, settings=replace(self.bench.settings, author=principal))

    def answer_all(self, subject: str) -> None:
        for question, text in ANSWERS.items():
            self.acting(VALIDATOR).answer(subject, question, text)

    def approve(self, subject: str, *principals: str, role: str | None = None) -> Review:
        for principal in principals or ROLES:
            request = ApprovalRequest(role or ROLES[principal])
            review = self.acting(principal).approve(subject, request, Key(self.key_of(principal)))
        return review

    def list_key(self, principal: str, role: str) -> None:
        """Add a line to the file of whom this project trusts."""
        signers = self.bench.settings.signers_file
        line = allowed_signer(principal, [role], self.key_of(principal).with_suffix(".pub").read_text(encoding="utf-8"))
        signers.write_text(f"{signers.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")

    def key_of(self, principal: str) -> Path:
        return self.keys / principal.partition("@")[0]

    def object(self, subject: str, text: str, *, by: str = VALIDATOR, clears: int = 0) -> Review:
        return self.acting(by).object(subject, ObjectionRequest(text, clears), Key(self.key_of(by)))

    def waive(
        self, subject: str, check: str, *, by: str = OWNER, role: str = "owner", days: int = 30, reason: str = WHY
    ) -> Review:
        until = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        return self.acting(by).waive(subject, WaiverRequest(check, reason, role, until), Key(self.key_of(by)))

    def nominate(self, strength: float, columns: int = 4) -> str:
        # A copy in the project, which is not under git, whatever is known here of the history of these tests.
        notebook = Path(shutil.copy(NOTEBOOKS / "logs_everything.ipynb", self.project))
        run = self.bench.run(notebook, {"strength": strength, "columns": columns})
        return self.bench.nominate(run.id, MODEL).subject

    def refusals(self) -> list[tuple[str, str, str]]:
        """Return what the ledger says was refused: who wanted what of which subject."""
        entries, faults = self.bench.inspect_ledger()
        assert faults == []
        return [(entry.actor, entry.body["action"], entry.subject) for entry in entries if entry.event is Event.REFUSED]

    def alias(self) -> int | None:
        return self.bench.tracker.read_alias(MODEL, CHAMPION)

    def bento(self, version: int) -> Path:
        return self.bench.settings.bento_home / "bentos" / MODEL / str(version)


def open_governed(project: Path, keys: Path) -> Governed:
    return Governed(Workbench.open(Settings(project, author=AUTHOR)), keys)


def trust(settings: Settings, keys: Path) -> None:
    lines = [
        allowed_signer(who, [role], (keys / f"{who.partition('@')[0]}.pub").read_text()) for who, role in ROLES.items()
    ]
    settings.signers_file.parent.mkdir(parents=True)
    settings.signers_file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def reasons_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    return "\n".join(refused.value.reasons)
