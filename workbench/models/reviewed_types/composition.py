"""What holds the parts of a model together, and the functions it may apply."""

from workbench.models.reviewed_types.family import FUNCTION, OBJECT, PARTIAL, Family, named

COMPOSITION = Family(
    "pipelines and columns",
    reason="They hand columns from part to part; a function is NumPy's own or one reviewed here, none calls what it is given.",
    estimators=named(
        "sklearn",
        "compose._column_transformer.ColumnTransformer compose._target.TransformedTargetRegressor "
        "frozen._frozen.FrozenEstimator pipeline.FeatureUnion pipeline.Pipeline "
        "preprocessing._function_transformer.FunctionTransformer",
    ),
    parts={
        # Chooses columns by dtype or pattern when it is fitted.
        OBJECT: ("sklearn.compose._column_transformer.make_column_selector",),
        # Besides NumPy's and SciPy's element-wise functions (ufuncs), which skops trusts by itself.
        FUNCTION: named("numpy", "clip cumsum max mean median min nan_to_num ravel round sum")
        + named("sklearn.utils.validation", "check_array"),
        PARTIAL: ("functools.partial",),
    },
    checked="a partial holds one of the functions on this list and nothing else; no cache is kept (memory=)",
)
