"""What a process opens, imports, executes and starts, held against what it may: an audit hook (PEP 578) that only notes.

It sees what goes through Python's interpreter; what a library does in C it does not see, and for that the canaries are there.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

_CHANGES = (
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "os.chown",
)
_STARTS = ("os.system", "os.exec", "os.fork", "os.spawn", "os.posix_spawn", "pty.", "subprocess.Popen")
_CALLS = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "urllib.Request", "webbrowser.open")
_UNPICKLES = ("pickle.find_class",)
_OWN_SCORE = re.compile(r"/proc/[0-9]+/oom_score_adj")
# What code that is made of a text may not speak of; that of named tuples and data classes does not.
_SPOKEN = frozenset({"system", "touch", "popen", "create_connection", "putenv", "eval", "exec"})


@dataclass(frozen=True)
class Allowed:
    """Where a process may read and write, which programs it may start, and which packages it may import (empty: any)."""

    readable: tuple[str, ...]
    writable: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def library_folders() -> tuple[str, ...]:
    """Return where Python, its packages and our own code lie, and what the system says about itself."""
    here = str(Path(__file__).resolve().parents[2] / "workbench")
    own = {os.path.realpath(folder) for folder in (sys.prefix, sys.base_prefix, here)}
    return (
        *sorted(own),
        str(Path(__file__).parents[1]),
        "/usr/lib",
        "/usr/share",
        "/proc",
        "/sys",
        "/dev/null",
        "/dev/urandom",
        "/etc",
    )


class Watch:
    """Notes in a file, one line of JSON each, what is not allowed; from `arm` on, and for ever."""

    def __init__(self, log: Path, allowed: Allowed) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._allowed = allowed
        self._readable = tuple(map(os.path.realpath, (*allowed.readable, *allowed.writable)))
        self._writable = tuple(map(os.path.realpath, allowed.writable))
        self._busy = False
        self.also: tuple[str, ...] = ()
        """What may be read and written just now, beside what is allowed."""

    def arm(self) -> None:
        sys.addaudithook(self._see)

    def note(self, what: str) -> None:
        os.write(self._log, json.dumps(what[:500]).encode() + b"\n")

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            fault = self._find_fault(event, arguments)
            if fault:
                self.note(f"{event} {fault}")
        except Exception as exc:  # the one who is watched must not notice
            self.note(f"the watch failed on {event}: {exc!r}")
        finally:
            self._busy = False

    def _find_fault(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        if event == "open":
            return self._judge_open(*arguments)
        if event in ("os.listdir", "os.scandir", "sqlite3.connect"):
            is_memory = not isinstance(arguments[0], str | bytes) or ":memory:" in os.fsdecode(arguments[0])
            return None if is_memory else self._judge_open(arguments[0], "w" if event.startswith("sqlite3") else "r", 0)
        if event == "import":
            name = str(arguments[0]).partition(".")[0]
            return str(arguments[0]) if self._allowed.packages and name not in self._allowed.packages else None
        if event in ("exec", "compile"):
            return _judge_code(arguments)
        if event.startswith(_CHANGES):
            places = [str(each) for each in arguments if isinstance(each, str | bytes | os.PathLike)]
            outside = [each for each in places if "/" in each and not self._is_below(each, self._writable)]
            return repr(outside) if outside else None
        return self._judge_call(event, arguments)

    def _judge_call(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        if event.startswith(_STARTS):
            program = str(arguments[0]) if arguments else ""
            return None if program in self._allowed.programs else repr(arguments)[:200]
        if event == "os.putenv":
            return repr(arguments) if b"CANARY" in os.fsencode(arguments[0]) else None
        return repr(arguments)[:200] if event.startswith((*_CALLS, *_UNPICKLES)) else None

    def _judge_open(self, path: Any, mode: Any, flags: Any) -> str | None:
        if not isinstance(path, str | bytes | os.PathLike):
            return None
        name = os.fsdecode(path)
        writes = (
            any(letter in mode for letter in "wax+")
            if isinstance(mode, str)
            else bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        )
        if ("/" not in name and not writes) or _OWN_SCORE.fullmatch(name):
            return None  # within a folder that was opened before; or who is ended first when memory runs out
        places = self._writable if writes else self._readable
        return (
            None
            if self._is_below(name, places) or name == os.devnull
            else f"{'to write' if writes else 'to read'} {name}"
        )

    def _is_below(self, name: str, places: Sequence[str]) -> bool:
        found = os.path.realpath(name)
        return found in self.also or any(found == place or found.startswith(place + os.sep) for place in places)


def _judge_code(arguments: tuple[Any, ...]) -> str | None:
    code = arguments[0]
    if isinstance(code, CodeType):
        spoken = (
            _SPOKEN & {*code.co_names}
            if code.co_filename.startswith("<") and not code.co_filename.startswith("<frozen")
            else ()
        )
        return f"{code.co_filename} speaks of {sorted(spoken)}" if spoken else None
    text = os.fsdecode(code) if isinstance(code, str | bytes) else ""
    return f"{text[:200]!r}" if "canary" in text and len(text) < 10_000 else None


def main() -> None:
    """Inspect a model as the workbench's child does, watched: arguments are a log, what is allowed, and the child's own."""
    log, allowed = Path(sys.argv[1]), Allowed(**{name: tuple(each) for name, each in json.loads(sys.argv[2]).items()})
    import workbench.models.inspection_child as child

    watch, try_model = Watch(log, allowed), child._try_model

    def watched(request: Any) -> Any:
        watch.arm()
        return try_model(request)

    child._try_model = watched
    child.main()


if __name__ == "__main__":
    main()
