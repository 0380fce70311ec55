"""The verb of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.models.servable_models import ServableFamily


class ModelVerbs:
    """What is known of models before one is trained."""

    def list_models(self) -> tuple[ServableFamily, ...]:
        """Return which models can be served, by family."""
        from workbench.models.servable_models import list_servable

        return list_servable()
