"""Forgeries of files: what is in a release, the folder it is in, and texts that two readers read differently.

Each family makes one, at random, and says the words of the rule that must refuse it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from tests.soak.tampering_release import Family, Forger, Mutation
from tests.unit.people import NOW, OWNER, VALIDATOR
from tests.unit.policies.builders import build_policy_bytes
from workbench.evidence.evidence import FORMAT
from workbench.records.digest import sha256_hex
from workbench.releases import release_audit
from workbench.reviews.bundle import CARD, EVIDENCE, MANIFEST, POLICY
from workbench.signing.key import Key
from workbench.signing.statement import Signed

Files = dict[str, bytes]

# The files of the bundle


def flip_a_bit_of_the_model(forger: Forger) -> Mutation:
    path = forger.pick(forger.listed())
    content = bytearray(forger.files[path])
    at = forger.chance.randrange(len(content) * 8)
    content[at // 8] ^= 1 << at % 8
    files = {**forger.files, path: bytes(content)}
    return Mutation(f"bit {at} of {path}", (f"{path} was changed.",), lambda: forger.audit(files))


def delete_a_file(forger: Forger) -> Mutation:
    path = forger.pick(sorted(forger.files))
    files = {name: content for name, content in forger.files.items() if name != path}
    labels = (f"{path} is missing.", "is incomplete.", "is missing.")
    return Mutation(f"{path} deleted", labels, lambda: forger.audit(files))


def add_a_file(forger: Forger) -> Mutation:
    below = forger.pick(
        ["workbench/", "release/", "release/model/", "release/approvals/", "release/waivers/", "", ".", "a/b/"]
    )
    path = f"{below}{forger.chance.randrange(10**6)}.{forger.pick(['py', 'json', 'sig', 'pkl', 'statement.json.bak'])}"
    files = {**forger.files, path: b"more"}
    return Mutation(f"{path} added", (f"{path} was added.",), lambda: forger.audit(files))


def rename_a_file(forger: Forger) -> Mutation:
    path = forger.pick(forger.listed())
    name = forger.pick([path.upper(), f"{path} ", f"./{path}", path.replace("e", "\u0435"), f"{path}.", path[:-1]])
    files = {name if each == path else each: content for each, content in forger.files.items()}
    return Mutation(f"{path} renamed {name!r}", (f"{path} is missing.",), lambda: forger.audit(files))


def swap_two_files(forger: Forger) -> Mutation:
    one, other = forger.chance.sample(forger.listed(), 2)
    files = {**forger.files, one: forger.files[other], other: forger.files[one]}
    return Mutation(f"{one} and {other} swapped", (f"{one} was changed.",), lambda: forger.audit(files))


# The folder


@contextmanager
def _on_disk(forger: Forger) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=forger.folder) as scratch:
        for path, content in forger.files.items():
            (Path(scratch) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(scratch) / path).write_bytes(content)
        yield Path(scratch)


def _audit_folder(forger: Forger, harm: Callable[[Path], None], signers: Path | None = None) -> Sequence[str]:
    with _on_disk(forger) as folder, patch.object(release_audit, "find_signature_fault", forger.verify):
        harm(folder)
        release_audit.audit_folder(folder, allowed_signers=signers or forger.signers, least_principals=2, now=NOW)
    return ()


def _link(path: Path) -> None:
    kept = path.with_name(f"{path.name}.kept")
    path.rename(kept)
    path.symlink_to(kept)


def _link_folder(path: Path) -> None:
    shutil.move(path.parent, path.parent.with_name("moved"))
    path.parent.symlink_to(path.parent.with_name("moved"))


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def harm_the_folder(forger: Forger) -> Mutation:
    path = forger.pick(forger.listed())
    how, label, harm = forger.pick(
        [
            ("a link", "is a symbolic link", _link_folder),
            ("a link", "is not a regular file", _link),
            ("a pipe", "is not a regular file", _pipe),
            ("an empty folder", "is an empty folder", lambda file: (file.parent / "empty").mkdir()),
            ("a dot-file", ".hidden was added.", lambda file: (file.parent / ".hidden").write_bytes(b"")),
            ("bytecode", "was added.", lambda file: file.with_suffix(".pyc").write_bytes(b"code")),
            (
                "a name of control characters",
                "has a name that is not plain text",
                lambda f: (f.parent / "a\nb").write_bytes(b""),
            ),
            ("a folder", "is missing.", lambda file: (file.unlink(), file.mkdir(), (file / "x").write_bytes(b""))),
        ]
    )
    return Mutation(f"{how} at {path}", (label,), lambda: _audit_folder(forger, lambda folder: harm(folder / path)))


# Stale


def change_the_evidence(forger: Forger) -> Mutation:
    files = {**forger.files, EVIDENCE: forger.changed_evidence().to_bytes()}
    return Mutation("the evidence after it was approved", (f"stale: {EVIDENCE}",), lambda: forger.audit(files))


def change_the_card(forger: Forger) -> Mutation:
    files = {**forger.files, CARD: forger.files[CARD] + forger.pick([b"\n", b" ", b"\r", "\u200b".encode(), b"\0"])}
    return Mutation("the card after it was approved", (f"stale: {CARD}",), lambda: forger.audit(files))


def weaken_the_policy(forger: Forger) -> Mutation:
    policy = build_policy_bytes()
    weaker = forger.pick(
        [
            policy.replace(b"principals: 2", b"principals: 1"),
            policy.replace(b"validator: 1, owner: 1", b"owner: 1"),
            policy.replace(b"valid_days: 180", b"valid_days: 9999"),
            policy.replace(b"limit: 0.80", b"limit: 0.10"),
            policy.replace(b"most_shared_rows: 0", b"most_shared_rows: 99999"),
        ]
    )
    weaker += b"# %d\n" % forger.chance.randrange(10**9)
    files = {**forger.files, POLICY: weaker}
    return Mutation("a weaker policy", (f"stale: {POLICY}",), lambda: forger.audit(files))


def approve_under_a_policy_of_one(forger: Forger) -> Mutation:
    policy = (
        build_policy_bytes().replace(b"validator: 1, owner: 1", b"owner: 1").replace(b"principals: 2", b"principals: 1")
    )
    files = {**forger.files, POLICY: policy + b"# %d\n" % forger.chance.randrange(10**9)}
    files = forger.with_approvals(files, [forger.sign(forger.state(files, OWNER))])
    return Mutation(
        "a policy of one, signed",
        ("This server asks for 2 approving people; 1 approved.",),
        lambda: forger.audit(files),
    )


# Two readings of one text


def say_it_in_two_ways(forger: Forger) -> Mutation:
    """Sign evidence that two readers may read differently, as people would who were shown another reading."""
    text = forger.evidence.to_bytes().decode()
    how, other = forger.pick(
        [
            ("a key twice", text.replace('{"answers"', '{"files_unmodified":false,"answers"', 1)),
            ("a key twice", text.replace('"version":3', '"version":9,"version":3', 1)),
            ("not a number", text.replace('"rows":143', '"rows":NaN', 1)),
            ("endless", text.replace('"rows":143', '"rows":Infinity', 1)),
            ("1.0 for 1", text.replace('"sequence":1,', '"sequence":1.0,', 1)),
            ("an exponent", text.replace('"rows":143', '"rows":143e0', 1)),
            ("a big number", text.replace('"rows":143', '"rows":1' + "0" * 5000, 1)),
            ("spaces", text.replace(":", ": ", 1)),
            ("an escape", text.replace("tumour", "\\u0074umour", 1)),
            ("another order", json.dumps(dict(reversed(json.loads(text).items())))),
            ("lists in lists", "[" * 6 + "]" * 6),
            ("a byte order mark", "\ufeff" + text),
            ("one more key", text.replace('{"answers"', '{"aaa":1,"answers"', 1)),
            ("an older format", text.replace(f'"format":{FORMAT}', '"format":1', 1)),
            (
                "a format to come",
                text.replace(f'"format":{FORMAT}', f'"format":{FORMAT + forger.chance.randrange(1, 99)}', 1),
            ),
        ]
    )
    assert other != text, how
    files = {**forger.files, EVIDENCE: other.encode()}
    files = forger.with_approvals(files, [forger.sign(forger.state(files, who)) for who in (VALIDATOR, OWNER)])
    return Mutation(f"evidence with {how}", ("The evidence cannot be read",), lambda: forger.audit(files))


def list_a_file_twice(forger: Forger) -> Mutation:
    manifest = forger.files[MANIFEST]
    other = forger.pick(
        [b'{"x":1,' + manifest[1:], manifest[:-1] + b',"x":NaN}', b"[]", b"null", b"1", b"{" + manifest]
    )
    twice = b"{" + manifest[1:-1] + b"," + manifest[1:]
    content = forger.pick([other, twice])
    identity = replace(forger.evidence.identity, bundle_digest=sha256_hex(content))
    evidence = replace(forger.evidence, identity=identity)
    files = {**forger.files, MANIFEST: content, EVIDENCE: evidence.to_bytes()}
    files = forger.with_approvals(files, [forger.sign(forger.state(files, who)) for who in (VALIDATOR, OWNER)])
    return Mutation(
        "a manifest of two readings", (f"{MANIFEST} cannot be read", "x is missing."), lambda: forger.audit(files)
    )


def misspell_a_statement(forger: Forger) -> Mutation:
    one, other = forger.approvals()
    text = other.statement.decode()
    changed = forger.pick(
        [
            text.replace('"version":3', '"version":3.0'),
            text.replace('"version":3', '"version":true'),
            text.replace('"version":3', '"version":3,"version":3'),
            text.replace('"version":3', '"version":1' + "0" * 4000),
            text.replace('"sequence":17', '"sequence":-17'),
            text.replace("+00:00", ""),
            text.replace('"role":"owner"', '"role":"owner","role":"owner"'),
            text.replace('"owner"', "null"),
            f" {text}",
            f"{text}\n",
        ]
    )
    content = changed.encode()
    signature = forger.pick([other.signature, _sign_bytes(forger, content)])
    files = forger.with_approvals(forger.files, [one, Signed(content, signature)])
    return Mutation(
        "a statement in other words",
        ("cannot be read", "canonical", "printable", "whole number", "names no time zone", "not tumour/3"),
        lambda: forger.audit(files),
    )


def _sign_bytes(forger: Forger, content: bytes) -> bytes:
    from workbench.signing.ssh_signatures import sign_bytes

    return sign_bytes(content, Key(forger.keys[OWNER]), "workbench.approval.owner")


FAMILIES: tuple[Family, ...] = (
    flip_a_bit_of_the_model,
    delete_a_file,
    add_a_file,
    rename_a_file,
    swap_two_files,
    harm_the_folder,
    change_the_evidence,
    change_the_card,
    weaken_the_policy,
    approve_under_a_policy_of_one,
    say_it_in_two_ways,
    list_a_file_twice,
    misspell_a_statement,
)
