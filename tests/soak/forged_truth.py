"""Scores that are not of the holdout: other rows, another truth, rows that training knew; each with the words that must say so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.soak.stories import TARGET, Forge, Story, World
from tests.soak.tampering_release import Mutation
from workbench.runs.folder import DATASETS, FEATURES, HOLDOUT

_COUNTED = "holdout_untouched: FAIL. {} of "
_UNTOLD = (
    "holdout_untouched: UNKNOWN. Nobody can tell whether the rows",
    "holdout_untouched: UNKNOWN. In no row is the truth that was scored the ",
)


def _counted(world: World, story: Story, scored: pd.DataFrame, count: int) -> Mutation:
    return world.refuses(replace(story, scored=scored), _COUNTED.format(f"{count:,}"))


def _change(story: Story, column: str, change: Callable[[Any], Any]) -> tuple[pd.DataFrame, int]:
    """Return what was scored with a column of some rows changed, and how many those are."""
    scored, some = story.scored.copy(), story.some()
    values = scored[column].astype(object).to_numpy(copy=True)
    for place in some:
        values[place] = change(values[place])
    scored[column] = pd.Series(values, index=scored.index).infer_objects()
    return scored, len(some)


def _score_others(world: World, column: str, change: Callable[[Any], Any]) -> Mutation:
    story = world.draw()
    return _counted(world, story, *_change(story, column, change))


def other_numbers(world: World) -> Mutation:
    return _score_others(
        world, "x", lambda value: 7.5 if value != value else value + world.chance.choice([1e-9, 1, -3])
    )


def other_texts(world: World) -> Mutation:
    return _score_others(world, "kind", lambda value: value + world.chance.choice([" ", "b", "\u0430"]))


def other_flags(world: World) -> Mutation:
    return _score_others(world, "flag", lambda value: not value)


def other_times(world: World) -> Mutation:
    return _score_others(world, "since", lambda value: value + pd.Timedelta(world.chance.choice([1, 3600]), unit="s"))


def gaps_that_were_filled(world: World) -> Mutation:
    story = world.draw()
    filled = story.scored.fillna({"x": 0.0})
    return _counted(world, story, filled, int(story.scored.x.isna().sum()))


def names_exchanged(world: World) -> Mutation:
    """The rows are the holdout's, under the names of others."""
    story = world.draw()
    names, some = list(story.scored.index), story.some()
    some = some if len(some) > 1 else [0, 1]
    for one, other in zip(some, some[1:] + some[:1], strict=True):
        names[one] = story.scored.index[other]
    return _counted(world, story, story.scored.set_axis(names), len(some))


def _turned(story: Story) -> dict[Any, Any]:
    first, second = story.classes or (0, 1)
    return {first: second, second: first}


def truth_turned_for_some(world: World) -> Mutation:
    story = world.draw()
    return _counted(world, story, *_change(story, "truth", _turned(story).get))


def truth_turned_for_all(world: World) -> Mutation:
    story = world.draw()
    return world.refuses(
        replace(story, scored=story.scored.assign(truth=story.scored.truth.map(_turned(story)))), *_UNTOLD
    )


def target_rescaled(world: World) -> Mutation:
    """A number that was logged in one unit is scored in another one."""
    story, factor = world.draw(), world.chance.choice([0.01, 100.0, 1.5])
    draw = np.random.default_rng(world.chance.randrange(2**32))
    holdout, train = (
        table.assign(**{TARGET: np.round(draw.uniform(10, 20, len(table)), 2)})
        for table in (story.holdout, story.train)
    )
    truth = holdout[TARGET].loc[story.scored.index] * factor
    scored = story.scored.assign(truth=truth, score=truth)
    return world.refuses(replace(story, holdout=holdout, train=train, scored=scored, classes=None), *_UNTOLD)


def another_column_as_the_target(world: World) -> Mutation:
    """The column that is named agrees with what is scored but for some rows."""
    story = world.draw()
    some = [*story.scored.index[story.some()]]
    other = story.holdout[TARGET].copy()
    other.loc[some] = other.loc[some].map(_turned(story))
    tables = [table.assign(other=table[TARGET]) for table in (story.holdout, story.train)]
    forged = replace(story, holdout=tables[0].assign(other=other), train=tables[1], target="other")
    return world.refuses(forged, _COUNTED.format(f"{len(some):,}"))


