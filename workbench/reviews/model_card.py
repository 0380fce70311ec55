"""A model card as a record: the nine sections of Mitchell et al. (2019), "Model Cards for Model Reporting"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workbench.comparisons.comparison import headline
from workbench.comparisons.slices import SliceValue
from workbench.drawings.picture import Picture
from workbench.evidence.class_words import say_accuracy, say_class, say_decision
from workbench.evidence.evidence import Evidence
from workbench.evidence.measures.calibration import CalibrationFact
from workbench.evidence.measures.classes import ClassesFact
from workbench.evidence.measures.robustness import RobustnessFact
from workbench.evidence.measures.tries import describe_other_rules, describe_other_splits, describe_tries
from workbench.evidence.outcome import draw_outcome, say_importance, say_outcome
from workbench.evidence.serving_form import describe_form
from workbench.notebooks.parameters import spell_value
from workbench.records.digest import short
from workbench.records.visible_text import find_text_fault
from workbench.runs.tables import DatasetFact, TableProfile

DETAILS, USE, FACTORS, METRICS = "Model details", "Intended use", "Factors", "Metrics"
EVALUATION, TRAINING, ANALYSES = "Evaluation data", "Training data", "Quantitative analyses"
ETHICS, CAVEATS = "Ethical considerations", "Caveats and recommendations"
# Where the answer to a policy's question belongs; one with another name is a caveat.
_PLACES: Mapping[str, str] = {
    "intended_use": USE,
    **dict.fromkeys(("model_needed", "risk_tier", "budget", "explanation", "overruling"), USE),
    **dict.fromkeys(("slice_choice", "fairness_groups"), FACTORS),
    **dict.fromkeys(("metric_choice", "objective", "business_judgement", "online_value"), METRICS),
    **dict.fromkeys(("population", "target_knowable"), EVALUATION),
    **dict.fromkeys(("data_rights", "data_expectations", "data_anomalies", "labelling", "retention"), TRAINING),
    **dict.fromkeys(("robustness_scenarios", "nondeterminism"), ANALYSES),
    **dict.fromkeys(("harm", "personal_data", "feedback_loops", "log_privacy", "threats"), ETHICS),
}


@dataclass(frozen=True)
class Named:
    """Facts by name."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Remarks:
    """Sentences that stand each by itself; none: nothing was recorded."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a person said to a question of the policy (None: nobody did in words yet), and whose that is (empty: not recorded)."""

    question: str
    text: str | None
    whose: str = ""


@dataclass(frozen=True)
class Grid:
    """A table: the names of its columns, and its rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Drawn:
    """Pictures, where the card is shown as a page; where it is text, the tables that say the same."""

    pictures: tuple[Picture, ...]


Block = Named | Remarks | Answer | Grid | Drawn


@dataclass(frozen=True)
class CardSection:
    """One section of a card; the computed parts stand before what people said."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class ModelCard:
    """A card in order; `unanswered` names the questions of the policy nobody answered, of `asked`.

    `outcome` says in plain counts what came out on the holdout; empty where nobody measured it.
    """

    model: str
    version: int
    headline: str
    outcome: str
    sections: tuple[CardSection, ...]
    asked: int
    unanswered: tuple[str, ...]

    @property
    def completeness(self) -> str:
        """How many human sections are filled, in one sentence."""
        said = f"{self.asked - len(self.unanswered)} of {self.asked} questions to people are answered"
        names = ", ".join(name.replace("_", " ") for name in self.unanswered)
        return f"{said}; empty: {names}." if names else f"{said}."


def build_model_card(evidence: Evidence, questions: Mapping[str, str]) -> ModelCard:
    """Return the card of evidence; `questions` are the policy's."""
    score, identity = evidence.score, evidence.identity
    return ModelCard(
        model=identity.model,
        version=identity.version,
        headline=f"{score.metric} {score.value:.4g} on the holdout." if score else "No score was recorded.",
        outcome=say_outcome(evidence),
        sections=tuple(_build_section(title, evidence, questions) for title in _COMPUTED),
        asked=len(questions),
        unanswered=tuple(name for name in questions if not _read_answer(evidence, name)),
    )


def _read_answer(evidence: Evidence, name: str) -> str | None:
    """Return an answer that holds words; what is invisible, or dots, fills no section."""
    text = evidence.answers.get(name, "")
    return None if find_text_fault(text, 1) else text


