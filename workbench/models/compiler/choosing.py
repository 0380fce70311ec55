"""Choosing the form a model is served in.

It is the first compiled one that is the model on every row there is and that was made for it, else the model itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workbench.errors import Refused
from workbench.models.compiler.onnx_compiler import Form
from workbench.models.compiler.onnx_tree_arrays import add_arrays
from workbench.models.compiler.proof import Measure, compare_form, measure_estimator
from workbench.models.compiler.proof_rows import make_row_sets
from workbench.models.compiler.reached_nodes import most_questions
from workbench.models.contract import Contract, Predict
from workbench.models.frames import Rows
from workbench.models.model_facts import FormFact, ServingFact
from workbench.models.skops_predictor import predictor_of, prepared_predictor_of

ORIGINAL = "scikit-learn itself"


@dataclass(frozen=True)
class Choice:
    """What is served (a compiled form, whole or before the model's last step; None: the model itself), and all that was tried."""

    form: Form | None
    serving: ServingFact

    @property
    def served_as(self) -> str:
        """The files that answer, as `served_model` names them."""
        if self.form is None:
            return "skops"
        return "onnx" if self.form.whole else "onnx+skops"


def choose_form(
    model: Any,
    contract: Contract,
    data: tuple[Rows, Rows],
    forms: Iterable[Form],
    *,
    largest: float,
    largest_batch: float,
) -> Choice:
    """Hold each form against the model on rows of the data (holdout, training) and rows made for it, until one holds.

    `largest` and `largest_batch` are what the policy will ask of scores, and of a row alone and among others, in units of their
    spread.
    """
    measure = measure_estimator(predictor_of(model, contract), make_row_sets(model, contract, *data))
    tried: list[FormFact] = []
    for form in forms:
        tried.append(_try_form(form, model, contract, measure, largest, largest_batch))
        if tried[-1].served:
            return Choice(form, _describe(form.name, measure, tried))
    return Choice(None, _describe(ORIGINAL, measure, tried))


def _describe(form: str, measure: Measure, tried: list[FormFact]) -> ServingFact:
    return ServingFact(form, measure.spread, measure.own_difference / measure.spread, tuple(tried))


def _try_form(
    form: Form, model: Any, contract: Contract, measure: Measure, largest: float, largest_batch: float
) -> FormFact:
    if form.content is None:
        return FormFact(form.name, False, form.reason)
    try:
        predict = predictor_of_form(form, model, contract)
    except Refused as exc:
        return FormFact(form.name, False, exc.in_one_line)
    fact = compare_form(form.name, predict, measure, largest=largest, largest_batch=largest_batch)
    return add_arrays(fact, form.content, model, most=most_questions(contract)) if form.whole else fact


def predictor_of_form(form: Form, model: Any, contract: Contract) -> Predict:
    """Return the function from rows to answers of a compiled form, with the model's own last step where that is not compiled."""
    from workbench.models.onnx_predictor import load_onnx_predictor

    content = form.content or b""
    return load_onnx_predictor(content, contract) if form.whole else prepared_predictor_of(model, content, contract)
