"""What happened on the way to a release, told by the workbench's own parts: rows that are logged and scored, rules, people.

A story is honest unless a field of it was exchanged. `World.tell` writes it down as a notebook does, measures it as a nomination
does, has it signed, and returns why a server would refuse the release, as it judges.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from tests.soak.happenings import STANDARD, Act, Happenings, Plan, Scored
from tests.soak.tampering_release import Forger, Mutation
from tests.unit.comparisons.builders import build_champion_comparison, build_comparison
from tests.unit.evidence.builders import build_evidence
from tests.unit.runs.kept_runs import keep
from workbench.checks import read_policy
from workbench.comparisons.overlap import OverlapFact
from workbench.evidence.evidence import Evidence
from workbench.evidence.features import read_features, read_holdout
from workbench.evidence.measures.holdout import measure_holdout
from workbench.evidence.measures.sample import measure_sample
from workbench.policies.policy import Policy
from workbench.policies.policy_files import find_policy
from workbench.releases.release_audit import find_unmet
from workbench.reviews.bundle import POLICY
from workbench.runs import spool
from workbench.runs.folder import FEATURES
from workbench.runs.kept_run import KeptRun
from workbench.runs.tables import LoggedTable, read_tables

TARGET, LATER = "bought", "./later.yaml"
Approve = Callable[[Forger, Evidence, bytes], Mapping[str, bytes]]


Measure = Callable[[KeptRun, Sequence[LoggedTable], Policy], dict[str, Any]]


def measure_rows(kept: KeptRun, tables: Sequence[LoggedTable], policy: Policy) -> dict[str, Any]:
    """Return the facts of which rows were scored; how well is told as a release that holds has it."""
    holdout = next(table for table in tables if table.fact.role == "holdout")
    compared = {"holdout_digest": holdout.fact.digest, "rows": len(kept.predictions.rows)}
    return {
        "baseline": build_comparison(**compared),
        "champion": build_champion_comparison(**compared),
        "champion_overlap": OverlapFact(len(kept.predictions.rows), 0),
        "holdout": measure_holdout(tables, kept.predictions),
        "datasets": tuple(table.fact for table in tables),
        "sample": measure_sample(kept.predictions, holdout, read_holdout(kept), read_features(kept)),
    }


def approve(forger: Forger, evidence: Evidence, policy: bytes, people: int = 2) -> Mapping[str, bytes]:
    """Return the release of this evidence under a policy, signed by so many people."""
    return forger.release_of(evidence, people=people, **{POLICY: policy})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Story:
    """A holdout and training rows as they were logged, what was scored, and what the ledger says; the last run is nominated.

    `scored` has the features, `truth` and `score` (of several classes a list) by the names of the rows. `policy` names the one it
    is nominated under, `files` other policies of the project; `measure` computes its facts. What is done behind the workbench's
    back: `spoil` to the run's folder, `edit` to the evidence.
    """

    chance: random.Random
    holdout: pd.DataFrame
    train: pd.DataFrame | None
    scored: pd.DataFrame
    features: tuple[str, ...]
    target: str | None = TARGET
    classes: tuple[Any, ...] | None = None
    acts: tuple[Act, ...] = (Plan(0), Scored(10))
    policy: str = STANDARD
    files: Mapping[str, bytes] = field(default_factory=dict)
    spoil: Callable[[Path], None] | None = None
    measure: Measure = measure_rows
    edit: Callable[[Evidence], Evidence] = lambda evidence: evidence
    release: Approve = approve

    def some(self, share: float = 0.3) -> list[int]:
        """Return the places of some rows that were scored, at least one and not all."""
        return self.chance.sample(
            range(len(self.scored)), self.chance.randrange(1, max(2, int(len(self.scored) * share)))
        )


class World:
    """A forger's release, and a folder that each story is told in."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.chance, self.forger = chance, Forger(folder, chance)
        self._run, self._project = folder / "run", folder / "project"

    def draw(self, *, rows: int | None = None) -> Story:
        """Return an honest story on rows that nobody saw before, in whatever types people have."""
        count = rows or self.chance.randrange(120, 180)
        draw = np.random.default_rng(self.chance.randrange(2**32))
        names = self.chance.choice([(0, 1), (False, True), ("no", "yes"), (1, 2), (-1.0, 1.0)])
        table = _draw_table(draw, count * 2, names, self.chance)
        holdout, train = table[:count], table[count:]
        features = ("x", "kind", "since", "flag")
        chance = 1 / (1 + np.exp(-2 * np.nan_to_num(holdout.x.to_numpy())))
        scored = holdout[[*features]].assign(truth=holdout[TARGET], score=chance)
        order = self.chance.sample(range(count), count)
        return Story(self.chance, holdout, train, scored.iloc[order], features, classes=names)

    def refuses(self, story: Story, *words: str) -> Mutation:
        """Return that a story must be refused, in one of these words."""
        return Mutation("a story", words, lambda: self.tell(story))

    def tell(self, story: Story) -> Sequence[str]:
        """Return why the release that comes of a story may not be served; empty when it may."""
        for folder in (self._run, self._project):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for name, content in story.files.items():
            (self._project / name).write_bytes(content)
        policy = find_policy(story.policy, self._project)
        _write_down(story, self._run)
        kept = keep(self._run)
        measured = story.measure(kept, read_tables(kept.files), read_policy(policy))
        holdout = next(fact for fact in measured["datasets"] if fact.role == "holdout")
        told = Happenings(self._project, self._run, holdout, kept.predictions).tell(story.acts, policy)
        evidence = build_evidence(**measured, **told)
        return self.judge(story.edit(evidence), policy, story.release)

    def claims(self, what: str, evidence: Evidence, words: str, **release: Any) -> Mutation:
        """Return that this evidence, signed by everybody, must be refused in these words."""
        policy = self.forger.files[POLICY]
        return Mutation(what, (words,), lambda: self.judge(evidence, policy, partial(approve, **release)))

    def judge(self, evidence: Evidence, policy: bytes, release_of: Approve = approve) -> Sequence[str]:
        """Return why a release with this evidence may not be served."""
        release = self.forger.judge(release_of(self.forger, evidence, policy))
        return [*release.decision.reasons, *find_unmet(evidence, read_policy(policy), release.approved_by)]


