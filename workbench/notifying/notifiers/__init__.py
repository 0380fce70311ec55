"""The notifiers, one a file: each takes a notice and the ways, is False when it is not set up, and raises NotTold when it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workbench.notifying.notice import Notice, Ways
from workbench.notifying.notifiers.command import tell_command
from workbench.notifying.notifiers.desktop import tell_desktop
from workbench.notifying.notifiers.mail import tell_by_mail

NOTIFIERS: Mapping[str, Callable[[Notice, Ways], bool]] = {
    "command": tell_command,
    "desktop": tell_desktop,
    "mail": tell_by_mail,
}
