"""Telling people: every notifier that is set up is given the notice, and none that fails costs more than a word."""

from __future__ import annotations

from workbench.notifying.notice import Notice, NotTold, Ways
from workbench.notifying.notifiers import NOTIFIERS


def notify(notice: Notice, ways: Ways) -> list[str]:
    """Tell it in every way there is, and return in words what did not work; never raises."""
    told = {name: _tell(name, notice, ways) for name in NOTIFIERS}
    if any(answer is not None for answer in told.values()):
        return [f"Nobody was told by {name}: {answer}" for name, answer in told.items() if answer]
    return ["Nobody was told: no way is set up. Set `notify` or `notify_mail_to`, or install notify-send."]


def _tell(name: str, notice: Notice, ways: Ways) -> str | None:
    """Return None when a notifier is not set up, else why it did not take the notice: nothing when it did."""
    try:
        return "" if NOTIFIERS[name](notice, ways) else None
    except NotTold as exc:
        return exc.in_one_line
    except Exception as exc:  # whatever is wrong with it, what is told of has ended well
        return f"{type(exc).__name__}: {exc}"
