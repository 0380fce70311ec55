"""A real nominee reviewed by people with real keys: in JupyterLab, by keyboard, with a passphrase; and on a page of its own."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.canaries import lay_canaries
from tests.conftest import start_command
from tests.e2e.jupyterlab import SCREENSHOTS, Lab, Server, find_violations
from tests.e2e.reviewed import PASSPHRASE, SUBJECT, prepare_project
from tests.integration.governed import ANSWERS, OWNER, VALIDATOR, Governed, open_governed
from workbench.ledger.ledger import Event

pytestmark = pytest.mark.browser

REVIEW = f'import workbench as wb\n\nview = wb.review("{SUBJECT}")\nview'
# What the browser would have to give away: all state of the view, as it is synchronised and saved.
TELL = "import json, pathlib; pathlib.Path('state.json').write_text(json.dumps(view.get_state(), default=str))"
_ANSWER_MS = 60_000


@pytest.fixture(scope="module")
def prepared_once(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Governed:
    return prepare_project(tmp_path_factory.mktemp("reviewed"), make_project)


@pytest.fixture
def governed(prepared_once: Governed, tmp_path: Path) -> Governed:
    return open_governed(Path(shutil.copytree(prepared_once.project, tmp_path / "project")), prepared_once.keys)


@pytest.fixture
def server(governed: Governed) -> Iterator[Server]:
    with Server(governed.project).run() as running:
        yield running


def focus_by_tab(page: Page, target: Locator, *, most: int = 80) -> None:
    """Press Tab until an element has the focus; fails when that takes too many."""
    for _ in range(most):
        if target.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail("Tab never gets there.")


def read_ledger(governed: Governed, event: Event) -> list[str]:
    """Return who did this to the nominee, in order."""
    entries, faults = governed.bench.inspect_ledger()
    assert faults == []
    return [entry.actor for entry in entries if entry.event is event and entry.subject == SUBJECT]


def test_a_reviewer_answers_objects_clears_and_signs_by_keyboard_alone(
    lab: Lab, governed: Governed, record_property: Callable[[str, object], None]
) -> None:
    panel = lab.open(lab.server.write("by_keyboard.ipynb", [REVIEW, TELL]))
    begun = time.monotonic()
    view = panel.locator(".wb-live")
    view.wait_for(timeout=_ANSWER_MS)
    record_property("headline_s", round(time.monotonic() - begun, 1))
    expect(view).to_contain_text("What changed since version 1")
    expect(view.locator("del.wb-removed")).to_contain_text("random_state=seed")
    expect(view.locator("ins.wb-added")).to_contain_text("max_iter=200")
    key = str(governed.keys / "grace")
    keyboard = lab.page.keyboard

    # Object: unfold, write, name the key, the passphrase, Enter.
    view.locator("summary").first.focus()
    focus_by_tab(lab.page, view.locator("summary", has_text=f"Object to {SUBJECT}"))
    keyboard.press("Enter")
    form = view.get_by_role("group", name=f"Object to {SUBJECT}")
    focus_by_tab(lab.page, form.get_by_label("What must change"))
    keyboard.type("Say for whom it is not meant.")
    keyboard.press("Tab")
    keyboard.type(key)
    expect(form.locator(".wb-holder")).to_contain_text(f"{VALIDATOR} holds this key.")
    keyboard.press("Tab")
    keyboard.type("not the passphrase")
    keyboard.press("Escape")
    expect(form.get_by_label("Passphrase")).to_have_value("")
    keyboard.type("not the passphrase")
    keyboard.press("Enter")
    expect(form.get_by_label("Passphrase")).to_have_value("")
    expect(form.locator(".wb-reply")).to_contain_text("The passphrase does not open", timeout=_ANSWER_MS)
    assert read_ledger(governed, Event.OBJECTED) == []
    keyboard.type(PASSPHRASE)
    keyboard.press("Enter")
    expect(form.locator(".wb-reply")).to_contain_text("Your objection is recorded", timeout=_ANSWER_MS)
    assert read_ledger(governed, Event.OBJECTED) == [VALIDATOR]

    # Answer every question.
    for name, text in ANSWERS.items():
        item = view.locator(f"[data-question={name}]")
        focus_by_tab(lab.page, item.locator("textarea"))
        keyboard.type(text)
        keyboard.press("Tab")
        keyboard.press("Enter")
        expect(item.locator(".wb-reply")).to_contain_text("Saved.", timeout=_ANSWER_MS)

    # Clear the objection: the form stands above, so the way is back.
    clear = view.locator("summary", has_text="Clear objection")
    clear.focus()
    keyboard.press("Enter")
    form = view.get_by_role("group", name=re.compile("Clear objection"))
    focus_by_tab(lab.page, form.get_by_label("What settled it?"))
    keyboard.type("The answers say it now.")
    focus_by_tab(lab.page, form.get_by_label("Passphrase"))
    keyboard.type(PASSPHRASE)
    keyboard.press("Enter")
    expect(view.locator(".wb-reply", has_text="is cleared.")).to_be_visible(timeout=_ANSWER_MS)
    assert read_ledger(governed, Event.CLEARED) == [VALIDATOR]

    # Sign.
    form = view.get_by_role("group", name="Sign", exact=True)
    form.get_by_label("Role").select_option("validator")
    form.get_by_label("Role").focus()
    focus_by_tab(lab.page, form.get_by_label("Passphrase"))
    keyboard.type(PASSPHRASE)
    keyboard.press("Enter")
    expect(form.locator(".wb-reply")).to_contain_text("Signed as validator: 1 of 1", timeout=_ANSWER_MS)
    expect(form.locator(".wb-reply")).to_contain_text("Still needed: a signature as owner.")
    assert read_ledger(governed, Event.APPROVED) == [VALIDATOR]
    lab.page.set_viewport_size({"width": 1200, "height": 3600})
    lab.photograph("review_real", view)

    # The passphrase is in nothing that is synchronised, saved or recorded.
    lab.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    told = lab.server.notebooks / "state.json"
    view.wait_for(timeout=_ANSWER_MS)
    lab.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    expect(lab.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .wb-live")).to_be_visible()
    wait_for(told.exists)
    lab.save()  # what was saved before was perhaps the notebook whose outputs had just gone
    notebook = lab.server.notebooks / "by_keyboard.ipynb"
    wait_for(lambda: "signed" in notebook.read_text(encoding="utf-8"))
    spelled = json.dumps(PASSPHRASE)[1:-1]
    kept = [path for path in governed.project.rglob("*") if path.is_file()]
    assert [path for path in kept if PASSPHRASE.encode() in path.read_bytes()] == []
    assert [path for path in kept if spelled.encode() in path.read_bytes()] == []


def wait_for(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.soak
def test_an_author_is_told_before_and_refused_after(lab: Lab, governed: Governed) -> None:
    view = lab.open(lab.server.write("by_author.ipynb", [REVIEW])).locator(".wb-live")
    view.wait_for(timeout=_ANSWER_MS)
    form = view.get_by_role("group", name="Sign", exact=True)
    form.get_by_label("SSH key").fill(str(governed.keys / "ada"))
    expect(form.locator(".wb-holder")).to_contain_text("Nobody is known to hold this key")
    form.get_by_label("SSH key").press("Enter")
    expect(form.locator(".wb-reply")).to_contain_text("does not name this key", timeout=_ANSWER_MS)


@pytest.fixture
def called(tmp_path: Path) -> Path:
    """Where a stand-in for the desktop's browser writes what it was called with."""
    return tmp_path / "called"


