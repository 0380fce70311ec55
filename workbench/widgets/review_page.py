"""A review as static HTML: the twin kept in the notebook, and a page that stands alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from workbench.domain.review import Review
from workbench.widgets.interval_chart import draw_interval, draw_ticks
from workbench.widgets.markup import Content, Markup, element, join
from workbench.widgets.review_state import review_state
from workbench.widgets.snapshot import cell, describe_facts, page, show_interval, show_moment, show_prose, show_status


def review_page(review: Review, at: datetime | None = None) -> str:
    """Return a complete HTML document that shows the review without script, network or kernel."""
    return page(f"Review of {review.subject}", review_body(review), at or datetime.now(UTC))


def review_body(review: Review) -> Markup:
    """Return the review as HTML, without the frame of a page or a twin."""
    state = review_state(review)
    checked = element("p", show_moment(state["checked"]), "; computed again before promotion.", class_="wb-quiet")
    return join(
        element("p", element("strong", state["headline"]), class_=f"wb-headline wb-tone-{state['tone']}"),
        _next_step(state),
        describe_facts(state["facts"]),
        _section("Score", element("p", state["score"]), _scores(state["scores"])),
        _section(f"Checks: {state['tally']}", _findings(state["findings"]), checked),
        _section("Questions only a person can answer", *(_question(question) for question in state["questions"])),
        _section("Approvals", element("p", state["people"]), _approvals(state["roles"])),
        element("p", "To sign: ", element("code", f"{state['sign']['command']} --role <role> --key <your SSH key>")),
    )


def _section(title: str, *children: Content) -> Markup:
    return element("section", element("h3", title), *children)


def _next_step(state: dict[str, Any]) -> Markup | None:
    if state["next"]:
        return element("p", "Next: ", element("code", state["next"]))
    reasons = [element("li", show_prose(reason)) for reason in state["reasons"]]
    summary = element("summary", f"All {len(reasons)} reasons")
    return element("details", summary, element("ul", *reasons), class_="wb-reasons")


def _table(labels: Mapping[str, str], rows: Sequence[Markup]) -> Markup:
    header = element("tr", *(cell(kind, label, tag="th", scope="col") for label, kind in labels.items()))
    return element("table", element("thead", header), element("tbody", *rows), class_="wb-table")


def _scores(scores: Sequence[dict[str, Any]]) -> Markup | None:
    labels = {
        "Against": "text",
        "Advantage, right is better": "chart",
        "Estimate, lower to upper bound": "number",
        "Verdict": "text",
    }
    return _table(labels, [_score(score) for score in scores]) if scores else None


def _score(score: dict[str, Any]) -> Markup:
    chart = draw_interval(score["axis"], score["mark"], score["name"])
    detail = element("div", score["detail"], class_="wb-quiet")
    return element(
        "tr",
        cell("text", score["name"], detail, tag="th", scope="row"),
        cell("chart", element("div", chart, class_="wb-chart-box"), draw_ticks(score["axis"])),
        cell("number", show_interval(score["interval"])),
        cell("text", show_status(score["verdict"])),
        class_=f"wb-tone-{score['verdict']['tone']}",
    )


def _findings(findings: Sequence[dict[str, Any]]) -> Markup:
    return _table(
        dict.fromkeys(("Result", "Check", "Value", "Limit", "Reason"), "text"),
        [_finding(finding) for finding in findings],
    )


def _finding(finding: dict[str, Any]) -> Markup:
    return element(
        "tr",
        cell("text", show_status(finding["status"])),
        cell("text", finding["label"], tag="th", scope="row"),
        *(cell("text", finding[key]) for key in ("value", "limit")),
        cell("text", show_prose(finding["reason"])),
    )


def _question(question: dict[str, Any]) -> Markup:
    answer = element("blockquote", question["answer"], class_="wb-answer") if question["answer"] else None
    return element(
        "div",
        element("p", element("strong", question["label"]), ": ", question["text"]),
        answer,
        element("p", show_moment(question["answered"]), class_="wb-quiet"),
        class_="wb-question",
    )


def _approvals(roles: Sequence[dict[str, Any]]) -> Markup:
    rows = [
        element(
            "tr",
            cell("text", role["role"], tag="th", scope="row"),
            cell("text", show_status(role["status"])),
            cell("text", *_given(role)),
        )
        for role in roles
    ]
    return _table(dict.fromkeys(("Role", "Signed", "By"), "text"), rows)


def _given(role: dict[str, Any]) -> list[Content]:
    return [_approval(given) for given in role["given"]] or ["nobody yet"]


def _approval(given: dict[str, Any]) -> Markup:
    faults = [element("li", fault) for fault in given["faults"]]
    who = (element("strong", given["who"]), show_moment(given["signed"]), given["expires"])
    return element(
        "div",
        element("div", show_status(given["status"]), " ", *who),
        element("ul", *faults) if faults else None,
        class_="wb-given",
    )
