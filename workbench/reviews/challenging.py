"""Challenging: a nominee's facts held against those of the version that is served, as both were frozen (champion, challenger).

Where the champion was judged on the same rows, what it predicted there is kept with it. On any other holdout its frozen model is
asked, as its endpoint would be; nothing is fitted again. What it said at the nomination is frozen with the nominee, and asked again
when it is promoted. On rows that it was trained on, as after another split of the same data, it is not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.comparisons.comparing import Reference, Scored, compare_scored, find_difference, measure_shift
from workbench.comparisons.overlap import KEEP_THE_SPLIT, OverlapFact
from workbench.comparisons.shift import ShiftFact
from workbench.comparisons.slicing import describe_slices
from workbench.errors import Refused
from workbench.evidence.evidence import Evidence
from workbench.evidence.holdout_rows import HoldoutRows
from workbench.models.contract import Contract, parse_contract
from workbench.models.model_files import CONTRACT_FILE
from workbench.models.model_inspection import Tolerance
from workbench.models.predictions import Predictions, parse_predictions, parse_slices
from workbench.models.scoring import Scoring, score_rows
from workbench.policies.policy import Policy
from workbench.reviews.pairing import find_few, find_known_rows
from workbench.runs.training_rows import TrainingTable
from workbench.stats.own_metric import Undefined
from workbench.stats.task import find_place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What may be said of a model that has no answer: it is written down for ever.
_LONGEST = 500
_LAST_WITHOUT_REASONS = 3


class Unanswered(Refused):
    """A champion has no answer to these rows, or to this question, and that is written down; files of it that are gone are not."""


@dataclass(frozen=True)
class Before:
    """What was frozen of the version a nominee is held against; `source` is None when it was nominated before sources were kept.

    `read_rows` returns the rows of its own holdout, `read_training` what its training rows are known by, None from before they were
    kept, `read_model` the files of its model; all raise Refused where they are not what was nominated. `allows_own_code` is what
    its own policy says.
    """

    facts: Evidence
    predictions: bytes
    source: bytes | None
    modules: Mapping[str, bytes]
    local_code: Mapping[str, str]
    allows_own_code: bool
    read_rows: Callable[[], HoldoutRows | None]
    read_training: Callable[[], Sequence[TrainingTable] | None]
    read_model: Callable[[], Mapping[str, bytes]]

    @property
    def version(self) -> int:
        """Which version it is."""
        return self.facts.identity.version


@dataclass(frozen=True)
class Asked:
    """What a champion said about a nominee's holdout at the nomination: its version, what it predicts, or why nobody knows."""

    version: int
    predictions: bytes | None
    fault: str | None


@dataclass(frozen=True)
class Challenger:
    """What was frozen of a nominee that its champion is held against: what it predicted, on which rows, and whom it asked then.

    `read_rows` returns None for a nominee from before they were kept, or whose rows are not as they were logged.
    """

    run_id: str
    predictions: bytes
    read_rows: Callable[[], HoldoutRows | None]
    asked: Asked | None = None


def hold_against_champion(facts: Evidence, policy: Policy, challenger: Challenger, before: Before) -> Evidence:
    """Return the facts with the champion as reference, of all rows and of each slice; where it could not be scored, with why.

    Rows that it was trained on are left out where they are more than the policy allows of a nominee's own holdout.
    """
    held = replace(facts, champion_version=before.version, champion=None, champion_unscored=None)
    held = replace(held, champion_shift=None, champion_overlap=None, slices=None)
    if facts.baseline is None or facts.holdout is None:
        return held
    own = _add_columns(parse_predictions(challenger.predictions, challenger.run_id), challenger.read_rows)
    try:
        served = _find_served(own, facts, challenger, before)
        overlap, fair = _find_fair(own, facts, policy, challenger, before)
    except Unanswered as exc:
        return _leave_unscored(held, describe_fault(exc))
    own, served = own.take(fair), replace(served, columns=own.columns).take(fair)
    try:
        return replace(
            held, champion_overlap=overlap, **_compare(facts, policy, challenger, before, (own, served, fair))
        )
    except Undefined as exc:
        return _leave_unscored(held, exc.in_one_line[:_LONGEST])


