"""Places: where something was looked for, in words, without what would let somebody in."""

from __future__ import annotations

from workbench.config import Settings


def describe_store(settings: Settings) -> str:
    """Return where a project's runs and its ledger are: a path, or a server and database without user, password and options."""
    if not settings.store_url:
        return str(settings.home_folder / "workbench.db")
    scheme, _, rest = settings.store_url.partition("://")
    place = rest.partition("?")[0]
    if scheme.startswith("sqlite"):
        return place.removeprefix("/") or "memory"
    return f"{place.rpartition('@')[2]} ({scheme.partition('+')[0]})"
