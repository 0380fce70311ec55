"""Cards and panel of the installed wheel in a fresh folder of a user: clicked, run, looked at, and refused to strangers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.jupyterlab import Lab, Server, find_violations
from tests.e2e.views import contrast, show_panel

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("shop"), environment).run() as running:
        yield running


def click_card(lab: Lab, label: str) -> Locator:
    """Click a card in a new launcher and return the notebook it opens."""
    lab.execute("launcher:create")
    lab.page.locator(".jp-Launcher:visible .jp-LauncherCard", has_text=label).click()
    panel = lab.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    panel.wait_for()
    return panel


def test_in_a_fresh_folder_a_card_makes_an_experiment_and_the_panel_runs_it(lab: Lab) -> None:
    require_strangers_refused(lab.server)
    notebook = click_card(lab, "New experiment")
    expect(lab.page.locator(".Toastify__toast-body, .jp-Notification-Toast").first).to_contain_text("is a project now")
    expect(notebook.locator(".jp-KernelName")).to_have_text("Python 3 (Workbench, warm)")
    panel = show_panel(lab)
    expect(panel.locator("h2")).to_have_text("experiment.ipynb")
    expect(panel).to_contain_text("“Run” above makes the first one.")
    expect(panel.get_by_label("How the sets of a sweep are chosen")).to_be_hidden()
    panel.get_by_label("strength").fill("0.0001")
    panel.get_by_role("button", name="Run", exact=True).click()
    assert panel.get_by_label("strength").evaluate("node => node.validity.rangeUnderflow")
    panel.get_by_label("strength").fill("0.5")
    panel.get_by_role("button", name="Run", exact=True).click()
    expect(panel.locator(".wb-going")).to_contain_text("is running", timeout=60_000)
    last = panel.get_by_role("list", name="Last runs").locator("li")
    expect(last).to_contain_text("strength 0.5", timeout=60_000)
    expect(last).to_contain_text("Finished")
    expect(last).to_contain_text("roc_auc")
    expect(panel).to_contain_text("Nothing that is known now stands in the way.")
    expect(panel.locator("code").last).to_contain_text("--model experiment")
    require_readable(lab, panel)
    report = lab.page.request.get(last.locator("a").get_attribute("href") or "")
    assert "log_loss" in report.text()
    assert "sandbox" in report.headers["content-security-policy"]
    require_own_code_alone(lab.server)
    require_reached_by_keys_alone(lab)
    empty = click_card(lab, "Review").locator(".wb-empty")
    expect(empty).to_contain_text("1 run finished on a holdout, and none is nominated.")
    expect(empty).to_contain_text("workbench.db")
    expect(click_card(lab, "Tour")).to_contain_text("A tour in ten minutes")


def require_own_code_alone(server: Server) -> None:
    """What this environment borrows by a .pth file from another one is no code of the project: git is not asked who wrote it."""
    (record,) = [json.loads(path.read_bytes()) for path in server.notebooks.parent.rglob("runs/by-id/*/record.json")]
    assert len(record["authorship"]["files"]) < 10


def require_reached_by_keys_alone(lab: Lab) -> None:
    """Without a mouse: the panel's first field from the palette, the comparison from its card, its controls; seen throughout."""
    keyboard, focused = lab.page.keyboard, lab.page.locator(":focus")
    keyboard.press("Control+Shift+C")
    keyboard.type("workbench: run this")
    lab.page.locator(".lm-CommandPalette-item.lm-mod-active", has_text="Run This Notebook").wait_for()
    keyboard.press("Enter")
    expect(lab.page.locator(".wb-panel").get_by_label("family")).to_be_focused()
    keyboard.press("Control+Shift+L")
    lab.page.locator(".jp-Launcher:visible .jp-LauncherCard", has_text="Compare").wait_for()
    press_until(lab, "Tab", ".jp-LauncherCard[title^='Runs side by side']")
    keyboard.press("Enter")
    view = lab.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .wb-live")
    expect(view.locator(".wb-headline")).to_contain_text("a constant prediction")
    expect(lab.page.locator(".jp-Cell:first-child:focus")).to_be_visible()
    for what in (
        ".wb-facts .wb-copy",
        ".wb-sort",
        ".wb-run input",
        "[aria-label='Copy command']",
        "summary",
    ):
        press_until(lab, "Tab", f".wb-live {what}")
        assert focused.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
        expect(focused).to_be_in_viewport()


def press_until(lab: Lab, key: str, selector: str, most: int = 40) -> None:
    for _ in range(most):
        if lab.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        lab.page.keyboard.press(key)
    pytest.fail(f"{most} times {key} did not lead to {selector}.")


def require_strangers_refused(server: Server) -> None:
    """Whoever is not logged in sees and does nothing; nor does a page of somebody else's in a browser that is."""
    address = urlsplit(server.address)
    base = f"{address.scheme}://{address.netloc}/workbench"
    with httpx.Client() as stranger:
        for name in ("panel?path=x.ipynb", "cards", "report?path=x.ipynb&run=1", "extension.js"):
            assert stranger.get(f"{base}/{name}").status_code in (302, 403)
        assert stranger.post(f"{base}/cards", json={"card": "new", "folder": ""}).status_code == 403
    with httpx.Client() as other_page:
        other_page.get(server.address)  # logged in by its cookie, as a browser is
        assert other_page.get(f"{base}/cards").status_code == 200
        assert other_page.post(f"{base}/cards", json={"card": "new", "folder": ""}).status_code == 403
    assert list(server.notebooks.iterdir()) == []  # nothing was made for anybody


def require_readable(lab: Lab, panel: Locator) -> None:
    for theme in ("Light", "Dark"):
        lab.choose_theme(f"JupyterLab {theme}")
        lab.photograph(f"panel_{theme.lower()}", panel)
        assert contrast(panel, "p, label span, a, li, h2, h3, button:not(.wb-primary)") >= 4.5
    assert find_violations(lab.page, ".wb-panel") == []
