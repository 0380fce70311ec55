"""Which types may be loaded: the reviewed list, a family a file. This list is policy; no model's files can widen it.

A family is added by its file and its line here. Before a name is written down, its source is read: can making it or setting
its attributes run foreign code, open a file or a socket, start a process? Does native code follow its arrays unchecked? Then its
family checks them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from workbench.models.model_parts import parts_of
from workbench.models.reviewed_types.anomalies import ANOMALIES
from workbench.models.reviewed_types.baselines import BASELINES
from workbench.models.reviewed_types.boosters import BOOSTERS
from workbench.models.reviewed_types.boosting import BOOSTING
from workbench.models.reviewed_types.calibration import CALIBRATION
from workbench.models.reviewed_types.clusters import CLUSTERS
from workbench.models.reviewed_types.combinations import COMBINATIONS
from workbench.models.reviewed_types.composition import COMPOSITION
from workbench.models.reviewed_types.discriminant_analysis import DISCRIMINANT_ANALYSIS
from workbench.models.reviewed_types.family import Family
from workbench.models.reviewed_types.imputation import IMPUTATION
from workbench.models.reviewed_types.kernels import KERNELS
from workbench.models.reviewed_types.linear_models import LINEAR_MODELS
from workbench.models.reviewed_types.naive_bayes import NAIVE_BAYES
from workbench.models.reviewed_types.neighbors import NEIGHBORS
from workbench.models.reviewed_types.neural_networks import NEURAL_NETWORKS
from workbench.models.reviewed_types.plain_data import PLAIN_DATA
from workbench.models.reviewed_types.preparation import PREPARATION
from workbench.models.reviewed_types.projections import PROJECTIONS
from workbench.models.reviewed_types.searches import SEARCHES
from workbench.models.reviewed_types.selection import SELECTION
from workbench.models.reviewed_types.support_vectors import SUPPORT_VECTORS
from workbench.models.reviewed_types.texts import TEXTS
from workbench.models.reviewed_types.trees import TREES

FAMILIES: tuple[Family, ...] = (
    LINEAR_MODELS,
    TREES,
    BOOSTING,
    BOOSTERS,
    NEIGHBORS,
    SUPPORT_VECTORS,
    NAIVE_BAYES,
    DISCRIMINANT_ANALYSIS,
    NEURAL_NETWORKS,
    KERNELS,
    CALIBRATION,
    COMBINATIONS,
    SEARCHES,
    CLUSTERS,
    ANOMALIES,
    BASELINES,
    COMPOSITION,
    PREPARATION,
    IMPUTATION,
    TEXTS,
    SELECTION,
    PROJECTIONS,
    PLAIN_DATA,
)


def _collect_forms() -> dict[str, frozenset[str]]:
    forms: dict[str, frozenset[str]] = {}
    for family in FAMILIES:
        for name, way in family.forms():
            forms[name] = forms.get(name, frozenset()) | {way}
    return forms


# Every reviewed name with the ways it may be written.
FORMS: Mapping[str, frozenset[str]] = _collect_forms()


def find_bounds_faults(model: Any) -> Iterator[str]:
    """Yield where native code would be led out of bounds by a model's arrays; nothing of the model is asked for an answer."""
    for part in parts_of(model):
        for family in FAMILIES:
            yield from family.find_faults(part)
