"""What a proof says: how often a claim was tried, how often it was false, and how often it may be at most."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SEED = 20_261
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Proof:
    """A claim that was tried `n` times; `failures` says in words each time that it was false."""

    claim: str
    n: int
    failures: tuple[str, ...]
    seed: int
    duration_s: float
    details: str = ""

    @property
    def holds(self) -> bool:
        """True when it was tried and never false."""
        return self.n > 0 and not self.failures

    @property
    def upper_bound(self) -> float:
        """The share of failures that is exceeded with a probability of 5 % at most (Clopper and Pearson, one-sided)."""
        return upper_bound(len(self.failures), self.n)


def upper_bound(failures: int, n: int) -> float:
    """Return the exact one-sided 95 % upper bound of a share that was `failures` of `n`; 1.0 when nothing was tried."""
    if failures >= n:
        return 1.0
    from scipy.stats import beta

    return float(beta.ppf(_CONFIDENCE, failures + 1, n - failures))


def timed_proof(claim: str, tries: Callable[[], tuple[int, Sequence[str], str]], *, seed: int = SEED) -> Proof:
    """Try a claim and return the proof; `tries` returns how often, what was false in words, and the details."""
    started = time.monotonic()
    n, failures, details = tries()
    return Proof(claim, n, tuple(failures), seed, time.monotonic() - started, details)
