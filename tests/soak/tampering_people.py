"""Forgeries of what people signed: approvals moved, made by others, in other names, too late; and waivers.

Each family makes one, at random, and says the words of the rule that must refuse it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.soak.tampering_release import STRANGER, Family, Forger, Mutation
from tests.unit.people import AUTHOR, EXPIRES, ISSUED, NOW, OWNER, VALIDATOR
from workbench.releases.release import (
    approval_paths,
    waiver_paths,
)
from workbench.signing.statement import Signed

Files = dict[str, bytes]

# What was signed


def splice_two_approvals(forger: Forger) -> Mutation:
    one, other = forger.approvals()
    content = forger.release_of(replace(forger.evidence, files_unmodified=False))
    foreign = Signed(*(content[path] for path in approval_paths(1)))
    approvals, label = forger.pick(
        [
            ([Signed(one.statement, other.signature), other], "does not hold"),
            ([Signed(other.statement, one.signature), one], "does not hold"),
            ([foreign, other], "is stale"),
            ([Signed(one.statement, foreign.signature), other], "does not hold"),
            ([one, one], "Role owner: 0 of 1"),
            ([other, other], "Role validator: 0 of 1"),
            ([one], "Approvals come from 1 of 2"),
        ]
    )
    files = forger.with_approvals(forger.files, approvals)
    return Mutation(f"approvals spliced ({label})", (label,), lambda: forger.audit(files))


def _resigned(
    forger: Forger, principal: str = OWNER, *, by: str | None = None, namespace: str | None = None, **said: Any
) -> Files:
    """Return the release with the owner's approval replaced by one that really is signed, and says something else."""
    statement = replace(forger.state(forger.files, principal), **said)
    return forger.with_approvals(
        forger.files, [forger.approvals()[0], forger.sign(statement, by=by, namespace=namespace)]
    )


def replay_to_another_target(forger: Forger) -> Mutation:
    other = f"other{forger.chance.randrange(99)}"
    said, label = forger.pick(
        [
            ({"endpoint": other}, f"is for endpoint {other}, not tumour"),
            ({"model": other}, f"is for {other}/3, not tumour/3"),
            ({"version": forger.chance.randrange(4, 99)}, "not tumour/3"),
            ({"previous": forger.chance.randrange(3, 99)}, "was given while version"),
            ({"role": "validator"}, "Role owner: 0 of 1"),
            ({"role": "janitor"}, "is in a role that the policy does not ask for"),
        ]
    )
    files = _resigned(forger, by=OWNER, **said)
    return Mutation(
        f"a statement for {said}", (label, "does not hold") if "role" in said else (label,), lambda: forger.audit(files)
    )


def replay_as_another_version(forger: Forger) -> Mutation:
    version = forger.chance.randrange(4, 999)
    return Mutation(
        f"served as tumour/{version}",
        (f"These are the files of tumour/3, not of tumour/{version}",),
        lambda: forger.audit(forger.files, subject=f"tumour/{version}"),
    )


def sign_in_another_namespace(forger: Forger) -> Mutation:
    namespace = forger.pick(
        ["workbench.approval.validator", "workbench.waiver.owner", "workbench.objection", "git", "file"]
    )
    files = _resigned(forger, namespace=namespace)
    return Mutation(f"signed in {namespace}", ("does not hold",), lambda: forger.audit(files))


def judge_at_another_time(forger: Forger) -> Mutation:
    days = forger.chance.randrange(1, 4000)
    early = forger.pick([True, False])
    moment = datetime.fromisoformat(ISSUED if early else EXPIRES) + timedelta(days=-days if early else days)
    now = moment.isoformat()
    return Mutation(f"judged at {now}", (f"; it is {now}.",), lambda: forger.audit(forger.files, now=now))


def approve_for_too_long(forger: Forger) -> Mutation:
    expires = (datetime.fromisoformat(ISSUED) + timedelta(days=forger.chance.randrange(181, 9999))).isoformat()
    files = _resigned(forger, expires=expires)
    return Mutation(f"until {expires}", ("was given for longer than the 180 days",), lambda: forger.audit(files))


def withdraw_a_key(forger: Forger) -> Mutation:
    line = f'{OWNER} namespaces="workbench.approval.owner"'
    other, key = {VALIDATOR: "validator"}, " ".join(forger.public[OWNER].split()[:2])
    how, more, label = forger.pick(
        [
            ("unknown", "", "does not hold"),
            ("another's key", f"{line} {' '.join(forger.public[STRANGER].split()[:2])}", "does not hold"),
            ("ended before", f'{line},valid-before="20200101000000Z" {key}', "does not hold"),
            ("begins later", f'{line},valid-after="20990101000000Z" {key}', "does not hold"),
            ("another role", f'{OWNER} namespaces="workbench.approval.validator" {key}', "does not hold"),
            ("a pattern", f"*@example.org {key}", "is not one principal"),
            ("an authority", f"{OWNER} cert-authority {key}", "is granted by certificate"),
            ("a shared key", f"{line} {' '.join(forger.public[VALIDATOR].split()[:2])}", "share one key"),
            (
                "a look-alike",
                f'\u043etto@example.org namespaces="workbench.approval.owner" {key}',
                "is not one principal",
            ),
        ]
    )
    signers = forger.trust(f"signers-{forger.chance.randrange(10**9)}", other, more=more)
    return Mutation(f"key of {OWNER}: {how}", (label,), lambda: _judge_and_drop(forger, forger.files, signers))


def _judge_and_drop(forger: Forger, files: Mapping[str, bytes], signers: Path) -> Sequence[str]:
    try:
        return forger.audit(files, signers=signers)
    finally:
        signers.unlink()