def _compare(
    facts: Evidence,
    policy: Policy,
    challenger: Challenger,
    before: Before,
    rows: tuple[Predictions, Predictions, NDArray[np.int64]],
) -> dict[str, Any]:
    """Return how both sides do on these rows, by the fields of the evidence."""
    own, served, fair = rows
    reference = Reference(f"the champion, version {before.version}", served)
    compared = compare_scored(
        [Scored(facts.identity.run_id, facts.identity.parameters, own)],
        holdout_digest=str(facts.holdout and facts.holdout.digest),
        reference=reference,
        rule=policy.rule_of(own.task),
        **_say_tries(facts),
    )
    slices = parse_slices(challenger.predictions, challenger.run_id) if facts.slices else None
    taken = {name: [values[place] for place in fair] for name, values in (slices or {}).items()}
    return {
        "champion": compared if compared.is_defined else None,
        "champion_shift": _measure_shift(served, facts, policy, before),
        "slices": None if slices is None else describe_slices(taken, own, reference, policy),
    }


def _say_tries(facts: Evidence) -> dict[str, int]:
    tried = facts.baseline
    names = ("tried", "other_rules", "other_splits")
    return {name: getattr(tried, name) for name in names} if tried else {"tried": 1}


def _add_columns(predictions: Predictions, read_rows: Callable[[], HoldoutRows | None]) -> Predictions:
    """Return predictions with the columns of their holdout, for a metric of the project's own that asks for one."""
    from workbench.stats.holdout_columns import HoldoutColumns

    def read() -> Mapping[str, Sequence[str]]:
        if (rows := read_rows()) is not None:
            return rows.columns
        raise Undefined("The columns of the holdout are not known.", why="They were not kept as they were logged.")

    return replace(predictions, columns=HoldoutColumns(read))


def _find_fair(
    own: Predictions, facts: Evidence, policy: Policy, challenger: Challenger, before: Before
) -> tuple[OverlapFact | None, NDArray[np.int64]]:
    """Return on how many rows the champion was trained, and the places of those it is compared on.

    Raises Unanswered where too few are left. Evidence of an older format has no place for the first.
    """
    import numpy as np

    every = np.arange(len(own.rows))
    if facts.format <= _LAST_WITHOUT_REASONS:
        return None, every
    known = _find_known(own, facts, challenger, before)
    if isinstance(known, str):
        return OverlapFact(len(own.rows), None, known), every
    overlap = OverlapFact(len(known), sum(known))
    if not overlap.is_left_out(policy.most_shared_rows):
        return overlap, every
    fair = np.flatnonzero(~np.array(known))
    if few := find_few(own.take(fair), policy):
        raise _without_fair_rows(overlap, few, before)
    return overlap, fair


def _find_known(own: Predictions, facts: Evidence, challenger: Challenger, before: Before) -> list[bool] | str:
    """Return for each row whether the champion was trained on it, or why nobody can tell."""
    then, now = before.facts.holdout, facts.holdout
    if then and now and then.digest == now.digest and _was_kept_apart(before.facts):
        return [False] * len(own.rows)
    return find_known_rows(before.read_training(), challenger.read_rows())


def _was_kept_apart(facts: Evidence) -> bool:
    """True where a run's holdout had no row of its training; of before they were rounded, none that is exactly the same."""
    holdout, has_training = facts.holdout, any(table.role == "train" for table in facts.datasets)
    return has_training and holdout is not None and holdout.shared_rows == 0 and not holdout.alike_rows


def _without_fair_rows(overlap: OverlapFact, few: str, before: Before) -> Unanswered:
    left = overlap.rows - (overlap.shared_rows or 0)
    return Unanswered(
        f"The champion, version {before.version}, was trained on {overlap.shared_rows:,} of the {overlap.rows:,} rows of this "
        f"holdout; the other {left:,} are too few to compare on.",
        why=few,
        next_step=KEEP_THE_SPLIT,
    )


