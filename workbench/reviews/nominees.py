"""Nominees as of now: what was frozen at nomination, and what the ledger says about them since.

A nominee's folder holds what was fixed at nomination: the bundle that would be served, the facts that were computed and the
policy. Answers, approvals and the champion come from the ledger, so the evidence is always that of now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from workbench.checks import read_frozen_policy, run_checks
from workbench.config import Settings, find_template
from workbench.errors import NotFound, Refused, Unavailable
from workbench.evidence.evidence import FORMAT, Evidence, Finding, parse_evidence
from workbench.evidence.holdout_rows import HoldoutRows, parse_rows
from workbench.evidence.measures.authorship import Approved
from workbench.files.trees import read_tree
from workbench.ledger.history import MADE_OF, Standing, find_standing, parse_subject, previous_version, served_version
from workbench.ledger.ledger import Entry, Event
from workbench.models.judging import confine_frozen
from workbench.models.own_modules import read_modules
from workbench.policies.own_metrics import FrozenMetric, parse_frozen
from workbench.policies.policy import Policy
from workbench.policies.policy_files import find_policy_fault, find_policy_note
from workbench.policies.registering import find_metric_fault
from workbench.records.digest import sha256_hex, strict_json
from workbench.reviews.bundle import CARD, EVIDENCE, MANIFEST, POLICY, find_changed_files
from workbench.reviews.card_markdown import render_model_card
from workbench.reviews.challenging import Asked, Before, Challenger, hold_against_champion
from workbench.reviews.checklist import ChecklistItem, parse_checklist
from workbench.reviews.said import Said, VerifiedWaiver, describe_answers, read_said, read_text
from workbench.reviews.waiver import is_needed
from workbench.runs.folder import HOLDOUT, PREDICTIONS
from workbench.runs.local_files import digest_source
from workbench.runs.training_rows import TrainingTable, parse_training

FACTS, FROZEN_POLICY, CHECKLIST, SOURCE = "facts.json", "policy.yaml", "checklist.yaml", "source.ipynb"
CARD_TEMPLATE, CHAMPION_PREDICTIONS, TRAINING_ROWS = "model_card.md", "champion.parquet", "training_rows.json"
# What a nomination says of the champion it asked, in the ledger.
ASKED = "champion"
_MODEL = "release/model/"
LOCAL_CODE, OWN_METRIC = "local_code.json", "own_metric.json"
# What nominees from before it was kept lack, and those that needed none.
_LATER = (SOURCE, CARD_TEMPLATE, CHAMPION_PREDICTIONS, LOCAL_CODE, OWN_METRIC)


@dataclass(frozen=True)
class Nominee:
    """A nominee as of now: its frozen parts and everything the ledger holds about it.

    `card` is the model card of now; `findings` are those before any waiver; `waivers` are those of what was `said` that
    excuse one of them. `modules` are the sources of its own modules, by name, `local_code` those of the local files that ran in
    its run, by path. `own_metric` is that of the project which judged it, None where a built-in one did.
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
    challenger: Challenger
    facts: Evidence
    standing: Standing
    modules: Mapping[str, bytes]
    local_code: Mapping[str, str]
    own_metric: FrozenMetric | None = None

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
    nominated = _find_nominated(entries, subject)
    folder = settings.models_folder / model / str(version)
    frozen = _read_frozen(folder, nominated)
    facts, policy_bytes = parse_evidence(frozen[FACTS]), frozen[FROZEN_POLICY]
    _require_named(facts, nominated)
    own_metric = parse_frozen(frozen[OWN_METRIC]) if OWN_METRIC in frozen else None
    own = confine_frozen(own_metric)
    policy, said = read_frozen_policy(policy_bytes, *([own] if own else [])), read_said(entries, subject, settings)
    champion = _find_champion(entries, facts)
    before = read_before(model, champion, settings, entries) if champion else None
    evidence, challenger = _add_said(facts, said), _find_challenger(folder, nominated, facts, frozen)
    if before:
        evidence = hold_against_champion(evidence, policy, challenger, before)
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
        policy_fault=find_policy_fault(nominated.body.get("policy"), policy_bytes, settings.project)
        or find_metric_fault(own_metric, settings.project),
        policy_note=find_policy_note(settings, policy_bytes),
        checklist=parse_checklist(frozen[CHECKLIST]),
        card=_render_card(evidence, policy, frozen.get(CARD_TEMPLATE)),
        said=said,
        waivers=waivers,
        head=entries[-1],
        source=frozen.get(SOURCE),
        before=before,
        challenger=challenger,
        standing=find_standing(entries, subject, facts.identity.endpoint),
        modules=_read_own_modules(folder, facts),
        local_code=read_local_code(frozen, facts),
        own_metric=own_metric,
    )


