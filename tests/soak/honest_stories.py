"""Stories in which nobody did anything wrong: each is told as it happened, and none may be refused for a formality."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from tests.soak.forged_code import keep_run, measure, spell_journal, write_journal
from tests.soak.forged_people import told_of_lines
from tests.soak.happenings import OTHER_NOTEBOOK, Plan, Scored, Seen
from tests.soak.histories import History
from tests.soak.stories import TARGET, World, approve
from tests.unit.evidence.builders import ANSWERS, build_evidence, build_identity
from tests.unit.people import AUTHOR, OWNER, VALIDATOR
from workbench.evidence.evidence import AnswerFact
from workbench.reviews.bundle import POLICY
from workbench.runs.run import RunState


def two_notebooks(world: World) -> Sequence[str]:
    """A second notebook on the same holdout, under the same rules, is nominated with its first run."""
    acts = (Plan(0), Scored(5), Plan(9, notebook=OTHER_NOTEBOOK), Scored(10, OTHER_NOTEBOOK))
    return world.tell(replace(world.draw(), acts=acts))


def many_runs(world: World) -> Sequence[str]:
    """The same notebook runs again and again."""
    runs = tuple(Scored(5 + number) for number in range(world.chance.randrange(1, 9)))
    return world.tell(replace(world.draw(), acts=(Plan(0), *runs)))


def two_people(world: World) -> Sequence[str]:
    """Two people wrote the notebook, and two or three others approve."""
    people = world.chance.choice([2, 3])
    identity = build_identity(authors=(AUTHOR, "bob@example.org"))
    story = replace(world.draw(), release=partial(approve, people=people))
    return world.tell(replace(story, edit=lambda evidence: replace(evidence, identity=identity)))


def rules_of_long_ago(world: World) -> Sequence[str]:
    """The rules stand since long ago; the rows are new ones, and older runs were scored on others."""
    return world.tell(
        replace(world.draw(), acts=(Plan(0), Scored(3, holdout="0" * 64), Scored(4, holdout="1" * 64), Scored(30)))
    )


def small_data(world: World) -> Sequence[str]:
    """The holdout has hardly more rows than the policy asks for."""
    return world.tell(world.draw(rows=world.chance.randrange(110, 125)))


def rules_that_were_loosened_for_others(world: World) -> Sequence[str]:
    """Another notebook goes by other rules, on other rows, before and after."""
    others = {"later.yaml": world.forger.files[POLICY].replace(b"margin: 0.005", b"margin: 0.01")}
    acts = (Plan(0, "./later.yaml", OTHER_NOTEBOOK), Scored(1, OTHER_NOTEBOOK, "0" * 64), Plan(2), Scored(9))
    return world.tell(replace(world.draw(), acts=acts, files=others))


def columns_that_are_no_features(world: World) -> Sequence[str]:
    """Tables as databases have them, with more columns than a model takes, of which one is named as the target."""
    story = world.draw()
    tables = [story.holdout.assign(customer=range(len(story.holdout))), story.train.assign(customer=7)]  # type: ignore[union-attr]
    return world.tell(replace(story, holdout=tables[0], train=tables[1]))


def a_table_of_the_model_alone(world: World) -> Sequence[str]:
    """A table of features and truth, of which nobody had to name the target."""
    story = world.draw()
    own = [*story.features, TARGET]
    return world.tell(replace(story, holdout=story.holdout[own], train=story.train[own], target=None))  # type: ignore[index]


def a_policy_of_the_projects_own(world: World) -> Sequence[str]:
    """The project has a policy of its own, named by its path, before anything ran."""
    own = {"later.yaml": world.forger.files[POLICY].replace(b"margin: 0.005", b"margin: 0.004")}
    return world.tell(
        replace(world.draw(), files=own, policy="./later.yaml", acts=(Plan(0, "./later.yaml"), Scored(5)))
    )


def attempts_that_failed_and_drafts(world: World) -> Sequence[str]:
    """People try a few things, and some of them fail."""
    few = Seen(3, world.chance.choice([RunState.FAILED, RunState.KILLED, None]), world.chance.randrange(1, 8), 2)
    return world.tell(replace(world.draw(), acts=(Plan(0), few, Scored(9))))


def other_holdouts_of_the_same_people(world: World) -> Sequence[str]:
    """Many looks at holdouts that were drawn of the same population are none at this one."""
    story = world.draw()
    others = world.draw(rows=len(story.holdout)).holdout
    return world.tell(replace(story, acts=(Plan(0), Seen(2, RunState.FAILED, 40, rows=others), Scored(9))))


def lines_that_were_approved_before(world: World) -> Sequence[str]:
    """Who approves wrote lines that the release of before had, and somebody else approved."""
    evidence = told_of_lines(world, world.chance.choice([VALIDATOR, OWNER]), new=False)
    return world.judge(evidence, world.forger.files[POLICY])


def an_objection_that_was_cleared(world: World) -> Sequence[str]:
    """On another version made of the same, by who raised it."""
    history = History(world.forger)
    history.nominate("tumour/2")
    history.nominate()
    raised = history.object(world.chance.choice(["tumour/2", "tumour/3"]), principal=VALIDATOR)
    history.object(clears=raised.sequence, principal=VALIDATOR, text="It was looked at, and is well.")
    said = history.read_said()
    return [*history.serve(build_evidence(objections=said.objections)), *history.audit()]


def a_draft_that_whoever_approves_confirms(world: World) -> Sequence[str]:
    question = world.chance.choice([*ANSWERS])
    drafts = {each.question: each for each in build_evidence().said_by} | {question: AnswerFact(question, AUTHOR, ())}
    return world.judge(build_evidence(said_by=tuple(drafts.values())), world.forger.files[POLICY])


def local_code_that_is_not_in_git(world: World) -> Sequence[str]:
    """It is told, and shown to who approves; it is no reason against anything."""
    evidence = measure(keep_run(world, spell_journal(write_journal(world))))
    return world.judge(evidence, world.forger.files[POLICY])


Honest = Callable[[World], Sequence[str]]
HONEST: tuple[Honest, ...] = (
    two_notebooks,
    many_runs,
    two_people,
    rules_of_long_ago,
    small_data,
    rules_that_were_loosened_for_others,
    columns_that_are_no_features,
    a_table_of_the_model_alone,
    a_policy_of_the_projects_own,
    attempts_that_failed_and_drafts,
    other_holdouts_of_the_same_people,
    lines_that_were_approved_before,
    an_objection_that_was_cleared,
    a_draft_that_whoever_approves_confirms,
    local_code_that_is_not_in_git,
)
