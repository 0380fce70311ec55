"""Does what the run shows or keeps hold a secret, or data about a person?"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.checks._limits import fact_unknown
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.evidence.measures.disclosures import Disclosure
from workbench.policies.policy import Policy

_LIMIT = "no secret and no personal data in any text of the run"
_MOST_NAMED = 5


def no_secrets_shown(evidence: Evidence, policy: Policy) -> Finding:  # noqa: ARG001 - every check has this shape
    """Pass when nothing in the run's notebook, outputs, parameters and logs has the shape of a secret or of personal data."""
    fact = evidence.disclosures
    if fact is None or fact.files < 1:
        return fact_unknown("no_secrets_shown", _LIMIT, "The run's texts were not searched.")
    if fact.unread and not fact.found:
        value = f"{len(fact.unread)} files not read"
        reason = (
            f"Nobody could search {_name(fact.unread)}: too large, or no text in UTF-8. "
            "Keep only texts, and what wb.log_model and wb.log_predictions write, in the run's folder and run again."
        )
        return Finding("no_secrets_shown", Status.UNKNOWN, value, _LIMIT, reason)
    if not fact.found:
        reason = "Nothing in the run's texts looks like a secret or like data about a person."
        return Finding("no_secrets_shown", Status.PASS, f"{fact.files} files, nothing found", _LIMIT, reason)
    value = f"{sum(each.count for each in fact.found)} findings in {fact.files} files"
    reason = (
        f"Found: {_describe(fact.found)}. Read secrets with wb.secret and show no data about people; revoke what was shown, "
        "clear it from the notebook and run again."
    )
    return Finding("no_secrets_shown", Status.FAIL, value, _LIMIT, reason)


def _describe(found: Sequence[Disclosure]) -> str:
    return _name([f"{each.kind} in {' '.join(filter(None, (each.file, each.place)))}" for each in found])


def _name(items: Sequence[str]) -> str:
    more = f" and {len(items) - _MOST_NAMED} more" if len(items) > _MOST_NAMED else ""
    return f"{', '.join(items[:_MOST_NAMED])}{more}"
