"""Can the model be loaded without running code from its files, but for own code that is approved with it?"""

from __future__ import annotations

from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.models.own_code_source import describe_modules
from workbench.policies.policy import Policy

SAFE_FORMATS = frozenset({"skops", "onnx", "json"})
_LIMIT = f"only {', '.join(sorted(SAFE_FORMATS))}, and only reviewed types"
_SOURCE = "py"


def safe_format(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when every file of the model is in a format that carries no code and names only reviewed types.

    Own code passes where the policy allows it, recorded with its source: whoever approves the model approves that code.
    """
    model, own = evidence.model, describe_modules({each.name: each.names for each in evidence.own_code})
    safe = SAFE_FORMATS | {_SOURCE} if own else SAFE_FORMATS
    foreign = sorted(set(model.formats) - safe)
    value = ", ".join(sorted(set(model.formats))) or "no file"
    limit = f"{_LIMIT}, or own code with its source" if policy.allows_own_code else f"{_LIMIT}, and no own code"
    problems = [
        f"The policy allows no own code: {own}." if own and not policy.allows_own_code else "",
        f"Refused files: {', '.join(model.refused_files)}." if model.refused_files else "",
        f"Formats that can run code when loaded: {', '.join(foreign)}." if foreign else "",
        f"Types nobody reviewed: {', '.join(model.untrusted_types)}." if model.untrusted_types else "",
    ]
    if any(problems):
        advice = "Save the model with wb.log_model and use only estimators that `workbench models` lists."
        reason = " ".join([*filter(None, problems), advice])
        return Finding("safe_format", Status.FAIL, value, limit, reason)
    if not model.formats:
        reason = "The run stored no model file. Log the model with wb.log_model and run again."
        return Finding("safe_format", Status.UNKNOWN, value, limit, reason)
    reason = "The model's files hold data, not code."
    if own:
        reason = f"Beside its data the model needs own code: {own}. Read it under own code: whoever signs approves that it runs."
    return Finding("safe_format", Status.PASS, f"{value}; own code {own}" if own else value, limit, reason)
