"""Scores that were seen and are not told: of runs that failed, in drafts, on the same rows in another dress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from tests.soak.happenings import OTHER_NOTEBOOK, Act, Plan, Scored, Seen, at
from tests.soak.stories import Forge, Story, World
from tests.soak.tampering_release import Mutation
from tests.unit.evidence.builders import build_evidence, build_tries
from tests.unit.people import AUTHOR
from workbench.nominations.recomputing import find_untold_tries
from workbench.reviews.bundle import POLICY
from workbench.runs.looks import Look, look_of_run
from workbench.runs.run import Run, RunState

_ENDED = (RunState.FAILED, RunState.KILLED, RunState.LOST)
_SEEN, _UNCOUNTED = "holdout_wear: FAIL. This holdout was seen {} times", "holdout_wear: UNKNOWN. Nobody counted"


def _happened(world: World, story: Story, count: int, *acts: Act) -> Mutation:
    """Return a story in which the holdout was seen so often, as this happened between the plan and the run that is nominated."""
    return world.refuses(replace(story, acts=(Plan(0), *acts, Scored(50))), _SEEN.format(count))


def scores_of_attempts_that_failed(world: World) -> Mutation:
    """Runs show a score and then fail, are killed or are lost."""
    often, scored = world.chance.randrange(30, 60), world.chance.randrange(1, 3)
    acts = Seen(5, world.chance.choice(_ENDED), often, scored)
    return _happened(world, world.draw(), often * scored + 1, acts)


def attempts_of_which_nobody_knows_what_they_showed(world: World) -> Mutation:
    often = world.chance.randrange(30, 60)
    return _happened(world, world.draw(), often + 1, Seen(5, world.chance.choice(_ENDED), often, 0))


def scores_in_drafts(world: World) -> Mutation:
    """Somebody tries in JupyterLab what is best, and runs only that."""
    often, scored = world.chance.randrange(10, 20), world.chance.randrange(3, 6)
    return _happened(world, world.draw(), often * scored + 1, Seen(5, None, often, scored))


def drafts_in_which_nothing_was_logged_but_the_holdout(world: World) -> Mutation:
    often = world.chance.randrange(30, 50)
    return _happened(world, world.draw(), often + 1, Seen(5, None, often, 0))


def scores_that_were_overwritten(world: World) -> Mutation:
    """One run logs what it predicts again and again, and keeps the best."""
    scored = world.chance.randrange(31, 60)
    story = replace(world.draw(), acts=(Plan(0), Scored(50, scored=scored)))
    return world.refuses(story, _SEEN.format(scored))


def _of_the_same_rows(world: World, story: Story, table: pd.DataFrame) -> Mutation:
    often, how = world.chance.randrange(30, 45), world.chance.choice([*_ENDED, None])
    # Of drafts each has the rows with it; of attempts the newest that kept them is enough.
    return _happened(world, story, often + 1, Seen(5, how, often, 1, table))


def the_rows_in_another_order(world: World) -> Mutation:
    story = world.draw()
    rows = story.holdout.sample(frac=1, random_state=world.chance.randrange(2**31))
    return _of_the_same_rows(world, story, rows[world.chance.sample(list(rows), rows.shape[1])])


def the_rows_under_other_names(world: World) -> Mutation:
    story = world.draw()
    return _of_the_same_rows(world, story, story.holdout.set_axis([f"r{place}" for place in range(len(story.holdout))]))


def the_rows_with_another_column(world: World) -> Mutation:
    story = world.draw()
    added = {
        f"more_{number}": range(number, number + len(story.holdout)) for number in range(world.chance.choice([1, 2]))
    }
    return _of_the_same_rows(world, story, story.holdout.assign(**added))


def the_rows_without_a_column(world: World) -> Mutation:
    story = world.draw()
    return _of_the_same_rows(world, story, story.holdout.drop(columns=world.chance.choice(["flag", "kind", "since"])))


def the_rows_with_a_little_noise(world: World) -> Mutation:
    """Numbers are moved by less than a ten thousandth of their range."""
    story = world.draw()
    draw = np.random.default_rng(world.chance.randrange(2**32))
    span = float(story.holdout.x.max() - story.holdout.x.min())
    moved = story.holdout.x + draw.uniform(-0.4, 0.4, len(story.holdout)) * span / 10_000
    return _of_the_same_rows(world, story, story.holdout.assign(x=moved))


def the_rows_in_other_letters(world: World) -> Mutation:
    story = world.draw()
    change: Callable[[str], str] = world.chance.choice([str.upper, str.title, lambda text: f" {text} "])
    return _of_the_same_rows(world, story, story.holdout.assign(note=story.holdout.note.map(change)))


def the_rows_but_for_a_few(world: World) -> Mutation:
    """A few of a hundred rows are left out, or have another value."""
    story = world.draw()
    few = [*story.holdout.index[: len(story.holdout) // 30]]
    if world.chance.random() < 0.5:
        return _of_the_same_rows(world, story, story.holdout.drop(index=few))
    changed = story.holdout.copy()
    changed.loc[few, "x"] = 99.0
    return _of_the_same_rows(world, story, changed)


def rules_that_others_had(world: World) -> Mutation:
    """Once there is a score, one policy after another is planned under, and each run is a try."""
    story, count = world.draw(), 4
    standard = world.forger.files[POLICY]
    files = {
        f"{number}.yaml": standard.replace(b"margin: 0.005", b"margin: 0.0%d" % number) for number in range(1, count)
    }
    acts: list[Act] = [Seen(4, RunState.FAILED, world.chance.randrange(29, 40))]
    for number, name in enumerate(files):
        acts += [Plan(10 + 2 * number, f"./{name}", OTHER_NOTEBOOK), Scored(11 + 2 * number, OTHER_NOTEBOOK)]
    seen = acts[0].often + 2 * len(files) + 1  # type: ignore[union-attr]
    return _happened(world, replace(story, files=files), seen, *acts)


# Told otherwise


def tries_left_out(world: World) -> Mutation:
    tries = world.chance.choice([None, build_tries(distinct=0), build_tries(distinct=-world.chance.randrange(1, 99))])
    return world.claims("nobody counted", build_evidence(tries=tries), _UNCOUNTED)


def more_tries_than_allowed(world: World) -> Mutation:
    count = world.chance.randrange(31, 10_000)
    tries = build_tries(runs=1, distinct=count)
    return world.claims(f"{count} tries of a run", build_evidence(tries=tries), _SEEN.format(count))


def fewer_tries_than_there_were(world: World) -> Mutation:
    """The facts that were frozen count fewer tries than the runs that are still there when somebody promotes."""
    count = world.chance.randrange(2, 60)
    runs = [_make_look(world, number) for number in range(count)]
    told = build_evidence(tries=build_tries(distinct=world.chance.randrange(count), runs=count))
    words = f"by then its holdout had been seen {count} times."
    return Mutation(f"{told.tries} of {count}", (words,), lambda: find_untold_tries(told, runs))


def _make_look(world: World, number: int) -> Look:
    state = world.chance.choice([RunState.FINISHED, *_ENDED])
    record = {"datasets": [{"role": "holdout", "digest": "d" * 64, "rows": 9}], "predicted": [f"{number:064x}"]}
    said = {"state": state, "started": at(number), "record": record}
    run = Run(f"{number:012x}", OTHER_NOTEBOOK, "ab" * 32, {}, {}, AUTHOR, at(number), **said)  # type: ignore[arg-type]
    look = look_of_run(run, world.forger.folder)
    assert look is not None
    return look


FAMILIES: tuple[Forge, ...] = (
    scores_of_attempts_that_failed,
    attempts_of_which_nobody_knows_what_they_showed,
    scores_in_drafts,
    drafts_in_which_nothing_was_logged_but_the_holdout,
    scores_that_were_overwritten,
    the_rows_in_another_order,
    the_rows_under_other_names,
    the_rows_with_another_column,
    the_rows_without_a_column,
    the_rows_with_a_little_noise,
    the_rows_in_other_letters,
    the_rows_but_for_a_few,
    rules_that_others_had,
    tries_left_out,
    more_tries_than_allowed,
    fewer_tries_than_there_were,
)
