"""Has a person said what only a person can know?"""

from __future__ import annotations

from workbench.checks._limits import read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy

LIMITS = ("fewest_characters",)


def model_card_complete(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when every question of the policy has an answer of at least `fewest_characters`, surrounding space apart."""
    limits = read_limits(policy, "model_card_complete", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    fewest = limits["fewest_characters"]
    answers = {name: evidence.answers.get(name, "").strip() for name in policy.questions}
    missing = [name for name, answer in answers.items() if not answer]
    brief = [name for name, answer in answers.items() if answer and len(answer) < fewest]
    value = f"{len(answers) - len(missing) - len(brief)} of {len(answers)} answered"
    limit = f"every question, at least {fewest:g} characters each"
    if not missing and not brief:
        return Finding("model_card_complete", Status.PASS, value, limit, "Every question has an answer in words.")
    problems = [f"Open: {', '.join(missing)}." if missing else "", f"Too short: {', '.join(brief)}." if brief else ""]
    reason = " ".join([*filter(None, problems), "Answer each in a sentence with `workbench review`."])
    # Nobody said anything: the fact is missing. Somebody said too little: it is there and not enough.
    status = Status.UNKNOWN if missing else Status.FAIL
    return Finding("model_card_complete", status, value, limit, reason)


def fewest_characters(policy: Policy) -> float:
    """Return how long an answer must be for this check to pass; 1 where the policy does not say."""
    limits = read_limits(policy, "model_card_complete", *LIMITS)
    return 1 if isinstance(limits, Finding) else max(limits["fewest_characters"], 1)


def is_long_enough(answer: str, policy: Policy) -> bool:
    """True for an answer that this check takes."""
    return len(answer.strip()) >= fewest_characters(policy)
