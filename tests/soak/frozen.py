"""Two versions as they are frozen on disk: the champion that is served, with a real model, and a nominee on rows of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import skops.io

from tests.integration.release_builder import COLUMNS, TrainedModel, train_model
from tests.soak.tampering_release import Forger
from tests.unit.evidence.builders import build_evidence, build_holdout, build_identity, build_model
from tests.unit.people import AUTHOR, ENDED, ISSUED, RUN_ID, VALIDATOR
from workbench.checks import read_policy
from workbench.comparisons.comparing import Scored, compare_scored, constant_reference
from workbench.config import Settings
from workbench.evidence.evidence import Evidence
from workbench.evidence.holdout_rows import HoldoutRows, spell_rows
from workbench.evidence.measures.sample import SampleFact
from workbench.files.trees import write_tree
from workbench.ledger.ledger import Entry, Event, seal_entry
from workbench.models import scoring
from workbench.models.confinement import Limits
from workbench.models.model_files import CONTRACT_FILE, SKOPS_FILE
from workbench.models.predictions import Predictions, spell_predictions
from workbench.models.scoring import Scoring, ScoringRequest
from workbench.records.digest import sha256_hex
from workbench.records.row_digests import encode_value
from workbench.reviews import challenging
from workbench.reviews.bundle import MANIFEST, POLICY, write_manifest
from workbench.reviews.challenging import score_champion
from workbench.reviews.nominees import (
    ASKED,
    CHAMPION_PREDICTIONS,
    CHECKLIST,
    FACTS,
    FROZEN_POLICY,
    Nominee,
    load_nominee,
    read_before,
)
from workbench.runs.folder import HOLDOUT, PREDICTIONS

MODEL, CHAMPION, NOMINEE = "tumour", 2, 3
_CHECKLIST = Path(__file__).parents[2] / "templates" / CHECKLIST
Files = dict[str, bytes]


class Frozen:
    """The ledger and the folders of both versions; the champion's model is asked in this process."""

    def __init__(self, forger: Forger, *, rows: int = 200, spread: float = 1e-4) -> None:
        """The nominee is judged on so many rows, on which it and the champion answer so far apart."""
        self._forger, self._rows, self._spread = forger, rows, spread
        self.settings = Settings(forger.folder / f"frozen-{rows}", author=AUTHOR, allowed_signers=str(forger.signers))
        self.policy = read_policy(forger.files[POLICY])
        self._asked: dict[tuple[Any, ...], Scoring] = {}

    # The champion

    @cached_property
    def _trained(self) -> TrainedModel:
        return train_model()

    @cached_property
    def champion(self) -> tuple[Files, Evidence]:
        """The files that were frozen of it, and its facts."""
        named: dict[str, Any] = {"classes": (0, 1), "positive_class": 1, "response": "predict_proba"}
        contract = replace(self._trained.contract, **named).to_bytes()
        model = {CONTRACT_FILE: contract, SKOPS_FILE: skops.io.dumps(self._trained.model)}
        bundle = {f"release/model/{name}": content for name, content in model.items()}
        bundle[MANIFEST] = write_manifest(bundle)
        identity = build_identity(version=CHAMPION, run_id="b" * 12, bundle_digest=sha256_hex(bundle[MANIFEST]))
        holdout = build_holdout(digest=sha256_hex(b"rows of before"))
        facts = build_evidence(identity=identity, model=build_model(served_as="skops"), holdout=holdout)
        facts = replace(facts, champion=None, champion_version=None, answers={}, said_by=())
        truth = np.array([0.0, 1.0])
        predictions = spell_predictions(Predictions(("a", "b"), truth, truth, "classification"), {})
        frozen = {FACTS: facts.to_bytes(), PREDICTIONS: predictions, HOLDOUT: spell_rows(self.rows), **self._beside}
        return {**{f"bundle/{path}": content for path, content in bundle.items()}, **frozen}, facts

    @property
    def _beside(self) -> Files:
        return {FROZEN_POLICY: self._forger.files[POLICY], CHECKLIST: _CHECKLIST.read_bytes()}

    # The nominee

    @cached_property
    def own(self) -> Predictions:
        """What the nominee predicts: what the champion does, but for chance."""
        names = tuple(sorted(f"customer {number}" for number in range(self._rows)))
        served, noise = self._trained.scores[: self._rows], np.random.default_rng(7).normal(size=(2, self._rows))
        truth, score = (served + noise[0] / 3 > 0.5).astype(float), np.clip(served + self._spread * noise[1], 0, 1)
        named: dict[str, Any] = {"classes": (0, 1), "positive_class": 1, "response": "predict_proba"}
        return Predictions(names, truth, score, "classification", label=(score > 0.5).astype(float), **named)

    @cached_property
    def rows(self) -> HoldoutRows:
        """Its holdout, as it was logged."""
        table = self._trained.holdout[: self._rows]
        columns = {name: [encode_value(float(value)) for value in table[name]] for name in COLUMNS}
        return HoldoutRows({**columns, "bought": [encode_value(int(each)) for each in self.own.truth]}, "bought")

    @cached_property
    def facts(self) -> Evidence:
        """Its facts."""
        holdout = build_holdout(digest=sha256_hex(b"rows of now"), rows=self._rows)
        compared = compare_scored(
            [Scored(RUN_ID, {}, self.own)],
            holdout_digest=holdout.digest,
            reference=constant_reference(self.own),
            rule=self.policy.rule_of("classification"),
            tried=1,
        )
        known: dict[str, Any] = {"champion": None, "champion_version": None, "answers": {}, "said_by": ()}
        known["sample"] = SampleFact(self._rows, self.own.count_rarest(), 0)
        return replace(build_evidence(holdout=holdout, baseline=compared, slices=None), **known)

    @cached_property
    def said(self) -> Predictions:
        """What the champion answers to the nominee's rows."""
        before = read_before(MODEL, CHAMPION, self.settings, self._promoted())
        with self.asked_here():
            return score_champion(self.own, self.rows, before)

    @contextmanager
    def asked_here(self) -> Iterator[None]:
        """Ask a model about the same rows once, and in this process: to start a confined one takes seconds."""

        def ask(files: Mapping[str, bytes], served: str, columns: Mapping[str, Sequence[str]], **how: Any) -> Scoring:
            key = (*sorted(files.items()), served, *((name, *texts) for name, texts in columns.items()))
            if key not in self._asked:
                folder = self.settings.project / "asked"
                write_tree({scoring._COLUMNS: json.dumps(dict(columns)).encode()}, folder)
                request = ScoringRequest(str(folder), "", served, 0, Limits())
                self._asked[key] = scoring._score(files, request)
                shutil.rmtree(folder)
            return self._asked[key]

        with patch.object(challenging, "score_rows", ask):
            yield

    # On disk

    def folder(self, version: int) -> Path:
        """Return where a version is frozen."""
        return self.settings.models_folder / MODEL / str(version)

    def nominate(
        self, *, says: dict[str, Any] | None = None, predictions: bytes | None = None, **changes: Any
    ) -> tuple[Nominee, list[Entry]]:
        """Freeze the nominee and write it to the ledger, with what the champion is said to have answered; load it again.

        `changes` are of its facts, of its `rows`, and of what the ledger says of it (`body`).
        """
        rows, body = changes.pop("rows", self.rows), changes.pop("body", {})
        asked = spell_predictions(self.said, {}) if says is None else predictions
        facts = replace(self.facts, **changes)
        files = {FACTS: facts.to_bytes(), PREDICTIONS: spell_predictions(self.own, {}), HOLDOUT: spell_rows(rows)}
        files |= {**self._beside, **({} if asked is None else {CHAMPION_PREDICTIONS: asked})}
        self._freeze(NOMINEE, files)
        said = {ASKED: says or {"version": CHAMPION, "fault": None}}
        entries = _add(self._promoted(), Event.NOMINATED, NOMINEE, {**_name(facts, files), **said, **body})
        return load_nominee(f"{MODEL}/{NOMINEE}", settings=self.settings, entries=entries), entries

    def _freeze(self, version: int, files: Files) -> None:
        shutil.rmtree(self.folder(version), ignore_errors=True)
        write_tree(files, self.folder(version))

    def _promoted(self) -> list[Entry]:
        """Return the ledger in which the champion was nominated and promoted, with its files in their place."""
        files, facts = self.champion
        self._freeze(CHAMPION, files)
        entries = _add([], Event.NOMINATED, CHAMPION, _name(facts, files))
        return _add(entries, Event.PROMOTED, CHAMPION, {"endpoint": MODEL, "version": CHAMPION})


def _add(entries: list[Entry], event: Event, version: int, body: dict[str, Any]) -> list[Entry]:
    actor, last = AUTHOR if event is Event.NOMINATED else VALIDATOR, entries[-1] if entries else None
    subject = f"{MODEL}/{version}"
    return [*entries, seal_entry(last, time=ISSUED, event=event, actor=actor, subject=subject, body=body)]


def _name(facts: Evidence, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what the ledger says of a version: what it is made of, whose it is, and each frozen file by its digest."""
    identity = facts.identity
    made = {"run": identity.run_id, "manifest": identity.bundle_digest, "endpoint": MODEL, "ended": ENDED}
    frozen = {name: sha256_hex(content) for name, content in files.items() if not name.startswith("bundle/")}
    return {**made, "authors": list(identity.authors), "policy": "standard", **frozen}
