"""Does the model that will be served give the answers it was judged by?"""

from __future__ import annotations

from workbench.checks._limits import read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.evidence.serving_form import count_rows, describe_form, find_served, is_proved
from workbench.models.model_facts import FormFact
from workbench.policies.policy import Policy
from workbench.stats.task import has_classes

LIMITS = ("largest_difference",)
_FIRST_WITH_FORMS = 3  # the format of evidence, and the first with labels


def model_loads(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when the model loads in a separate process and differs from the stored predictions by at most the limit.

    The limit is in units of the scores' spread, and labels that were kept with the predictions must be those it decides for. A
    compiled form must have been held against the model on more rows than those.
    """
    limits = read_limits(policy, "model_loads", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    model, largest = evidence.model, limits["largest_difference"]
    limit = f"loads, difference at most {largest:g} of the scores' spread"
    if model.load_error is not None:
        reason = (
            f"The model did not load: {model.load_error.rstrip('.')}. Log it again with wb.log_model and run again."
        )
        return Finding("model_loads", Status.FAIL, "does not load", limit, reason)
    if model.largest_difference is None or model.served_as is None:
        reason = "The served model was not compared with the stored predictions. Nominate the run again."
        return Finding("model_loads", Status.UNKNOWN, "not measured", limit, reason)
    served = find_served(evidence.serving) if evidence.serving else None
    compared = f", equal on {count_rows(served):,} rows" if served else ""
    value = f"{model.served_as}{compared}, difference {model.largest_difference:.2g}"
    if _is_unproved(evidence, served):
        reason = "The compiled model was not held against the model itself beyond its holdout. Nominate the run again."
        return Finding("model_loads", Status.UNKNOWN, value, limit, reason)
    if finding := _judge_labels(evidence, value, limit):
        return finding
    # Written so that NaN is above every limit.
    if 0 <= model.largest_difference <= largest:
        reason = "Loaded in a separate process, the model gives the stored predictions on every holdout row."
        form = [describe_form(evidence.serving)] if evidence.serving else []
        return Finding("model_loads", Status.PASS, value, limit, " ".join([reason, *form]))
    # As what it is served says the value: of a run that was not nominated yet, nobody knows.
    reason = (
        "As it is served, the model answers differently from its stored predictions. "
        "Log the model that made the predictions, with the features of the same rows in the same order, and run again."
    )
    return Finding("model_loads", Status.FAIL, value, limit, reason)


def _is_unproved(evidence: Evidence, served: FormFact | None) -> bool:
    if evidence.format < _FIRST_WITH_FORMS or evidence.model.served_as == "skops":
        return False
    return served is None or not is_proved(served)


def _has_labels(evidence: Evidence) -> bool:
    """Whether its format and its task have labels."""
    is_new = evidence.format >= _FIRST_WITH_FORMS
    return is_new and evidence.score is not None and has_classes(evidence.score.task)


def _judge_labels(evidence: Evidence, value: str, limit: str) -> Finding | None:
    """Return what is wrong with the labels; None where they are the same, or none were kept, or there are none."""
    classes = evidence.classes
    if classes is None:
        return _uncompared(value, limit) if _has_labels(evidence) else None
    if classes.decided_by != "label" or classes.differing_labels == 0:
        return None
    if classes.differing_labels is None:
        return _uncompared(value, limit)
    value = f"{value}, {classes.differing_labels:,} other labels"
    reason = "The served model decides otherwise than its stored labels. Log the model that made the predictions, and run again."
    return Finding("model_loads", Status.FAIL, value, limit, reason)


def _uncompared(value: str, limit: str) -> Finding:
    reason = "What the served model decides for was not compared with the stored labels. Nominate the run again."
    return Finding("model_loads", Status.UNKNOWN, f"{value}, labels not compared", limit, reason)
