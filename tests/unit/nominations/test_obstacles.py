"""What is certain when a run ended is said then, in the words of what will judge it, and nothing that may still become well."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.people import AUTHOR, RUN_ID
from tests.unit.policies.builders import build_policy
from workbench.checks import CHECKS
from workbench.errors import UsageError
from workbench.evidence.evidence import PlanFact, Severity
from workbench.evidence.measures.authorship import AuthorshipFact, WrittenFact
from workbench.evidence.measures.disclosures import Disclosure, DisclosureFact
from workbench.evidence.measures.tries import TriesFact
from workbench.models.first_answers import FirstAnswers
from workbench.models.model_facts import ModuleFact
from workbench.models.predictions import Predictions
from workbench.nominations.obstacles import (
    EndedRun,
    Obstacle,
    Peer,
    find_lonely_holdout,
    find_obstacles,
    find_plan_obstacle,
    find_scattered_holdouts,
    find_undeclared_holdout,
    is_to_be_nominated,
    merge_obstacles,
    require_holdout,
    require_model,
)
from workbench.nominations.scored_rows import measure_scored_rows
from workbench.runs.local_files import LocalFilesFact
from workbench.runs.run import Run, RunState

POLICY = build_policy()
SEEN = LocalFilesFact((), (), 0, is_complete=True, unseen=())
PLANNED, STARTED = "2026-11-20T09:00:00+00:00", "2026-11-20T09:05:00+00:00"
DATASETS = [
    {"name": "train", "role": "train", "digest": "a" * 64, "rows": 400, "columns": 5},
    {"name": "holdout", "role": "holdout", "digest": "b" * 64, "rows": 200, "columns": 5},
]
FILES = dict.fromkeys(("notebook.ipynb", "predictions.parquet", "model/contract.json", "model/model.skops"), "0" * 64)
REFUSED = {
    "what": "The model cannot be served, and was not logged.",
    "why": ["Nobody reviewed x.Y."],
    "next_step": "Instead of x.Y: use Z.",
}


def build_run(run_id: str = RUN_ID, **record: object) -> Run:
    record = {"datasets": DATASETS, "files": FILES, "shared": {"rows": 0, "alike": 0}, **record}
    return Run(
        run_id, "train.ipynb", "ab" * 32, {}, {}, AUTHOR, STARTED, RunState.FINISHED, started=STARTED, record=record
    )


def build_ended(run: Run | None = None, **facts: object) -> EndedRun:
    plan = PlanFact(1, PLANNED, POLICY.digest, "roc_auc", "higher", 0.005, (), None, STARTED, STARTED)
    ended = EndedRun(
        run or build_run(),
        POLICY,
        "classification",
        plan,
        TriesFact("roc_auc", 1, 1, 0, None, None),
        DisclosureFact(3, ()),
        ("json", "skops"),
        authorship=AuthorshipFact(None, (WrittenFact("train.ipynb", (), 9, 0),), ()),
        local_files=SEEN,
    )
    return replace(ended, **facts)


def told(ended: EndedRun) -> dict[str, str]:
    return {obstacle.about: obstacle.text for obstacle in find_obstacles(ended)}


def without(*names: str) -> dict[str, str]:
    return {name: digest for name, digest in FILES.items() if not name.startswith(names)}


CUT = AuthorshipFact(None, (WrittenFact("train.ipynb", ("c1",), 0, 4),), (AUTHOR,))
LATE = PlanFact(4, STARTED, POLICY.digest, "roc_auc", "higher", 0.005, (), None, STARTED, PLANNED)
SHOWN = DisclosureFact(3, (Disclosure("GitHub token", "notebook.ipynb", "cell 2 output 1", 1),))
SMALL = [DATASETS[0], {**DATASETS[1], "rows": 40}]

NO_RULE = build_policy(metrics={"regression": POLICY.metrics["regression"]})
NO_OWN_CODE = build_policy(allows_own_code=False)
OWN = (ModuleFact("steps", "d" * 64, ("Step",)),)
WORN = TriesFact("roc_auc", 31, 31, 0, None, None)
SHORT = FirstAnswers(fault="The model was logged with 4 rows and there are 5 scores.")


TRUTH = np.arange(200) % 2
HONEST = np.where(np.arange(200) % 10 < 3, 1 - TRUTH, TRUTH) * 0.4 + 0.3
ROWS = tuple(sorted(map(str, range(200))))


def scored(
    score: object = HONEST, *, truth: object = TRUTH, logged: float | None = 0.7, rows: object = ROWS, **said: object
) -> EndedRun:
    """A run that predicted these scores, logged this metric and named these rows."""
    run = build_run(metrics={} if logged is None else {"roc_auc": logged})
    predictions = Predictions(tuple(rows), np.array(truth, float), np.array(score, float), "classification", **said)
    return build_ended(run, scored=measure_scored_rows(run, predictions, ROWS, POLICY))


def of_run(**record: object) -> EndedRun:
    return build_ended(build_run(**record))


def sharing(rows: int | None, alike: int | None) -> EndedRun:
    return of_run(shared={"rows": rows, "alike": alike})


# By what is wrong: what is known, what it is about, and a word of why.
STANDS: dict[str, tuple[EndedRun, str, str]] = {
    "a refused model": (
        build_ended(build_run(files=without("model"), refused=REFUSED), formats=()),
        "model",
        "Nobody reviewed x.Y. Instead of",
    ),
    "no holdout": (of_run(datasets=DATASETS[:1], shared={}), "holdout", "wb.log_dataset(holdout"),
    "no predictions": (of_run(files=without("predictions")), "predictions", "wb.log_predictions"),
    "a task without a rule": (build_ended(policy=NO_RULE), "policy", "this run's task is classification"),
    "rules that came later": (build_ended(plan=LATE), "planned_first", "scored on since 2026-11-20 09:00:00"),
    "no rules before": (build_ended(plan=None), "planned_first", "no plan"),
    "no training table": (of_run(datasets=DATASETS[1:]), "data_known", "no train table"),
    "holdout rows in training": (sharing(3, 4), "holdout_untouched", "3 holdout rows"),
    "other columns in training": (sharing(None, None), "holdout_untouched", "other columns"),
    "a worn holdout": (build_ended(tries=WORN), "holdout_wear", "It may be waived."),
    "a small holdout": (of_run(datasets=SMALL), "enough_data", "40 rows, the policy asks for 100"),
    "own code": (build_ended(policy=NO_OWN_CODE, own_code=OWN), "safe_format", "allows no own code: steps"),
    "other scores": (
        build_ended(first=FirstAnswers(0.3)),
        "model_loads",
        "features of the same rows in the same order",
    ),
    "other rows": (build_ended(first=SHORT), "model_loads", "4 rows"),
    "a metric nobody logged": (scored(logged=None), "metric_recomputed", "did not log roc_auc"),
    "another metric": (scored(logged=0.251), "metric_recomputed", "(logged 0.251, recomputed 0.7)"),
    "row ids of another table": (
        scored(rows=[f"9{row}" for row in ROWS]),
        "holdout_untouched",
        "every row id of the holdout",
    ),
    "scores that are too bold": (scored(np.where(HONEST > 0.5, 0.999, 0.001)), "calibrated", "It may be waived."),
    "scores that are no probabilities": (scored(response="decision_function"), "calibrated", "CalibratedClassifierCV"),
    "a rare class": (scored(truth=[*[1] * 5, *[0] * 195], score=HONEST, logged=0.5), "enough_data", "has 5 rows"),
    "a secret": (build_ended(disclosures=SHOWN), "no_secrets_shown", "GitHub token in notebook.ipynb cell 2"),
    "code that nobody saw": (
        build_ended(local_files=replace(SEEN, is_complete=False)),
        "run_unmodified",
        "Run the notebook again",
    ),
    "a shallow clone": (build_ended(authorship=CUT), "authors_known", "git fetch --unshallow"),
}


def test_of_a_run_that_may_become_well_nothing_is_said():
    assert told(build_ended()) == {}
    assert told(scored()) == {}


def test_that_a_run_scored_rows_nobody_else_can_score_is_told_whether_it_logged_a_model_or_not():
    undeclared = build_run(datasets=[], files=without("model"))
    assert "wb.log_dataset(holdout, role='holdout', target='...')" in find_undeclared_holdout(undeclared).text
    assert find_undeclared_holdout(build_run(files=without("model"))) is None
    assert find_undeclared_holdout(build_run(datasets=[], files=without("model", "predictions"))) is None


def test_what_differs_in_its_numbers_only_is_told_once_for_all_runs():
    found = [Obstacle("metric_recomputed", f"off by {run}", (run,)) for run in ("a", "b", "c")]
    (merged,) = merge_obstacles([*found, found[0]])
    assert (merged.runs, merged.text.count("off by")) == (("a", "b", "c"), 1)
    assert "Of run a; 2 others" in merged.text
    assert merge_obstacles(found[:2]) == found[:2]


@pytest.mark.parametrize("name", STANDS)
def test_what_is_certain_is_said_once_and_with_what_to_do(name):
    ended, about, says = STANDS[name]
    found = told(ended)
    assert [*found] == [about]
    assert says in found[about]


@pytest.mark.parametrize("name", [name for name, (_, about, _) in STANDS.items() if about in CHECKS])
def test_what_the_policy_does_not_ask_for_or_only_says_is_no_obstacle(name):
    ended, about, _ = STANDS[name]
    checks = {check: limits for check, limits in ended.policy.checks.items() if check != about}
    unasked = {*told(replace(ended, policy=replace(ended.policy, checks=checks)))} - {
        "holdout_untouched",
        "authors_known",
        "calibrated",
    }
    assert unasked == set()
    severities = {**ended.policy.severities, about: Severity.ADVISORY}
    assert about not in told(replace(ended, policy=replace(ended.policy, severities=severities)))


def test_what_a_model_will_be_served_as_is_not_said_before_it_is_known():
    assert "skops" not in told(build_ended(first=FirstAnswers(0.3)))["model_loads"]


def test_what_stood_there_before_the_first_score_is_named_for_the_nomination():
    said = told(build_ended(plan=LATE, before=("minimal", "strict")))["planned_first"]
    assert "What stood there is minimal or strict: `workbench nominate RUN --model NAME --policy minimal`." in said
    assert find_plan_obstacle(build_ended(plan=LATE, before=("minimal", "strict"))) == said
    assert find_plan_obstacle(build_ended()) is None
    assert find_plan_obstacle(build_ended(plan=LATE)).endswith(
        "stood there before, if one did. None that is still the same did."
    )


def test_who_wrote_lines_a_release_may_have_approved_is_not_judged_early():
    assert told(build_ended(authorship=None)) == {}


def test_nominating_refuses_a_run_without_a_model_in_the_words_of_its_refusal():
    with pytest.raises(UsageError) as caught:
        require_model(build_run(refused=REFUSED), without("model"))
    assert (caught.value.reasons, caught.value.next_step) == ((REFUSED["what"], *REFUSED["why"]), REFUSED["next_step"])
    with pytest.raises(UsageError, match="logged no model"):
        require_model(build_run(), without("model"))


def test_a_run_with_neither_holdout_nor_model_is_told_the_one_line_that_logs_both():
    with pytest.raises(UsageError) as caught:
        require_holdout(build_run(datasets=[], files=without("model", "predictions")))
    assert "wb.log_evaluation(model, holdout, target='...', training=train)" in str(caught.value.next_step)
    with pytest.raises(UsageError) as caught:
        require_holdout(build_run(datasets=[]))
    assert "wb.log_dataset(holdout, role='holdout', target='...')" in str(caught.value.next_step)


def test_who_only_explores_is_told_nothing_of_nominating():
    assert not is_to_be_nominated(build_run(files=without("model")))
    assert is_to_be_nominated(build_run(files=without("model"), refused=REFUSED))
    assert is_to_be_nominated(build_run())


def test_the_same_obstacle_of_many_runs_is_one_that_names_no_run_in_its_text():
    ended = [build_ended(build_run(run_id, files=without("predictions"))) for run_id in ("1" * 12, "2" * 12)]
    (merged,) = merge_obstacles(obstacle for each in ended for obstacle in find_obstacles(each))
    assert merged == Obstacle("predictions", merged.text, ("1" * 12, "2" * 12))
    assert "1" * 12 not in merged.text


# A holdout that nobody else has


def on(run_id: str, digest: str, name: str = "holdout") -> Run:
    return build_run(run_id, datasets=[{**DATASETS[1], "digest": digest * 64, "name": name}])


def test_the_first_run_of_a_project_is_not_alone():
    assert find_lonely_holdout(on(RUN_ID, "c"), []) is None
    assert find_lonely_holdout(on(RUN_ID, "c"), [Peer(build_run("1" * 12, datasets=[]))]) is None
    assert find_lonely_holdout(build_run(datasets=[]), [Peer(on("1" * 12, "d"))]) is None


def test_a_holdout_nobody_else_has_is_told_with_that_of_the_others_by_name_and_digest():
    others = [on("1" * 12, "d", "birds"), on("2" * 12, "d", "birds"), on("3" * 12, "e")]
    found = find_lonely_holdout(on(RUN_ID, "c"), [Peer(run) for run in others])
    assert (found.about, found.runs) == ("comparison", (RUN_ID,))
    assert "holdout cccccccccccc (200 rows)" in found.text
    assert "Run 111111111111 was scored on holdout 'birds' dddddddddddd (200 rows), as 1 other was." in found.text
    assert "log them as run 111111111111 did" in found.text
    assert found.text.endswith("nothing is to be done.")


def test_runs_on_different_holdouts_are_told_once_that_none_is_the_best_and_that_a_lucky_split_is_a_try():
    found = find_scattered_holdouts([[on("1" * 12, "c"), on("2" * 12, "c")], [on("3" * 12, "d")]])
    assert (found.about, found.runs) == ("comparison", ("1" * 12, "2" * 12, "3" * 12))
    assert "3 runs were scored on 2 different holdouts, so their scores cannot be compared, and none" in found.text
    assert "the highest score is the luckiest split, and each run is a try" in found.text


def test_what_is_served_is_named_before_other_runs():
    text = find_lonely_holdout(on(RUN_ID, "c"), [Peer(on("1" * 12, "d"), "shop/2"), Peer(on("2" * 12, "d"))]).text
    assert "shop/2, which is served, is run 111111111111 and was scored on holdout dddddddddddd (200 rows)" in text
    assert "so no other run can be compared with it row by row" in text
    assert text.endswith("nothing is to be done; shop/2 is asked about these rows at the nomination.")


def test_saying_it_loads_nothing_heavy():
    heavy = {"pandas", "pyarrow", "sklearn", "skops", "mlflow", "onnxruntime"}
    code = f"import sys, workbench.nominations.foreseeing; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
