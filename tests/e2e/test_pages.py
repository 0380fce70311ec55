"""A review and a comparison as pages that stand alone, in a browser without Jupyter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Literal

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from tests.e2e.jupyterlab import SCREENSHOTS, find_violations
from tests.e2e.views import contrast
from tests.unit.comparisons.builders import build_champion_comparison, build_many, measure_some
from tests.unit.reviews.builders import build_review
from workbench.comparisons.comparison import RunComparison
from workbench.widgets.comparison_page import comparison_page
from workbench.widgets.review_page import review_page

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=alert(1)>'\"\u202e حبة 模型"


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


def write_many(folder: Path) -> tuple[Path, RunComparison]:
    """Write ten thousand runs whose names are hostile, a hundred of them measured, as a page."""
    drawn, many = Random(3), build_many(10_000)
    runs = [
        replace(run, parameters={"rate": round(drawn.random(), 6), "family": drawn.choice(["forest", "linear"])})
        for run in many.runs
    ]
    names = {run.run_id: f"{HOSTILE} {place}" for place, run in enumerate(runs)}
    many = measure_some(replace(many, runs=tuple(runs), names=names), [run.run_id for run in runs[:100]])
    path = folder / "many.html"
    path.write_text(comparison_page(many), encoding="utf-8")
    return path, many


def test_ten_thousand_runs_are_searched_and_sorted_on_a_page_that_may_do_nothing_else(
    browser: Browser, tmp_path: Path
) -> None:
    path, many = write_many(tmp_path)
    dialogs: list[str] = []

    def hear(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    for scheme, width_px in (("light", 1400), ("dark", 900)):
        tab = browser.new_page(color_scheme=scheme, viewport={"width": width_px, "height": 1400})
        tab.on("dialog", hear)
        tab.goto(path.as_uri())
        grid = tab.get_by_role("grid", name="All runs")
        expect(grid).to_have_attribute("aria-rowcount", "10001")
        tab.screenshot(path=SCREENSHOTS / f"page_rows_{scheme}.png", full_page=True)
        assert find_violations(tab, "main") == []
        assert contrast(tab.locator(".wb-view"), ".wb-status, .wb-quiet, td, th, dt, dd, p, [role=gridcell]") >= 4.5
        _check_answers(tab, grid, many)
        assert tab.evaluate(_FORBIDDEN) == ["script-src-elem", "connect-src", "img-src", "base-uri"]
        tab.close()
    assert dialogs == []
    tab = browser.new_context(java_script_enabled=False).new_page()
    tab.goto(path.as_uri())
    expect(tab.locator("tbody tr")).to_have_count(26)
    expect(tab.get_by_text("All 10,000 runs are searched and sorted here where")).to_be_visible()
    tab.context.close()


def _check_answers(tab: Page, grid: Locator, many: RunComparison) -> None:
    """Hold what the page shows against what Python says of the same runs."""
    first = lambda: grid.locator("[role=rowgroup] [role=rowheader]").all_inner_texts()[:20]  # noqa: E731
    press, names = tab.keyboard.press, many.names
    grid.get_by_role("button", name="rate").press("Enter")
    by_rate = sorted(many.runs, key=lambda run: -run.parameters["rate"])
    assert first() == [run.run_id for run in by_rate[:20]]
    tab.get_by_label("Search").fill("模型 77")
    found = [run for run in by_rate if "模型 77" in names[run.run_id]]
    assert first() == [run.run_id for run in found[:20]]
    tab.get_by_label("Only where").select_option(label="roc_auc")
    tab.get_by_label("is at least").fill("0")
    expect(tab.get_by_role("status")).to_have_text(f"{sum(run.value >= 0 for run in found)} of 10,000 runs are shown.")
    for label in ("Search", "is at least"):
        tab.get_by_label(label).fill("")
    grid.get_by_role("button", name="advantage").press("Enter")
    assert first() == [run.run_id for run in many.runs[:20]]
    grid.focus()
    press("End")
    expect(grid.locator("[role=row]").last).to_contain_text("\N{EN DASH}")


# What a page is kept from, by the directive that keeps it.
_FORBIDDEN = """async () => {
  const told = [];
  document.addEventListener("securitypolicyviolation", (event) => told.push(event.effectiveDirective));
  const pause = () => new Promise((done) => setTimeout(done, 100));
  const add = (tag, given) => document.body.append(Object.assign(document.createElement(tag), given));
  add("script", { textContent: "window.__pwned = 1" });
  await pause();
  await fetch("http://127.0.0.1:9/").catch(() => 0);
  await pause();
  add("img", { src: "http://127.0.0.1:9/x.png" });
  await pause();
  add("base", { href: "http://127.0.0.1:9/" });
  await pause();
  return window.__pwned ? ["it ran"] : told;
}"""
