"""Training rows: by what the rows that a model was trained on are known again, without keeping them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from workbench.errors import Refused
from workbench.records.digest import canonical_json, strict_json
from workbench.records.document import build_record
from workbench.runs.tables import LoggedTable

FORMAT = 1


@dataclass(frozen=True)
class TrainingTable:
    """A table beside a holdout: digests of its rows as they are, and rounded to `steps`, which name its columns."""

    steps: Mapping[str, float]
    row_digests: tuple[str, ...]
    rounded: tuple[str, ...]


def find_training(tables: Sequence[LoggedTable]) -> tuple[TrainingTable, ...] | None:
    """Return what a run logged beside its holdout; None where that is no training table, or nobody rounded one of them.

    A table with two columns of one name cannot be compared either.
    """
    others = [table for table in tables if table.fact.role != "holdout"]
    known = [
        TrainingTable(table.steps, tuple(table.row_digests), tuple(table.rounded))
        for table in others
        if table.steps is not None and table.rounded is not None and len(table.steps) == len(table.types)
    ]
    has_training = any(table.fact.role == "train" for table in others)
    return tuple(known) if has_training and len(known) == len(others) else None


def spell_training(training: Sequence[TrainingTable]) -> bytes:
    """Return training rows as a file."""
    return canonical_json({"format": FORMAT, "tables": [asdict(table) for table in training]})


def parse_training(content: bytes) -> tuple[TrainingTable, ...]:
    """Read them back from what `spell_training` wrote; raises Refused for anything else."""
    try:
        said = strict_json(content)
        if set(said) != {"format", "tables"} or said["format"] != FORMAT:
            raise ValueError("it says other things about itself than expected")
        return tuple(build_record(TrainingTable, each) for each in said["tables"])
    except (KeyError, TypeError, ValueError) as exc:
        what = "The digests of the training rows cannot be read."
        raise Refused(what, why=str(exc), next_step="Nominate the run again.") from exc