def a_target_that_nobody_named(world: World) -> Mutation:
    """Beside the truth stands one that is better to be judged by."""
    return world.refuses(replace(world.draw(), target=None), *_UNTOLD)


def a_feature_of_elsewhere(world: World) -> Mutation:
    story = world.draw()
    scored = story.scored.assign(elsewhere=range(len(story.scored)))
    return world.refuses(replace(story, scored=scored, features=(*story.features, "elsewhere")), *_UNTOLD)


def rows_left_out(world: World) -> Mutation:
    story = world.draw()
    kept = story.scored.drop(index=story.scored.index[story.some()])
    return world.refuses(
        replace(story, scored=kept), "The predictions are not on exactly the holdout's rows, each once."
    )


def rows_that_training_had(world: World) -> Mutation:
    story = world.draw()
    known = story.holdout.iloc[story.some()]
    assert story.train is not None
    train = pd.concat([story.train, known], ignore_index=True)
    return world.refuses(replace(story, train=train), f"{len(known):,} holdout row")


def training_rows_of_another_shape(world: World) -> Mutation:
    story = world.draw()
    assert story.train is not None
    return world.refuses(replace(story, train=story.train.drop(columns="note")), "so nobody can see whether they share")


def no_training_rows(world: World) -> Mutation:
    return world.refuses(replace(world.draw(), train=None), "The run declared no training table.")


# Behind the workbench's back


def _rewrite(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    change(pd.read_parquet(path)).to_parquet(path, index=False)


def the_holdout_written_anew(world: World) -> Mutation:
    """What was kept of the holdout is made to agree with the truth that was scored."""
    story = world.draw()
    scored, count = _change(story, "truth", _turned(story).get)
    truth = scored.truth.loc[story.holdout.index]

    def spoil(folder: Path) -> None:
        kept = pd.read_parquet(folder / HOLDOUT)
        logged = dict(zip(story.holdout[TARGET], kept[TARGET], strict=True))
        kept.assign(**{TARGET: [logged[each] for each in truth]}).to_parquet(folder / HOLDOUT, index=False)

    return _counted(world, replace(story, spoil=spoil), scored, count)


def the_holdout_not_kept(world: World) -> Mutation:
    return world.refuses(replace(world.draw(), spoil=lambda folder: (folder / HOLDOUT).unlink()), *_UNTOLD)


def the_features_not_kept(world: World) -> Mutation:
    return world.refuses(replace(world.draw(), spoil=lambda folder: (folder / FEATURES).unlink()), *_UNTOLD)


def another_number_of_feature_rows(world: World) -> Mutation:
    cut = world.chance.randrange(1, 50)
    return world.refuses(
        replace(world.draw(), spoil=lambda folder: _rewrite(folder / FEATURES, lambda rows: rows[:-cut])), *_UNTOLD
    )


def a_target_named_afterwards(world: World) -> Mutation:
    """The document of the holdout is made to name the column that is no feature, whatever it holds."""

    def spoil(folder: Path) -> None:
        for path in (folder / DATASETS).iterdir():
            document = json.loads(path.read_bytes())
            path.write_text(json.dumps({**document, "target": "note" if document["target"] else None}))

    return world.refuses(replace(world.draw(), spoil=spoil), *_UNTOLD)


def facts_left_out(world: World) -> Mutation:
    fact, words = world.chance.choice(
        [
            ("sample", _UNTOLD[0]),
            ("holdout", "The run declared no holdout with rows."),
            ("datasets", "The run declared no training table."),
        ]
    )
    empty: Any = () if fact == "datasets" else None
    return world.refuses(replace(world.draw(), edit=lambda evidence: replace(evidence, **{fact: empty})), words)


FAMILIES: tuple[Forge, ...] = (
    other_numbers,
    other_texts,
    other_flags,
    other_times,
    gaps_that_were_filled,
    names_exchanged,
    truth_turned_for_some,
    truth_turned_for_all,
    target_rescaled,
    another_column_as_the_target,
    a_target_that_nobody_named,
    a_feature_of_elsewhere,
    rows_left_out,
    rows_that_training_had,
    training_rows_of_another_shape,
    no_training_rows,
    the_holdout_written_anew,
    the_holdout_not_kept,
    the_features_not_kept,
    another_number_of_feature_rows,
    a_target_named_afterwards,
    facts_left_out,
)
