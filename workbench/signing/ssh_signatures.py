"""SSHSIG signatures through `ssh-keygen -Y`: keys stay where they are (file, agent, hardware), trust is one text file."""

from __future__ import annotations

import base64
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from workbench.domain.approval import Approval, Statement, require_role, signing_namespace
from workbench.errors import Refused, Unavailable, UsageError
from workbench.signing.allowed_signers import PRINCIPAL, read_allowed_signers

_TIMEOUT_S = 120


def sign_bytes(content: bytes, *, key: Path, namespace: str) -> bytes:
    """Return the armored SSHSIG of `content`.

    `key` is a private key, or a public one whose private half an agent or a hardware key holds. Raises UsageError when the
    key cannot be read, Refused when it will not sign.
    """
    if not key.is_file():
        raise UsageError(
            f"There is no key at {key}.", next_step="Name your SSH key with --key, e.g. ~/.ssh/id_ed25519."
        )
    done = _ssh_keygen(["-Y", "sign", "-q", "-f", str(key), "-n", namespace], content)
    if done.returncode:
        raise Refused(
            f"{key} did not sign.", why=_said(done), next_step="Check the passphrase, or that the agent holds the key."
        )
    return done.stdout


def find_signature_fault(approval: Approval, statement: Statement, *, allowed_signers: Path) -> str | None:
    """Return what is wrong with an approval's signature, or None when it holds.

    The signature must be by the principal and in the namespace of the role that the statement names, by a key that the
    allowed-signers file grants both at the time the statement was issued. Raises Refused for a file in which one key can
    be two people.
    """
    issued = datetime.fromisoformat(statement.issued).astimezone(UTC)
    try:
        granted = read_allowed_signers(allowed_signers)
    except OSError as exc:
        return f"{allowed_signers} cannot be read: {exc.strerror}"
    with tempfile.NamedTemporaryFile(suffix=".sig") as signature, tempfile.NamedTemporaryFile() as trusted:
        for file, content in ((signature, approval.signature), (trusted, granted)):
            file.write(content)
            file.flush()
        arguments = ["-Y", "verify", "-f", trusted.name, "-I", statement.principal]
        arguments += ["-n", signing_namespace(statement.role), "-s", signature.name]
        arguments += ["-O", f"verify-time={issued:%Y%m%d%H%M%SZ}"]
        done = _ssh_keygen(arguments, approval.statement)
    return None if done.returncode == 0 else _said(done)


def read_public_key(key: Path) -> str | None:
    """Return the public key line of a key: it may be the public half itself, or the private one with its `.pub` beside it."""
    for path in (key.with_name(f"{key.name}.pub"), key):
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


def allowed_signer(principal: str, roles: list[str], public_key: str) -> str:
    """Return the allowed-signers line that grants a key to a principal in these roles.

    Raises UsageError for a role or a principal that would grant more than itself (a pattern, a list, another line).
    """
    if not PRINCIPAL.fullmatch(principal):
        raise UsageError(f"{principal!r} cannot be a principal.", why="It is letters, digits and . @ + - _ only.")
    namespaces = ",".join(signing_namespace(require_role(role)) for role in roles)
    kind, key, *_ = public_key.split()
    return f'{principal} namespaces="{namespaces}" {kind} {key}'


def _ssh_keygen(arguments: list[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments], input=content, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except FileNotFoundError as exc:
        raise Unavailable("Signatures need ssh-keygen.", next_step="Install the package openssh-client.") from exc
    except subprocess.TimeoutExpired as exc:
        raise Unavailable(f"ssh-keygen did not answer within {_TIMEOUT_S} s.") from exc


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    said = (done.stderr or done.stdout).decode(errors="replace").strip()
    return " ".join(said.split()) or f"ssh-keygen ended with {done.returncode}"