def _measure_shift(served: Predictions, facts: Evidence, policy: Policy, before: Before) -> ShiftFact | None:
    """Return how the champion does on these rows beside its own holdout; None on the same rows, and in an older format."""
    then, now = before.facts.holdout, facts.holdout
    if facts.format <= _LAST_WITHOUT_REASONS or (then and now and then.digest == now.digest):
        return None
    own = _add_columns(parse_predictions(before.predictions, before.facts.identity.run_id), before.read_rows)
    return measure_shift(served, own, policy.rule_of(served.task))


def _leave_unscored(held: Evidence, fault: str) -> Evidence:
    """Return the facts with the reason; those of an older format have no place for it, and must be nominated again anyway."""
    return replace(held, champion_unscored=fault) if held.format > _LAST_WITHOUT_REASONS else held


def describe_fault(exc: Unanswered) -> str:
    """Return why a champion could not be scored, as it is written down: what, why, and what to do."""
    return " ".join(filter(None, [exc.what, " ".join(exc.reasons)[:_LONGEST], exc.next_step]))


def _find_served(own: Predictions, facts: Evidence, challenger: Challenger, before: Before) -> Predictions:
    """Return what the champion predicts for the nominee's rows; raises Refused where that cannot be said."""
    if (stored := _recall(own, facts, before)) is not None:
        return stored
    asked = challenger.asked
    if asked is None or asked.version != before.version:
        return score_champion(own, challenger.read_rows(), before)
    if asked.predictions is None:
        raise Unanswered(str(asked.fault))
    return parse_predictions(asked.predictions, challenger.run_id)


def _recall(own: Predictions, facts: Evidence, before: Before) -> Predictions | None:
    """Return what the champion's own run predicted, where that was on the same rows and what is served answered the same."""
    then, now = before.facts.holdout, facts.holdout
    difference = before.facts.model.largest_difference
    labels = before.facts.classes.differing_labels if before.facts.classes else None
    if then is None or now is None or then.digest != now.digest or labels:
        return None
    if difference is None or not difference <= Tolerance().score:
        return None
    stored = parse_predictions(before.predictions, before.facts.identity.run_id)
    return None if find_difference(own, stored) else stored


# Asking its model


def ask_champion(facts: Evidence, challenger: Challenger, before: Before) -> Predictions | None:
    """Return what the champion's frozen model predicts for a nominee's rows; None where its own run was judged on them.

    Raises Unanswered where it has no answer to them, or to another question, Refused where what was frozen of it is not there.
    """
    own = parse_predictions(challenger.predictions, challenger.run_id)
    if _recall(own, facts, before) is not None:
        return None
    return score_champion(own, challenger.read_rows(), before)


def score_champion(own: Predictions, rows: HoldoutRows | None, before: Before) -> Predictions:
    """Return what the champion's frozen model predicts for rows, beside what the nominee does."""
    champion = f"The champion, version {before.version},"
    if rows is None:
        raise Unanswered(
            f"{champion} could not be asked about this holdout.",
            why="Its rows were not kept with the nominee as they were logged.",
            next_step="Log them with `wb.log_dataset(holdout, role='holdout')`, run the notebook again and nominate that run.",
        )
    files = before.read_model()
    contract = parse_contract(files[CONTRACT_FILE])
    _require_same_question(champion, own, rows, contract, before)
    said = score_rows(files, str(before.facts.model.served_as), rows.columns, allows_own_code=before.allows_own_code)
    return _predict(champion, own, contract, said)


def _require_same_question(
    champion: str, own: Predictions, rows: HoldoutRows, contract: Contract, before: Before
) -> None:
    """Raise Refused where the champion predicts something else than the nominee: another target, task or class."""
    theirs = before.read_rows()
    target = theirs.target if theirs else None  # one from before that was written down is known by its classes
    if None not in (target, rows.target) and target != rows.target:
        raise _of_another_question(
            champion, f"Its target is {target!r}, that of this run {rows.target!r}.", renamed=target
        )
    if fault := find_difference(own, _as_predictions(own, contract)):
        raise _of_another_question(champion, fault)


