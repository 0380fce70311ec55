"""Answers that are none, or that nobody stands for but who made the model; with the words that must say so.

Whoever approves confirms what an author drafted, so what nobody confirms is forged with approvals that do not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.soak.histories import SUBJECT, History
from tests.soak.stories import Forge, World
from tests.soak.tampering_people import spell_otherwise
from tests.soak.tampering_release import Mutation
from tests.unit.evidence.builders import ANSWERS, build_evidence
from tests.unit.people import AUTHOR, ISSUED, OWNER, VALIDATOR
from workbench.evidence.evidence import AnswerFact, Evidence
from workbench.ledger.ledger import Event
from workbench.records.digest import sha256_hex
from workbench.reviews.bundle import MANIFEST, POLICY
from workbench.reviews.said import describe_answers
from workbench.reviews.waiver import Waiver

_UNSEEN = "\u200b\u200c\u2060\ufeff\u00ad\u3164\u2800\ufffc\u115f\u1160\u0300\u202e\ue0001"
_NO_WORDS, _DRAFTED = "model_card_complete: FAIL. No answer: {}.", "model_card_complete: UNKNOWN. Drafted: {} ({})"


def _write_nothing(world: World) -> str:
    """Return a text that many characters stand in and no word."""
    long, letter = world.chance.randrange(20, 400), world.chance.choice("aö7名")
    return world.chance.choice(
        [
            "".join(world.chance.choice(_UNSEEN) for _ in range(long)) + "x",
            world.chance.choice([". ", "- ", "…", "?!", "\u2026", "\u00b7"]) * long,
            letter * long,
            f"{letter} " * long,
            "none" + "".join(world.chance.choice(_UNSEEN) for _ in range(long)),
            "words " * 4_000,
            "ok" + " \t\n" * long,
        ]
    )


def answers_without_words(world: World) -> Mutation:
    name, text = world.chance.choice([*ANSWERS]), _write_nothing(world)
    answers = {**ANSWERS, name: text}
    return world.claims(f"answered {text[:30]!a}", build_evidence(answers=answers), _NO_WORDS.format(name))


def answers_left_out(world: World) -> Mutation:
    name = world.chance.choice([*ANSWERS])
    empty = {name: world.chance.choice(["", " ", "\n\t"])} if world.chance.random() < 0.5 else {}
    answers = {question: text for question, text in ANSWERS.items() if question != name} | empty
    return world.claims(
        f"{name} left out", build_evidence(answers=answers), f"model_card_complete: UNKNOWN. Open: {name}."
    )


def a_waiver_without_a_reason(world: World) -> Mutation:
    """It is signed, and says nothing."""
    shown = world.chance.choice(
        ["." * 30, "- " * 20, "aaaaaaaaaaaaaaaaaaaaaaaaa", "1 1 1 1 1 1 1 1 1 1 1 1 1", "x" * 21_000]
    )
    files = world.forger.files
    subjects = {name: sha256_hex(files[name]) for name in (MANIFEST, POLICY)}
    known = {"subjects": subjects, "principal": OWNER, "role": "owner", "model": "tumour", "version": 3}
    waiver = Waiver(
        **known,  # type: ignore[arg-type]
        check="beats_baseline",
        finding="UNKNOWN: there is no baseline",
        reason=shown,
        issued=ISSUED,
        expires="2027-01-20T10:00:00+00:00",
    )
    signed = world.forger.sign_waiver(waiver)
    evidence = build_evidence(waivers=(waiver.to_fact(sha256_hex(signed.statement)),))

    def judge() -> Sequence[str]:
        return world.forger.audit(world.forger.with_waiver(world.forger.release_of(evidence), signed))

    return Mutation(f"waived for {shown[:20]!r}", ("does not count: its reason is none.",), judge)


# Whose they are


def _drafts(world: World, evidence: Evidence, question: str, writer: str, what: str) -> Mutation:
    return world.claims(what, evidence, _DRAFTED.format(question, writer), people=0)


def _said_by(question: str, fact: AnswerFact | None) -> Evidence:
    """Return evidence in which this is known of one answer; the others are a second person's."""
    evidence = build_evidence()
    others = [each for each in evidence.said_by if each.question != question]
    return replace(evidence, said_by=(*others, *([fact] if fact else [])))


def drafts_of_an_author(world: World) -> Mutation:
    question = world.chance.choice([*ANSWERS])
    evidence = _said_by(question, AnswerFact(question, AUTHOR, ()))
    return _drafts(world, evidence, question, AUTHOR, "nobody but the author")


def drafts_that_their_author_confirms(world: World) -> Mutation:
    """The author stands for them herself, under another name."""
    question, name = world.chance.choice([*ANSWERS]), spell_otherwise(world.chance, AUTHOR)
    evidence = _said_by(question, AnswerFact(question, AUTHOR, (name,)))
    return _drafts(world, evidence, question, AUTHOR, f"confirmed by {name!a}")


def answers_of_which_nobody_knows_whose_they_are(world: World) -> Mutation:
    question = world.chance.choice([*ANSWERS])
    return _drafts(world, _said_by(question, None), question, "nobody knows who", "whose it is was left out")


def _answered(world: World, *given: tuple[str, str], question: str) -> Evidence:
    """Return the evidence of a ledger in which these people answered so, one after another."""
    history = History(world.forger)
    history.nominate()
    for name, text in ANSWERS.items():
        for who, said in [(VALIDATOR, text)] if name != question else given:
            history.add(Event.ANSWERED, who, SUBJECT, question=name, answer=said)
    said = history.read_said()
    evidence = build_evidence(answers={name: str(entries[-1].body["answer"]) for name, entries in said.answers.items()})
    return replace(evidence, said_by=describe_answers(said, evidence.identity.authors))


def an_author_under_another_name(world: World) -> Mutation:
    """She answers, and gives the same answer again as somebody who is she."""
    question, name = world.chance.choice([*ANSWERS]), spell_otherwise(world.chance, AUTHOR)
    text = ANSWERS[question]
    evidence = _answered(world, (AUTHOR, text), (name, text), question=question)
    return _drafts(world, evidence, question, AUTHOR, f"answered again as {name!a}")


def words_exchanged_after_somebody_answered(world: World) -> Mutation:
    """A second person answers; the author puts other words in the place of that answer."""
    question, who = world.chance.choice([*ANSWERS]), world.chance.choice([VALIDATOR, OWNER])
    text = ANSWERS[question]
    other = world.chance.choice([f"{text} Or so.", text.replace("a", "\u0430"), text.upper(), f"{text}\u200b"])
    evidence = _answered(world, (who, text), (AUTHOR, other), question=question)
    return _drafts(world, evidence, question, AUTHOR, f"{who} answered in other words")


FAMILIES: tuple[Forge, ...] = (
    answers_without_words,
    answers_left_out,
    a_waiver_without_a_reason,
    drafts_of_an_author,
    drafts_that_their_author_confirms,
    answers_of_which_nobody_knows_whose_they_are,
    an_author_under_another_name,
    words_exchanged_after_somebody_answered,
)
