"""What a release is made of: its files by path, their digests in a manifest, and what approvals of them must meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.evidence.evidence import Evidence
from workbench.ledger.ledger import Entry
from workbench.policies.policy import Policy
from workbench.records.digest import canonical_json, sha256_hex
from workbench.reviews.approval import Target, Terms

MANIFEST = "release/manifest.json"
EVIDENCE = "release/evidence.json"
POLICY = "release/policy.yaml"
CARD = "release/model_card.md"
SUBJECTS = (MANIFEST, EVIDENCE, POLICY, CARD)


def set_terms(
    evidence: Evidence, policy: Policy, subjects: Mapping[str, str], *, now: str, said: Sequence[Entry] = ()
) -> Terms:
    """Return what an approval of this evidence under this policy must meet; `said` are the ledger's entries about the nominee."""
    identity = evidence.identity
    return Terms(
        subjects=subjects,
        authors=identity.authors,
        endpoint=identity.endpoint,
        target=Target(identity.model, identity.version, evidence.champion_version or 0),
        roles=policy.roles,
        principals=policy.principals,
        valid_days=policy.valid_days,
        now=now,
        moments=evidence.moments,
        said=said,
    )


def write_manifest(files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of these files: path to sha256, canonical."""
    return canonical_json({path: sha256_hex(content) for path, content in files.items()})
