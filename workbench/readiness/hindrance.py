"""A hindrance: one thing in a notebook that is in the way of running it unattended, alike, or up to a release."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What a hindrance does to a notebook that is run while nobody looks."""

    STOPS = "stops"
    DIFFERS = "differs"
    BURDENS = "burdens"
    BARS = "bars"


@dataclass(frozen=True)
class Hindrance:
    """What was found, where (a written cell and its line, None for the notebook as a whole), and what to do about it."""

    kind: str
    effect: Effect
    what: str
    advice: str
    cell: int | None = None
    line: int | None = None
    code: str = ""


@dataclass(frozen=True)
class Readiness:
    """What a notebook's text told: every hindrance in the order of the table, and what could not be looked at."""

    notebook: str
    cells: int
    hindrances: tuple[Hindrance, ...]
    unknown: tuple[str, ...] = ()

    @property
    def runs_unattended(self) -> bool:
        """Whether nothing was found that would stop it while nobody looks."""
        return not any(each.effect is Effect.STOPS for each in self.hindrances)


_SAYS = {
    Effect.STOPS: ("thing stops it", "things stop it"),
    Effect.DIFFERS: ("thing may come out otherwise", "things may come out otherwise"),
    Effect.BURDENS: ("makes its runs heavy to read", "make its runs heavy to read"),
    Effect.BARS: ("keeps it from being swept, nominated or served", "keep it from being swept, nominated or served"),
}


def headline(readiness: Readiness) -> str:
    """Return in one sentence what was found; counted is what there is to mend, not every line it stands in."""
    told = {(each.effect, each.kind, each.what) for each in readiness.hindrances}
    counts = Counter(effect for effect, _, _ in told)
    said = [f"{counts[effect]} {words[counts[effect] > 1]}" for effect, words in _SAYS.items() if counts[effect]]
    if not readiness.runs_unattended:
        return f"{readiness.notebook} will not run unattended: {', '.join(said)}."
    if said:
        return f"Nothing was found that stops {readiness.notebook} unattended; {', '.join(said)}."
    return f"Nothing was found against {readiness.notebook}: it waits for nobody, and what it needs is here."
