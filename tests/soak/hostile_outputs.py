"""X2: hostile texts on everything that a reviewer looks at, judged by a real browser: nothing runs, loads or leads away."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from playwright.sync_api import Browser, Error, Page, Route

from tests.e2e.jupyterlab import open_browser
from tests.soak.hostile_pages import (
    HARMLESS,
    PAGES,
    PAYLOADS,
    SURFACES,
    Make,
    find_policy_faults,
    raw_page,
    stock_page,
    without_policy,
)
from tests.soak.proof import Proof, timed_proof

_ADDRESS = "http://reviewer.invalid/"
_SETTLE_MS = 20
_HARMLESS_STYLE = (
    r"((text-align|left|width|top|height|--wb-grid-least): ?[\w.%-]+(; ?|$)|--wb-grid-columns: ?[\w(), ]+(; ?|$))+"
)
# What Jupyter's own pages load, whatever the notebook says.
_OF_JUPYTER = ("https://cdnjs.cloudflare.com/", "https://cdn.jsdelivr.net/", "https://unpkg.com/")

# What a report and a card may hold, whoever wrote the text: the words of the report's own cleaner, and our frame.
_TAGS = (
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins "
    "kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul "
    "html head meta title style body header section main"
)
_ATTRIBUTES = "class colspan id rowspan scope title alt width height lang charset name content http-equiv"
_KNOWN_TAGS, _KNOWN_ATTRIBUTES = frozenset(_TAGS.split()), frozenset(_ATTRIBUTES.split())

_ELEMENTS = """async () => {
  const isUnpacked = () => !document.getElementById("wb-rows") || document.querySelector("[role=grid]");
  for (let tries = 0; tries < 200 && !isUnpacked(); tries++) await new Promise((done) => setTimeout(done, 10));
  const found = [];
  const look = (root) => {
    for (const node of root.querySelectorAll("*")) {
      found.push([node.localName, [...node.attributes].map(({ name, value }) => [name, value.slice(0, 300)])]);
      if (node.shadowRoot) look(node.shadowRoot);
      if (node instanceof HTMLTemplateElement) look(node.content);
    }
  };
  look(document);
  return found;
}"""
_TOUCH = """() => {
  const events = ["click", "mouseover", "mouseenter", "pointerdown", "focus", "focusin"];
  events.push("toggle", "beforetoggle", "animationstart", "error", "load");
  for (const node of document.querySelectorAll("*")) {
    for (const kind of events) node.dispatchEvent(new Event(kind, { bubbles: false, cancelable: true }));
    if (node.localName === "a" || node.localName === "area") node.click();
  }
}"""


class Reviewer:
    """A browser tab that opens pages, touches everything in them, and notes what it should not have seen."""

    def __init__(self, browser: Browser) -> None:
        self._page: Page = browser.new_context().new_page()
        self._shown = ""
        self._sang: list[str] = []
        self._page.set_default_timeout(10_000)
        self._page.on("dialog", self._dismiss)
        self._page.route("**/*", self._answer)

    def open(self, html: str) -> None:
        """Show a page."""
        self._shown, self._sang = html, []
        self._page.goto(_ADDRESS)

    def elements(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return every element with its attributes, as the browser understood the page."""
        return [
            (tag, [(name, value) for name, value in attributes]) for tag, attributes in self._page.evaluate(_ELEMENTS)
        ]

    def touch(self) -> list[str]:
        """Touch everything and return what came of it, or of opening the page."""
        with suppress(Error):  # a page that leads away takes its answer with it
            self._page.evaluate(_TOUCH)
            self._page.wait_for_timeout(_SETTLE_MS)
            if any(frame.evaluate("() => window.__pwned !== undefined") for frame in self._page.frames[:5]):
                self._sang.append("a script ran")
        return self._sang

    def _dismiss(self, dialog: Any) -> None:
        self._sang.append(f"a dialog said {dialog.message!r}")
        dialog.dismiss()

    def _answer(self, route: Route) -> None:
        url = route.request.url
        if url == _ADDRESS:
            route.fulfill(body=self._shown, content_type="text/html; charset=utf-8")
            return
        if not url.startswith(_OF_JUPYTER):
            self._sang.append(f"it asked for {url[:100]}")
        route.abort()


