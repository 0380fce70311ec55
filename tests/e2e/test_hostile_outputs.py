"""What people and notebooks say stays text on every page a reviewer opens, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.soak.hostile_outputs import Reviewer, count_singing, find_page_faults, try_payloads
from tests.soak.hostile_pages import PAYLOADS, SURFACES, raw_page, stock_page

pytestmark = pytest.mark.browser
SOME = [each for each in PAYLOADS if "onerror" in each][:3]


def test_a_hostile_text_runs_loads_and_leads_nowhere_on_any_surface(browser: Browser) -> None:
    pages, faults = try_payloads(browser, SOME)
    assert faults == []
    assert pages > len(SOME) * len(SURFACES)


def test_the_same_texts_sing_where_nothing_is_done_about_them(browser: Browser) -> None:
    assert count_singing(browser, SOME, raw_page) > len(SOME) // 3
    assert count_singing(browser, SOME[:3], stock_page) > 0


@pytest.mark.parametrize(
    "html",
    [
        "<script>window.__pwned=1</script>",
        "<img src=//evil.example/x.png>",
        "<p onclick=alert(1)>x</p>",
        "<a href=https://evil.example>x</a>",
        "<p style='background:url(x)'>x</p>",
        "<template><script></script></template>",
    ],
)
def test_what_is_alive_would_be_noticed(browser: Browser, html: str) -> None:
    assert find_page_faults(Reviewer(browser), raw_page(html), frozenset({("p", "style")}))
