"""Objections that somebody would rather not have: left out, moved, cleared by others; with the words that must say so.

Each stands in a ledger whose chain is whole. Where the ledger itself shows it, both verifiers must.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.soak.histories import ENDPOINT, SUBJECT, History
from tests.soak.stories import Forge, World
from tests.soak.tampering_release import STRANGER, Mutation
from tests.unit.evidence.builders import build_evidence, build_objection_fact
from tests.unit.people import AUTHOR, OWNER, VALIDATOR
from workbench.evidence.evidence import Evidence
from workbench.ledger.ledger import Entry, Event
from workbench.reviews.bundle import MANIFEST

_OPEN, _UNHEARD = "Objection {} of {} is open", "was raised before its promotion, and no approval knows of it."
_ALIKE = " to {}, which is made of the same, was raised before its promotion"


def _raise(world: World, *, subject: str = SUBJECT, **made: Any) -> tuple[History, Entry]:
    """Return a ledger in which somebody objects, in words of their own, to a version that was nominated."""
    history = History(world.forger)
    for _ in range(world.chance.randrange(3)):
        history.nominate(f"other/{len(history.entries) + 1}", run="0" * 12, manifest="0" * 64)
    history.nominate(subject, **made)
    who, number = world.chance.choice([VALIDATOR, OWNER]), world.chance.randrange(10**6)
    return history, history.object(subject, principal=who, text=f"Nobody looked at customer {number} and alike")


def _other(principal: str) -> str:
    return OWNER if principal == VALIDATOR else VALIDATOR


def _serve(history: History, evidence: Evidence, words: str, what: str) -> Mutation:
    return Mutation(what, (words,), lambda: history.serve(evidence))


def _as_told(history: History) -> Evidence:
    """Return the evidence as the workbench writes it by this ledger."""
    return build_evidence(objections=history.read_said().objections)


# Left out


def an_objection_left_out(world: World) -> Mutation:
    history, raised = _raise(world)
    words = f"Objection {raised.sequence} of {raised.actor} {_UNHEARD}"
    return _serve(history, build_evidence(), words, "the evidence knows of none")


def one_of_several_left_out(world: World) -> Mutation:
    history, _ = _raise(world)
    raised = [history.object(principal=world.chance.choice([VALIDATOR, OWNER])) for _ in range(3)]
    evidence, left_out = _as_told(history), world.chance.choice(raised)
    kept = tuple(each for each in evidence.objections if each.number != left_out.sequence)
    words = f"Objection {left_out.sequence} of {left_out.actor} {_UNHEARD}"
    return _serve(history, replace(evidence, objections=kept), words, "the evidence knows of others")


def left_behind_by_nominating_again(world: World) -> Mutation:
    """The same run, or the same bytes, are nominated again, under the same name or another."""
    again = world.chance.choice([{"run": "9" * 12}, {"manifest": "9" * 64}, {}])
    history, raised = _raise(world, subject=f"{world.chance.choice([ENDPOINT, 'tumor'])}/1", **again)
    history.nominate()
    return _serve(history, build_evidence(), _ALIKE.format(raised.subject), f"nominated again, but for {again}")


def told_to_be_open(world: World) -> Mutation:
    """Everybody signs, and serves, though somebody objects."""
    fact = build_objection_fact(
        number=world.chance.randrange(1, 999), principal=world.chance.choice([VALIDATOR, OWNER])
    )
    return world.claims(
        "an open objection", build_evidence(objections=(fact,)), _OPEN.format(fact.number, fact.principal)
    )


# Told otherwise than the ledger has it


def _tell_otherwise(world: World, **changes: Any) -> Mutation:
    """Return a release whose evidence says otherwise of an objection than the ledger it was promoted by."""
    history, raised = _raise(world)
    (fact,) = history.read_said().objections
    settled = {"cleared": history.now, "resolution": "It was looked at, and is well."}
    evidence = build_evidence(objections=(replace(fact, **{**settled, **changes}),))
    words = f"Objection {raised.sequence} is told otherwise in the evidence than in the ledger"
    return _serve(history, evidence, words, f"told as {changes or 'cleared'}")


def told_to_be_cleared(world: World) -> Mutation:
    return _tell_otherwise(world)


def told_in_other_words(world: World) -> Mutation:
    history, raised = _raise(world)
    (fact,) = _clear(history, raised, raised.actor).read_said().objections
    changes: dict[str, Any] = world.chance.choice(
        [
            {"text": "A comma is missing somewhere."},
            {"resolution": "Grace said that it is well."},
            {"principal": STRANGER},
        ]
    )
    words = f"Objection {raised.sequence} is told otherwise in the evidence than in the ledger"
    return _serve(history, build_evidence(objections=(replace(fact, **changes),)), words, f"told as {changes}")


def one_that_nobody_raised(world: World) -> Mutation:
    """An objection is told that was cleared long ago, and stands nowhere: a review that nobody made."""
    history, raised = _raise(world)
    told = _as_told(_clear(history, raised, raised.actor)).objections
    number = world.chance.randrange(50, 99)
    more = build_objection_fact(number=number, cleared=raised.time, resolution="It was looked at.")
    words = f"Objection {number} is told in the evidence, and nobody raised it"
    return _serve(history, build_evidence(objections=(*told, more)), words, "one objection more")


# Cleared by others


def _clear(history: History, raised: Entry, who: str, subject: str = "", **said: Any) -> History:
    history.object(
        subject or raised.subject, clears=raised.sequence, principal=who, **{"text": "It was looked at.", **said}
    )
    return history


def _stays_open(history: History, raised: Entry, what: str) -> Mutation:
    words = _OPEN.format(raised.sequence, raised.actor)
    return _serve(history, _as_told(history), words, what)


def cleared_by_another(world: World) -> Mutation:
    history, raised = _raise(world)
    return _stays_open(_clear(history, raised, _other(raised.actor)), raised, "cleared by another")


def another_one_cleared(world: World) -> Mutation:
    history, raised = _raise(world)
    other = history.object(principal=raised.actor)
    return _stays_open(_clear(history, other, raised.actor), raised, "another one was cleared")


def cleared_on_a_version_that_is_made_of_something_else(world: World) -> Mutation:
    history, raised = _raise(world)
    history.nominate("tumour/4", run="8" * 12, manifest="8" * 64)
    return _stays_open(_clear(history, raised, raised.actor, "tumour/4"), raised, "cleared on tumour/4")


def cleared_in_words_for_another_version(world: World) -> Mutation:
    """What was signed clears it on one version, and is kept for another."""
    history, raised = _raise(world)
    history.nominate("tumour/4")
    return _stays_open(_clear(history, raised, raised.actor, at="tumour/4"), raised, "kept for tumour/4")


def cleared_by_a_key_of_somebody_else(world: World) -> Mutation:
    history, raised = _raise(world)
    key = world.chance.choice([STRANGER, _other(raised.actor)])
    return _stays_open(_clear(history, raised, raised.actor, key=key), raised, f"cleared with the key of {key}")


def cleared_by_what_was_signed_long_before(world: World) -> Mutation:
    history, raised = _raise(world)
    early = history.now
    for _ in range(world.chance.randrange(6, 20)):
        history.add(Event.ANSWERED, OWNER, "other/1", question="harm", answer="None at all, whoever asks.")
    return _stays_open(_clear(history, raised, raised.actor, issued=early), raised, f"cleared at {early}")


# What the ledger itself shows: both verifiers say it


def _shown(history: History, words: str, what: str) -> Mutation:
    return Mutation(what, (words,), history.audit)


def an_objection_moved_to_another_version(world: World) -> Mutation:
    history = History(world.forger)
    for version in (3, 4):
        history.nominate(f"tumour/{version}", run=world.chance.choice(["0" * 12, "1" * 12]))
    moved = history.object("tumour/3", at="tumour/4", principal=world.chance.choice([VALIDATOR, OWNER]))
    return _shown(history, f"Entry {moved.sequence}: its subject is tumour/4, and tumour/3 was signed.", "moved")


def an_objection_in_the_name_of_another(world: World) -> Mutation:
    """Somebody signs and another is said to have."""
    history = History(world.forger)
    history.nominate()
    who = world.chance.choice([VALIDATOR, OWNER])
    history.object(principal=who, actor=_other(who), clears=world.chance.choice([0, 1]))
    return _shown(history, f"its actor is {_other(who)}, and {who} was signed.", f"{who} as {_other(who)}")


def an_objection_that_nobody_signed(world: World) -> Mutation:
    history = History(world.forger)
    history.nominate()
    who, key = world.chance.choice([VALIDATOR, OWNER]), world.chance.choice([STRANGER, AUTHOR])
    history.object(principal=who, key=key, clears=world.chance.choice([0, 1]))
    return _shown(history, f"the signature of {who} does not hold", f"{who} by the key of {key}")


def a_clearance_of_something_else(world: World) -> Mutation:
    """It says of another run or bundle that it is well, and is kept for this one."""
    history, raised = _raise(world)
    changes: dict[str, Any] = world.chance.choice([{"run": "7" * 12}, {"subjects": {MANIFEST: "7" * 64}}])
    _clear(history, raised, raised.actor, **changes)
    return _shown(history, f"its {'run' if 'run' in changes else 'manifest'} is ", f"cleared of {changes}")


FAMILIES: tuple[Forge, ...] = (
    an_objection_left_out,
    one_of_several_left_out,
    left_behind_by_nominating_again,
    told_to_be_open,
    told_to_be_cleared,
    told_in_other_words,
    one_that_nobody_raised,
    cleared_by_another,
    another_one_cleared,
    cleared_on_a_version_that_is_made_of_something_else,
    cleared_in_words_for_another_version,
    cleared_by_a_key_of_somebody_else,
    cleared_by_what_was_signed_long_before,
    an_objection_moved_to_another_version,
    an_objection_in_the_name_of_another,
    an_objection_that_nobody_signed,
    a_clearance_of_something_else,
)
