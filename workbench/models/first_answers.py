"""First answers: whether a model gives the scores that were logged with it, as tried on its first rows when it was logged.

Nominating compares every row of what will be served; what differs here differs there.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from workbench.records.digest import canonical_json, strict_json
from workbench.records.document import build_record

# What every shipped policy allows, in units of the scores' spread.
LARGEST = 1e-6


@dataclass(frozen=True)
class FirstAnswers:
    """How far the model's answers are from the logged scores of the first rows, in units of the spread of all logged scores.

    `fault` says instead why they cannot be compared. Neither: the model could not be asked like this. `instead` says what of the
    model is stored where labels were given as scores.
    """

    difference: float | None = None
    fault: str | None = None
    instead: str | None = None

    @property
    def note(self) -> str:
        """What became of labels that were given as scores; empty where there were none, or they are stored."""
        return f"labels were given as scores; {self.instead} are stored instead" if self.instead else ""

    @property
    def advice(self) -> str:
        """What to do about a model that does not give the scores; empty where it does or nobody knows."""
        if self.fault is not None:
            return f"{self.fault} {_ADVICE}"
        if self.difference is None or self.difference <= LARGEST:
            return ""
        return f"On its first rows the model's answers are up to {self.difference:.3g} of the scores' spread away. {_ADVICE}"

    def to_bytes(self) -> bytes:
        """Return it as a file of the run's folder."""
        return canonical_json(asdict(self))


_ADVICE = "Log the model that made the scores, with the same rows in the same order, and scores that nobody rounded."


def parse_first_answers(content: bytes) -> FirstAnswers:
    """Read them back, of before `instead` was said too; raises ValueError or TypeError for what was not written like this."""
    return build_record(FirstAnswers, {"instead": None, **strict_json(content)})
