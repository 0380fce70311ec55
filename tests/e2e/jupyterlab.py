"""A real JupyterLab on loopback and a real Chromium in front of it, both without any other network."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, ViewportSize, sync_playwright
from playwright.sync_api import TimeoutError as NotYet

from tests.conftest import own_environment

CHECKOUT = Path(__file__).parents[2]
SCREENSHOTS = CHECKOUT / "screenshots"
_START_S = 60
_SIZE: ViewportSize = {"width": 1200, "height": 1400}
_BROWSER_OPTIONS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
)
_SETTINGS = {
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
    "apputils-extension/themes": '{"adaptive-theme": false}',
    "notebook-extension/tracker": '{"windowingMode": "none"}',
}


_IS_CURRENT = """(name) => {
  const { currentWidget } = window.jupyterapp.shell;
  return Boolean(currentWidget?.sessionContext) && currentWidget.context.path === name;
}"""


# What JupyterLab says of a notebook that was closed while it saved itself; it keeps the focus until somebody answers.
_CLOSE_SAVE_ERRORS = """() => document
  .querySelectorAll('.jp-Dialog[aria-label^="File Save Error"][aria-label$="Disposed"]')
  .forEach((dialog) => dialog.querySelector("button.jp-mod-styled").click())"""


class Server:
    """A JupyterLab server with folders of its own below `root`; its notebooks can import this checkout.

    With the folder of an environment it is that environment's, without the checkout.
    """

    def __init__(self, root: Path, environment: Path | None = None) -> None:
        self._own = environment
        self.notebooks = root / "notebooks"
        self.notebooks.mkdir(parents=True, exist_ok=True)
        self._home = root / "jupyter"
        for name, text in _SETTINGS.items():
            path = self._home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._token = secrets.token_hex(16)
        self._said: list[str] = []
        self._ready = threading.Event()
        self.address = ""

    @contextmanager
    def run(self) -> Iterator[Server]:
        """Start the server, wait until it says where it is, and stop it at the end."""
        with subprocess.Popen(self._command(), env=self._environment(), stderr=subprocess.PIPE, text=True) as process:
            reader = threading.Thread(target=self._read, args=(process,))
            reader.start()
            try:
                if not self._ready.wait(_START_S) or not self.address:
                    pytest.fail(f"JupyterLab did not start within {_START_S} s:\n" + "".join(self._said[-30:]))
                yield self
            finally:
                process.terminate()
                process.wait(30)
                reader.join(30)

    def write(self, name: str, cells: Sequence[str]) -> str:
        """Write a notebook of these code cells and return its name."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.notebooks / name)
        return name

    def _command(self) -> list[str]:
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": "0",
            "ServerApp.open_browser": "False",
            "ServerApp.allow_root": "True",
            "ServerApp.root_dir": str(self.notebooks),
            "LabApp.expose_app_in_browser": "True",
            "LabApp.news_url": "",
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        }
        python = str(self._own / "bin" / "python") if self._own else sys.executable
        return [python, "-P", "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]

    def _environment(self) -> Mapping[str, str]:
        folders = {f"JUPYTER_{name}_DIR": str(self._home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        lab = {f"JUPYTERLAB_{name}_DIR": str(self._home / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
        ipython = {"IPYTHONDIR": str(self._home / "ipython")}
        inherited = own_environment() if self._own else {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        return {**inherited, **folders, **lab, **ipython, "JUPYTER_TOKEN": self._token}

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self._said.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+/lab", line)
            if found and not self.address:
                self.address = f"{found[0]}?token={self._token}"
                self._ready.set()
        self._ready.set()


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Open the system's Chromium, headless; fails when there is none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("Browser tests need a program named chromium on the PATH (Debian: apt-get install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_BROWSER_OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


def find_violations(page: Page, within: str) -> list[str]:
    """Return what axe-core finds serious or critical inside an element."""
    found = Axe().run(page, context=within)
    return [
        f"{violation['id']}: {violation['help']} {[node['target'] for node in violation['nodes']][:3]}"
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


class Lab:
    """One JupyterLab page; what it asks of other hosts is refused and kept in `outside`."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.server = server
        self.outside: list[str] = []
        self.dialogs: list[str] = []
        self._context = browser.new_context(viewport=_SIZE)
        self.page: Page = self._context.new_page()
        self.page.on("dialog", self._dismiss)
        self.page.route("**/*", self._stay_home)
        self.page.goto(f"{server.address}&reset")
        self._await_start()
        self.execute("application:toggle-left-area")
        self.choose_theme("JupyterLab Light")

    def close(self) -> None:
        """Close the page and stop its kernels."""
        self.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
        self._context.close()

    def start_anew(self) -> None:
        """Leave every notebook without saving it, stop its kernel, and look as at the start."""
        self.page.evaluate("() => [...window.jupyterapp.shell.widgets('main')].forEach(widget => widget.dispose())")
        self.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
        self.page.evaluate(_CLOSE_SAVE_ERRORS)
        self.page.set_viewport_size(_SIZE)
        self.choose_theme("JupyterLab Light")

    def reload(self) -> None:
        """Load the page anew; kernels go on."""
        self.page.reload()
        self._await_start()

    def execute(self, command: str, arguments: Mapping[str, Any] | None = None) -> None:
        """Execute one of JupyterLab's own commands and wait until it is done."""
        script = "([command, given]) => window.jupyterapp.commands.execute(command, given).then(() => true)"
        self.page.evaluate(script, [command, dict(arguments or {})])

    def open(self, name: str, *, run: bool = True) -> Locator:
        """Open a notebook, start running its cells when asked to, and return its panel."""
        self.execute("docmanager:open", {"path": name, "factory": "Notebook"})
        panel = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        panel.wait_for()
        self._await_current(name)
        if run:
            self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.ready.then(() => true)")
            self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
        return panel

    def _await_current(self, name: str) -> None:
        """Wait until JupyterLab counts a notebook as the current one; where the focus was taken from it, as a user does."""
        for _ in range(5):
            with suppress(NotYet):
                self.page.wait_for_function(_IS_CURRENT, arg=name, timeout=6_000, polling=100)
                return
            self.page.evaluate(_CLOSE_SAVE_ERRORS)
            # Asked again and again by program it would take the focus from whatever is typed in meanwhile.
            self.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab", has_text=Path(name).name).click()
        self.page.wait_for_function(_IS_CURRENT, arg=name, polling=100)

    def save(self) -> None:
        """Save the open notebook."""
        self.execute("docmanager:save")

    def choose_theme(self, theme: str) -> None:
        """Switch to a theme and wait until its style sheet is in force."""
        if self.page.locator(f'body[data-jp-theme-name="{theme}"]').count():
            return
        self.execute("apputils:change-theme", {"theme": theme})
        self.page.wait_for_selector(f'body[data-jp-theme-name="{theme}"]', state="attached")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def photograph(self, name: str, what: Locator | None = None) -> None:
        """Keep a picture of the page, or of one element, in the git-ignored folder `screenshots`."""
        SCREENSHOTS.mkdir(exist_ok=True)
        (what or self.page).screenshot(path=SCREENSHOTS / f"{name}.png")

    def _await_start(self) -> None:
        self.page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell")
        self.page.evaluate("() => window.jupyterapp.restored.then(() => true)")

    def _dismiss(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _stay_home(self, route: Any) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()