def find_approved(model: str, *, settings: Settings, entries: Sequence[Entry]) -> Approved | None:
    """Return what is released of a model by these entries, and what was said of its lines; None before its first release."""
    version = served_version(entries, model)
    if version is None:
        return None
    nominated = _find_nominated(entries, f"{model}/{version}")
    frozen = _read_frozen(settings.models_folder / model / str(version), nominated)
    return Approved(version, parse_evidence(frozen[FACTS]).authorship)


def _require_named(facts: Evidence, nominated: Entry) -> None:
    """Raise Refused unless run and bundle are those the ledger names: by these an objection is found again; authors, too.

    What was nominated before the ledger named authors is not held against them.
    """
    found = dict(zip(MADE_OF, (facts.identity.run_id, facts.identity.bundle_digest), strict=True))
    other = [
        f"Its {what} is {found[what]}, the ledger names {nominated.body.get(what)}."
        for what in MADE_OF
        if nominated.body.get(what) != found[what]
    ]
    authors, named = list(facts.identity.authors), nominated.body.get("authors")
    other += [f"Its authors are {authors}, the ledger names {named}."] if named is not None and named != authors else []
    if other:
        raise Refused(f"{nominated.subject} is not what was nominated.", why=other, next_step="Nominate the run again.")


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


def read_before(model: str, version: int, settings: Settings, entries: Sequence[Entry]) -> Before:
    """Return what was frozen of a version that others are held against."""
    nominated = _find_nominated(entries, f"{model}/{version}")
    folder = settings.models_folder / model / str(version)
    frozen = _read_frozen(folder, nominated)
    facts = parse_evidence(frozen[FACTS])
    return Before(
        facts=facts,
        predictions=frozen[PREDICTIONS],
        source=frozen.get(SOURCE),
        modules=_read_own_modules(folder, facts),
        local_code=read_local_code(frozen, facts),
        allows_own_code=read_frozen_policy(frozen[FROZEN_POLICY]).allows_own_code,
        read_rows=partial(_read_rows, folder, nominated),
        read_training=partial(_read_training, folder, nominated),
        read_model=partial(_read_model, folder, facts),
    )


def read_local_code(frozen: Mapping[str, bytes], facts: Evidence) -> dict[str, str]:
    """Return the texts that were kept of local code, by path; raises Refused for one that is not what the facts say ran."""
    texts = {path: str(source) for path, source in strict_json(frozen.get(LOCAL_CODE, b"{}")).items()}
    ran = {(module.path, module.digest) for module in facts.local_files.modules} if facts.local_files else set()
    other = [path for path, text in texts.items() if (path, digest_source(text)) not in ran]
    if other:
        why = [f"{path} is shown in another text than ran." for path in sorted(other)]
        subject = f"{facts.identity.model}/{facts.identity.version}"
        raise Refused(f"{subject} is not what was nominated.", why=why, next_step="Nominate the run again.")
    return texts


def _find_challenger(folder: Path, nominated: Entry, facts: Evidence, frozen: Mapping[str, bytes]) -> Challenger:
    said = nominated.body.get(ASKED)
    asked = Asked(said["version"], frozen.get(CHAMPION_PREDICTIONS), said["fault"]) if said else None
    return Challenger(facts.identity.run_id, frozen[PREDICTIONS], partial(_read_rows, folder, nominated), asked)


def _read_rows(folder: Path, nominated: Entry) -> HoldoutRows | None:
    """Read the rows of a nominee's holdout, which are many and seldom needed; None where they were not kept."""
    if HOLDOUT not in nominated.body:
        return None
    return parse_rows(_read_named(folder, nominated, [HOLDOUT])[HOLDOUT])


def _read_training(folder: Path, nominated: Entry) -> tuple[TrainingTable, ...] | None:
    """Read by what a nominee's training rows are known; None where it logged none, or before that was kept."""
    if TRAINING_ROWS not in nominated.body:
        return None
    return parse_training(_read_named(folder, nominated, [TRAINING_ROWS])[TRAINING_ROWS])


