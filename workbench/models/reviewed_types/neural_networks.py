"""Neural networks."""

from workbench.models.reviewed_types.family import OBJECT, Family, named

NEURAL_NETWORKS = Family(
    "neural networks",
    reason="They are matrices that NumPy multiplies; the optimizer is numbers and is asked in fitting only.",
    estimators=named(
        "sklearn.neural_network",
        "_multilayer_perceptron.MLPClassifier _multilayer_perceptron.MLPRegressor _rbm.BernoulliRBM",
    ),
    parts={OBJECT: named("sklearn.neural_network._stochastic_optimizers", "AdamOptimizer SGDOptimizer")},
)
