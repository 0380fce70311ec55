"""One valid release with real signatures and a waiver, and a forger who holds keys of his own and everything that is public."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from tests.soak.governed_world import remember_signatures
from tests.unit.evidence.builders import build_evidence
from tests.unit.models.builders import build_bundle_files
from tests.unit.people import AUTHOR, EXPIRES, ISSUED, NOW, OWNER, VALIDATOR
from tests.unit.policies.builders import read_policy
from tests.unit.reviews.builders import build_statement, build_subject_files
from workbench.errors import WorkbenchError
from workbench.evidence.evidence import Evidence
from workbench.records.digest import sha256_hex
from workbench.releases.release import Release, approval_paths, audit_release, waiver_paths
from workbench.reviews.approval import Statement
from workbench.reviews.bundle import MANIFEST, POLICY, SUBJECTS
from workbench.reviews.waiver import Waiver
from workbench.signing.key import Key
from workbench.signing.namespaces import signing_namespace
from workbench.signing.ssh_signatures import allowed_signer, make_key, sign_bytes
from workbench.signing.statement import Signed

SECOND_VALIDATOR, STRANGER = "vito@example.org", "mallory@example.org"
ROLES = {VALIDATOR: "validator", OWNER: "owner", SECOND_VALIDATOR: "validator"}
Judge = Callable[[], Sequence[str]]


@dataclass(frozen=True)
class Mutation:
    """What was changed, the words of the rules of which one must fire, and what judges it by returning its reasons."""

    what: str
    labels: tuple[str, ...]
    judge: Judge
    family: str = ""


Family = Callable[["Forger"], Mutation]


def find_reasons(judge: Judge) -> list[str]:
    """Return why something was refused, by its reasons or by an error that says no; empty when it was accepted."""
    try:
        return list(judge())
    except WorkbenchError as exc:
        return [exc.what, *exc.reasons]


class Forger:
    """Makes releases that hold, and knows how to make others that do not."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.keys = {who: folder / who.partition("@")[0] for who in (*ROLES, STRANGER, AUTHOR, f"second-{OWNER}")}
        self.public = {who: make_key(path, who) for who, path in self.keys.items()}
        self.verify, self.read_policy = remember_signatures(), cache(read_policy)
        self.signers = self.trust("allowed_signers", ROLES)
        self.waiver = self.sign_waiver(_make_waiver())
        self.evidence = build_evidence(waivers=(_make_waiver().to_fact(sha256_hex(self.waiver.statement)),))
        self.files = self.release_of(self.evidence)

    def trust(self, name: str, roles: Mapping[str, str], *, more: str = "") -> Path:
        """Write an allowed-signers file that grants these people's own keys their roles."""
        lines = [allowed_signer(who, [role], self.public[who]) for who, role in roles.items()]
        path = self.folder / name
        path.write_text("\n".join([*lines, more]) + "\n", encoding="utf-8")
        return path

    def sign(self, statement: Statement, *, by: str | None = None, namespace: str | None = None) -> Signed:
        """Sign a statement, by default with the key and in the namespace it names."""
        content = statement.to_bytes()
        key = self.keys[by or statement.principal]
        return Signed(content, sign_bytes(content, Key(key), namespace or signing_namespace(statement.role)))

    def sign_waiver(self, waiver: Waiver, *, by: str | None = None) -> Signed:
        """Sign a waiver, by default with the key of who gives it."""
        content = waiver.to_bytes()
        return Signed(content, sign_bytes(content, Key(self.keys[by or waiver.principal]), waiver.signer.namespace))

    def state(self, files: Mapping[str, bytes], principal: str, **changes: Any) -> Statement:
        """Return the statement by which somebody approves these files."""
        said: dict[str, Any] = {"principal": principal, "role": ROLES.get(principal, "owner")}
        said["subjects"] = {path: sha256_hex(files[path]) for path in SUBJECTS}
        return build_statement(**{**said, **changes})

    def release_of(
        self,
        evidence: Evidence,
        *,
        times: tuple[str, str] = (ISSUED, EXPIRES),
        people: int = 2,
        previous: int | None = None,
        **files: bytes,
    ) -> dict[str, bytes]:
        """Return a release that holds: with this evidence, approved by so many people between these times.

        They approve it in place of the `previous` version (None: of the champion it is held against).
        """
        content = {**build_bundle_files(), **build_subject_files(evidence), **files}
        said: dict[str, Any] = {"version": evidence.identity.version, "issued": times[0], "expires": times[1]}
        said["previous"] = evidence.champion_version or 0 if previous is None else previous
        signed = [self.sign(self.state(content, who, **said)) for who in [*ROLES][:people]]
        content = self.with_approvals(content, signed)
        return self.with_waiver(content, self.waiver) if evidence.waivers else content

    def with_waiver(self, files: Mapping[str, bytes], waiver: Signed) -> dict[str, bytes]:
        """Return the files with this waiver as their only one."""
        return {**files, **dict(zip(waiver_paths(1), (waiver.statement, waiver.signature), strict=True))}

    def with_approvals(self, files: Mapping[str, bytes], approvals: Sequence[Signed]) -> dict[str, bytes]:
        """Return the files with these approvals instead of those they have."""
        kept = {path: content for path, content in files.items() if "/approvals/" not in path}
        for number, each in enumerate(approvals, 1):
            statement, signature = approval_paths(number)
            kept |= {statement: each.statement, signature: each.signature}
        return kept

    def approvals(self) -> list[Signed]:
        """Return the approvals of the valid release."""
        paths = [approval_paths(number) for number in (1, 2)]
        return [Signed(self.files[statement], self.files[signature]) for statement, signature in paths]

    def audit(
        self, files: Mapping[str, bytes], *, now: str = NOW, signers: Path | None = None, subject: str | None = None
    ) -> Sequence[str]:
        """Return why these files may not be served, as the server judges them."""
        return self.judge(files, now=now, signers=signers, subject=subject).decision.reasons

    def judge(
        self, files: Mapping[str, bytes], *, now: str = NOW, signers: Path | None = None, subject: str | None = None
    ) -> Release:
        """Return what the server decides on these files."""
        return audit_release(
            files,
            verify=partial(self.verify, allowed_signers=signers or self.signers),
            read_policy=self.read_policy,
            least_principals=2,
            now=now,
            subject=subject,
        )

    def listed(self) -> list[str]:
        """Return the paths that the manifest lists."""
        return sorted(path for path in build_bundle_files() if path != MANIFEST)

    def pick(self, choices: Sequence[Any]) -> Any:
        """Return one of some choices."""
        return self.chance.choice(choices)

    def changed_evidence(self) -> Evidence:
        """Return evidence in which one fact is another."""
        return self.pick(
            [
                replace(self.evidence, files_unmodified=False),
                replace(
                    self.evidence, answers={**self.evidence.answers, "harm": f"None at all, {self.chance.random()}."}
                ),
                replace(self.evidence, champion_version=self.chance.randrange(3, 99)),
                replace(self.evidence, identity=replace(self.evidence.identity, git_dirty=True)),
            ]
        )


def _make_waiver() -> Waiver:
    subjects = build_subject_files(build_evidence())
    return Waiver(
        subjects={name: sha256_hex(subjects[name]) for name in (MANIFEST, POLICY)},
        principal=OWNER,
        role="owner",
        model="tumour",
        version=3,
        check="beats_baseline",
        finding="UNKNOWN: there is no baseline",
        reason="The constant prediction is known to be worse.",
        issued=ISSUED,
        expires="2027-01-20T10:00:00+00:00",
    )
