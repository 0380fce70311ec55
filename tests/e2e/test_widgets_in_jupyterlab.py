"""The views in a real JupyterLab: seen, operated by keyboard, answered by a kernel, and read again without one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.jupyterlab import SCREENSHOTS, Lab, Server, open_browser
from tests.unit.builders import build_champion_comparison, build_review
from workbench.widgets.comparison_page import comparison_page
from workbench.widgets.review_page import review_page

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
COMPARISON = f"""
from random import Random

from tests.unit.builders import CHAMPION_RUN_ID, build_comparison
from workbench.domain.comparison import ComparedRun, Interval, decide_verdict
from workbench.widgets.comparison_view import ComparisonView

HOSTILE = {HOSTILE!r}

def build_run(number, estimate, random):
    interval = Interval(estimate, estimate - random.uniform(0.006, 0.011), estimate + random.uniform(0.006, 0.011), 0.9958)
    strength, depth = round(10 ** random.uniform(-3, 2), 4), random.randint(1, 2000)
    parameters = {{"strength": strength, "max_depth": depth, "family": random.choice(["boosting", "forest"]), "seed": 7}}
    return ComparedRun(f"{{random.getrandbits(32):08x}}", parameters, 0.9312 + estimate, interval, decide_verdict(interval, 0.005))

def build_runs():
    random = Random(3)
    estimates = [*(0.021 - 0.006 * number for number in range(11)), -0.31]
    return tuple(build_run(number, estimate, random) for number, estimate in enumerate(estimates))

comparison = build_comparison(reference=CHAMPION_RUN_ID, reference_value=0.9312, rows=12_430, tried=12, runs=build_runs())
"""
REVIEW = f"""
from dataclasses import replace

from tests.unit.builders import ANSWERS, NOW, OWNER, VALIDATOR, build_evidence, build_review
from workbench.domain.review import GivenApproval
from workbench.errors import Refused
from workbench.widgets.review_view import ReviewView

HOSTILE = {HOSTILE!r}
known = {{name: ANSWERS[name] for name in ("intended_use", "data_rights")}}
review = build_review(evidence=build_evidence(answers=known))

def on_answer(name, text):
    global review
    if len(text) < 20:
        reason = f"It has {{len(text)}} characters; the policy asks for 20."
        raise Refused("The answer is too short.", why=reason, next_step="Write a sentence.")
    given = {{"answer": text, "answered_by": VALIDATOR, "answered_at": NOW}}
    questions = tuple(replace(question, **given) if question.name == name else question for question in review.questions)
    review = replace(review, questions=questions)
    return review

def on_approve(role, key_path):
    global review
    if "missing" in key_path:
        raise FileNotFoundError(key_path)
    approval = GivenApproval(OWNER, role, NOW, "2027-05-20T08:30:00+00:00", ())
    review = replace(review, approvals=(*review.approvals, approval))
    return review
