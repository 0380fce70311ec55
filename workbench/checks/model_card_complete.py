"""Has a second person said, or confirmed, what only a person can know?"""

from __future__ import annotations

from collections.abc import Mapping

from workbench.checks._limits import read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy
from workbench.records.people import name_others
from workbench.records.visible_text import MOST_CHARACTERS, find_text_fault

LIMITS = ("fewest_characters",)


def model_card_complete(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when every question of the policy has an answer in words that not only an author stands for."""
    limits = read_limits(policy, "model_card_complete", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    answers = {name: evidence.answers.get(name, "").strip() for name in policy.questions}
    missing = [name for name, text in answers.items() if not text]
    faults = {name: find_answer_fault(text, policy) for name, text in answers.items() if text}
    wordless = {name: fault for name, fault in faults.items() if fault}
    drafts = {name: writer for name, writer in _find_drafts(evidence).items() if name in faults and not faults[name]}
    value = f"{len(answers) - len(missing) - len(wordless)} of {len(answers)} answered"
    value += f", {len(drafts)} by nobody but an author" if drafts else ""
    limit = f"every question, {limits['fewest_characters']:g} to {MOST_CHARACTERS:,} visible characters each, by a second person"
    if not missing and not wordless and not drafts:
        reason = "Every question has an answer in words that not only an author stands for."
        return Finding("model_card_complete", Status.PASS, value, limit, reason)
    reason = " ".join([*_say_open(missing, wordless), *_say_drafts(drafts)])
    # Somebody said what cannot count: the fact is there and not enough. Otherwise it is missing.
    status = Status.FAIL if wordless and not missing else Status.UNKNOWN
    return Finding("model_card_complete", status, value, limit, reason)


def _find_drafts(evidence: Evidence) -> dict[str, str]:
    """Return who wrote each answer that nobody but an author stands for, as far as that is known."""
    whose = {fact.question: fact for fact in evidence.said_by}
    return {
        name: whose[name].written_by if name in whose else "nobody knows who"
        for name in evidence.answers
        if name not in whose or not name_others(whose[name].vouched_by, evidence.identity.authors)
    }


def _say_open(missing: list[str], wordless: Mapping[str, str]) -> list[str]:
    said = [f"Open: {', '.join(missing)}."] if missing else []
    said += [f"No answer: {name}. {fault}" for name, fault in wordless.items()]
    return [*said, "Answer each in a sentence with `workbench review`."] if said else []


def _say_drafts(drafts: Mapping[str, str]) -> list[str]:
    if not drafts:
        return []
    named = ", ".join(f"{name} ({writer})" for name, writer in drafts.items())
    return [f"Drafted: {named}. Whoever approves confirms it; so does a second person who gives the same answer."]


def find_answer_fault(text: str, policy: Policy) -> str | None:
    """Return why a text is no answer under a policy, None when it is; one that asks for no length still asks for words."""
    limits = read_limits(policy, "model_card_complete", *LIMITS)
    return find_text_fault(text, 1 if isinstance(limits, Finding) else limits["fewest_characters"])


def list_settled(evidence: Evidence, policy: Policy) -> frozenset[str]:
    """Return the questions of the policy that have an answer which counts."""
    drafts = _find_drafts(evidence)
    given = {name: text for name, text in evidence.answers.items() if name in policy.questions and name not in drafts}
    return frozenset(name for name, text in given.items() if find_answer_fault(text, policy) is None)
