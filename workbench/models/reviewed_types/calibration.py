"""Calibrated probabilities, isotonic regression and thresholds."""

from workbench.models.reviewed_types.family import OBJECT, Family, named

CALIBRATION = Family(
    "calibration and thresholds",
    reason="A calibrator is a slope, a temperature or a table of steps laid over a model; a threshold is one number.",
    estimators=named(
        "sklearn",
        "calibration.CalibratedClassifierCV isotonic.IsotonicRegression "
        "model_selection._classification_threshold.FixedThresholdClassifier "
        "model_selection._classification_threshold.TunedThresholdClassifierCV",
    ),
    parts={OBJECT: named("sklearn.calibration", "_CalibratedClassifier _SigmoidCalibration _TemperatureScaling")},
)
