"""The events of the ledger: each in words, what is signed in it, and how an approval that became stale by it says so.

Whether an approval is stale is no matter of its event: it is where the bytes it signed are others now (`reviews/approval.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.ledger.ledger import Entry, Event
from workbench.records.clock import last_day

Say = Callable[[Entry], str]
SignedKind = Literal["approval", "waiver", "objection"]


@dataclass(frozen=True)
class EventKind:
    """One event: `say` follows the name of who did it, and raises KeyError and its like for an entry that was tampered with.

    `signed` is the kind of statement that stands in it, None where nobody signs. `stale` is what a stale approval from before says
    of it; None where it changes nothing that was signed.
    """

    say: Say
    signed: SignedKind | None = None
    stale: Say | None = None


EVENTS: Mapping[Event, EventKind] = {
    Event.PLANNED: EventKind(lambda e: f"planned how {e.subject} is judged: policy {e.body['policy_name']}"),
    Event.NOMINATED: EventKind(lambda e: f"nominated {e.subject} (run {e.body['run']})"),
    Event.ANSWERED: EventKind(
        lambda e: f"answered {e.body['question']} of {e.subject}",
        stale=lambda e: f"{e.actor} answered {e.body.get('question')}",
    ),
    Event.OBJECTED: EventKind(
        lambda e: f"objected to {e.subject}: {e.body['text']}",
        signed="objection",
        stale=lambda e: f"{e.actor} objected",
    ),
    Event.CLEARED: EventKind(
        lambda e: f"cleared objection {e.body['objection']} to {e.subject}",
        signed="objection",
        stale=lambda e: f"{e.actor} cleared an objection",
    ),
    Event.WAIVED: EventKind(
        lambda e: f"waived {e.body['check']} of {e.subject} until {last_day(e.body['expires'])}",
        signed="waiver",
        stale=lambda e: f"{e.actor} waived {e.body.get('check')}",
    ),
    Event.APPROVED: EventKind(lambda e: f"approved {e.subject} as {e.body['role']}", signed="approval"),
    Event.REFUSED: EventKind(
        lambda e: f"was refused to {e.body['action']} {e.subject}{_say_reasons(e.body['reasons'])}"
    ),
    Event.PROMOTED: EventKind(lambda e: f"promoted {e.subject} to endpoint {e.body['endpoint']}"),
    Event.ROLLED_BACK: EventKind(lambda e: f"rolled endpoint {e.body['endpoint']} back to {e.subject}"),
    Event.ACCEPTED: EventKind(lambda e: f"accepted the {e.subject} that ended with entry {e.body['sequence']}"),
}


def _say_reasons(reasons: Sequence[str]) -> str:
    return f": {reasons[0]}" if len(reasons) == 1 else f", {len(reasons)} reasons"