def sign_with_a_key_of_ones_own(forger: Forger) -> Mutation:
    by = forger.pick([STRANGER, AUTHOR, VALIDATOR, f"second-{OWNER}"])
    files = _resigned(forger, by=by)
    return Mutation(f"the owner's approval by the key of {by}", ("does not hold",), lambda: forger.audit(files))


def approve_ones_own_work(forger: Forger) -> Mutation:
    name = forger.pick([AUTHOR, AUTHOR.upper(), AUTHOR.title(), "Ada@example.org"])
    key = " ".join(forger.public[AUTHOR].split()[:2])
    more = f'{name} namespaces="workbench.approval.owner" {key}'
    signers = forger.trust(f"signers-{forger.chance.randrange(10**9)}", {VALIDATOR: "validator"}, more=more)
    files = _resigned(forger, name, by=AUTHOR, role="owner")
    return Mutation(
        f"approved by {name}", (f"{name} is an author of the run",), lambda: _judge_and_drop(forger, files, signers)
    )


def approve_ones_own_work_in_another_spelling(forger: Forger) -> Mutation:
    name = spell_otherwise(forger.chance, OWNER)
    identity = replace(forger.evidence.identity, authors=(AUTHOR, name))
    files = forger.release_of(replace(forger.evidence, identity=identity))
    return Mutation(
        f"approved by its author {name!a}", (f"{OWNER} is an author of the run",), lambda: forger.audit(files)
    )


_ALIKE = {"a": "\u0430", "e": "\u0435", "o": "\u03bf", "p": "\u0440", "x": "\u0445", "t": "\u0442", "r": "\u0433"}


def spell_otherwise(chance: random.Random, who: str) -> str:
    """Return the name of somebody as others, or they themselves, write it: whoever reads it knows who is meant."""
    user, _, host = who.partition("@")
    letter = chance.choice([each for each in _ALIKE if each in who])
    unseen, place = chance.choice("\u200b\u00ad\u2060\ufe0f\u3164\u200e"), chance.randrange(len(who))
    return chance.choice(
        [
            f"{user.title()} <{who}>",
            f'"{user}, of {host}" <{who.title()}>',
            f"mailto:{who}",
            f"{who}.",
            who.upper(),
            f"{user}+review@{host}",
            f"{who[:place]}{unseen}{who[place:]}",
            who.replace(letter, _ALIKE[letter]),
            "".join(chr(ord(each) + 0xFEE0) for each in who),
        ]
    )


def be_two_people(forger: Forger) -> Mutation:
    name = forger.pick([VALIDATOR, VALIDATOR.upper(), VALIDATOR.title()])
    key = " ".join(forger.public[f"second-{OWNER}"].split()[:2])
    more = f'{name} namespaces="workbench.approval.owner" {key}'
    signers = forger.trust(f"signers-{forger.chance.randrange(10**9)}", {VALIDATOR: "validator"}, more=more)
    files = _resigned(forger, name, by=f"second-{OWNER}", role="owner")
    return Mutation(
        f"{name} with two keys", ("1 of 2 distinct people",), lambda: _judge_and_drop(forger, files, signers)
    )


def look_like_somebody(forger: Forger) -> Mutation:
    swaps = {
        "o": "\u03bf",
        "e": "\u0435",
        "a": "\u0430",
        "x": "\u0445",
        "p": "\u0440",
        "@": "\uff20",
        ".": "\uff0e",
        "t": "\u0442",
    }
    letter = forger.pick([each for each in swaps if each in OWNER])
    name = OWNER.replace(letter, swaps[letter], forger.chance.randrange(1, 3))
    files = _resigned(forger, name, by=OWNER, role="owner")
    return Mutation(f"{name!r} looks like {OWNER}", ("does not hold", "cannot be read"), lambda: forger.audit(files))


# Waivers


def harm_a_waiver(forger: Forger) -> Mutation:
    statement, signature = waiver_paths(1)
    files, now = dict(forger.files), NOW
    how = forger.pick(["drop", "half", "other signature", "foreign", "expired", "second"])
    if how == "drop":
        del files[statement], files[signature]
        label = "The waiver of beats_baseline by otto@example.org is missing."
    elif how == "half":
        del files[forger.pick([statement, signature])]
        label = "Waiver 1 is incomplete."
    elif how == "other signature":
        files[signature] = forger.sign_waiver(_waiver_of(forger), by=STRANGER).signature
        label = "is not signed well"
    elif how == "foreign":
        other = replace(_waiver_of(forger), reason=f"Another reason, {forger.chance.random()}.")
        signed = forger.sign_waiver(other)
        files |= {statement: signed.statement, signature: signed.signature}
        label = "is not a waiver that the evidence names"
    elif how == "second":
        files |= dict(zip(waiver_paths(2), (files[statement] + b" ", files[signature]), strict=True))
        label = "is not a waiver that the evidence names"
    else:
        now = (
            datetime.fromisoformat("2027-01-20T10:00:00+00:00") + timedelta(minutes=forger.chance.randrange(9999))
        ).isoformat()
        label = "expired at 2027-01-20"
    return Mutation(f"waiver: {how}", (label,), lambda: forger.audit(files, now=now))


def _waiver_of(forger: Forger) -> Any:
    from workbench.reviews.waiver import parse_waiver

    return parse_waiver(forger.waiver.statement)


FAMILIES: tuple[Family, ...] = (
    splice_two_approvals,
    replay_to_another_target,
    replay_as_another_version,
    sign_in_another_namespace,
    judge_at_another_time,
    approve_for_too_long,
    withdraw_a_key,
    sign_with_a_key_of_ones_own,
    approve_ones_own_work,
    approve_ones_own_work_in_another_spelling,
    be_two_people,
    look_like_somebody,
    harm_a_waiver,
)
