"""Reading a request's body: bounded in size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from workbench.serving.answer import Receive
from workbench.serving.problems import RequestError

LONGEST_BODY_S = 5.0
_USUAL = b"application/json"
_CHARSETS = ("charset=utf-8", 'charset="utf-8"')


async def read_body(
    headers: Mapping[bytes, bytes], receive: Receive, *, largest_body: int, longest_body_s: float = LONGEST_BODY_S
) -> bytes:
    """Return the body of a request.

    Raises RequestError: 415 unless it is declared as application/json (which a form on a foreign site cannot send),
    413 as soon as it is known to exceed `largest_body` bytes, 408 when it takes longer than `longest_body_s` seconds,
    400 when it ends too early.
    """
    _require_json(headers.get(b"content-type", b""))
    _require_length(headers.get(b"content-length", b"0"), largest_body)
    try:
        async with asyncio.timeout(longest_body_s):
            message = await receive()
            if not message.get("more_body") and message["type"] == "http.request":
                return _require_size(message.get("body", b""), largest_body)
            return await _read_pieces(message, receive, largest_body)
    except TimeoutError as exc:
        raise RequestError(408, f"The body did not arrive within {longest_body_s:g} s.") from exc


async def _read_pieces(message: Mapping[str, object], receive: Receive, largest_body: int) -> bytes:
    body = bytearray()
    while True:
        if message["type"] != "http.request":
            raise RequestError(400, "The body ended too early.")
        body += message.get("body", b"")  # type: ignore[arg-type]
        _require_size(body, largest_body)
        if not message.get("more_body"):
            return bytes(body)
        message = await receive()


def _require_json(content_type: bytes) -> None:
    if content_type == _USUAL:
        return
    kind, *parameters = (part.strip().lower() for part in content_type.decode("latin-1").split(";"))
    if kind != "application/json" or any(each not in _CHARSETS for each in parameters):
        raise RequestError(415, "Send the body as application/json.")


def _require_length(declared: bytes, largest_body: int) -> None:
    if not declared.isdigit():
        raise RequestError(400, "The content length is not a number.")
    if len(declared) > 15 or int(declared) > largest_body:
        raise _too_large(largest_body)


def _require_size(body: Any, largest_body: int) -> Any:
    if len(body) > largest_body:
        raise _too_large(largest_body)
    return body


def _too_large(largest_body: int) -> RequestError:
    return RequestError(413, f"The body is larger than {largest_body} bytes.")
