"""What a release is made of: its files by path, their digests in a manifest, and what approvals of them must meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.evidence.evidence import Evidence
from workbench.ledger.ledger import Entry
from workbench.policies.policy import Policy
from workbench.records.digest import canonical_json, sha256_hex, strict_json
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


def find_changed_files(files: Mapping[str, bytes], manifest_digest: str) -> list[str]:
    """Return which files of a frozen bundle are not those its manifest names, the manifest being known by its digest."""
    if sha256_hex(files.get(MANIFEST, b"")) != manifest_digest:
        return [f"{MANIFEST} is not the one that was nominated."]
    listed = strict_json(files[MANIFEST])
    found = {path: sha256_hex(content) for path, content in files.items() if path != MANIFEST}
    return [
        f"{path} is not what was nominated."
        for path in sorted({*listed, *found})
        if listed.get(path) != found.get(path)
    ]


def write_manifest(files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of these files: path to sha256, canonical."""
    return canonical_json({path: sha256_hex(content) for path, content in files.items()})