def _build_section(title: str, evidence: Evidence, questions: Mapping[str, str]) -> CardSection:
    found = tuple(_COMPUTED[title](evidence))
    remarks = tuple(item for block in found if isinstance(block, Remarks) for item in block.items)
    named = tuple(block for block in found if not isinstance(block, Remarks))
    computed = (*named, *([Remarks(remarks)] if len(named) < len(found) else []))
    whose = {fact.question: fact.whose for fact in evidence.said_by}
    said = tuple(
        Answer(text, _read_answer(evidence, name), whose.get(name, ""))
        for name, text in questions.items()
        if _PLACES.get(name, CAVEATS) == title
    )
    return CardSection(title, (*computed, *said) or (Remarks(()),))


def _describe_details(evidence: Evidence) -> Iterator[Block]:
    identity, model = evidence.identity, evidence.model
    parameters = ", ".join(f"{name} = {spell_value(value)}" for name, value in sorted(identity.parameters.items()))
    yield Named(
        (
            ("endpoint", identity.endpoint),
            ("made by", ", ".join(identity.authors)),
            ("trained", identity.ended or "unknown"),
            ("notebook", f"{identity.notebook}, sha256 {short(identity.notebook_digest)}"),
            ("run", identity.run_id),
            ("git commit", identity.git_commit or "none"),
            ("parameters", parameters),
            ("served as", describe_form(evidence.serving) if evidence.serving else model.served_as or "unknown"),
            ("file formats", ", ".join(model.formats)),
        )
    )


def _describe_nothing(_: Evidence) -> Iterator[Block]:
    """What only people can say."""
    yield from ()


def _describe_factors(evidence: Evidence) -> Iterator[Block]:
    slices = evidence.slices
    names = dict.fromkeys(value.slice for value in slices.values) if slices else {}
    counts = [sum(value.slice == name for value in slices.values) for name in names] if slices else []
    yield Remarks(
        tuple(
            f"{name}: {count} {'group' if count == 1 else 'groups'} of holdout rows"
            for name, count in zip(names, counts, strict=True)
        )
        or ("No groups of rows were logged, so none was looked at by itself.",)
    )


def _describe_metrics(evidence: Evidence) -> Iterator[Block]:
    plan, score = evidence.plan, evidence.score
    if score:
        yield Remarks((f"{score.metric} decides; {score.direction} is better.",))
    if plan:
        yield Remarks((f"A difference below {plan.margin:g} counts as none; fixed in the ledger on {plan.time[:10]}.",))


def _describe_evaluation(evidence: Evidence) -> Iterator[Block]:
    yield from _describe_data(evidence, is_training=False)
    holdout, sample = evidence.holdout, evidence.sample
    if holdout and holdout.shared_rows is not None:
        alike = (
            ""
            if holdout.alike_rows is None
            else f", {holdout.alike_rows:,} once numbers, case and blanks are rounded off"
        )
        said = f"{holdout.shared_rows:,} of {holdout.rows:,} holdout rows stand in a training table too{alike}."
        target = f"The truth is the column {holdout.target}." if holdout.target else "No column was named as the truth."
        yield Remarks((said, target))
    if sample and sample.rarer_class is not None:
        rarest = "rarest" if evidence.classes and len(evidence.classes.classes) > 2 else "rarer"
        yield Remarks((f"{sample.rarer_class:,} of {sample.rows:,} rows are of the {rarest} class.",))


def _describe_training(evidence: Evidence) -> Iterator[Block]:
    yield from _describe_data(evidence, is_training=True)


def _describe_data(evidence: Evidence, *, is_training: bool) -> Iterator[Block]:
    tables = [item for item in evidence.datasets if (item.role == "train") is is_training]
    profiles = {(profile.role, profile.name): profile for profile in evidence.profiles or ()}
    known = tuple(_describe_table(item, profiles.get((item.role, item.name))) for item in tables)
    yield Remarks(known or (f"No table for {'training' if is_training else 'evaluation'} was recorded.",))


