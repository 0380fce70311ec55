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
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from tests.soak.tampering_release import Forger, Mutation
from tests.unit.comparisons.builders import build_champion_comparison, build_comparison
from tests.unit.evidence.builders import build_evidence
from tests.unit.people import AUTHOR
from tests.unit.runs.kept_runs import keep
from workbench.checks import read_policy
from workbench.config import Settings
from workbench.evidence.evidence import Evidence, PlanFact
from workbench.evidence.features import read_features, read_holdout
from workbench.evidence.measures.holdout import measure_holdout
from workbench.evidence.measures.sample import measure_sample
from workbench.ledger.ledger import Entry, seal_entry
from workbench.nominations.planning import describe_plan, record_plan
from workbench.policies.policy_files import find_policy
from workbench.releases.release_audit import find_unmet
from workbench.reviews.bundle import POLICY
from workbench.runs import spool
from workbench.runs.folder import FEATURES
from workbench.runs.looks import look_of_run
from workbench.runs.run import Run, RunState
from workbench.runs.tables import read_tables

TARGET, NOTEBOOK, OTHER_NOTEBOOK = "bought", "train.ipynb", "another.ipynb"
STANDARD, LATER = "standard", "./later.yaml"
Body = dict[str, Any]


def at(minute: float) -> str:
    """Return a time so many minutes past eight, in ISO 8601."""
    return f"2026-11-20T08:{int(minute):02d}:{round(minute % 1 * 60):02d}+00:00"


def approve(forger: Forger, evidence: Evidence, policy: bytes, people: int = 2) -> Mapping[str, bytes]:
    """Return the release of this evidence under a policy, signed by so many people."""
    return forger.release_of(evidence, people=people, **{POLICY: policy})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Plan:
    """The rules are written down at a minute, before a notebook runs: those of a policy by its name or path."""

    minute: float
    policy: str = STANDARD
    notebook: str = NOTEBOOK
    edit: Callable[[Body], Body] = field(default=lambda body: body)


@dataclass(frozen=True)
class Scored:
    """A notebook runs at a minute and scores the holdout of the story, or another one."""

    minute: float
    notebook: str = NOTEBOOK
    holdout: str | None = None


@dataclass(frozen=True)
class Story:
    """A holdout and training rows as they were logged, what was scored, and what the ledger says; the last run is nominated.

    `scored` has the features, `truth` and `score` by the names of the rows. `policy` names the one it is nominated under, `files`
    other policies of the project. What is done behind the workbench's back: `spoil` to the run's folder, `edit` to the evidence.
    """

    chance: random.Random
    holdout: pd.DataFrame
    train: pd.DataFrame | None
    scored: pd.DataFrame
    features: tuple[str, ...]
    target: str | None = TARGET
    classes: tuple[Any, ...] | None = None
    acts: tuple[Plan | Scored, ...] = (Plan(0), Scored(10))
    policy: str = STANDARD
    files: Mapping[str, bytes] = field(default_factory=dict)
    spoil: Callable[[Path], None] | None = None
    edit: Callable[[Evidence], Evidence] = lambda evidence: evidence
    release: Callable[[Forger, Evidence, bytes], Mapping[str, bytes]] = approve

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

    def refuses(self, story: Story, words: str) -> Mutation:
        """Return that a story must be refused, in these words."""
        return Mutation("a story", (words,), lambda: self.tell(story))

    def tell(self, story: Story) -> Sequence[str]:
        """Return why the release that comes of a story may not be served; empty when it may."""
        for folder in (self._run, self._project):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for name, content in story.files.items():
            (self._project / name).write_bytes(content)
        policy = find_policy(story.policy, self._project)
        measured = self._measure_rows(story)
        evidence = story.edit(build_evidence(**measured, plan=self._plan(story, policy, measured["holdout"].digest)))
        reasons = self.forger.audit(story.release(self.forger, evidence, policy))
        return [*reasons, *find_unmet(evidence, read_policy(policy))]

    def _measure_rows(self, story: Story) -> dict[str, Any]:
        _write_down(story, self._run)
        kept = keep(self._run)
        tables = read_tables(kept.files)
        holdout = next(table for table in tables if table.fact.role == "holdout")
        sample = measure_sample(kept.predictions, holdout, read_holdout(kept), read_features(kept))
        compared = {"holdout_digest": holdout.fact.digest, "rows": len(kept.predictions.rows)}
        return {
            "baseline": build_comparison(**compared),
            "champion": build_champion_comparison(**compared),
            "holdout": measure_holdout(tables, kept.predictions),
            "datasets": tuple(table.fact for table in tables),
            "sample": sample,
        }

    def _plan(self, story: Story, policy: bytes, digest: str) -> PlanFact | None:
        """Let everything happen in its order; return what the ledger then says of the last run."""
        ledger, runs = _Ledger(), []
        for number, act in enumerate(story.acts):
            if isinstance(act, Plan):
                ledger.minute, ledger.edit = act.minute, act.edit
                settings = Settings(self._project, author=AUTHOR, policy=act.policy)
                record_plan(SimpleNamespace(settings=settings, store=ledger), act.notebook)  # type: ignore[arg-type]
            else:
                runs.append(_run_of(act, number, act.holdout or digest))
        own = look_of_run(runs[-1], self._project)
        looks = [
            look for run in runs if own and (look := look_of_run(run, self._project)) and look.digest == own.digest
        ]
        return describe_plan(runs[-1], "classification", read_policy(policy).digest, ledger.entries, looks)


class _Ledger:
    """The ledger in memory: the entries in the order in which they were written, at the time its writer's clock shows."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.minute, self.edit = 0.0, lambda body: body

    def read_ledger(self) -> list[Entry]:
        return self.entries

    def append_entry(self, event: Any, *, actor: str, subject: str, body: Body) -> None:
        last = self.entries[-1] if self.entries else None
        said = {"event": event, "actor": actor, "subject": subject, "body": self.edit(body)}
        self.entries.append(seal_entry(last, time=at(self.minute), **said))


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
        spool.log_predictions(story.scored.index, story.scored.truth, story.scored.score, classes=story.classes)
    story.scored[[*story.features]].to_parquet(folder / FEATURES, index=False)
    if story.spoil:
        story.spoil(folder)


def _run_of(act: Scored, number: int, digest: str) -> Run:
    record = {"datasets": [{"name": "holdout", "role": "holdout", "digest": digest, "rows": 9, "columns": 3}]}
    said: dict[str, Any] = {"state": RunState.FINISHED, "started": at(act.minute), "record": record}
    return Run(f"{number:012x}", act.notebook, "ab" * 32, {}, {}, AUTHOR, at(act.minute), **said)
