"""Policies as files: where they are found, and held against what a nominee was nominated under."""

from __future__ import annotations

from pathlib import Path

from workbench.config import Settings, expand_path, find_template, is_shipped_name
from workbench.errors import NotFound, UsageError
from workbench.records.digest import sha256_hex, short
from workbench.records.yaml_documents import LARGEST_BYTES

_NAME_ONE = "Name one of templates/policies, or a file by its path, as ./{}."


def find_policy(name: str, project: Path) -> bytes:
    """Return the bytes of a policy: one of templates/policies by its bare name, else a file, of a relative path below `project`.

    A file that happens to have the name of a template never stands in for it: a file is named by a path, as ./standard. Raises
    NotFound when there is none.
    """
    try:
        return _read_file(
            find_template("policies", f"{name}.yaml") if is_shipped_name(name) else project / expand_path(name)
        )
    except NotFound as exc:
        raise NotFound(f"There is no policy {name}.", why=exc.what, next_step=_NAME_ONE.format(name)) from exc
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
        raise NotFound(
            f"There is no policy {name}.",
            why=why,
            next_step=_NAME_ONE.format("policy.yaml"),
        ) from exc


def list_shipped_policies() -> list[str]:
    """Return the names of templates/policies, sorted."""
    return sorted(path.stem for path in find_template("policies", "standard.yaml").parent.glob("*.yaml"))


def _read_file(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise ValueError("It is no file.")
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"It is larger than {LARGEST_BYTES:,} bytes.")
    return content


def find_policy_fault(name: str | None, frozen: bytes, project: Path) -> str | None:
    """Return why a policy that was used is not the one of its name any more, None when it is.

    A policy is named by its bytes: whoever changes it makes another one, under which nobody has judged anything yet.
    """
    if name is None:
        return None
    try:
        now = find_policy(name, project)
    except (NotFound, UsageError):
        return f"Policy {name} cannot be read any more. Put its file back, or nominate the run under another one."
    if now == frozen:
        return None
    then, changed = short(sha256_hex(frozen)), short(sha256_hex(now))
    return f"Policy {name} was {then} when this was nominated and is {changed} now. Nominate the run again under it."


def find_policy_note(settings: Settings, frozen: bytes) -> str:
    """Return that a nominee is judged by another policy than the project's, empty when it is that one or that cannot be read."""
    try:
        now = find_policy(settings.policy, settings.project)
    except (NotFound, UsageError):
        return ""
    if now == frozen:
        return ""
    own = f"{settings.policy} with sha256 {short(sha256_hex(now))}"
    return f"This is not the project's policy, which is {own}: read what it asks for."
