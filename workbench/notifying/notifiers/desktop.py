"""A notice on the desktop of who is at work: by notify-send, on macOS by osascript."""

from __future__ import annotations

import os
import shutil

from workbench.notifying.notice import Notice, Ways
from workbench.notifying.notifiers.command import run_told

# Whether there is a desktop at all: on a server the program may be there, and fails.
_DESKTOPS = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")
_SCRIPT = ("on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run")


def tell_desktop(notice: Notice, ways: Ways) -> bool:
    """Show title and text, which are never read as options or as a script."""
    arguments = _find_program()
    if not arguments:
        return False
    run_told([*arguments, notice.title, notice.text], ways.project)
    return True


def _find_program() -> list[str]:
    if (program := shutil.which("notify-send")) and any(os.environ.get(name) for name in _DESKTOPS):
        return [program, "--app-name=Workbench", "--"]
    if program := shutil.which("osascript"):
        return [program, *(part for line in _SCRIPT for part in ("-e", line))]
    return []
