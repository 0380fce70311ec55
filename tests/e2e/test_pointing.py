"""Curves of several runs in the browser that draws them: what is pointed at says its run and its values."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, expect

from workbench.drawings.side_by_side import draw_courses_of
from workbench.widgets.snapshot import read_module, read_style

pytestmark = pytest.mark.browser


def test_a_curve_says_its_run_and_the_values_of_its_nearest_point(browser: Browser) -> None:
    falling, level = [(float(step), 9.0 - step) for step in range(10)], [(float(step), 8.0) for step in range(10)]
    (picture,) = draw_courses_of({"3f9a1c": {"loss": falling}, "b07d5e": {"loss": level}}, [4, 1])
    page = browser.new_page()
    page.set_content(f"<style>{read_style()}</style><div class='wb-view' style='width:480px'></div>")
    code = read_module("picture_files", "pointing")
    page.evaluate(
        f"(state) => {{ {code}\ndocument.querySelector('.wb-view').append(pictures([state], figureFiles)); }}",
        json.loads(json.dumps(picture.to_state())),
    )
    box = page.locator("svg").bounding_box()
    assert box is not None
    unit, (left, right), (bottom, top) = box["width"] / 360, (50, 346), (198, 26)
    low, high = -0.36, 9.36  # both axes have a little room
    x = left + (right - left) * (6 - low) / (high - low)
    y = bottom + (top - bottom) * (3 - low) / (high - low)
    page.mouse.move(box["x"] + unit * x, box["y"] + unit * y)
    tip = page.locator(".wb-tip")
    expect(tip).to_contain_text("3f9a1cStep6loss3")
    expect(page.locator(".wb-strong")).to_have_class("wb-line wb-series-4 wb-strong")
    page.mouse.move(box["x"] + unit * x, box["y"] + unit * (y - 30))
    expect(tip).to_be_hidden()
    expect(page.locator(".wb-strong")).to_have_count(0)
    page.close()
