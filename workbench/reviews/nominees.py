"""Nominees as of now: what was frozen at nomination, and what the ledger says about them since.

A nominee's folder holds what was fixed at nomination: the bundle that would be served, the facts that were computed and the
policy. Answers, approvals and the champion come from the ledger, so the evidence is always that of now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.checks import read_policy, run_checks
from workbench.config import Settings, find_template
from workbench.errors import NotFound, Refused
from workbench.evidence.evidence import FORMAT, Evidence, Finding, parse_evidence
from workbench.files.trees import read_tree
from workbench.ledger.history import Standing, find_standing, parse_subject, previous_version, served_version
from workbench.ledger.ledger import Entry, Event
from workbench.models.own_modules import read_modules
from workbench.policies.policy import Policy
from workbench.policies.policy_files import find_policy_fault, find_policy_note
from workbench.records.digest import sha256_hex
from workbench.reviews.bundle import CARD, EVIDENCE, MANIFEST, POLICY
from workbench.reviews.card_markdown import render_model_card
from workbench.reviews.challenging import Before, hold_against_champion
from workbench.reviews.checklist import ChecklistItem, parse_checklist
from workbench.reviews.said import Said, VerifiedWaiver, describe_answers, read_said, read_text
from workbench.reviews.waiver import is_needed
from workbench.runs.folder import PREDICTIONS

FACTS, FROZEN_POLICY, CHECKLIST, SOURCE = "facts.json", "policy.yaml", "checklist.yaml", "source.ipynb"
CARD_TEMPLATE = "model_card.md"
# What nominees from before it was kept lack.
_LATER = (SOURCE, CARD_TEMPLATE)


@dataclass(frozen=True)
class Nominee:
    """A nominee as of now: its frozen parts and everything the ledger holds about it.

    `card` is the model card of now; `findings` are those before any waiver; `waivers` are those of what was `said` that
    excuse one of them. `modules` are the sources of its own modules, by name.
    """

    folder: Path
    nominated: Entry
    evidence: Evidence
    findings: tuple[Finding, ...]
    policy: Policy
    policy_bytes: bytes
    policy_fault: str | None
    policy_note: str
    checklist: tuple[ChecklistItem, ...]
    card: bytes
    said: Said
    waivers: tuple[VerifiedWaiver, ...]
    head: Entry
    source: bytes | None
    before: Before | None
    facts: Evidence
    standing: Standing
    modules: Mapping[str, bytes]

    @property
    def subject(self) -> str:
        """Its name, as `model/version`."""
        return self.nominated.subject

    def read_bundle(self) -> dict[str, bytes]:
        """Read the frozen files that would be served."""
        return read_tree(self.folder / "bundle")

    def subjects(self) -> dict[str, str]:
        """Return the digests an approval of now must bind."""
        return {**self.waived_subjects(), EVIDENCE: self.evidence.digest, CARD: sha256_hex(self.card)}

    def waived_subjects(self) -> dict[str, str]:
        """Return the digests a waiver of now must bind: evidence and card themselves say what is waived."""
        return {MANIFEST: self.evidence.identity.bundle_digest, POLICY: sha256_hex(self.policy_bytes)}


def load_nominee(subject: str, *, settings: Settings, entries: Sequence[Entry]) -> Nominee:
    """Load a nominee as these entries of the ledger leave it, refusing frozen parts that are not the ones they name."""
    model, version = parse_subject(subject)
    own = [entry for entry in entries if entry.subject == f"{model}/{version}"]
    nominated = _find_nominated(entries, subject)
    folder = settings.models_folder / model / str(version)
    frozen = _read_frozen(folder, nominated)
    facts, policy_bytes = parse_evidence(frozen[FACTS]), frozen[FROZEN_POLICY]
    policy, said = read_policy(policy_bytes), read_said(own, entries, settings)
    champion = _find_champion(entries, facts)
    before = _read_before(model, champion, settings, entries) if champion else None
    evidence = _add_said(facts, said)
    if before:
        evidence = hold_against_champion(evidence, policy, frozen[PREDICTIONS], before)
    findings = run_checks(evidence, policy)
    waivers = _find_needed(said, findings)
    evidence = replace(evidence, waivers=tuple(each.to_fact() for each in waivers))
    return Nominee(
        folder=folder,
        nominated=nominated,
        facts=facts,
        evidence=evidence,
        findings=findings,
        policy=policy,
        policy_bytes=policy_bytes,
        policy_fault=find_policy_fault(nominated.body.get("policy"), policy_bytes, settings.project),
        policy_note=find_policy_note(settings, policy_bytes),
        checklist=parse_checklist(frozen[CHECKLIST]),
        card=_render_card(evidence, policy, frozen.get(CARD_TEMPLATE)),
        said=said,
        waivers=waivers,
        head=entries[-1],
        source=frozen.get(SOURCE),
        before=before,
        standing=find_standing(entries, subject, facts.identity.endpoint),
        modules=_read_own_modules(folder, facts),
    )


def _find_nominated(entries: Sequence[Entry], subject: str) -> Entry:
    nominated = [entry for entry in entries if entry.event is Event.NOMINATED]
    found = next((entry for entry in nominated if entry.subject == subject), None)
    if found is None:
        known = sorted({entry.subject for entry in nominated})
        raise NotFound(f"There is no nominee {subject}.", why=f"There are: {', '.join(known) or 'none'}.")
    return found


def _add_said(facts: Evidence, said: Said) -> Evidence:
    answers = {name: read_text(entries[-1], "answer") for name, entries in said.answers.items()}
    # What was nominated in a format that cannot hold whose they are is confirmed by whoever approves.
    whose = describe_answers(said, facts.identity.authors) if facts.format == FORMAT else ()
    return replace(facts, answers=answers, said_by=whose, objections=said.objections)


def _find_needed(said: Said, findings: Sequence[Finding]) -> tuple[VerifiedWaiver, ...]:
    """Return the waivers of what does not pass now; only they are evidence, and go into the release."""
    by_check = {finding.check: finding for finding in findings}
    return tuple(given for given in said.waivers if is_needed(given.waiver, by_check.get(given.waiver.check)))


def _render_card(evidence: Evidence, policy: Policy, frozen: bytes | None) -> bytes:
    """Return the model card of now in its frozen words; in those of today for a nominee from before they were frozen."""
    template = find_template(CARD_TEMPLATE).read_bytes() if frozen is None else frozen
    return render_model_card(evidence, policy.questions, template.decode()).encode()


def _find_champion(entries: Sequence[Entry], facts: Evidence) -> int | None:
    """Return the version to compare with: the served one, or for it itself the one before."""
    served = served_version(entries, facts.identity.endpoint)
    return previous_version(entries, facts.identity.endpoint) if served == facts.identity.version else served


def _read_before(model: str, version: int, settings: Settings, entries: Sequence[Entry]) -> Before:
    nominated = _find_nominated(entries, f"{model}/{version}")
    folder = settings.models_folder / model / str(version)
    frozen = _read_frozen(folder, nominated)
    facts = parse_evidence(frozen[FACTS])
    return Before(facts, frozen[PREDICTIONS], frozen.get(SOURCE), _read_own_modules(folder, facts))


def _read_own_modules(folder: Path, facts: Evidence) -> dict[str, bytes]:
    """Read the sources of a nominee's own modules, by name; raises Refused when they are not those its facts name."""
    if not facts.own_code:
        return {}
    own = read_modules(read_tree(folder / "bundle" / "release" / "model"))
    if own.to_facts() != facts.own_code:
        raise Refused("The own code is not what was nominated.", next_step="Nominate the run again.")
    return {module.name: module.source for module in own.modules}


def _read_frozen(folder: Path, nominated: Entry) -> dict[str, bytes]:
    """Read what was fixed at nomination; raises Refused when it is not what the ledger says it was."""
    names = [FACTS, FROZEN_POLICY, CHECKLIST, PREDICTIONS]
    names += [name for name in _LATER if name in nominated.body]
    try:
        frozen = {name: (folder / name).read_bytes() for name in names}
    except OSError as exc:
        raise Refused(
            f"The files of {nominated.subject} cannot be read.", why=str(exc), next_step="Nominate the run again."
        ) from exc
    changed = [
        f"{name} was changed since the nomination."
        for name in names
        if sha256_hex(frozen[name]) != nominated.body.get(name)
    ]
    if changed:
        raise Refused(
            f"{nominated.subject} is not what was nominated.", why=changed, next_step="Nominate the run again."
        )
    return frozen
