"""Classes in words: what is decided for, by what, and which class is taken for which; the same on every screen."""

from __future__ import annotations

from workbench.evidence.measures.classes import ClassesFact, ClassFact, Share
from workbench.stats.task import describe_response


def say_accuracy(fact: ClassesFact) -> str:
    """Say how many rows were called right."""
    right, rows = sum(each.right for each in fact.classes), sum(each.rows for each in fact.classes)
    return f"{right:,} of {rows:,} rows are called right: {say_share(fact.accuracy)}."


def say_decision(fact: ClassesFact) -> str:
    """Say where a label comes from, what the scores are, and for which class."""
    several = len(fact.classes) > 2
    if fact.response is None:
        scored = "What of the model the scores are is not known"
    else:
        scored = f"Scores are {describe_response(fact.response)}"
    positive = f"; the positive class is {fact.positive_class}" if fact.positive_class is not None else ""
    return f"{scored}{positive}. {_say_label(fact, several)}"


def _say_label(fact: ClassesFact, several: bool) -> str:
    if fact.decided_by != "label":
        rule = "the class with the largest score" if several else "the positive class from a score of 0.5 on"
        return f"No labels of the model were kept, so {rule} is taken."
    if fact.threshold is None:
        return "Labels are the model's own."
    return f"Labels are the model's own: {fact.threshold_class} from {fact.threshold:.4g} on."


def say_share(share: Share | None) -> str:
    """Return a share with its 95 % interval."""
    return "no rows" if share is None else f"{share.value:.3g} ({share.low:.2f} to {share.high:.2f})"


def say_confusion(fact: ClassesFact, place: int) -> str:
    """Say for what a class is mistaken the most, empty when it never is."""
    line = [(count, each.name) for count, each in zip(fact.confusion[place], fact.classes, strict=True)]
    others = line[:place] + line[place + 1 :]
    count, name = max(others, default=(0, ""), key=lambda each: each[0])
    return f"{name}, {count:,} {'time' if count == 1 else 'times'}" if count else ""


def say_class(fact: ClassesFact, each: ClassFact) -> str:
    """Return one class in a sentence."""
    mistaken = say_confusion(fact, fact.classes.index(each))
    taken = f", most often taken for {mistaken}" if mistaken else ""
    area = "" if each.roc_auc is None else f", AUC {each.roc_auc:.4g}"
    return (
        f"Class {each.name}: {each.rows:,} rows, recall {say_share(each.recall)}, precision {say_share(each.precision)},"
        f" F1 {each.f1:.3g}{area}{taken}"
    )
