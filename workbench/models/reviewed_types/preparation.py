"""Scaling, encoding, binning and widening columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.models.reviewed_types.family import FUNCTION, OBJECT, Family, named


def find_encoder_faults(part: Any) -> Iterator[str]:
    """Yield it when a one-hot encoder would write a column that its table has not: SciPy writes where it is told."""
    if type(part).__name__ != "OneHotEncoder" or not hasattr(part, "categories_"):
        return
    widths = part._n_features_outs
    if len(widths) != len(part.categories_) or any(
        not _stays_within(part, column, int(width)) for column, width in enumerate(widths)
    ):
        yield "A one-hot encoder has categories that stand in no column."


def _stays_within(part: Any, column: int, width: int) -> bool:
    """True if every code a column's categories can get is one of its `width` columns."""
    import numpy as np

    codes = _codes_of(part, column)
    dropped = part._drop_idx_after_grouping
    drop = None if dropped is None else dropped[column]
    if drop is not None:
        if int(drop) != drop or drop < 0:
            return False
        codes = np.where(codes > drop, codes - 1, codes)[codes != drop]
    return bool(((codes >= 0) & (codes < width)).all())


def _codes_of(part: Any, column: int) -> Any:
    """Return the codes of a column's categories, infrequent ones under that of their group."""
    import numpy as np

    categories = np.asarray(part.categories_[column])
    # Texts are looked up by name, numbers by halving, which goes astray in what is not sorted.
    is_text = categories.dtype.kind in "OSU"
    codes = np.arange(len(categories)) if is_text else np.searchsorted(categories, categories)
    if not getattr(part, "_infrequent_enabled", False):
        return codes
    groups = part._default_to_infrequent_mappings[column]
    return codes if groups is None else np.asarray(groups).astype(np.int64)


def find_spline_faults(part: Any) -> Iterator[str]:
    """Yield it when SciPy would not build a spline of these knots, coefficients and degree: native code follows them."""
    if type(part).__name__ == "BSpline" and not _is_as_scipy_builds(part):
        yield "A spline's knots, coefficients and degree do not fit."


def _is_as_scipy_builds(spline: Any) -> bool:
    from scipy.interpolate import BSpline

    try:
        sound = BSpline(spline._t, spline._c, spline.k, spline.extrapolate)
    except (TypeError, ValueError, AttributeError):
        return False
    return type(spline.k) is int and all(
        type(ours) is type(theirs) and (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        for ours, theirs in ((spline._t, sound._t), (spline._c, sound._c))
    )


def find_preparation_faults(part: Any) -> Iterator[str]:
    """Yield what is wrong with encoders and splines."""
    yield from find_encoder_faults(part)
    yield from find_spline_faults(part)


PREPARATION = Family(
    "scaling and encoding",
    reason="They are limits, quantiles, categories and knots by which NumPy and SciPy change columns.",
    estimators=named(
        "sklearn.preprocessing",
        "_data.Binarizer _data.MaxAbsScaler _data.MinMaxScaler _data.Normalizer _data.PowerTransformer "
        "_data.QuantileTransformer _data.RobustScaler _data.StandardScaler _discretization.KBinsDiscretizer "
        "_encoders.OneHotEncoder _encoders.OrdinalEncoder _label.LabelBinarizer _label.LabelEncoder "
        "_label.MultiLabelBinarizer _polynomial.PolynomialFeatures _polynomial.SplineTransformer "
        "_target_encoder.TargetEncoder",
    ),
    parts={
        OBJECT: ("scipy.interpolate._bsplines.BSpline",),
        FUNCTION: ("scipy._lib.array_api_compat.numpy._aliases.asarray",),
    },
    checked="every category stands in a column of the table; knots, coefficients and degree of a spline fit",
    find_faults=find_preparation_faults,
)
