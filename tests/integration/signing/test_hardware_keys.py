"""A key that lives on hardware: `ssh-keygen` asks the agent, the agent asks the device, and only the device knows the secret.

The device here is software (FIDO's signature as in PROTOCOL.u2f of OpenSSH); agent protocol, signature and verification are real.
"""

from __future__ import annotations

import base64
import os
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.people import VALIDATOR
from tests.unit.reviews.builders import build_statement
from workbench.signing.key import Key
from workbench.signing.ssh_signatures import (
    allowed_signer,
    find_signature_fault,
    read_public_key,
    read_signing_key,
    sign_bytes,
)
from workbench.signing.statement import Signed

KIND = b"sk-ssh-ed25519@openssh.com"
APPLICATION = b"ssh:"
TOUCHED, UNTOUCHED = 1, 0
_IDENTITIES, _SIGN, _FAILED = 11, 13, 5


def string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


class Device:
    """A security key: it signs what it is given together with how it was used."""

    def __init__(self) -> None:
        self._secret = Ed25519PrivateKey.generate()
        raw = self._secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = string(KIND) + string(raw) + string(APPLICATION)
        self.line = f"{KIND.decode()} {base64.b64encode(self.public).decode()}"
        self.used, self.flags = 0, TOUCHED

    def sign(self, content: bytes) -> bytes:
        self.used += 1
        use = bytes([self.flags]) + self.used.to_bytes(4, "big")
        signed = self._secret.sign(sha256(APPLICATION).digest() + use + sha256(content).digest())
        return string(KIND) + string(signed) + use


class Agent(socketserver.ThreadingUnixStreamServer):
    """An ssh-agent that holds the one key of a device."""

    def __init__(self, path: Path, device: Device) -> None:
        super().__init__(str(path), _Conversation)
        self.device = device


class _Conversation(socketserver.StreamRequestHandler):
    server: Agent

    def handle(self) -> None:
        while length := self.rfile.read(4):
            answer = self._answer(self.rfile.read(int.from_bytes(length, "big")))
            self.wfile.write(string(answer))

    def _answer(self, request: bytes) -> bytes:
        device = self.server.device
        if request[0] == _IDENTITIES:
            return bytes([_IDENTITIES + 1]) + (1).to_bytes(4, "big") + string(device.public) + string(b"on hardware")
        if request[0] == _SIGN:
            start = 1 + 4 + int.from_bytes(request[1:5], "big")
            size = int.from_bytes(request[start : start + 4], "big")
            return bytes([_SIGN + 1]) + string(device.sign(request[start + 4 : start + 4 + size]))
        return bytes([_FAILED])


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    """A device that the agent of this process asks."""
    with tempfile.TemporaryDirectory(prefix="agent-") as folder, Agent(Path(folder, "a"), Device()) as agent:
        thread = threading.Thread(target=agent.serve_forever)
        thread.start()
        monkeypatch.setenv("SSH_AUTH_SOCK", os.fspath(Path(folder, "a")))
        yield agent.device
        agent.shutdown()
        thread.join()


def sign_with(device: Device, tmp_path: Path) -> tuple[Any, Signed]:
    public = tmp_path / "id_ed25519_sk.pub"
    public.write_text(f"{device.line} on hardware\n", encoding="utf-8")
    statement = build_statement()
    content = statement.to_bytes()
    return statement, Signed(content, sign_bytes(content, Key(public), statement.signer.namespace))


def trust(device: Device, tmp_path: Path) -> Path:
    file = tmp_path / "allowed_signers"
    file.write_text(allowed_signer(VALIDATOR, ["validator"], device.line) + "\n", encoding="utf-8")
    return file


def test_a_key_on_hardware_signs_through_the_agent_and_holds(device: Device, tmp_path: Path) -> None:
    statement, signed = sign_with(device, tmp_path)
    assert device.used == 1
    assert read_signing_key(signed.signature) == device.line == read_public_key(tmp_path / "id_ed25519_sk.pub")
    assert find_signature_fault(signed, statement.signer, allowed_signers=trust(device, tmp_path)) is None


def test_another_device_or_other_bytes_do_not_hold(device: Device, tmp_path: Path) -> None:
    statement, signed = sign_with(device, tmp_path)
    assert find_signature_fault(signed, statement.signer, allowed_signers=trust(Device(), tmp_path))
    other = Signed(signed.statement + b" ", signed.signature)
    assert find_signature_fault(other, statement.signer, allowed_signers=trust(device, tmp_path))


def test_whether_it_must_be_touched_was_decided_when_its_key_was_made(device: Device, tmp_path: Path) -> None:
    device.flags = UNTOUCHED  # as a device does only with a key made by `ssh-keygen -O no-touch-required`
    statement, signed = sign_with(device, tmp_path)
    assert find_signature_fault(signed, statement.signer, allowed_signers=trust(device, tmp_path)) is None
