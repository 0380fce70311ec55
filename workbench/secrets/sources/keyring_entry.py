"""Secrets kept in the keyring of the desktop or system, read with the `keyring` package where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def read_keyring_secret(place: str, _: Mapping[str, str], __: Path) -> str:
    """Return the password of `SERVICE/USER`; raises LookupError saying why there is none."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as exc:
        raise LookupError("the package keyring is not installed; `pip install keyring` adds it.") from exc
    service, _slash, user = place.rpartition("/")
    try:
        value: str | None = keyring.get_password(service, user)
    except KeyringError as exc:
        raise LookupError(f"the keyring did not answer: {type(exc).__name__}.") from exc
    if not value:
        raise LookupError(f"the keyring has no password of {user} for {service}.")
    return value
