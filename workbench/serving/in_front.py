"""In front of BentoML: ours are answered before its middlewares, which cost more than the model; other requests are its own.

BentoML 1.4 wraps every mounted application in metrics, tracing, an access log and time limits; `Service.to_asgi` alone lies outside
of them. It is no extension point: a test pins what is relied on, and where that is not there the mounted application answers alike.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from workbench.serving.answer import Receive, Scope, Send

_LOG = logging.getLogger(__name__)


class InFront:
    """An ASGI application that answers the paths it knows, and leaves the rest to another one."""

    def __init__(self, first: Any, paths: Collection[str], rest: Any) -> None:
        self._first, self._paths, self._rest = first, frozenset(paths), rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        is_ours = scope["type"] == "http" and scope["path"] in self._paths
        await (self._first if is_ours else self._rest)(scope, receive, send)


def put_in_front(service: Any, application: Any, paths: Collection[str]) -> bool:
    """Let an application answer these paths before a BentoML service does; False where this BentoML does not let it."""
    kind = type(service)
    try:
        build = kind.to_asgi

        def to_asgi(self: Any, *given: Any, **named: Any) -> InFront:
            return InFront(application, paths, build(self, *given, **named))

        service.__class__ = type(kind.__name__, (kind,), {"__slots__": (), "to_asgi": to_asgi})
    except (AttributeError, TypeError):
        _LOG.warning("This BentoML answers through its middlewares: each request costs it about ten times as much.")
        return False
    return True
