"""What went wrong with a request, as application/problem+json (RFC 9457): never a traceback, never a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus

from workbench.models.contract import RowProblem
from workbench.records.digest import canonical_json
from workbench.serving.answer import Answer

MEDIA_TYPE = "application/problem+json"


class RequestError(Exception):
    """A request that is answered with an error: its status, a sentence of detail and, for rows, every reason."""

    def __init__(self, status: int, detail: str, problems: Sequence[RowProblem] = ()) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.problems = problems


def describe_problem(problem: RequestError, headers: Mapping[str, str] | None = None) -> Answer:
    """Return the answer to a request that had a problem."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.problems:
        document["problems"] = [asdict(each) for each in problem.problems]
    return Answer(_encodable(document), problem.status, {"content-type": MEDIA_TYPE, **(headers or {})})


def _encodable(document: dict[str, object]) -> bytes:
    try:
        return canonical_json(document)
    except UnicodeEncodeError:
        # A caller's column name may hold half a character; the answer must be sound UTF-8 nevertheless.
        return canonical_json({**document, "problems": []})
