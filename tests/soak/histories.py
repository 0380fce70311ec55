"""Ledgers that somebody wrote entry by entry, signed by real keys, held against both verifiers and what judges releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from tests.soak.tampering_release import Forger
from tests.unit.evidence.builders import build_evidence
from tests.unit.people import AUTHOR, ENDED, NOW, RUN_ID, VALIDATOR
from tests.unit.reviews.builders import build_objection
from workbench import ledger_verifier
from workbench.config import Settings
from workbench.evidence.evidence import Evidence
from workbench.ledger.ledger import Entry, Event, head_of, seal_entry
from workbench.ledger.ledger_export import write_export
from workbench.releases import releases
from workbench.releases.release import seal_signed_files
from workbench.reviews.bundle import MANIFEST
from workbench.reviews.ledger_audit import audit_ledger, parse_signed
from workbench.reviews.said import Said, find_fault, read_said, read_signed
from workbench.signing.key import Key
from workbench.signing.ssh_signatures import sign_bytes
from workbench.signing.statement import Signed, Statable

SUBJECT, ENDPOINT = "tumour/3", "tumour"
BUNDLE = build_evidence().identity.bundle_digest


class History:
    """A ledger, an entry a minute from when the run had ended; what is signed in it is signed by who is said to, or by another."""

    def __init__(self, forger: Forger) -> None:
        self.forger, self.entries = forger, list[Entry]()
        self.settings = Settings(forger.folder, author=AUTHOR, allowed_signers=str(forger.signers))

    @property
    def now(self) -> str:
        """When the next entry is written."""
        return (datetime.fromisoformat(ENDED) + timedelta(minutes=len(self.entries) + 1)).isoformat()

    def add(self, event: Event, actor: str, subject: str = SUBJECT, **body: Any) -> Entry:
        """Write an entry."""
        last = self.entries[-1] if self.entries else None
        self.entries.append(seal_entry(last, time=self.now, event=event, actor=actor, subject=subject, body=body))
        return self.entries[-1]

    def nominate(self, subject: str = SUBJECT, *, run: str = RUN_ID, manifest: str = BUNDLE, **said: Any) -> Entry:
        """Nominate a version that is made of a run and a bundle."""
        body = {"run": run, "manifest": manifest, "endpoint": ENDPOINT, "authors": [AUTHOR], "ended": ENDED, **said}
        return self.add(Event.NOMINATED, str(body.pop("actor", AUTHOR)), subject, **body)

    def object(self, subject: str = SUBJECT, *, clears: int = 0, **said: Any) -> Entry:
        """Raise an objection to a version or clear one; kept at another (`at`), by another key or for another `actor`."""
        model, _, version = subject.partition("/")
        made = next(each.body for each in self.entries if each.event is Event.NOMINATED and each.subject == subject)
        facts = {"subjects": {MANIFEST: made["manifest"]}, "run": made["run"], "model": model, "version": int(version)}
        place = {name: said.pop(name, "") for name in ("at", "key", "actor")}
        objection = build_objection(**{**facts, "clears": clears, "issued": self.now, **said})
        event, body = (Event.CLEARED, {"objection": clears}) if clears else (Event.OBJECTED, {})
        return self._keep(event, objection, **{**place, "at": place["at"] or subject}, text=objection.text, **body)

    def approve(self, who: str, *, actor: str = "", key: str = "", **said: Any) -> Entry:
        """Approve the version that a release is made of."""
        head = head_of(self.entries)
        known = {"sequence": head.sequence, "head": head.digest, "issued": self.now}
        statement = self.forger.state(self.forger.files, who, **{**known, **said})
        return self._keep(Event.APPROVED, statement, SUBJECT, key, actor, role=statement.role)

    def _keep(self, event: Event, signed: Any, at: str, key: str, actor: str, **body: Any) -> Entry:
        kept = self._sign(signed, key or signed.principal)
        said = {"statement": kept.statement.decode(), "signature": kept.signature.decode(), **body}
        return self.add(event, actor or signed.principal, at, **said)

    def _sign(self, record: Statable, who: str) -> Signed:
        content = record.to_bytes()
        return Signed(content, sign_bytes(content, Key(self.forger.keys[who]), record.signer.namespace))

    # Who judges it

    def read_said(self, subject: str = SUBJECT) -> Said:
        """Return what the workbench makes of it."""
        return read_said(self.entries, subject, self.settings)

    def audit(self) -> Sequence[str]:
        """Return what both verifiers say; nothing where one of them finds nothing."""
        first = audit_ledger(self.entries, [], last_seen=None, checkpoint=None, verify=self._find_fault).faults
        second = ledger_verifier.verify(write_export(self.entries), signers=self.settings.signers_file.read_bytes())
        return [*first, *second] if first and second else []

    def _find_fault(self, entry: Entry) -> str | None:
        return find_fault(read_signed(entry), parse_signed(entry).signer, self.settings, recorded=entry.time)

    def serve(self, evidence: Evidence, subject: str = SUBJECT) -> Sequence[str]:
        """Promote a release of this evidence, past all commands; return why it is not served."""
        files = self.forger.release_of(evidence)
        said = {"endpoint": ENDPOINT, "version": evidence.identity.version, "sealed": seal_signed_files(files)}
        self.add(Event.PROMOTED, VALIDATOR, subject, **said)
        return self.judge(files, subject)

    def judge(self, files: Mapping[str, bytes], subject: str = SUBJECT) -> Sequence[str]:
        """Return why files are not served, by this ledger."""
        with (
            patch.object(releases, "utc_now", lambda: NOW),
            patch.object(releases, "find_signature_fault", self.forger.verify),
        ):
            return releases.judge_release(dict(files), subject, self.settings, self.entries).decision.reasons
