"""One Chromium for a module, and a JupyterLab in it; a module with notebooks of its own has its own `server`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.jupyterlab import Lab, Server, open_browser
from tests.integration.conftest import warm_inspections  # noqa: F401 - for these tests too

expect.set_options(timeout=20_000)  # on a busy machine, too


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("lab")).run() as running:
        yield running


@pytest.fixture
def lab(browser: Browser, server: Server) -> Iterator[Lab]:
    """A page of this test alone."""
    opened = Lab(browser, server)
    yield opened
    opened.close()
    assert opened.outside == []
    assert opened.dialogs == []
