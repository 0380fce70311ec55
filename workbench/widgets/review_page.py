"""A review as static HTML: the twin kept in the notebook, and a page that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from workbench.drawings.markup import Content, Markup, element, join
from workbench.drawings.picture import show_pictures
from workbench.evidence.outcome import draw_outcome
from workbench.reviews.review import Review
from workbench.widgets.changes_page import show_changes
from workbench.widgets.classes_page import show_classes
from workbench.widgets.interval_chart import draw_interval, draw_ticks
from workbench.widgets.own_code_page import show_own_code
from workbench.widgets.review_state import review_state
from workbench.widgets.snapshot import (
    cell,
    describe_facts,
    explain_words,
    page,
    show_interval,
    show_moment,
    show_prose,
    show_status,
    table,
)


def review_page(review: Review, at: datetime | None = None) -> str:
    """Return a complete HTML document that shows the review without script, network or kernel."""
    return page(f"Review of {review.subject}", review_body(review), at or datetime.now(UTC))


def review_body(review: Review) -> Markup:
    """Return the review as HTML, without the frame of a page or a twin."""
    state = review_state(review)
    checked = element("p", show_moment(state["checked"]), "; computed again before promotion.", class_="wb-quiet")
    commands = state["commands"]
    return join(
        element("p", element("strong", state["headline"]), class_=f"wb-headline wb-tone-{state['tone']}"),
        _needed(state),
        describe_facts(state["facts"]),
        show_changes(state["changes"]),
        show_own_code(state["local_code"]),
        show_own_code(state["own_code"]),
        _section("Score", element("p", state["score"]), _scores(state["scores"])),
        _outcome(review, state["outcome"]),
        show_classes(state["classes"]),
        _section(
            f"Checks: {state['tally']}",
            *_findings(state),
            checked,
            _checklist(state["checklist"]),
        ),
        _section("Waivers", *_waivers(state["waivers"]), _command("To waive", commands["waive"])),
        _section(
            "Objections",
            *_objections(state["objections"]),
            _command("To object", commands["object"]),
            _command("To clear your own", commands["clear"]),
        ),
        _section(
            "Questions only a person can answer",
            *(_question(question) for question in state["questions"]),
            _command("To answer", commands["answer"]),
        ),
        _section(
            "Approvals",
            element("p", state["people"]),
            _approvals(state["roles"]),
            *(element("p", caution, class_="wb-cautions") for caution in state["sign"]["cautions"]),
            element("p", state["sign"]["binds"]),
            _command("To sign", commands["approve"]),
        ),
        explain_words(state["words"]),
    )


def _command(label: str, command: str) -> Markup:
    return element("p", f"{label}: ", element("code", command), class_="wb-command")


def _section(title: str, *children: Content) -> Markup:
    return element("section", element("h3", title), *children)


def _needed(state: dict[str, Any]) -> Markup:
    reasons = [element("li", show_prose(reason)) for reason in state["reasons"]]
    summary = element("summary", state["why"])
    return join(
        element("p", show_prose(state["needed"])),
        element("details", summary, element("ul", *reasons), class_="wb-reasons") if reasons else None,
    )


def _outcome(review: Review, outcome: dict[str, Any] | None) -> Markup | None:
    if outcome is None:
        return None
    said = [element("p", outcome[key]) for key in ("text", "worth") if outcome[key]]
    return _section("On the holdout", *said, show_pictures(draw_outcome(review.evidence)))


def _scores(scores: Sequence[dict[str, Any]]) -> Markup | None:
    labels = {
        "Against": "text",
        "Advantage, right is better": "chart",
        "Estimate, lower to upper bound": "number",
        "Verdict": "text",
    }
    return table(labels, [_score(score) for score in scores]) if scores else None


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


def _findings(state: dict[str, Any]) -> list[Markup]:
    findings, unfolded = state["findings"], state["unfolded"]
    shown, folded = findings[:unfolded], findings[unfolded:]
    labels = dict.fromkeys(("Result", "Check", "Value", "Limit", "Reason"), "text")
    tables = [table(labels, [_finding(finding) for finding in part]) for part in (shown, folded) if part]
    if not folded:
        return tables
    summary = element("summary", state["passed"])
    return [*tables[:-1], element("details", summary, tables[-1], class_="wb-fold")]


def _finding(finding: dict[str, Any]) -> Markup:
    return element(
        "tr",
        cell("text", show_status(finding["status"])),
        cell("text", finding["label"], _quiet(finding["severity"]), tag="th", scope="row"),
        *(cell("text", finding[key]) for key in ("value", "limit")),
        cell("text", show_prose(finding["reason"]), _quiet(show_prose(finding["waiver"]))),
    )


def _quiet(content: Markup | str) -> Markup | None:
    is_empty = not (content.html if isinstance(content, Markup) else content)
    return None if is_empty else element("div", content, class_="wb-quiet")


def _checklist(checklist: dict[str, Any] | None) -> Markup | None:
    if checklist is None:
        return None
    return element(
        "details",
        element("summary", checklist["summary"]),
        *(_checklist_section(section) for section in checklist["sections"]),
        class_="wb-fold",
    )


def _checklist_section(section: dict[str, Any]) -> Markup:
    labels = dict.fromkeys(("Item", section["title"], "Status", "Weight", "Settled by", "Asked by"), "text")
    rows = [
        element(
            "tr",
            cell("text", row["id"]),
            cell("text", row["question"], tag="th", scope="row"),
            cell("text", show_status(row["status"])),
            *(cell("text", row[key]) for key in ("severity", "by", "references")),
        )
        for row in section["rows"]
    ]
    return element("div", table(labels, rows), class_="wb-items")


def _waivers(waivers: Sequence[dict[str, Any]]) -> list[Markup]:
    if not waivers:
        return [element("p", "Nobody waived anything.")]
    rows = [
        element(
            "tr",
            cell("text", show_status(waiver["status"])),
            cell("text", waiver["label"], tag="th", scope="row"),
            cell("text", waiver["who"], element("div", show_moment(waiver["given"]), class_="wb-quiet")),
            cell("text", waiver["reason"], *_faults(waiver)),
            cell("text", show_moment(waiver["expires"])),
        )
        for waiver in waivers
    ]
    return [table(dict.fromkeys(("Counts", "Check", "Waived by", "Why", "Expires"), "text"), rows)]


def _faults(item: dict[str, Any]) -> list[Markup]:
    return [element("ul", *(element("li", fault) for fault in item["faults"]))] if item["faults"] else []


def _objections(objections: Sequence[dict[str, Any]]) -> list[Markup]:
    return [_objection(item) for item in objections] or [element("p", "Nobody objected.")]


def _objection(item: dict[str, Any]) -> Markup:
    who = (show_status(item["status"]), " ", element("strong", item["who"]), show_moment(item["raised"]))
    cleared = (
        [element("p", show_moment(item["cleared"]), ": ", item["resolution"], class_="wb-quiet")]
        if item["resolution"]
        else []
    )
    return element(
        "div",
        element("div", *who),
        element("blockquote", item["text"], class_="wb-answer"),
        *cleared,
        _quiet(item["note"]),
        class_="wb-objection",
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
    return table(dict.fromkeys(("Role", "Signed", "By"), "text"), rows)


def _given(role: dict[str, Any]) -> list[Content]:
    return [_approval(given) for given in role["given"]] or ["nobody yet"]


def _approval(given: dict[str, Any]) -> Markup:
    who = (element("strong", given["who"]), show_moment(given["signed"]), given["expires"])
    return element("div", element("div", show_status(given["status"]), " ", *who), *_faults(given), class_="wb-given")
