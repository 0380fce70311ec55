"""SSHSIG signatures through `ssh-keygen -Y`: keys stay where they are (file, agent, hardware), trust is one text file."""

from __future__ import annotations

import base64
import binascii
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from workbench.errors import Refused, Unavailable, UsageError
from workbench.policies.roles import require_role
from workbench.records.clock import read_moment
from workbench.records.people import PRINCIPAL
from workbench.signing.allowed_signers import read_allowed_signers
from workbench.signing.askpass import Handover, hand_over
from workbench.signing.key import Key
from workbench.signing.namespaces import role_namespaces
from workbench.signing.statement import Signed, Signer

# Beside the allowed-signers file: public keys, or a key revocation list of ssh-keygen; a key in it never held, whenever it signed.
REVOKED_KEYS = "revoked_keys"
_TIMEOUT_S = 120
_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----", b"-----END SSH SIGNATURE-----"
# A date without a zone in an allowed-signers file is one in UTC, wherever it is read; this spelling of UTC needs no table of zones.
_IN_UTC = {"TZ": "UTC0"}
_MAGIC = b"SSHSIG" + (1).to_bytes(4, "big")


def sign_bytes(content: bytes, key: Key, namespace: str) -> bytes:
    """Return the armored SSHSIG of `content`.

    The key's passphrase is used for this signature and kept nowhere. Raises UsageError when the key cannot be read, Refused when
    it will not sign.
    """
    if not key.path.is_file():
        raise UsageError(
            f"There is no key at {key.path}.", next_step="Name your SSH key with --key, e.g. ~/.ssh/id_ed25519."
        )
    with hand_over(key.passphrase) as handover:
        done = _ssh_keygen(["-Y", "sign", "-q", "-f", str(key.path), "-n", namespace], content, handover)
    if done.returncode:
        raise _explain_refusal(key.path, _said(done), is_passphrase_given=bool(key.passphrase))
    return done.stdout


def _explain_refusal(key: Path, said: str, *, is_passphrase_given: bool) -> Refused:
    if "passphrase" not in said:
        return Refused(
            f"{key} did not sign.", why=said, next_step="Check that it is a key, or that the agent holds it."
        )
    if is_passphrase_given:
        return Refused(f"The passphrase does not open {key}.", why=said, next_step="Type it again; it is not kept.")
    return Refused(
        f"{key} needs its passphrase.", why=said, next_step=f"Give the passphrase, or load the key: ssh-add {key}"
    )


def find_signature_fault(signed: Signed, signer: Signer, *, allowed_signers: Path) -> str | None:
    """Return what is wrong with a signature, or None when it holds.

    It must be by the principal and in the namespace that the statement names, by a key that the allowed-signers file grants both
    at the time the statement was issued, and that the list of revoked keys beside it (if there is one) does not hold. Raises
    Refused for a file in which one key can be two people.
    """
    issued = read_moment(signer.issued)
    if not _is_armored_as_written(signed.signature):
        return "the signature is not spelled as ssh-keygen spells it"
    try:
        files = {
            "-f": read_allowed_signers(allowed_signers),
            "-s": signed.signature,
            "-r": _read_revoked(allowed_signers),
        }
    except OSError as exc:
        return f"{exc.filename} cannot be read: {exc.strerror}"
    fault = _verify(signed.statement, signer, issued, files)
    is_revoked = fault and files.pop("-r") is not None and _verify(signed.statement, signer, issued, files) is None
    return f"the key is in {REVOKED_KEYS}" if is_revoked else fault


def _verify(content: bytes, signer: Signer, issued: datetime, files: Mapping[str, bytes | None]) -> str | None:
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        arguments = ["-Y", "verify", "-I", signer.principal, "-n", signer.namespace]
        arguments += ["-O", f"verify-time={issued:%Y%m%d%H%M%SZ}"]
        for option, held in files.items():
            if held is not None:
                path = Path(folder, option.strip("-"))
                path.write_bytes(held)
                arguments += [option, str(path)]
        done = _ssh_keygen(arguments, content)
    return None if done.returncode == 0 else _said(done).replace(f"{folder}/f:", "line ")


