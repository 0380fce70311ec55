"""The form a model is served in, in words: which one, on how many rows it was compared, and what the others failed on."""

from __future__ import annotations

from workbench.models.model_facts import FormFact, ServingFact


def find_served(serving: ServingFact) -> FormFact | None:
    """Return the compiled form that is served, None where the model itself is."""
    return next((form for form in serving.tried if form.served), None)


def count_rows(form: FormFact) -> int:
    """Return on how many rows a form was held against the model."""
    return sum(each.rows for each in form.rows)


def is_proved(form: FormFact) -> bool:
    """True when it was held against the model on some rows, and not one score or label was another."""
    return count_rows(form) > 0 and not any(each.differing or each.labels for each in form.rows)


def describe_form(serving: ServingFact) -> str:
    """Return in a sentence or two what is served and why."""
    served = find_served(serving)
    if served is None:
        return " ".join(
            ["Served: scikit-learn itself, whose answers are the model's own.", *describe_failures(serving)]
        )
    kinds = ", ".join(
        f"{each.kind} {each.rows:,}{f' of {each.of:,}' if each.of > each.rows else ''}" for each in served.rows
    )
    said = (
        f"Served: {served.name}. On {count_rows(served):,} rows it answers like the model, labels included ({kinds})."
    )
    return " ".join([said, *describe_failures(serving)])


def summarize_form(serving: ServingFact) -> str:
    """Return in a few words what is served, for a table of facts."""
    served = find_served(serving)
    if served is None:
        return "scikit-learn itself, not compiled"
    return f"{served.name}; compared on {count_rows(served):,} rows"


def describe_failures(serving: ServingFact) -> list[str]:
    """Return for each form that was tried and is not served what it failed on."""
    return [f"Not {form.name}: {form.reason.rstrip('.')}." for form in serving.tried if not form.served]
