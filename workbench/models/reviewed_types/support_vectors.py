"""Support vector machines: libsvm reads vectors and coefficients by counts the file gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.models.reviewed_types.family import Family, named

_KERNELS = ("linear", "poly", "rbf", "sigmoid", "precomputed")


def find_support_vector_faults(part: Any) -> Iterator[str]:
    """Yield what is wrong with the arrays libsvm is given: each must be as long as the others say."""
    if type(part).__name__ not in ("NuSVC", "NuSVR", "OneClassSVM", "SVC", "SVR") or not hasattr(part, "support_"):
        return
    if {"_impl", "_sparse_kernels"} & set(vars(part)) or part.kernel not in _KERNELS:
        yield "A support vector machine's kind or kernel is none of libsvm's."
    counts, vectors = part._n_support, len(part.support_)
    if len(counts) < 2 or (counts < 0).any() or not _are_all_counted(part, counts, vectors):
        yield "A support vector machine has other vectors than it counts."
    if not _has_a_coefficient_for_each(part, len(counts), vectors):
        yield "A support vector machine has other coefficients than vectors and classes."
    if not _has_vectors_of_its_features(part, vectors):
        yield "A support vector machine's vectors have other features than its rows."


def _are_all_counted(part: Any, counts: Any, vectors: int) -> bool:
    if type(part).__name__.endswith("SVC"):
        return len(counts) == len(part.classes_) and int(counts.sum()) == vectors
    return len(counts) == 2  # libsvm sizes one machine by them and reads neither


def _has_a_coefficient_for_each(part: Any, classes: int, vectors: int) -> bool:
    import numpy as np

    pairs = classes * (classes - 1) // 2
    coefficients = part._dual_coef_
    stored = coefficients.data if part._sparse else coefficients
    shapes = {np.shape(part._probA), np.shape(part._probB)}
    return (
        coefficients.shape == (classes - 1, vectors)
        and np.size(stored) == (classes - 1) * vectors
        and np.shape(part._intercept_) == (pairs,)
        and (shapes == {(pairs,)} or shapes == {(0,)})
    )


def _has_vectors_of_its_features(part: Any, vectors: int) -> bool:
    rows, features = part.shape_fit_
    support = part.support_
    if ((support < 0) | (support >= rows)).any() or features != part.n_features_in_:
        return False
    if part.kernel == "precomputed":
        return not part._sparse  # only then vectors are row numbers and nothing else
    return bool(part.support_vectors_.shape == (vectors, features))


SUPPORT_VECTORS = Family(
    "support vector machines",
    reason="They are vectors and coefficients that libsvm multiplies; their counts agree with their lengths.",
    estimators=named("sklearn.svm._classes", "NuSVC NuSVR SVC SVR"),
    checked="vectors, coefficients, counts, intercepts and features agree; the kernel is one of libsvm's own",
    find_faults=find_support_vector_faults,
)