def _read_revoked(allowed_signers: Path) -> bytes | None:
    """Return the list of revoked keys beside an allowed-signers file, None when there is none."""
    path = allowed_signers.resolve().with_name(REVOKED_KEYS)
    # A link that leads nowhere is no empty list: what cannot be read is a fault.
    return path.read_bytes() if os.path.lexists(path) else None


def _is_armored_as_written(signature: bytes) -> bool:
    """True for the one spelling of a signature: `ssh-keygen` would read others too, and bytes after it, and say nothing.

    Agents and versions differ in the length of a line; not in anything else.
    """
    lines = signature.split(b"\n")
    if len(lines) < 4 or lines[0] != _BEGIN or lines[-2:] != [_END, b""]:
        return False
    body = lines[1:-2]
    try:
        blob = base64.b64decode(b"".join(body), validate=True)
    except binascii.Error:
        return False
    is_even = all(len(line) == len(body[0]) for line in body[:-1]) and 0 < len(body[-1]) <= len(body[0])
    # A version below the present one would be read, too, as if it said the present one.
    return is_even and base64.b64encode(blob) == b"".join(body) and blob.startswith(_MAGIC)


def read_public_key(key: Path) -> str | None:
    """Return the public key line of a key: it may be the public half itself, or the private one with its `.pub` beside it."""
    for path in (Path(f"{key}.pub"), key):
        words = path.read_text(encoding="utf-8", errors="replace").split() if path.is_file() else []
        if len(words) >= 2 and words[0].startswith(("ssh-", "ecdsa-", "sk-")):
            return " ".join(words[:2])
    return None


def read_signing_key(signature: bytes) -> str:
    """Return the public key line (`ssh-ed25519 AAAA...`) that an armored SSHSIG says it was made with (PROTOCOL.sshsig)."""
    blob = base64.b64decode(b"".join(signature.strip().splitlines()[1:-1]))
    key = _read_string(blob[len(b"SSHSIG") + 4 :])
    return f"{_read_string(key).decode()} {base64.b64encode(key).decode()}"


def _read_string(blob: bytes) -> bytes:
    return blob[4 : 4 + int.from_bytes(blob[:4], "big")]


def make_key(path: Path, comment: str) -> str:
    """Make an ed25519 key pair without passphrase at `path` and return the public key line."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    done = _ssh_keygen(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], b"")
    if done.returncode:
        raise Unavailable(f"No key could be made at {path}.", why=_said(done))
    return path.with_name(f"{path.name}.pub").read_text(encoding="utf-8").strip()


def allowed_signer(principal: str, roles: Sequence[str], public_key: str) -> str:
    """Return the allowed-signers line that lets a principal approve, waive and object in these roles; errors as in `grant`."""
    granted = dict.fromkeys(name for role in roles for name in role_namespaces(require_role(role)))
    return grant(principal, list(granted), public_key)


def grant(principal: str, namespaces: Sequence[str], public_key: str) -> str:
    """Return the allowed-signers line that grants a key to a principal in these namespaces.

    Raises UsageError for a principal that would grant more than itself (a pattern, a list, another line).
    """
    if not PRINCIPAL.fullmatch(principal):
        raise UsageError(f"{principal!r} cannot be a principal.", why="It is letters, digits and . @ + - _ only.")
    kind, key, *_ = public_key.split()
    return f'{principal} namespaces="{",".join(namespaces)}" {kind} {key}'


def _ssh_keygen(
    arguments: list[str], content: bytes, handover: Handover | None = None
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments],
            input=content,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
            env={**os.environ, **_IN_UTC, **(handover.environment if handover else {})},
            pass_fds=handover.descriptors if handover else (),
        )
    except FileNotFoundError as exc:
        raise Unavailable("Signatures need ssh-keygen.", next_step="Install the package openssh-client.") from exc
    except subprocess.TimeoutExpired as exc:
        raise Unavailable(f"ssh-keygen did not answer within {_TIMEOUT_S} s.") from exc


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    said = (done.stderr or done.stdout).decode(errors="replace").strip()
    return " ".join(said.split()) or f"ssh-keygen ended with {done.returncode}"