class Opened(NamedTuple):
    """A review on a page of its own: where, and the command that shows it."""

    where: str
    process: subprocess.Popen[str]


@pytest.fixture
def opened(governed: Governed, called: Path) -> Iterator[Opened]:
    """The review on a page of its own; at the end Ctrl-C stops it."""
    imported = lay_canaries(governed.project)
    program = called.with_name("browser")
    program.write_text(f'#!/bin/sh\necho "$1" > {called}\n', encoding="utf-8")
    program.chmod(0o700)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start_command(governed.project, "review", SUBJECT, "--open", "--port", str(port), BROWSER=f"{program} %s")
    assert process.stdout is not None
    line = process.stdout.readline()
    yield Opened(line.split(": ", 1)[1].strip(), process)
    process.send_signal(signal.SIGINT)
    said, complained = process.communicate(timeout=60)
    assert "Stopped." in said, complained
    assert process.returncode == 0
    assert not _page(called).exists()
    assert not imported.exists(), imported.read_text()


def _page(called: Path) -> Path:
    """Return the page that the desktop's browser was to open."""
    return Path(called.read_text(encoding="utf-8").strip().removeprefix("file://"))


@pytest.mark.soak
def test_the_page_of_its_own_signs_for_real_offline_and_on_this_machine_only(
    browser: Browser, governed: Governed, opened: Opened, called: Path, record_property: Callable[[str, object], None]
) -> None:
    address, _, token = opened.where.partition("?token=")
    assert token
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(NoRedirect).open(address, timeout=30)
    assert refused.value.code in (302, 403)
    host, port = socket.gethostbyname(socket.gethostname()), int(address.rsplit(":", 1)[1].strip("/"))
    if not host.startswith("127."):
        with pytest.raises(OSError):
            socket.create_connection((host, port), timeout=5)
    asked: list[str] = []
    page = browser.new_context(viewport={"width": 1100, "height": 3600}).new_page()
    page.on("request", lambda request: asked.append(request.url))
    wait_for(lambda: called.exists() and bool(called.read_text(encoding="utf-8").strip()))
    assert token not in called.read_text(encoding="utf-8")
    page.goto(_page(called).as_uri())
    begun = time.monotonic()
    page.wait_for_url(f"{address}**")
    view = page.locator(".wb-live")
    view.wait_for(timeout=_ANSWER_MS)
    record_property("live_s", round(time.monotonic() - begun, 1))
    expect(page.locator(".wb-twin")).to_be_hidden()
    form = view.get_by_role("group", name="Sign", exact=True)
    form.get_by_label("Role").select_option("owner")
    form.get_by_label("SSH key").fill(str(governed.keys / "linus"))
    expect(form.locator(".wb-holder")).to_contain_text(f"{OWNER} holds this key.")
    form.get_by_role("button", name="Sign as owner").click()
    expect(form.locator(".wb-reply")).to_contain_text("Signed as owner: 1 of 1", timeout=_ANSWER_MS)
    assert OWNER in read_ledger(governed, Event.APPROVED)
    page.screenshot(path=SCREENSHOTS / "review_voila.png")
    assert find_violations(page, ".wb-live") == []
    end_kernel(governed)
    warning = view.get_by_role("alert")
    expect(warning).to_contain_text("has ended: nothing is saved or signed here any more", timeout=_ANSWER_MS)
    box = view.locator("[data-question] textarea").first
    box.fill("Not saved by anybody.")
    expect(view.get_by_role("button", name="Save answer to").first).to_have_attribute("aria-disabled", "true")
    expect(view.locator("[data-question]").first).to_contain_text("The kernel has ended")
    page.set_viewport_size({"width": 1100, "height": 700})
    box.scroll_into_view_if_needed()
    expect(warning).to_be_in_viewport()
    page.screenshot(path=SCREENSHOTS / "review_voila_ended.png")
    assert find_violations(page, ".wb-live") == []

    page.reload()
    view.wait_for(timeout=_ANSWER_MS)
    expect(warning).to_be_hidden()
    opened.process.send_signal(signal.SIGINT)
    expect(warning).to_contain_text("cannot be reached", timeout=_ANSWER_MS)
    opened.process.wait(60)
    here = (address, _page(called).as_uri(), "data:", "blob:")
    assert [url for url in asked if not url.startswith(here)] == []
    page.context.close()


def end_kernel(governed: Governed) -> None:
    """Kill the kernel that answers the page."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if (
                process.environ().get("WORKBENCH_PROJECT") == str(governed.project)
                and "ipykernel_launcher" in process.cmdline()
            ):
                process.kill()
                return
    pytest.fail("No kernel answers the page.")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Says what a server answers instead of following it."""

    def redirect_request(self, *_: object) -> None:
        return None
