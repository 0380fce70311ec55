"""What an endpoint answers is what its OpenAPI document says, for every task."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.unit.serving.test_application import MODEL, Client, post
from workbench.models.contract import Answers, Column, Contract, Threshold
from workbench.serving.answering import build_application

COLUMNS = (Column("x", "number"),)
METALS = ("bronze", "gold", "silver")
THRESHOLD = Threshold("churned", 0.3, "predict_proba")
CONTRACTS = {
    "three classes": Contract("multiclass", COLUMNS, classes=METALS),
    "three numbers": Contract("multiclass", COLUMNS, classes=(0, 1, 2)),
    "three classes by decision": Contract("multiclass", COLUMNS, classes=METALS, response="decision_function"),
    "two classes": Contract("classification", COLUMNS, "churned", ("churned", "stayed")),
    "two flags": Contract("classification", COLUMNS, True, (False, True)),
    "a threshold": Contract("classification", COLUMNS, "churned", ("churned", "stayed"), threshold=THRESHOLD),
    "by decision": Contract("classification", COLUMNS, 1, (0, 1), response="decision_function"),
    "by class": Contract("classification", COLUMNS, 1, (0, 1), response="predict"),
    "a number": Contract("regression", COLUMNS),
}


def answering(contract: Contract) -> Client:
    def predict(rows: Any) -> Answers:
        several = contract.task == "multiclass"
        scores = [[0.2, 0.7, 0.1] if several else 0.7 for _ in rows]
        return Answers(scores, None if contract.classes is None else [contract.classes[1]] * len(rows))

    return Client(build_application(predict, contract, MODEL))


def schema_of(client: Client) -> Draft202012Validator:
    document = client.get("/openapi.json").json()
    return Draft202012Validator({**document, "$ref": "#/components/schemas/Answer"})


@pytest.mark.parametrize("task", CONTRACTS)
def test_an_answer_is_what_the_openapi_document_says(task):
    client = answering(CONTRACTS[task])
    answer = post(client, b'{"rows": [{"x": 1}, {"x": 2}]}').json()
    schema_of(client).validate(answer)
    assert len(answer["scores"]) == 2


def test_several_classes_are_answered_by_their_names():
    answer = post(answering(CONTRACTS["three classes"]), b'{"rows": [{"x": 1}]}').json()
    assert answer["scores"] == [{"bronze": 0.2, "gold": 0.7, "silver": 0.1}]
    assert answer["labels"] == ["gold"]


def test_a_class_that_is_a_number_keeps_its_name_in_the_scores_and_is_a_number_as_label():
    answer = post(answering(CONTRACTS["three numbers"]), b'{"rows": [{"x": 1}]}').json()
    assert answer["scores"] == [{"0": 0.2, "1": 0.7, "2": 0.1}]
    assert answer["labels"] == [1]


@pytest.mark.parametrize(
    "answer",
    [
        {"scores": [0.7], "labels": ["gold"]},
        {"scores": [{"bronze": 0.2, "gold": 0.7}], "labels": ["gold"]},
        {"scores": [{"bronze": 0.2, "gold": 0.7, "silver": 0.1, "tin": 0.0}], "labels": ["gold"]},
        {"scores": [{"bronze": 0.2, "gold": 0.7, "silver": 0.1}], "labels": ["tin"]},
        {"scores": [{"bronze": 0.2, "gold": 0.7, "silver": 0.1}]},
    ],
)
def test_another_answer_is_not_what_the_document_of_three_classes_says(answer):
    schema = schema_of(answering(CONTRACTS["three classes"]))
    described = {"name": "tumour", "version": "3", "digest": "d" * 64}
    with pytest.raises(ValidationError):
        schema.validate({**answer, "model": described})


def test_a_score_that_is_no_number_for_one_class_is_refused_with_its_row():
    client = Client(
        build_application(
            lambda rows: Answers([[0.2, float("nan"), 0.1] for _ in rows], ["gold"]), CONTRACTS["three classes"], MODEL
        )
    )
    response = post(client, b'{"rows": [{"x": 1}]}')
    assert response.status_code == 422
    assert response.json()["problems"][0]["row"] == 0


@pytest.mark.parametrize(
    ("task", "says"),
    [
        ("three classes", "Of each class (bronze, gold, silver) there is a score: its probability, between 0 and 1."),
        ("three classes by decision", "no probability. A label is what the model decides for."),
        ("two classes", "A score is the probability of class churned, between 0 and 1."),
        ("two flags", "A score is the probability of class true, between 0 and 1."),
        ("a threshold", "A label is churned where its probability is 0.3 or more."),
        ("by decision", "A score is the larger the more the model is for class 1; it is no probability."),
        ("by class", "A score is 1 where the model decides for class 1, else 0; it is no probability."),
        ("a number", "A score is the predicted value, in the units of the target."),
    ],
)
def test_the_document_says_what_a_score_and_a_label_are(task, says):
    assert says in answering(CONTRACTS[task]).get("/openapi.json").json()["info"]["description"]


def test_the_model_shows_its_classes_the_positive_one_and_its_threshold():
    contract = answering(CONTRACTS["a threshold"]).get("/model").json()["contract"]
    assert contract["classes"] == ["churned", "stayed"]
    assert contract["positive_class"] == "churned"
    assert contract["threshold"] == {"label": "churned", "at": 0.3, "response": "predict_proba"}
