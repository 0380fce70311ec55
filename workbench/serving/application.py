"""What an endpoint answers: predictions under a contract, who it is, and errors that say what to change."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workbench.models.contract import (
    MOST_PROBLEMS,
    Answers,
    Contract,
    Predict,
    RowProblem,
    find_row_problems,
)
from workbench.models.seen import make_unseen_finder
from workbench.records.digest import canonical_json, strict_json
from workbench.serving.openapi import openapi_document
from workbench.serving.problems import RequestError, problem_response
from workbench.serving.request_body import LARGEST_BODY, LONGEST_BODY_S, read_json
from workbench.stats.task import spell_class

DIGEST_HEADER = "x-model-digest"
_ANSWERED = "Answered are POST /predict and GET /model, /openapi.json, /healthz, /livez and /readyz."
_SCORABLE = "values within the range the model was made for"

Answer = Callable[[Request], Awaitable[Mapping[str, Any]]]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Access:
    """What is let in: bodies of so many bytes arriving within so many seconds, for these host names (empty: any)."""

    largest_body: int = LARGEST_BODY
    longest_body_s: float = LONGEST_BODY_S
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServedModel:
    """Which model answers: its name, its version, the digest of the approved bytes, and who approved them."""

    name: str
    version: int
    digest: str
    approved_by: tuple[str, ...]


def build_application(
    predict: Predict, contract: Contract, model: ServedModel, access: Access | None = None
) -> Starlette:
    """Return the ASGI application of an endpoint.

    `POST /predict` scores `{"rows": [{...}]}`; `GET /model`, `/healthz` and `/openapi.json` describe it. Every error is a
    problem document, and none escapes: an exception that leaves an ASGI application blocks BentoML's time limit.
    """
    access = access or Access()
    described = {"name": model.name, "version": str(model.version), "digest": model.digest}
    description = {**described, "approved_by": list(model.approved_by), "contract": _describe_contract(contract)}
    name_scores = _find_naming(contract)
    find_unseen = make_unseen_finder(contract) if contract.flags_unseen else None
    openapi = openapi_document(contract, name=model.name, version=str(model.version), digest=model.digest)

    async def answer_predict(request: Request) -> Mapping[str, Any]:
        document = await read_json(request, largest_body=access.largest_body, longest_body_s=access.longest_body_s)
        rows = _require_rows(document, contract)
        answers = await run_in_threadpool(_answer, predict, rows)
        labels = {} if answers.labels is None else {"labels": answers.labels}
        unseen = {} if find_unseen is None else {"unseen": find_unseen(rows)}
        return {"scores": name_scores(answers.scores), **labels, **unseen, "model": described}

    answers = {
        "/model": _constant(description),
        "/healthz": _constant({"status": "alive"}),
        "/openapi.json": _constant(openapi),
    }
    routes = [Route(path, _guard(answer, model, access), methods=["GET"]) for path, answer in answers.items()]
    routes.append(Route("/predict", _guard(answer_predict, model, access), methods=["POST"]))
    application = Starlette(routes=routes, exception_handlers={HTTPException: _answer_http_error})
    # A redirect would be written with whatever host the caller claims.
    application.router.redirect_slashes = False
    return application


def _describe_contract(contract: Contract) -> dict[str, Any]:
    """Return the contract as callers read it: of each column what says something about its values."""
    document: dict[str, Any] = strict_json(contract.to_bytes())
    for column in document["columns"]:
        if column["type"] != "string":
            column.pop("longest", None)
        if not column["nullable"]:
            column.pop("missing", None)
    return document


def _find_naming(contract: Contract) -> Callable[[list[Any]], list[Any]]:
    """Return what makes the scores of several classes objects with a member for each."""
    if contract.task != "multiclass":
        return lambda scores: scores
    names = [spell_class(each) for each in contract.classes or ()]
    return lambda scores: [dict(zip(names, row, strict=True)) for row in scores]


def _constant(document: Mapping[str, Any]) -> Answer:
    async def answer(_: Request) -> Mapping[str, Any]:
        return document

    return answer


def _guard(answer: Answer, model: ServedModel, access: Access) -> Callable[[Request], Awaitable[Response]]:
    """Return `answer` as strict JSON, with every exception turned into a problem document."""
    header = {DIGEST_HEADER: model.digest}

    async def guarded(request: Request) -> Response:
        try:
            _require_host(request, access)
            content = canonical_json(await answer(request))
            return Response(content, media_type="application/json", headers=header)
        except RequestError as error:
            return problem_response(error, _error_headers(error.status, header))
        # Whatever a model raises is the server's fault: for its log, not for its callers.
        except Exception:
            _LOG.exception("The model failed on rows that keep its contract.")
            return problem_response(RequestError(500, "The model failed on these rows."), header)

    return guarded


def _require_host(request: Request, access: Access) -> None:
    # A foreign page that points its own name at this address (DNS rebinding) sends that name.
    host = request.headers.get("host", "").lower()
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if access.hosts and name.strip("[]") not in access.hosts:
        raise RequestError(421, "No endpoint of that name is served here.")


def _error_headers(status: int, header: Mapping[str, str]) -> dict[str, str]:
    # The rest of a body that was not read must not be taken for the next request.
    return {**header, "connection": "close"} if status in (400, 408, 413, 415) else dict(header)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(getattr(error, "headers", None) or {})
    return problem_response(RequestError(status, f"{request.method} is not answered here. {_ANSWERED}"), headers)


def _require_rows(document: Any, contract: Contract) -> list[dict[str, Any]]:
    if not isinstance(document, dict) or set(document) != {"rows"}:
        raise RequestError(422, 'The body must be an object with exactly one member, "rows".')
    problems = find_row_problems(contract, document["rows"])
    if problems:
        raise RequestError(422, "The rows do not keep the contract.", problems)
    rows: list[dict[str, Any]] = document["rows"]
    return rows


def _is_finite(score: Any) -> bool:
    return all(map(math.isfinite, score)) if isinstance(score, list) else math.isfinite(score)


def _answer(predict: Predict, rows: list[dict[str, Any]]) -> Answers:
    try:
        answers = predict(rows)
    # So scikit-learn refuses values, a category that its encoder was told to refuse for one; compiled it has no score for them.
    except ValueError as exc:
        _LOG.warning("The model refused rows that keep its contract.", exc_info=True)
        raise RequestError(422, "The model has no answer to these values.") from exc
    scores = answers.scores
    if len(scores) != len(rows):
        raise ValueError(f"the model gave {len(scores)} scores for {len(rows)} rows")
    overflown = [
        RowProblem(row, None, _SCORABLE, str(score)) for row, score in enumerate(scores) if not _is_finite(score)
    ]
    if overflown:
        raise RequestError(422, "The model has no finite score for these values.", overflown[:MOST_PROBLEMS])
    return answers