# A family of forgeries: makes one, at random, and says the words of the rule that must refuse it.
Forge = Callable[[World], Mutation]


def _draw_table(draw: np.random.Generator, count: int, names: tuple[Any, ...], chance: random.Random) -> pd.DataFrame:
    """Return rows with gaps, a column that is no feature, and names of whatever kind."""
    x = draw.normal(size=count)
    right = (x + draw.normal(size=count) > 0).astype(int)
    table = pd.DataFrame(
        {
            "x": np.where(draw.random(count) < 0.05, np.nan, x),
            "kind": draw.choice(["a", "ä", "名", "a b"], count),
            "since": pd.Timestamp("2026-01-01") + pd.to_timedelta(draw.integers(0, 10**6, count), unit="s"),
            "flag": draw.random(count) < 0.5,
            "note": [f"row {number}" for number in draw.permutation(count)],
            TARGET: np.array(names, dtype=object)[right],
        }
    ).infer_objects()
    table.index = chance.choice(
        [range(count), [f"customer {number}" for number in range(count)], chance.sample(range(10**9, 2 * 10**9), count)]
    )
    return table


def _write_down(story: Story, folder: Path) -> None:
    """Log what a notebook of this story logs."""
    with patch.dict(os.environ, {spool.FOLDER_VARIABLE: str(folder)}):
        spool.log_dataset(story.holdout, role="holdout", target=story.target)
        if story.train is not None:
            spool.log_dataset(story.train, role="train")
        score = np.array(story.scored.score.tolist())
        spool.log_predictions(story.scored.index, story.scored.truth, score, classes=story.classes)
    story.scored[[*story.features]].to_parquet(folder / FEATURES, index=False)
    if story.spoil:
        story.spoil(folder)
