"""A mail server in a thread: it takes what it is sent over a real socket, and says no where it is told to."""

from __future__ import annotations

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as smtplib needs; `logins` and `messages` are what it got, `refuses` a command it says no to."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, refuses: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.refuses = refuses
        self.logins: list[str] = []
        self.messages: list[str] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 here")
        for line in iter(lambda: self.rfile.readline().decode().strip(), ""):
            word = line.split()[0].upper()
            if word == self.server.refuses:
                self._say("550 no such person")
            elif word == "EHLO":
                self._say("250-here", "250 AUTH PLAIN")
            elif word == "AUTH":
                self.server.logins.append(base64.b64decode(line.split()[2]).decode())
                self._say("235 welcome")
            elif word == "DATA":
                self._say("354 go on")
                self._take_message()
            else:
                self._say("221 bye" if word == "QUIT" else "250 fine")
            if word == "QUIT":
                return

    def _take_message(self) -> None:
        lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
        self.server.messages.append("".join(lines))
        self._say("250 taken")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def mail_server(refuses: str = "") -> Iterator[MailServer]:
    with MailServer(refuses) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
