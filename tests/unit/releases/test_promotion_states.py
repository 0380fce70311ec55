"""The promotion as a state machine: whatever is said and done in whatever order, the decisions agree with a small oracle.

The ledger is a list in memory, signatures are stand-ins; what decides is the product's: evidence, findings, waivers, objections,
approvals, the champion guard and the history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.comparisons.builders import build_compared_run, build_comparison, build_interval
from tests.unit.evidence.builders import build_evidence, build_identity
from tests.unit.people import AUTHOR, NOW, OWNER, VALIDATOR
from tests.unit.policies.builders import build_policy, build_policy_bytes
from workbench.checks import run_checks
from workbench.comparisons.verdict import Verdict
from workbench.errors import Refused
from workbench.evidence.evidence import Evidence, Severity
from workbench.ledger.history import find_endpoints, find_promotion, previous_version, served_version
from workbench.ledger.ledger import Entry, Event, find_chain_faults, seal_entry
from workbench.records.digest import sha256_hex
from workbench.releases.releases import require_same_champion
from workbench.reviews.approval import Statement, VerifiedApproval
from workbench.reviews.bundle import CARD, EVIDENCE, MANIFEST, POLICY, set_terms
from workbench.reviews.decision import decide_approval, find_blocking, judge_approvals
from workbench.reviews.objection import Objection, find_open_objections, parse_objection, settle_objections
from workbench.reviews.waiver import Waiver, apply_waivers, decide_waiver, find_waiver_faults, spell_finding

_JUDGED = ("beats_baseline", "not_worse_than_champion", "model_card_complete")
POLICY_NOW = build_policy(
    checks={name: build_policy().checks[name] for name in _JUDGED}, severities={"beats_baseline": Severity.WAIVABLE}
)
PEOPLE = {VALIDATOR: "validator", OWNER: "owner", AUTHOR: "owner"}
QUESTIONS = sorted(build_evidence().answers)
LONG = "A sentence that is long enough to be an answer."
versions = st.integers(1, 3)
people = st.sampled_from(sorted(PEOPLE))


@dataclass
class Oracle:
    """What a person would keep on a sheet of paper about one nominee."""

    is_weak: bool
    answered: set[str] = field(default_factory=set)
    open_objections: dict[int, str] = field(default_factory=dict)
    waived: bool = False
    # How often anything was said, and who signed after which of these, when which version was served.
    said: int = 0
    signed: set[tuple[str, int, int | None]] = field(default_factory=set)
    was_promoted: bool = False

    def may_be_promoted(self, served: int | None) -> bool:
        complete = self.answered == set(QUESTIONS) and not self.open_objections
        signed = {who for who, said, champion in self.signed if (said, champion) == (self.said, served)}
        return complete and (self.waived or not self.is_weak) and {VALIDATOR, OWNER} <= signed


def _read_objection(entry: Entry) -> Objection:
    return parse_objection(entry.body["statement"].encode())


class Promotions(RuleBasedStateMachine):
    """Three versions of a model and one endpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.statements: dict[int, list[Statement]] = {}
        self.waivers: dict[int, list[Waiver]] = {}
        self.known: dict[int, Oracle] = {}
        self.served: list[int] = []

    def append(self, event: Event, nominee: int, actor: str, **body: Any) -> Entry:
        last = self.entries[-1] if self.entries else None
        entry = seal_entry(last, time=NOW, event=event, actor=actor, subject=f"tumour/{nominee}", body=body)
        self.entries.append(entry)
        return entry

    # As the workflow puts them together

    def evidence(self, version: int) -> Evidence:
        own = [entry for entry in self.entries if entry.subject == f"tumour/{version}"]
        answers = {e.body["question"]: e.body["answer"] for e in own if e.event is Event.ANSWERED}
        raised = {e.sequence: _read_objection(e) for e in own if e.event is Event.OBJECTED}
        cleared = [_read_objection(e) for e in own if e.event is Event.CLEARED]
        served = served_version(self.entries, "tumour")
        champion = previous_version(self.entries, "tumour") if served == version else served
        unsure = build_compared_run(advantage=build_interval(low=-0.1), verdict=Verdict.INCONCLUSIVE)
        weak = build_comparison(runs=(unsure,))
        return build_evidence(
            identity=build_identity(version=version),
            baseline=weak if self.known[version].is_weak else build_comparison(),
            answers=answers,
            champion_version=champion,
            champion=build_evidence().champion if champion else None,
            objections=settle_objections(raised, cleared),
            waivers=tuple(w.to_fact(sha256_hex(w.to_bytes())) for w in self.waivers[version]),
        )

    def subjects(self, evidence: Evidence) -> dict[str, str]:
        card = sha256_hex(repr(sorted(evidence.answers.items())).encode())
        manifest, policy = evidence.identity.bundle_digest, sha256_hex(build_policy_bytes())
        return {MANIFEST: manifest, EVIDENCE: evidence.digest, POLICY: policy, CARD: card}

    def reasons(self, version: int) -> list[str]:
        evidence = self.evidence(version)
        findings = run_checks(evidence, POLICY_NOW)
        by_check = {finding.check: finding for finding in findings}
        subjects = self.subjects(evidence)
        valid = [
            waiver
            for waiver in self.waivers[version]
            if not find_waiver_faults(
                waiver,
                finding=by_check.get(waiver.check),
                fault=None,
                subject=f"tumour/{version}",
                subjects={name: subjects[name] for name in (MANIFEST, POLICY)},
                authors=evidence.identity.authors,
                policy=POLICY_NOW,
                ended=evidence.identity.ended,
                now=NOW,
            )
        ]
        _, lacking = judge_approvals(
            [VerifiedApproval(statement, None) for statement in self.statements[version]],
            set_terms(evidence, POLICY_NOW, subjects, now=NOW),
        )
        blocking = find_blocking(apply_waivers(findings, valid))
        return [*blocking, *find_open_objections(evidence.objections), *lacking]

    def void(self, version: int) -> None:
        self.known[version].said += 1

    def now_served(self) -> int | None:
        return self.served[-1] if self.served else None

    # What people do

    @initialize(version=versions, is_weak=st.booleans())
    def begin(self, version: int, is_weak: bool) -> None:
        self.nominate(version, is_weak)

    @rule(version=versions, is_weak=st.booleans())
    def nominate(self, version: int, is_weak: bool) -> None:
        if version in self.known:
            return
        self.append(Event.NOMINATED, version, AUTHOR)
        self.known[version], self.statements[version], self.waivers[version] = Oracle(is_weak), [], []

    @rule(data=st.data(), again=st.booleans())
    def answer(self, data: st.DataObject, again: bool) -> None:
        version = data.draw(st.sampled_from(sorted(self.known)))
        self.answer_all(version, [data.draw(st.sampled_from(QUESTIONS))] if again else self.open_questions(version))

    def open_questions(self, version: int) -> list[str]:
        return [question for question in QUESTIONS if question not in self.known[version].answered]

    def answer_all(self, version: int, asked: list[str]) -> None:
        for question in asked:
            self.append(Event.ANSWERED, version, VALIDATOR, question=question, answer=f"{LONG} {len(self.entries)}")
            self.known[version].answered.add(question)
            self.void(version)

    @rule(data=st.data(), who=people)
    def object(self, data: st.DataObject, who: str) -> None:
        version = data.draw(st.sampled_from(sorted(self.known)))
        said = Objection({}, who, "tumour", version, 0, "The data are too old.", NOW)
        number = self.append(Event.OBJECTED, version, who, statement=said.to_bytes().decode()).sequence
        self.known[version].open_objections[number] = who
        self.void(version)

    @precondition(lambda self: any(each.open_objections for each in self.known.values()))
    @rule(data=st.data(), who=people)
    def clear(self, data: st.DataObject, who: str) -> None:
        version = data.draw(st.sampled_from([v for v, each in self.known.items() if each.open_objections]))
        number = data.draw(st.sampled_from(sorted(self.known[version].open_objections)))
        said = Objection({}, who, "tumour", version, number, "They were renewed.", NOW)
        self.append(Event.CLEARED, version, who, statement=said.to_bytes().decode())
        if self.known[version].open_objections[number] == who:
            del self.known[version].open_objections[number]
            self.void(version)

    @rule(data=st.data(), who=people)
    def waive(self, data: st.DataObject, who: str) -> None:
        self.waive_baseline(data.draw(st.sampled_from(sorted(self.known))), who)

    def waive_baseline(self, version: int, who: str) -> None:
        evidence = self.evidence(version)
        finding = next(each for each in run_checks(evidence, POLICY_NOW) if each.check == "beats_baseline")
        role, authors = PEOPLE[who], evidence.identity.authors
        expires = (datetime.fromisoformat(NOW) + timedelta(days=30)).isoformat()
        decision = decide_waiver(
            finding,
            principal=who,
            role=role,
            now=NOW,
            expires=expires,
            authors=authors,
            policy=POLICY_NOW,
            subject="tumour",
        )
        assert decision.is_allowed == (who == OWNER and self.known[version].is_weak)
        if decision.is_allowed:
            subjects = {name: self.subjects(evidence)[name] for name in (MANIFEST, POLICY)}
            spelled = spell_finding(finding)
            given = Waiver(subjects, who, role, "tumour", version, finding.check, spelled, LONG, NOW, expires)
            changed = self.waivers[version] != [given]
            self.append(Event.WAIVED, version, who)
            self.waivers[version] = [given]
            self.known[version].waived = True
            if changed:
                self.void(version)

    @rule(data=st.data(), who=people)
    def approve(self, data: st.DataObject, who: str) -> None:
        self.sign(data.draw(st.sampled_from(sorted(self.known))), who)

    @rule(data=st.data())
    def agree(self, data: st.DataObject) -> None:
        """All that a promotion needs but for open objections: by single steps it comes together too rarely."""
        version = data.draw(st.sampled_from(sorted(self.known)))
        self.answer_all(version, self.open_questions(version))
        self.waive_baseline(version, OWNER)
        self.sign(version, VALIDATOR)
        self.sign(version, OWNER)

    def sign(self, version: int, who: str) -> None:
        evidence, role = self.evidence(version), PEOPLE[who]
        authors, subject = evidence.identity.authors, f"tumour/{version}"
        decision = decide_approval(principal=who, role=role, authors=authors, policy=POLICY_NOW, subject=subject)
        assert decision.is_allowed == (who != AUTHOR)
        previous = evidence.champion_version or 0
        expires = (datetime.fromisoformat(NOW) + timedelta(days=30)).isoformat()
        self.append(Event.APPROVED, version, who)
        # Even what was signed against the decision, with other tools, must not count.
        signed = Statement(
            self.subjects(evidence), who, role, "tumour", version, "tumour", previous, 0, "0", NOW, expires
        )
        self.statements[version].append(signed)
        if who != AUTHOR:
            self.known[version].signed.add((who, self.known[version].said, self.now_served()))

    @rule(data=st.data())
    def promote(self, data: st.DataObject) -> None:
        self.promote_version(data.draw(st.sampled_from(sorted(self.known))))

    def promote_version(self, version: int) -> None:
        if find_promotion(self.entries, f"tumour/{version}"):
            assert self.known[version].was_promoted
            return
        reasons = self.reasons(version)
        assert (reasons == []) == self.known[version].may_be_promoted(self.now_served()), reasons
        if not reasons:
            self.move(Event.PROMOTED, version, self.evidence(version).champion_version)

    @precondition(lambda self: any(each.was_promoted for each in self.known.values()))
    @rule(data=st.data(), named=st.booleans(), expected=st.sampled_from([None, 1, 2, 3]))
    def roll_back(self, data: st.DataObject, named: bool, expected: int | None) -> None:
        promoted = sorted(version for version, each in self.known.items() if each.was_promoted)
        to = data.draw(st.sampled_from(promoted)) if named else previous_version(self.entries, "tumour")
        if to is None:
            assert self.served[-1] == self.served[0]
            return
        if to != self.served[-1]:
            self.move(Event.ROLLED_BACK, to, expected or self.served[-1])

    def move(self, event: Event, version: int, expected: int | None) -> None:
        now = self.now_served()
        try:
            require_same_champion(self.entries, "tumour", expected)
        except Refused as refused:
            assert expected != now
            assert refused.reasons[0].startswith(f"{AUTHOR} ")
            return
        assert expected == now
        self.append(event, version, AUTHOR, endpoint="tumour", version=version)
        self.served.append(version)
        self.known[version].was_promoted = True

    # What always holds

    @invariant()
    def the_ledger_is_whole(self) -> None:
        assert find_chain_faults(self.entries) == []

    @invariant()
    def what_is_served_was_promoted_and_is_the_last_move(self) -> None:
        assert served_version(self.entries, "tumour") == (self.served[-1] if self.served else None)
        assert find_endpoints(self.entries) == (["tumour"] if self.served else [])
        assert all(find_promotion(self.entries, f"tumour/{version}") for version in self.served)

    @invariant()
    def going_back_never_goes_forward(self) -> None:
        before = previous_version(self.entries, "tumour")
        first = self.served.index(self.served[-1]) if self.served else 0
        assert before == (self.served[first - 1] if first else None)


Promotions.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestPromotions = Promotions.TestCase


def test_what_everybody_agreed_on_is_promoted_and_rolled_back() -> None:
    # The property above would hold of a machine that never gets this far.
    state = Promotions()
    for version, is_weak in ((1, False), (2, True)):
        state.nominate(version=version, is_weak=is_weak)
        state.answer_all(version, QUESTIONS)
        state.waive_baseline(version, OWNER)
        state.sign(version, VALIDATOR)
        state.promote_version(version)
        assert version not in state.served
        state.sign(version, OWNER)
        state.promote_version(version)
    state.move(Event.ROLLED_BACK, 1, 2)
    assert state.served == [1, 2, 1]
    assert state.known[2].was_promoted
