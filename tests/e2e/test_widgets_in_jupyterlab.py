"""The views in a real JupyterLab: seen, operated by keyboard, answered by a kernel, and read again without one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

import nbformat
import psutil
import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import examples
from tests.e2e.jupyterlab import Lab, Server, find_violations
from tests.e2e.views import (
    BUSY,
    COMPARISON,
    EVERYTHING,
    FOLLOW,
    HOSTILE,
    REVIEW,
    SHOW_COMPARISON,
    SHOW_FOLLOW,
    SHOW_REVIEW,
    contrast,
    show,
)

pytestmark = pytest.mark.browser

# Each theme and each width once, and what is left of them.
LOOKS = [("Light", 1200), ("Dark", 900)]
OTHER_LOOKS = [("Light", 900), ("Dark", 1200)]
ANSWER = "Not for patients under eighteen, nor for images of other scanners."


@pytest.fixture(scope="module")
def opened_once(browser: Browser, server: Server) -> Iterator[Lab]:
    opened = Lab(browser, server)
    yield opened
    opened.close()


@pytest.fixture
def lab(opened_once: Lab) -> Iterator[Lab]:
    """The page of all tests here, as if it had just been opened: loading it takes longer than most tests."""
    opened_once.start_anew()
    yield opened_once
    assert opened_once.outside == []
    assert opened_once.dialogs == []


@pytest.fixture(scope="module")
def kept(opened_once: Lab) -> None:
    """Both views, run and saved by somebody who then stopped the kernels."""
    opened_once.start_anew()
    show(opened_once, "kept_comparison", COMPARISON, SHOW_COMPARISON)
    opened_once.save()
    show(opened_once, "kept_review", REVIEW, EVERYTHING, SHOW_REVIEW)
    opened_once.save()


def copy_with_other_content(server: Server, name: str) -> str:
    """Return a copy nobody has trusted: trust is given to exact content."""
    notebook = nbformat.read(server.notebooks / name, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell("Received by mail."))
    nbformat.write(notebook, server.notebooks / f"untrusted_{name}")
    return f"untrusted_{name}"


def wait_until_saved(lab: Lab) -> None:
    lab.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")


def read_twins(lab: Lab, name: str) -> str:
    """The snapshots in a notebook on disk, once it is saved; nobody here saves it."""
    wait_until_saved(lab)
    cells = nbformat.read(lab.server.notebooks / name, as_version=4).cells
    shown = [output.get("data", {}).get("text/html", "") for cell in cells for output in cell.get("outputs", ())]
    return "".join(shown)


def test_a_run_is_followed_while_the_kernel_is_busy_and_stopped_by_keyboard(lab: Lab) -> None:
    view = show(lab, "follow", FOLLOW, SHOW_FOLLOW, BUSY)
    expect(view.locator(".wb-headline")).to_have_text("Run 3f9a1c27d05b of 01_train is running: cell 3 of 7")
    expect(view.locator("tbody tr")).to_have_count(2)
    expect(view.locator("pre")).to_contain_text(HOSTILE)
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        lab.choose_theme(theme)
        lab.photograph(f"follow_{theme.rpartition(' ')[2].lower()}", view)
        assert contrast(view, "p, td, th, pre, button, code") >= 4.5
    assert find_violations(lab.page, ".wb-live") == []
    view.get_by_role("button", name="Stop this run").focus()
    lab.page.keyboard.press("Enter")
    expect(view.locator(".wb-headline")).to_have_text("Run 3f9a1c27d05b of 01_train is killed")
    expect(view).to_contain_text("Stopped by ada@example.org.")
    expect(view.get_by_role("button", name="Stop this run")).to_be_hidden()


def test_a_comparison_shows_its_sentence_its_chart_and_its_table(lab: Lab) -> None:
    view = show(lab, "comparison", COMPARISON, SHOW_COMPARISON)
    expect(view.locator(".wb-headline")).to_contain_text("is better than run b07d5e10a4c8 on roc_auc")
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
    expect(view.get_by_label("Search")).to_be_focused()
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


def test_a_run_leads_to_its_report_where_jupyterlab_serves_it(lab: Lab) -> None:
    report = lab.server.notebooks / "kept [1]" / "report.html"
    report.parent.mkdir()
    report.write_text("<p>The report of this run", encoding="utf-8")
    reports = f"{{comparison.runs[0].run_id: {str(report)!r}, comparison.runs[1].run_id: '/elsewhere/report.html'}}"
    view = show(lab, "leading", COMPARISON, f"ComparisonView(comparison, Deeds(str, str, str, {reports}))")
    expect(view.locator(".wb-run a")).to_have_count(1)
    assert (view.locator(".wb-run a").get_attribute("href") or "").endswith("/files/kept%20%5B1%5D/report.html")
    with lab.page.context.expect_page() as opened:
        view.locator(".wb-run a").click()
    expect(opened.value.locator("body")).to_have_text("The report of this run")
    opened.value.close()


def test_a_comparison_fits_a_narrow_window(lab: Lab) -> None:
    lab.page.set_viewport_size({"width": 900, "height": 1400})
    view = show(lab, "narrow", COMPARISON, SHOW_COMPARISON)
    lab.photograph("comparison_narrow", view)
    assert view.locator(".wb-scroll").evaluate("box => box.scrollWidth - box.clientWidth") == 0


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
    review = f"review = replace(review, questions=({question},), policy_name=HOSTILE, changes=changes)"
    said = "set_objections(ObjectionFact(3, HOSTILE, HOSTILE, NOW, None, None))"
    build = "from tests.unit.reviews.builders import build_changes, build_source"
    code = f"{build}; changes = build_changes(source_after=build_source(HOSTILE))"
    view = show(lab, "hostile_review", REVIEW, code, review, said, SHOW_REVIEW)
    expect(view.locator("[data-question] label")).to_contain_text(HOSTILE)
    expect(view.locator("[data-question] textarea")).to_have_value(HOSTILE)
    expect(view.locator(".wb-objection")).to_contain_text(HOSTILE)
    expect(view.locator("ins.wb-added").last).to_contain_text(HOSTILE)
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
    sign = view.get_by_role("group", name="Sign", exact=True)
    expect(sign).to_contain_text("Save your answers first: signing covers them")


def test_signing_says_what_is_missing_then_what_went_wrong_then_what_counts_and_what_is_next(lab: Lab) -> None:
    view = show(lab, "signed", REVIEW, SHOW_REVIEW)
    form = view.get_by_role("group", name="Sign", exact=True)
    sign = form.get_by_role("button", name="Sign as owner")
    expect(form).to_contain_text("Name the file of your SSH key")
    sign.press("Enter")
    expect(form.locator(".wb-reply")).to_be_empty()
    form.get_by_label("SSH key").fill("/missing/key")
    expect(form.locator(".wb-command")).to_contain_text("workbench approve tumour/3 --role owner --key /missing/key")
    expect(form.locator(".wb-holder")).to_contain_text("There is no key at /missing/key.")
    sign.click()
    expect(form.locator(".wb-reply")).to_contain_text("FileNotFoundError: /missing/key")
    form.get_by_label("SSH key").fill("/keys/otto key")
    expect(form.locator(".wb-command")).to_contain_text("--key '/keys/otto key'")
    expect(form.locator(".wb-holder")).to_contain_text("otto@example.org holds this key.")
    form.get_by_label("SSH key").press("Enter")
    expect(form.locator(".wb-reply")).to_contain_text("Signed as owner: 1 of 1 approvals in this role count.")
    expect(form.locator(".wb-reply")).to_contain_text("Still needed: 1 check to pass, 2 answers")
    expect(view.locator("[aria-label=Approvals]")).to_contain_text("otto@example.org")
    assert "otto@example.org" in read_twins(lab, "signed.ipynb")
    form.get_by_label("Role").select_option("validator")
    expect(form.get_by_role("button", name="Sign as validator")).to_be_visible()
    lab.page.evaluate("() => { window.jupyterapp.shell.currentWidget.context.model.dirty = true; }")
    form.get_by_role("button", name="Sign as validator").press("Control+s")
    wait_until_saved(lab)


def test_an_objection_is_raised_and_cleared_by_the_one_who_raised_it(lab: Lab) -> None:
    view = show(lab, "objected", REVIEW, SHOW_REVIEW)
    view.locator("summary", has_text="Object to tumour/3").click()
    form = view.get_by_role("group", name="Object to tumour/3")
    form.get_by_label("What must change").fill("The holdout is older than the scanners in use.")
    form.get_by_label("SSH key").fill("/keys/vera")
    form.get_by_role("button", name="Object").click()
    expect(form.locator(".wb-reply")).to_contain_text("Your objection is recorded, signed.")
    expect(form.get_by_label("What must change")).to_have_value("")
    expect(view.locator(".wb-objection")).to_contain_text("The holdout is older than the scanners in use.")
    expect(view.locator(".wb-objection")).to_contain_text("Only vera@example.org can clear it.")
    view.locator("summary", has_text="Clear objection 41").click()
    clear = view.get_by_role("group", name="Clear objection 41")
    clear.get_by_label("What settled it?").fill("New rows were added to the holdout.")
    clear.get_by_label("SSH key").fill("/keys/otto")
    expect(clear).to_contain_text("Only vera@example.org can clear it; this is the key of otto@example.org")
    clear.get_by_label("SSH key").fill("/keys/vera")
    clear.get_by_label("SSH key").press("Enter")
    expect(view.locator(".wb-reply", has_text="Objection 41 is cleared.")).to_be_visible()
    expect(view.locator(".wb-objection")).to_contain_text("New rows were added to the holdout.")
    expect(view.locator("summary", has_text="Clear objection 41")).to_have_count(0)


def test_a_waivable_finding_is_waived_where_it_says_so(lab: Lab) -> None:
    failed = (
        "Finding('beats_baseline', Status.FAIL, 'roc_auc +0.0004', 'better', 'Not better.', severity=Severity.WAIVABLE)"
    )
    view = show(lab, "waived", REVIEW, f"review = replace(review, findings=({failed},))", SHOW_REVIEW)
    expect(view.locator("[data-check=beats_baseline]")).to_contain_text("Must pass or be waived")
    expect(view.locator("[data-check=beats_baseline]")).to_contain_text("The owner may waive it")
    view.get_by_text("Waive beats baseline", exact=True).first.click()
    form = view.get_by_role("group", name="Waive beats baseline")
    form.get_by_label("Why is the risk bearable").fill("A trial on one ward, watched every day.")
    form.get_by_label("Last day").fill("2026-12-31")
    form.get_by_label("SSH key").fill("/keys/otto")
    expect(form.locator(".wb-command")).to_contain_text("workbench waive tumour/3 beats_baseline --reason")
    form.get_by_role("button", name="Waive").click()
    expect(view.locator(".wb-reply", has_text="Waived beats baseline until 2026-12-31.")).to_be_visible()
    expect(view.locator("[data-check=beats_baseline]")).to_contain_text("~\u00a0Waived")
    expect(view.get_by_label("Waivers")).to_contain_text("A trial on one ward, watched every day.")


@pytest.mark.parametrize("looks", examples([LOOKS, OTHER_LOOKS], [LOOKS]), ids=["each once", "the others"])
def test_the_whole_review_is_readable_and_accessible(lab: Lab, looks: list[tuple[str, int]]) -> None:
    view = show(lab, "whole", REVIEW, EVERYTHING, SHOW_REVIEW)
    for theme, width_px in looks:
        lab.choose_theme(f"JupyterLab {theme}")
        lab.page.set_viewport_size({"width": width_px, "height": 4200})
        lab.photograph(f"review_{theme.lower()}_{width_px}", view)
    for summary in view.locator("summary").all():
        if summary.locator("..").get_attribute("open") is None:
            summary.click()
    view.get_by_role("group", name="Sign", exact=True).get_by_label("SSH key").fill("/keys/vera")
    expect(view.get_by_role("group", name="Sign", exact=True).locator(".wb-holder")).to_contain_text(
        "vera@example.org holds"
    )
    for theme, width_px in looks:
        lab.choose_theme(f"JupyterLab {theme}")
        lab.page.set_viewport_size({"width": width_px, "height": 11000})
        lab.photograph(f"review_whole_{theme.lower()}_{width_px}", view)
        assert view.evaluate("box => box.scrollWidth - box.clientWidth") == 0
        assert contrast(view, ".wb-status, .wb-quiet, .wb-note, td, th, dt, dd, label, .wb-cautions") >= 4.5
        assert find_violations(lab.page, ".wb-live") == []


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
    lab.photograph(f"{name}_reopened", panel.locator(".wb-twin"))


def test_without_a_kernel_the_whole_review_can_be_read(lab: Lab, kept: None) -> None:
    twin = lab.open("kept_review.ipynb", run=False).locator(".wb-twin")
    for words in (
        "What changed since version 2",
        "model.fit(train, target)",
        "Patients under eighteen",
        "A trial on one ward",
    ):
        expect(twin).to_contain_text(words)
    for words in ("Checklist: 48 questions", "The owner may waive it", "workbench object tumour/3 --clear NUMBER"):
        expect(twin).to_contain_text(words)
    expect(twin.locator("textarea, input, button, select")).to_have_count(0)
    assert find_violations(lab.page, ".wb-twin") == []


def test_an_untrusted_notebook_shows_the_snapshot_without_style(browser: Browser, server: Server, kept: None) -> None:
    fresh = Lab(browser, server)  # a page that has shown a live view keeps the style of it
    for name in ("kept_comparison", "kept_review"):
        panel = fresh.open(copy_with_other_content(server, f"{name}.ipynb"), run=False)
        expect(panel.locator(".wb-twin")).to_contain_text("run this cell again to make it live.")
        expect(panel.locator(".wb-twin style, .wb-twin svg")).to_have_count(0)
        expect(panel.locator(".wb-twin .wb-chart").first).to_be_hidden()
        expect(panel.locator(".jp-OutputArea-child")).to_have_count(1)
        fresh.photograph(f"{name}_untrusted", panel.locator(".wb-twin"))
    fresh.close()
    assert fresh.outside == []
    assert fresh.dialogs == []


def find_kernel(notebook: str) -> psutil.Process:
    """Return the process of the kernel that a notebook has in JupyterLab."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("JPY_SESSION_NAME", "").endswith(f"/{notebook}"):
                return process
    pytest.fail(f"{notebook} has no kernel.")


def test_without_a_kernel_the_view_says_so_and_keeps_the_text(lab: Lab) -> None:
    view = show(lab, "stopped", REVIEW, SHOW_REVIEW)
    item, kernel = view.locator("[data-question=limitations]"), find_kernel("stopped.ipynb")
    item.locator("textarea").fill(ANSWER)
    kernel.suspend()
    item.get_by_role("button").click()
    expect(item.locator(".wb-reply")).to_contain_text("No answer from the kernel yet", timeout=15_000)
    expect(view.get_by_role("alert")).to_be_hidden()
    kernel.resume()
    expect(item.locator(".wb-reply")).to_contain_text("Saved.")
    lab.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    expect(view.get_by_role("alert")).to_contain_text("has ended: nothing is saved or signed here any more")
    item.locator("textarea").fill(f"{ANSWER} And more.")
    expect(item).to_contain_text("The kernel has ended")
    expect(item.get_by_role("button")).to_have_attribute("aria-disabled", "true")
    expect(item.locator("textarea")).to_have_value(f"{ANSWER} And more.")