def _read_model(folder: Path, facts: Evidence) -> dict[str, bytes]:
    """Read the files of a nominee's model; raises Refused where anything of its bundle is not what was nominated."""
    what = f"The frozen files of version {facts.identity.version} are not what was nominated."
    try:
        files = read_tree(folder / "bundle")
    except Unavailable as exc:
        gone = f"{_name_folder(folder)}/bundle cannot be read."
        raise Refused(what, why=gone, next_step=_put_back(folder)) from exc
    if changed := find_changed_files(files, facts.identity.bundle_digest):
        step = f"{_put_back(folder)} Its model is asked only as it was nominated."
        raise Refused(what, why=changed, next_step=step)
    return {path.removeprefix(_MODEL): content for path, content in files.items() if path.startswith(_MODEL)}


def _read_own_modules(folder: Path, facts: Evidence) -> dict[str, bytes]:
    """Read the sources of a nominee's own modules, by name; raises Refused when they are not those its facts name."""
    if not facts.own_code:
        return {}
    own = read_modules(read_tree(folder / "bundle" / "release" / "model"))
    if own.to_facts() != facts.own_code:
        raise Refused("The own code is not what was nominated.", next_step=_put_back(folder))
    return {module.name: module.source for module in own.modules}


def _read_frozen(folder: Path, nominated: Entry) -> dict[str, bytes]:
    """Read what was fixed at nomination; raises Refused when it is not what the ledger says it was."""
    names = [FACTS, FROZEN_POLICY, CHECKLIST, PREDICTIONS]
    return _read_named(folder, nominated, [*names, *(name for name in _LATER if name in nominated.body)])


def _read_named(folder: Path, nominated: Entry, names: Sequence[str]) -> dict[str, bytes]:
    frozen: dict[str, bytes] = {}
    try:
        for name in names:
            frozen[name] = (folder / name).read_bytes()
    except OSError as exc:
        why = f"{_name_folder(folder)}/{name}: {exc.strerror}"
        raise Refused(
            f"The files of {nominated.subject} cannot be read.", why=why, next_step=_put_back(folder)
        ) from exc
    changed = [
        f"{name} was changed since the nomination."
        for name in names
        if sha256_hex(frozen[name]) != nominated.body.get(name)
    ]
    if changed:
        raise Refused(f"{nominated.subject} is not what was nominated.", why=changed, next_step=_put_back(folder))
    return frozen


def _put_back(folder: Path) -> str:
    return f"Put {_name_folder(folder)} back from a copy; what is not served yet may be nominated again instead."


def _name_folder(folder: Path) -> str:
    """Return a nominee's folder from the home's own name on: where that home lies is nobody else's business."""
    return "/".join(folder.parts[-4:])


def find_frozen_faults(settings: Settings, entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Return by nominee what is gone of its frozen files, of what is served also what was changed, with what to do at the end.

    Looked at are those that are served and those after them, which may be.
    """
    found = {}
    for nominated in (entry for entry in entries if entry.event is Event.NOMINATED):
        model, version = parse_subject(nominated.subject)
        folder, served = settings.models_folder / model / str(version), served_version(entries, model) or 0
        if version < served:
            continue
        faults = _find_changed(folder, nominated) if version == served else _find_gone(folder, nominated)
        if faults:
            found[nominated.subject] = [*faults, _put_back(folder)]
    return found


def _list_frozen(nominated: Entry) -> list[str]:
    names = (FACTS, FROZEN_POLICY, CHECKLIST, PREDICTIONS, HOLDOUT, TRAINING_ROWS, *_LATER)
    return [name for name in names if name in nominated.body]


def _find_gone(folder: Path, nominated: Entry) -> list[str]:
    names = (*_list_frozen(nominated), f"bundle/{MANIFEST}")
    return [f"{_name_folder(folder)}/{name} is gone." for name in names if not (folder / name).is_file()]


def _find_changed(folder: Path, nominated: Entry) -> list[str]:
    """Return what is gone or changed of what is served; what is gone is all that is said of it."""
    if gone := _find_gone(folder, nominated):
        return gone
    try:
        frozen = _read_named(folder, nominated, _list_frozen(nominated))
        _read_model(folder, parse_evidence(frozen[FACTS]))
    except Refused as exc:
        return list(exc.reasons)
    return []