"""
SHOW_COMPARISON = "ComparisonView(comparison)"
SHOW_REVIEW = "ReviewView(review, on_answer, on_approve)"
ANSWER = "Not for patients under eighteen, nor for images of other scanners."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("lab")).run() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def lab(browser: Browser, server: Server) -> Iterator[Lab]:
    opened = Lab(browser, server)
    yield opened
    opened.close()
    assert opened.outside == []
    assert opened.dialogs == []


@pytest.fixture(scope="module")
def kept(browser: Browser, server: Server) -> None:
    """Both views, run and saved by somebody who then stopped the kernels."""
    first = Lab(browser, server)
    show(first, "kept_comparison", COMPARISON, SHOW_COMPARISON)
    first.save()
    show(first, "kept_review", REVIEW, SHOW_REVIEW)
    first.save()
    first.close()


def show(lab: Lab, name: str, *cells: str) -> Locator:
    """Run a notebook of these cells and return its live view."""
    view = lab.open(lab.server.write(f"{name}.ipynb", cells)).locator(".wb-live")
    view.wait_for()
    return view


def contrast(view: Locator, selector: str) -> float:
    """Return the lowest contrast ratio between text and ground among these elements (WCAG 2.2)."""
    script = """(view, selector) => {
      const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
      const linear = (part) => { const c = part / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
      const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
      const ground = numbers(getComputedStyle(view).backgroundColor);
      const over = ([r, g, b, a = 1]) => [r, g, b].map((part, index) => a * part + (1 - a) * ground[index]);
      const ratio = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      const found = [...view.querySelectorAll(selector)].filter((node) => node.textContent.trim());
      return Math.min(...found.map((node) => ratio(luminance(over(numbers(getComputedStyle(node).color))), luminance(ground))));
    }"""
    return float(view.evaluate(script, selector))


def copy_with_other_content(server: Server, name: str) -> str:
    """Return a copy nobody has trusted: trust is given to exact content."""
    notebook = nbformat.read(server.notebooks / name, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell("Received by mail."))
    nbformat.write(notebook, server.notebooks / f"untrusted_{name}")
    return f"untrusted_{name}"


def test_a_comparison_shows_its_sentence_its_chart_and_its_table(lab: Lab) -> None:
    view = show(lab, "comparison", COMPARISON, SHOW_COMPARISON)
    expect(view.locator(".wb-headline")).to_contain_text("is better than b07d5e10 on roc auc")
    expect(view.locator("tbody tr")).to_have_count(13)
    expect(view.locator("tbody tr").first).to_contain_text("Reference")
    expect(view.locator("svg .wb-dot")).to_have_count(11)
    expect(view.locator("svg .wb-arrow")).to_have_count(1)
    expect(lab.page.locator(".wb-twin")).to_be_hidden()
    lab.photograph("comparison_light", view)
    lab.choose_theme("JupyterLab Dark")
    lab.photograph("comparison_dark", view)
    assert contrast(view, ".wb-status, .wb-quiet, .wb-note, .wb-tick, td, th, dt, dd, button") >= 4.5
    lab.choose_theme("JupyterLab Light")
    assert contrast(view, ".wb-status, .wb-quiet, .wb-note, .wb-tick, td, th, dt, dd, button") >= 4.5


def test_a_comparison_is_sorted_by_keyboard_and_no_key_reaches_the_notebook(lab: Lab) -> None:
    view = show(lab, "sorted", COMPARISON, SHOW_COMPARISON)
    view.locator(".wb-facts button").last.focus()
    lab.page.keyboard.press("Tab")
    expect(view.get_by_role("button", name="Run", exact=True)).to_be_focused()
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("ArrowRight")
    heading = view.locator("th", has=lab.page.get_by_role("button", name="strength"))
    lab.page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "descending")
    lab.page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(view.locator("[role=status]")).to_have_text("Sorted by strength, ascending.")
    shown = [float(text.replace(",", "")) for text in view.locator("tbody tr td:nth-child(3)").all_inner_texts()[1:]]
    assert shown == sorted(shown)
    for key in ("x", "b", "b", "Shift+Enter"):
        lab.page.keyboard.press(key)
    expect(lab.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(2)
    expect(view.get_by_role("button", name="strength")).to_be_focused()
    view.locator(".wb-run .wb-copy").first.focus()
    lab.page.keyboard.press("ArrowDown")
    expect(view.locator(".wb-run .wb-copy").nth(1)).to_be_focused()


def test_a_comparison_fits_a_narrow_window(browser: Browser, server: Server) -> None:
    lab = Lab(browser, server, width_px=900)
    view = show(lab, "narrow", COMPARISON, SHOW_COMPARISON)
    lab.photograph("comparison_narrow", view)
    assert view.locator(".wb-scroll").evaluate("box => box.scrollWidth - box.clientWidth") == 0
    lab.close()


def test_an_empty_comparison_says_how_to_fill_it(lab: Lab) -> None:
    view = show(lab, "empty", COMPARISON, "ComparisonView(build_comparison(runs=()))")
    expect(view).to_contain_text("There are no finished runs to compare yet.")
    expect(view.locator("code")).to_contain_text("workbench run")
    lab.photograph("comparison_empty", view)


def test_hostile_values_stay_text(lab: Lab) -> None:
    hostile_runs = (
        "runs = tuple(replace(run, parameters={HOSTILE: HOSTILE * number}) for number, run in enumerate(build_runs()))"
    )
    cells = [
        "from dataclasses import replace",
        hostile_runs,
        "ComparisonView(build_comparison(runs=runs, reference=HOSTILE))",
    ]
    view = show(lab, "hostile_comparison", COMPARISON, *cells)
    expect(view.locator("thead")).to_contain_text("<img src=x onerror=alert(1)>")
    expect(lab.page.locator(".wb-view img, .wb-view script")).to_have_count(0)
    question = "replace(review.questions[0], text=HOSTILE, answer=HOSTILE)"
    review = f"review = replace(review, questions=({question},), policy_name=HOSTILE)"
    view = show(lab, "hostile_review", REVIEW, review, SHOW_REVIEW)
    expect(view.locator("label").first).to_contain_text(HOSTILE)
    expect(view.locator("textarea")).to_have_value(HOSTILE)
    expect(lab.page.locator(".wb-view img, .wb-view script")).to_have_count(0)


def test_an_answer_is_typed_refused_kept_and_saved(lab: Lab) -> None:
    view = show(lab, "answered", REVIEW, SHOW_REVIEW)
    item = view.locator("[data-question=limitations]")
    area, save = item.locator("textarea"), item.get_by_role("button")
    expect(save).to_have_attribute("aria-disabled", "true")
    area.focus()
    lab.page.keyboard.type("Too short")
    lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Enter")
    expect(item.locator(".wb-reply")).to_contain_text("It has 9 characters; the policy asks for 20.")
    expect(item.locator(".wb-reply")).to_contain_text("Next: Write a sentence.")
    expect(area).to_have_value("Too short")
    lab.photograph("review_refused", view)
    area.fill(ANSWER)
    save.focus()
    lab.page.keyboard.press("Enter")
    expect(item.locator(".wb-reply")).to_contain_text("Saved.")
    expect(item).to_contain_text("Answered by vera@example.org")
    expect(save).to_be_focused()
    expect(area).to_have_value(ANSWER)
    expect(lab.page.locator(".wb-twin")).to_contain_text(ANSWER)


def test_text_not_saved_survives_a_reload_of_the_page(lab: Lab) -> None:
    view = show(lab, "drafted", REVIEW, SHOW_REVIEW)
    view.locator("[data-question=harm] textarea").press_sequentially("Half a thought")
    lab.save()
    lab.reload()
    view = lab.open("drafted.ipynb", run=False).locator(".wb-live")
    expect(view.locator("[data-question=harm] textarea")).to_have_value("Half a thought")
    expect(view.locator(".wb-form")).to_contain_text("Save your answers first: signing covers them")


def test_signing_says_what_is_missing_then_what_went_wrong_then_what_counts(lab: Lab) -> None:
    view = show(lab, "signed", REVIEW, SHOW_REVIEW)
    form = view.locator(".wb-form")
    sign = form.get_by_role("button", name="Sign as owner")
    expect(form).to_contain_text("Name the file of your SSH key")
    sign.press("Enter")
    expect(form.locator(".wb-reply")).to_be_empty()
    form.get_by_label("SSH key").fill("/missing/key")
    expect(form.locator(".wb-command")).to_contain_text("workbench approve tumour/3 --role owner --key /missing/key")
    sign.click()
    expect(form.locator(".wb-reply")).to_contain_text("FileNotFoundError: /missing/key")
    form.get_by_label("SSH key").fill("/keys/otto key")
    expect(form.locator(".wb-command")).to_contain_text("--key '/keys/otto key'")
    form.get_by_label("SSH key").press("Enter")
    expect(form.locator(".wb-reply")).to_contain_text("Signed as owner: 1 of 1 approvals in this role count.")
    expect(view.locator("[aria-label=Approvals]")).to_contain_text("otto@example.org")
    form.get_by_label("Role").select_option("validator")
    expect(form.get_by_role("button", name="Sign as validator")).to_be_visible()
    lab.page.set_viewport_size({"width": 1200, "height": 2800})
    lab.photograph("review_light", view)
    lab.choose_theme("JupyterLab Dark")
    lab.photograph("review_dark", view)
    assert contrast(view, ".wb-status, .wb-quiet, .wb-note, td, th, dt, dd, label, .wb-cautions") >= 4.5


def test_while_a_later_cell_runs_the_snapshot_is_shown_and_then_the_live_view(lab: Lab) -> None:
    gate = lab.server.notebooks / "gate"
    os.mkfifo(gate)
    panel = lab.open(lab.server.write("busy.ipynb", [REVIEW, SHOW_REVIEW, "open('gate').read()"]))
    expect(panel.locator(".wb-twin")).to_be_visible()
    expect(panel.locator(".wb-live")).to_have_count(0)
    gate.write_text("go", encoding="utf-8")
    expect(panel.locator(".wb-live")).to_be_visible()
    expect(panel.locator(".wb-twin")).to_be_hidden()


@pytest.mark.parametrize("name", ["kept_comparison", "kept_review"])
def test_reopened_without_its_kernel_a_notebook_shows_the_snapshot(lab: Lab, kept: None, name: str) -> None:
    panel = lab.open(f"{name}.ipynb", run=False)
    expect(panel.locator(".wb-twin")).to_contain_text("run this cell again to make it live.")
    expect(panel.locator(".jp-OutputArea-child", has_text="displaying widget")).to_be_hidden()
    expect(panel.locator(".wb-twin svg").first).to_be_visible()
    lab.photograph(f"{name}_reopened")


@pytest.mark.parametrize("name", ["kept_comparison", "kept_review"])
def test_an_untrusted_notebook_shows_the_snapshot_without_style(lab: Lab, kept: None, name: str) -> None:
    panel = lab.open(copy_with_other_content(lab.server, f"{name}.ipynb"), run=False)
    expect(panel.locator(".wb-twin")).to_contain_text("run this cell again to make it live.")
    expect(panel.locator(".wb-twin style, .wb-twin svg")).to_have_count(0)
    expect(panel.locator(".wb-twin .wb-chart").first).to_be_hidden()
    expect(panel.locator(".jp-OutputArea-child")).to_have_count(1)
    lab.photograph(f"{name}_untrusted")


def test_without_a_kernel_the_view_says_so_and_keeps_the_text(lab: Lab) -> None:
    view = show(lab, "stopped", REVIEW, SHOW_REVIEW)
    lab.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    item = view.locator("[data-question=limitations]")
    item.locator("textarea").fill(ANSWER)
    item.get_by_role("button").click()
    expect(item.locator(".wb-reply")).to_contain_text("No answer from the kernel yet", timeout=15_000)
    expect(item.locator("textarea")).to_have_value(ANSWER)


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
