"""Where secrets are kept: one source a file; each takes a place and returns the value or says why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from workbench.errors import UsageError
from workbench.secrets.references import FORMS_OF_REFERENCE, SHORTEST_SECRET, Reference, parse_reference
from workbench.secrets.sources.file import read_file_secret
from workbench.secrets.sources.keyring_entry import read_keyring_secret


class NoSecret(UsageError):
    """A reference leads to no secret that can be used."""


def resolve_secret(reference: str, *, environment: Mapping[str, str], project: Path) -> str:
    """Return the value a reference leads to; relative files are below `project`.

    Raises NoSecret saying why there is none; a text that is no reference is not repeated, since it may be the secret itself.
    """
    found = parse_reference(reference)
    if found is None:
        raise NoSecret(
            "What was given is no reference to a secret, and is not shown: it may be the secret itself.",
            next_step=f"Give {FORMS_OF_REFERENCE}.",
        )
    try:
        return _require_usable(_SOURCES[found.source](found.place, environment, project))
    except LookupError as exc:
        raise _missing(found, str(exc.args[0])) from None


def _require_usable(value: str) -> str:
    if len(value.strip()) < SHORTEST_SECRET:
        # Too short to be told from other text, it would be left standing wherever the notebook shows it.
        raise LookupError(f"what is there has fewer than {SHORTEST_SECRET} characters.")
    return value


def _missing(reference: Reference, why: str) -> NoSecret:
    return NoSecret(
        f"There is no secret at {reference}.",
        why=why,
        next_step=f"Put it there, or give another place: {FORMS_OF_REFERENCE}.",
    )


def _read_variable(name: str, environment: Mapping[str, str], _: Path) -> str:
    if not environment.get(name):
        raise LookupError(f"the environment variable {name} is not set.")
    return environment[name]


# How each source is asked: place, environment and project in; LookupError with the reason for no value.
_SOURCES: Mapping[str, Callable[[str, Mapping[str, str], Path], str]] = {
    "env": _read_variable,
    "file": read_file_secret,
    "keyring": read_keyring_secret,
}
