"""What an endpoint answers: predictions under a contract, who it is, and errors that say what to change.

It is ASGI without a framework: model and decoder take ten microseconds for a row, and a framework would take ten times as many.
What is quick is answered where it arrived; what is large or slow waits in a few threads, so that nobody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from workbench.models.contract import MOST_PROBLEMS, Answers, Contract, Predict, RowProblem
from workbench.models.seen import make_unseen_finder
from workbench.records.digest import canonical_json, strict_json
from workbench.serving.answer import Answer, Receive, Scope, Send, send_answer
from workbench.serving.openapi import openapi_document
from workbench.serving.problems import RequestError, describe_problem
from workbench.serving.request_body import LONGEST_BODY_S, read_body
from workbench.serving.row_decoder import Rows, find_largest_body, make_decoder
from workbench.stats.task import spell_class

DIGEST_HEADER = "x-model-digest"
PREDICT = "/predict"
DESCRIBING = ("/model", "/openapi.json", "/healthz")
_ANSWERED = f"Answered are POST {PREDICT} and GET {', '.join(DESCRIBING)}, /livez and /readyz."
_SCORABLE = "values within the range the model was made for"
# Larger bodies are read, and models that take longer are asked, in a thread; so many at once, and none for longer.
_SMALL_BODY, _QUICK_S, _THREADS, LONGEST_ANSWER_S = 16 * 1024, 0.001, 4, 30.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Access:
    """What is let in: bodies of so many bytes (None: what the contract needs) in so many seconds, for these hosts (none: any)."""

    largest_body: int | None = None
    longest_body_s: float = LONGEST_BODY_S
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServedModel:
    """Which model answers: its name, its version, the digest of the approved bytes, and who approved them."""

    name: str
    version: int
    digest: str
    approved_by: tuple[str, ...]


# Is told of each answer: its status, and how many seconds it took.
Observe = Callable[[int, float], None]


def _observe_nothing(status: int, took_s: float) -> None:
    """Keep no count."""


def build_application(
    predict: Predict,
    contract: Contract,
    model: ServedModel,
    access: Access | None = None,
    observe: Observe = _observe_nothing,
) -> Application:
    """Return the ASGI application of an endpoint; `observe` is told of each answer to `/predict`.

    `POST /predict` scores `{"rows": [{...}]}`; `GET /model`, `/healthz` and `/openapi.json` describe it. Every error is a
    problem document, and none escapes: an exception that leaves an ASGI application is nobody else's to answer.
    """
    described = {"name": model.name, "version": str(model.version), "digest": model.digest}
    description = {**described, "approved_by": list(model.approved_by), "contract": _describe_contract(contract)}
    openapi = openapi_document(contract, name=model.name, version=str(model.version), digest=model.digest)
    said: tuple[Mapping[str, Any], ...] = (description, openapi, {"status": "alive"})
    documents = dict(zip(DESCRIBING, said, strict=True))
    return Application(Scorer(predict, contract, described), documents, access or Access(), model.digest, observe)


class Application:
    """Answers requests; `scorer` those for predictions, and documents in words that never change."""

    def __init__(
        self,
        scorer: Scorer,
        documents: Mapping[str, Mapping[str, Any]],
        access: Access,
        digest: str,
        observe: Observe = _observe_nothing,
    ) -> None:
        self._scorer, self._access, self._observe = scorer, access, observe
        self._largest_body = scorer.largest_body if access.largest_body is None else access.largest_body
        self._marks = {DIGEST_HEADER: digest}
        headers = {"content-type": "application/json", **self._marks}
        self._documents = {path: Answer(canonical_json(said), 200, headers) for path, said in documents.items()}
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if scope["path"] != PREDICT or scope["method"] != "POST":
            await self._describe(scope).send(send)
            return
        began = time.perf_counter()
        try:
            body = await self._score(scope, receive)
            await send_answer(send, 200, self._headers, body)
            status = 200
        except RequestError as error:
            await describe_problem(error, self._headers_of(error.status)).send(send)
            status = error.status
        # Whatever a model raises is the server's fault: for its log, not for its callers.
        except Exception:
            _LOG.exception("The model failed on rows that keep its contract.")
            await describe_problem(RequestError(500, "The model failed on these rows."), self._marks).send(send)
            status = 500
        self._observe(status, time.perf_counter() - began)

    async def _score(self, scope: Scope, receive: Receive) -> bytes:
        headers = dict(reversed(scope["headers"]))  # of two the first is meant
        self._require_host(headers)
        body = await read_body(
            headers, receive, largest_body=self._largest_body, longest_body_s=self._access.longest_body_s
        )
        return await self._scorer.answer(body)

    def _describe(self, scope: Scope) -> Answer:
        method, path = scope["method"], scope["path"]
        document = self._documents.get(path)
        if document is not None and method in ("GET", "HEAD"):
            try:
                self._require_host(dict(reversed(scope["headers"])))
            except RequestError as error:
                return describe_problem(error, self._marks)
            return document
        detail = f"{method} is not answered here. {_ANSWERED}"
        if document is None and path != PREDICT:
            return describe_problem(RequestError(404, detail))
        return describe_problem(RequestError(405, detail), {"allow": "POST" if document is None else "GET, HEAD"})

    def _require_host(self, headers: Mapping[bytes, bytes]) -> None:
        if not self._access.hosts:
            return
        # A foreign page that points its own name at this address (DNS rebinding) sends that name.
        host = headers.get(b"host", b"").decode("latin-1").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if name.strip("[]") not in self._access.hosts:
            raise RequestError(421, "No endpoint of that name is served here.")

    def _headers_of(self, status: int) -> dict[str, str]:
        # The rest of a body that was not read must not be taken for the next request.
        return {**self._marks, "connection": "close"} if status in (400, 408, 413, 415) else self._marks


class Scorer:
    """Answers the bodies of requests for predictions: read, scored and spelled, at once where that is quick."""

    def __init__(self, predict: Predict, contract: Contract, described: Mapping[str, str]) -> None:
        self.largest_body = find_largest_body(contract)
        self._predict, self._decode = predict, make_decoder(contract)
        self._spell = _make_speller(contract, described)
        self._threads = ThreadPoolExecutor(_THREADS, "scoring")
        # Of so many rows the model has shown that it answers quickly; before it was asked nobody knows.
        self._quick_rows = 0

    async def answer(self, body: bytes) -> bytes:
        """Return the answer as JSON; raises RequestError."""
        if len(body) > _SMALL_BODY:
            return await self._wait_for(lambda: self._score(self._decode(body)))
        rows = self._decode(body)
        if len(rows) <= self._quick_rows:
            return self._score(rows)
        return await self._wait_for(partial(self._score, rows))

    async def _wait_for(self, act: Callable[[], bytes]) -> bytes:
        waiting = asyncio.get_running_loop().run_in_executor(self._threads, act)
        try:
            return await asyncio.wait_for(waiting, LONGEST_ANSWER_S)
        except TimeoutError as exc:
            raise RequestError(504, f"The model did not answer within {LONGEST_ANSWER_S:g} s.") from exc

    def _score(self, rows: Rows) -> bytes:
        began = time.perf_counter()
        answers = _ask(self._predict, rows)
        took_s = time.perf_counter() - began
        self._quick_rows = int(_QUICK_S / took_s * len(rows)) if took_s else self._quick_rows
        return self._spell(answers, rows)


def _ask(predict: Predict, rows: Rows) -> Answers:
    try:
        answers = predict(rows)
    # So scikit-learn refuses values, a category that its encoder was told to refuse for one; compiled it has no score for them.
    except ValueError as exc:
        _LOG.warning("The model refused rows that keep its contract.", exc_info=True)
        raise RequestError(422, "The model has no answer to these values.") from exc
    scores = answers.scores
    if len(scores) != len(rows):
        raise ValueError(f"the model gave {len(scores)} scores for {len(rows)} rows")
    if not all(map(_is_finite, scores)):
        overflown = [
            RowProblem(at, None, _SCORABLE, str(score)) for at, score in enumerate(scores) if not _is_finite(score)
        ]
        raise RequestError(422, "The model has no finite score for these values.", overflown[:MOST_PROBLEMS])
    return answers


def _is_finite(score: Any) -> bool:
    return all(map(math.isfinite, score)) if isinstance(score, list) else math.isfinite(score)


# Spelling


def _make_speller(contract: Contract, described: Mapping[str, str]) -> Callable[[Answers, Rows], bytes]:
    """Return what spells answers as canonical JSON: the members in the order of their names, the constant one ready."""
    name_scores = _find_naming(contract)
    find_unseen = make_unseen_finder(contract) if contract.flags_unseen else None
    model = b'"model":' + canonical_json(dict(described)) + b',"scores":'

    def spell(answers: Answers, rows: Rows) -> bytes:
        labels = b"" if answers.labels is None else b'"labels":' + _encode(answers.labels) + b","
        unseen = b"" if find_unseen is None else b',"unseen":' + _encode(find_unseen(rows))
        return b"{" + labels + model + _encode(name_scores(answers.scores)) + unseen + b"}"

    return spell


def _encode(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (TypeError, UnicodeEncodeError):  # numbers of numpy, half a character
        return canonical_json(value)


def _find_naming(contract: Contract) -> Callable[[list[Any]], list[Any]]:
    """Return what makes the scores of several classes objects with a member for each, in the order of their names."""
    if contract.task != "multiclass":
        return lambda scores: scores
    names = [spell_class(each) for each in contract.classes or ()]
    order = sorted(range(len(names)), key=names.__getitem__)
    return lambda scores: [{names[place]: row[place] for place in order} for row in scores]


def _describe_contract(contract: Contract) -> dict[str, Any]:
    """Return the contract as callers read it: of each column what says something about its values."""
    document: dict[str, Any] = strict_json(contract.to_bytes())
    for column in document["columns"]:
        if column["type"] != "string":
            column.pop("longest", None)
        if not column["nullable"]:
            column.pop("missing", None)
    return document
