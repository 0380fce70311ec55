"""Does the model that will be served give the answers it was judged by?"""

from __future__ import annotations

from workbench.checks._limits import read_limits
from workbench.domain.evidence import Evidence, Finding, Status
from workbench.domain.policy import Policy

LIMITS = ("largest_difference",)


def model_loads(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when the model loads in a separate process and differs from the stored predictions by at most the limit."""
    limits = read_limits(policy, "model_loads", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    model, largest = evidence.model, limits["largest_difference"]
    limit = f"loads, difference at most {largest:g}"
    if model.load_error is not None:
        reason = (
            f"The model did not load: {model.load_error.rstrip('.')}. Log it again with wb.log_model and run again."
        )
        return Finding("model_loads", Status.FAIL, "does not load", limit, reason)
    if model.largest_difference is None or model.served_as is None:
        reason = "The served model was not compared with the stored predictions. Nominate the run again."
        return Finding("model_loads", Status.UNKNOWN, "not measured", limit, reason)
    value = f"{model.served_as}, difference {model.largest_difference:.2g}"
    # Written so that NaN is above every limit.
    if 0 <= model.largest_difference <= largest:
        reason = "Loaded in a separate process, the model gives the stored predictions on every holdout row."
        return Finding("model_loads", Status.PASS, value, limit, reason)
    reason = (
        f"Served as {model.served_as}, the model answers differently from its stored predictions. "
        "Log the model that made the predictions, and run again."
    )
    return Finding("model_loads", Status.FAIL, value, limit, reason)
