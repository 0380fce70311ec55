import asyncio
import json
import math
import re
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.models.contract import Answers, Column, Contract
from workbench.serving.answering import DESCRIBING, PREDICT, Access, ServedModel, build_application

CONTRACT = Contract("classification", (Column("x", "number"), Column("colour", "string", True)), "yes")
MODEL = ServedModel("tumour", 3, "d" * 64, ("otto@example.org", "vera@example.org"))
JSON = {"content-type": "application/json"}


def double(rows: Any) -> Answers:
    return Answers([2.0 * row["x"] for row in rows])


class Client:
    """Requests to an application in this process, one event loop each."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://endpoint") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)


def application(predict: Any = double, **access: Any) -> Any:
    return build_application(predict, CONTRACT, MODEL, Access(**access))


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(application())


def post(client: Client, content: bytes, headers: dict[str, str] = JSON) -> Any:
    return client.request("POST", "/predict", content=content, headers=headers)


def assert_problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in response.text
    document: dict[str, Any] = json.loads(response.text, parse_constant=pytest.fail)
    assert document["status"] == status
    return document


def ask(
    app: Any, messages: list[dict[str, Any]], headers: dict[str, str] = JSON, *, stalls: bool = False
) -> tuple[int, int]:
    """Return the status of a request sent in these pieces, and how many pieces were read."""
    sent: list[dict[str, Any]] = []
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        if taken < len(messages):
            taken += 1
            return messages[taken - 1]
        if stalls:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "headers": raw,
        "query_string": b"",
        "http_version": "1.1",
    }
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], taken


def piece(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_rows_are_scored_in_order_with_the_digest_of_what_answered(client):
    response = post(client, b'{"rows":[{"x":1,"colour":"red"},{"x":2.5,"colour":null}]}')
    assert response.json() == {"scores": [2.0, 5.0], "model": {"name": "tumour", "version": "3", "digest": "d" * 64}}
    assert response.headers["x-model-digest"] == "d" * 64


def test_it_says_who_it_is_and_who_approved_it(client):
    document = client.get("/model").json()
    assert document["approved_by"] == ["otto@example.org", "vera@example.org"]
    number, colour = document["contract"]["columns"]
    assert (number["name"], colour["name"]) == ("x", "colour")
    assert not {"longest", "missing"} & number.keys()
    assert {"longest", "missing"} <= colour.keys()


def test_it_describes_itself(client):
    assert client.get("/openapi.json").json()["info"]["title"] == "tumour"
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"rows":[{"x":NaN,"colour":null}]}',
        b'{"rows":[{"x":-Infinity,"colour":null}]}',
        b'{"rows":[],"rows":[]}',
        b'{"rows":[{"x":1,"x":2,"colour":null}]}',
        b"\xff\xfe",
        '{"rows":[]}'.encode("utf-16"),
        '{"rows":[]}'.encode("utf-16-le"),
        b'{"rows":[' + b"1" * 5_000 + b"]}",
        b"\0",
    ],
    ids=lambda body: ascii(body[:20]),
)
def test_what_is_not_strict_json_is_a_bad_request(client, body):
    assert_problem(post(client, body), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"{}",
        b'{"rows":null}',
        b'{"rows":[]}',
        b'{"rows":[1]}',
        b'{"rows":[{}]}',
        b'{"rows":[{"x":1e999,"colour":null}]}',
        b'{"rows":[{"x":true,"colour":null}]}',
        b'{"rows":[{"x":1,"colour":"\\ud800"}]}',
        b'{"rows":[{"x":1,"colour":"a\\u0000b"}]}',
        b'{"rows":[{"x":1,"colour":null,"\\ud800":1}]}',
        b'{"rows":[{"x":1,"colour":null}],"explain":true}',
    ],
)
def test_rows_that_do_not_keep_the_contract_cannot_be_processed(client, body):
    assert_problem(post(client, body), 422)


def test_every_wrong_value_is_listed(client):
    problems = assert_problem(post(client, b'{"rows":[{"x":"1","colour":2},{"x":1,"colour":null}]}'), 422)["problems"]
    assert [(p["row"], p["column"], p["got"]) for p in problems] == [(0, "x", "a string"), (0, "colour", "a number")]


@given(st.binary(max_size=200))
def test_no_bytes_make_the_server_fail(body):
    response = post(Client(application()), body)
    assert response.status_code in (200, 400, 422)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=utf-16"]
)
def test_only_json_is_taken_as_json(client, kind):
    assert_problem(post(client, b'{"rows":[]}', {"content-type": kind}), 415)


def test_a_body_without_a_declared_type_is_refused(client):
    assert_problem(client.request("POST", "/predict", content=b"{}"), 415)


def test_utf8_may_be_declared(client):
    headers = {"content-type": "application/json; charset=UTF-8"}
    assert post(client, b'{"rows":[{"x":1,"colour":null}]}', headers).status_code == 200


def test_a_declared_size_over_the_limit_is_refused_before_anything_is_read():
    status, taken = ask(application(largest_body=10), [piece(b"x")], {**JSON, "content-length": "11"})
    assert (status, taken) == (413, 0)


def test_an_undeclared_size_over_the_limit_is_refused_at_the_limit():
    status, taken = ask(application(largest_body=10), [piece(b"12345")] * 100)
    assert (status, taken) == (413, 3)


@pytest.mark.parametrize(("length", "status"), [("-1", 400), ("1e3", 400), ("x", 400), ("", 400), ("9" * 5_000, 413)])
def test_a_size_that_is_no_size_is_refused(length, status):
    assert ask(application(), [], {**JSON, "content-length": length})[0] == status


def test_a_body_that_stalls_is_given_up():
    assert ask(application(longest_body_s=0.05), [piece(b"{")], stalls=True)[0] == 408


def test_a_caller_that_hangs_up_does_no_harm():
    assert ask(application(), [piece(b"{")])[0] == 400


def test_the_rest_of_an_unread_body_is_not_taken_for_the_next_request(client):
    assert post(Client(application(largest_body=10)), b"x" * 11).headers["connection"] == "close"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/predict"), ("PUT", "/predict"), ("POST", "/model"), ("DELETE", "/healthz")]
)
def test_another_method_is_not_allowed(client, method, path):
    assert_problem(client.request(method, path), 405)


@pytest.mark.parametrize("path", ["/", "/predict/", "/metrics.json", "/%2e%2e/predict", "/a%00b"])
def test_another_path_is_not_found_and_told_which_are(client, path):
    detail = assert_problem(client.get(path), 404)["detail"]
    named = re.findall(r"/[a-z.]+[a-z]", detail)
    assert set(named) == {PREDICT, *DESCRIBING, "/livez", "/readyz"}


def _raise(rows: Any) -> list[float]:
    raise RuntimeError("secret in a traceback")


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_values_that_overflow_the_model_are_the_callers_to_correct(score):
    response = post(Client(application(lambda rows: Answers([score] * len(rows)))), b'{"rows":[{"x":1,"colour":null}]}')
    assert [problem["row"] for problem in assert_problem(response, 422)["problems"]] == [0]


def _refuse(rows: Any) -> Answers:
    raise ValueError("Found unknown categories ['secret']")


def test_values_that_the_model_refuses_are_the_callers_to_correct():
    response = post(Client(application(_refuse)), b'{"rows":[{"x":1,"colour":null}]}')
    assert assert_problem(response, 422)["detail"] == "The model has no answer to these values."


@pytest.mark.parametrize("predict", [_raise, lambda rows: Answers([])])
def test_a_model_that_fails_is_a_server_error_that_shows_nothing(predict):
    response = post(Client(application(predict)), b'{"rows":[{"x":1,"colour":null}]}')
    assert "secret" not in assert_problem(response, 500)["detail"]


@pytest.mark.parametrize("host", ["endpoint", "endpoint:3000", "ENDPOINT"])
def test_a_host_on_the_list_is_answered(host):
    app = application(hosts=("endpoint",))
    assert Client(app).request("GET", "/model", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "endpoint.evil.example", "", "endpoint@evil", "evil:3000"])
def test_another_host_is_not_answered(host):
    app = application(hosts=("endpoint",))
    assert_problem(Client(app).request("GET", "/model", headers={"host": host}), 421)


def test_an_address_of_version_six_is_a_host():
    app = application(hosts=("::1",))
    assert Client(app).request("GET", "/model", headers={"host": "[::1]:3000"}).status_code == 200
