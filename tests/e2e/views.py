"""The cells of notebooks that show a comparison or a review, and how their live views are got at."""

from __future__ import annotations

from playwright.sync_api import Locator

from tests.e2e.jupyterlab import Lab

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
COMPARISON = f"""
from random import Random

from tests.unit.people import CHAMPION_RUN_ID
from tests.unit.comparisons.builders import build_comparison
from workbench.comparisons.comparison import ComparedRun, name_run
from workbench.comparisons.verdict import decide_verdict
from workbench.stats.interval import Interval
from workbench.widgets.acting_view import Deeds
from workbench.widgets.comparison_view import ComparisonView

HOSTILE = {HOSTILE!r}

def build_run(number, estimate, random):
    interval = Interval(estimate, estimate - random.uniform(0.006, 0.011), estimate + random.uniform(0.006, 0.011), 0.9958)
    strength, depth = round(10 ** random.uniform(-3, 2), 4), random.randint(1, 2000)
    parameters = {{"strength": strength, "max_depth": depth, "family": random.choice(["boosting", "forest"]), "seed": 7}}
    return ComparedRun(f"{{random.getrandbits(48):012x}}", parameters, 0.9312 + estimate, interval, decide_verdict(interval, 0.005))

def build_runs():
    random = Random(3)
    estimates = [*(0.021 - 0.006 * number for number in range(11)), -0.31]
    return tuple(build_run(number, estimate, random) for number, estimate in enumerate(estimates))

comparison = build_comparison(reference=name_run(CHAMPION_RUN_ID), reference_value=0.9312, rows=12_430, tried=12, runs=build_runs())
"""
MANY = """
from tests.unit.comparisons.builders import build_many, measure_some
from workbench.widgets.comparison_sight import choose_first
from workbench.widgets.comparison_view import ComparisonView

many = build_many(10_000)
compare = lambda _reference, choose: measure_some(many, choose(many))
"""
SHOW_MANY = "ComparisonView(compare(None, choose_first), None, compare)"
RUNS = """
import os

from tests.benchmarks.many_runs import write_runs
from workbench.config import read_settings
from workbench.workflow import Workbench

os.environ["WORKBENCH_HOME"] = os.path.abspath("many")
bench = Workbench.open(read_settings())
if not bench.list_runs(limit=1):
    write_runs(bench.store, 2_000)

import workbench as wb
"""
SHOW_RUNS = "view = wb.runs()\nview"
REVIEW = f"""
from dataclasses import replace

from tests.unit.evidence.builders import ANSWERS, build_evidence
from tests.unit.people import NOW, OWNER, VALIDATOR
from tests.unit.reviews.builders import build_review
from workbench.evidence.evidence import Finding, ObjectionFact, Severity, Status
from workbench.reviews.review import GivenApproval, GivenWaiver
from workbench.errors import Refused, UsageError
from workbench.widgets.requests import Requests
from workbench.widgets.review_view import ReviewView

HOSTILE = {HOSTILE!r}
known = {{name: ANSWERS[name] for name in ("intended_use", "data_rights")}}
review = build_review(evidence=build_evidence(answers=known))

def on_answer(name, text):
    global review
    if len(text) < 20:
        reason = f"It has {{len(text)}} characters; the policy asks for 20."
        raise Refused("The answer is too short.", why=reason, next_step="Write a sentence.")
    given = {{"answer": text, "answered_by": VALIDATOR, "answered_at": NOW, "vouched_by": (VALIDATOR,)}}
    questions = tuple(replace(question, **given) if question.name == name else question for question in review.questions)
    review = replace(review, questions=questions)
    return review

def on_approve(request, key):
    global review
    if "missing" in str(key.path):
        raise FileNotFoundError(str(key.path))
    approval = GivenApproval(OWNER, request.role, NOW, "2027-05-20T08:30:00+00:00", ())
    review = replace(review, approvals=(*review.approvals, approval))
    return review

def set_objections(*objections):
    global review
    review = replace(review, evidence=replace(review.evidence, objections=objections))
    return review

def on_object(request, key):
    objections, text = review.evidence.objections, request.text
    if not request.clears:
        return set_objections(*objections, ObjectionFact(41, find_keyholder(key.path), text, NOW, None, None))
    cleared = (replace(item, cleared=NOW, resolution=text) if item.number == request.clears else item for item in objections)
    return set_objections(*cleared)

def on_waive(request, key):
    global review
    check = request.check
    waiver = GivenWaiver(check, find_keyholder(key.path), request.role, request.reason, NOW, "2026-12-21T08:30:00+00:00", ())
    until = f"{{OWNER}}, until 2026-12-21"
    marked = tuple(replace(item, waiver=until) if item.check == check else item for item in review.findings)
    review = replace(review, findings=marked, waivers=(*review.waivers, waiver))
    return review

def find_keyholder(path):
    if "missing" in str(path):
        raise UsageError(f"There is no key at {{path}}.")
    return OWNER if "otto" in str(path) else VALIDATOR if "vera" in str(path) else None

requests = Requests(on_answer, on_approve, on_object, on_waive, find_keyholder)
"""
# One of each: a failed finding that may be waived, a waiver that counts, one that does not, an open objection and a cleared one.
EVERYTHING = """
failed = Finding("beats_baseline", Status.FAIL, "roc_auc +0.0004 (-0.0020 to 0.0031)", "better than the baseline",
                 "The interval reaches below zero. `workbench compare` shows it.", severity=Severity.WAIVABLE)
unknown = Finding("replay_agrees", Status.UNKNOWN, "", "1e-9", "The run was not replayed.", severity=Severity.ADVISORY)
waived = replace(failed, check="metric_limit", value="0.79", limit="0.80", waiver=f"{OWNER}, until 2026-12-21")
passed = tuple(item for item in review.findings if item.check not in ("beats_baseline", "metric_limit"))
waivers = (
    GivenWaiver("metric_limit", OWNER, "owner", "A trial on one ward, watched every day.", NOW, "2026-12-21T08:30:00+00:00", ()),
    GivenWaiver("data_known", VALIDATOR, "validator", "The supplier will tell.", NOW, NOW,
                ("The waiver of data_known by vera@example.org expired at 2026-11-21T08:30:00+00:00.",)),
)
objections = (
    ObjectionFact(9, OWNER, "Which scanners do the holdout's images come from?", NOW, NOW, "From all three in use."),
    ObjectionFact(14, VALIDATOR, "Patients under eighteen are in the training rows.", NOW, None, None),
)
review = replace(review, findings=(failed, unknown, waived, *passed), waivers=waivers,
                 evidence=replace(review.evidence, objections=objections))
"""
FOLLOW = f"""
from dataclasses import replace

from tests.contract.stores import build_run
from workbench.runs.run import RunState
from workbench.widgets.follow_state import FollowedRun
from workbench.widgets.follow_view import FollowView

run = build_run(id="3f9a1c27d05b", state=RunState.RUNNING)
looks = 0

def read():
    global looks
    looks += 1
    lines = (*(f"epoch {{number}} loss {{1 / number:.4f}}" for number in range(1, 13)), {HOSTILE!r})
    return FollowedRun(run, 3, 7, 0.0, {{"loss": 1 / 12, "roc_auc": 0.91}}, lines)

def stop():
    global run
    run = replace(run, state=RunState.KILLED, error="Stopped by ada@example.org.")
"""
SHOW_FOLLOW = "FollowView(read, stop, pause_s=lambda: 0.1)"
# Only a view that looks while the kernel is busy lets this end.
BUSY = "import time\nwhile looks < 5:\n    time.sleep(0.01)"
SHOW_COMPARISON = "ComparisonView(comparison)"
SHOW_REVIEW = "ReviewView(review, requests)"