def _describe_table(item: DatasetFact, profile: TableProfile | None) -> str:
    said = f"{item.name}: {item.rows:,} rows, {item.columns} columns, sha256 {short(item.digest)}"
    if profile is None:
        return said
    missing = "" if profile.columns is None else f", {sum(c.missing for c in profile.columns):,} missing values"
    return f"{said}; {profile.duplicates:,} duplicate rows{missing}"


def _describe_analyses(evidence: Evidence) -> Iterator[Block]:
    compared = [comparison for comparison in (evidence.baseline, evidence.champion) if comparison]
    yield Remarks(tuple(map(headline, compared)) or ("It was compared with nothing.",))
    if shift := evidence.champion_shift:
        yield Remarks((f"The champion, version {evidence.champion_version}, has {shift.told}.",))
    overlap, champion = evidence.champion_overlap, evidence.champion
    if overlap and champion and (told := overlap.tell(champion.rows)):
        yield Remarks((told,))
    slices, tries = evidence.slices, evidence.tries
    if slices and slices.values:
        yield Remarks(tuple(_spell_slice(value, slices.metric) for value in slices.values))
    if evidence.classes:
        yield from _describe_classes(evidence.classes)
    yield from _describe_outcome(evidence)
    if evidence.calibration:
        yield Remarks((_spell_calibration(evidence.calibration),))
    if evidence.robustness:
        yield Remarks(tuple(_spell_robustness(evidence.robustness)))
    if tries:
        more = filter(None, (describe_other_splits(tries), describe_other_rules(tries)))
        yield Remarks((f"The holdout was looked at: {describe_tries(tries)}.", *more))


def _describe_outcome(evidence: Evidence) -> Iterator[Block]:
    """Return the pictures of what came out, and what single columns are worth."""
    if pictures := draw_outcome(evidence):
        yield Drawn(pictures)
    if evidence.importance:
        yield Remarks((say_importance(evidence.importance),))


def _describe_classes(fact: ClassesFact) -> Iterator[Block]:
    """Return the confusion matrix as a table, and each class in a sentence."""
    heads = tuple(each.name for each in fact.classes)
    lines = (tuple(map(str, line)) for line in fact.confusion)
    yield Grid(("is, called", *heads), tuple((name, *line) for name, line in zip(heads, lines, strict=True)))
    sentences = (say_accuracy(fact), say_decision(fact), *(say_class(fact, each) for each in fact.classes))
    values = ", ".join(f"{item.name} {item.value:.4g}" for item in fact.metrics if item.value is not None)
    yield Remarks((*sentences, *([f"On the holdout: {values}."] if values else ())))


def _spell_slice(value: SliceValue, metric: str) -> str:
    score = f"{metric} {value.score:.4g}" if value.score is not None else f"too few rows for {metric}"
    against = "" if value.reference_score is None else f", the reference {value.reference_score:.4g}"
    return f"{value.slice} {value.value}: {score}{against} ({value.rows:,} rows)"


def _spell_calibration(fact: CalibrationFact) -> str:
    slope = "No calibration slope" if fact.slope is None else f"Calibration slope {fact.slope:.3g}"
    error = "" if fact.ece is None else f", expected calibration error {fact.ece:.3g}"
    return f"{slope}{error} ({fact.rows:,} rows)"


def _spell_robustness(fact: RobustnessFact) -> Iterator[str]:
    for scenario in fact.scenarios:
        column = f" in {scenario.worst_column}" if scenario.worst_column else ""
        what = "not measured" if scenario.drop is None else f"{fact.metric} drops by {scenario.drop:.3g}"
        yield f"Disturbed by {scenario.name}{column}: {scenario.error or what}"


def _describe_caveats(evidence: Evidence) -> Iterator[Block]:
    waived = [
        f"{item.check} is waived by {item.principal} until {item.expires[:10]}: {item.reason}"
        for item in evidence.waivers
    ]
    objected = [f"{item.principal} objects: {item.text}" for item in evidence.objections if item.cleared is None]
    if waived or objected:
        yield Remarks((*waived, *objected))


_COMPUTED = {
    DETAILS: _describe_details,
    USE: _describe_nothing,
    FACTORS: _describe_factors,
    METRICS: _describe_metrics,
    EVALUATION: _describe_evaluation,
    TRAINING: _describe_training,
    ANALYSES: _describe_analyses,
    ETHICS: _describe_nothing,
    CAVEATS: _describe_caveats,
}
