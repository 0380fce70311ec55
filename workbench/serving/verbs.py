"""The verb of serving."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.config import serving_variables
from workbench.releases.verbs import ReleaseVerbs

if TYPE_CHECKING:
    from workbench.serving.bentoml_server import BentoServer


class ServingVerbs(ReleaseVerbs):
    """How a release is served."""

    def serve(self, endpoint: str, *, port: int) -> BentoServer:
        """Start an endpoint's release on loopback and return when it is ready; raises Refused when it may not be served."""
        from workbench.releases import releases
        from workbench.releases.mending import find_remedy
        from workbench.releases.release_audit import SUBJECT
        from workbench.reviews.judging import require_allowed
        from workbench.serving.bentoml_server import serve_bento

        self.store.ledger.require_privilege(writable=False)
        subject = self.find_served(endpoint)

        def audit(source: Path) -> dict[str, bytes]:
            entries = self.store.read_ledger()
            audited = releases.read_release(source, subject, self.settings, entries)
            if not audited.release.decision.is_allowed:
                require_allowed(self, audited.release.decision, find_remedy(self, endpoint, subject, entries))
            return audited.files

        return serve_bento(
            releases.find_release(subject, self.settings, self.store.read_ledger()),
            audit=audit,
            port=port,
            log=self.settings.home_folder / "serving" / f"{endpoint}.log",
            environment={**serving_variables(self.settings), SUBJECT: subject},
        )
