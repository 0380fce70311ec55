"""Linear models, from least squares to generalized ones."""

from workbench.models.reviewed_types.family import LOSS, OBJECT, Family, named

LINEAR_MODELS = Family(
    "linear models",
    reason="They are vectors of numbers that NumPy multiplies with the row; a link function bends the sum.",
    estimators=named(
        "sklearn.linear_model",
        "_base.LinearRegression _bayes.ARDRegression _bayes.BayesianRidge _coordinate_descent.ElasticNet "
        "_coordinate_descent.ElasticNetCV _coordinate_descent.Lasso _coordinate_descent.LassoCV "
        "_coordinate_descent.MultiTaskElasticNet _coordinate_descent.MultiTaskElasticNetCV "
        "_coordinate_descent.MultiTaskLasso _coordinate_descent.MultiTaskLassoCV _glm.glm.GammaRegressor "
        "_glm.glm.PoissonRegressor _glm.glm.TweedieRegressor _huber.HuberRegressor _least_angle.Lars "
        "_least_angle.LarsCV _least_angle.LassoLars _least_angle.LassoLarsCV _least_angle.LassoLarsIC "
        "_logistic.LogisticRegression _logistic.LogisticRegressionCV _omp.OrthogonalMatchingPursuit "
        "_omp.OrthogonalMatchingPursuitCV _passive_aggressive.PassiveAggressiveClassifier "
        "_passive_aggressive.PassiveAggressiveRegressor _perceptron.Perceptron _quantile.QuantileRegressor "
        "_ransac.RANSACRegressor _ridge.Ridge _ridge.RidgeCV _ridge.RidgeClassifier _ridge.RidgeClassifierCV "
        "_stochastic_gradient.SGDClassifier _stochastic_gradient.SGDRegressor _theil_sen.TheilSenRegressor",
    )
    + named("sklearn.svm._classes", "LinearSVC LinearSVR"),
    parts={
        # Python objects of a link and an interval; the native loss inside is a number or two and is called in fitting only.
        OBJECT: named(
            "sklearn._loss.loss",
            "AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss HalfPoissonLoss "
            "HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss PinballLoss",
        )
        + named("sklearn._loss.link", "HalfLogitLink IdentityLink Interval LogLink LogitLink MultinomialLogit"),
        LOSS: named(
            "sklearn._loss._loss",
            "CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss CyHalfMultinomialLoss "
            "CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss CyHalfTweedieLossIdentity CyHuberLoss CyPinballLoss",
        )
        + named(
            "sklearn.linear_model._sgd_fast",
            "EpsilonInsensitive Hinge ModifiedHuber SquaredEpsilonInsensitive SquaredHinge",
        ),
    },
)
