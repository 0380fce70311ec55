"""A review and a comparison as pages that stand alone, in a browser without Jupyter."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.jupyterlab import SCREENSHOTS
from tests.e2e.views import contrast
from tests.unit.comparisons.builders import build_champion_comparison
from tests.unit.reviews.builders import build_review
from workbench.widgets.comparison_page import comparison_page
from workbench.widgets.review_page import review_page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_stands_alone_in_a_browser(browser: Browser, tmp_path: Path, scheme: Literal["light", "dark"]) -> None:
    pages = {"review": review_page(build_review()), "comparison": comparison_page(build_champion_comparison())}
    tab = browser.new_page(color_scheme=scheme, viewport={"width": 1100, "height": 1400})
    for name, html in pages.items():
        path = tmp_path / f"{name}.html"
        path.write_text(html, encoding="utf-8")
        tab.goto(path.as_uri())
        expect(tab.locator(".wb-headline")).to_be_visible()
        expect(tab.locator("svg.wb-chart").last).to_be_visible()
        tab.screenshot(path=SCREENSHOTS / f"page_{name}_{scheme}.png", full_page=True)
        assert contrast(tab.locator(".wb-view"), ".wb-status, .wb-quiet, td, th, dt, dd, p") >= 4.5
    tab.close()
