"""What is answered in front of BentoML's middlewares is what the mounted application answers behind them."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tests.unit.serving.test_application import JSON, Client, application
from workbench.serving.in_front import InFront, put_in_front

ASKED: list[tuple[str, str, bytes]] = [
    ("POST", "/predict", b'{"rows":[{"x":1,"colour":"red"}]}'),
    ("POST", "/predict", b'{"rows":[{"x":"1","colour":2}]}'),
    ("POST", "/predict", b"{"),
    *[(method, path, b"") for method in ("GET", "DELETE") for path in ("/model", "/openapi.json", "/predict")],
    *[("GET", path, b"") for path in ("/nowhere", "/predict/", "/")],
]


@pytest.fixture(scope="module")
def answering() -> tuple[Any, Any]:
    """The service's application as it is served, and as a BentoML would serve it that lets nobody in front."""
    with warnings.catch_warnings(action="ignore"):  # a library that BentoML brings says so when it is imported
        from workbench import bentoml_service

    bentoml_service._SLOT.application = application()
    front = bentoml_service.Endpoint.to_asgi()
    return front, front._rest


def test_both_answer_alike(answering: tuple[Any, Any]) -> None:
    front, mounted = answering
    assert isinstance(front, InFront)
    assert not isinstance(mounted, InFront)
    for method, path, content in ASKED:
        found = [Client(app).request(method, path, content=content, headers=JSON) for app in (front, mounted)]
        own, theirs = ((each.status_code, each.content, each.headers["content-type"]) for each in found)
        assert own == theirs, (method, path)


@pytest.mark.parametrize("service", [object(), None, type("Sealed", (), {"__slots__": ()})()])
def test_a_service_that_lets_nobody_in_front_stays_as_it_is(service: Any) -> None:
    assert put_in_front(service, application(), ("/predict",)) is False