def find_live_elements(
    elements: Sequence[tuple[str, list[tuple[str, str]]]], known: frozenset[tuple[str, str]]
) -> list[str]:
    """Return the elements and attributes that are neither on the list nor `known` of the same page with harmless words."""
    found = []
    for tag, attributes in elements:
        if tag not in _KNOWN_TAGS and (tag, "") not in known:
            found.append(f"<{tag}>")
        for name, value in attributes:
            if (name not in _KNOWN_ATTRIBUTES and (tag, name) not in known) or not _is_harmless(name, value):
                found.append(f"<{tag} {name}={value[:80]!r}>")
    return found


def _is_harmless(name: str, value: str) -> bool:
    if name in ("href", "src"):
        return value.startswith("#" if name == "href" else "data:image/")
    if name == "style":
        return re.fullmatch(_HARMLESS_STYLE, value) is not None
    return not name.startswith("on")


def shapes_of(reviewer: Reviewer, make: Make) -> frozenset[tuple[str, str]]:
    """Return which elements and attributes a surface has with harmless words: those it has on its own account."""
    shapes: set[tuple[str, str]] = {("img", "src"), ("a", "href")}
    for words in HARMLESS:
        reviewer.open(make(words))
        shapes |= {
            (tag, name) for tag, attributes in reviewer.elements() for name in ("", *(name for name, _ in attributes))
        }
    return frozenset(shapes)


def try_payloads(
    browser: Browser, payloads: Sequence[str], surfaces: Mapping[str, Make] = SURFACES
) -> tuple[int, list[str]]:
    """Show every payload on every surface, with and without the page's own policy; return how many pages, and what was wrong."""
    reviewer, faults, pages = Reviewer(browser), [], 0
    known = {name: shapes_of(reviewer, make) for name, make in surfaces.items()}
    for text in payloads:
        for name, make in surfaces.items():
            html = make(text)
            shown = [html, without_policy(html)] if name in PAGES else [html]
            faults += find_policy_faults(name, html) if name in PAGES else []
            for each in shown:
                pages += 1
                faults += [f"{name}, {text[:80]!r}: {fault}" for fault in find_page_faults(reviewer, each, known[name])]
    return pages, faults


def find_page_faults(reviewer: Reviewer, html: str, known: frozenset[tuple[str, str]]) -> list[str]:
    """Return what a page holds that it must not, and what happens when it is opened and touched."""
    reviewer.open(html)
    return [*find_live_elements(reviewer.elements(), known)[:5], *reviewer.touch()]


def count_singing(
    browser: Browser, payloads: Sequence[str], make: Callable[[str], str], sings: Callable[[Sequence[str]], bool] = bool
) -> int:
    """Return how many payloads run, load or lead away in a page made another way; `sings` judges what came of one."""
    reviewer, sang = Reviewer(browser), 0
    for text in payloads:
        with suppress(Error):
            reviewer.open(make(text))
        sang += sings(reviewer.touch())
    return sang


def _is_run(said: Sequence[str]) -> bool:
    return any(each.startswith(("a script", "a dialog")) for each in said)


def prove(size: int) -> Proof:
    """Show `size` hostile texts on everything a reviewer looks at."""
    claim = "X2: no hostile text runs, loads, restyles or leads away on anything a reviewer looks at"
    return timed_proof(claim, lambda: _try(size))


def _try(size: int) -> tuple[int, Sequence[str], str]:
    payloads = PAYLOADS[:: max(len(PAYLOADS) // size, 1)][:size]
    with open_browser() as browser:
        pages, faults = try_payloads(browser, payloads)
        stock, raw = (count_singing(browser, payloads, make) for make in (stock_page, raw_page))
        past = count_singing(browser, payloads, partial(stock_page, sanitize_html=True), _is_run)
    if not stock or not raw:
        faults.append("no payload sings anywhere: the proof is deaf")
    if past:
        faults.append(f"{past} texts run behind nbconvert's own cleaner: nothing that slips past it is kept here")
    details = (
        f"{len(payloads)} texts on {len(SURFACES)} surfaces, {pages:,} pages in Chromium; "
        f"of the same texts {stock} sing in nbconvert's own page and {raw} in a page that shows them as they are"
    )
    return pages, faults, details
