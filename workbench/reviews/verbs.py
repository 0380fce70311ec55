"""The verbs of reviews: look, answer, sign, object, waive; and what the ledger says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.ledger.ledger import Checkpoint, Entry, Event
from workbench.policies.policy import Policy
from workbench.reviews.ledger_audit import LedgerAudit
from workbench.reviews.request import ApprovalRequest, ObjectionRequest, WaiverRequest
from workbench.reviews.review import Review
from workbench.runs.project import Project
from workbench.signing.key import Key
from workbench.signing.namespaces import signing_namespace

if TYPE_CHECKING:
    from workbench.reviews.nominees import Nominee
    from workbench.signing.allowed_signers import Signatory


class ReviewVerbs(Project):
    """What people do with a nominee, and how the ledger of it is verified."""

    def list_nominees(self) -> list[str]:
        """Return the nominees as `model/version`, newest first."""
        return [entry.subject for entry in reversed(self.store.read_ledger()) if entry.event is Event.NOMINATED]

    def load_nominee(self, subject: str) -> Nominee:
        """Return a nominee as of now; raises Refused when its frozen parts were changed."""
        from workbench.reviews.nominees import load_nominee

        return load_nominee(subject, settings=self.settings, entries=self.store.read_ledger())

    def review(self, subject: str) -> Review:
        """Return the evidence, findings, questions and approvals of a nominee (`model/version`) as of now."""
        from workbench.reviews.judging import review_nominee

        return review_nominee(self.load_nominee(subject))

    def foresee_quorum(self, policy: Policy) -> list[str]:
        """Return warnings of whose work nobody could approve under a policy, and of roles nobody asks for; none without signers."""
        from workbench.reviews.asking import find_unasked_signers
        from workbench.reviews.quorum import foresee_quorum
        from workbench.runs.blaming import read_committers
        from workbench.signing.allowed_signers import list_signers

        path = self.settings.signers_file
        if not path.is_file():
            return []
        content = path.read_bytes()
        signers = {role: list_signers(content, signing_namespace(role)) for role in policy.roles}
        writers = {self.settings.acting_author, *read_committers(self.settings.project)}
        return [*foresee_quorum(signers, writers, policy), *find_unasked_signers(self.settings, policy)]

    def add_signer(self, principal: str, key: Path, roles: Sequence[str]) -> bool:
        """Let somebody sign in these roles with a key; False where the allowed-signers file says so already."""
        from workbench.signing.granting import add_signer

        return add_signer(self.settings.signers_file, principal, key, roles)

    def find_unasked_roles(self, roles: Sequence[str]) -> list[str]:
        """Return a note for each role that no policy here asks for, as a misspelled one."""
        from workbench.reviews.asking import find_unasked_roles

        return find_unasked_roles(self.settings, roles)

    def list_signers(self) -> list[Signatory]:
        """Return who may sign as what, in the order of the file; raises Refused where it does not tell people apart."""
        from workbench.signing.allowed_signers import list_signatories, read_allowed_signers

        path = self.settings.signers_file
        return list_signatories(read_allowed_signers(path)) if path.is_file() else []

    def answer(self, subject: str, question: str, text: str) -> Review:
        """Answer a question only a person can answer; approvals given before become stale."""
        return self.answer_all(subject, {question: text})

    def answer_all(self, subject: str, answers: Mapping[str, str]) -> Review:
        """Answer questions by their names: all of them, or none where one is no answer."""
        from workbench.reviews import reviewing

        reviewing.answer_all(self, subject, answers)
        return self.review(subject)

    def approve(self, subject: str, request: ApprovalRequest, key: Key) -> Review:
        """Sign the nominee as it is now, in a role; raises Refused (and records that) when the principal may not.

        The principal is whoever the allowed-signers file says the key belongs to; with a key it does not know, the acting author.
        """
        from workbench.reviews import reviewing

        reviewing.approve(self, subject, request, key)
        return self.review(subject)

    def object(self, subject: str, request: ObjectionRequest, key: Key) -> Review:
        """Object to a nominee: it cannot be promoted until the same person clears that."""
        from workbench.reviews import reviewing

        reviewing.object_to(self, subject, request, key)
        return self.review(subject)

    def waive(self, subject: str, request: WaiverRequest, key: Key) -> Review:
        """Make a signed exception to one finding that did not pass, until a date or time."""
        from workbench.reviews import reviewing

        reviewing.waive(self, subject, request, key)
        return self.review(subject)

    def find_keyholder(self, key: Path) -> str | None:
        """Return who holds a key by the allowed-signers file, None when nobody is known to; raises UsageError for no key."""
        from workbench.reviews import reviewing

        return reviewing.find_keyholder(key, self.settings)

    def inspect_ledger(self) -> tuple[list[Entry], list[str]]:
        """Return every decision in order, and what is wrong with them (nothing: the chain is whole, and holds what was seen)."""
        return self.store.inspect_ledger()

    def verify_ledger(self, *, checkpoint: Checkpoint | None = None) -> LedgerAudit:
        """Verify the chain, every signature in it, and that it holds what this machine saw and what somebody noted."""
        from workbench.reviews.auditing import verify_ledger

        return verify_ledger(self, checkpoint)

    def export_ledger(self, path: Path) -> int:
        """Write the ledger as lines that can be verified without the workbench; return how many entries it has."""
        from workbench.reviews.auditing import export_ledger

        return export_ledger(self, path)

    def accept_ledger(self, head: str) -> Checkpoint:
        """Go on with a ledger that was rolled back on purpose; `head` is its last digest, or at least 12 characters of it."""
        from workbench.reviews.auditing import accept_ledger

        return accept_ledger(self, head)
