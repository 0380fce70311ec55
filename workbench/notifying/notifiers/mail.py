"""A notice by e-mail: to a server of one's own, encrypted wherever the server can, and always where a password is sent."""

from __future__ import annotations

import getpass
import os
import smtplib
import socket
import ssl
from email.message import EmailMessage
from ipaddress import ip_address

from workbench.errors import WorkbenchError
from workbench.notifying.notice import Notice, NotTold, Ways
from workbench.secrets.redaction import Redactor
from workbench.secrets.sources import resolve_secret

_PORT, _ENCRYPTED_PORT = 25, 465
_TIMEOUT_S = 20


def tell_by_mail(notice: Notice, ways: Ways) -> bool:
    """Send title and text to everybody named."""
    if not ways.mail_to:
        return False
    host, port = _read_host(ways.mail_host)
    password = ""
    try:
        if ways.mail_user:
            password = resolve_secret(ways.mail_password, environment=os.environ, project=ways.project)
        with _connect(host, port) as server:
            if password:
                _log_in(server, host, ways.mail_user, password)
            server.send_message(_write_message(notice, ways))
    except (OSError, smtplib.SMTPException, ValueError) as exc:
        raise NotTold(f"{host}:{port} did not take it.", why=Redactor([password]).redact_text(str(exc))) from None
    except WorkbenchError as exc:
        raise NotTold(exc.what, why=exc.reasons) from exc
    return True


def _read_host(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    return host or "localhost", int(port) if port.isdecimal() else _PORT


def _connect(host: str, port: int) -> smtplib.SMTP:
    encryption = ssl.create_default_context()
    if port == _ENCRYPTED_PORT:
        return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_S, context=encryption)
    server = smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
    try:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=encryption)
    except BaseException:
        server.close()
        raise
    return server


def _log_in(server: smtplib.SMTP, host: str, user: str, password: str) -> None:
    if not isinstance(server.sock, ssl.SSLSocket) and not _is_here(host):
        raise NotTold(f"{host} offers no encryption.", why="The password would be sent in the clear.")
    server.login(user, password)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _write_message(notice: Notice, ways: Ways) -> EmailMessage:
    message = EmailMessage()
    message["From"] = ways.mail_from or f"{getpass.getuser()}@{socket.gethostname()}"
    message["To"] = ways.mail_to
    message["Subject"] = notice.title
    message.set_content(notice.text + "\n")
    return message
