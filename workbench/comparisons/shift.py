"""A shift: how what is served does on a later holdout beside its own; by it is seen that the same names mean something else."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.stats.interval import Interval

# What chance and a world that moves a little leave of what a model knew; less is another question, or another world.
_KEPT = 0.75


@dataclass(frozen=True)
class ShiftFact:
    """What a model scores here and scored on its own holdout, each also as skill: 0 is a constant prediction, 1 is perfect.

    The skill score is Murphy's (1988, Monthly Weather Review 116:2417-2424). None: the metric has no value there, or a constant
    prediction is perfect. Where the data carry no interval, its bounds are the value itself.
    """

    metric: str
    here: float | None
    own: float | None
    rows_here: int
    rows_own: int
    skill_here: Interval | None
    skill_own: Interval | None

    @property
    def is_known(self) -> bool:
        """True where both can be held against each other."""
        return self.skill_here is not None and self.skill_own is not None

    @property
    def is_strange(self) -> bool:
        """True where it does worse than a constant, or lost a quarter of its skill and both intervals lie apart: no chance."""
        here, own = self.skill_here, self.skill_own
        if here is None or own is None:
            return False
        if here.estimate < 0 and (own.low > 0 or here.high < 0):
            return True
        return here.high < own.low and here.estimate < _KEPT * own.estimate

    @property
    def told(self) -> str:
        """Say both scores."""
        here, own = ("no value" if each is None else f"{self.metric} {each:.3g}" for each in (self.here, self.own))
        return f"{here} on these {self.rows_here:,} rows, {own} on the {self.rows_own:,} of its own holdout"
