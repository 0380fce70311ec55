"""The token of a review's page is shown to whoever asked for it, and to nobody who lists the processes."""

from __future__ import annotations

import stat
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from workbench.workflow.voila_server import _open_browser

ADDRESS = "http://127.0.0.1:8866/?token=secret"


def test_the_browser_is_given_a_page_that_only_its_owner_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setenv("BROWSER", "any")
    monkeypatch.setattr(webbrowser, "open", opened.append)
    _open_browser(ADDRESS, tmp_path)
    page = Path(url2pathname(urlsplit(opened[0]).path))
    assert "secret" not in opened[0]
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert f'content="0;url={ADDRESS}"' in page.read_text(encoding="utf-8")
