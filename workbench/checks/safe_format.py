"""Can the model be loaded without running code from the file?"""

from __future__ import annotations

from workbench.domain.evidence import Evidence, Finding, Status
from workbench.domain.policy import Policy

SAFE_FORMATS = frozenset({"skops", "onnx", "json"})
_LIMIT = f"only {', '.join(sorted(SAFE_FORMATS))}, and only reviewed types"


def safe_format(evidence: Evidence, policy: Policy) -> Finding:  # noqa: ARG001 - every check has this shape
    """Pass when every file of the model is in a format that carries no code and names only reviewed types."""
    model = evidence.model
    foreign = sorted(set(model.formats) - SAFE_FORMATS)
    value = ", ".join(sorted(set(model.formats))) or "no file"
    problems = [
        f"Refused files: {', '.join(model.refused_files)}." if model.refused_files else "",
        f"Formats that can run code when loaded: {', '.join(foreign)}." if foreign else "",
        f"Types nobody reviewed: {', '.join(model.untrusted_types)}." if model.untrusted_types else "",
    ]
    if any(problems):
        advice = "Save the model with wb.log_model and use only estimators on the reviewed list."
        reason = " ".join([*filter(None, problems), advice])
        return Finding("safe_format", Status.FAIL, value, _LIMIT, reason)
    if not model.formats:
        reason = "The run stored no model file. Log the model with wb.log_model and run again."
        return Finding("safe_format", Status.UNKNOWN, value, _LIMIT, reason)
    return Finding("safe_format", Status.PASS, value, _LIMIT, "The model's files hold data, not code.")