def _of_another_question(champion: str, why: str, renamed: str | None = None) -> Unanswered:
    step = "What answers another question is another model: nominate it under a name of its own."
    if renamed is not None:
        step = f"Where only the column was renamed, log it as {renamed!r} and run the notebook again. {step}"
    return Unanswered(f"{champion} predicts something else.", why=why, next_step=step)


def _as_predictions(own: Predictions, contract: Contract) -> Predictions:
    """Return predictions on the nominee's rows in the champion's terms; the scores are none of it yet."""
    import numpy as np

    width = len(contract.classes or ())
    shape = (len(own.rows), width) if contract.task == "multiclass" else (len(own.rows),)
    named = {"classes": contract.classes, "positive_class": contract.positive_class, "response": contract.response}
    of_classes = named if contract.classes else dict.fromkeys(named)
    return replace(own, task=contract.task, score=np.zeros(shape), label=None, **of_classes)


def _predict(champion: str, own: Predictions, contract: Contract, said: Scoring) -> Predictions:
    import numpy as np

    blank = _as_predictions(own, contract)
    if said.fault is not None:
        raise _without_answer(champion, said.fault)
    try:
        score = np.array(said.scores, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise _without_answer(champion, "Its scores are no numbers.") from exc
    if score.shape != blank.score.shape or not np.isfinite(score).all():
        raise _without_answer(champion, f"{len(said.scores):,} of {len(own.rows):,} rows got an answer that is one.")
    label = _place_labels(champion, said.labels, contract, len(own.rows)) if said.labels else None
    return replace(blank, score=score, label=label)


def _without_answer(champion: str, why: str) -> Unanswered:
    return Unanswered(
        f"{champion} has no answer to this holdout.",
        why=why,
        next_step=(
            "Log the holdout with every column it takes, in the types it takes (columns that are no features are fine), "
            "and run the notebook again."
        ),
    )


def _place_labels(champion: str, labels: tuple[Any, ...], contract: Contract, rows: int) -> Any:
    """Return labels in the terms of the truth: the place of the class, of two 1 for the positive one."""
    import numpy as np

    classes = contract.classes or ()
    places = [find_place(label, classes) for label in labels]
    if len(places) != rows or None in places:
        raise _without_answer(champion, "Its labels are not those of its classes.")
    if contract.task == "multiclass":
        return np.array(places, dtype=np.float64)
    return np.array([place == contract.positive_place for place in places], dtype=np.float64)


def find_changed_answers(facts: Evidence, challenger: Challenger, before: Before | None) -> list[str]:
    """Return why what a champion said at the nomination is not what its frozen model says now; empty when it is.

    As with what is served, scores may differ by 1e-6 of their spread; labels may not.
    """
    asked = challenger.asked
    if before is None or asked is None or asked.version != before.version:
        return []
    try:
        now = ask_champion(facts, challenger, before)
    except Unanswered as exc:
        fault = describe_fault(exc)
        return [] if asked.fault == fault else [f"The champion was scored at the nomination, and is not now: {fault}"]
    if now is None:
        return []
    if asked.predictions is None:
        return [f"The champion could be scored now, and was not at the nomination: {asked.fault}"]
    return _compare_answers(parse_predictions(asked.predictions, challenger.run_id), now)


def _compare_answers(then: Predictions, now: Predictions) -> list[str]:
    import numpy as np

    from workbench.models.compiler.proof import find_spread

    if difference := find_difference(then, now):
        return [f"What the champion said at the nomination is not what it says now. {difference}"]
    gap = float(np.abs(then.score - now.score).max()) / find_spread(then.score)
    if not gap <= Tolerance().score:
        return [f"The champion's scores at the nomination differ from those of now by up to {gap:.3g} of their spread."]
    labels = [() if each.label is None else each.label.tolist() for each in (then, now)]
    return [] if labels[0] == labels[1] else ["The champion's labels at the nomination are not those of now."]
