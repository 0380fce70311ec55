"""What the panel starts goes on by itself, and is stopped from wherever somebody looks; what is not saved yet is saved first."""

from __future__ import annotations

import nbformat
import pytest
from playwright.sync_api import expect

from tests.e2e.jupyterlab import Lab, Server
from tests.e2e.views import show_panel

pytestmark = [pytest.mark.browser, pytest.mark.soak]

SLOW = """\
from typing import Annotated
from annotated_types import Ge
steps: Annotated[int, Ge(1)] = 40
"""
SLEEP = "import time\nfor number in range(steps):\n    print('step', number)\n    time.sleep(0.25)"


def write_slow(server: Server) -> str:
    cells = [nbformat.v4.new_code_cell(SLOW, metadata={"tags": ["parameters"]}), nbformat.v4.new_code_cell(SLEEP)]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), server.notebooks / "slow.ipynb")
    return "slow.ipynb"


def test_what_runs_in_the_background_outlives_the_page_and_is_stopped_from_another(lab: Lab, server: Server) -> None:
    lab.open(write_slow(server), run=False)
    panel = show_panel(lab)
    panel.get_by_label("steps").fill("400")
    panel.get_by_role("button", name="Run", exact=True).click()
    expect(panel.locator(".wb-going")).to_contain_text("step", timeout=60_000)
    lab.save()
    lab.reload()
    lab.open("slow.ipynb", run=False)
    panel = show_panel(lab)
    stop = panel.get_by_role("button", name="Stop this run")
    expect(panel.locator(".wb-going pre")).to_contain_text("step")
    stop.focus()
    lab.page.keyboard.press("Enter")
    expect(panel.get_by_role("list", name="Last runs")).to_contain_text("Stopped by")
    panel.get_by_role("checkbox").check()
    panel.get_by_label("steps").fill("400,401,nothing")
    panel.get_by_role("button", name="Run the sweep").click()
    expect(panel.get_by_role("alert")).to_contain_text("steps is 'nothing'; expected a whole number")
    panel.get_by_label("steps").fill("400..402")
    panel.get_by_role("button", name="Run the sweep").click()
    expect(panel.locator(".wb-going")).to_contain_text("0 of 3 runs ended · 2 running", timeout=60_000)
    panel.get_by_role("button", name="Stop this sweep").click()
    expect(panel.get_by_role("list", name="Last runs").locator("li")).to_have_count(4)


def test_unsaved_changes_are_said_and_saved_before_a_run(lab: Lab, server: Server) -> None:
    lab.open(write_slow(server), run=False)
    panel = show_panel(lab)
    expect(panel.get_by_label("steps")).to_have_value("40")
    changed = SLOW.replace("40", "1")
    lab.page.evaluate(
        "text => window.jupyterapp.shell.currentWidget.model.cells.get(0).sharedModel.setSource(text)", changed
    )
    expect(panel).to_contain_text("This notebook has unsaved changes; they are saved before it runs.")
    panel.get_by_role("button", name="Run", exact=True).click()
    expect(panel.get_by_label("steps")).to_have_value("1")
    expect(panel.get_by_role("list", name="Last runs")).to_contain_text("Finished", timeout=60_000)
    assert changed in nbformat.read(server.notebooks / "slow.ipynb", 4).cells[0].source + "\n"
