"""What is wrong with a policy's file: each problem with its line, what was found and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from workbench.policies.roles import ROLE
from workbench.records.yaml_documents import YamlDocument

if TYPE_CHECKING:
    from workbench.stats.metrics import Metric

FORMATS = (1, 2)
_REQUIRED = ("format", "name", "metrics", "checks", "questions", "approvals")
_SINCE_2 = ("tier", "slices", "waivers")
_MAY_BE_LEFT_OUT = ("own_code",)
_SEVERITIES = ("blocking", "waivable", "waivable_if_unknown", "advisory")
_WAIVED = ("waivable", "waivable_if_unknown")
# By task: a line that says how it is judged.
EXAMPLE_RULES: Mapping[str, str] = {
    "classification": "{name: roc_auc, margin: 0.005, limit: 0.8}",
    "multiclass": "{name: roc_auc, margin: 0.005, limit: 0.8}",
    "regression": "{name: r2, margin: 0.02, limit: 0.2}",
}
# Whose lines make an author: those that are new since the model's last release, or all that are there.
AuthorRule = Literal["changed_lines", "all_lines"]
_TASKS = tuple(EXAMPLE_RULES)
_TIERS = (1, 2, 3)
_LARGEST = 1e300
_MOST_DAYS = 36_500
_WAIVER_KEYS = {"allowed", "roles", "most_days"}


@dataclass(frozen=True)
class Known:
    """What a policy may name: checks with the limits of each, and metrics with the tasks each judges.

    `own` are those of these metrics that are the project's own. Of what was frozen `metrics` are None: their names were judged
    when it was, by the project whose they are.
    """

    checks: Mapping[str, Sequence[str]]
    metrics: Mapping[str, Sequence[str]] | None
    own: Mapping[str, Metric] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """One problem: where (the keys that lead there), what is wrong, and what to write instead."""

    place: tuple[Any, ...]
    what: str
    remedy: str


def find_problems(document: YamlDocument, known: Known | None) -> list[str]:
    """Return every problem of a policy as `Line 12, checks.metric_limit: … Write …`, in the order of the lines."""
    lines = [(document.line_of(problem.place), problem) for problem in _find(document.value, known)]
    return [
        f"Line {line}, {'.'.join(map(str, problem.place)) or 'the file'}: {problem.what} {problem.remedy}"
        for line, problem in sorted(lines, key=lambda item: (item[0], item[1].what))
    ]


def _find(document: Any, known: Known | None) -> Iterator[Problem]:
    if not isinstance(document, dict):
        yield Problem((), "it is no mapping of keys.", f"Write the keys {', '.join(_REQUIRED)}, each with its value.")
        return
    if type(document.get("format")) is not int or document["format"] not in FORMATS:
        yield Problem(("format",), f"{document.get('format')!r} is not known.", f"Write format: {FORMATS[-1]}.")
        return
    known_keys = (*_REQUIRED, *(_SINCE_2 if document["format"] > 1 else ()))
    optional = _MAY_BE_LEFT_OUT if document["format"] > 1 else ()
    for key in document:
        if key not in (*known_keys, *optional):
            yield Problem((key,), "is no key of a policy.", f"Known are {', '.join((*known_keys, *optional))}.")
    missing = [key for key in known_keys if key not in document]
    yield from (Problem((key,), "is missing.", _REMEDIES[key]) for key in missing)
    for key, look in _SECTIONS.items():
        if key in (*known_keys, *optional) and key in document:
            yield from look(document[key], document, known)


_REMEDIES = {
    "format": "Write format: 2.",
    "name": "Write name: and a word.",
    "metrics": "Write for each task a line such as classification: {name: roc_auc, margin: 0.005, limit: 0.8}.",
    "checks": "Write one line for each check, such as run_finished: {}.",
    "questions": "Write one line for each question, such as harm: Who could be harmed by a wrong answer?",
    "approvals": "Write roles: {validator: 1}, principals: 1 and valid_days: 180.",
    "tier": "Write tier: 1 (high risk), 2 or 3 (low risk).",
    "slices": "Write slices: [] or the names of slices that must hold, such as [age_group].",
    "waivers": "Write waivers: {allowed: false}, or {allowed: true, roles: [owner], most_days: 90}.",
    "own_code": "Write own_code: {allowed: false}, or {allowed: true}.",
}


def _is_filled(key: str, value: Any) -> Iterator[Problem]:
    """Yield what keeps a section from being a mapping of texts to something."""
    if not isinstance(value, dict) or not value:
        yield Problem((key,), "must be a mapping with at least one entry.", _REMEDIES[key])
        return
    for name in value:
        if not isinstance(name, str):
            yield Problem((key, name), f"{name!r} is no text.", "Write it in quotes.")


def _find_in_name(value: Any, _: Any, __: Any) -> Iterator[Problem]:
    if not isinstance(value, str | int | float) or isinstance(value, bool) or not str(value).isprintable():
        yield Problem(("name",), "is no name.", _REMEDIES["name"])


def _find_in_tier(value: Any, _: Any, __: Any) -> Iterator[Problem]:
    if type(value) is not int or value not in _TIERS:
        yield Problem(("tier",), f"{value!r} is no tier.", _REMEDIES["tier"])


def _find_in_slices(value: Any, document: Mapping[str, Any], _: Any) -> Iterator[Problem]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        yield Problem(("slices",), "must be a list of names.", _REMEDIES["slices"])
    elif value and "slices_hold" not in (document.get("checks") or ()):
        yield Problem(
            ("slices",), "are named, and no check holds them.", "Add slices_hold to the checks, or write slices: []."
        )


def _find_in_checks(value: Any, document: Mapping[str, Any], known: Known | None) -> Iterator[Problem]:
    if problems := list(_is_filled("checks", value)):
        yield from problems
        return
    for name, limits in value.items():
        place = ("checks", name)
        if known and name not in known.checks:
            yield Problem(place, "is no check.", f"Known are {', '.join(sorted(known.checks))}.")
        if not isinstance(limits, dict | None):
            yield Problem(place, "its limits must be a mapping.", f"Write {name}: {{}} or {{limit: value}}.")
        else:
            yield from _find_in_severity(limits or {}, place, document)
            yield from _find_in_limits(limits or {}, place, known)


def _find_in_limits(limits: Mapping[Any, Any], place: tuple[Any, ...], known: Known | None) -> Iterator[Problem]:
    own = known.checks.get(place[-1]) if known else None
    if own is None:
        return
    remedy = f"Known are {', '.join(own)}." if own else "Leave it out: this check has none."
    for key, value in limits.items():
        if key in own and not (_is_number(value) and value >= 0):
            yield Problem((*place, key), f"{value!r:.60} is none.", "Write a number of 0 or more.")
        elif key not in own and key != "severity":
            yield Problem((*place, key), f"is no limit of {place[-1]}.", remedy)
    if missing := [key for key in own if key not in limits]:
        yield Problem(place, f"has no {' and no '.join(missing)}.", "Write a number of 0 or more for each.")


def _find_in_severity(
    limits: Mapping[Any, Any], place: tuple[Any, ...], document: Mapping[str, Any]
) -> Iterator[Problem]:
    if "severity" not in limits:
        return
    value, place = limits["severity"], (*place, "severity")
    if document["format"] == 1:
        yield Problem(place, "is nothing that format 1 knows: there, everything blocks.", _REMEDIES["format"])
    elif value not in _SEVERITIES:
        yield Problem(place, f"{value!r} is none.", f"Write {', '.join(_SEVERITIES)}.")


def _find_in_questions(value: Any, _: Any, __: Any) -> Iterator[Problem]:
    if problems := list(_is_filled("questions", value)):
        yield from problems
        return
    for name, text in value.items():
        if not isinstance(text, str) or not text.strip():
            yield Problem(("questions", name), "has no text.", "Write the question; in quotes when it holds a colon.")


def _find_in_metrics(value: Any, _: Any, known: Known | None) -> Iterator[Problem]:
    if problems := list(_is_filled("metrics", value)):
        yield from problems
        return
    for task, rule in value.items():
        place = ("metrics", task)
        if task not in _TASKS:
            yield Problem(place, "is no task.", f"Known are {', '.join(_TASKS)}.")
        elif not isinstance(rule, dict) or set(rule) != {"name", "margin", "limit"}:
            yield Problem(place, "needs exactly name, margin and limit.", _REMEDIES["metrics"])
        elif not _judges(rule["name"], task, known):
            yield Problem(
                (*place, "name"),
                f"{rule['name']!r} is no metric of it.",
                f"Known are {', '.join(_metrics_of(task, known))}.",
            )
        else:
            yield from _find_in_rule(rule, place)


def _find_in_rule(rule: Mapping[str, Any], place: tuple[Any, ...]) -> Iterator[Problem]:
    if not _is_number(rule["margin"]) or rule["margin"] <= 0:
        yield Problem(
            (*place, "margin"), f"{rule['margin']!r} is none.", "Write a number above 0, in the metric's unit."
        )
    if not _is_number(rule["limit"]):
        yield Problem((*place, "limit"), f"{rule['limit']!r} is none.", "Write the worst value allowed, a number.")


def _judges(name: Any, task: str, known: Known | None) -> bool:
    return isinstance(name, str) and (known is None or known.metrics is None or name in _metrics_of(task, known))


def _metrics_of(task: str, known: Known | None) -> list[str]:
    metrics = known.metrics if known and known.metrics else {}
    return sorted(name for name, judged in metrics.items() if task in judged)


def _find_in_approvals(value: Any, _: Any, __: Any) -> Iterator[Problem]:
    place = ("approvals",)
    if not isinstance(value, dict) or {*value} - {"authors"} != {"roles", "principals", "valid_days"}:
        yield Problem(place, "needs roles, principals and valid_days, and may have authors.", _REMEDIES["approvals"])
        return
    if value.get("authors", "all_lines") not in get_args(AuthorRule):
        what = f"{value['authors']!r} says not whose lines make an author."
        yield Problem((*place, "authors"), what, f"Write {' or '.join(get_args(AuthorRule))}.")
    roles = value["roles"]
    if not isinstance(roles, dict) or not roles:
        yield Problem((*place, "roles"), "names nobody who must sign.", "Write roles: {validator: 1}.")
    else:
        yield from _find_in_roles(roles)
    if not _is_count(value["principals"]):
        what = f"{value['principals']!r} is no count."
        yield Problem((*place, "principals"), what, "Write a whole number of at least 1.")
    yield from _find_in_days(value["valid_days"], (*place, "valid_days"))


def _find_in_days(value: Any, place: tuple[Any, ...]) -> Iterator[Problem]:
    if not _is_count(value) or value > _MOST_DAYS:
        yield Problem(place, f"{value!r} is no count of days.", f"Write a whole number from 1 to {_MOST_DAYS}.")


def _find_in_roles(roles: Mapping[Any, Any]) -> Iterator[Problem]:
    for role, needed in roles.items():
        place = ("approvals", "roles", role)
        if not _is_role(role):
            yield Problem(place, "is no role.", "Write lower-case letters, digits, - and _.")
        if not _is_count(needed):
            yield Problem(place, f"{needed!r} is no count.", "Write how many must sign, at least 1.")


def _find_in_waivers(value: Any, document: Mapping[str, Any], _: Any) -> Iterator[Problem]:
    place = ("waivers",)
    if not isinstance(value, dict) or type(value.get("allowed")) is not bool or not set(value) <= _WAIVER_KEYS:
        yield Problem(place, "must say whether they are allowed.", _REMEDIES["waivers"])
    elif value["allowed"]:
        yield from _find_in_allowed(value)
    elif waivable := [name for name, limits in _limits(document) if limits.get("severity") in _WAIVED]:
        yield Problem(
            place, f"are not allowed, and {', '.join(waivable)} may be waived.", "Allow them, or make these blocking."
        )


def _find_in_allowed(value: Mapping[str, Any]) -> Iterator[Problem]:
    roles = value.get("roles")
    if not isinstance(roles, list) or not roles or not all(map(_is_role, roles)):
        yield Problem(("waivers", "roles"), f"{roles!r} names nobody.", "Write who may waive, such as [owner].")
    yield from _find_in_days(value.get("most_days"), ("waivers", "most_days"))


def _find_in_own_code(value: Any, _: Any, __: Any) -> Iterator[Problem]:
    if not isinstance(value, dict) or set(value) != {"allowed"} or type(value["allowed"]) is not bool:
        yield Problem(("own_code",), "must say whether it is allowed, and nothing else.", _REMEDIES["own_code"])


def _limits(document: Mapping[str, Any]) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    checks = document.get("checks")
    return (
        ((name, limits) for name, limits in (checks or {}).items() if isinstance(limits, dict))
        if isinstance(checks, dict)
        else iter(())
    )


def _is_role(role: Any) -> bool:
    return isinstance(role, str) and ROLE.fullmatch(role) is not None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST


_SECTIONS: Mapping[str, Callable[[Any, Mapping[str, Any], Known | None], Iterator[Problem]]] = {
    "name": _find_in_name,
    "tier": _find_in_tier,
    "metrics": _find_in_metrics,
    "checks": _find_in_checks,
    "questions": _find_in_questions,
    "slices": _find_in_slices,
    "waivers": _find_in_waivers,
    "own_code": _find_in_own_code,
    "approvals": _find_in_approvals,
}
