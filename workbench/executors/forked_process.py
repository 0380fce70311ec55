"""A process that another one forked for us: not our child, but told of as one (see `subprocess.Popen`)."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

LONGEST_ANSWER = 65536


def ask_process(
    requests: socket.socket, request: Mapping[str, Any], order: Mapping[str, Any], descriptors: Sequence[int]
) -> socket.socket:
    """Ask for a process that obeys an order with these descriptors, and return where it is told how it starts and ends.

    It ends when that is closed. Raises OSError when nobody is there to ask.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # In memory and not in a message: an environment may be long, and nobody but the process needs to see it.
    content = os.memfd_create("order")
    try:
        with os.fdopen(os.dup(content), "wb") as file:
            file.write(json.dumps(order).encode())
        socket.send_fds(requests, [json.dumps(request).encode()], [theirs.fileno(), content, *descriptors])
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        os.close(content)
    return ours


class ForkedProcess:
    """A process that runs by an order of ours, known by what is answered of it."""

    stdin = stdout = stderr = None

    def __init__(self, answers: socket.socket) -> None:
        answers.setblocking(False)
        self._answers = answers
        self._lock = threading.Lock()
        self.pid = 0
        self.returncode: int | None = None
        self.is_lost = False  # nobody is there to say how it ended

    def has_started(self, timeout_s: float) -> bool:
        """Wait until the process runs; False when it did not in time, and then never will."""
        self.await_answer(timeout_s)
        try:
            told = json.loads(self._answers.recv(LONGEST_ANSWER) or b"{}")
        except BlockingIOError:
            told = {}
        if "pid" not in told:
            self._answers.close()  # it ends where nobody listens
            return False
        self.pid = told["pid"]
        return True

    def await_answer(self, timeout_s: float | None = None) -> None:
        """Return when something is answered, or after the timeout."""
        waiting = select.poll()
        waiting.register(self._answers, select.POLLIN)
        waiting.poll(None if timeout_s is None else max(timeout_s, 0) * 1000)

    def poll(self) -> int | None:
        """Return the exit code, None while the process runs."""
        with self._lock:
            if self.returncode is None:
                with suppress(BlockingIOError):
                    self._note_end(self._answers.recv(LONGEST_ANSWER))
            return self.returncode

    def _note_end(self, answer: bytes) -> None:
        self.is_lost = not answer
        self.returncode = json.loads(answer)["exit"] if answer else -signal.SIGKILL
        self._answers.close()

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once the process has ended; raises subprocess.TimeoutExpired."""
        if self.poll() is None:
            self.await_answer(timeout)
        code = self.poll()
        if code is None:
            from subprocess import TimeoutExpired

            raise TimeoutExpired("a forked process", timeout or 0)
        return code

    def send_signal(self, signum: int) -> None:
        """Send a signal to the process, if it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def kill(self) -> None:
        """Kill the process."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)
