"""Thousands of runs in a real JupyterLab: searched, sorted, grouped, selected and put aside by keyboard, in both themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.conftest import examples
from tests.e2e.jupyterlab import Lab, find_violations
from tests.e2e.views import HOSTILE, MANY, RUNS, SHOW_MANY, SHOW_RUNS, contrast, show
from workbench.drawings.series import choose_series

pytestmark = pytest.mark.browser
LOOKS = [("Light", 1200), ("Dark", 900)]


@pytest.mark.parametrize(("theme", "width"), examples(LOOKS, LOOKS[1:]))
def test_runs_are_explored_by_keyboard_alone(lab: Lab, theme: str, width: int) -> None:
    lab.choose_theme(f"JupyterLab {theme}")
    lab.page.set_viewport_size({"width": width, "height": 1200})
    own, keyboard = RUNS.replace('"many"', f'"many_{width}"'), lab.page.keyboard
    view = show(lab, f"runs_{theme}_{width}", own, SHOW_RUNS)
    headline, said, grid = view.locator(".wb-headline"), view.locator(".wb-say"), view.locator(".wb-grid")
    expect(headline).to_have_text("2,000 runs")
    search = view.get_by_label("Search")
    search.focus()
    keyboard.type("svm")
    expect(said).to_contain_text("of 2,000 rows show that text")
    assert int(grid.get_attribute("aria-rowcount") or 0) < 600

    heads = view.get_by_role("columnheader")
    value = heads.filter(has_text="roc_auc")
    value.get_by_role("button").focus()
    keyboard.press("Enter")
    expect(value).to_have_attribute("aria-sort", "descending")
    shown = [float(text) for text in view.locator("[role=gridcell].wb-number:nth-child(3)").all_text_contents()[:9]]
    assert shown == sorted(shown, reverse=True)

    grid.focus()
    for key in (" ", "ArrowDown", " "):
        keyboard.press(key)
    expect(view.locator(".wb-deeds")).to_contain_text("2 selected")
    view.get_by_role("button", name="Copy difference").focus()
    keyboard.press("Enter")
    expect(said).to_contain_text("wb.diff(")
    assert find_violations(lab.page, ".wb-live") == []
    lab.photograph(f"runs_{theme}_{width}")
    view.get_by_role("button", name="Archive").focus()
    keyboard.press("Enter")
    expect(said).to_contain_text("2 runs are put aside")
    expect(headline).to_have_text("1,998 runs of 2,000")

    view.get_by_label("Condition").focus()
    keyboard.type("roc_auk > 0.9")
    keyboard.press("Enter")
    expect(view.locator(".wb-refusal")).to_contain_text("Near it: roc_auc")
    expect(headline).to_have_text("1,998 runs of 2,000")
    view.get_by_label("Condition").fill("")

    view.get_by_role("combobox", name="Rows").select_option("all_but")
    chooser = view.locator(".wb-chooser").first
    for name in ("params.seed", "params.learning_rate", "params.max_depth"):
        chooser.get_by_label(name, exact=True).focus()
        keyboard.press("Space")
    chooser.get_by_role("button", name="Show").focus()
    keyboard.press("Enter")
    expect(headline).to_have_text("1,998 runs in 5 groups")
    assert find_violations(lab.page, ".wb-live") == []
    lab.photograph(f"groups_{theme}_{width}")
    grid = view.locator(".wb-grid")
    grid.focus()
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(headline).to_contain_text("runs of family forest")
    view.get_by_role("button", name="Back to the groups").focus()
    keyboard.press("Enter")
    expect(headline).to_have_text("1,998 runs in 5 groups")


def test_what_is_brushed_by_key_or_mouse_filters_the_table_and_what_is_searched_the_picture(lab: Lab) -> None:
    own, keyboard = RUNS.replace('"many"', '"pictured"').replace("2_000", "2_100"), lab.page.keyboard
    view = show(lab, "pictured_runs", own, SHOW_RUNS)
    grid, axes, says = view.locator(".wb-grid"), view.get_by_role("slider"), view.locator(".wb-says")
    expect(view.locator(".wb-density")).to_be_visible()  # above two thousand lines
    expect(says).to_contain_text("Each line is a run")
    axes.first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown"):
        keyboard.press(key)
    brushed = view.locator(".wb-brushed")
    expect(brushed).to_contain_text("family ridge or svm")
    expect(axes.first).to_have_attribute("aria-valuetext", "family ridge or svm")
    rows = int(grid.get_attribute("aria-rowcount") or 0) - 1
    assert 700 < rows < 980
    expect(brushed).to_contain_text(f"{rows} of 2,")
    expect(says).to_contain_text(f": {rows} of 2,")  # what the kernel says of the rows in sight

    view.get_by_label("Search").fill("svm")
    expect(view.locator(".wb-in polyline").first).to_be_attached()  # few enough to be lines
    assert view.locator(".wb-in polyline").count() == int(grid.get_attribute("aria-rowcount") or 0) - 1 < rows
    view.get_by_label("Search").fill("")
    axes.first.focus()
    keyboard.press("Shift+ArrowRight")
    expect(axes.first).to_have_attribute("aria-label", "learning_rate, axis 1 of 5")
    keyboard.press("Escape")
    expect(brushed).to_contain_text("Nothing is brushed")

    box = axes.last.bounding_box()
    assert box is not None
    lab.page.mouse.move(box["x"] + 18, box["y"] + 60)
    lab.page.mouse.down()
    lab.page.mouse.move(box["x"] + 18, box["y"] + 140, steps=3)
    lab.page.mouse.up()
    axes.last.press("n")
    expect(brushed).to_contain_text("or none")
    _point_at_a_line_and_find_its_run(lab, view)
    with lab.page.expect_download() as saved:
        view.get_by_role("button", name="CSV").click()
    lines = saved.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "run,params.learning_rate,params.family,params.max_depth,params.seed,metrics.roc_auc"
    assert len(lines) == int(grid.get_attribute("aria-rowcount") or 0)
    for kind, begins in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with lab.page.expect_download() as saved:
            view.get_by_role("button", name=kind).click()
        assert saved.value.path().read_bytes().startswith(begins)

    view.get_by_role("combobox", name="Picture").select_option("scatter")
    view.get_by_role("combobox", name="Parameter").select_option("params.family")
    expect(view.locator(".wb-scatter .wb-mean")).to_have_count(5)
    expect(says).to_contain_text("their intervals do not overlap")
    assert find_violations(lab.page, ".wb-live") == []


def _point_at_a_line_and_find_its_run(lab: Lab, view: Locator) -> None:
    """What is pointed at says its run, a click marks it in the table; the row marked there is drawn above all others."""
    stage, tip, strong = view.locator(".wb-stage").first, view.locator(".wb-tip"), view.locator(".wb-pointed polyline")
    line = view.locator(".wb-parallel .wb-axis").first.bounding_box()
    box = stage.bounding_box()
    assert box is not None and line is not None
    places = ((box["x"] + 160, line["y"] + down) for down in range(8, 240, 4))
    for x, y in places:
        lab.page.mouse.move(x, y)
        if tip.is_visible():
            break
    expect(tip).to_contain_text("roc_auc")
    expect(strong).to_have_count(2)
    run = tip.locator("b").inner_text()
    lab.page.mouse.click(x, y)
    expect(view.locator(".wb-say")).to_have_text(f"{run} is marked in the table.")
    marked = view.locator(".wb-grid-row.wb-active")
    expect(marked).to_be_in_viewport()
    assert run.removeprefix("Run ").startswith(marked.locator("code").inner_text())
    view.locator(".wb-says").hover()
    expect(tip).to_be_hidden()
    drawn = strong.first.get_attribute("points")
    view.locator(".wb-grid").focus()
    lab.page.keyboard.press("Home")
    expect(strong.first).not_to_have_attribute("points", drawn or "")
    for place, modifiers in ((0, []), (4, ["Shift"])):
        view.locator(".wb-tick-cell").nth(place).click(modifiers=modifiers)
    expect(view.locator(".wb-deeds")).to_contain_text("5 selected")
    chosen = view.locator(".wb-grid-row.wb-chosen")
    runs = [str(box.get_attribute("aria-label")).removeprefix("Select run ") for box in chosen.locator("input").all()]
    colours = [f"wb-swatch wb-swatch-{number}" for number in choose_series(runs)]
    assert len(runs) == 5
    assert [mark.get_attribute("class") for mark in chosen.locator(".wb-swatch").all()] == colours
    view.get_by_role("button", name="Clear selection").click()
    expect(view.locator(".wb-deeds")).to_contain_text("None selected")


def test_a_run_that_is_pinned_stays_on_top(lab: Lab) -> None:
    view, keyboard = show(lab, "pinned_runs", RUNS, SHOW_RUNS), lab.page.keyboard
    view.locator(".wb-grid").focus()
    for key in ("ArrowDown", " "):
        keyboard.press(key)
    chosen = view.locator(".wb-grid-row.wb-chosen code").first.text_content()
    view.get_by_role("button", name="Pin").click()
    pinned = view.locator(".wb-grid-frame .wb-reference")
    expect(pinned).to_contain_text(f"{chosen} pinned")
    view.locator(".wb-grid").evaluate("box => { box.scrollTop = 20000; }")
    expect(pinned).to_be_in_viewport()
    expect(view.locator(".wb-deeds")).to_contain_text("1 selected")
    view.get_by_role("button", name="Unpin").click()
    expect(pinned).to_have_count(0)


def test_the_difference_of_two_runs_is_read_by_keyboard_in_both_themes(lab: Lab) -> None:
    keyboard = lab.page.keyboard
    imports = (
        "from tests.unit.comparisons.sides import build_difference",
        "from workbench.widgets.difference_view import DifferenceView",
    )
    view = show(lab, "difference", "\n".join(imports), f"DifferenceView(build_difference({HOSTILE!r}))")
    expect(view.locator(".wb-headline")).to_contain_text("They differ in parameter depth (3 → 8), 2 cells and numpy")
    parts = view.locator(".wb-part")
    expect(parts.first).to_have_attribute("open", "")
    expect(parts.nth(1)).not_to_have_attribute("open", "")
    parts.nth(1).locator("summary").first.focus()
    keyboard.press("Enter")
    more = parts.nth(1).get_by_role("button", name="Show 12 more").first
    more.focus()
    keyboard.press("Enter")
    expect(parts.nth(1).locator("table").first.locator("tbody tr")).to_have_count(20)
    expect(view.locator(".wb-say")).to_have_text("Rows that change side: 20 rows shown.")
    expect(parts.nth(1).locator("tbody tr").nth(8)).to_be_focused()
    view.get_by_role("button", name="Open all parts").focus()
    keyboard.press("Enter")
    expect(view.locator(".wb-part[open]")).to_have_count(7)
    expect(parts).to_have_count(7)
    for theme, width in (("Light", 1400), ("Dark", 900)):
        lab.choose_theme(f"JupyterLab {theme}")
        lab.page.set_viewport_size({"width": width, "height": 1200})
        lab.photograph(f"difference_{theme}_{width}", view)
        assert contrast(view, "p, td, th, h4, li, summary, .wb-status, ins, del, button") >= 4.5
        assert find_violations(lab.page, ".wb-live") == []
        assert view.evaluate("view => view.scrollWidth <= view.clientWidth")
    expect(lab.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(2)


def test_of_thousands_a_hundred_are_shown_and_all_are_searched_sorted_and_turned_by_keyboard(lab: Lab) -> None:
    view = show(lab, "many", MANY, SHOW_MANY)
    rows, said, status = view.locator("tbody tr"), view.locator(".wb-end > span"), view.locator("[role=status]")
    press = lab.page.keyboard.press
    expect(rows).to_have_count(101)
    expect(said).to_have_text("The first 100 of 10,000 runs.")
    expect(rows.nth(15)).to_contain_text("Better")  # in view, and measured since
    expect(rows.nth(100)).to_contain_text("Not measured")
    view.locator(".wb-run .wb-copy").first.focus()
    for _ in range(39):
        press("ArrowDown")
    expect(rows.nth(40)).to_contain_text("Better")
    expect(rows.nth(40).locator(".wb-copy")).to_be_focused()
    expect(rows.nth(100)).to_contain_text("Not measured")
    view.get_by_label("Search").focus()
    lab.page.keyboard.type("linear")
    expect(said).to_have_text("The first 100 of 2,000 runs with that text, among 10,000.")
    for _ in range(3):
        press("Tab")
    for _ in range(3):  # faster than the kernel answers
        press("Enter")
    expect(said).to_have_text("Runs 301 to 400 of 2,000 runs with that text, among 10,000.")
    expect(view.get_by_role("button", name="Next 100")).to_be_focused()
    expect(rows.nth(1)).to_contain_text("1,500")
    for _ in range(3):
        press("Tab")
    press("Enter")
    expect(rows.nth(1)).to_contain_text("9,995")
    expect(rows.nth(1)).to_contain_text("Worse")
    assert find_violations(lab.page, ".wb-live") == []
    lab.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    expect(view.get_by_role("alert")).to_contain_text("other runs, intervals and pictures need a kernel")
    press("Enter")
    expect(status).to_have_text("Sorted by depth, ascending, of the runs shown.")
    expect(rows.nth(1)).to_contain_text("9,500")
    view.get_by_label("Search").fill("9,505")
    expect(status).to_have_text("1 of 100 runs shown show that text.")
