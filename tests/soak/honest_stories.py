"""Stories in which nobody did anything wrong: each is told as it happened, and none may be refused for a formality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tests.soak.stories import OTHER_NOTEBOOK, TARGET, Plan, Scored, Story, World, approve
from tests.unit.evidence.builders import build_identity
from tests.unit.people import AUTHOR
from workbench.reviews.bundle import POLICY


def two_notebooks(world: World) -> Story:
    """A second notebook on the same holdout, under the same rules, is nominated with its first run."""
    acts = (Plan(0), Scored(5), Plan(9, notebook=OTHER_NOTEBOOK), Scored(10, OTHER_NOTEBOOK))
    return replace(world.draw(), acts=acts)


def many_runs(world: World) -> Story:
    """The same notebook runs again and again."""
    runs = tuple(Scored(5 + number) for number in range(world.chance.randrange(1, 9)))
    return replace(world.draw(), acts=(Plan(0), *runs))


def two_people(world: World) -> Story:
    """Two people wrote the notebook, and two or three others approve."""
    people = world.chance.choice([2, 3])
    identity = build_identity(authors=(AUTHOR, "bob@example.org"))
    return replace(
        world.draw(),
        edit=lambda evidence: replace(evidence, identity=identity),
        release=partial(approve, people=people),
    )


def a_retrain_on_new_data(world: World) -> Story:
    """The rules stand since long ago; the rows are new ones, and older runs were scored on others."""
    return replace(world.draw(), acts=(Plan(0), Scored(3, holdout="0" * 64), Scored(4, holdout="1" * 64), Scored(30)))


def small_data(world: World) -> Story:
    """The holdout has hardly more rows than the policy asks for."""
    return world.draw(rows=world.chance.randrange(110, 125))


def rules_that_were_loosened_for_others(world: World) -> Story:
    """Another notebook goes by other rules, on other rows, before and after."""
    others = {"later.yaml": world.forger.files[POLICY].replace(b"margin: 0.005", b"margin: 0.01")}
    acts = (Plan(0, "./later.yaml", OTHER_NOTEBOOK), Scored(1, OTHER_NOTEBOOK, "0" * 64), Plan(2), Scored(9))
    return replace(world.draw(), acts=acts, files=others)


def columns_that_are_no_features(world: World) -> Story:
    """Tables as databases have them, with more columns than a model takes, of which one is named as the target."""
    story = world.draw()
    tables = [story.holdout.assign(customer=range(len(story.holdout))), story.train.assign(customer=7)]  # type: ignore[union-attr]
    return replace(story, holdout=tables[0], train=tables[1])


def a_table_of_the_model_alone(world: World) -> Story:
    """A table of features and truth, of which nobody had to name the target."""
    story = world.draw()
    own = [*story.features, TARGET]
    return replace(story, holdout=story.holdout[own], train=story.train[own], target=None)  # type: ignore[index]


def a_policy_of_the_projects_own(world: World) -> Story:
    """The project has a policy of its own, named by its path, before anything ran."""
    own = {"later.yaml": world.forger.files[POLICY].replace(b"margin: 0.005", b"margin: 0.004")}
    return replace(world.draw(), files=own, policy="./later.yaml", acts=(Plan(0, "./later.yaml"), Scored(5)))


HONEST: tuple[Callable[[World], Story], ...] = (
    two_notebooks,
    many_runs,
    two_people,
    a_retrain_on_new_data,
    small_data,
    rules_that_were_loosened_for_others,
    columns_that_are_no_features,
    a_table_of_the_model_alone,
    a_policy_of_the_projects_own,
)
