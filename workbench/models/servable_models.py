"""Which models can be served, by family, and in which form: the reviewed list and the converters as people read them."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.models.compiler.converters.composition import PREDICTORS, TRANSFORMERS
from workbench.models.reviewed_types import FAMILIES


@dataclass(frozen=True)
class ServableFamily:
    """A family of estimators by the names they are imported by, why they may be loaded and what is looked at before.

    A model made of `compiled` ones is likely served compiled, which its nomination proves; with one of the `uncompiled` it is
    served by scikit-learn itself.
    """

    family: str
    compiled: tuple[str, ...]
    uncompiled: tuple[str, ...]
    reason: str
    checked: str

    @property
    def estimators(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(sorted([*self.compiled, *self.uncompiled]))


def list_servable() -> tuple[ServableFamily, ...]:
    """Return every family that people build models with, in the order of the list."""
    stood_for = {name.rpartition(".")[2] for family in FAMILIES for name in family.stands_for}
    known = {*PREDICTORS, *TRANSFORMERS, *stood_for}
    names = [
        (family, sorted(name.rpartition(".")[2] for name in (*family.estimators, *family.stands_for)))
        for family in FAMILIES
        if family.estimators or family.stands_for
    ]
    return tuple(
        ServableFamily(
            family.name,
            compiled=tuple(each for each in estimators if each in known),
            uncompiled=tuple(each for each in estimators if each not in known),
            reason=family.reason,
            checked=family.checked,
        )
        for family, estimators in names
    )
