"""Which models can be served, by family: the reviewed list as people read it."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.packaging.reviewed_types import FAMILIES


@dataclass(frozen=True)
class ServableFamily:
    """A family of estimators by the names they are imported by, why they may be loaded and what is looked at before."""

    family: str
    estimators: tuple[str, ...]
    is_served: bool
    reason: str
    checked: str


def list_servable() -> tuple[ServableFamily, ...]:
    """Return every family that people build models with, in the order of the list."""
    return tuple(
        ServableFamily(
            family.name,
            tuple(sorted(name.rpartition(".")[2] for name in (*family.estimators, *family.stands_for))),
            is_served=True,
            reason=family.reason,
            checked=family.checked,
        )
        for family in FAMILIES
        if family.estimators or family.stands_for
    )
