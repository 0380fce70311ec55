"""Rules that did not stand before the result: written, changed or dated afterwards; each with the words that must say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.soak.happenings import OTHER_NOTEBOOK, Body, Plan, Scored
from tests.soak.stories import LATER, Forge, Story, World
from tests.soak.tampering_release import Mutation
from workbench.reviews.bundle import POLICY

_NAME = LATER.removeprefix("./")
_SINCE, _DIFFERS = (
    "planned_first: FAIL. These holdout rows had been scored on since ",
    "planned_first: FAIL. The plan of before",
)
_NO_PLAN = "planned_first: UNKNOWN. The ledger holds no plan"
# What somebody would like better once the score is known.
_LOOSER = (
    (b"margin: 0.005", b"margin: 0.05"),
    (b"limit: 0.80", b"limit: 0.50"),
    (b"most_shared_rows: 0", b"most_shared_rows: 999"),
    (b"fewest_rows: 100", b"fewest_rows: 5"),
    (b"largest_ece: 0.05", b"largest_ece: 0.5"),
    (b"most_tries: 30", b"most_tries: 999"),
    (b"  robust: {severity: waivable, largest_drop: 0.05}\n", b""),
    (b"tier: 2", b"tier: 2  # the same rules, in other bytes"),
)


def _looser(world: World) -> dict[str, bytes]:
    before, after = world.chance.choice(_LOOSER)
    standard = world.forger.files[POLICY]
    assert before in standard, before
    return {_NAME: standard.replace(before, after)}


def _later(world: World, *acts: Plan | Scored) -> Story:
    """Return a story that is nominated under a policy that somebody wrote for it."""
    return replace(world.draw(), files=_looser(world), policy=LATER, acts=acts)


def rules_after_the_score(world: World) -> Mutation:
    """The first run goes by the standard rules; then they are loosened, and the notebook runs again."""
    minute = world.chance.randrange(6, 20)
    again = world.chance.choice([Scored(minute + 1), Scored(minute + 1, OTHER_NOTEBOOK)])
    return world.refuses(_later(world, Plan(0), Scored(5), Plan(minute, LATER, again.notebook), again), _SINCE)


def rules_after_somebody_elses_score(world: World) -> Mutation:
    """Another notebook scored these rows before."""
    return world.refuses(_later(world, Scored(3, OTHER_NOTEBOOK), Plan(6, LATER), Scored(9)), _SINCE)


def rules_that_nobody_planned_under(world: World) -> Mutation:
    return world.refuses(_later(world, Plan(0), Scored(5)), _DIFFERS)


def rules_after_the_run(world: World) -> Mutation:
    return world.refuses(_later(world, Plan(0), Scored(5), Plan(6, LATER)), _DIFFERS)


def a_file_of_the_policys_name(world: World) -> Mutation:
    """A file called standard lies in the project, and is what is signed: the plan is of the policy that is shipped."""
    (loose,) = _looser(world).values()
    story = replace(world.draw(), files={"standard": loose}, policy="./standard")
    return world.refuses(story, _DIFFERS)


def a_plan_dated_back(world: World) -> Mutation:
    """Rules of afterwards get a time of before: they count from the entries that stand before them."""
    early = world.chance.uniform(0, 4)
    other = Plan(world.chance.randrange(6, 9), notebook=OTHER_NOTEBOOK)
    return world.refuses(_later(world, Plan(0), Scored(5), other, Plan(early, LATER), Scored(20)), _SINCE)


def _edited(change: Callable[[dict[str, Any]], None]) -> Callable[[Body], Body]:
    def edit(body: Body) -> Body:
        metrics = {task: dict(rule) for task, rule in body["metrics"].items()}
        change(metrics["classification"])
        return {**body, "metrics": metrics}

    return edit


def _of_a_plan(world: World, edit: Callable[[Body], Body], words: str) -> Mutation:
    """A plan names the right policy, and other rules than the policy has."""
    story = replace(world.draw(), acts=(Plan(0, edit=edit), Scored(9)))
    return world.refuses(story, f"{_DIFFERS} the run is not what the policy decides by: {words}")


def metric_of_a_plan(world: World) -> Mutation:
    name = world.chance.choice(["accuracy", "f1", "log_loss", "brier_score"])
    return _of_a_plan(world, _edited(lambda rule: rule.update(metric=name)), f"metric {name}, now roc_auc")


def direction_of_a_plan(world: World) -> Mutation:
    return _of_a_plan(world, _edited(lambda rule: rule.update(direction="lower")), "direction lower, now higher")


def margin_of_a_plan(world: World) -> Mutation:
    margin = round(world.chance.uniform(0.01, 0.2), 4)
    return _of_a_plan(world, _edited(lambda rule: rule.update(margin=margin)), f"margin {margin}, now 0.005")


def slices_of_a_plan(world: World) -> Mutation:
    return _of_a_plan(world, lambda body: {**body, "slices": ["size"]}, "slices ('size',), now ()")


def policy_of_a_plan(world: World) -> Mutation:
    digest = f"{world.chance.getrandbits(256):064x}"
    return _of_a_plan(world, lambda body: {**body, "policy": digest}, f"policy {digest[:12]}, now ")


def a_plan_of_another_task(world: World) -> Mutation:
    def edit(body: Body) -> Body:
        return {**body, "metrics": {"regression": body["metrics"]["regression"]}}

    return world.refuses(replace(world.draw(), acts=(Plan(0, edit=edit), Scored(9))), _NO_PLAN)


def no_plan(world: World) -> Mutation:
    late = world.chance.choice([(Scored(5),), (Scored(5), Plan(6)), (Scored(3, OTHER_NOTEBOOK), Scored(5))])
    return world.refuses(replace(world.draw(), acts=late), _NO_PLAN)


def the_plan_left_out(world: World) -> Mutation:
    return world.refuses(replace(world.draw(), edit=lambda evidence: replace(evidence, plan=None)), _NO_PLAN)


FAMILIES: tuple[Forge, ...] = (
    rules_after_the_score,
    rules_after_somebody_elses_score,
    rules_that_nobody_planned_under,
    rules_after_the_run,
    a_file_of_the_policys_name,
    a_plan_dated_back,
    metric_of_a_plan,
    direction_of_a_plan,
    margin_of_a_plan,
    slices_of_a_plan,
    policy_of_a_plan,
    a_plan_of_another_task,
    no_plan,
    the_plan_left_out,
)
