"""Code beside the notebook, as the review shows it: every line that ran, or would run in the endpoint, and what changed in it."""

from __future__ import annotations

from typing import Any

from workbench.records.digest import short
from workbench.reviews.own_code import ReviewedModule
from workbench.reviews.review import Review
from workbench.words.changes import LINES_SHOWN, code_state, count_lines, line_state
from workbench.words.own_code import describe_own_code

_TEXT = (
    "The model brings code of its author. It runs in the endpoint with the rights of the service, and it ran, confined, where this "
    "model was measured, so it could have had a hand in every figure of the model itself. Whoever signs has read it."
)


_LOCAL_TEXT = (
    "These files ran in the notebook's kernel and belong to no installed package. They are named as its kernel told; what code in "
    "that kernel hides is not seen, nor what runs in programs it starts, except scripts they are started with."
)


def own_code_state(review: Review) -> dict[str, Any]:
    """Return the section on own code; its list of modules is empty for a model that has none and had none."""
    modules = [_module(module, review, used=_say_use(module)) for module in review.own_code]
    return {"title": "Own code", "text": _TEXT if review.evidence.own_code else "", "modules": modules}


def local_code_state(review: Review) -> dict[str, Any]:
    """Return the section on local code that ran with the notebook; its list is empty where none did, and none did before."""
    modules = [_module(module, review, used=module.note.capitalize()) for module in review.local_code]
    return {"title": "Local code that ran", "text": _LOCAL_TEXT, "modules": modules}


def _say_use(module: ReviewedModule) -> str:
    return f"The model holds {', '.join(module.names)} of it." if module.names else "Other modules import it."


def _module(module: ReviewedModule, review: Review, used: str) -> dict[str, Any]:
    said = describe_own_code(module, review.changes.version if review.changes else None)
    shown = [_whole(module, said)]
    if module.code.fault:
        shown = [code_state(module.code, "", f"{module.name}: {module.code.fault}", unit="Line", whole="")]
    elif module.standing == "changed":
        diff = code_state(module.code, said.partition(":")[0], said, unit="Line", whole="the whole module follows")
        shown = [diff, _whole(module, f"The whole of {module.name}: {count_lines(len(module.source.splitlines()))}")]
    detail = f"{used} sha256 {short(module.digest) or 'unknown'}" if module.standing != "gone" else ""
    return {"name": module.name, "detail": detail, "code": shown}


def _whole(module: ReviewedModule, summary: str) -> dict[str, Any]:
    """Return every line of a module; what is new is there to be read at once."""
    lines = [line_state("+" if module.standing == "new" else " ", line) for line in module.source.splitlines()]
    hunks = [{"title": module.name, "lines": lines}] if lines else []
    return {
        "summary": summary,
        "hunks": hunks,
        "open": module.standing == "new" and len(lines) <= 2 * LINES_SHOWN,
        "more": "",
    }
