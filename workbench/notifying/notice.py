"""What people are told, and in which ways: plain values, whoever tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError


@dataclass(frozen=True)
class Notice:
    """One thing to be told: a line, some more, and the whole of it as a JSON value."""

    title: str
    text: str
    record: Mapping[str, Any]


@dataclass(frozen=True)
class Ways:
    """How people are told; empty text means not in that way.

    `command` is a program with its arguments; `mail_to` has commas between addresses; `mail_host` is HOST or HOST:PORT, and
    `mail_password` a reference to a secret, relative to `project`, where the command runs as well.
    """

    project: Path
    command: str = ""
    mail_to: str = ""
    mail_from: str = ""
    mail_host: str = ""
    mail_user: str = ""
    mail_password: str = field(default="", repr=False)


class NotTold(WorkbenchError):
    """A notifier did not take a notice."""
