"""The OpenAPI document of an endpoint, made of the contract of what it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.models.contract import (
    LARGEST_INTEGER,
    LARGEST_NUMBER,
    MOST_ROWS,
    Column,
    ColumnType,
    Contract,
)
from workbench.models.seen import describe_seen
from workbench.stats.task import Response, spell_class

_SCHEMAS: Mapping[ColumnType, Mapping[str, Any]] = {
    "number": {"type": "number", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER},
    "integer": {"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER},
    "boolean": {"type": "boolean"},
    "string": {"type": "string", "pattern": r"^[^\u0000]*$"},
    "integer_text": {"type": "string", "pattern": "^(0|-?[1-9][0-9]{0,19})$"},
    "datetime": {"type": "string"},
    "duration": {"type": "string"},
}
_PROBLEMS: Mapping[str, str] = {
    "400": "The body is not strict JSON in UTF-8.",
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
    "415": "The body is not application/json.",
    "422": "Rows do not keep the contract; every reason is listed.",
    "500": "The model failed on rows that keep the contract.",
}
_EVERYWHERE: Mapping[str, str] = {
    "421": "The request names another host than those served here.",
    "503": "No approved model is loaded.",
}


def row_schema(contract: Contract) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one row."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(contract.names),
        "properties": {column.name: _column_schema(column) for column in contract.columns},
    }


def _column_schema(column: Column) -> dict[str, Any]:
    schema = dict(_SCHEMAS[column.type])
    if column.type == "string":
        schema["maxLength"] = column.longest
    if column.type == "integer_text" and column.dtype.lower().startswith("u"):
        schema["pattern"] = "^(0|[1-9][0-9]{0,19})$"
    if column.time is not None:
        schema["pattern"] = f"^{column.time.pattern}$"
    if column.type in ("integer_text", "datetime", "duration"):
        schema["description"] = f"It is {column.expected}."
    if seen := describe_seen(column):
        schema["description"] = f"{schema.get('description', '')} {seen}".lstrip()
    return {**schema, "type": [schema["type"], "null"]} if column.nullable else schema


def openapi_document(contract: Contract, *, name: str, version: str, digest: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the endpoint that serves a model under this contract."""
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": version, "x-model-digest": digest, "description": _score_meaning(contract)},
        "paths": {
            "/predict": {"post": _predict_operation()},
            "/model": {"get": _read_operation("read_model", "Which model answers, who approved it and what it takes.")},
            "/healthz": {"get": {"operationId": "check_health", "responses": {"200": {"description": "It is alive."}}}},
            "/openapi.json": {"get": _read_operation("read_openapi", "This document.")},
        },
        "components": {
            "schemas": {"Row": row_schema(contract), "Answer": _answer_schema(contract), "Problem": _problem_schema()}
        },
    }


def _score_meaning(contract: Contract) -> str:
    if contract.task == "regression":
        return "A score is the predicted value, in the units of the target."
    if contract.task == "multiclass":
        names = ", ".join(map(spell_class, contract.classes or ()))
        return f"Of each class ({names}) there is a score: {_MEANINGS[contract.response]} {_label_meaning(contract)}"
    named = contract.classes[contract.positive_place] if contract.classes else contract.positive_class
    positive = "1" if named is None else spell_class(named)
    if contract.response == "predict_proba":
        meaning = f"A score is the probability of class {positive}, between 0 and 1."
    elif contract.response == "predict":
        meaning = f"A score is 1 where the model decides for class {positive}, else 0; it is no probability."
    else:
        meaning = f"A score is the larger the more the model is for class {positive}; it is no probability."
    return f"{meaning} {_label_meaning(contract)}".rstrip()


_MEANINGS: Mapping[Response, str] = {
    "predict_proba": "its probability, between 0 and 1.",
    "decision_function": "the larger the more the model is for it, and no probability.",
    "predict": "1 for the class the model decides for, 0 for the others, and no probability.",
}


def _label_meaning(contract: Contract) -> str:
    """Say what a label is; a threshold of the model's own is named."""
    threshold = contract.threshold
    if not contract.classes:
        return ""
    if threshold is None:
        return "A label is what the model decides for."
    own = "probability" if threshold.response == "predict_proba" else "decision function"
    return f"A label is {spell_class(threshold.label)} where its {own} is {threshold.at:g} or more."


def _predict_operation() -> dict[str, Any]:
    rows = {"type": "array", "minItems": 1, "maxItems": MOST_ROWS, "items": _reference("Row")}
    body = {"type": "object", "additionalProperties": False, "required": ["rows"], "properties": {"rows": rows}}
    return {
        "operationId": "predict",
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {
                "description": "One score a row, in order, and of classes the label the model decides for.",
                "headers": {"x-model-digest": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": _reference("Answer")}},
            },
            **_problem_responses({**_PROBLEMS, **_EVERYWHERE}),
        },
    }


def _read_operation(name: str, description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    answer = {"description": description, "content": content}
    return {"operationId": name, "responses": {"200": answer, **_problem_responses(_EVERYWHERE)}}


def _problem_responses(descriptions: Mapping[str, str]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _reference("Problem")}}
    return {status: {"description": text, "content": content} for status, text in descriptions.items()}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_UNSEEN = (
    "Of each row, the columns whose value lies outside of what the data held that the model was fitted and judged on."
)


def _answer_schema(contract: Contract) -> dict[str, Any]:
    model = {
        "type": "object",
        "required": ["name", "version", "digest"],
        "properties": {"name": {"type": "string"}, "version": {"type": "string"}, "digest": {"type": "string"}},
    }
    properties: dict[str, Any] = {"scores": {"type": "array", "items": _score_schema(contract)}, "model": model}
    if contract.classes:
        properties["labels"] = {"type": "array", "items": {"enum": list(contract.classes)}}
    if contract.flags_unseen:
        names = {"type": "array", "items": {"enum": list(contract.names)}}
        properties["unseen"] = {"type": "array", "items": names, "description": _UNSEEN}
    return {"type": "object", "required": sorted(properties), "properties": properties}


def _score_schema(contract: Contract) -> dict[str, Any]:
    if contract.task != "multiclass":
        return {"type": "number"}
    names = [spell_class(each) for each in contract.classes or ()]
    members = {name: {"type": "number"} for name in names}
    return {"type": "object", "required": names, "additionalProperties": False, "properties": members}


def _problem_schema() -> dict[str, Any]:
    properties = {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "object"}},
    }
    return {"type": "object", "required": ["type", "title", "status"], "properties": properties}
