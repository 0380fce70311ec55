"""Everything a reviewer looks at, with the same text in every place where a person or a notebook can put one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from html import unescape
from typing import Any, TypeVar

from tests.unit.comparisons.builders import build_champion_comparison
from tests.unit.evidence.builders import build_evidence, build_execution
from tests.unit.hostile_html import HOSTILE_HTML
from tests.unit.reviews.builders import build_review
from tests.unit.runs.test_report import build_run, carriers, code, display, error, markdown, stream
from workbench.config import find_template
from workbench.evidence.evidence import Evidence
from workbench.reviews.card_markdown import render_model_card
from workbench.reviews.review import Review
from workbench.runs.nbconvert_report import render_report
from workbench.runs.run import RunState
from workbench.widgets.comparison_page import comparison_body, comparison_page
from workbench.widgets.comparison_state import comparison_state
from workbench.widgets.comparison_view import ComparisonView
from workbench.widgets.review_page import review_body, review_page
from workbench.widgets.review_state import review_state
from workbench.widgets.review_view import ReviewView
from workbench.widgets.rows_page import rows_policy
from workbench.widgets.snapshot import read_style, twin
from workbench.widgets.snapshot_view import SnapshotView

Record = TypeVar("Record")
HOST = "evil.example"
_CALL = "window.__pwned=1"
_AT = datetime(2026, 11, 20, 9, 12, tzinfo=UTC)

# Beside those of the report's own test: each sings where it runs, loads or leads away.
PAYLOADS: tuple[str, ...] = (
    *HOSTILE_HTML,
    f"<img src=x onerror={_CALL}>",
    f"\"><img src=x onerror='{_CALL}'>",
    f"'><svg/onload={_CALL}>",
    f"</title></style></textarea></script><img src=x onerror={_CALL}>",
    f"</script><script>{_CALL}</script>",
    f"--></style><script>{_CALL}</script>",
    f"]]><script>{_CALL}</script>",
    f"</summary></details></table></blockquote><script>{_CALL}</script>",
    f"<svg><animate onbegin={_CALL} attributeName=x dur=1s>",
    f"<svg><set attributeName=href to=javascript:{_CALL} /><a><text y=20>x</text></a></svg>",
    f"<svg><foreignObject><img src=x onerror={_CALL}></foreignObject></svg>",
    f"<marquee onstart={_CALL}>x</marquee>",
    f"<video><source onerror={_CALL}></video>",
    f"<audio src=x onerror={_CALL}>",
    "<iframe src='javascript:parent.__pwned=1'></iframe>",
    "<iframe srcdoc='&lt;script&gt;parent.__pwned=1&lt;/script&gt;'></iframe>",
    f"<object data='javascript:{_CALL}'></object>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    f"<embed src='javascript:{_CALL}'>",
    f"<select autofocus onfocus={_CALL}><option>x</select>",
    f"<textarea autofocus onfocus={_CALL}></textarea>",
    f"<div tabindex=1 autofocus onfocus={_CALL}>x</div>",
    f"<p onmouseover={_CALL} style='position:fixed;inset:0'>x</p>",
    "<style>@keyframes x{from{color:red}}p{animation:x 1s}</style><p onanimationstart=" + _CALL + ">x</p>",
    f"<a href='javascript:{_CALL}' id=x>x</a>",
    f"<a href='JaVaScRiPt&colon;{_CALL}'>x</a>",
    f"<a href='\x01javascript:{_CALL}'>x</a>",
    f"<a href='java&Tab;script:{_CALL}'>x</a>",
    f"<form action='javascript:{_CALL}'><button>x</button></form>",
    f"<button popovertarget=x>x</button><div popover id=x onbeforetoggle={_CALL}>x</div>",
    f"<link rel=stylesheet href=//{HOST}/x.css onload={_CALL}>",
    f"<link rel=prefetch href=https://{HOST}/x><link rel=preload as=image href=https://{HOST}/y>",
    f"<p style=\"background-image:url('//{HOST}/x')\">x</p>",
    f"<style>*{{background:url(//{HOST}/x)}}</style>",
    "<img src='data:image/svg+xml,<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>'>",
    f"<img srcset='//{HOST}/x 1x, //{HOST}/y 2x'><picture><source srcset=//{HOST}/z><img></picture>",
    f"<video poster=//{HOST}/x></video><input type=image src=//{HOST}/y>",
    f"<meta http-equiv=refresh content='0;url=javascript:{_CALL}'>",
    f"<script type=module>{_CALL}</script>",
    f"<script type=importmap>{{}}</script><script async src=//{HOST}/x.js></script>",
    f"[x](javascript:{_CALL}) [y](<javascript:{_CALL}>) <javascript:{_CALL}>",
    f"![x](x\"onerror=\"{_CALL}) [z]: javascript:{_CALL}\n[z]",
    f"![x](https://{HOST}/x.png) [x][1]\n\n[1]: javascript:{_CALL}",
    f"```html\n<script>{_CALL}</script>\n```\n<script>{_CALL}</script>",
    f"$$\\text{{<img src=x onerror={_CALL}>}}$$",
    f"{{{{{_CALL}}}}} ${{{_CALL}}} #{{{_CALL}}}",
    f"{{% raw %}}<script>{_CALL}</script>{{% endraw %}}",
    f"\x1b]8;;javascript:{_CALL}\x07x\x1b]8;;\x07\x1b[31m<img src=x onerror={_CALL}>\x1b[0m",
    "\x1b[2J\x1b[H\x1b]0;approved\x07\x1bP+q544e\x1b\\\x9b31m\x08\x08\x08",
    f"\u202e>tpircs<\u202c<script>{_CALL}</script>",
    f"\ufeff<script>{_CALL}</script>",
    f"&lt;img src=x onerror={_CALL}&gt;&#60;script&#62;{_CALL}&#60;/script&#62;",
    f"%3Cscript%3E{_CALL}%3C/script%3E\\u003cscript\\u003e{_CALL}\\u003c/script\\u003e",
    f"x' autofocus onfocus='{_CALL}' x='",
    f'x" autofocus onfocus="{_CALL}" x="',
    f"x` autofocus onfocus=`{_CALL}` x=`",
)  # fmt: skip
# What a text may do at most: fill a paragraph, a list and the face of code, and be a time.
HARMLESS = ("some words", "with `code` in\nit", "a\n\nb", "2026-11-20T09:12:00+00:00")


def poison(record: Record, text: str) -> Record:
    """Return a record with the text in place of every text in it; what is one of a few words stays."""
    return _poison(record, text)  # type: ignore[no-any-return]


_CHOICES = {"direction", "mark", "run_state", "served_as", "severity", "task"}


def _poison(value: Any, text: str) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        given = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
        return replace(
            value, **{name: each if name in _CHOICES else _poison(each, text) for name, each in given.items()}
        )
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, Mapping):
        return {text + " " * number: _poison(each, text) for number, each in enumerate(value.values())}
    return tuple(_poison(each, text) for each in value) if isinstance(value, tuple | list) else value


def hostile_review(text: str) -> Review:
    """Return a review that says the text in every field: of people, of notebooks, and of the workbench about them."""
    return poison(build_review(evidence=hostile_evidence(text), findings=build_review().findings), text)


def hostile_evidence(text: str) -> Evidence:
    """Return evidence that says the text in every field."""
    return poison(build_evidence(execution=build_execution(error="x", failed_cell=1)), text)


def hostile_comparison(text: str, pairs: int = 1) -> Any:
    """Return a comparison of two runs, or more pairs of them, whose parameters differ, and say the text."""
    poisoned = poison(build_champion_comparison(), text)
    other = replace(poisoned.runs[0], parameters={text: "x", f"{text} ": [text], "y": text})
    return replace(poisoned, runs=(*poisoned.runs, other) * pairs)


def hostile_notebook(text: str) -> dict[str, Any]:
    """Return an executed notebook that says the text wherever a notebook can."""
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": text, "version_major": 2}, "text/html": text}
    raised = {**error(text), "ename": text, "evalue": text}
    cells = [*carriers(text), code("x", display(view), display({text: text}), raised)]
    state = {text: {"model_name": "HTMLModel", "state": {"value": text, "_view_module": text}}}
    widgets = {"application/vnd.jupyter.widget-state+json": {"version_major": 2, "version_minor": 0, "state": state}}
    metadata = {
        "title": text,
        "authors": [{"name": text}],
        "widgets": widgets,
        "kernelspec": {"name": text, "display_name": text},
    }
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}


# The surfaces


def _report(text: str) -> str:
    run = build_run(
        notebook=f"{text}.ipynb",
        parameters={"strength": text, text: [text]},
        author=text,
        error=text,
        state=RunState.FAILED,
        record={"metrics": {text: 1.0}, "datasets": [{"name": text, "rows": 3, "digest": text}]},
        provenance={"git_commit": text, "python": text, "lock_digest": text},
    )
    return render_report(hostile_notebook(text), run, find_template("report"))


def _card(to_html: Callable[[str], str]) -> Callable[[str], str]:
    def make(text: str) -> str:
        template = find_template("model_card.md").read_text(encoding="utf-8")
        markdown = render_model_card(hostile_evidence(text), {text: text, "other": text}, template)
        return f"<!doctype html><html><head><meta charset=utf-8><title>Card</title></head><body>{to_html(markdown)}</body></html>"

    return make


def _commonmark(markdown: str) -> str:
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


def _mistune(markdown: str) -> str:
    import mistune

    plugins = ["table", "strikethrough", "url", "footnotes", "task_lists", "math", "def_list", "abbr"]
    return str(mistune.create_markdown(escape=False, plugins=plugins)(markdown))


def _in_a_notebook(html: str) -> str:
    return f"<!doctype html><html><head><meta charset=utf-8><title>Notebook</title></head><body>{html}</body></html>"


def _live(view: type[SnapshotView], state: Callable[[str], dict[str, Any]]) -> Callable[[str], str]:
    """Return what shows a live view as JupyterLab does: its own module, and a state that comes from the kernel."""

    def make(text: str) -> str:
        known = {
            "state": state(text),
            "drafts": {text: text},
            "role": text,
            "key_path": text,
            "order": {"key": "value", "direction": "ascending"},
            "holder": {"key_path": text, "text": text, "tone": "bad"},
            "reports": {},
            "shown": {},
        }
        known["reply"] = {"about": text, "number": 1, "tone": "bad", "what": text, "reasons": [text], "next": text}
        told = json.dumps(known).replace("<", "\\u003c")
        module = str(view._esm).replace("export default", "window.view =").replace("</script", "<\\/script")
        return _in_a_notebook(
            f'<style>{read_style()}</style><div id="root"></div><script type="module">{module}\n{_STUB % told}</script>'
        )

    return make


_STUB = """
const known = %s, heard = {};
const model = {
  get: (name) => known[name], set: (name, value) => { known[name] = value; }, save_changes() {}, send() {}, off() {},
  on: (name, hear) => { (heard[name] ||= []).push(hear); },
};
window.view.render({ model, el: document.getElementById("root") });
for (const hears of Object.values(heard)) for (const hear of hears) hear({ kind: "hello" });
"""

Make = Callable[[str], str]
# Complete pages, which say themselves what a browser may do with them.
PAGES: Mapping[str, Make] = {
    "report": _report,
    "review page": lambda text: review_page(hostile_review(text), _AT),
    "comparison page": lambda text: comparison_page(hostile_comparison(text), _AT),
    "page of many runs": lambda text: comparison_page(hostile_comparison(text, 13), _AT),
}
# Parts of other pages.
PARTS: Mapping[str, Make] = {
    "review twin": lambda text: _in_a_notebook(twin(review_body(hostile_review(text)), _AT)),
    "comparison twin": lambda text: _in_a_notebook(
        twin(comparison_body(comparison_state(hostile_comparison(text))), _AT)
    ),
    "model card, CommonMark": _card(_commonmark),
    "model card, extended Markdown": _card(_mistune),
    "live review": _live(ReviewView, lambda text: review_state(hostile_review(text))),
    "live comparison": _live(ComparisonView, lambda text: comparison_state(hostile_comparison(text))),
}
SURFACES: Mapping[str, Make] = {**PAGES, **PARTS}
_POLICY = re.compile(r'<meta [^>]*"Content-Security-Policy"[^>]*>')
_CONTENT = re.compile(r'content="([^"]*)"')
_FORBIDS = "default-src 'none'; style-src 'unsafe-inline'"


def find_policy_faults(name: str, html: str) -> list[str]:
    """Return what is wrong with how a page forbids scripts and connections: it must say so once, before anything else."""
    said = [unescape(text) for meta in _POLICY.findall(html.partition("<style")[0]) for text in _CONTENT.findall(meta)]
    if len(said) != 1 or said[0] not in (_FORBIDS, f"{_FORBIDS}; img-src data:", rows_policy()):
        return [f"{name} does not say once, at its head, that it loads and runs nothing: {said}"]
    return []


def without_policy(html: str) -> str:
    """Return the page with nothing but itself to keep a text from running."""
    return _POLICY.sub("", html, count=1)


def stock_page(text: str, *, sanitize_html: bool = False) -> str:
    """Return what nbconvert makes by itself of a sound notebook that says the text; it stumbles over damaged ones."""
    import nbformat
    from nbconvert import HTMLExporter

    kinds = ("text/html", "image/svg+xml", "text/markdown", "text/latex", "text/plain")
    outputs = [*(display({kind: text}) for kind in kinds), stream(text), error(text)]
    cells = [{**cell, "metadata": {}} for cell in (markdown(text), code(text, *outputs))]
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    return str(HTMLExporter(sanitize_html=sanitize_html).from_notebook_node(nbformat.from_dict(notebook))[0])


def raw_page(text: str) -> str:
    """Return a page that shows the text as it is: what a payload does where nothing is done about it."""
    return f"<!doctype html><html><head><title>x</title></head><body>{text}</body></html>"


def in_turn(payloads: Sequence[str]) -> Iterator[tuple[str, str, Make]]:
    """Yield every payload with every surface."""
    yield from ((text, name, make) for text in payloads for name, make in SURFACES.items())
