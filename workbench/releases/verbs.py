"""The verbs of releases: promote, roll back, verify."""

from __future__ import annotations

from workbench.ledger import history
from workbench.releases.release import Release
from workbench.runs.project import Project


class ReleaseVerbs(Project):
    """What is done with an approved nominee."""

    def promote(self, subject: str) -> Release:
        """Make an approved nominee the release its endpoint serves: build the Bento, write the ledger, set the alias.

        Raises Refused (and records that) with every reason. Run again after an interruption, it finishes what is missing.
        """
        from workbench.releases.promoting import promote

        self.store.ledger.require_privilege()
        return promote(self, subject)

    def rollback(self, endpoint: str, *, to: int | None = None, served: int | None = None) -> Release:
        """Serve the version before (or version `to`) again, if its bytes and approvals still hold.

        With `served`, only while that version is the served one: raises Refused, saying who moved it, otherwise.
        """
        from workbench.releases.promoting import roll_back

        self.store.ledger.require_privilege()
        return roll_back(self, endpoint, to=to, served=served)

    def mend_alias(self, endpoint: str) -> list[str]:
        """Make MLflow's alias of an endpoint point to what the ledger serves, and say where it was if that was elsewhere."""
        from workbench.releases.aliases import publish_alias

        return publish_alias(self, endpoint, before=history.served_version(self.store.read_ledger(), endpoint))

    def verify(self, subject: str) -> Release:
        """Say whether the bytes of a release may be served: signatures, files, ledger."""
        from workbench.releases import releases

        return releases.verify_release(subject, self.settings, self.store.read_ledger())

    def find_remedy(self, subject: str) -> str:
        """Return what to do about a release that does not verify."""
        from workbench.releases.mending import find_remedy

        model, _ = history.parse_subject(subject)
        return find_remedy(self, model, subject, self.store.read_ledger())

    def find_served(self, endpoint: str) -> str:
        """Return what an endpoint serves by the ledger, as `model/version`."""
        return history.require_served(self.store.read_ledger(), endpoint)
