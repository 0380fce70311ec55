"""The keeper of processes to fork from: starts them for those who ask, and hands over the sockets they are asked through.

Started with the number of a listening socket, its path, and for how many minutes what is not used is kept.
"""

from __future__ import annotations

import json
import os
import select
import selectors
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from workbench.executors.kept_parents import read_user
from workbench.executors.warm_parents import ParentKey, WarmParent, find_key

_LONGEST_REQUEST = 1 << 20
_REQUEST_TIMEOUT_S = 5.0
_MOST_PARENTS = 4


def main() -> NoReturn:
    """Keep processes until none is left."""
    number, path, kept_min = sys.argv[1:]
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    ParentKeeper(socket.socket(fileno=int(number)), Path(path), int(kept_min)).serve()


class ParentKeeper:
    """Keeps at most four parents; it goes when the last has."""

    def __init__(self, listener: socket.socket, path: Path, kept_min: int) -> None:
        listener.set_inheritable(False)
        self._listener = listener
        self._path = path
        self._socket_file = path.stat().st_ino
        self._kept_min = kept_min
        self._parents: dict[tuple[str, ParentKey], WarmParent] = {}  # the one used last is last
        self._leaving: list[tuple[tuple[str, ParentKey], WarmParent]] = []
        self._ended: dict[WarmParent, int] = {}
        self._minutes: dict[WarmParent, int] = {}
        self._ready: set[WarmParent] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, self._accept)

    def serve(self) -> NoReturn:
        """Answer until there is nothing to keep."""
        while True:
            for key, _ in self._selector.select():
                key.data()
            if not self._ended:
                self._end()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        with connection, suppress(OSError, ValueError, KeyError):
            if read_user(connection) == os.getuid():
                connection.settimeout(_REQUEST_TIMEOUT_S)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        message, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_REQUEST, 1, socket.MSG_CMSG_CLOEXEC)
        environment: dict[str, str] = {}
        for descriptor in descriptors:
            with os.fdopen(descriptor, "rb") as file:
                file.seek(0)
                environment = json.loads(file.read())
        request = json.loads(message)
        actions = {"find": self._find, "status": self._tell, "stop": self._stop}
        answer, passed = actions[request["do"]](request, environment)
        socket.send_fds(connection, [json.dumps(answer).encode()], passed)

    def _find(self, request: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[dict[str, Any], list[int]]:
        """Hand over the parent that fits, started when there is none; of one that is asked for by `ready` only once it can fork."""
        program, key = request["program"], find_key(request["modules"], environment, request.get("variables", ()))
        found = self._parents.pop((program, key), None)
        is_there = found is not None and _is_listening(found)
        if request.get("ready") and not is_there:
            return {}, []
        kept_min = request.get("kept_min", self._kept_min)
        parent = found if found and is_there else self._start(program, key, environment, kept_min)
        self._parents[program, key] = parent
        for other in [other for other in self._parents if other[1].installed != key.installed]:
            self._retire(other)
        for other in list(self._parents)[:-_MOST_PARENTS]:
            self._retire(other)
        if request.get("ready") and parent not in self._ready:
            return {}, []
        return {"pid": parent.pid}, [parent.requests.fileno()]

    def _start(self, program: str, key: ParentKey, environment: Mapping[str, str], kept_min: int) -> WarmParent:
        also = {name: value for name, value in key.variables if name in environment}
        parent = WarmParent(key.modules, environment, keep_s=kept_min * 60, program=program, also=also)
        self._minutes[parent] = kept_min
        self._ended[parent] = os.pidfd_open(parent.pid)
        self._selector.register(self._ended[parent], selectors.EVENT_READ, partial(self._bury, parent))
        self._selector.register(parent.requests, selectors.EVENT_READ, partial(self._note_ready, parent))
        return parent

    def _note_ready(self, parent: WarmParent) -> None:
        self._selector.unregister(parent.requests)
        with suppress(OSError):
            if parent.requests.recv(1):
                self._ready.add(parent)

    def _retire(self, known: tuple[str, ParentKey]) -> None:
        parent = self._parents.pop(known)
        self._leaving.append((known, parent))
        parent.retire()

    def _bury(self, parent: WarmParent) -> None:
        descriptor = self._ended.pop(parent)
        self._selector.unregister(descriptor)
        os.close(descriptor)
        self._ready.discard(parent)
        del self._minutes[parent]
        with suppress(KeyError):
            self._selector.unregister(parent.requests)
        self._parents = {key: other for key, other in self._parents.items() if other is not parent}
        self._leaving = [(key, other) for key, other in self._leaving if other is not parent]
        parent.close()

    def _tell(self, _: Mapping[str, Any], __: Mapping[str, str]) -> tuple[dict[str, Any], list[int]]:
        kept = [(*known, parent, False) for known, parent in self._parents.items()]
        leaving = [(*known, parent, True) for known, parent in self._leaving]
        parents = [
            {
                "pid": parent.pid,
                "program": program,
                "modules": key.modules,
                "kept_min": self._minutes[parent],
                "is_leaving": is_leaving,
            }
            for program, key, parent, is_leaving in (*kept, *leaving)
        ]
        return {"parents": parents}, []

    def _stop(self, request: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[dict[str, Any], list[int]]:
        told = self._tell(request, environment)
        for key in list(self._parents):
            self._retire(key)
        return told

    def _end(self) -> NoReturn:
        with suppress(OSError):
            if self._path.stat().st_ino == self._socket_file:  # not that of one that came after it
                self._path.unlink()
        self._listener.close()
        os._exit(0)


def _is_listening(parent: WarmParent) -> bool:
    """False for a parent that takes no more requests, and may not have ended yet."""
    asked = select.poll()
    asked.register(parent.requests, 0)
    return parent.is_alive() and not asked.poll(0)


if __name__ == "__main__":
    main()
