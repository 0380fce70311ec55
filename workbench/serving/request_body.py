"""Reading a request's body: bounded in size and time, and only what every JSON reader reads alike."""

from __future__ import annotations

from typing import Any

import anyio
from starlette.requests import ClientDisconnect, Request

from workbench.records.digest import strict_json
from workbench.serving.problems import RequestError

LARGEST_BODY = 1024 * 1024
LONGEST_BODY_S = 5.0


async def read_json(
    request: Request, *, largest_body: int = LARGEST_BODY, longest_body_s: float = LONGEST_BODY_S
) -> Any:
    """Return the parsed body of a request.

    Raises RequestError: 415 unless it is declared as application/json (which a form on a foreign site cannot send),
    413 as soon as it is known to exceed `largest_body` bytes, 408 when it takes longer than `longest_body_s` seconds,
    400 when it is not strict JSON.
    """
    _require_json(request.headers.get("content-type", ""))
    return _parse(await _read_body(request, largest_body, longest_body_s))


def _require_json(content_type: str) -> None:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if kind != "application/json" or any(each not in ("charset=utf-8", 'charset="utf-8"') for each in parameters):
        raise RequestError(415, "Send the body as application/json.")


async def _read_body(request: Request, largest_body: int, longest_body_s: float) -> bytes:
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise RequestError(400, "The content length is not a number.")
    if len(declared) > 15 or int(declared) > largest_body:
        raise _too_large(largest_body)
    body = bytearray()
    try:
        with anyio.fail_after(longest_body_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest_body:
                    raise _too_large(largest_body)
    except TimeoutError as exc:
        raise RequestError(408, f"The body did not arrive within {longest_body_s:g} s.") from exc
    except ClientDisconnect as exc:
        raise RequestError(400, "The body ended too early.") from exc
    return bytes(body)


def _too_large(largest_body: int) -> RequestError:
    return RequestError(413, f"The body is larger than {largest_body} bytes.")


def _parse(body: bytes) -> Any:
    # Raw null characters are not JSON, but bytes with them would be taken for UTF-16 or UTF-32.
    if b"\0" in body:
        raise RequestError(400, "The body is not JSON in UTF-8.")
    try:
        return strict_json(body)
    except UnicodeDecodeError as exc:
        raise RequestError(400, "The body is not JSON in UTF-8.") from exc
    except ValueError as exc:
        raise RequestError(400, f"The body is not strict JSON: {str(exc)[:200]}.") from exc
