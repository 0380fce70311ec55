"""A kept run is read once: whatever a nomination computes, it computes from the same bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.governed import MODEL, NOTEBOOKS, Governed
from workbench.errors import UsageError
from workbench.runs.folder import FEATURES, PREDICTIONS

_OPENED: list[str] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _OPENED is not None:
        _OPENED.append(str(arguments[0]))


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """Every path that this process opens meanwhile; within a folder opened by its descriptor, the name alone."""
    global _OPENED
    if _note not in _HOOKED:
        sys.addaudithook(_note)
        _HOOKED.append(_note)
    _OPENED = seen = []
    try:
        yield seen
    finally:
        _OPENED = None


_HOOKED: list[object] = []


def test_a_nomination_opens_the_predictions_and_features_of_its_run_once(nominated: Governed) -> None:
    run = nominated.bench.run(NOTEBOOKS / "logs_everything.ipynb", {"strength": 1.5, "columns": 4})
    nominated.bench.replay(run.id)
    with opened_files() as seen:
        review = nominated.bench.nominate(run.id, MODEL)
    # By its name alone in a folder that is open: of the run, and of the replay it is held against.
    assert [seen.count(name) for name in (PREDICTIONS, FEATURES)] == [2, 2]
    assert [path for path in seen if run.id in path and path.endswith((PREDICTIONS, FEATURES))] == []
    assert review.evidence.files_unmodified


def test_predictions_that_are_not_the_recorded_ones_are_nominated_by_nobody(nominated: Governed) -> None:
    run = nominated.bench.run(NOTEBOOKS / "logs_everything.ipynb", {"strength": 1.5, "columns": 4})
    path = nominated.bench.settings.runs_folder / run.id / PREDICTIONS
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(UsageError, match="cannot be used"):
        nominated.bench.nominate(run.id, MODEL)