def show(lab: Lab, name: str, *cells: str) -> Locator:
    """Run a notebook of these cells and return its live view."""
    panel = lab.open(lab.server.write(f"{name}.ipynb", cells))
    view = panel.locator(".wb-live")
    view.wait_for()
    panel.locator(".wb-twin").first.wait_for(state="attached")  # what is saved now has both
    return view


def show_panel(lab: Lab) -> Locator:
    """Open the panel in the right sidebar and return it."""
    lab.page.evaluate("() => window.jupyterapp.shell.activateById('workbench-panel')")
    return lab.page.locator(".wb-panel")


def contrast(view: Locator, selector: str) -> float:
    """Return the lowest contrast ratio between text and ground among these elements (WCAG 2.2)."""
    script = """(view, selector) => {
      const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
      const linear = (part) => { const c = part / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
      const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
      const ground = numbers(getComputedStyle(view).backgroundColor);
      const over = ([r, g, b, a = 1]) => [r, g, b].map((part, index) => a * part + (1 - a) * ground[index]);
      const ratio = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      const found = [...view.querySelectorAll(selector)].filter((node) => node.textContent.trim());
      return Math.min(...found.map((node) => ratio(luminance(over(numbers(getComputedStyle(node).color))), luminance(ground))));
    }"""
    return float(view.evaluate(script, selector))
