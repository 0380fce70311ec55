"""Random models on random tables: a small size of the proof that `make soak` runs in full."""

from __future__ import annotations

from tests.soak import random_models
from tests.soak.__main__ import PROOFS


def test_a_random_model_compiled_answers_as_it_does_itself() -> None:
    proof = random_models.prove(PROOFS["random_models"].small)
    assert proof.failures == ()
    assert "compiled" in proof.details
