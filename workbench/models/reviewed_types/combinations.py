"""Models made of models: votes, stacks, bags, one for each class or output."""

from workbench.models.reviewed_types.family import MAPPING, OBJECT, Family, named

COMBINATIONS = Family(
    "models made of models",
    reason="They ask the models inside them and put the answers together in NumPy; Bunch is a dictionary.",
    estimators=named(
        "sklearn.ensemble",
        "_bagging.BaggingClassifier _bagging.BaggingRegressor _stacking.StackingClassifier "
        "_stacking.StackingRegressor _voting.VotingClassifier _voting.VotingRegressor",
    )
    + named("sklearn.multiclass", "OneVsOneClassifier OneVsRestClassifier OutputCodeClassifier")
    + named("sklearn.multioutput", "ClassifierChain MultiOutputClassifier MultiOutputRegressor RegressorChain")
    + named(
        "sklearn.semi_supervised",
        "_label_propagation.LabelPropagation _label_propagation.LabelSpreading _self_training.SelfTrainingClassifier",
    ),
    parts={MAPPING: ("sklearn.utils._bunch.Bunch",), OBJECT: ("sklearn.multiclass._ConstantPredictor",)},
)
