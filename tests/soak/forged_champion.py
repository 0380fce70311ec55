"""What a nominee is held against, told otherwise: other answers of the champion, other bytes of it, no champion at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.soak.frozen import CHAMPION, MODEL, NOMINEE, Frozen
from tests.soak.stories import Forge, World
from tests.soak.tampering_release import Mutation
from tests.unit.comparisons.builders import build_champion_comparison, build_compared_run, build_interval, build_overlap
from tests.unit.evidence.builders import build_evidence
from workbench.comparisons.verdict import Verdict
from workbench.ledger.ledger import Event, seal_entry
from workbench.models.predictions import Predictions, spell_predictions
from workbench.releases.releases import find_conflict
from workbench.reviews.challenging import find_changed_answers
from workbench.reviews.nominees import CHAMPION_PREDICTIONS, FACTS, FROZEN_POLICY, load_nominee
from workbench.runs.folder import HOLDOUT, PREDICTIONS

_SCORES, _LABELS = (
    "The champion's scores at the nomination differ from those of now",
    "The champion's labels at the nomination",
)
_FROZEN = f"The frozen files of version {CHAMPION} are not what was nominated."
_UNUSABLE = "not_worse_than_champion: UNKNOWN. The comparison with the champion cannot be used."
freeze = cache(Frozen)


# Its answers


def _nominated(world: World, what: str, words: str, **said: Any) -> Mutation:
    """Return a nominee of which the ledger names other answers of the champion than its model gives."""
    frozen: Frozen = freeze(world.forger)

    def judge() -> Sequence[str]:
        nominee, _ = frozen.nominate(**said)
        with frozen.asked_here():
            return find_changed_answers(nominee.facts, nominee.challenger, nominee.before)

    return Mutation(what, (words,), judge)


def _say(world: World, change: Callable[[Predictions], Predictions], what: str, words: str) -> Mutation:
    said = change(freeze(world.forger).said)
    asked = {"version": CHAMPION, "fault": None}
    return _nominated(world, what, words, says=asked, predictions=spell_predictions(said, {}))


def scores_of_its_answers(world: World) -> Mutation:
    """The champion is made to look worse: on some rows or all, by much or hardly."""
    draw, by = np.random.default_rng(world.chance.randrange(2**32)), world.chance.choice([1e-4, 0.01, 0.5])

    def change(said: Predictions) -> Predictions:
        moved = draw.normal(size=len(said.rows)) * (draw.random(len(said.rows)) < world.chance.choice([0.05, 1]))
        moved[draw.integers(len(moved))] = 1.0
        return replace(said, score=said.score + by * moved)

    return _say(world, change, f"scores moved by {by}", _SCORES)


def answers_of_somebody_else(world: World) -> Mutation:
    """In place of what it answers stands a constant, what the nominee answers, or its own answers in another order."""
    own, order = freeze(world.forger).own, world.chance.sample(range(200), 200)
    others = [
        lambda said: replace(said, score=np.full(len(said.rows), 0.5)),
        lambda said: replace(said, score=own.score),
        lambda said: replace(said, score=said.score[order]),
        lambda said: replace(said, score=1 - said.score),
    ]
    return _say(world, world.chance.choice(others), "the answers of somebody else", _SCORES)


def labels_of_its_answers(world: World) -> Mutation:
    some = world.chance.sample(range(200), world.chance.randrange(1, 20))

    def change(said: Predictions) -> Predictions:
        label = said.places().copy()
        label[some] = 1 - label[some]
        return replace(said, label=label)

    return _say(world, change, f"{len(some)} labels turned", _LABELS)


def told_to_have_no_answer(world: World) -> Mutation:
    fault = world.chance.choice(["It takes a column that is gone.", "Its process took too long.", "Nobody asked."])
    asked = {"version": CHAMPION, "fault": fault}
    words = f"The champion could be scored now, and was not at the nomination: {fault}"
    return _nominated(world, "said to have no answer", words, says=asked)


def told_to_have_answered(world: World) -> Mutation:
    """The rows lack a column that it takes, and it is said to have answered them."""
    frozen: Frozen = freeze(world.forger)
    rows, gone = frozen.rows, world.chance.choice(["x0", "x3"])
    fewer = replace(rows, columns={name: texts for name, texts in rows.columns.items() if name != gone})
    words = "The champion was scored at the nomination, and is not now"
    return _nominated(world, f"without {gone}", words, rows=fewer)


def told_of_another_target(world: World) -> Mutation:
    """The nominee predicts something else, which nobody said when the champion was asked."""
    frozen: Frozen = freeze(world.forger)
    target = world.chance.choice(["returned", "clicked"])
    columns = {target if name == "bought" else name: texts for name, texts in frozen.rows.columns.items()}
    before = replace(frozen.rows, columns=columns, target=target)
    words = (
        "The champion was scored at the nomination, and is not now: The champion, version 2, predicts something else."
    )
    return _nominated(world, f"of {target}", words, rows=before)


# Its bytes


def its_frozen_model(world: World) -> Mutation:
    """A bit of its model is another, a file of it is gone, or there is one more."""
    frozen: Frozen = freeze(world.forger)

    def judge() -> Sequence[str]:
        nominee, _ = frozen.nominate(says={"version": CHAMPION, "fault": "Nobody asked."})
        _harm(world, frozen.folder(CHAMPION) / "bundle" / "release")
        assert nominee.before is not None
        nominee.before.read_model()
        return ()

    return Mutation("another model of the champion", (_FROZEN,), judge)


def _harm(world: World, release: Path) -> None:
    path = world.chance.choice(sorted(each for each in release.rglob("*") if each.is_file()))
    how = world.chance.choice(["bit", "gone", "more"])
    if how == "bit":
        content = bytearray(path.read_bytes())
        content[world.chance.randrange(len(content))] ^= 1 << world.chance.randrange(8)
        path.write_bytes(bytes(content))
    elif how == "gone":
        path.unlink()
    else:
        path.with_name(f"more_{world.chance.randrange(99)}").write_bytes(b"")


def its_frozen_files(world: World) -> Mutation:
    """What was frozen of either version beside its model is another: facts, rules, rows, predictions."""
    frozen: Frozen = freeze(world.forger)
    name = world.chance.choice([FACTS, FROZEN_POLICY, PREDICTIONS, CHAMPION_PREDICTIONS, HOLDOUT])
    version = NOMINEE if name in (CHAMPION_PREDICTIONS, HOLDOUT) else world.chance.choice([CHAMPION, NOMINEE])

    def judge() -> Sequence[str]:
        _, entries = frozen.nominate()
        path = frozen.folder(version) / name
        path.write_bytes(world.chance.choice([path.read_bytes() + b" ", path.read_bytes()[:-1], b""]))
        load_nominee(f"{MODEL}/{NOMINEE}", settings=frozen.settings, entries=entries).challenger.read_rows()
        return ()

    return Mutation(f"{name} of version {version}", (f"{name} was changed since the nomination.",), judge)


def made_of_something_else(world: World) -> Mutation:
    """The ledger names another run or bundle than the facts, or other authors."""
    frozen: Frozen = freeze(world.forger)
    what, other = world.chance.choice(
        [("run", "f" * 12), ("manifest", "f" * 64), ("authors", ["eve@example.org"]), ("authors", [])]
    )

    def judge() -> Sequence[str]:
        frozen.nominate(body={what: other})
        return ()

    words = "Its authors are" if what == "authors" else f"Its {what} is"
    return Mutation(f"the ledger says {what} {other}", (words,), judge)


# What is told of it


def no_champion_at_all(world: World) -> Mutation:
    """Something is served, and everybody signs that nothing is."""
    evidence = build_evidence(champion=None, champion_version=None, slices=None)
    signed = world.chance.choice([{}, {"previous": world.chance.randrange(1, 9)}])
    files = world.forger.release_of(evidence, **signed)
    served = world.chance.randrange(1, 99)
    promoted = seal_entry(
        None,
        time=evidence.identity.ended or "",
        event=Event.PROMOTED,
        actor="vera@example.org",
        subject=f"tumour/{served}",
        body={"endpoint": "tumour", "version": served},
    )

    def judge() -> Sequence[str]:
        conflict = find_conflict([promoted], "tumour", evidence.champion_version)
        return [*world.forger.audit(files), *([conflict] if conflict and not signed else [])]

    words = "nothing was yet expected." if not signed else "; the evidence compares with nothing."
    return Mutation("no champion", (words,), judge)


def a_comparison_of_something_else(world: World) -> Mutation:
    """It was made on other rows, by another metric, of another run, or nobody made it."""
    changes: dict[str, Any] = world.chance.choice(
        [
            {"holdout_digest": f"{world.chance.getrandbits(256):064x}"},
            {"metric": world.chance.choice(["accuracy", "log_loss", "f1"])},
            {"direction": "lower"},
            {"runs": (build_compared_run(run_id=f"{world.chance.getrandbits(48):012x}"),)},
            {"runs": ()},
        ]
    )
    evidence = build_evidence(champion=build_champion_comparison(**changes))
    return world.claims(f"compared by {changes}", evidence, _UNUSABLE)


def rows_left_out(world: World) -> Mutation:
    """It was made on some of the rows, and nothing or something else says why."""
    rows = world.chance.randrange(20, 143)
    others = [0, 143 - rows - 1, 143 - rows + 1, None]
    said = world.chance.choice([None, build_overlap(rows=rows), *(build_overlap(shared_rows=each) for each in others)])
    evidence = build_evidence(champion=build_champion_comparison(rows=rows), champion_overlap=said)
    return world.claims(f"compared on {rows} rows, {said}", evidence, _UNUSABLE)


def a_comparison_left_out(world: World) -> Mutation:
    said = world.chance.choice(
        [None, "Its rows were not kept.", "The champion, version 2, has no answer to this holdout."]
    )
    evidence = build_evidence(champion=None, champion_unscored=said)
    words = f"not_worse_than_champion: UNKNOWN. {said or 'The served champion was not scored on this holdout.'}"
    return world.claims("not compared", evidence, words)


def a_verdict_told_otherwise(world: World) -> Mutation:
    """The interval says that it is worse, or nothing; the verdict beside it says that it is better."""
    low = -world.chance.uniform(0.01, 0.2)
    high = world.chance.choice([low / 2, -low])
    verdict = world.chance.choice([Verdict.BETTER, Verdict.NOT_WORSE])
    run = build_compared_run(advantage=build_interval(estimate=(low + high) / 2, low=low, high=high), verdict=verdict)
    evidence = build_evidence(champion=build_champion_comparison(runs=(run,)))
    words = (
        "FAIL. The model is worse than" if high < 0 else "UNKNOWN. The data do not show whether the model is worse than"
    )
    return world.claims(f"{low:.3f} to {high:.3f} called {verdict}", evidence, f"not_worse_than_champion: {words}")


FAMILIES: tuple[Forge, ...] = (
    scores_of_its_answers,
    answers_of_somebody_else,
    labels_of_its_answers,
    told_to_have_no_answer,
    told_to_have_answered,
    told_of_another_target,
    its_frozen_model,
    its_frozen_files,
    made_of_something_else,
    no_champion_at_all,
    a_comparison_of_something_else,
    rows_left_out,
    a_comparison_left_out,
    a_verdict_told_otherwise,
)
