"""The part of Jupyter's server that answers cards and panel: to whoever is logged in there, at addresses below `workbench/`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import tornado.web as web
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.utils import url_path_join

from workbench.errors import UsageError, WorkbenchError

Result = TypeVar("Result")
_STATIC = Path(__file__).parent / "static"
_PARTS = {"js": ("panel.js", "extension.js"), "css": ("extension.css",)}
# What a report may do in the browser: show its own text and pictures.
_REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def add_handlers(app: Any, *, root: str) -> None:
    """Add what answers to a server that shows the notebooks below `root`."""
    shared = {"desk": _Desk(root)}
    names: Mapping[str, type[JupyterHandler]] = {
        "panel": PanelHandler,
        "cards": CardHandler,
        "report": ReportHandler,
        r"extension\.(js|css)": ExtensionHandler,
    }
    base = url_path_join(app.settings["base_url"], "workbench")
    app.add_handlers(".*$", [(url_path_join(base, name), handler, shared) for name, handler in names.items()])


class _Desk:
    """Does what is asked one after the other in a thread, so that the server goes on; opened at the first question."""

    def __init__(self, root: str) -> None:
        self.root = Path(root).expanduser().absolute() if root else None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="workbench-panel")
        self._panels: Any = None

    async def ask(self, act: Callable[[Any], Result]) -> Result:
        """Return what an act on the panels returns."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: act(self._open()))

    def _open(self) -> Any:
        from workbench.jupyterlab.answering import Panels

        if self.root is None:
            raise UsageError("Notebooks here are no files, so that nothing can run them.")
        if self._panels is None:
            self._panels = Panels(self.root)
        return self._panels


class _Handler(APIHandler):
    """Answers in JSON; an error of ours is told in its three parts."""

    auth_resource = "contents"

    def initialize(self, desk: _Desk) -> None:
        """Take what is shared by all."""
        self.desk = desk

    async def answer(self, act: Callable[[Any], Any]) -> None:
        """Answer what an act on the panels returns."""
        from workbench.jupyterlab.panel_state import describe_error

        try:
            self.finish(json.dumps(await self.desk.ask(act)))
        except WorkbenchError as exc:
            self.set_status(400)
            self.finish(json.dumps(describe_error(exc)))

    def read_request(self) -> Mapping[str, Any]:
        """Return the request's body; raises HTTPError for what is no JSON object."""
        found = self.get_json_body()
        if not isinstance(found, dict):
            raise web.HTTPError(400, "The body is no JSON object.")
        return found


class PanelHandler(_Handler):
    """Shows the panel of a notebook, and does what somebody wants who looks at it."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Return the state of the panel beside the notebook `path`."""
        from workbench.jupyterlab.panel_state import panel_state

        path = self.get_argument("path")
        await self.answer(lambda panels: panel_state(panels.look(path)))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Do one of `INTENTS` with a notebook, and return what the panel shows then."""
        from workbench.jupyterlab.intents import act_on

        request = self.read_request()
        await self.answer(lambda panels: act_on(panels, request))


class CardHandler(_Handler):
    """Lists the cards, and opens what one stands for."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Return the cards, in their order."""
        from workbench.jupyterlab.opening_cards import CARDS

        self.finish(json.dumps([{"name": name, **asdict(card)} for name, card in CARDS.items()]))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Open a card in the folder that the launcher is in."""
        from workbench.jupyterlab.intents import open_in

        request = self.read_request()
        await self.answer(lambda panels: open_in(panels, request))


class ReportHandler(_Handler):
    """Shows the report of a run, whose folder may lie outside of what JupyterLab shows."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Return the report of the run `run` of the notebook `path` as a page without script."""
        path, run = self.get_argument("path"), self.get_argument("run")
        try:
            content = await self.desk.ask(lambda panels: panels.find_report(path, run).read_bytes())
        except (WorkbenchError, OSError) as exc:
            raise web.HTTPError(404, str(exc)) from exc
        self.set_header("Content-Security-Policy", _REPORT_POLICY)
        self.finish(content, set_content_type="text/html; charset=utf-8")


class ExtensionHandler(JupyterHandler):
    """Gives JupyterLab what it shows cards and panel with; of the same version as what answers."""

    def initialize(self, desk: _Desk) -> None:
        """Take what is shared by all."""
        self.desk = desk

    @web.authenticated
    async def get(self, kind: str) -> None:
        """Return the script or the style sheet; that of the views holds in the panel alone, and changes no notebook's looks."""
        from workbench.widgets.snapshot import read_module, read_style

        own = [(_STATIC / name).read_text(encoding="utf-8") for name in _PARTS[kind]]
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Content-Type", {"js": "text/javascript", "css": "text/css"}[kind] + "; charset=utf-8")
        shared = read_module() if kind == "js" else f"@scope (.wb-panel, .wb-told) {{\n{read_style()}\n}}"
        self.finish("\n".join([shared, *own]))
