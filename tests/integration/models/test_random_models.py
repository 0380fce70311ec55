"""Random models on random tables: a small size of the proof that `make soak` runs in full."""

from __future__ import annotations

from tests.soak import random_models

TRIED = 2


def test_a_random_model_compiled_answers_as_it_does_itself() -> None:
    proof = random_models.prove(TRIED)
    assert proof.failures == ()
    assert "compiled" in proof.details
