"""A process that has imported what others need and forks them; it runs none of their code and has one thread.

Its owner asks through a socket; when that closes or the owner ends, every process it forked and its folder go.
"""

from __future__ import annotations

import ctypes
import functools
import json
import os
import selectors
import shutil
import signal
import socket
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from workbench.executors.kernel_processes import kill_tree

_LONGEST_REQUEST = 65536
_MOST_DESCRIPTORS = 5
# After that many seconds without a question one that waits is enough.
_BUSY_S, _IDLE_STANDBY = 10.0, 1
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


@dataclass(frozen=True)
class Order:
    """What a forked process is to do, where to answer, and the descriptors it works with."""

    answers: socket.socket
    content: dict[str, Any]
    descriptors: tuple[int, ...]

    def answer(self, **answer: Any) -> bool:
        """Answer; false where nobody listens any more."""
        try:
            self.answers.send(json.dumps(answer).encode())
        except OSError:
            return False
        finally:
            self.answers.close()
        return True


def receive_order(orders: socket.socket) -> Order:
    """Wait for the order of this forked process; where nobody needs it any more, it ends here."""
    message, descriptors, _, _ = socket.recv_fds(orders, 1, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    if not message:
        os._exit(0)
    answers, content, *others = descriptors
    with os.fdopen(content, "rb") as file:
        file.seek(0)
        return Order(socket.socket(fileno=answers), json.loads(file.read()), tuple(others))


def end_with(parent: int) -> None:
    """Let this forked process end with the one it was forked from, and keep what it starts below it."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # What loses its parent stays below, and is found and ended with it.
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        os._exit(1)


@dataclass
class Child:
    """A forked process: `answers` is who asked for it, None while it waits for its order."""

    pid: int
    ended: int
    orders: socket.socket
    arguments: list[str]
    answers: socket.socket | None = None


class ForkServer:
    """Forks processes, some ahead, hands them over to those who ask, and says how each ended.

    With `keep_s` it goes once none is in use and nobody asked for that many seconds.
    """

    def __init__(self, owner: socket.socket, folder: Path, keep_s: float | None = None) -> None:
        self._owner = owner
        self._folder = folder
        self._keep_s = keep_s
        self._used = time.monotonic()
        self._pid = os.getpid()
        self._waiting: list[Child] = []
        self._taken: list[Child] = []
        self._leaving: list[Child] = []
        self._passing: list[int] = []
        self._is_retired = False
        # Not epoll: its state would be shared with every fork.
        self._selector = selectors.PollSelector()
        self._selector.register(owner, selectors.EVENT_READ, self._hear)
        with suppress(OSError):
            self._owner_ended = os.pidfd_open(os.getppid())
            self._selector.register(self._owner_ended, selectors.EVENT_READ, self._end)

    def become(self, orders: socket.socket, arguments: list[str], *, ahead: bool) -> NoReturn:
        """Be, in a fork, what was asked for; `ahead` before the order came."""
        raise NotImplementedError

    def name_next(self) -> list[str]:
        """Return the arguments of a process that was asked for without any."""
        return []

    def abandon(self, child: Child) -> None:
        """End a process in use that nobody waits for any more."""
        kill_tree(child.pid)

    def clean(self, child: Child) -> None:
        """Remove what a process left that ended."""

    def serve(self) -> NoReturn:
        """Do what is asked until nobody is there to ask."""
        while True:
            for key, _ in self._selector.select(self._pause_s()):
                # Whoever was dealt with before it may have closed it.
                if key.fd in self._selector.get_map():
                    key.data()
            if self._idle_s() == 0:
                self._end()
            if self._spare_s() == 0:
                self._spare()

    def _pause_s(self) -> float | None:
        return min((each for each in (self._idle_s(), self._spare_s()) if each is not None), default=None)

    def _idle_s(self) -> float | None:
        """Return after how many seconds without a question this goes; None while it does not."""
        if self._keep_s is None or self._taken:
            return None
        return max(self._used + self._keep_s - time.monotonic(), 0)

    def _spare_s(self) -> float | None:
        """Return after how many seconds without a question fewer need wait; None while few do."""
        if len(self._waiting) <= _IDLE_STANDBY:
            return None
        return max(self._used + _BUSY_S - time.monotonic(), 0)

    def _spare(self) -> None:
        """End all but one of those that wait: each has memory of its own."""
        while len(self._waiting) > _IDLE_STANDBY:
            self._leaving.append(self._waiting.pop())
            kill_tree(self._leaving[-1].pid)

    def _hear(self) -> None:
        try:
            message, descriptors, _, _ = socket.recv_fds(
                self._owner, _LONGEST_REQUEST, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
            )
        except OSError:
            message, descriptors = b"", []
        if not message:
            self._end()
        self._used = time.monotonic()
        try:
            request = json.loads(message)
            actions = {"take": self._take, "retire": self._retire}
            actions[request["do"]](request, descriptors)
        except (OSError, IndexError, ValueError, KeyError):
            self._give_up()
        finally:
            if os.getpid() == self._pid:  # what is forked comes through here when it ends
                for descriptor in descriptors:
                    os.close(descriptor)
                self._passing = []

    def _take(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Hand a process over: the one that waits longest, or one with arguments of its own."""
        self._passing = descriptors
        if request["arguments"] is not None:
            child = self._fork(request["arguments"], ahead=False)
        else:
            child = self._waiting.pop(0) if self._waiting else self._fork(self.name_next(), ahead=True)
        child.answers = socket.socket(fileno=os.dup(descriptors[0]))
        self._selector.register(child.answers, selectors.EVENT_READ, functools.partial(self._drop, child))
        self._taken.append(child)
        with suppress(OSError):  # it ended before its time, which its burial will tell
            socket.send_fds(child.orders, [b"."], descriptors)
        with suppress(OSError):  # fewer that wait are fine
            self._prepare(request["standby"])

    def _drop(self, child: Child) -> None:
        if child.answers:
            self._selector.unregister(child.answers)
        self.abandon(child)

    def _prepare(self, standby: int) -> None:
        """Fork processes ahead until as many wait as are wanted."""
        while len(self._waiting) < standby and not self._is_retired:
            self._waiting.append(self._fork(self.name_next(), ahead=True))

    def _retire(self, _: dict[str, Any], __: list[int]) -> None:
        """End what waits, and go when the last process in use has ended."""
        self._is_retired = True
        for child in self._waiting:
            kill_tree(child.pid)
        self._end_if_idle()

    def _give_up(self) -> None:
        """Take no more requests: who asked hears that nothing comes, and asks elsewhere; what runs goes on."""
        self._selector.unregister(self._owner)
        self._owner.shutdown(socket.SHUT_RDWR)
        self._retire({}, [])

    def _end_if_idle(self) -> None:
        if self._is_retired and not self._taken:
            self._end()

    def _fork(self, arguments: list[str], *, ahead: bool) -> Child:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            ours.close()
            self._leave()
            os.setsid()
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            end_with(parent)
            try:
                self.become(theirs, arguments, ahead=ahead)
            except Exception:
                traceback.print_exc()
                os._exit(1)
        theirs.close()
        child = Child(pid, os.pidfd_open(pid), ours, arguments)
        self._selector.register(child.ended, selectors.EVENT_READ, functools.partial(self._bury, child))
        return child

    def _leave(self) -> None:
        """Close, in a fork, what belongs to the parent."""
        for child in (*self._waiting, *self._taken, *self._leaving):
            child.orders.close()
            if child.answers:
                child.answers.detach()
        for descriptor in (*self._passing, *(key.fd for key in self._selector.get_map().values())):
            os.close(descriptor)
        with suppress(OSError):
            os.close(self._owner.detach())

    def _bury(self, child: Child) -> None:
        _, status = os.waitpid(child.pid, 0)
        self._selector.unregister(child.ended)
        os.close(child.ended)
        child.orders.close()
        self.clean(child)
        if child.answers:
            self._taken.remove(child)
            with suppress(KeyError):
                self._selector.unregister(child.answers)
            with suppress(OSError):
                child.answers.send(json.dumps({"exit": os.waitstatus_to_exitcode(status)}).encode())
            child.answers.close()
            self._used = time.monotonic()
        else:
            (self._leaving if child in self._leaving else self._waiting).remove(child)
        self._end_if_idle()

    def _end(self) -> NoReturn:
        for child in (*self._waiting, *self._taken):
            kill_tree(child.pid)
        shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(0)
