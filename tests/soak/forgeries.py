"""What claims something that is not so is refused for its own reason, though everybody signed it; an honest story never is.

A family of forgeries is one function: it draws a story, tells a part of it otherwise than it was (or forges a release of
`world.forger`, as the families of `tampering` do), and names the words of the rule that must say so.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.soak import (
    forged_answers,
    forged_champion,
    forged_code,
    forged_looks,
    forged_objections,
    forged_people,
    forged_plans,
    forged_truth,
    honest_data,
    honest_stories,
)
from tests.soak.honest_stories import Honest
from tests.soak.proof import SEED, Proof, timed_proof
from tests.soak.stories import Forge, World
from tests.soak.tampering import find_fault
from tests.soak.tampering_release import find_reasons

FAMILIES: tuple[Forge, ...] = (
    *forged_truth.FAMILIES,
    *forged_plans.FAMILIES,
    *forged_looks.FAMILIES,
    *forged_people.FAMILIES,
    *forged_code.FAMILIES,
    *forged_champion.FAMILIES,
    *forged_objections.FAMILIES,
    *forged_answers.FAMILIES,
)
HONEST: tuple[Honest, ...] = (*honest_stories.HONEST, *honest_data.HONEST)
_HONEST_SHARE = 3


def prove(size: int) -> Proof:
    """Try `size` forgeries, every family in turn, and a third as many honest stories."""
    claim = (
        "Whatever is claimed of truth, plans, tries, people, code, champion, objections and answers is refused for its own "
        "reason where it is not so; no honest story is"
    )
    return timed_proof(claim, lambda: try_stories(size, -(-size // _HONEST_SHARE)))


def try_stories(forged: int, honest: int) -> tuple[int, Sequence[str], str]:
    """Tell so many forgeries and honest stories; return how many, what was wrong in words, and what they were."""
    folder = Path(tempfile.mkdtemp(prefix="wb-forgeries-"))
    try:
        world = World(folder, random.Random(SEED))
        faults = [_try_forgery(world, FAMILIES[number % len(FAMILIES)]) for number in range(forged)]
        faults += [_tell_honestly(world, number) for number in range(honest)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    kinds = f"{forged:,} forgeries of {len(FAMILIES)} kinds, {honest:,} honest stories of {len(HONEST)} kinds"
    return forged + honest, [fault for fault in faults if fault], kinds


def _try_forgery(world: World, forge: Forge) -> str | None:
    return find_fault(replace(forge(world), family=forge.__name__))


def _tell_honestly(world: World, number: int) -> str | None:
    tell = HONEST[number % len(HONEST)]
    reasons = find_reasons(partial(tell, world))
    return f"honest, {tell.__name__}: {reasons}" if reasons else None
