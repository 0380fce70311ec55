"""Gaussian processes and other models of kernels."""

from workbench.models.reviewed_types.family import OBJECT, Family, named

KERNELS = Family(
    "Gaussian processes and kernels",
    reason="Kernels are Python objects of numbers; the training rows and factors are arrays that NumPy and SciPy read.",
    estimators=named("sklearn.gaussian_process", "_gpc.GaussianProcessClassifier _gpr.GaussianProcessRegressor")
    + named(
        "sklearn.kernel_approximation",
        "AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler",
    )
    + named("sklearn", "kernel_ridge.KernelRidge preprocessing._data.KernelCenterer"),
    parts={
        OBJECT: named("sklearn.gaussian_process._gpc", "_BinaryGaussianProcessClassifierLaplace")
        + named(
            "sklearn.gaussian_process.kernels",
            "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation Matern PairwiseKernel Product RBF "
            "RationalQuadratic Sum WhiteKernel",
        ),
    },
)
