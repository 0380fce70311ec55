"""Has a person said what only a person can know?"""

from __future__ import annotations

from workbench.checks._limits import limit_unknown, number_limit
from workbench.domain.evidence import Evidence, Finding, Status
from workbench.domain.policy import Policy


def model_card_complete(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when every question of the policy has an answer of at least `fewest_characters`, surrounding space apart."""
    fewest = number_limit(policy, "model_card_complete", "fewest_characters")
    if fewest is None:
        return limit_unknown("model_card_complete", "fewest_characters")
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
