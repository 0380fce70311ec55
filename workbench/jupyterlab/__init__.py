"""JupyterLab at home: cards in its launcher, a panel beside the open notebook, and the part of its server that answers them."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "workbench.jupyterlab"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Answer the panel and the cards; loads nothing heavy while the server starts."""
    from workbench.jupyterlab.jupyter_server_handlers import add_handlers

    add_handlers(server.web_app, root=getattr(server.contents_manager, "root_dir", ""))
